/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "signer/cli/common.h"
#include "signer/cli/network.h"
#include "signer/cli/verb.h"
#include "signer/crypto/cert.h"
#include "signer/io/out.h"
#include "signer/list/ask_tvs.h"
#include "signer/list/json.h"
#include "signer/net/net.h"
#include "signer/trust/facts.h"

struct tvs {
	const struct opts *o;
	struct ask_tvs ask;
	struct list_file itl; /* what phones hold */
	bool has_itl;
	long record;	    /* of it, that TVS's certificate is; -1: none */
	char presented[41]; /* SHA-1; "": no certificate came */
};

enum { ELEMENTS_SHOWN = 16, BYTES_SHOWN = 64 };

/* A message has room for thousands of them. */
static void print_unknown(const struct asked *q)
{
	struct cursor c = cursor_of(q->reply.elements);
	struct span value;
	uint8_t tag;
	size_t n = 0;

	while (tvs_next_element(&c, &tag, &value)) {
		if (tvs_tag_is_answer(tag) || n++ >= ELEMENTS_SHOWN)
			continue;
		out_printf("  element %u, not known: ", tag);
		out_hex(span_slice(value, 0, BYTES_SHOWN), HEX_LOWER, "");
		out_printf("%s\n", value.n > BYTES_SHOWN ? " ..." : "");
	}
	if (n > ELEMENTS_SHOWN)
		out_printf("  and %zu more: '--json' shows all\n", n - ELEMENTS_SHOWN);
}

static void print_asked(const struct asked *q)
{
	struct buf text = BUF_INIT;

	out_safe(span_str(q->arg));
	out_printf(": ");
	out_safe(q->signer.subject);
	out_printf(": ");
	out_colour(q->state == ASKED_SAST ? OUT_GOOD : OUT_BAD);
	if (q->state == ASKED_SILENT) {
		out_printf("no answer: ");
		out_text(span_str(net_question_why(&q->answer, &q->fault)));
	} else {
		tvs_put_reply(&text, &q->reply);
		out_text(buf_span(&text));
	}
	out_colour(OUT_PLAIN);
	out_printf("\n");
	buf_free(&text);
	if (q->state != ASKED_SILENT)
		print_unknown(q);
}

/* [TVS_CERT_IN_ITL]: what a phone looks at before it asks. */
static void print_presented(const struct tvs *t)
{
	struct buf text = BUF_INIT;

	if (t->presented[0] == '\0')
		return;
	buf_printf(&text, "%s: TVS presents a certificate with SHA-1 %s", t->ask.at, t->presented);
	if (!t->has_itl)
		buf_str(&text,
			": give the phones' ITL with '--installed' to see whether they believe it");
	else if (t->record >= 0)
		buf_printf(&text, ": TVS record %ld of the installed ITL, so its phones believe it",
			   t->record + 1);
	else
		buf_str(&text,
			": no TVS record of the installed ITL, so no phone that holds it believes this TVS");
	if (t->has_itl)
		fact_put_sources(&text, FACT_TVS_CERT_IN_ITL);
	buf_str(&text, "\n");
	out_text(buf_span(&text));
	buf_free(&text);
}

static json_t *unknown_json(const struct tvs_reply *r)
{
	json_t *all = json_array();
	struct cursor c = cursor_of(r->elements);
	struct span value;
	uint8_t tag;

	while (tvs_next_element(&c, &tag, &value))
		if (!tvs_tag_is_answer(tag)) {
			json_t *o = json_object();

			out_json_set(o, "tag", json_integer(tag));
			out_json_set(o, "value", out_json_hex(value));
			(void)json_array_append_new(all, o);
		}
	return all;
}

static json_t *asked_json(const struct asked *q)
{
	json_t *o = json_object();
	bool is = q->state != ASKED_SILENT;

	out_json_set_text(o, "file", span_str(q->arg));
	out_json_set_text(o, "signer", q->signer.subject);
	out_json_set(o, "state", json_string(asked_state_text(q->state)));
	out_json_set(o, "status", is ? json_integer(q->reply.status) : json_null());
	out_json_set(o, "roles", list_json_roles(q->reply.roles));
	out_json_set(o, "ttl", q->reply.has_ttl ? json_integer(q->reply.ttl) : json_null());
	out_json_set(o, "certificate",
		     q->reply.certificate.n > 0 ? out_json_hex(q->reply.certificate) : json_null());
	out_json_set(o, "unknown", unknown_json(&q->reply));
	if (is)
		out_json_set(o, "fault", json_null());
	else
		out_json_set_text(o, "fault", span_str(err_text(&q->fault)));
	return o;
}

