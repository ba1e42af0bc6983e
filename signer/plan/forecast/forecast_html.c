/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/forecast.h"
#include "signer/plan/plan_page.h"

static void put_phase(struct buf *b, const struct forecast *f, size_t phase)
{
	struct buf text = BUF_INIT;

	forecast_put_phase(&text, f, phase);
	page_flush(b, &text);
}

static void put_title(struct buf *b, const struct forecast *f)
{
	struct buf title = BUF_INIT;

	buf_str(&title, "Plan: ");
	forecast_put_title(&title, f);
	page_begin(b, buf_span(&title), search_refused(&f->search));
	page_flush(b, &title);
	page_made(b, f->now, f->c->release);
}

static void put_notes(struct buf *b, const struct plan_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		page_note(b, &l->v[i], NULL);
}

static void put_verdict(struct buf *b, const struct forecast *f)
{
	struct buf text = BUF_INIT, bound = BUF_INIT;

	buf_printf(b, "<h2>Verdict</h2>\n<p class=\"banner %s\">",
		   search_refused(&f->search) ? "bad" : "good");
	forecast_put_summary(&text, f);
	page_flush(b, &text);
	buf_str(b, ".</p>\n<p>");
	forecast_put_bound(&bound, f);
	page_flush(b, &bound);
	buf_str(b, "</p>\n");
	put_notes(b, &f->doubts);
	put_notes(b, &f->dangers);
	for (size_t i = 0; i < f->helps.n; i++) {
		buf_str(b, "<p class=\"note\"><b>What helps:</b> ");
		page_put(b, buf_span(&f->helps.v[i].text));
		page_tags(b, &f->helps.v[i].fact, 1);
		buf_str(b, "</p>\n");
	}
}

/* One column of the time line is a phase. */
static void put_span(struct buf *b, const struct forecast *f, size_t phase)
{
	size_t n = f->search.nphases;
	unsigned from = (unsigned)(1000 * phase / n), to = (unsigned)(1000 * (phase + 1) / n);

	buf_str(b, "<span style=\"");
	page_percent(b, "left", from);
	page_percent(b, "width", to - from - 4);
	buf_printf(b, "\">%zu</span>", phase + 1);
}

static bool restarts(const struct plan_lines *services, struct span name)
{
	for (size_t i = 0; i < services->n; i++)
		if (span_eq(buf_span(&services->v[i].text), name))
			return true;
	return false;
}

static void put_service(struct buf *b, const struct forecast *f, struct span name)
{
	buf_str(b, "<div class=\"line\"><div>");
	page_put(b, name);
	buf_str(b, " restarts</div><div class=\"track phases\">");
	for (size_t i = 0; i < f->search.nphases; i++)
		if (restarts(&f->restarts[i], name))
			put_span(b, f, i);
	buf_str(b, "</div></div>\n");
}

/* Each service once, in the order in which the phases restart them. */
static void put_services(struct buf *b, const struct forecast *f)
{
	struct plan_lines all = { .n = 0 };

	for (size_t i = 0; i < f->search.nphases; i++)
		for (size_t k = 0; k < f->restarts[i].n; k++)
			plan_label(&all, &f->restarts[i].v[k].text);
	for (size_t i = 0; i < all.n; i++)
		put_service(b, f, buf_span(&all.v[i].text));
	b->failed = plan_lines_failed(&all) ? ST_NOMEM : b->failed;
	plan_lines_free(&all);
}

static void put_down(struct buf *b, const struct forecast *f, size_t phase)
{
	struct buf text = BUF_INIT;

	buf_printf(b, "<li><b>Phase %zu: ", phase + 1);
	put_phase(b, f, phase);
	buf_str(b, ".</b> ");
	forecast_put_down(&text, f, phase);
	page_flush(b, &text);
	buf_str(b, "</li>\n");
}

static void put_time_line(struct buf *b, const struct forecast *f)
{
	buf_str(b,
		"<h2>Phases, and what is down</h2>\n<p class=\"soft\">From left to right: the phases, by their numbers.</p>\n"
		"<div class=\"line\"><div>All phones are reset</div><div class=\"track phases\">");
	for (size_t i = 0; i < f->search.nphases; i++)
		if (f->plans[i].model->resets > 0)
			put_span(b, f, i);
	buf_str(b, "</div></div>\n");
	put_services(b, f);
	buf_str(b, "<ul class=\"phones\">\n");
	for (size_t i = 0; i < f->search.nphases; i++)
		put_down(b, f, i);
	buf_str(b, "</ul>\n");
}

/* Steps of the page so far, and those of them that have a number. */
struct count {
	size_t steps, number;
};

static void put_part(struct buf *b, const struct forecast *f, size_t phase, enum plan_part part,
		     struct count *n)
{
	const struct plan_model *m = f->plans[phase].model;

	for (size_t i = 0; i < m->nsteps; i++)
		if (m->steps[i].part == part && forecast_has_step(f, phase, &m->steps[i]))
			page_step(b, &m->steps[i], n->steps++, &n->number);
}

static void put_gate(struct buf *b, const struct plan_lines *gate)
{
	for (size_t i = 0; i < gate->n; i++) {
		const struct plan_line *l = &gate->v[i];

		if (l->kind == PLAN_LINE_WARNING) {
			page_note(b, l, NULL);
			continue;
		}
		buf_str(b, "<p class=\"note\">");
		page_put(b, buf_span(&l->text));
		page_tags(b, &l->fact, 1);
		buf_str(b, "</p>\n");
	}
}

static void put_phase_steps(struct buf *b, const struct forecast *f, size_t phase, struct count *n)
{
	buf_printf(b, "<h2>Phase %zu: ", phase + 1);
	put_phase(b, f, phase);
	buf_str(b, "</h2>\n<ol class=\"steps\">\n");
	if (phase > 0)
		put_part(b, f, phase, PLAN_PART_BEFORE, n);
	put_part(b, f, phase, PLAN_PART_STEPS, n);
	put_part(b, f, phase, PLAN_PART_CHECKS, n);
	buf_str(b, "</ol>\n");
	put_gate(b, &f->gates[phase]);
}

static void put_steps(struct buf *b, const struct forecast *f)
{
	struct count n = { .steps = 0 };

	buf_printf(b, "<h2>%s</h2>\n<ol class=\"steps\">\n", plan_part_heading(PLAN_PART_BEFORE));
	put_part(b, f, 0, PLAN_PART_BEFORE, &n);
	buf_str(b, "</ol>\n");
	put_notes(b, &f->strays);
	for (size_t i = 0; i < f->search.nphases; i++)
		put_phase_steps(b, f, i, &n);
	buf_printf(b, "<h2>%s</h2>\n<ol class=\"steps\">\n", plan_part_heading(PLAN_PART_ROLLBACK));
	for (size_t i = 0; i < f->search.nphases; i++)
		put_part(b, f, i, PLAN_PART_ROLLBACK, &n);
	buf_str(b, "</ol>\n");
}

enum status forecast_html(const struct forecast *f, struct buf *out, struct tlv_err *e)
{
	struct span tags[PLAN_SOURCES_MAX];
	size_t n = forecast_sources(f, tags);

	put_title(out, f);
	put_verdict(out, f);
	put_time_line(out, f);
	put_steps(out, f);
	buf_str(out, "<h2>Why: what phones do</h2>\n");
	page_items(out, "phones", &f->why);
	buf_str(out, "<p>This is assumed:</p>\n");
	page_items(out, "phones", &f->assumed);
	page_legend(out, tags, n);
	page_end(out);
	return buf_failed(out, e);
}
