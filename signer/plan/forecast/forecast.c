/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/forecast.h"

#include <stdio.h>

static size_t last_stage(const struct search *s, size_t phase)
{
	size_t last = 0;

	for (size_t i = 0; i < s->nstages; i++)
		if (s->stages[i].phase == phase)
			last = i;
	return last;
}

/* What phones hold before the phase. */
static const struct stage_served *before(const struct search *s, size_t phase)
{
	return phase == 0 ? s->given : s->stages[last_stage(s, phase - 1)].served;
}

/*
 * The node whose ITL stands for all, as the procedures are the same on every node: the publisher,
 * but one whose ITL shows what is renewed, if anything is.
 */
static size_t some_node(const struct cluster *c, const struct stage_served *x,
			const struct cluster_state *renews)
{
	size_t some = 0;

	if (stage_shows(c, x->itl[c->publisher].list, renews))
		return c->publisher;
	for (size_t i = c->nnodes; i > 0; i--)
		if (stage_shows(c, x->itl[i - 1].list, renews))
			return i - 1;
		else if (x->itl[i - 1].list != NULL)
			some = i - 1;
	return x->itl[c->publisher].list != NULL ? c->publisher : some;
}

/* Steps are about certificates, which a blank ITL does not show: they come from full ones. */
static enum status write_full(struct stage_list *out, const struct cluster *c,
			      const struct cluster_state *at, size_t node, uint32_t time,
			      struct tlv_err *e)
{
	struct cluster_state full = *at;

	full.blank = false;
	return stage_write_itl(out, c, &full, node, STAGE_ORDINARY, time, e);
}

static enum status choose_lists(struct forecast *f, size_t phase, struct plan_input *in,
				struct tlv_err *e)
{
	const struct search_stage *last = &f->search.stages[last_stage(&f->search, phase)];
	const struct cluster_state *renews = &f->search.phases[phase].renews;
	const struct stage_served *had = before(&f->search, phase);
	bool ctl = last->writes_ctl && stage_shows(f->c, had->ctl.list, renews);
	size_t node = some_node(f->c, had, renews);
	const struct stage_list *old = ctl ? &had->ctl : &had->itl[node];
	const struct stage_list *new = ctl ? &last->served->ctl : &last->served->itl[node];
	enum status st = ST_OK;

	if (last->state.blank && f->search.phases[phase].act == SEARCH_RENEW) {
		const struct search_stage *first = last - last->rule_at;

		node = some_node(f->c, f->search.given, renews); /* blank ones show nothing */
		st = write_full(&f->full[phase][0], f->c, &first[-1].state, node, (uint32_t)phase,
				e);
		if (st == ST_OK)
			st = write_full(&f->full[phase][1], f->c, &last->state, node,
					(uint32_t)phase + 1, e);
		old = &f->full[phase][0];
		new = &f->full[phase][1];
	}
	in->old_list = old->list;
	in->new_list = new->list;
	in->new_key = new->key;
	in->new_name = ctl ? "the new CTL" : "the new ITL";
	return st;
}

/* Every node whose certificate the phase renews, as the list of one node names one alone. */
static void note_renewed(struct forecast *f, size_t phase)
{
	const struct search_phase *x = &f->search.phases[phase];

	for (size_t i = 0; i < f->c->ncerts; i++) {
		const struct cluster_cert *cert = &f->c->certs[i];
		struct buf label = BUF_INIT;

		if (!cluster_is_renewed(&x->renews, i) || cert->node == CLUSTER_NONE)
			continue;
		forecast_put_label(&label, f, cert->node);
		plan_label(&f->renewed[phase], &label);
		buf_free(&label);
	}
}

