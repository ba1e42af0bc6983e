/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/list/heard.h"
#include "signer/plan/plan_model.h"
#include "tlv/kind.h"

static void set_word(json_t *o, const char *key, const char *word)
{
	out_json_set(o, key, word != NULL ? json_string(word) : json_null());
}

static void set_buf(json_t *o, const char *key, const struct buf *text)
{
	out_json_set_text(o, key, buf_span(text));
}

static void set_time(json_t *o, const char *key, bool there, int64_t seconds)
{
	char text[32];

	time_iso(seconds, text);
	set_word(o, key, there ? text : NULL);
}

static void append(json_t *a, json_t *value)
{
	(void)json_array_append_new(a, value);
}

json_t *plan_texts_json(const struct plan_lines *l)
{
	json_t *a = json_array();

	for (size_t i = 0; i < l->n; i++)
		append(a, l->v[i].text.n == 0 ?
				  json_string("") :
				  json_stringn((const char *)l->v[i].text.p, l->v[i].text.n));
	return a;
}

static json_t *sources_json(const unsigned *facts, size_t n)
{
	struct span tags[PLAN_SOURCES_MAX];
	size_t found = plan_sources(facts, n, tags);
	json_t *a = json_array();

	for (size_t i = 0; i < found; i++)
		append(a, json_stringn((const char *)tags[i].p, tags[i].n));
	return a;
}

json_t *plan_lines_json(const struct plan_lines *l)
{
	static const char *const kinds[] = {
		[PLAN_LINE_TEXT] = "text",	 [PLAN_LINE_COMMAND] = "command",
		[PLAN_LINE_SUM] = "checksum",	 [PLAN_LINE_NOTE] = "note",
		[PLAN_LINE_WARNING] = "warning", [PLAN_LINE_DANGER] = "danger",
		[PLAN_LINE_ASSUMED] = "assumed",
	};
	json_t *a = json_array();

	for (size_t i = 0; i < l->n; i++) {
		json_t *o = json_object();

		set_word(o, "kind", kinds[l->v[i].kind]);
		set_word(o, "code", l->v[i].code);
		set_buf(o, "text", &l->v[i].text);
		out_json_set(o, "sources", sources_json(&l->v[i].fact, 1));
		append(a, o);
	}
	return a;
}

static json_t *list_json(const struct plan_facts *f)
{
	json_t *o;

	if (f->list == NULL)
		return json_null();
	o = json_object();
	set_buf(o, "name", &f->name);
	out_json_set(o, "size", json_integer((json_int_t)f->list->bytes.n));
	out_json_set(o, "signed", json_boolean(f->is_signed));
	out_json_set_text(o, "signer", tlv_text(f->list->header.signer_name));
	set_word(o, "md5", f->md5[0] != '\0' ? f->md5 : NULL);
	set_word(o, "sha1", f->sha1[0] != '\0' ? f->sha1 : NULL);
	set_word(o, "time", f->time[0] != '\0' ? f->time : NULL);
	set_word(o, "digest", f->list->printed ? NULL : f->digest);
	set_word(o, "style", f->style);
	set_word(o, "mode", f->mode);
	return o;
}

static json_t *impacts_json(const struct plan_model *m)
{
	const struct plan_rule *r;
	json_t *a = json_array();
	size_t i = 0;

	while ((r = plan_next_impact(m, &i)) != NULL) {
		json_t *o = json_object();

		set_word(o, "kind", plan_kind_word(r->kind));
		set_word(o, "event", plan_event_word(r->event));
		out_json_set(o, "what", plan_texts_json(&m->events[r->kind][r->event]));
		set_word(o, "impact", plan_impact_word(r->impact));
		set_word(o, "hits", r->hits);
		set_word(o, "advice", r->advice);
		out_json_set(o, "sources", sources_json(&r->fact, 1));
		append(a, o);
	}
	return a;
}

static json_t *phones_json(const struct plan_model *m)
{
	json_t *a = json_array();

	for (size_t i = 0; i < m->nverdicts; i++) {
		const struct plan_verdict *v = &m->verdicts[i];
		json_t *o = json_object(), *assumed = json_array();
		unsigned facts[PLAN_FACTS_MAX];

		set_word(o, "class", lockout_class_word(v->phones));
		set_word(o, "holds", plan_list_word(v->holds));
		set_word(o, "offered", plan_list_word(v->offered));
		out_json_set(o, "accepted", json_boolean(accept_row(v->a.reason)->accepted));
		set_word(o, "reason", accept_row(v->a.reason)->word);
		for (int k = 0; k < TVS_ASSUMPTIONS; k++)
			if ((v->a.assumptions >> k & 1U) != 0)
				append(assumed,
				       json_string(
					       accept_assumption((enum tvs_assumption)k)->word));
		out_json_set(o, "assumptions", assumed);
		out_json_set(o, "sources", sources_json(facts, plan_verdict_facts(v, facts)));
		out_json_set(o, "on_the_way", json_boolean(v->counts));
		append(a, o);
	}
	return a;
}

