/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/plan_model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signer/io/out.h"
#include "tlv/sentence.h"

static const struct plan_rule rules[] = {
#define PLAN_RULE(kind, event, impact, hits, procedure, advice, fact) \
	{ PLAN_KIND_##kind, \
	  PLAN_EVENT_##event, \
	  PLAN_IMPACT_##impact, \
	  hits, \
	  PLAN_PROCEDURE_##procedure, \
	  advice, \
	  FACT_##fact },
#include "signer/plan/plan_rules.def"
#undef PLAN_RULE
};

static const struct {
	const char *word, *text;
} kinds[] = {
#define PLAN_KIND(NAME, word, text) { word, text },
#include "signer/plan/plan_rules.def"
#undef PLAN_KIND
};

static const struct {
	const char *word, *text;
} events[] = {
#define PLAN_EVENT(NAME, word, text) { word, text },
#include "signer/plan/plan_rules.def"
#undef PLAN_EVENT
};

static const struct {
	const char *word, *heading;
} parts[] = {
#define PLAN_PART(NAME, word, heading) { word, heading },
#include "signer/plan/plan_steps.def"
#undef PLAN_PART
};

static const struct {
	const char *word, *text;
} lists[] = {
	[PLAN_OLD] = { "old", "the old list" },
	[PLAN_BRIDGE] = { "bridge", "the bridge" },
	[PLAN_NEW] = { "new", "the new list" },
	[PLAN_WAY_BACK] = { "way-back", "the way-back list" },
	[PLAN_NOTHING] = { "nothing", "no list" },
};

const struct plan_rule *plan_rules(size_t *n)
{
	*n = COUNT(rules);
	return rules;
}

const struct plan_rule *plan_next_impact(const struct plan_model *m, size_t *i)
{
	while (*i < COUNT(rules)) {
		const struct plan_rule *r = &rules[(*i)++];

		if (m->counts[r->kind][r->event] > 0 && r->impact != PLAN_IMPACT_NO)
			return r;
	}
	return NULL;
}

const struct plan_rule *plan_rule_of(enum plan_kind k, enum plan_event v)
{
	size_t n;
	const struct plan_rule *r = plan_rules(&n);

	for (size_t i = 0; i < n; i++)
		if (r[i].kind == k && r[i].event == v)
			return &r[i];
	return NULL;
}

const char *plan_kind_word(enum plan_kind k)
{
	return kinds[k].word;
}

const char *plan_kind_text(enum plan_kind k)
{
	return kinds[k].text;
}

const char *plan_event_word(enum plan_event v)
{
	return events[v].word;
}

const char *plan_event_text(enum plan_event v)
{
	return events[v].text;
}

const char *plan_impact_word(enum plan_impact i)
{
	static const char *const words[] = { "none", "low", "medium", "high" };

	return words[i];
}

const char *plan_part_word(enum plan_part p)
{
	return parts[p].word;
}

const char *plan_part_heading(enum plan_part p)
{
	return parts[p].heading;
}

const char *plan_list_word(enum plan_list_id id)
{
	return lists[id].word;
}

const char *plan_list_text(enum plan_list_id id)
{
	return lists[id].text;
}

struct buf *plan_line(struct plan_lines *l, enum plan_line_kind kind, const char *code)
{
	return plan_fact_line(l, kind, code, FACT_OWN);
}

struct buf *plan_fact_line(struct plan_lines *l, enum plan_line_kind kind, const char *code,
			   unsigned fact)
{
	struct plan_line *x;

	if (!ARRAY_ROOM(l->v, l->n, l->cap)) {
		l->failed = true;
		buf_truncate(&l->spill.text, 0);
		return &l->spill.text;
	}
	x = &l->v[l->n++];
	*x = (struct plan_line){ .kind = kind, .code = code, .fact = fact, .text = BUF_INIT };
	return &x->text;
}

void plan_say(struct plan_lines *l, enum plan_line_kind kind, const char *code, const char *fmt,
	      ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	sentence_format(text, sizeof text, fmt, ap);
	va_end(ap);
	buf_str(plan_line(l, kind, code), text);
}

/* The word in braces in front of the text; NULL if there is none that is known. */
static const struct plan_word *word_at(const char *text, const struct plan_word *words, size_t n)
{
	for (size_t i = 0; text[0] == '{' && i < n; i++) {
		size_t length = strlen(words[i].name);

		if (strncmp(text + 1, words[i].name, length) == 0 && text[length + 1] == '}')
			return &words[i];
	}
	return NULL;
}

void plan_expand(struct buf *b, const char *text, const struct plan_word *words, size_t n)
{
	while (*text != '\0') {
		const struct plan_word *w = word_at(text, words, n);

		if (w != NULL) {
			buf_put(b, w->text);
			text += strlen(w->name) + 2;
		} else {
			buf_u8(b, (uint8_t)*text++);
		}
	}
}

void plan_label(struct plan_lines *l, const struct buf *text)
{
	if (l->n >= PLAN_LABELS_MAX)
		return;
	for (size_t i = 0; i < l->n; i++)
		if (span_eq(buf_span(&l->v[i].text), buf_span(text)))
			return;
	buf_put(plan_line(l, PLAN_LINE_TEXT, NULL), buf_span(text));
}

bool plan_lines_failed(const struct plan_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].text.failed != ST_OK)
			return true;
	return l->failed;
}

void plan_lines_free(struct plan_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		buf_free(&l->v[i].text);
	buf_free(&l->spill.text);
	free(l->v);
	*l = (struct plan_lines){ .n = 0 };
}
