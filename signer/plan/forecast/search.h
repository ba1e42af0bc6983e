/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * In which order certificates can be renewed so that no class of phones is ever
 * offered a list that it refuses; proven by going through it once more.
 */
#ifndef CTL_SEARCH_H
#define CTL_SEARCH_H

#include "signer/plan/forecast/crowd.h"

/* Which nodes' certificates of a kind a phase renews. */
enum search_part { SEARCH_ALL, SEARCH_PUBLISHER, SEARCH_OTHERS };

enum search_act {
#define FORECAST_ACT(NAME, word, text, hits, fact) SEARCH_##NAME,
#include "signer/plan/forecast/forecast_rules.def"
#undef FORECAST_ACT
};

struct search_act_row {
	const char *word, *text; /* in JSON; in sentences */
	const char *hits;	 /* what users feel; "": the certificate's rule says it */
	unsigned fact;
};

const struct search_act_row *search_act_row(enum search_act a);

enum {
	SEARCH_RENEWALS_MAX = 7, /* five kinds, and two of them on the publisher apart */
	SEARCH_PHASES_MAX = SEARCH_RENEWALS_MAX + 2,
	SEARCH_STAGES_MAX = SEARCH_PHASES_MAX * STAGES_MAX
};

struct search_phase {
	enum search_act act;
	enum plan_kind kind; /* the certificate's, or PLAN_KIND_ITL */
	enum search_part part;
	struct cluster_state renews;
};

/* What phones of a class do at the end of a stage, in the worst case over the TFTP nodes. */
struct search_verdict {
	bool exists, refused, by_tvs;
	unsigned
		assumptions; /* bit n: tvs_assumption n, of any list that is taken, if the model does not know it */
	unsigned reasons; /* bit n: accept_reason n, of lists taken; of a refusal, its own */
	bool is_itl;	  /* of a refusal: the list that it is about */
	size_t node;	  /* … and its TFTP node */
	struct crowd_answer answer;
};

struct search_stage {
	size_t phase, rule_at; /* index of the phase, and of the stage in it */
	const struct stage_rule *rule;
	bool writes_ctl;	     /* else phones are offered the CTL that they hold */
	struct cluster_state state;  /* afterwards */
	struct stage_served *served; /* owned by the search */
	struct search_verdict verdict[CROWD_CLASSES];
	/* Phones of this class that lag would refuse the next stage: all must be there first. */
	bool gate[CROWD_CLASSES];
};

struct search {
	const struct cluster *c;
	const struct crowd_groups *groups;
	struct search_phase phases[SEARCH_PHASES_MAX]; /* in the order that was found */
	size_t nphases;
	struct search_stage stages[SEARCH_STAGES_MAX];
	size_t nstages;
	bool locked[CROWD_CLASSES];	  /* no order was found that spares the class */
	bool strays[CROWD_CLASSES];	  /* phones that the check before the plan must find */
	bool doubtful[CROWD_CLASSES];	  /* … as nobody says that they take every list */
	bool split;			  /* the publisher apart was tried too */
	const struct stage_served *given; /* what is served before */
	size_t orders, steps; /* orders that are covered, and phases that were judged for it */
	struct stage_served **owned;
	size_t nowned, owned_cap;
};

/*
 * Finds the order with the fewest classes locked out; then the fewest stages that
 * rest on TVS; then the fewest phases; then the vendor's order. ST_USAGE if
 * nothing is asked for, or the cluster does not show who signs. To be freed all the same.
 */
enum status search_run(struct search *s, const struct cluster *c, const struct crowd_groups *groups,
		       struct tlv_err *e);
/*
 * The same phases in an order of the caller's, without a search; for tests and
 * for questions about another order.
 */
enum status search_follow(struct search *s, const struct cluster *c,
			  const struct crowd_groups *groups, const struct search_phase *phases,
			  size_t n, struct tlv_err *e);
bool search_refused(const struct search *s);
void search_free(struct search *s);

#endif
