/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "signer/plan/forecast/forecast.h"

static void put_heading(struct buf *b, const char *text)
{
	buf_printf(b, "\n%s\n", text);
}

static void put_lines(struct buf *b, const char *first, const struct plan_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		plan_put_line(b, first, &l->v[i], NULL);
}

static void put_timeline(struct buf *b, const struct forecast *f)
{
	put_heading(b, "Phases, and what is down");
	for (size_t i = 0; i < f->search.nphases; i++) {
		struct buf text = BUF_INIT;
		char first[16];

		forecast_put_phase(&text, f, i);
		buf_str(&text, ". ");
		forecast_put_down(&text, f, i);
		(void)snprintf(first, sizeof first, "%4zu. ", i + 1);
		plan_flush(b, first, &text);
	}
}

static void put_verdict(struct buf *b, const struct forecast *f)
{
	struct buf text = BUF_INIT, bound = BUF_INIT;

	put_heading(b, "Verdict");
	forecast_put_summary(&text, f);
	buf_str(&text, ".");
	plan_flush(b, "  ", &text);
	forecast_put_bound(&bound, f);
	plan_flush(b, "  ", &bound);
	put_lines(b, "  assumed: ", &f->doubts);
	put_lines(b, "  DANGER: ", &f->dangers);
	put_lines(b, "  what helps: ", &f->helps);
}

static void put_part(struct buf *b, const struct forecast *f, size_t phase, enum plan_part part,
		     size_t *number)
{
	const struct plan_model *m = f->plans[phase].model;

	for (size_t i = 0; i < m->nsteps; i++)
		if (m->steps[i].part == part && forecast_has_step(f, phase, &m->steps[i]))
			plan_put_step(b, &m->steps[i], number);
}

static void put_phase(struct buf *b, const struct forecast *f, size_t phase, size_t *number)
{
	const struct plan_lines *gate = &f->gates[phase];

	buf_printf(b, "\nPhase %zu: ", phase + 1);
	forecast_put_phase(b, f, phase);
	buf_str(b, "\n");
	if (phase > 0)
		put_part(b, f, phase, PLAN_PART_BEFORE, number);
	put_part(b, f, phase, PLAN_PART_STEPS, number);
	put_part(b, f, phase, PLAN_PART_CHECKS, number);
	for (size_t i = 0; i < gate->n; i++)
		plan_put_line(b,
			      gate->v[i].kind == PLAN_LINE_WARNING ? "      WARNING: " : "      - ",
			      &gate->v[i], NULL);
}

/* What all phases share is printed once: the preflight of the first, the rollback of the last. */
static void put_steps(struct buf *b, const struct forecast *f)
{
	size_t number = 0;

	put_heading(b, plan_part_heading(PLAN_PART_BEFORE));
	put_part(b, f, 0, PLAN_PART_BEFORE, &number);
	put_lines(b, "      WARNING: ", &f->strays);
	for (size_t i = 0; i < f->search.nphases; i++)
		put_phase(b, f, i, &number);
	put_heading(b, plan_part_heading(PLAN_PART_ROLLBACK));
	for (size_t i = 0; i < f->search.nphases; i++)
		put_part(b, f, i, PLAN_PART_ROLLBACK, &number);
}

void forecast_text(const struct forecast *f, struct buf *out)
{
	struct span tags[PLAN_SOURCES_MAX];
	size_t n = forecast_sources(f, tags);

	buf_str(out, "Plan: ");
	forecast_put_title(out, f);
	buf_str(out, "\n");
	put_verdict(out, f);
	put_timeline(out, f);
	put_steps(out, f);
	put_heading(out, "Why: what phones do");
	put_lines(out, "  - ", &f->why);
	put_lines(out, "  assumed: ", &f->assumed);
	plan_put_legend(out, tags, n);
	buf_str(out, "\n");
	forecast_put_summary(out, f);
	buf_str(out, "\n");
}
