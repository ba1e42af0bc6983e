/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The phones of a cluster: what each class of them holds, and what it does with
 * the lists that it is offered. The trust engine decides (signer/trust/accept.h).
 */
#ifndef CTL_CROWD_H
#define CTL_CROWD_H

#include "signer/plan/forecast/stage.h"

enum crowd_class {
#define FORECAST_PHONES(NAME, word, text, sbd, ctl, itl, gated) CROWD_##NAME,
#include "signer/plan/forecast/forecast_rules.def"
#undef FORECAST_PHONES
	CROWD_CLASSES
};

struct crowd_row {
	const char *word, *text;
	bool sbd, ctl, itl; /* what they are, and what they hold before */
	bool gated;	    /* the check before the plan finds them: no lock-out of the plan */
};

const struct crowd_row *crowd_row(enum crowd_class p);
/*
 * Whether the cluster has such phones. Those that hold an ITL alone are there if no CTL
 * is served; else they have it, or refuse it today already, which is no plan's doing.
 */
bool crowd_exists(const struct cluster *c, enum crowd_class p);

/* CallManager groups: phones ask the TVS of their nodes. Bit n: node n. */
enum { CROWD_GROUPS_MAX = 64 };
struct crowd_groups {
	uint64_t nodes[CROWD_GROUPS_MAX];
	const char *name[CROWD_GROUPS_MAX]; /* borrowed, not ended by NUL */
	size_t name_n[CROWD_GROUPS_MAX];
	size_t n; /* 0: not known, so that a group may be any one node */
};

/* ST_USAGE: "NAME=NODE,…" of --group is not that; ST_NO_MATCH: no list shows the node. */
enum status crowd_group(struct crowd_groups *g, const struct cluster *c, const char *text,
			struct tlv_err *e);

/* One list offered to one class of phones at one TFTP node. */
struct crowd_answer {
	bool offered; /* else the phone holds this list already, or loads none of this kind */
	bool accepted, by_tvs;
	struct acceptance a;
	size_t group; /* of a refusal: the group that has no TVS; SIZE_MAX: it is not that */
};

struct crowd_question {
	const struct cluster *c;
	const struct crowd_groups *groups;
	const struct cluster_state *tvs;	      /* certificates that TVS presents now */
	const struct tlv_list *holds_ctl, *holds_itl; /* NULL: none */
	const struct stage_list *ctl, *itl;	      /* NULL: not written at this stage */
	const struct certset *uploads; /* as Phone-SAST-trust; NULL: none that the model knows */
};

struct crowd_answers {
	struct crowd_answer ctl, itl;
	const struct tlv_list *holds_ctl, *holds_itl; /* afterwards */
};

/* The CTL comes first; the ITL is judged with what the phone holds then. */
void crowd_ask(struct crowd_answers *out, enum crowd_class p, const struct crowd_question *q);
/*
 * The rule that decided. What TVS would vouch for is unknown to phones that believe no TVS of their
 * group.
 */
enum accept_reason crowd_reason(const struct crowd_answer *a);
enum { CROWD_FACTS_MAX = 2 };
/* The facts behind a refusal; returns how many. */
size_t crowd_facts(const struct crowd_answer *a, unsigned facts[CROWD_FACTS_MAX]);
/* What a refusal says of itself: "no installed record has …"; appends it with its sources. */
void crowd_why(const struct crowd_answer *a, struct buf *out);

#endif
