/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "signer/plan/recover/recover.h"

static void put_lines(struct buf *b, const char *first, const struct plan_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		plan_put_line(b, first, &l->v[i], NULL);
}

static void put_holder(struct buf *b, const struct recovery *r, size_t holder)
{
	const struct recover_holder *h = &r->holders[holder];
	struct buf text = BUF_INIT;
	char first[32];

	(void)snprintf(first, sizeof first, "  Phones %zu: ", holder + 1);
	recover_put_holder(&text, r, holder);
	plan_flush(b, first, &text);
	put_lines(b, "      - ", &h->does);
	if (h->takes_today)
		return;
	buf_str(b, "      They take a list that one of these keys signs:\n");
	put_lines(b, "      - ", &h->knows);
	buf_str(b, "      What helps them, the cheapest first:\n");
	put_lines(b, "      - ", &h->helps);
}

static void put_steps(struct buf *b, const struct recovery *r)
{
	size_t number = 0;

	for (size_t i = 0; i < r->nsteps; i++) {
		if (i == 0 || r->steps[i].part != r->steps[i - 1].part)
			buf_printf(b, "\n%s\n", plan_part_heading(r->steps[i].part));
		plan_put_step(b, &r->steps[i], &number);
	}
}

static void put_verdict(struct buf *b, const struct recovery *r)
{
	struct buf text = BUF_INIT;

	recover_put_summary(&text, r);
	buf_str(&text, ".");
	buf_str(b, "Verdict\n");
	plan_flush(b, "  ", &text);
}

void recover_text(const struct recovery *r, struct buf *out)
{
	struct span tags[PLAN_SOURCES_MAX];
	size_t n = recover_sources(r, tags);

	buf_printf(out, "Plan: recover phones, in CUCM %s\n\n", r->in.c->release->name);
	put_verdict(out, r);
	buf_str(out, "\nPhones\n");
	for (size_t i = 0; i < r->nholders; i++)
		put_holder(out, r, i);
	put_steps(out, r);
	buf_printf(out, "\nWhat this rests on\n");
	plan_put_wrapped(out, "  - ", span_str(recover_proof_text()));
	put_lines(out, "  assumed: ", &r->assumed);
	plan_put_legend(out, tags, n);
	buf_str(out, "\n");
	recover_put_summary(out, r);
	buf_str(out, "\n");
}