/* The answer that decides what phones do with the new list; else the first. */
static const struct tvs_heard *decides(const struct plan_model *m)
{
	for (size_t i = 0; i < m->nverdicts; i++)
		if (m->verdicts[i].a.heard != NULL)
			return m->verdicts[i].a.heard;
	return m->in.tvs.heard;
}

static bool names_others(const struct plan_model *m)
{
	for (size_t i = 0; i < m->nverdicts; i++)
		if (m->verdicts[i].a.tvs.others)
			return true;
	return false;
}

static json_t *anchors_json(const struct plan_model *m)
{
	json_t *a = json_array();

	for (size_t i = 0; i < m->nanchors; i++) {
		const struct plan_anchor *x = &m->anchors[i];
		json_t *o = json_object(), *in = json_array();

		set_buf(o, "name", &x->name);
		out_json_set(o, "serial", out_json_hex_upper(x->serial));
		out_json_set_text(o, "issuer", tlv_text(x->issuer));
		set_word(o, "fate", plan_anchor_fate(x));
		for (int id = 0; id < PLAN_LISTS; id++)
			if (x->in[id])
				append(in, json_string(plan_list_word((enum plan_list_id)id)));
		out_json_set(o, "in", in);
		append(a, o);
	}
	return a;
}

static json_t *records_json(const struct plan_model *m)
{
	json_t *a = json_array();

	for (size_t i = 0; i < m->nrecords; i++) {
		struct plan_record r = plan_record_at(m, i);
		json_t *o = json_object();

		out_json_set(o, "number", json_integer((json_int_t)r.number));
		set_buf(o, "role", &r.role_text);
		set_buf(o, "name", &r.name);
		set_buf(o, "address", &r.address);
		set_buf(o, "subject", &r.subject);
		set_buf(o, "key", &r.key);
		set_time(o, "not_before", r.has_dates, r.not_before);
		set_time(o, "not_after", r.has_dates, r.not_after);
		out_json_set(o, "signed_the_list", json_boolean(r.signs));
		append(a, o);
		plan_record_free(&r);
	}
	return a;
}

json_t *plan_step_json(const struct plan_step *s, size_t *number)
{
	json_t *o = json_object();

	out_json_set(o, "number", s->open ? json_null() : json_integer((json_int_t)++ * number));
	set_word(o, "part", plan_part_word(s->part));
	set_word(o, "code", s->code);
	set_word(o, "stage", s->stage);
	out_json_set(o, "open", json_boolean(s->open));
	set_buf(o, "title", &s->title);
	out_json_set(o, "sources", sources_json(s->facts, s->nfacts));
	out_json_set(o, "lines", plan_lines_json(&s->lines));
	return o;
}

static json_t *steps_json(const struct plan_model *m)
{
	json_t *a = json_array();
	size_t number = 0;

	for (size_t i = 0; i < m->nsteps; i++)
		append(a, plan_step_json(&m->steps[i], &number));
	return a;
}

json_t *plan_json(const struct plan *p)
{
	const struct plan_model *m = p->model;
	json_t *o = json_object(), *lists = json_object();
	struct buf summary = BUF_INIT;

	plan_put_summary(&summary, m);
	out_json_set(o, "accepted", json_boolean(!plan_refused(p)));
	set_buf(o, "summary", &summary);
	out_json_set(o, "resets", json_integer((json_int_t)m->resets));
	set_word(o, "kind", tlv_kind_text(m->itl ? TLV_LIST_ITL : TLV_LIST_CTL));
	set_word(o, "release", m->in.release != NULL ? m->in.release->name : NULL);
	for (int id = 0; id < PLAN_LISTS; id++)
		out_json_set(lists, plan_list_word((enum plan_list_id)id),
			     list_json(&m->facts[id]));
	out_json_set(o, "lists", lists);
	out_json_set(o, "changes", diff_json(&m->diff));
	out_json_set(o, "impacts", impacts_json(m));
	out_json_set(o, "phones", phones_json(m));
	out_json_set(o, "assumptions", plan_lines_json(&m->assumptions));
	out_json_set(o, "asked", heard_json(decides(m)));
	out_json_set(o, "answers", heard_all_json(m->in.tvs.heard));
	out_json_set(o, "not_asked", heard_hosts_json(m->in.not_asked));
	out_json_set(o, "other_tvs", json_boolean(names_others(m)));
	out_json_set(o, "anchors", anchors_json(m));
	out_json_set(o, "warnings", plan_lines_json(&m->warnings));
	out_json_set(o, "records", records_json(m));
	out_json_set(o, "steps", steps_json(m));
	buf_free(&summary);
	return o;
}
