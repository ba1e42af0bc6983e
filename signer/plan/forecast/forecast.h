/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plan before anything exists: certificates are to be renewed, and no new list
 * is there yet. The order comes from the search, the steps from the vendor's procedures.
 */
#ifndef CTL_FORECAST_H
#define CTL_FORECAST_H

#include <jansson.h>

#include "signer/plan/forecast/remedy.h"
#include "signer/plan/forecast/search.h"
#include "signer/plan/plan.h"

enum { FORECAST_NAMED_MAX = 64 };

struct forecast {
	struct search search;
	const struct cluster *c;
	int64_t now;				      /* seconds since 1970 UTC */
	struct plan plans[SEARCH_PHASES_MAX];	      /* of each phase: its steps */
	char names[SEARCH_PHASES_MAX + 1][32];	      /* of the lists, in the steps */
	struct stage_list full[SEARCH_PHASES_MAX][2]; /* what blank ITLs would be, for the steps */
	struct remedy remedy;			      /* of a plan that locks phones out */
	/* What text, JSON and page say beside the steps, each line once. */
	struct plan_lines dangers; /* who refuses what, and why */
	struct plan_lines helps;   /* what spares them */
	struct plan_lines strays;  /* whom the check before the plan has to find */
	struct plan_lines restarts[SEARCH_PHASES_MAX]; /* services, each once */
	struct plan_lines gates[SEARCH_PHASES_MAX];    /* what to wait for behind the phase */
	struct plan_lines renewed[SEARCH_PHASES_MAX];  /* nodes */
	struct plan_lines why;			       /* what each class does with each list */
	struct plan_lines assumed;
	struct plan_lines doubts;	    /* what is assumed, and might turn the verdict round */
	unsigned named[FORECAST_NAMED_MAX]; /* facts that the lines name in their midst */
	size_t nnamed;
};

/*
 * Finds the order and writes its steps. The cluster, what is asked of it and the groups
 * are borrowed. now: seconds since 1970 UTC. Errors are those of search_run(). To be
 * freed all the same.
 */
enum status forecast_make(struct forecast *f, const struct cluster *c,
			  const struct crowd_groups *groups, int64_t now, struct tlv_err *e);
/* Whether phones of a class are locked out in every order. */
bool forecast_refuses(const struct forecast *f, enum crowd_class p);
/* "CallManager certificate of the publisher", "TVS certificate of every node". */
void forecast_put_phase(struct buf *b, const struct forecast *f, size_t phase);
/*
 * Whether a step of the phase's own plan stands in the whole one: what all phases check before
 * stands once, and there is one rollback.
 */
bool forecast_has_step(const struct forecast *f, size_t phase, const struct plan_step *s);
/* Fills the lines; forecast_make() does it last. */
void forecast_say(struct forecast *f);
/* "renew CAPF certificate, then TVS certificate of every node, in CUCM 15" */
void forecast_put_title(struct buf *b, const struct forecast *f);
/* What was compared to find the order. */
void forecast_put_bound(struct buf *b, const struct forecast *f);
/* "All phones are reset once. Node by node, it restarts: Cisco Tftp. …": what is down, for whom. */
void forecast_put_down(struct buf *b, const struct forecast *f, size_t phase);
/* What users feel while the phase lasts, and the fact behind it. */
const char *forecast_hits(const struct forecast *f, size_t phase, unsigned *fact);
/* The tags of all that the plan says; returns how many. */
size_t forecast_sources(const struct forecast *f, struct span tags[PLAN_SOURCES_MAX]);
/* One sentence: whether phones are locked out, and which. */
void forecast_put_summary(struct buf *b, const struct forecast *f);
/* Appends the node's name, escaped for a terminal. */
void forecast_put_node(struct buf *b, const struct forecast *f, size_t node);
/* "sub1 (10.0.0.2)" */
void forecast_put_label(struct buf *b, const struct forecast *f, size_t node);
/* The plan as text, escaped for a terminal; out's own failure says that memory ended. */
void forecast_text(const struct forecast *f, struct buf *out);
/* Appends a page that needs nothing but itself, every value escaped, in the order of the text. */
enum status forecast_html(const struct forecast *f, struct buf *out, struct tlv_err *e);
/* NULL if memory ends. */
json_t *forecast_json(const struct forecast *f);
void forecast_free(struct forecast *f);

#endif
