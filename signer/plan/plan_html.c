/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/env.h"
#include "signer/plan/plan_model.h"
#include "signer/publish/kind.h"
#include "tlv/safe.h"

/*
 * The page needs nothing but itself: no script, font, image or address. The
 * policy says so to the browser too, which then loads nothing whatever a
 * certificate's name tries. Widths of the time line are in the markup, as
 * numbers that we made.
 */
static const char head[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<head>\n"
	"<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<meta name=\"referrer\" content=\"no-referrer\">\n" KIND_PAGE_LINE;

static const char style[] =
	"<style>\n"
	":root{--ink:#1b1f24;--soft:#57606a;--paper:#fff;--line:#d0d7de;--tint:#f6f8fa;"
	"--good:#1a7f37;--bad:#b3261e;--warn:#8a5a00;--bar:#0b66c3;--goodbg:#e8f5ec;"
	"--badbg:#fdecea;--warnbg:#fff6e0}\n"
	"@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4af;--paper:#0d1117;"
	"--line:#30363d;--tint:#161b22;--good:#4cc26a;--bad:#ff8a80;--warn:#e3b341;--bar:#58a6ff;"
	"--goodbg:#0f2417;--badbg:#2d1413;--warnbg:#2a2110}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:60rem;padding:1.5rem 1.25rem 3rem;color:var(--ink);"
	"background:var(--paper);font:16px/1.5 system-ui,'Liberation Sans',Arial,sans-serif;"
	"overflow-wrap:anywhere}\n"
	"h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}\n"
	"h2{font-size:1.15rem;margin:2rem 0 .6rem;padding-bottom:.25rem;"
	"border-bottom:1px solid var(--line)}\n"
	"p{margin:.4rem 0}ul,ol{margin:.3rem 0;padding-left:1.3rem}\n"
	"code,.mono{font-family:ui-monospace,'Liberation Mono',monospace;font-size:.86em}\n"
	".soft{color:var(--soft)}\n"
	".banner{padding:.7rem 1rem;border-radius:.4rem;border-left:.35rem solid;font-weight:600}\n"
	".good{color:var(--good);border-color:var(--good)}.banner.good{background:var(--goodbg)}\n"
	".bad{color:var(--bad);border-color:var(--bad)}.banner.bad{background:var(--badbg)}\n"
	".banner.warn{background:var(--warnbg)}h1.bad{color:var(--bad)}\n"
	".source{color:var(--soft);font-size:.8em;font-weight:400}\n"
	".phones{list-style:none;padding-left:0}.phones li{margin:.4rem 0;break-inside:avoid}\n"
	".warn{color:var(--warn);border-color:var(--warn)}\n"
	".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));"
	"gap:.75rem}\n"
	".card{border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem;"
	"background:var(--tint);break-inside:avoid;min-width:0}\n"
	".card h3{margin:0 0 .3rem;font-size:1rem}.card p{margin:.15rem 0}\n"
	"table{border-collapse:collapse;width:100%;font-size:.92rem}\n"
	"th,td{text-align:left;vertical-align:top;padding:.35rem .5rem;"
	"border-bottom:1px solid var(--line)}\n"
	"th{color:var(--soft);font-weight:600;white-space:nowrap}\n"
	"td.word{white-space:nowrap}\n"
	"tr{break-inside:avoid}thead{display:table-header-group}\n"
	".tag{display:inline-block;font-size:.78rem;font-weight:600;padding:0 .45rem;"
	"border:1px solid;border-radius:1rem;white-space:nowrap}\n"
	".note{padding:.35rem .7rem;margin:.35rem 0;border-left:.25rem solid var(--line);"
	"break-inside:avoid}\n"
	".note.bad{background:var(--badbg);border-color:var(--bad)}"
	".note.warn{background:var(--warnbg);border-color:var(--warn)}\n"
	".changes,.steps{list-style:none;padding-left:0}.changes ul{list-style:none}\n"
	".steps>li{display:grid;grid-template-columns:1.4rem 2.2rem 1fr;column-gap:.3rem;"
	"padding:.55rem 0;border-bottom:1px solid var(--line);break-inside:avoid}\n"
	".steps>li>div{min-width:0}.steps input{width:1.05rem;height:1.05rem;margin:.25rem 0 0}\n"
	".steps .number{color:var(--soft);font-variant-numeric:tabular-nums}\n"
	".steps p{margin:.15rem 0}.steps p input{width:.85rem;height:.85rem;margin:0 .25rem 0 0;"
	"vertical-align:-.08rem}.steps .title{font-weight:600;margin:0}\n"
	".steps code{display:inline-block;background:var(--tint);border:1px solid var(--line);"
	"border-radius:.25rem;padding:0 .4rem}\n"
	".line{display:grid;grid-template-columns:15rem 1fr;gap:.1rem .8rem;align-items:center;"
	"padding:.2rem 0;break-inside:avoid;font-size:.92rem}\n"
	".line>*{min-width:0}\n"
	".track{position:relative;height:1.1rem;background:var(--tint);"
	"border:1px solid var(--line);border-radius:.2rem}\n"
	".track span{position:absolute;top:0;bottom:0;background:var(--bar);border-radius:.15rem}\n"
	".track span.bad{background:var(--bad)}.track span.warn{background:var(--warn)}\n"
	".track i{position:absolute;top:-.25rem;bottom:-.25rem;width:2px;background:var(--ink)}\n"
	"@media (max-width:640px){body{padding:1rem .8rem 2rem}.line{grid-template-columns:1fr}\n"
	".records,.records tbody,.records tr,.records td{display:block}.records thead{display:none}\n"
	".records tr{border-bottom:1px solid var(--line);padding:.45rem 0}\n"
	".records td{border:0;padding:.05rem 0}.records td:empty{display:none}\n"
	".records td::before{content:attr(data-label) ': ';color:var(--soft)}}\n"
	"@page{size:A4;margin:16mm 14mm}\n"
	"@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--paper:#fff;--line:#bbb;--tint:#f4f4f4;"
	"--good:#1a7f37;--bad:#b3261e;--warn:#8a5a00;--bar:#0b66c3;--goodbg:#e8f5ec;"
	"--badbg:#fdecea;--warnbg:#fff6e0}\n"
	"body{max-width:none;padding:0;font-size:10.5pt}h2{break-after:avoid}\n"
	".banner,.card,.note,.track,.track span,.track i{print-color-adjust:exact;"
	"-webkit-print-color-adjust:exact}}\n"
	"</style>\n";

/* Texts of the model are safe_text(), mostly; here they all are, and lose what is markup. */
static void put(struct buf *b, struct span s)
{
	static const struct {
		int c;
		const char *entity;
	} entities[] = {
		{ '&', "&amp;" },  { '<', "&lt;" },   { '>', "&gt;" },
		{ '"', "&quot;" }, { '\'', "&#39;" },
	};

	while (s.n > 0) {
		size_t n = safe_character(s);
		const char *entity = NULL;

		for (size_t i = 0; i < COUNT(entities); i++)
			if (span_at(s, 0) == entities[i].c)
				entity = entities[i].entity;
		if (entity != NULL)
			buf_str(b, entity);
		else
			safe_text(b, span_slice(s, 0, n > 0 ? n : 1));
		s = span_slice(s, n > 0 ? n : 1, s.n);
	}
}

static void put_str(struct buf *b, const char *s)
{
	put(b, span_str(s));
}

static void put_buf(struct buf *b, const struct buf *s)
{
	put(b, buf_span(s));
}

static void put_day(struct buf *b, int64_t seconds)
{
	char when[32];

	time_iso(seconds, when);
	put(b, span_slice(span_str(when), 0, 10));
}

/* Of text and link alike; a plan that phones refuse says so before all else. */
static void put_name(struct buf *b, const struct plan_model *m, bool refused, const char *arrow)
{
	buf_str(b, refused ? "REFUSED. Plan: " : "Plan: ");
	put_buf(b, &m->facts[PLAN_OLD].name);
	buf_str(b, arrow);
	put_buf(b, &m->facts[PLAN_NEW].name);
}

static void put_title(struct buf *b, const struct plan_model *m, bool refused)
{
	char when[32];

	buf_str(b, "<title>");
	put_name(b, m, refused, " to ");
	buf_str(b, "</title>\n");
	buf_str(b, style);
	buf_printf(b, "</head>\n<body>\n<h1%s>", refused ? " class=\"bad\"" : "");
	put_name(b, m, refused, " &rarr; ");
	time_iso(m->in.now, when);
	buf_printf(b, "</h1>\n<p class=\"soft\">Made %s", when);
	if (m->in.release != NULL) {
		buf_str(b, "; lists as CUCM ");
		put_str(b, m->in.release->name);
		buf_str(b, " has them");
	}
	buf_str(b, ".</p>\n");
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
	put_buf(b, &text);
	buf_truncate(&text, 0);
	plan_put_resets(&text, m);
	buf_str(b, ".</p>\n<p>");
	put_buf(b, &text);
	buf_str(b, "</p>\n");
	b->failed = b->failed != ST_OK ? b->failed : text.failed;
	buf_free(&text);
}

static void put_card(struct buf *b, const struct plan_facts *f, enum plan_list_id id)
{
	buf_str(b, "<div class=\"card\"><h3>");
	put_str(b, plan_list_word(id));
	buf_str(b, ": ");
	put_buf(b, &f->name);
	buf_printf(b, "</h3>\n<p>%zu bytes, %s, %s", f->list->bytes.n, f->digest, f->style);
	/* The mode is a matter of the CTL. */
	if (!tlv_list_is_itl(f->list))
		buf_printf(b, ", %s", f->mode);
	buf_printf(b, "%s%s</p>\n<p>%s ", f->time[0] != '\0' ? ", " : "", f->time,
		   f->is_signed ? "signed by" : "to be signed by");
	put_buf(b, &f->signer);
	buf_str(b, "</p>\n");
	if (f->is_signed)
		buf_printf(b,
			   "<p>MD5 <span class=\"mono\">%s</span></p>\n"
			   "<p>SHA-1 <span class=\"mono\">%s</span></p>\n",
			   f->md5, f->sha1);
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

static void put_tags(struct buf *b, const unsigned *facts, size_t n)
{
	struct buf tags = BUF_INIT;

	plan_put_sources(&tags, facts, n);
	if (tags.n > 0) {
		buf_str(b, "<span class=\"source\">");
		put_buf(b, &tags);
		buf_str(b, "</span>");
	}
	b->failed = b->failed != ST_OK ? b->failed : tags.failed;
	buf_free(&tags);
}

/* s: the step that has it; NULL: none. */
static void put_note(struct buf *b, const struct plan_line *l, const struct plan_step *s)
{
	static const struct {
		const char *style, *label;
	} looks[] = {
		[PLAN_LINE_NOTE] = { "note", "Note" },
		[PLAN_LINE_ASSUMED] = { "note", "Assumed" },
		[PLAN_LINE_WARNING] = { "note warn", "Warning" },
		[PLAN_LINE_DANGER] = { "note bad", "Danger" },
	};

	buf_printf(b, "<p class=\"%s\"><b>%s:</b> ", looks[l->kind].style, looks[l->kind].label);
	put_buf(b, &l->text);
	if (s == NULL || !plan_sources_within(l->fact, s->facts, s->nfacts))
		put_tags(b, &l->fact, 1);
	buf_str(b, "</p>\n");
}

static void put_warnings(struct buf *b, const struct plan_model *m)
{
	if (m->warnings.n == 0)
		return;
	buf_str(b, "<h2>Warnings</h2>\n");
	for (size_t i = 0; i < m->warnings.n; i++)
		put_note(b, &m->warnings.v[i], NULL);
}

static void put_phones_do(struct buf *b, const struct plan_verdict *v)
{
	bool good = plan_accepts(v);
	unsigned facts[PLAN_FACTS_MAX];
	struct buf text = BUF_INIT;

	plan_put_verdict(&text, v);
	buf_printf(b, "<li><span class=\"tag %s\">%s</span> ", good ? "good" : "bad",
		   good ? "take it" : "refuse it");
	put_buf(b, &text);
	if (plan_missed_bridge(v))
		buf_str(b, " They have missed the bridge.");
	put_tags(b, facts, plan_verdict_facts(v, facts));
	buf_str(b, "</li>\n");
	b->failed = b->failed != ST_OK ? b->failed : text.failed;
	buf_free(&text);
}

static void put_phones(struct buf *b, const struct plan_model *m)
{
	buf_str(b, "<h2>Why: what phones do</h2>\n<ul class=\"phones\">\n");
	for (size_t i = 0; i < m->nverdicts; i++)
		put_phones_do(b, &m->verdicts[i]);
	buf_str(b, "</ul>\n<p>This is assumed:</p>\n<ul>\n");
	for (size_t i = 0; i < m->assumptions.n; i++) {
		buf_str(b, "<li>");
		put_buf(b, &m->assumptions.v[i].text);
		put_tags(b, &m->assumptions.v[i].fact, 1);
		buf_str(b, "</li>\n");
	}
	buf_str(b, "</ul>\n");
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
		put_buf(b, &a->name);
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
	put(c->b, detail ? span_slice(line, 4, line.n) : line);
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
		put_buf(b, &what->v[i].text);
	}
	buf_str(b, what->n == PLAN_LABELS_MAX ? " and more. " : ". ");
	put_str(b, r->hits);
	if (r->advice != NULL) {
		buf_str(b, " ");
		put_str(b, r->advice);
	}
	put_tags(b, &r->fact, 1);
	buf_str(b, "</li>\n");
}

static void put_impacts(struct buf *b, const struct plan_model *m)
{
	size_t n, shown = 0;
	const struct plan_rule *r = plan_rules(&n);

	if (m->diff.same)
		return;
	buf_str(b, "<h2>What changes, and what users feel</h2>\n<ul class=\"phones\">\n");
	for (size_t i = 0; i < n; i++) {
		if (m->counts[r[i].kind][r[i].event] == 0 || r[i].impact == PLAN_IMPACT_NO)
			continue;
		shown++;
		put_impact(b, m, &r[i]);
	}
	buf_str(b,
		shown > 0 ? "</ul>\n" : "<li>No record changes, only the header does.</li></ul>\n");
}

static void put_step_line(struct buf *b, const struct plan_line *l, const struct plan_step *s)
{
	switch (l->kind) {
	case PLAN_LINE_COMMAND:
		buf_str(b, "<p><code>");
		put_buf(b, &l->text);
		buf_str(b, "</code></p>\n");
		break;
	case PLAN_LINE_SUM:
		buf_str(b, "<p class=\"mono\">");
		put_buf(b, &l->text);
		buf_str(b, "</p>\n");
		break;
	case PLAN_LINE_TEXT:
		/* Each node is ticked for itself. */
		buf_str(b, l->code != NULL ? "<p><label><input type=\"checkbox\"> " : "<p>");
		put_buf(b, &l->text);
		if (l->code == NULL && !plan_sources_within(l->fact, s->facts, s->nfacts))
			put_tags(b, &l->fact, 1);
		buf_str(b, l->code != NULL ? "</label></p>\n" : "</p>\n");
		break;
	case PLAN_LINE_NOTE:
	case PLAN_LINE_ASSUMED:
	case PLAN_LINE_WARNING:
	case PLAN_LINE_DANGER:
		put_note(b, l, s);
		break;
	}
}

static void put_step(struct buf *b, const struct plan_step *s, size_t at, size_t *number)
{
	buf_printf(b, "<li><input type=\"checkbox\" aria-label=\"done: step %zu\">", at + 1);
	if (s->open)
		buf_str(b, "<span class=\"number warn\">?</span>");
	else
		buf_printf(b, "<span class=\"number\">%zu.</span>", ++*number);
	buf_str(b, "<div><p class=\"title\">");
	put_buf(b, &s->title);
	put_tags(b, s->facts, s->nfacts);
	buf_str(b, s->open ? " <span class=\"tag warn\">open</span></p>\n" : "</p>\n");
	for (size_t j = 0; j < s->lines.n; j++)
		put_step_line(b, &s->lines.v[j], s);
	buf_str(b, "</div></li>\n");
}

static void put_steps(struct buf *b, const struct plan_model *m)
{
	size_t number = 0;

	for (size_t i = 0; i < m->nsteps; i++) {
		const struct plan_step *s = &m->steps[i];

		if (i == 0 || s->part != m->steps[i - 1].part) {
			buf_str(b, i > 0 ? "</ol>\n" : "");
			buf_printf(b, "<h2>%s</h2>\n<ol class=\"steps\">\n",
				   plan_part_heading(s->part));
		}
		put_step(b, s, i, &number);
	}
	buf_str(b, m->nsteps > 0 ? "</ol>\n" : "");
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

static void put_percent(struct buf *b, const char *property, unsigned tenths)
{
	buf_printf(b, "%s:%u.%u%%;", property, tenths / 10, tenths % 10);
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
	put_buf(b, &r->role_text);
	buf_str(b, " ");
	put_buf(b, &r->subject);
	buf_str(b, " <span class=\"soft\">until ");
	put_day(b, r->not_after);
	buf_printf(b, "</span></div><div class=\"track\"><span%s style=\"", bar_look(m, r));
	put_percent(b, "left", from);
	put_percent(b, "width", to > from ? to - from : 2);
	buf_str(b, "\"></span><i style=\"");
	put_percent(b, "left", place(s, m->in.now));
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
	put_buf(b, text);
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

static void put_legend(struct buf *b, const struct plan_model *m)
{
	static const char *const words[][2] = {
		{ "CTL, ITL",
		  "the lists of certificates that a phone trusts, as TFTP serves them" },
		{ "SAST, anchor", "a certificate whose key may sign the next list" },
		{ "TVS",
		  "the service that a phone asks about a certificate that it does not know" },
		{ "Security by Default", "phones that have it can ask TVS; the others cannot" },
		{ "LSC", "a phone's own certificate, which CAPF issues" },
		{ "Bridge",
		  "a list that phones take before the new one, so that they know its signer" },
		{ "?", "no source says how this step is done, so it has no number" },
	};
	struct span tags[PLAN_SOURCES_MAX];
	size_t n = plan_all_sources(m, tags);

	buf_str(b, "<h2>Legend</h2>\n<ul class=\"soft\">\n");
	for (size_t i = 0; i < COUNT(words); i++)
		buf_printf(b, "<li><b>%s</b>: %s</li>\n", words[i][0], words[i][1]);
	for (size_t i = 0; i < n; i++) {
		buf_str(b, "<li><b>[");
		put(b, tags[i]);
		buf_str(b, "]</b> ");
		put_str(b, plan_source_text(tags[i]));
		buf_str(b, "</li>\n");
	}
	buf_str(b, "</ul>\n");
}

/* In the order of the text. */
enum status plan_html(const struct plan *p, struct buf *out, struct tlv_err *e)
{
	const struct plan_model *m = p->model;
	bool refused = plan_refused(p);

	buf_str(out, head);
	put_title(out, m, refused);
	put_impacts(out, m);
	put_verdict(out, m, refused);
	put_warnings(out, m);
	put_steps(out, m);
	put_phones(out, m);
	put_anchors(out, m);
	put_lists(out, m);
	put_changes(out, m);
	put_records(out, m);
	put_time_line(out, m);
	put_legend(out, m);
	buf_str(out, "</body>\n</html>\n");
	return buf_failed(out, e);
}
