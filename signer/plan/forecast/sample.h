/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The TFTP nodes whose lists a plan is judged by.
 */
#ifndef CTL_SAMPLE_H
#define CTL_SAMPLE_H

#include "signer/plan/forecast/cluster.h"

/* Those whose lists can be foreseen: some list shows their CallManager certificate. */
void sample_all(const struct cluster *c, bool nodes[CLUSTER_NODES_MAX]);
/*
 * One of each sort of them. That is enough to compare orders of a large cluster; the order that is
 * chosen must be gone through with all.
 */
void sample_sorts(const struct cluster *c, bool nodes[CLUSTER_NODES_MAX]);

#endif
