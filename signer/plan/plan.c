/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "signer/io/out.h"
#include "signer/plan/plan_model.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
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

	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 8 : l->cap * 2;
		struct plan_line *grown = reallocarray(l->v, cap, sizeof *grown);

		if (grown == NULL) {
			l->failed = true;
			buf_truncate(&l->spill.text, 0);
			return &l->spill.text;
		}
		l->v = grown;
		l->cap = cap;
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

static bool lines_failed(const struct plan_lines *l)
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

/* A text that memory cut is not shown as if it were whole. */
static bool ran_out(const struct plan_model *m)
{
	bool bad = m->failed || lines_failed(&m->changes) || lines_failed(&m->warnings) ||
		   lines_failed(&m->assumptions);

	for (size_t k = 0; k < PLAN_KINDS; k++)
		for (size_t v = 0; v < PLAN_EVENTS; v++)
			bad = bad || lines_failed(&m->events[k][v]);
	for (size_t i = 0; i < m->nsteps; i++)
		bad = bad || m->steps[i].title.failed != ST_OK || lines_failed(&m->steps[i].lines);
	return bad;
}

static enum status check_kinds(const struct plan_input *in, struct tlv_err *e)
{
	bool itl = tlv_list_is_itl(in->old_list);

	if (itl == tlv_list_is_itl(in->new_list))
		return ST_OK;
	return err_set(e, ST_USAGE,
		       "the old list is %s and the new one %s: a plan goes from one to another of "
		       "its kind",
		       itl ? "an ITL" : "a CTL", itl ? "a CTL" : "an ITL");
}

static void take_line(void *arg, const char *line)
{
	buf_str(plan_line(arg, PLAN_LINE_TEXT, NULL), line);
}

static enum status note_changes(struct plan_model *m, struct tlv_err *e)
{
	enum status st = diff_lists(&m->diff, m->in.old_list, m->in.new_list, e);

	return st == ST_OK ? diff_print(&m->diff, take_line, &m->changes, e) : st;
}

enum status plan_make(struct plan *out, const struct plan_input *in, struct tlv_err *e)
{
	struct plan_model *m = calloc(1, sizeof *m);
	enum status st;

	out->model = m;
	if (m == NULL)
		return err_nomem(e);
	m->in = *in;
	m->itl = tlv_list_is_itl(in->new_list);
	st = check_kinds(in, e);
	if (st == ST_OK)
		st = plan_note_facts(m, e);
	if (st == ST_OK)
		st = note_changes(m, e);
	if (st == ST_OK)
		st = plan_note_records(m, e);
	if (st != ST_OK)
		return st;
	plan_note_events(m);
	plan_note_anchors(m);
	plan_note_verdicts(m);
	st = plan_note_warnings(m, e);
	plan_note_steps(m);
	return st == ST_OK && ran_out(m) ? err_nomem(e) : st;
}

bool plan_refuses(const struct plan *p, enum lockout_class phones)
{
	return p->model->refuses[phones];
}

bool plan_refused(const struct plan *p)
{
	return plan_refuses(p, LOCKOUT_SBD) || plan_refuses(p, LOCKOUT_NO_SBD);
}

static void records_free(struct plan_model *m)
{
	for (size_t i = 0; i < m->nrecords; i++) {
		struct plan_record *r = &m->records[i];

		buf_free(&r->role_text);
		buf_free(&r->name);
		buf_free(&r->subject);
		buf_free(&r->address);
		buf_free(&r->key);
	}
	free(m->records);
}

static void steps_free(struct plan_model *m)
{
	for (size_t i = 0; i < m->nsteps; i++) {
		buf_free(&m->steps[i].title);
		plan_lines_free(&m->steps[i].lines);
	}
	free(m->steps);
	buf_free(&m->spill.title);
	plan_lines_free(&m->spill.lines);
}

void plan_free(struct plan *p)
{
	struct plan_model *m = p->model;

	if (m == NULL)
		return;
	for (size_t i = 0; i < PLAN_LISTS; i++) {
		buf_free(&m->facts[i].name);
		buf_free(&m->facts[i].signer);
	}
	for (size_t k = 0; k < PLAN_KINDS; k++)
		for (size_t v = 0; v < PLAN_EVENTS; v++)
			plan_lines_free(&m->events[k][v]);
	for (size_t i = 0; i < m->nanchors; i++)
		buf_free(&m->anchors[i].name);
	free(m->anchors);
	records_free(m);
	steps_free(m);
	plan_lines_free(&m->changes);
	plan_lines_free(&m->warnings);
	plan_lines_free(&m->assumptions);
	diff_free(&m->diff);
	free(m);
	p->model = NULL;
}
