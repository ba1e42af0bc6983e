/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is assumed of a cluster's present lists, as lines of a plan.
 */
#ifndef CTL_CLUSTER_SAY_H
#define CTL_CLUSTER_SAY_H

#include "signer/plan/forecast/cluster.h"

/* Whether a list of today is not of the release: release_is_unlike(). */
bool cluster_doubts_release(const struct cluster *c);
/* Says what is assumed then, of the first such list; else nothing. */
void cluster_say_doubt(struct plan_lines *l, const struct cluster *c);
/* What is said of lists that were printed, each of which is noted first. */
struct cluster_printed {
	bool any, good; /* good: the signature of one is taken to be good */
};
void cluster_note_printed(struct cluster_printed *p, const struct tlv_list *l);
void cluster_say_printed(struct plan_lines *l, const struct cluster_printed *p);

#endif
