/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/forecast.h"

#include <stdio.h>
#include <string.h>

#include "tlv/safe.h"

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

enum status forecast_make(struct forecast *f, const struct cluster *c,
			  const struct crowd_groups *groups, int64_t now, struct tlv_err *e)
{
	enum status st;

	*f = (struct forecast){ .c = c };
	st = search_run(&f->search, c, groups, e);
	for (size_t i = 0; st == ST_OK && i < f->search.nphases; i++)
		st = plan_phase(f, i, now, e);
	note_remedies(f);
	return st;
}

bool forecast_refuses(const struct forecast *f, enum crowd_class p)
{
	return f->search.locked[p];
}

static bool checked_at_first(const struct forecast *f, const char *code)
{
	const struct plan_model *m = f->plans[0].model;

	for (size_t i = 0; i < m->nsteps; i++)
		if (m->steps[i].part == PLAN_PART_BEFORE && strcmp(m->steps[i].code, code) == 0)
			return true;
	return false;
}

/* The last phase, but one that writes the CTL has more ways back. */
static size_t phase_of_rollback(const struct forecast *f)
{
	for (size_t i = f->search.nphases; i > 0; i--)
		if (!f->plans[i - 1].model->itl)
			return i - 1;
	return f->search.nphases - 1;
}

bool forecast_has_step(const struct forecast *f, size_t phase, const struct plan_step *s)
{
	if (s->part == PLAN_PART_BEFORE)
		return phase == 0 ||
		       (strcmp(s->code, "check-old") != 0 && !checked_at_first(f, s->code));
	return s->part != PLAN_PART_ROLLBACK || phase == phase_of_rollback(f);
}

void forecast_put_node(struct buf *b, const struct forecast *f, size_t node)
{
	safe_text(b, f->c->nodes[node].name);
}

static size_t certs_in(const struct search_phase *x, const struct cluster *c, size_t *only)
{
	size_t n = 0;

	for (size_t i = 0; i < c->ncerts; i++)
		if (cluster_is_renewed(&x->renews, i)) {
			*only = i;
			n++;
		}
	return n;
}

void forecast_put_phase(struct buf *b, const struct forecast *f, size_t phase)
{
	static const char *const where[] = { "every node", "the publisher", "every other node" };
	const struct search_phase *x = &f->search.phases[phase];
	size_t only = 0, n = certs_in(x, f->c, &only);
	bool of_nodes = x->kind == PLAN_KIND_CALLMANAGER || x->kind == PLAN_KIND_TVS;

	buf_str(b, plan_kind_text(x->kind));
	if (!of_nodes)
		return;
	buf_str(b, " of ");
	if (n == 1 && f->c->certs[only].node != CLUSTER_NONE)
		forecast_put_node(b, f, f->c->certs[only].node);
	else
		buf_str(b, where[x->part]);
}

void forecast_put_summary(struct buf *b, const struct forecast *f)
{
	bool any = false;

	for (int p = 0; p < CROWD_CLASSES; p++) {
		if (!f->search.locked[p])
			continue;
		buf_str(b, any ? ", " : "REFUSED: no order spares ");
		buf_str(b, crowd_row((enum crowd_class)p)->text);
		any = true;
	}
	if (!any)
		buf_printf(b, "In %zu %s, no phone is locked out", f->search.nphases,
			   f->search.nphases == 1 ? "phase" : "phases");
}

void forecast_free(struct forecast *f)
{
	for (size_t i = 0; i < SEARCH_PHASES_MAX; i++)
		plan_free(&f->plans[i]);
	search_free(&f->search);
}
