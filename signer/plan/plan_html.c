/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/env.h"
#include "signer/plan/plan_page.h"

static void put_day(struct buf *b, int64_t seconds)
{
	char when[32];

	time_iso(seconds, when);
	page_put(b, span_slice(span_str(when), 0, 10));
}

static void put_title(struct buf *b, const struct plan_model *m, bool refused)
{
	struct span from = buf_span(&m->facts[PLAN_OLD].name);
	struct span to = buf_span(&m->facts[PLAN_NEW].name);
	struct buf title = BUF_INIT;

	buf_str(&title, "Plan: ");
	buf_put(&title, from);
	buf_str(&title, " to ");
	buf_put(&title, to);
	page_begin(b, buf_span(&title), refused);
	buf_str(b, "Plan: ");
	page_put(b, from);
	buf_str(b, " &rarr; ");
	page_put(b, to);
	page_made(b, m->in.now, m->in.release);
	b->failed = b->failed != ST_OK ? b->failed : title.failed;
	buf_free(&title);
}

/* Green only if nothing on the page says that phones are lost. */
static const char *verdict_look(const struct plan_model *m, bool refused)
{
	if (refused)
		return "bad";
	return plan_is_dangerous(m) ? "warn" : "good";
}

static void put_verdict(struct buf *b, const struct plan_model *m, bool refused)
{
	struct buf text = BUF_INIT;

	plan_put_summary(&text, m);
	buf_printf(b, "<h2>Verdict</h2>\n<p class=\"banner %s\">", verdict_look(m, refused));
	page_flush(b, &text);
	plan_put_resets(&text, m);
	buf_str(b, ".</p>\n<p>");
	page_flush(b, &text);
	buf_str(b, "</p>\n");
}

static void put_card(struct buf *b, const struct plan_facts *f, enum plan_list_id id)
{
	buf_str(b, "<div class=\"card\"><h3>");
	page_put(b, span_str(plan_list_word(id)));
	buf_str(b, ": ");
	page_put(b, buf_span(&f->name));
	buf_printf(b, "</h3>\n<p>%zu bytes, %s, %s", f->list->bytes.n, f->digest, f->style);
	/* The mode is a matter of the CTL. */
	if (!tlv_list_is_itl(f->list))
		buf_printf(b, ", %s", f->mode);
	buf_printf(b, "%s%s</p>\n<p>%s ", f->time[0] != '\0' ? ", " : "", f->time,
		   f->is_signed ? "signed by" : "to be signed by");
	page_put(b, buf_span(&f->signer));
	buf_str(b, "</p>\n");
	if (f->md5[0] != '\0')
		buf_printf(b, "<p>MD5 <span class=\"mono\">%s</span></p>\n", f->md5);
	if (f->sha1[0] != '\0')
		buf_printf(b, "<p>SHA-1 <span class=\"mono\">%s</span></p>\n", f->sha1);
	buf_str(b, "</div>\n");
}

static void put_lists(struct buf *b, const struct plan_model *m)
{
	buf_str(b, "<h2>Lists</h2>\n<div class=\"cards\">\n");
	for (int id = 0; id < PLAN_LISTS; id++)
		if (m->facts[id].list != NULL)
			put_card(b, &m->facts[id], (enum plan_list_id)id);
	buf_str(b, "</div>\n");
}

static void put_warnings(struct buf *b, const struct plan_model *m)
{
	if (m->warnings.n == 0)
		return;
	buf_str(b, "<h2>Warnings</h2>\n");
	for (size_t i = 0; i < m->warnings.n; i++)
		page_note(b, &m->warnings.v[i], NULL);
}

static void put_phones_do(struct buf *b, const struct plan_verdict *v)
{
	bool good = plan_accepts(v);
	unsigned facts[PLAN_FACTS_MAX];
	struct buf text = BUF_INIT;

	plan_put_verdict(&text, v);
	buf_printf(b, "<li><span class=\"tag %s\">%s</span> ", good ? "good" : "bad",
		   good ? "take it" : "refuse it");
	page_flush(b, &text);
	if (plan_missed_bridge(v))
		buf_str(b, " They have missed the bridge.");
	page_tags(b, facts, plan_verdict_facts(v, facts));
	buf_str(b, "</li>\n");
}

static void put_phones(struct buf *b, const struct plan_model *m)
{
	buf_str(b, "<h2>Why: what phones do</h2>\n<ul class=\"phones\">\n");
	for (size_t i = 0; i < m->nverdicts; i++)
		put_phones_do(b, &m->verdicts[i]);
	buf_str(b, "</ul>\n");
	if (m->asked.n > 0) {
		buf_str(b, "<p>What TVS says:</p>\n");
		page_items(b, NULL, &m->asked);
	}
	buf_str(b, "<p>This is assumed:</p>\n");
	page_items(b, NULL, &m->assumptions);
}

