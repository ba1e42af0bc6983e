/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/common.h"
#include "signer/io/env.h"
#include "signer/list/json.h"
#include "signer/io/out.h"
#include "signer/cli/verb.h"
#include "tlv/safe.h"

/* From best to worst: the worst of all lists decides. */
enum worth { GOOD, UNTRUSTED, BAD, UNREAD };

/* Lists that are verified one after the other, by the same trust. */
struct job {
	const struct opts *o;
	struct trust trust;
	size_t n, done; /* lists */
	enum worth worst;
	bool untrusted;	 /* one of them */
	json_t *decides; /* with --json: the answer about the first of the worst; owned */
};

static enum worth worth_of(struct verdict v)
{
	if (verdict_is_good(v))
		return GOOD;
	return verdict_is_bad(v) ? BAD : UNTRUSTED;
}

static bool is_many(const struct job *j)
{
	return j->n > 1;
}

/* "record 3: …" */
static void put_finding(struct buf *b, const struct tlv_finding *x)
{
	if (x->record > 0)
		buf_printf(b, "record %zu: ", x->record);
	safe_text(b, span_str(x->text));
	if (x->has_at)
		buf_printf(b, " (at byte %zu)", x->at);
}

/* Of one list they are a part of the answer. */
static void print_finding(const struct tlv_finding *x)
{
	struct buf b = BUF_INIT;

	put_finding(&b, x);
	out_colour(x->error ? OUT_BAD : OUT_DOUBTFUL);
	out_printf("%s:", x->error ? "error" : "warning");
	out_colour(OUT_PLAIN);
	out_printf(" ");
	out_text(buf_span(&b));
	out_printf("\n");
	buf_free(&b);
}

/* Of many lists the answer is a line each: what is found stands beside it. */
static void say_finding(const char *path, const struct tlv_finding *x)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct buf b = BUF_INIT;

	put_finding(&b, x);
	if (x->error) {
		(void)err_set(&e, ST_NO, "%s: %s", path, buf_cstr(&b));
		msg_error(&e);
	} else {
		msg_warn("%s: %s", path, buf_cstr(&b));
	}
	buf_free(&b);
}

static void tell_findings(const struct job *j, const char *path, const struct tlv_findings *f)
{
	bool quiet = opt_given(j->o, OPT_QUIET);

	for (size_t i = 0; i < f->n; i++)
		if (is_many(j))
			say_finding(path, &f->v[i]);
		else if (f->v[i].error || !quiet)
			print_finding(&f->v[i]);
}

static void print_verdict(const struct job *j, const char *path, const struct tlv_list *l,
			  struct verdict v)
{
	if (is_many(j)) {
		out_safe(span_str(path));
		out_printf(": ");
	}
	out_colour(verdict_is_good(v) ? OUT_GOOD : OUT_BAD);
	if (verdict_is_bad(v))
		out_printf("BAD signature");
	else
		out_printf(verdict_is_good(v) ? "good signature by " : "UNTRUSTED signature by ");
	if (!verdict_is_bad(v))
		out_safe(tlv_text(l->header.signer_name));
	out_colour(OUT_PLAIN);
	out_printf("\n");
}

static json_t *answer_json(const char *path, const struct tlv_list *l, const struct verification *v)
{
	json_t *o = json_object();

	out_json_set_text(o, "file", span_str(path));
	(void)json_object_set_new(o, "verdict", json_string(verdict_text(v->verdict)));
	(void)json_object_set_new(o, "verified", json_boolean(v->verified));
	(void)json_object_set_new(o, "trusted", json_boolean(v->trusted));
	out_json_set_text(o, "signer", tlv_text(l->header.signer_name));
	(void)json_object_set_new(o, "signer_serial", out_json_hex_upper(l->header.signer_serial));
	(void)json_object_set_new(o, "errors", json_integer((json_int_t)v->findings.errors));
	(void)json_object_set_new(o, "warnings", json_integer((json_int_t)v->findings.warnings));
	(void)json_object_set_new(o, "findings", list_json_findings(&v->findings));
	(void)json_object_set_new(o, "error", json_null());
	return o;
}