static enum status report_json(const struct tvs *t, struct tlv_err *e)
{
	json_t *o = json_object(), *all = json_array();
	bool compared = t->has_itl && t->presented[0] != '\0';

	for (size_t i = 0; i < t->ask.n; i++)
		(void)json_array_append_new(all, asked_json(&t->ask.asked[i]));
	out_json_set(o, "asked", json_string(t->ask.at));
	out_json_set(o, "question", json_string(t->ask.what == TVS_QUERY ? "query" : "verify"));
	out_json_set(o, "presented",
		     t->presented[0] != '\0' ? json_string(t->presented) : json_null());
	out_json_set(o, "believed", compared ? json_boolean(t->record >= 0) : json_null());
	out_json_set(o, "record", t->record >= 0 ? json_integer(t->record + 1) : json_null());
	out_json_set(o, "answers", all);
	return out_json(o, e);
}

static enum status report(const struct tvs *t, struct tlv_err *e)
{
	if (opt_given(t->o, OPT_JSON))
		return report_json(t, e);
	print_presented(t);
	for (size_t i = 0; i < t->ask.n; i++)
		print_asked(&t->ask.asked[i]);
	return ST_OK;
}

/* What scripts ask: would phones take a list of each of them by what this TVS says? */
static enum status verdict(const struct tvs *t, struct tlv_err *e)
{
	size_t silent = ask_tvs_count(&t->ask, ASKED_SILENT);

	if (silent > 0)
		return err_set(e, ST_INPUT, "%s: no answer to %zu of %zu question%s", t->ask.at,
			       silent, t->ask.n, plural(t->ask.n));
	return ask_tvs_count(&t->ask, ASKED_SAST) < t->ask.n || (t->has_itl && t->record < 0) ?
		       ST_NO :
		       ST_OK;
}

static enum status compare(struct tvs *t, struct tlv_err *e)
{
	uint8_t sha1[20];
	enum status st;

	if (t->ask.presented.n == 0)
		return ST_OK;
	st = cert_sha1(t->ask.presented, sha1, e);
	if (st != ST_OK)
		return st;
	(void)hex_text(span_of(sha1, sizeof sha1), t->presented, sizeof t->presented);
	for (size_t i = 0; t->has_itl && t->record < 0 && i < t->itl.list.nrecords; i++) {
		struct tlv_record r = tlv_list_record(&t->itl.list, i);

		if (tlv_record_is(&r, TLV_ROLE_TVS) &&
		    cert_is_of_record(&t->itl.list, &r, t->ask.presented))
			t->record = (long)i;
	}
	return ST_OK;
}

static enum status read_all(struct tvs *t, struct tlv_err *e)
{
	const char *itl = opt_value(t->o, OPT_PHONES_ITL);
	enum status st = ST_OK;

	if (itl != NULL) {
		t->has_itl = true;
		st = list_file_read(&t->itl, itl, LIST_PRINTED, e);
		if (st == ST_OK && !tlv_list_is_itl(&t->itl.list))
			st = err_set(
				e, ST_USAGE,
				"'--installed %s' is no ITL: only an ITL says which TVS a phone believes",
				itl);
	}
	for (size_t i = 1; i < t->o->nargs && st == ST_OK; i++)
		st = ask_tvs_about(&t->ask, t->o->args[i], e);
	return st;
}

enum status cmd_tvs(const struct opts *o, struct tlv_err *e)
{
	struct tvs t = { .o = o, .ask = ASK_TVS_INIT, .record = -1 };
	unsigned seconds;
	enum status st = network_timeout(o, &seconds, e);

	t.ask.what = opt_given(o, OPT_QUERY) ? TVS_QUERY : TVS_VERIFY;
	if (st == ST_OK)
		st = ask_tvs_at(&t.ask, o->args[0], e);
	if (st == ST_OK)
		st = net_start(seconds, e);
	if (st == ST_OK) {
		common_read_only();
		st = read_all(&t, e);
	}
	if (st == ST_OK)
		st = ask_tvs(&t.ask, e);
	if (st == ST_OK)
		st = compare(&t, e);
	if (st == ST_OK)
		st = report(&t, e);
	if (st == ST_OK)
		st = verdict(&t, e);
	ask_tvs_free(&t.ask);
	list_file_free(&t.itl);
	return st;
}