static const char *fate_look(const struct plan_anchor *a)
{
	if (a->respelled || (a->in[PLAN_OLD] && !a->in[PLAN_NEW]))
		return "bad";
	return a->in[PLAN_OLD] ? "good" : "warn";
}

static void put_anchors(struct buf *b, const struct plan_model *m)
{
	buf_str(b,
		"<h2>Why: anchors (SAST keys)</h2>\n<table class=\"records\"><thead><tr><th>Fate</th>"
		"<th>Name</th><th>In</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < m->nanchors; i++) {
		const struct plan_anchor *a = &m->anchors[i];

		buf_printf(b,
			   "<tr><td data-label=\"Fate\"><span class=\"tag %s\">%s</span></td>"
			   "<td data-label=\"Name\">",
			   fate_look(a), plan_anchor_fate(a));
		page_put(b, buf_span(&a->name));
		buf_str(b, "</td><td data-label=\"In\">");
		for (int id = 0, n = 0; id < PLAN_LISTS; id++)
			if (a->in[id])
				buf_printf(b, "%s%s", n++ > 0 ? ", " : "",
					   plan_list_word((enum plan_list_id)id));
		buf_str(b, "</td></tr>\n");
	}
	buf_str(b, "</tbody></table>\n");
	if (m->anchors_left_out > 0)
		buf_printf(b, "<p>And %zu more.</p>\n", m->anchors_left_out);
}

struct changes {
	struct buf *b;
	bool begun, inside; /* inside: the line before was indented */
};

/* What is indented belongs to the line before. */
static void put_change(void *arg, const char *text)
{
	struct changes *c = arg;
	struct span line = span_str(text);
	bool detail = span_starts(line, SPAN_LIT("    "));

	if (detail != c->inside)
		buf_str(c->b, detail ? "<ul class=\"soft\">\n" : "</ul></li>\n");
	else if (!detail && c->begun)
		buf_str(c->b, "</li>\n");
	c->inside = detail;
	c->begun = true;
	buf_str(c->b, "<li>");
	page_put(c->b, detail ? span_slice(line, 4, line.n) : line);
	buf_str(c->b, detail ? "</li>\n" : "\n");
}

static void put_changes(struct buf *b, const struct plan_model *m)
{
	struct changes c = { .b = b };

	buf_str(b, "<h2>Changes, record by record</h2>\n<ul class=\"changes\">\n");
	if (plan_changes(m, put_change, &c, NULL) != ST_OK)
		b->failed = ST_NOMEM;
	buf_str(b, c.inside ? "</ul></li>\n</ul>\n" : "</li>\n</ul>\n");
}

static void put_impact(struct buf *b, const struct plan_model *m, const struct plan_rule *r)
{
	static const char *const looks[] = { "", "good", "warn", "bad" };
	const struct plan_lines *what = &m->events[r->kind][r->event];

	buf_printf(b, "<li><span class=\"tag %s\">%s impact</span> <b>%s %s</b>", looks[r->impact],
		   plan_impact_word(r->impact), plan_kind_text(r->kind), plan_event_text(r->event));
	for (size_t i = 0; i < what->n; i++) {
		buf_str(b, i == 0 ? ": " : ", ");
		page_put(b, buf_span(&what->v[i].text));
	}
	buf_str(b, what->n == PLAN_LABELS_MAX ? " and more. " : ". ");
	page_put(b, span_str(r->hits));
	if (r->advice != NULL) {
		buf_str(b, " ");
		page_put(b, span_str(r->advice));
	}
	page_tags(b, &r->fact, 1);
	buf_str(b, "</li>\n");
}

static void put_impacts(struct buf *b, const struct plan_model *m)
{
	const struct plan_rule *r;
	size_t i = 0, shown = 0;

	if (m->diff.same)
		return;
	buf_str(b, "<h2>What changes, and what users feel</h2>\n<ul class=\"phones\">\n");
	for (; (r = plan_next_impact(m, &i)) != NULL; shown++)
		put_impact(b, m, r);
	buf_str(b,
		shown > 0 ? "</ul>\n" : "<li>No record changes, only the header does.</li></ul>\n");
}

/* What the time line shows; certificates may claim any year, which must not squeeze the others. */
struct scale {
	int64_t from, to;
};

enum { YEAR = 31556952 /* seconds */, PAST = 10, FUTURE = 25 /* years */ };

static struct scale scale_of(const struct plan_model *m)
{
	struct scale s = { .from = m->in.now - YEAR, .to = m->in.now + YEAR };
	int64_t first = m->in.now - (int64_t)PAST * YEAR, last = m->in.now + (int64_t)FUTURE * YEAR;