/* The same of what is no list that can be verified. */
static json_t *unread_json(const char *path, const struct tlv_err *why)
{
	static const char *const unknown[] = { "signer", "signer_serial" };
	char text[ERR_TEXT_MAX + 64];
	json_t *o = json_object();

	err_format(why, text, sizeof text);
	out_json_set_text(o, "file", span_str(path));
	(void)json_object_set_new(o, "verdict", json_string("unread"));
	(void)json_object_set_new(o, "verified", json_false());
	(void)json_object_set_new(o, "trusted", json_false());
	for (size_t i = 0; i < COUNT(unknown); i++)
		(void)json_object_set_new(o, unknown[i], json_null());
	(void)json_object_set_new(o, "errors", json_integer(0));
	(void)json_object_set_new(o, "warnings", json_integer(0));
	(void)json_object_set_new(o, "findings", json_array());
	out_json_set_text(o, "error", span_str(text));
	return o;
}

/* The answers are printed one by one, so that any number of lists takes no room. */
static enum status print_json(struct job *j, json_t *o, enum worth worth, struct tlv_err *e)
{
	if (j->done == 0) {
		out_json_begin();
		out_printf("\"lists\": [\n");
	} else {
		out_printf(",\n");
	}
	if (j->done == 0 || worth > j->worst) {
		json_decref(j->decides);
		j->decides = json_incref(o);
	}
	return out_json_part(o, e);
}

/* One list or many, the answer has one shape: that about the worst, and all of them. */
static enum status end_json(struct job *j, struct tlv_err *e)
{
	out_printf("]");
	return out_json_end(json_incref(j->decides), e);
}

static void count(struct job *j, enum worth worth)
{
	j->done++;
	j->untrusted |= worth == UNTRUSTED;
	if (worth > j->worst)
		j->worst = worth;
}

static enum status report(struct job *j, const char *path, const struct list_file *f,
			  struct tlv_err *e)
{
	const struct verify_ask ask = { .trust = &j->trust, .now = env_now(), .served = path };
	struct verification v;
	enum status st = verify_list(&v, &f->list, &ask, e);

	if (st == ST_OK && opt_given(j->o, OPT_JSON)) {
		st = print_json(j, answer_json(path, &f->list, &v), worth_of(v.verdict), e);
	} else if (st == ST_OK) {
		tell_findings(j, path, &v.findings);
		print_verdict(j, path, &f->list, v.verdict);
	}
	if (st == ST_OK)
		count(j, worth_of(v.verdict));
	verification_free(&v);
	return st;
}

/* One that cannot be read hides no other. */
static enum status tell_unread(struct job *j, const char *path, const struct tlv_err *why,
			       struct tlv_err *e)
{
	enum status st = ST_OK;

	if (!is_many(j) || (why->status != ST_INPUT && why->status != ST_AMBIGUOUS))
		return err_copy(e, why);
	msg_error(why);
	if (opt_given(j->o, OPT_JSON))
		st = print_json(j, unread_json(path, why), UNREAD, e);
	count(j, UNREAD);
	return st;
}

static enum status verify_one(struct job *j, const char *path, struct tlv_err *e)
{
	/* Warnings about a folder of trust are printed once. */
	const struct tlv_warn *warn = j->done == 0 ? &msg_warnings : NULL;
	struct tlv_err own = TLV_ERR_INIT;
	struct list_file f;
	enum status st = list_file_read(&f, path, 0, &own);

	if (st == ST_OK)
		st = trust_check(&j->trust, &f.list, warn, &own);
	st = st == ST_OK ? report(j, path, &f, e) : tell_unread(j, path, &own, e);
	list_file_free(&f);
	return st;
}

static enum status read_trust(struct trust *t, const struct opts *o, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < o->n && st == ST_OK; i++)
		if (o->items[i].row->id == OPT_TRUST)
			st = trust_add(t, o->items[i].value, &msg_warnings, e);
	return st;
}

static enum status answer(const struct job *j)
{
	if (j->untrusted && !opt_given(j->o, OPT_TRUST))
		msg_note(
			"nobody vouches for the signer: give --trust CERT ('show cert own CallManager' or 'ITLRecovery' on the publisher prints it), or --trust LIST");
	if (j->worst == UNREAD)
		return ST_INPUT; /* it has been said of each */
	return j->worst == GOOD ? ST_OK : ST_NO;
}

enum status cmd_verify(const struct opts *o, struct tlv_err *e)
{
	struct job j = { .o = o, .trust = TRUST_INIT, .n = o->nargs };
	enum status st;

	common_read_only();
	st = read_trust(&j.trust, o, e);
	for (size_t i = 0; i < o->nargs && st == ST_OK; i++)
		st = verify_one(&j, o->args[i], e);
	if (st == ST_OK && opt_given(o, OPT_JSON))
		st = end_json(&j, e);
	if (st == ST_OK)
		st = answer(&j);
	json_decref(j.decides);
	trust_free(&j.trust);
	return st;
}
