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

/* The publisher's ITL stands for all: the procedures are the same on every node. */
static const struct stage_list *some_itl(const struct cluster *c, const struct stage_served *x)
{
	if (x->itl[c->publisher].list != NULL)
		return &x->itl[c->publisher];
	for (size_t i = 0; i < c->nnodes; i++)
		if (x->itl[i].list != NULL)
			return &x->itl[i];
	return &x->itl[0];
}

static enum status plan_phase(struct forecast *f, size_t phase, int64_t now, struct tlv_err *e)
{
	const struct search_stage *last = &f->search.stages[last_stage(&f->search, phase)];
	bool ctl = f->c->mixed && last->rule->ctl != STAGE_KEPT;
	const struct stage_served *had = before(&f->search, phase);
	const struct stage_list *old = ctl ? &had->ctl : some_itl(f->c, had);
	const struct stage_list *new = ctl ? &last->served->ctl : some_itl(f->c, last->served);
	const char *kind = tlv_list_kind_text(new->list);
	struct plan_input in = { .old_list = old->list,
				 .new_list = new->list,
				 .new_key = new->key,
				 .release = f->c->release,
				 .now = now,
				 .foreseen = true };

	if (phase == 0)
		(void)snprintf(f->names[0], sizeof f->names[0], "the present %s", kind);
	else
		(void)snprintf(f->names[phase], sizeof f->names[phase], "the %s of phase %zu", kind,
			       phase);
	in.old_name = f->names[phase];
	in.new_name = ctl ? "the new CTL" : "the new ITL";
	return plan_make(&f->plans[phase], &in, e);
}

static void note_remedies(struct forecast *f)
{
	f->nremedies = 0;
	for (size_t i = 0; search_refused(&f->search) && f->nremedies < FORECAST_REMEDIES_MAX;
	     i++) {
		struct forecast_remedy *x = &f->remedies[f->nremedies];

		if (!stage_remedy(f->c, i, &x->text, &x->fact))
			return;
		f->nremedies += x->text != NULL;
	}
}

enum { LINES = 5 + 2 * SEARCH_PHASES_MAX };

static void all_lines(struct forecast *f, struct plan_lines *out[LINES])
{
	struct plan_lines *const single[] = { &f->dangers, &f->helps, &f->strays, &f->why,
					      &f->assumed };
	size_t n = 0;

	for (size_t i = 0; i < COUNT(single); i++)
		out[n++] = single[i];
	for (size_t i = 0; i < SEARCH_PHASES_MAX; i++) {
		out[n++] = &f->restarts[i];
		out[n++] = &f->gates[i];
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
	if (st != ST_OK)
		return st;
	note_remedies(f);
	forecast_say(f);
	return lines_failed(f) ? err_nomem(e) : ST_OK;
}

void forecast_free(struct forecast *f)
{
	struct plan_lines *lines[LINES];

	all_lines(f, lines);
	for (size_t i = 0; i < COUNT(lines); i++)
		plan_lines_free(lines[i]);
	for (size_t i = 0; i < SEARCH_PHASES_MAX; i++)
		plan_free(&f->plans[i]);
	search_free(&f->search);
}
