/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "signer/plan/plan_model.h"

enum { WIDTH = 100, UNDER = 6 };

/* Characters, as far as UTF-8 goes. */
static size_t columns(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (span_at(s, i) & 0xc0) != 0x80;
	return n;
}

static size_t word_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && span_at(s, n) != ' ')
		n++;
	return n;
}

void plan_put_wrapped(struct buf *b, const char *first, struct span text)
{
	size_t at = columns(span_str(first)), indent = at < UNDER ? UNDER : at;
	bool begins = true;

	buf_str(b, first);
	while (text.n > 0) {
		size_t n = word_length(text);
		size_t wide = columns(span_slice(text, 0, n));

		if (!begins && at + 1 + wide > WIDTH) {
			buf_printf(b, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!begins) {
			buf_u8(b, ' ');
			at++;
		}
		buf_put(b, span_slice(text, 0, n));
		at += wide;
		begins = false;
		text = span_slice(text, n + 1, text.n);
	}
	buf_str(b, "\n");
}

void plan_flush(struct buf *b, const char *first, struct buf *text)
{
	plan_put_wrapped(b, first, buf_span(text));
	b->failed = b->failed != ST_OK ? b->failed : text->failed;
	buf_free(text);
}

static void put_heading(struct buf *b, const char *text)
{
	buf_printf(b, "\n%s\n", text);
}

static void put_list(struct buf *b, const struct plan_facts *f, enum plan_list_id id)
{
	buf_printf(b, "  %-8s  ", plan_list_word(id));
	buf_put(b, buf_span(&f->name));
	buf_printf(b, ": %zu bytes%s%s, %s, %s", f->list->bytes.n, f->time[0] != '\0' ? ", " : "",
		   f->time, f->digest, f->style);
	/* The mode is a matter of the CTL. */
	if (!tlv_list_is_itl(f->list))
		buf_printf(b, ", %s", f->mode);
	buf_str(b, "\n");
	buf_str(b, f->is_signed ? "            signed by " : "            to be signed by ");
	buf_put(b, buf_span(&f->signer));
	buf_str(b, "\n");
	if (f->md5[0] != '\0')
		buf_printf(b, "            %s (MD5)\n", f->md5);
	if (f->sha1[0] != '\0')
		buf_printf(b, "            %s (SHA1)\n", f->sha1);
}

static void put_lists(struct buf *b, const struct plan_model *m)
{
	put_heading(b, "Lists");
	for (int id = 0; id < PLAN_LISTS; id++)
		if (m->facts[id].list != NULL)
			put_list(b, &m->facts[id], (enum plan_list_id)id);
	if (m->in.release != NULL)
		buf_printf(b, "  CUCM      lists as %s has them\n", m->in.release->name);
}

static void put_change(void *arg, const char *line)
{
	struct buf *b = arg;

	buf_str(b, "  ");
	buf_str(b, line);
	buf_str(b, "\n");
}

static void put_changes(struct buf *b, const struct plan_model *m)
{
	put_heading(b, "Changes, record by record");
	if (plan_changes(m, put_change, b, NULL) != ST_OK)
		b->failed = ST_NOMEM;
}

static void put_impact(struct buf *b, const struct plan_model *m, const struct plan_rule *r)
{
	const struct plan_lines *what = &m->events[r->kind][r->event];
	struct buf text = BUF_INIT;
	char first[32];

	buf_printf(&text, "%s %s", plan_kind_text(r->kind), plan_event_text(r->event));
	for (size_t i = 0; i < what->n; i++) {
		buf_str(&text, i == 0 ? ": " : ", ");
		buf_put(&text, buf_span(&what->v[i].text));
	}
	buf_printf(&text, "%s. %s", what->n == PLAN_LABELS_MAX ? " and more" : "", r->hits);
	if (r->advice != NULL)
		buf_printf(&text, " %s", r->advice);
	plan_put_sources(&text, &r->fact, 1);
	(void)snprintf(first, sizeof first, "  %-8s  ", plan_impact_word(r->impact));
	plan_flush(b, first, &text);
}

static void put_impacts(struct buf *b, const struct plan_model *m)
{
	const struct plan_rule *r;
	size_t i = 0, shown = 0;

	if (m->diff.same)
		return;
	put_heading(b, "What changes, and what users feel (impact)");
	for (; (r = plan_next_impact(m, &i)) != NULL; shown++)
		put_impact(b, m, r);
	if (shown == 0)
		buf_str(b, "  none      No record changes, only the header does.\n");
}

/* The verdict of the plan, and what it costs. */
static void put_verdict(struct buf *b, const struct plan_model *m)
{
	struct buf text = BUF_INIT;

	put_heading(b, "Verdict");
	plan_put_summary(&text, m);
	buf_str(&text, ".");
	plan_put_wrapped(b, "  ", buf_span(&text));
	buf_truncate(&text, 0);
	plan_put_resets(&text, m);
	plan_flush(b, "  ", &text);
}

void plan_put_line(struct buf *b, const char *first, const struct plan_line *l,
		   const struct plan_step *s)
{
	struct buf text = BUF_INIT;

	buf_put(&text, buf_span(&l->text));
	if (s == NULL || !plan_sources_within(l->fact, s->facts, s->nfacts))
		plan_put_sources(&text, &l->fact, 1);
	plan_flush(b, first, &text);
}

static void put_phones(struct buf *b, const struct plan_model *m)
{
	put_heading(b, "Why: what phones do");
	for (size_t i = 0; i < m->nverdicts; i++) {
		const struct plan_verdict *v = &m->verdicts[i];
		unsigned facts[PLAN_FACTS_MAX];
		struct buf text = BUF_INIT;

		plan_put_verdict(&text, v);
		if (plan_missed_bridge(v))
			buf_str(&text, " They have missed the bridge.");
		plan_put_sources(&text, facts, plan_verdict_facts(v, facts));
		plan_flush(b, "  - ", &text);
	}
	for (size_t i = 0; i < m->asked.n; i++)
		plan_put_line(b, "  ", &m->asked.v[i], NULL);
	for (size_t i = 0; i < m->assumptions.n; i++)
		plan_put_line(b, "  assumed: ", &m->assumptions.v[i], NULL);
}

static void put_anchors(struct buf *b, const struct plan_model *m)
{
	put_heading(b, "Why: anchors (SAST keys)");
	for (size_t i = 0; i < m->nanchors; i++) {
		const struct plan_anchor *a = &m->anchors[i];

		buf_printf(b, "  %-9s  ", plan_anchor_fate(a));
		buf_put(b, buf_span(&a->name));
		buf_str(b, " in");
		for (int id = 0; id < PLAN_LISTS; id++)
			if (a->in[id])
				buf_printf(b, " %s", plan_list_word((enum plan_list_id)id));
		buf_str(b, "\n");
	}
	if (m->anchors_left_out > 0)
		buf_printf(b, "  and %zu more\n", m->anchors_left_out);
	if (m->nanchors == 0)
		buf_str(b, "  none\n");
}

static const char *level(enum plan_line_kind k)
{
	if (k == PLAN_LINE_ASSUMED)
		return "assumed";
	return k == PLAN_LINE_DANGER ? "DANGER" : k == PLAN_LINE_WARNING ? "warning" : "note";
}

static void put_warnings(struct buf *b, const struct plan_model *m)
{
	char first[32];

	if (m->warnings.n == 0)
		return;
	put_heading(b, "Warnings");
	for (size_t i = 0; i < m->warnings.n; i++) {
		(void)snprintf(first, sizeof first, "  %s: ", level(m->warnings.v[i].kind));
		plan_put_line(b, first, &m->warnings.v[i], NULL);
	}
}

static void put_step_line(struct buf *b, const struct plan_line *l, const struct plan_step *s)
{
	static const char *const first[] = {
		[PLAN_LINE_TEXT] = "      - ",		 [PLAN_LINE_COMMAND] = "      admin: ",
		[PLAN_LINE_SUM] = "          ",		 [PLAN_LINE_NOTE] = "      note: ",
		[PLAN_LINE_ASSUMED] = "      assumed: ", [PLAN_LINE_WARNING] = "      WARNING: ",
		[PLAN_LINE_DANGER] = "      DANGER: ",
	};

	if (l->kind == PLAN_LINE_COMMAND || l->kind == PLAN_LINE_SUM)
		plan_put_wrapped(b, first[l->kind], buf_span(&l->text));
	else
		plan_put_line(b, first[l->kind], l, s);
}

void plan_put_step(struct buf *b, const struct plan_step *s, size_t *number)
{
	struct buf title = BUF_INIT;
	char first[32];

	if (s->open)
		(void)snprintf(first, sizeof first, "   ?. ");
	else
		(void)snprintf(first, sizeof first, "%4zu. ", ++*number);
	buf_put(&title, buf_span(&s->title));
	plan_put_sources(&title, s->facts, s->nfacts);
	plan_put_wrapped(b, first, buf_span(&title));
	for (size_t j = 0; j < s->lines.n; j++)
		put_step_line(b, &s->lines.v[j], s);
	b->failed = b->failed != ST_OK ? b->failed : title.failed;
	buf_free(&title);
}

static void put_steps(struct buf *b, const struct plan_model *m)
{
	size_t number = 0;

	for (size_t i = 0; i < m->nsteps; i++) {
		const struct plan_step *s = &m->steps[i];

		if (i == 0 || s->part != m->steps[i - 1].part)
			put_heading(b, plan_part_heading(s->part));
		plan_put_step(b, s, &number);
	}
}

void plan_put_legend(struct buf *b, const struct span *tags, size_t n)
{
	if (n == 0)
		return;
	put_heading(b, "Sources");
	for (size_t i = 0; i < n; i++) {
		buf_str(b, "  [");
		buf_put(b, tags[i]);
		buf_printf(b, "] %s\n", plan_source_text(tags[i]));
	}
}

/* What an admin needs first stands first; the last line is the verdict again. */
void plan_text(const struct plan *p, struct buf *out)
{
	const struct plan_model *m = p->model;
	struct span tags[PLAN_SOURCES_MAX];
	size_t n = plan_all_sources(m, tags);

	buf_str(out, "Plan: ");
	buf_put(out, buf_span(&m->facts[PLAN_OLD].name));
	buf_str(out, " -> ");
	buf_put(out, buf_span(&m->facts[PLAN_NEW].name));
	buf_str(out, "\n");
	put_impacts(out, m);
	put_verdict(out, m);
	put_warnings(out, m);
	put_steps(out, m);
	put_phones(out, m);
	put_anchors(out, m);
	put_lists(out, m);
	put_changes(out, m);
	plan_put_legend(out, tags, n);
	buf_str(out, "\n");
	plan_put_summary(out, m);
	buf_str(out, "\n");
}
