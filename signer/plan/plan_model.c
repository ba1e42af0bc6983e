/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/plan_model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "signer/io/out.h"

#define SVC(name) (1U << PLAN_SERVICE_##name)
#define EXTRA(name) PLAN_EXTRA_##name

static const struct plan_rule rules[] = {
#define PLAN_RULE(kind, event, impact, hits, services, phones, extras, advice) \
	{ PLAN_KIND_##kind, \
	  PLAN_EVENT_##event, \
	  PLAN_IMPACT_##impact, \
	  hits, \
	  services, \
	  PLAN_PHONES_##phones, \
	  extras, \
	  advice },
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
	const char *text, *where;
} services[] = {
#define PLAN_SERVICE(NAME, text, where) { text, where },
#include "signer/plan/plan_rules.def"
#undef PLAN_SERVICE
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

const char *plan_service_text(enum plan_service s)
{
	return services[s].text;
}

const char *plan_service_where(enum plan_service s)
{
	return services[s].where;
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
	struct plan_line *x;

	if (!ARRAY_ROOM(l->v, l->n, l->cap)) {
		l->failed = true;
		buf_truncate(&l->spill.text, 0);
		return &l->spill.text;
	}
	x = &l->v[l->n++];
	*x = (struct plan_line){ .kind = kind, .code = code, .text = BUF_INIT };
	return &x->text;
}

void plan_say(struct plan_lines *l, enum plan_line_kind kind, const char *code, const char *fmt,
	      ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	/* Cut in the middle of a character, the rest is escaped. */
	safe_text(plan_line(l, kind, code), span_str(text));
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
