/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/plan.h"

#include <stdlib.h>

#include "signer/plan/plan_model.h"

/* A text that memory cut is not shown as if it were whole. */
static bool ran_out(const struct plan_model *m)
{
	bool bad = m->failed || plan_lines_failed(&m->warnings) ||
		   plan_lines_failed(&m->assumptions) || plan_lines_failed(&m->asked);

	for (size_t k = 0; k < PLAN_KINDS; k++)
		for (size_t v = 0; v < PLAN_EVENTS; v++)
			bad = bad || plan_lines_failed(&m->events[k][v]);
	for (size_t i = 0; i < m->nsteps; i++)
		bad = bad || m->steps[i].title.failed != ST_OK ||
		      plan_lines_failed(&m->steps[i].lines);
	return bad;
}

static enum status check_kinds(const struct plan_input *in, struct tlv_err *e)
{
	bool itl = tlv_list_is_itl(in->old_list);

	if (itl == tlv_list_is_itl(in->new_list))
		return ST_OK;
	return err_set(
		e, ST_USAGE,
		"the old list is %s and the new one %s: a plan goes from one to another of its kind",
		itl ? "an ITL" : "a CTL", itl ? "a CTL" : "an ITL");
}

enum status plan_changes(const struct plan_model *m, diff_line_fn *line, void *arg,
			 struct tlv_err *e)
{
	return diff_print(&m->diff, line, arg, e);
}

enum status plan_make(struct plan *out, const struct plan_input *in, struct tlv_err *e)
{
	struct plan_model *m = calloc(1, sizeof *m);
	enum status st;

	out->model = m;
	if (m == NULL)
		return err_nomem(e);
	m->in = *in;
	m->itl = tlv_list_is_itl(in->new_list);
	st = check_kinds(in, e);
	if (st == ST_OK)
		st = plan_note_facts(m, e);
	if (st == ST_OK)
		st = diff_lists(&m->diff, m->in.old_list, m->in.new_list, e);
	if (st != ST_OK)
		return st;
	plan_note_records(m);
	plan_note_events(m);
	plan_note_anchors(m);
	plan_note_verdicts(m);
	st = plan_note_warnings(m, e);
	plan_note_steps(m);
	return st == ST_OK && ran_out(m) ? err_nomem(e) : st;
}

bool plan_refuses(const struct plan *p, enum lockout_class phones)
{
	return p->model->refuses[phones];
}

bool plan_refused(const struct plan *p)
{
	return plan_refuses(p, LOCKOUT_SBD) || plan_refuses(p, LOCKOUT_NO_SBD);
}

bool plan_hangs_on_tvs(const struct plan *p)
{
	for (size_t i = 0; i < p->model->nverdicts; i++)
		if (p->model->verdicts[i].offered == PLAN_NEW &&
		    p->model->verdicts[i].a.hangs_on_tvs)
			return true;
	return false;
}

static void steps_free(struct plan_model *m)
{
	for (size_t i = 0; i < m->nsteps; i++) {
		buf_free(&m->steps[i].title);
		plan_lines_free(&m->steps[i].lines);
	}
	free(m->steps);
	buf_free(&m->spill.title);
	plan_lines_free(&m->spill.lines);
}

void plan_free(struct plan *p)
{
	struct plan_model *m = p->model;

	if (m == NULL)
		return;
	for (size_t i = 0; i < PLAN_LISTS; i++) {
		buf_free(&m->facts[i].name);
		buf_free(&m->facts[i].signer);
	}
	for (size_t k = 0; k < PLAN_KINDS; k++)
		for (size_t v = 0; v < PLAN_EVENTS; v++)
			plan_lines_free(&m->events[k][v]);
	for (size_t i = 0; i < m->nanchors; i++)
		buf_free(&m->anchors[i].name);
	free(m->anchors);
	tlv_certs_free(&m->new_servers);
	tlv_certs_free(&m->old_anchors);
	steps_free(m);
	plan_lines_free(&m->warnings);
	plan_lines_free(&m->assumptions);
	plan_lines_free(&m->asked);
	diff_free(&m->diff);
	free(m);
	p->model = NULL;
}
