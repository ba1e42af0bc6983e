/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "signer/plan/plan_model.h"

static const struct {
	const char *tag, *text;
} known[] = {
#define SOURCE(tag, text) { tag, text },
#include "signer/trust/facts.def"
#undef SOURCE
};

const char *plan_source_text(struct span tag)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (span_eq(tag, span_str(known[i].tag)))
			return known[i].text;
	return "";
}

/* 'utils ctl' and other quotations stay as they are. */
void plan_put_fact(struct buf *b, unsigned fact)
{
	const char *text = fact_row((enum fact_id)fact).text;

	if (*text >= 'a' && *text <= 'z')
		buf_u8(b, (uint8_t)(*text++ - 'a' + 'A'));
	buf_str(b, text);
	buf_u8(b, '.');
}

static size_t add_tag(struct span tags[PLAN_SOURCES_MAX], size_t n, struct span tag)
{
	for (size_t i = 0; i < n; i++)
		if (span_eq(tags[i], tag))
			return n;
	if (n < PLAN_SOURCES_MAX)
		tags[n++] = tag;
	return n;
}

size_t plan_add_sources(const unsigned *facts, size_t n, struct span tags[PLAN_SOURCES_MAX],
			size_t found)
{
	for (size_t i = 0; i < n; i++) {
		const char *s =
			facts[i] == FACT_OWN ? "" : fact_row((enum fact_id)facts[i]).sources;

		while (*s != '\0') {
			size_t length = strcspn(s, ",");

			found = add_tag(tags, found, span_of(s, length));
			s += length;
			s += strspn(s, ", ");
		}
	}
	return found;
}

size_t plan_sources(const unsigned *facts, size_t n, struct span tags[PLAN_SOURCES_MAX])
{
	return plan_add_sources(facts, n, tags, 0);
}

bool plan_sources_within(unsigned fact, const unsigned *facts, size_t n)
{
	struct span tags[PLAN_SOURCES_MAX];
	size_t had = plan_sources(facts, n, tags);

	return plan_add_sources(&fact, 1, tags, had) == had;
}

size_t plan_add_lines_sources(const struct plan_lines *l, struct span tags[PLAN_SOURCES_MAX],
			      size_t found)
{
	for (size_t i = 0; i < l->n; i++)
		found = plan_add_sources(&l->v[i].fact, 1, tags, found);
	return found;
}

size_t plan_add_step_sources(const struct plan_step *s, struct span tags[PLAN_SOURCES_MAX],
			     size_t found)
{
	found = plan_add_sources(s->facts, s->nfacts, tags, found);
	return plan_add_lines_sources(&s->lines, tags, found);
}

size_t plan_all_sources(const struct plan_model *m, struct span tags[PLAN_SOURCES_MAX])
{
	const struct plan_rule *r;
	size_t i = 0, found = 0;

	while ((r = plan_next_impact(m, &i)) != NULL)
		found = plan_add_sources(&r->fact, 1, tags, found);
	found = plan_add_lines_sources(&m->warnings, tags, found);
	for (i = 0; i < m->nsteps; i++)
		found = plan_add_step_sources(&m->steps[i], tags, found);
	for (i = 0; i < m->nverdicts; i++) {
		unsigned facts[PLAN_FACTS_MAX];
		size_t n = plan_verdict_facts(&m->verdicts[i], facts);

		found = plan_add_sources(facts, n, tags, found);
	}
	found = plan_add_lines_sources(&m->asked, tags, found);
	return plan_add_lines_sources(&m->assumptions, tags, found);
}

void plan_put_sources(struct buf *b, const unsigned *facts, size_t n)
{
	struct span tags[PLAN_SOURCES_MAX];
	size_t found = plan_sources(facts, n, tags);

	for (size_t i = 0; i < found; i++) {
		buf_str(b, i == 0 ? " [" : ", ");
		buf_put(b, tags[i]);
	}
	buf_str(b, found > 0 ? "]" : "");
}
