/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/plan_page.h"

#include "signer/io/env.h"
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
	".track.phases{height:1.5rem}.track.phases span{color:var(--paper);font-size:.82rem;"
	"line-height:1.4rem;text-align:center}\n"
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
void page_put(struct buf *b, struct span s)
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

void page_flush(struct buf *b, struct buf *text)
{
	page_put(b, buf_span(text));
	b->failed = b->failed != ST_OK ? b->failed : text->failed;
	buf_free(text);
}

void page_begin(struct buf *b, struct span title, bool refused)
{
	buf_str(b, head);
	buf_str(b, refused ? "<title>REFUSED. " : "<title>");
	page_put(b, title);
	buf_str(b, "</title>\n");
	buf_str(b, style);
	buf_str(b,
		refused ? "</head>\n<body>\n<h1 class=\"bad\">REFUSED. " : "</head>\n<body>\n<h1>");
}

void page_made(struct buf *b, int64_t now, const struct release *release)
{
	char when[32];

	time_iso(now, when);
	buf_printf(b, "</h1>\n<p class=\"soft\">Made %s", when);
	if (release != NULL) {
		buf_str(b, "; lists as CUCM ");
		page_put(b, span_str(release->name));
		buf_str(b, " has them");
	}
	buf_str(b, ".</p>\n");
}

void page_end(struct buf *b)
{
	buf_str(b, "</body>\n</html>\n");
}

void page_tags(struct buf *b, const unsigned *facts, size_t n)
{
	struct buf tags = BUF_INIT;

	plan_put_sources(&tags, facts, n);
	if (tags.n > 0) {
		buf_str(b, "<span class=\"source\">");
		page_put(b, buf_span(&tags));
		buf_str(b, "</span>");
	}
	b->failed = b->failed != ST_OK ? b->failed : tags.failed;
	buf_free(&tags);
}

void page_note(struct buf *b, const struct plan_line *l, const struct plan_step *s)
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
	page_put(b, buf_span(&l->text));
	if (s == NULL || !plan_sources_within(l->fact, s->facts, s->nfacts))
		page_tags(b, &l->fact, 1);
	buf_str(b, "</p>\n");
}

static void put_step_line(struct buf *b, const struct plan_line *l, const struct plan_step *s)
{
	switch (l->kind) {
	case PLAN_LINE_COMMAND:
		buf_str(b, "<p><code>");
		page_put(b, buf_span(&l->text));
		buf_str(b, "</code></p>\n");
		break;
	case PLAN_LINE_SUM:
		buf_str(b, "<p class=\"mono\">");
		page_put(b, buf_span(&l->text));
		buf_str(b, "</p>\n");
		break;
	case PLAN_LINE_TEXT:
		/* Each node is ticked for itself. */
		buf_str(b, l->code != NULL ? "<p><label><input type=\"checkbox\"> " : "<p>");
		page_put(b, buf_span(&l->text));
		if (l->code == NULL && !plan_sources_within(l->fact, s->facts, s->nfacts))
			page_tags(b, &l->fact, 1);
		buf_str(b, l->code != NULL ? "</label></p>\n" : "</p>\n");
		break;
	case PLAN_LINE_NOTE:
	case PLAN_LINE_ASSUMED:
	case PLAN_LINE_WARNING:
	case PLAN_LINE_DANGER:
		page_note(b, l, s);
		break;
	}
}

void page_step(struct buf *b, const struct plan_step *s, size_t at, size_t *number)
{
	buf_printf(b, "<li><input type=\"checkbox\" aria-label=\"done: step %zu\">", at + 1);
	if (s->open)
		buf_str(b, "<span class=\"number warn\">?</span>");
	else
		buf_printf(b, "<span class=\"number\">%zu.</span>", ++*number);
	buf_str(b, "<div><p class=\"title\">");
	page_put(b, buf_span(&s->title));
	page_tags(b, s->facts, s->nfacts);
	buf_str(b, s->open ? " <span class=\"tag warn\">open</span></p>\n" : "</p>\n");
	for (size_t j = 0; j < s->lines.n; j++)
		put_step_line(b, &s->lines.v[j], s);
	buf_str(b, "</div></li>\n");
}

void page_steps(struct buf *b, const struct plan_step *steps, size_t n)
{
	size_t number = 0;

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || steps[i].part != steps[i - 1].part) {
			buf_str(b, i > 0 ? "</ol>\n" : "");
			buf_printf(b, "<h2>%s</h2>\n<ol class=\"steps\">\n",
				   plan_part_heading(steps[i].part));
		}
		page_step(b, &steps[i], i, &number);
	}
	buf_str(b, n > 0 ? "</ol>\n" : "");
}

void page_items(struct buf *b, const char *look, const struct plan_lines *l)
{
	buf_str(b, "<ul");
	if (look != NULL)
		buf_printf(b, " class=\"%s\"", look);
	buf_str(b, ">\n");
	for (size_t i = 0; i < l->n; i++) {
		buf_str(b, "<li>");
		page_put(b, buf_span(&l->v[i].text));
		page_tags(b, &l->v[i].fact, 1);
		buf_str(b, "</li>\n");
	}
	buf_str(b, "</ul>\n");
}

void page_percent(struct buf *b, const char *property, unsigned tenths)
{
	buf_printf(b, "%s:%u.%u%%;", property, tenths / 10, tenths % 10);
}

void page_legend(struct buf *b, const struct span *tags, size_t n)
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

	buf_str(b, "<h2>Legend</h2>\n<ul class=\"soft\">\n");
	for (size_t i = 0; i < COUNT(words); i++)
		buf_printf(b, "<li><b>%s</b>: %s</li>\n", words[i][0], words[i][1]);
	for (size_t i = 0; i < n; i++) {
		buf_str(b, "<li><b>[");
		page_put(b, tags[i]);
		buf_str(b, "]</b> ");
		page_put(b, span_str(plan_source_text(tags[i])));
		buf_str(b, "</li>\n");
	}
	buf_str(b, "</ul>\n");
}
