/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/plan_page.h"
#include "signer/plan/recover/recover.h"

static void put_title(struct buf *b, const struct recovery *r)
{
	static const char title[] = "Plan: recover phones";

	page_begin(b, span_str(title), recover_refused(r));
	page_put(b, span_str(title));
	page_made(b, r->in.time, r->in.c->release);
}

static void put_verdict(struct buf *b, const struct recovery *r)
{
	struct buf text = BUF_INIT;

	buf_printf(b, "<h2>Verdict</h2>\n<p class=\"banner %s\">",
		   recover_refused(r) ? "bad" : "good");
	recover_put_summary(&text, r);
	page_flush(b, &text);
	buf_str(b, ".</p>\n<p>");
	page_put(b, span_str(recover_proof_text()));
	buf_str(b, "</p>\n");
}

static void put_list(struct buf *b, const char *heading, const struct plan_lines *l)
{
	if (l->n == 0)
		return;
	if (heading != NULL)
		buf_printf(b, "<p>%s</p>\n", heading);
	page_items(b, NULL, l);
}

static void put_holder(struct buf *b, const struct recovery *r, size_t holder)
{
	const struct recover_holder *h = &r->holders[holder];
	struct buf text = BUF_INIT;

	buf_printf(b, "<div class=\"card\"><h3>Phones %zu: ", holder + 1);
	recover_put_holder(&text, r, holder);
	page_flush(b, &text);
	buf_str(b, "</h3>\n");
	put_list(b, NULL, &h->does);
	put_list(b, "They take a list that one of these keys signs:", &h->knows);
	put_list(b, "What helps them, the cheapest first:", &h->helps);
	buf_str(b, "</div>\n");
}

enum status recover_html(const struct recovery *r, struct buf *out, struct tlv_err *e)
{
	struct span tags[PLAN_SOURCES_MAX];
	size_t n = recover_sources(r, tags);

	put_title(out, r);
	put_verdict(out, r);
	buf_str(out, "<h2>Phones</h2>\n");
	for (size_t i = 0; i < r->nholders; i++)
		put_holder(out, r, i);
	page_steps(out, r->steps, r->nsteps);
	buf_str(out, "<h2>What this rests on</h2>\n");
	put_list(out, NULL, &r->assumed);
	page_legend(out, tags, n);
	page_end(out);
	return buf_failed(out, e);
}
