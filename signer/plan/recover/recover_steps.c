/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/env.h"
#include "signer/plan/recover/recover.h"
#include "tlv/safe.h"

/* The tables of recover_ways.def are read here; nothing of a step is written here. */
#define W(name) (1U << RECOVER_WHEN_##name)

enum step_id {
#define RECOVER_STEP(NAME, way, code, part, when, title, fact) STEP_##NAME,
#include "signer/plan/recover/recover_ways.def"
#undef RECOVER_STEP
};

static const struct {
	enum recover_way_id way;
	const char *code, *title;
	enum plan_part part;
	unsigned when;
	enum fact_id fact;
} rows[] = {
#define RECOVER_STEP(NAME, way, code, part, when, title, fact) \
	{ RECOVER_WAY_##way, code, title, PLAN_PART_##part, when, FACT_##fact },
#include "signer/plan/recover/recover_ways.def"
#undef RECOVER_STEP
};

static const struct {
	enum step_id id;
	unsigned when;
	enum plan_line_kind kind;
	const char *text; /* NULL: the fact's own words */
	unsigned fact;
} lines[] = {
#define RECOVER_SAY(NAME, when, kind, text, fact) \
	{ STEP_##NAME, when, PLAN_LINE_##kind, text, FACT_##fact },
#define RECOVER_FACT(NAME, when, kind, fact) \
	{ STEP_##NAME, when, PLAN_LINE_##kind, NULL, FACT_##fact },
#include "signer/plan/recover/recover_ways.def"
#undef RECOVER_SAY
#undef RECOVER_FACT
};

/* The words in braces; which of them has a text depends on the way. */
struct words {
	struct buf phones, key, lists, since;
};

static void words_free(struct words *w)
{
	buf_free(&w->phones);
	buf_free(&w->key);
	buf_free(&w->lists);
	buf_free(&w->since);
}

/* "phones 1, 3 and 4", as the plan numbers them. */
static void put_phones(struct buf *b, const struct recovery *r, size_t way)
{
	size_t left = 0, n = 0;

	for (size_t i = 0; i < r->nholders; i++)
		left += r->freed[way][i];
	for (size_t i = 0; i < r->nholders; i++) {
		if (!r->freed[way][i])
			continue;
		left--;
		buf_str(b, n == 0 ? "phones " : left == 0 ? " and " : ", ");
		buf_printf(b, "%zu", i + 1);
		n++;
	}
}

/* The latest of the lists: a backup from before it has an older one. */
static void put_since(struct buf *b, const struct recovery *r, const struct recover_way *w)
{
	const struct recover_holder *h = &r->holders[w->holder];
	uint32_t time = h->ctl != NULL ? h->ctl->header.timestamp : 0;
	char text[32];

	if (recover_is_of_a_former_node(r, h) && h->itl->header.timestamp > time)
		time = h->itl->header.timestamp;
	for (size_t i = 0; i < r->in.c->nnodes; i++) {
		const struct tlv_list *itl =
			w->back[i] < RECOVER_HOLDERS_MAX ? r->holders[w->back[i]].itl : NULL;

		if (itl != NULL && itl->header.timestamp > time)
			time = itl->header.timestamp;
	}
	time_iso(time, text);
	buf_str(b, time != 0 ? text : "a time that is not known");
}

static void fill_words(struct words *out, const struct recovery *r, size_t way)
{
	const struct recover_way *w = &r->ways[r->chosen[way]];

	*out = (struct words){ .phones = BUF_INIT };
	put_phones(&out->phones, r, way);
	if (recover_row(w->id)->keys != RECOVER_KEYS_NONE)
		recover_put_key(&out->key, r, &w->key);
	if (w->id != RECOVER_WAY_BACKUP)
		return;
	recover_put_backup(&out->lists, r, w);
	put_since(&out->since, r, w);
}

static void put_text(struct buf *b, const char *text, const struct words *w)
{
	const struct plan_word words[] = {
		{ "phones", buf_span(&w->phones) },
		{ "key", buf_span(&w->key) },
		{ "lists", buf_span(&w->lists) },
		{ "since", buf_span(&w->since) },
	};

	plan_expand(b, text, words, COUNT(words));
}

static void put_line(struct plan_step *x, size_t i, const struct words *w)
{
	struct buf *b = plan_fact_line(&x->lines, lines[i].kind, NULL, lines[i].fact);

	if (lines[i].text == NULL)
		plan_put_fact(b, lines[i].fact);
	else
		put_text(b, lines[i].text, w);
}

static void put_step(struct recovery *r, size_t row, unsigned when, const struct words *w)
{
	struct plan_step *x;

	if (!ARRAY_ROOM(r->steps, r->nsteps, r->steps_cap)) {
		r->failed = true;
		return;
	}
	x = &r->steps[r->nsteps++];
	*x = (struct plan_step){ .code = rows[row].code,
				 .part = rows[row].part,
				 .facts = { rows[row].fact },
				 .nfacts = 1,
				 .open = fact_row(rows[row].fact).open };
	put_text(&x->title, rows[row].title, w);
	for (size_t i = 0; i < COUNT(lines); i++)
		if (lines[i].id == row && (lines[i].when & ~when) == 0)
			put_line(x, i, w);
	r->failed |= plan_lines_failed(&x->lines) || x->title.failed != ST_OK;
}

static void put_rows(struct recovery *r, enum recover_way_id way, enum plan_part part,
		     unsigned when, const struct words *w)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].way == way && rows[i].part == part && (rows[i].when & ~when) == 0)
			put_step(r, i, when, w);
}

