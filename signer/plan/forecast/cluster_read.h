/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A cluster out of its present lists: which nodes and certificates they show, whose lists they are,
 * and whether they agree.
 */
#ifndef CTL_CLUSTER_READ_H
#define CTL_CLUSTER_READ_H

#include "signer/plan/forecast/cluster.h"

/*
 * Reads the cluster out of its present lists, which must outlive it: at most one
 * CTL, and one ITL or more. ST_USAGE with what to give instead, or if one is of another cluster;
 * ST_NO if the lists contradict each other, so that a renewal is on its way already.
 * The struct is to be freed all the same.
 */
enum status cluster_read(struct cluster *c, const struct tlv_list *const *lists, size_t n,
			 const struct release *release, struct tlv_err *e);

/*
 * The same of lists that may contradict each other, as they do after a renewal that CUCM has not
 * written into all of them. The latest list counts: what an earlier one shows in its place is
 * superseded. *now is then the state of today, in which that is renewed already.
 */
enum status cluster_read_drifted(struct cluster *c, const struct tlv_list *const *lists, size_t n,
				 const struct release *release, struct cluster_state *now,
				 struct tlv_err *e);

#endif
