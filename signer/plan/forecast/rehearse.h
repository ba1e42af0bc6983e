/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One phase of a plan, gone through: CUCM writes its lists, and each class of phones takes or
 * refuses them. The search tries orders with it.
 */
#ifndef CTL_REHEARSE_H
#define CTL_REHEARSE_H

#include "signer/plan/forecast/search.h"

/* Where phones and lists stand, between two stages. */
struct scene {
	const bool *nodes; /* TFTP nodes that are looked at */
	struct cluster_state state;
	const struct stage_served *served;
	uint32_t time; /* lists written so far */
};

/* Room for the lists of a stage; the search owns it. NULL if memory runs out. */
struct stage_served *rehearse_served(struct search *s, struct tlv_err *e);

/*
 * Goes through the stages of one phase; scene is then where they lead to. first: phones hold what
 * was there before the plan, which a class may not have in full. stages: filled, *n of them. Errors
 * are those of stage.h.
 */
enum status rehearse_phase(struct search *s, struct scene *scene, const struct search_phase *phase,
			   bool first, struct search_stage stages[STAGES_MAX], size_t *n,
			   struct tlv_err *e);

#endif