/*
 * The lists that are left to write. For the first way: all that are due. For others: those that the
 * way itself changed.
 */
static unsigned conditions(const struct recovery *r, size_t way)
{
	const struct recover_way *w = &r->ways[r->chosen[way]];
	const struct recover_row *row = recover_row(w->id);
	unsigned when = r->when;

	when |= (r->writes_ctl && way == 0) || row->ctl != RECOVER_KEPT ? W(WRITES_CTL) : 0;
	when |= (r->writes_itl && way == 0) || row->itl != RECOVER_KEPT ? W(WRITES_ITL) : 0;
	if (row->keys != RECOVER_KEYS_NONE)
		when |= w->place == RECOVER_KEY_CLUSTER ? W(KEY_HERE) : W(KEY_GONE);
	return when | (row->ctl != RECOVER_KEPT || row->itl != RECOVER_KEPT ? W(TWO_LISTS) : 0);
}

static void put_way(struct recovery *r, size_t way)
{
	const struct recover_way *w = &r->ways[r->chosen[way]];
	unsigned when = conditions(r, way);
	struct words words;

	fill_words(&words, r, way);
	put_rows(r, w->id, PLAN_PART_STEPS, when, &words);
	/* A backup brings its own lists. */
	if (w->id != RECOVER_WAY_BACKUP)
		put_rows(r, RECOVER_WAY_LAST, PLAN_PART_STEPS, when, &words);
	words_free(&words);
}

static unsigned conditions_of_all(const struct recovery *r)
{
	unsigned when = r->when;

	for (size_t i = 0; i < r->nchosen; i++)
		when |= conditions(r, i);
	/* If tokens sign, the CTL Client writes it. */
	if ((when & W(WRITES_CTL)) != 0 && (when & W(TOKENLESS)) != 0)
		when |= W(USES_CTL_COMMAND);
	return when;
}

void recover_note_steps(struct recovery *r)
{
	const struct words none = { .phones = BUF_INIT };
	unsigned all = conditions_of_all(r);

	if (r->nchosen == 0)
		return;
	put_rows(r, RECOVER_WAY_EVERY, PLAN_PART_BEFORE, all, &none);
	for (size_t i = 0; i < r->nchosen; i++)
		put_way(r, i);
	put_rows(r, RECOVER_WAY_EVERY, PLAN_PART_CHECKS, all, &none);
}