	for (size_t i = 0; i < m->nrecords; i++) {
		struct plan_record r = plan_record_at(m, i);

		if (r.has_dates && r.not_before < s.from)
			s.from = r.not_before > first ? r.not_before : first;
		if (r.has_dates && r.not_after > s.to)
			s.to = r.not_after < last ? r.not_after : last;
		plan_record_free(&r);
	}
	return s;
}

/* Tenths of a percent: what is beyond the scale stands at its end. */
static unsigned place(const struct scale *s, int64_t at)
{
	if (at <= s->from)
		return 0;
	if (at >= s->to)
		return 1000;
	return (unsigned)((at - s->from) / ((s->to - s->from) / 1000));
}

static const char *bar_look(const struct plan_model *m, const struct plan_record *r)
{
	if (r->not_after < m->in.now)
		return " class=\"bad\"";
	return r->not_after - m->in.now < YEAR / 4 ? " class=\"warn\"" : "";
}

static void put_bar(struct buf *b, const struct plan_model *m, const struct scale *s,
		    const struct plan_record *r)
{
	unsigned from = place(s, r->not_before), to = place(s, r->not_after);

	buf_printf(b, "<div class=\"line\"><div>%zu ", r->number);
	page_put(b, buf_span(&r->role_text));
	buf_str(b, " ");
	page_put(b, buf_span(&r->subject));
	buf_str(b, " <span class=\"soft\">until ");
	put_day(b, r->not_after);
	buf_printf(b, "</span></div><div class=\"track\"><span%s style=\"", bar_look(m, r));
	page_percent(b, "left", from);
	page_percent(b, "width", to > from ? to - from : 2);
	buf_str(b, "\"></span><i style=\"");
	page_percent(b, "left", place(s, m->in.now));
	buf_str(b, "\"></i></div></div>\n");
}

/* Beyond so many a line says nothing to anybody; the table has them all. */
enum { BARS_MAX = 100 };

static void put_time_line(struct buf *b, const struct plan_model *m)
{
	struct scale s = scale_of(m);
	size_t shown = 0;

	buf_str(b, "<h2>Validity of the new list's certificates</h2>\n<p class=\"soft\">From ");
	put_day(b, s.from);
	buf_str(b, " to ");
	put_day(b, s.to);
	buf_str(b, "; the upright line is the day of this plan, ");
	put_day(b, m->in.now);
	buf_str(b, ".</p>\n");
	for (size_t i = 0; i < m->nrecords && shown < BARS_MAX; i++) {
		struct plan_record r = plan_record_at(m, i);

		if (r.has_dates)
			put_bar(b, m, &s, &r);
		shown += r.has_dates;
		plan_record_free(&r);
	}
}

static void put_cell(struct buf *b, const char *label, const struct buf *text)
{
	buf_printf(b, "<td data-label=\"%s\">", label);
	page_put(b, buf_span(text));
	buf_str(b, "</td>");
}

static void put_record(struct buf *b, const struct plan_record *r)
{
	buf_printf(b, "<tr><td data-label=\"Record\">%zu%s</td>", r->number,
		   r->signs ? " <span class=\"tag good\">signs</span>" : "");
	put_cell(b, "Role", &r->role_text);
	put_cell(b, "Name", &r->name);
	put_cell(b, "Address", &r->address);
	put_cell(b, "Certificate", &r->subject);
	put_cell(b, "Key", &r->key);
	buf_str(b, "<td data-label=\"Valid\">");
	if (r->has_dates) {
		put_day(b, r->not_before);
		buf_str(b, " to ");
		put_day(b, r->not_after);
	}
	buf_str(b, "</td></tr>\n");
}

static void put_records(struct buf *b, const struct plan_model *m)
{
	buf_str(b,
		"<h2>Records of the new list</h2>\n<table class=\"records\"><thead><tr><th>#</th>"
		"<th>Role</th><th>Name</th><th>Address</th><th>Certificate</th><th>Key</th>"
		"<th>Valid</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < m->nrecords; i++) {
		struct plan_record r = plan_record_at(m, i);

		put_record(b, &r);
		plan_record_free(&r);
	}
	buf_str(b, "</tbody></table>\n");
}

/* In the order of the text. */
enum status plan_html(const struct plan *p, struct buf *out, struct tlv_err *e)
{
	const struct plan_model *m = p->model;
	bool refused = plan_refused(p);
	struct span tags[PLAN_SOURCES_MAX];
	size_t n = plan_all_sources(m, tags);

	put_title(out, m, refused);
	put_impacts(out, m);
	put_verdict(out, m, refused);
	put_warnings(out, m);
	page_steps(out, m->steps, m->nsteps);
	put_phones(out, m);
	put_anchors(out, m);
	put_lists(out, m);
	put_changes(out, m);
	put_records(out, m);
	put_time_line(out, m);
	page_legend(out, tags, n);
	page_end(out);
	return buf_failed(out, e);
}
