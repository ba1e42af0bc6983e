/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/rehearse.h"

#include <stdlib.h>

/* The state behind a phase. */
static struct cluster_state changed(const struct cluster_state *before,
				    const struct search_phase *phase)
{
	struct cluster_state s = *before;

	for (size_t i = 0; i < COUNT(s.renewed); i++)
		s.renewed[i] |= phase->renews.renewed[i];
	if (phase->act != SEARCH_RENEW)
		s.blank = phase->act == SEARCH_BLANK;
	return s;
}

struct stage_served *rehearse_served(struct search *s, struct tlv_err *e)
{
	struct stage_served *x = calloc(1, sizeof *x);

	if (x == NULL || !ARRAY_ROOM(s->owned, s->nowned, s->owned_cap)) {
		free(x);
		(void)err_nomem(e);
		return NULL;
	}
	s->owned[s->nowned++] = x;
	return x;
}

/* The same list, which another stage owns. */
static struct stage_list borrowed(const struct stage_list *l)
{
	return (struct stage_list){ .list = l->list, .key = l->key, .signer = l->signer };
}

/* 'reset localkey' signs the ITL that is there: the new certificate is not in it. */
static enum status serve_itl(struct search *s, struct stage_served *out, const struct scene *before,
			     const struct stage_rule *rule, const struct cluster_state *after,
			     size_t node, struct tlv_err *e)
{
	const struct cluster_state *content =
		rule->itl == STAGE_CALLMANAGER ? &before->state : after;

	if (rule->itl != STAGE_KEPT)
		return stage_write_itl(&out->itl[node], s->c, content, node, rule->itl,
				       before->time + 1, e);
	out->itl[node] = borrowed(&before->served->itl[node]);
	return ST_OK;
}

static enum status serve(struct search *s, struct search_stage *stage, const struct scene *before,
			 struct tlv_err *e)
{
	const struct stage_rule *rule = stage->rule;
	const struct cluster_state *after = &stage->state;
	struct stage_served *x = rehearse_served(s, e);
	enum status st = ST_OK;

	stage->served = x;
	if (x == NULL)
		return ST_NOMEM;
	if (stage->writes_ctl)
		st = stage_write_ctl(&x->ctl, s->c, after, rule->ctl, before->time + 1, e);
	else
		x->ctl = borrowed(&before->served->ctl);
	for (size_t i = 0; st == ST_OK && i < s->c->nnodes; i++)
		if (before->nodes[i])
			st = serve_itl(s, x, before, rule, after, i, e);
	return st;
}

/* What the model does not know itself, as it knows the TVS of each node and what they hold. */
static const unsigned UNKNOWN = 1U << TVS_ASSUMES_TFTP;

/* A refusal counts more than TVS, whatever node it is at. */
static void note_answers(struct search_verdict *v, const struct crowd_answers *a, size_t node)
{
	const struct crowd_answer *both[] = { &a->ctl, &a->itl };

	for (size_t i = 0; i < COUNT(both); i++) {
		const struct crowd_answer *x = both[i];

		if (!x->offered || v->refused)
			continue;
		v->reasons = (x->accepted ? v->reasons : 0U) | 1U << crowd_reason(x);
		v->by_tvs |= x->accepted && x->by_tvs;
		v->assumptions |= x->accepted ? x->a.assumptions & UNKNOWN : 0U;
		if (x->accepted && v->answer.offered)
			continue;
		v->refused = !x->accepted;
		v->is_itl = i == 1;
		v->node = node;
		v->answer = *x;
	}
}

/* Phones of a class, before and after what comes. */
struct change {
	const bool *nodes;
	const struct stage_served *held, *now;
	const struct cluster_state *tvs; /* what TVS presents */
	bool first; /* held is what was given: a class may not have all of it */
};

/* A list that a phone refuses today already is not the plan's fault. */
static bool takes_present(const struct search *s, enum crowd_class p, const struct change *x,
			  size_t node)
{
	const struct cluster_state today = { .renewed = { 0 } };
	struct crowd_question q = { .c = s->c, .groups = s->groups, .tvs = &today };
	struct crowd_answers a;

	q.holds_ctl = x->held->ctl.list;
	q.itl = &x->held->itl[node];
	crowd_ask(&a, p, &q);
	return !a.itl.offered || a.itl.accepted;
}

static struct search_verdict ask_class(const struct search *s, enum crowd_class p,
				       const struct change *x)
{
	struct search_verdict v = { .exists = crowd_exists(s->c, p) };
	const struct crowd_row *row = crowd_row(p);
	bool lacks_itl = x->first && !row->itl;

	for (size_t i = 0; v.exists && i < s->c->nnodes; i++) {
		struct crowd_question q = { .c = s->c, .groups = s->groups, .tvs = x->tvs };
		struct crowd_answers a;

		if (!x->nodes[i] || (lacks_itl && !takes_present(s, p, x, i)))
			continue;
		q.holds_ctl = x->held->ctl.list;
		q.holds_itl = lacks_itl || !row->sbd ? NULL : x->held->itl[i].list;
		q.ctl = &x->now->ctl;
		q.itl = &x->now->itl[i];
		crowd_ask(&a, p, &q);
		note_answers(&v, &a, i);
	}
	return v;
}

static void judge_stage(const struct search *s, struct search_stage *x, const struct scene *before,
			bool first)
{
	const struct change change = { .nodes = before->nodes,
				       .held = before->served,
				       .now = x->served,
				       .tvs = &x->state,
				       .first = first };

	for (int p = 0; p < CROWD_CLASSES; p++)
		x->verdict[p] = ask_class(s, (enum crowd_class)p, &change);
}

enum status rehearse_phase(struct search *s, struct scene *scene, const struct search_phase *phase,
			   bool first, struct search_stage stages[STAGES_MAX], size_t *n,
			   struct tlv_err *e)
{
	const struct stage_rule *rules[STAGES_MAX];
	struct cluster_state after = changed(&scene->state, phase);
	enum status st = ST_OK;

	*n = stage_rules(s->c, phase->kind, rules);
	for (size_t i = 0; st == ST_OK && i < *n; i++) {
		stages[i] = (struct search_stage){ .rule_at = i, .rule = rules[i], .state = after };
		stages[i].writes_ctl = s->c->mixed && rules[i]->ctl != STAGE_KEPT &&
				       stage_has_kind(s->c, s->c->ctl, phase->kind);
		st = serve(s, &stages[i], scene, e);
		if (st != ST_OK)
			return st;
		judge_stage(s, &stages[i], scene, first && i == 0);
		scene->served = stages[i].served;
		scene->time++;
	}
	scene->state = after;
	return st;
}
