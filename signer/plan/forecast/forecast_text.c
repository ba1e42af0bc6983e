/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "signer/plan/forecast/forecast.h"
#include "tlv/kind.h"

static void put_heading(struct buf *b, const char *text)
{
	buf_printf(b, "\n%s\n", text);
}

/* Puts what was collected, wrapped, and empties it. */
static void flush(struct buf *b, const char *first, struct buf *text)
{
	plan_put_wrapped(b, first, buf_span(text));
	b->failed = b->failed != ST_OK ? b->failed : text->failed;
	buf_free(text);
}

static void put_one_phase(struct buf *b, const struct forecast *f, size_t phase)
{
	buf_printf(b, "Phase %zu: ", phase + 1);
	forecast_put_phase(b, f, phase);
}

static const char restart[] = "utils service restart ";

/* The services that restart in the phase, each once. */
static void put_restarts(struct buf *b, const struct plan_model *m)
{
	bool any = false;

	for (size_t i = 0; i < m->nsteps; i++)
		for (size_t k = 0; k < m->steps[i].lines.n; k++) {
			struct span text = buf_span(&m->steps[i].lines.v[k].text);

			if (!span_starts(text, span_str(restart)) ||
			    strcmp(m->steps[i].code, "restart") != 0)
				continue;
			buf_str(b, any ? ", " : "restarts: ");
			buf_put(b, span_slice(text, sizeof restart - 1, text.n));
			any = true;
		}
}

static void put_timeline(struct buf *b, const struct forecast *f)
{
	put_heading(b, "Phases, and what is down");
	for (size_t i = 0; i < f->search.nphases; i++) {
		const struct plan_model *m = f->plans[i].model;
		struct buf text = BUF_INIT;
		char first[16];

		forecast_put_phase(&text, f, i);
		buf_str(&text, ". ");
		plan_put_resets(&text, m);
		buf_str(&text, " Node by node, it ");
		put_restarts(&text, m);
		buf_str(&text, ".");
		(void)snprintf(first, sizeof first, "%4zu. ", i + 1);
		flush(b, first, &text);
	}
}

static void put_refusals(struct buf *b, const struct forecast *f)
{
	for (size_t i = 0; i < f->search.nstages; i++) {
		const struct search_stage *x = &f->search.stages[i];

		for (int p = 0; p < CROWD_CLASSES; p++) {
			const struct search_verdict *v = &x->verdict[p];
			struct buf text = BUF_INIT;

			if (!v->refused || crowd_row((enum crowd_class)p)->gated)
				continue;
			buf_printf(&text, "Phase %zu, %s refuse the %s of ", x->phase + 1,
				   crowd_row((enum crowd_class)p)->text,
				   tlv_kind_text(v->is_itl ? TLV_LIST_ITL : TLV_LIST_CTL));
			forecast_put_node(&text, f, v->is_itl ? v->node : f->c->publisher);
			buf_str(&text, ": ");
			crowd_why(&v->answer, &text);
			flush(b, "  DANGER: ", &text);
		}
	}
	for (size_t i = 0; i < f->nremedies; i++) {
		struct buf text = BUF_INIT;
		unsigned fact = f->remedies[i].fact;

		buf_str(&text, f->remedies[i].text);
		plan_put_sources(&text, &fact, 1);
		flush(b, "  what helps: ", &text);
	}
}

static void put_bound(struct buf *b, const struct forecast *f)
{
	struct buf text = BUF_INIT;

	buf_printf(
		&text,
		"Each phase renews one type of certificate%s. All %zu orders were compared, in %zu steps of the model, and the order below was gone through once more.",
		f->search.split ? ", on all nodes or on the publisher apart" : ", on all nodes",
		f->search.orders, f->search.steps);
	flush(b, "  ", &text);
}

static void put_verdict(struct buf *b, const struct forecast *f)
{
	struct buf text = BUF_INIT;

	put_heading(b, "Verdict");
	forecast_put_summary(&text, f);
	buf_str(&text, ".");
	flush(b, "  ", &text);
	put_bound(b, f);
	put_refusals(b, f);
}

static bool is_gate(const struct search_stage *x)
{
	for (int p = 0; p < CROWD_CLASSES; p++)
		if (x->gate[p])
			return true;
	return false;
}

/* Between two phases. */
static void put_gate(struct buf *b, const struct forecast *f, size_t phase)
{
	bool gate = false;

	for (size_t i = 0; i < f->search.nstages; i++)
		if (f->search.stages[i].phase == phase)
			gate = is_gate(&f->search.stages[i]);
	if (gate)
		plan_put_wrapped(
			b, "      WARNING: ",
			SPAN_LIT(
				"Continue only when every phone has registered and shows the checksum that CUCM printed. A phone that misses this phase will refuse a later list."));
	else
		plan_put_wrapped(
			b, "      - ",
			SPAN_LIT(
				"Wait until all phones have registered. A phone that misses this phase alone takes the next lists too."));
}

