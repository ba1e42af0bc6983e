/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/cert.h"
#include "signer/io/out.h"
#include "signer/list/json.h"
#include "signer/plan/recover/recover.h"
#include "tlv/kind.h"
#include "tlv/label.h"
#include "tlv/text.h"

static void append(json_t *a, json_t *value)
{
	(void)json_array_append_new(a, value);
}

static void set_path(json_t *o, const char *key, const char *path)
{
	if (path != NULL)
		out_json_set_text(o, key, span_str(path));
	else
		out_json_set(o, key, json_null());
}

static void set_buf(json_t *o, const char *key, struct buf *text)
{
	out_json_set_text(o, key, buf_span(text));
	buf_free(text);
}

static json_t *answer_json(const struct crowd_answer *a)
{
	json_t *o;

	if (!a->offered)
		return json_null();
	o = json_object();
	out_json_set(o, "accepted", json_boolean(a->accepted));
	out_json_set(o, "reason", json_string(accept_row(crowd_reason(a))->word));
	return o;
}

static json_t *key_json(const struct recovery *r, const struct recover_key *k)
{
	json_t *o = json_object(), *lists = json_array();
	struct buf name = BUF_INIT, hex = BUF_INIT;
	uint8_t sha1[20];

	tlv_label_record(&name, &k->record);
	set_buf(o, "name", &name);
	if (standins_sha1(r->in.standins, k->record.certificate, sha1, NULL) == ST_OK)
		buf_hex(&hex, span_of(sha1, sizeof sha1), HEX_LOWER, "");
	set_buf(o, "sha1", &hex);
	if (k->in_ctl)
		append(lists, json_string(tlv_kind_text(TLV_LIST_CTL)));
	if (k->in_itl)
		append(lists, json_string(tlv_kind_text(TLV_LIST_ITL)));
	out_json_set(o, "sast_in", lists);
	out_json_set(o, "place", json_string(recover_key_word(k->place)));
	return o;
}

static json_t *keys_json(const struct recovery *r, size_t holder)
{
	struct recover_key keys[RECOVER_KEYS_MAX];
	size_t n = recover_keys(r, holder, keys);
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		append(a, key_json(r, &keys[i]));
	return a;
}

static json_t *needs_json(unsigned needs)
{
	json_t *a = json_array();

	for (int i = 0; i < RECOVER_NEEDS; i++)
		if ((needs >> i & 1U) != 0)
			append(a, json_string(recover_need_word((enum recover_need)i)));
	return a;
}

static json_t *way_json(const struct recovery *r, const struct recover_way *w, size_t holder)
{
	json_t *o = json_object(), *assumed = json_array();
	struct buf text = BUF_INIT;

	out_json_set(o, "way", json_string(recover_row(w->id)->word));
	out_json_set(o, "takes", json_string(recover_cost_word(recover_row(w->id)->cost)));
	recover_put_way(&text, r, w);
	set_buf(o, "text", &text);
	out_json_set(o, "reason",
		     w->opens[holder] ? json_string(accept_row(w->verdict[holder].reason)->word) :
					json_null());
	for (int i = 0; i < TVS_ASSUMPTIONS; i++)
		if ((w->assumptions[holder] >> i & 1U) != 0)
			append(assumed,
			       json_string(accept_assumption((enum tvs_assumption)i)->word));
	out_json_set(o, "assumptions", assumed);
	out_json_set(o, "needs", needs_json(recover_way_needs(r, w)));
	out_json_set(o, "sources", list_json_sources(recover_row(w->id)->fact));
	return o;
}

static json_t *holder_json(const struct recovery *r, size_t holder)
{
	const struct recover_holder *h = &r->holders[holder];
	json_t *o = json_object(), *ways = json_array();

	out_json_set(o, "number", json_integer((json_int_t)holder + 1));
	out_json_set(o, "class", json_string(crowd_row(h->phones)->word));
	set_path(o, "ctl", h->ctl_path);
	set_path(o, "itl", h->itl_path);
	out_json_set(o, "takes_today", json_boolean(h->takes_today));
	out_json_set(o, "has_way", json_boolean(h->takes_today || h->has_way));
	out_json_set(o, "todays_ctl", answer_json(&h->today.ctl));
	out_json_set(o, "todays_itl", answer_json(&h->today.itl));
	out_json_set(o, "keys", keys_json(r, holder));
	for (size_t i = 0; i < r->nways; i++)
		if (!h->takes_today && r->ways[i].helps[holder])
			append(ways, way_json(r, &r->ways[i], holder));
	out_json_set(o, "ways", ways);
	return o;
}

static json_t *chosen_json(const struct recovery *r, size_t at)
{
	const struct recover_way *w = &r->ways[r->chosen[at]];
	json_t *o = json_object(), *phones = json_array();
	struct buf text = BUF_INIT;

	out_json_set(o, "way", json_string(recover_row(w->id)->word));
	recover_put_way(&text, r, w);
	set_buf(o, "text", &text);
	for (size_t i = 0; i < r->nholders; i++)
		if (r->freed[at][i])
			append(phones, json_integer((json_int_t)i + 1));
	out_json_set(o, "frees", phones);
	return o;
}

json_t *recover_json(const struct recovery *r)
{
	json_t *o = json_object(), *holders = json_array(), *order = json_array();
	json_t *steps = json_array();
	struct buf summary = BUF_INIT;
	size_t number = 0;

	recover_put_summary(&summary, r);
	out_json_set(o, "accepted", json_boolean(!recover_refused(r)));
	set_buf(o, "summary", &summary);
	out_json_set(o, "needs", needs_json(recover_needs(r)));
	out_json_set(o, "without", needs_json(r->in.missing));
	out_json_set(o, "assumptions", plan_lines_json(&r->assumed));
	out_json_set(o, "release", json_string(r->in.c->release->name));
	for (size_t i = 0; i < r->nholders; i++)
		append(holders, holder_json(r, i));
	out_json_set(o, "holders", holders);
	for (size_t i = 0; i < r->nchosen; i++)
		append(order, chosen_json(r, i));
	out_json_set(o, "order", order);
	for (size_t i = 0; i < r->nsteps; i++)
		append(steps, plan_step_json(&r->steps[i], &number));
	out_json_set(o, "steps", steps);
	return o;
}
