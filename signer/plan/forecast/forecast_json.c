/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/out.h"
#include "signer/plan/forecast/forecast.h"

static void append(json_t *a, json_t *value)
{
	(void)json_array_append_new(a, value);
}

static void set_node(json_t *o, const char *key, const struct forecast *f, size_t node)
{
	struct buf b = BUF_INIT;

	forecast_put_node(&b, f, node);
	out_json_set_text(o, key, buf_span(&b));
	buf_free(&b);
}

/* Each rule once by which it takes the CTL and the nodes' ITLs; of a refusal, its rule alone. */
static json_t *reasons_json(const struct search_verdict *v)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < ACCEPT_REASONS; i++)
		if ((v->reasons >> i & 1U) != 0)
			append(a, json_string(accept_row((enum accept_reason)i)->word));
	return a;
}

static json_t *assumed_json(const struct search_verdict *v)
{
	json_t *a = json_array();

	for (int i = 0; i < TVS_ASSUMPTIONS; i++)
		if ((v->assumptions >> i & 1U) != 0)
			append(a, json_string(accept_assumption((enum tvs_assumption)i)->word));
	return a;
}

static json_t *phone_json(const struct forecast *f, const struct search_stage *x,
			  enum crowd_class p)
{
	const struct search_verdict *v = &x->verdict[p];
	json_t *o = json_object();

	out_json_set(o, "class", json_string(crowd_row(p)->word));
	out_json_set(o, "accepted", json_boolean(!v->refused));
	out_json_set(o, "reason",
		     v->answer.offered ? json_string(accept_row(crowd_reason(&v->answer))->word) :
					 json_null());
	out_json_set(o, "reasons", reasons_json(v));
	out_json_set(o, "assumptions", assumed_json(v));
	out_json_set(o, "by_tvs", json_boolean(v->by_tvs));
	if (v->refused && v->is_itl)
		set_node(o, "node", f, v->node);
	else
		out_json_set(o, "node", json_null());
	out_json_set(o, "must_not_miss", json_boolean(x->gate[p]));
	return o;
}

static json_t *stages_json(const struct forecast *f, size_t phase)
{
	json_t *a = json_array();

	for (size_t i = 0; i < f->search.nstages; i++) {
		const struct search_stage *x = &f->search.stages[i];
		json_t *o, *phones;

		if (x->phase != phase)
			continue;
		o = json_object();
		phones = json_array();
		out_json_set(o, "writes_ctl", json_boolean(x->writes_ctl));
		out_json_set(o, "writes_itl", json_boolean(x->rule->itl != STAGE_KEPT));
		for (int p = 0; p < CROWD_CLASSES; p++)
			if (x->verdict[p].exists)
				append(phones, phone_json(f, x, (enum crowd_class)p));
		out_json_set(o, "phones", phones);
		append(a, o);
	}
	return a;
}

static json_t *steps_json(const struct forecast *f, size_t phase, size_t *number)
{
	const struct plan_model *m = f->plans[phase].model;
	json_t *a = json_array();

	for (size_t i = 0; i < m->nsteps; i++)
		if (forecast_has_step(f, phase, &m->steps[i]))
			append(a, plan_step_json(&m->steps[i], number));
	return a;
}

/* What to wait for; null behind the last phase. */
static json_t *gate_json(const struct plan_lines *gate)
{
	json_t *all = plan_lines_json(gate), *one = json_null();

	if (json_array_size(all) > 0)
		one = json_incref(json_array_get(all, 0));
	json_decref(all);
	return one;
}

static json_t *phases_json(const struct forecast *f)
{
	static const char *const parts[] = { "all", "publisher", "others" };
	json_t *a = json_array();
	size_t number = 0;

	for (size_t i = 0; i < f->search.nphases; i++) {
		json_t *o = json_object();
		unsigned fact;

		out_json_set(o, "act", json_string(search_act_row(f->search.phases[i].act)->word));
		out_json_set(o, "renews",
			     f->search.phases[i].act == SEARCH_RENEW ?
				     json_string(plan_kind_word(f->search.phases[i].kind)) :
				     json_null());
		out_json_set(o, "part", json_string(parts[f->search.phases[i].part]));
		out_json_set(o, "resets", json_integer((json_int_t)f->plans[i].model->resets));
		out_json_set(o, "restarts", plan_texts_json(&f->restarts[i]));
		out_json_set(o, "hits", json_string(forecast_hits(f, i, &fact)));
		out_json_set(o, "lists", stages_json(f, i));
		out_json_set(o, "steps", steps_json(f, i, &number));
		out_json_set(o, "gate", gate_json(&f->gates[i]));
		append(a, o);
	}
	return a;
}

static json_t *assumptions_json(const struct forecast *f)
{
	json_t *a = plan_lines_json(&f->doubts), *rest = plan_lines_json(&f->assumed);

	(void)json_array_extend(a, rest);
	json_decref(rest);
	return a;
}

json_t *forecast_json(const struct forecast *f)
{
	json_t *o = json_object(), *search = json_object(), *remedies = json_array();
	struct buf summary = BUF_INIT;

	forecast_put_summary(&summary, f);
	out_json_set(o, "accepted", json_boolean(!search_refused(&f->search)));
	out_json_set_text(o, "summary", buf_span(&summary));
	out_json_set(o, "release", json_string(f->c->release->name));
	out_json_set(search, "orders", json_integer((json_int_t)f->search.orders));
	out_json_set(search, "steps", json_integer((json_int_t)f->search.steps));
	out_json_set(search, "publisher_apart", json_boolean(f->search.split));
	out_json_set(o, "search", search);
	out_json_set(o, "phases", phases_json(f));
	out_json_set(o, "dangers", plan_lines_json(&f->dangers));
	out_json_set(o, "warnings", plan_lines_json(&f->strays));
	out_json_set(o, "assumptions", assumptions_json(f));
	if (f->remedy.text != NULL)
		append(remedies, json_string(f->remedy.text));
	out_json_set(o, "remedies", remedies);
	buf_free(&summary);
	return o;
}
