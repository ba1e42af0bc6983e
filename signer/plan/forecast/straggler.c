/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/straggler.h"

/* What is served at a moment: 0 before the plan, n behind stage n - 1. */
static const struct stage_served *at(const struct search *s, size_t moment)
{
	return moment == 0 ? s->given : s->stages[moment - 1].served;
}

/* Where a phone stands, and what it is offered next. */
struct lag {
	size_t ctl, itl;   /* moments whose lists it holds */
	size_t node, next; /* whose ITL it holds, and whose it is offered */
	size_t moment;	   /* of the offer */
};

/* A phone that lags must not depend on what nobody says. */
static bool is_unsure(const struct crowd_answer *a)
{
	return a->offered && (!a->accepted || a->a.reason == ACCEPT_SIGNER_IS_TFTP);
}

static bool refuses(const struct search *s, enum crowd_class p, const struct lag *x)
{
	const struct crowd_row *row = crowd_row(p);
	const struct stage_served *now = at(s, x->moment);
	struct crowd_question q = { .c = s->c,
				    .groups = s->groups,
				    .tvs = &s->stages[x->moment - 1].state,
				    .ctl = &now->ctl,
				    .itl = &now->itl[x->next] };
	struct crowd_answers a;

	q.holds_ctl = row->ctl ? at(s, x->ctl)->ctl.list : NULL;
	q.holds_itl = row->sbd ? at(s, x->itl)->itl[x->node].list : NULL;
	crowd_ask(&a, p, &q);
	return is_unsure(&a.ctl) || is_unsure(&a.itl);
}

/* A phone of this node was off since then, and meets this node or, if so, any other one. */
static bool absent_refuses(const struct search *s, enum crowd_class p, struct lag *x,
			   const bool *nodes, bool elsewhere)
{
	for (x->next = 0; x->next < s->c->nnodes; x->next++)
		if (nodes[x->next] && (elsewhere || x->next == x->node) && refuses(s, p, x))
			return true;
	return false;
}

/*
 * Phones that were off, or whose node was down, so that they loaded from another one (214231 has
 * this done on purpose). since: when each had the lists of its own node.
 */
static bool absent_phones(const struct search *s, enum crowd_class p, size_t since, size_t moment,
			  const bool *nodes)
{
	struct lag x = { .moment = moment + 1 };

	for (x.node = 0; x.node < s->c->nnodes; x.node++)
		for (size_t then = since; nodes[x.node] && then <= moment; then++) {
			x.ctl = x.itl = then;
			if (absent_refuses(s, p, &x, nodes, crowd_row(p)->sbd && then > since))
				return true;
		}
	return false;
}

/* Phones whose node wrote no ITL since then, as nobody restarted TFTP there. */
static bool stale_phones(const struct search *s, enum crowd_class p, size_t since, size_t moment,
			 const bool *nodes)
{
	struct lag x = { .ctl = moment, .moment = moment + 1 };

	for (x.node = 0; crowd_row(p)->sbd && x.node < s->c->nnodes; x.node++)
		for (x.itl = since; nodes[x.node] && x.itl < moment; x.itl++) {
			x.next = x.node;
			if (refuses(s, p, &x))
				return true;
		}
	return false;
}

/* A restart of TFTP is seen only if it writes the ITL anew. 0: none was seen up to this moment. */
static size_t last_written(const struct search *s, size_t moment)
{
	while (moment > 0 && s->stages[moment - 1].rule->itl != STAGE_ORDINARY)
		moment--;
	return moment;
}

/* Whom a stage locks out anyway no gate in front of it spares. */
static bool is_spared(const struct search *s, enum crowd_class p, size_t moment)
{
	return crowd_exists(s->c, p) && !crowd_row(p)->gated &&
	       !s->stages[moment].verdict[p].refused;
}

void straggler_note_gates(struct search *s, const bool *nodes)
{
	size_t absent = 0, stale = 0; /* since when phones may lag */

	for (size_t moment = 1; moment < s->nstages; moment++) {
		size_t written = last_written(s, moment);
		bool now = false, then = false;

		for (int i = 0; i < CROWD_CLASSES; i++) {
			enum crowd_class p = (enum crowd_class)i;

			if (!is_spared(s, p, moment))
				continue;
			if (absent_phones(s, p, absent, moment, nodes))
				now = s->stages[moment - 1].gate[p] = true;
			if (written > stale && stale_phones(s, p, stale, moment, nodes))
				then = s->stages[written - 1].gate[p] = true;
		}
		if (now)
			absent = moment;
		if (then)
			stale = written;
	}
}