static void put_part(struct buf *b, const struct forecast *f, size_t phase, enum plan_part part,
		     size_t *number)
{
	const struct plan_model *m = f->plans[phase].model;

	for (size_t i = 0; i < m->nsteps; i++)
		if (m->steps[i].part == part && forecast_has_step(f, phase, &m->steps[i]))
			plan_put_step(b, &m->steps[i], number);
}

/* What all phases have in common stands once: the first one's preflight, the last one's rollback. */
static void put_steps(struct buf *b, const struct forecast *f)
{
	size_t number = 0, last = f->search.nphases - 1;
	bool strays = f->search.strays[CROWD_CTL_ONLY];

	put_heading(b, plan_part_heading(PLAN_PART_BEFORE));
	put_part(b, f, 0, PLAN_PART_BEFORE, &number);
	if (strays)
		plan_put_wrapped(
			b, "      WARNING: ",
			SPAN_LIT(
				"Check that each phone with Security by Default shows an ITL too: with a CTL alone it refuses a later list."));
	for (size_t i = 0; i <= last; i++) {
		struct buf text = BUF_INIT;

		buf_str(&text, "\n");
		put_one_phase(&text, f, i);
		buf_str(&text, "\n");
		buf_put(b, buf_span(&text));
		buf_free(&text);
		if (i > 0)
			put_part(b, f, i, PLAN_PART_BEFORE, &number);
		put_part(b, f, i, PLAN_PART_STEPS, &number);
		put_part(b, f, i, PLAN_PART_CHECKS, &number);
		if (i < last)
			put_gate(b, f, i);
	}
	put_heading(b, plan_part_heading(PLAN_PART_ROLLBACK));
	for (size_t i = 0; i <= last; i++)
		put_part(b, f, i, PLAN_PART_ROLLBACK, &number);
}

static void put_stage(struct buf *b, const struct search_stage *x)
{
	for (int p = 0; p < CROWD_CLASSES; p++) {
		const struct search_verdict *v = &x->verdict[p];
		struct buf text = BUF_INIT;

		if (!v->exists || crowd_row((enum crowd_class)p)->gated)
			continue;
		buf_printf(&text, "Phase %zu, list %zu, %s: %s: %s", x->phase + 1, x->rule_at + 1,
			   crowd_row((enum crowd_class)p)->text,
			   v->refused ? "refused" : "accepted",
			   v->answer.offered ? accept_row(v->answer.a.reason)->word :
					       "no list of theirs is written");
		if (v->by_tvs && !v->refused && v->answer.a.reason != ACCEPT_TVS)
			buf_str(&text, ", and another list by tvs");
		if ((v->assumptions >> TVS_ASSUMES_TFTP & 1U) != 0)
			buf_printf(&text, " (assumes that %s)",
				   accept_assumption(TVS_ASSUMES_TFTP)->text);
		fact_put_sources(&text, x->rule->fact);
		flush(b, "  - ", &text);
	}
}

static void put_assumptions(struct buf *b, const struct forecast *f)
{
	for (size_t i = 0; i < f->c->nnodes; i++) {
		struct buf text = BUF_INIT;

		if (!f->c->nodes[i].tftp || f->c->nodes[i].itl != NULL)
			continue;
		buf_str(&text, "The ITL of ");
		forecast_put_node(&text, f, i);
		buf_str(&text, " was not given: it is taken to be like that of another node.");
		flush(b, "  assumed: ", &text);
	}
	if (f->search.groups->n == 0)
		plan_put_wrapped(
			b, "  assumed: ",
			SPAN_LIT(
				"The CallManager groups are not known: a phone's group may have any one node alone."));
	plan_put_wrapped(
		b, "  assumed: ",
		SPAN_LIT(
			"Each phone holds the present lists, and takes the lists of a phase before the next one begins."));
}

void forecast_text(const struct forecast *f, struct buf *out)
{
	buf_str(out, "Plan: renew ");
	for (size_t i = 0; i < f->search.nphases; i++) {
		buf_str(out, i > 0 ? ", then " : "");
		forecast_put_phase(out, f, i);
	}
	buf_printf(out, ", in CUCM %s\n", f->c->release->name);
	put_verdict(out, f);
	put_timeline(out, f);
	put_steps(out, f);
	put_heading(out, "Why: what phones do");
	for (size_t i = 0; i < f->search.nstages; i++)
		put_stage(out, &f->search.stages[i]);
	put_assumptions(out, f);
	buf_str(out, "\n");
	forecast_put_summary(out, f);
	buf_str(out, "\n");
}