/* A class that refuses any list of the phase. */
static void note_refusals(const struct forecast *f, size_t phase, struct plan_input *in)
{
	for (size_t i = 0; i < f->search.nstages; i++)
		for (int p = 0; f->search.stages[i].phase == phase && p < CROWD_CLASSES; p++) {
			const struct crowd_row *row = crowd_row((enum crowd_class)p);

			if (f->search.stages[i].verdict[p].refused && !row->gated)
				in->foreseen_refuses[row->sbd ? LOCKOUT_SBD : LOCKOUT_NO_SBD] =
					true;
		}
}

static enum plan_mode mode_of(const struct cluster *c)
{
	if (!c->mixed)
		return PLAN_MODE_NOT_MIXED;
	return c->tokens ? PLAN_MODE_TOKENS : PLAN_MODE_TOKENLESS;
}

static enum status plan_phase(struct forecast *f, size_t phase, int64_t now, struct tlv_err *e)
{
	static const enum plan_parameter parameters[] = { [SEARCH_RENEW] = PLAN_PARAMETER_KEPT,
							  [SEARCH_BLANK] = PLAN_PARAMETER_SET,
							  [SEARCH_RESTORE] = PLAN_PARAMETER_UNSET };
	struct plan_input in = { .release = f->c->release,
				 .now = now,
				 .foreseen = true,
				 .mode = mode_of(f->c),
				 .parameter = parameters[f->search.phases[phase].act] };
	enum status st = choose_lists(f, phase, &in, e);
	const char *kind;

	if (st != ST_OK)
		return st;
	kind = tlv_list_kind_text(in.new_list);
	if (phase == 0)
		(void)snprintf(f->names[0], sizeof f->names[0], "the present %s", kind);
	else
		(void)snprintf(f->names[phase], sizeof f->names[phase], "the %s of phase %zu", kind,
			       phase);
	in.old_name = f->names[phase];
	in.renewed = &f->renewed[phase];
	note_renewed(f, phase);
	note_refusals(f, phase, &in);
	return plan_make(&f->plans[phase], &in, e);
}

enum { LINES = 6 + 3 * SEARCH_PHASES_MAX };

static void all_lines(struct forecast *f, struct plan_lines *out[LINES])
{
	struct plan_lines *const single[] = { &f->dangers, &f->helps,	&f->strays,
					      &f->why,	   &f->assumed, &f->doubts };
	size_t n = 0;

	for (size_t i = 0; i < COUNT(single); i++)
		out[n++] = single[i];
	for (size_t i = 0; i < SEARCH_PHASES_MAX; i++) {
		out[n++] = &f->restarts[i];
		out[n++] = &f->gates[i];
		out[n++] = &f->renewed[i];
	}
}

/* A text that memory cut is not shown as if it were whole. */
static bool lines_failed(struct forecast *f)
{
	struct plan_lines *lines[LINES];

	all_lines(f, lines);
	for (size_t i = 0; i < COUNT(lines); i++)
		if (plan_lines_failed(lines[i]))
			return true;
	return false;
}

enum status forecast_make(struct forecast *f, const struct cluster *c,
			  const struct crowd_groups *groups, int64_t now, struct tlv_err *e)
{
	enum status st;

	*f = (struct forecast){ .c = c, .now = now };
	st = search_run(&f->search, c, groups, e);
	for (size_t i = 0; st == ST_OK && i < f->search.nphases; i++)
		st = plan_phase(f, i, now, e);
	if (st == ST_OK && search_refused(&f->search))
		st = remedy_find(&f->remedy, &f->search, e);
	if (st != ST_OK)
		return st;
	forecast_say(f);
	return lines_failed(f) ? err_nomem(e) : ST_OK;
}

void forecast_free(struct forecast *f)
{
	struct plan_lines *lines[LINES];

	all_lines(f, lines);
	for (size_t i = 0; i < COUNT(lines); i++)
		plan_lines_free(lines[i]);
	for (size_t i = 0; i < SEARCH_PHASES_MAX; i++) {
		plan_free(&f->plans[i]);
		stage_list_free(&f->full[i][0]);
		stage_list_free(&f->full[i][1]);
	}
	search_free(&f->search);
}
