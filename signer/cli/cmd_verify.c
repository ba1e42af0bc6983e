/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/common.h"
#include "signer/io/env.h"
#include "signer/list/json.h"
#include "signer/io/out.h"
#include "signer/cli/verb.h"

static void print_findings(const struct tlv_findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct tlv_finding *x = &f->v[i];

		out_colour(x->error ? OUT_BAD : OUT_DOUBTFUL);
		out_printf("%s:", x->error ? "error" : "warning");
		out_colour(OUT_PLAIN);
		out_printf(" ");
		if (x->record > 0)
			out_printf("record %zu: ", x->record);
		out_safe(span_str(x->text));
		if (x->has_at)
			out_printf(" (at byte %zu)", x->at);
		out_printf("\n");
	}
}

static void print_verdict(const struct tlv_list *l, struct verdict v)
{
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

static enum status print_json(const char *path, const struct tlv_list *l,
			      const struct verification *v, struct tlv_err *e)
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
	return out_json(o, e);
}

static enum status report(const char *path, const struct list_file *f, const struct opts *o,
			  const struct trust *t, struct tlv_err *e)
{
	const struct verify_ask ask = { .trust = t, .now = env_now(), .served = path };
	struct verification v;
	enum status st = verify_list(&v, &f->list, &ask, e);

	if (st == ST_OK && opt_given(o, OPT_JSON)) {
		st = print_json(path, &f->list, &v, e);
	} else if (st == ST_OK) {
		print_findings(&v.findings);
		print_verdict(&f->list, v.verdict);
	}
	if (st == ST_OK && !verdict_is_good(v.verdict))
		st = ST_NO;
	verification_free(&v);
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

enum status cmd_verify(const struct opts *o, struct tlv_err *e)
{
	struct trust t = TRUST_INIT;
	struct list_file f = { .fault = TLV_ERR_INIT };
	enum status st;

	common_read_only();
	st = read_trust(&t, o, e);
	if (st == ST_OK)
		st = list_file_read(&f, o->args[0], 0, e);
	if (st == ST_OK)
		st = trust_check(&t, &f.list, &msg_warnings, e);
	if (st == ST_OK)
		st = report(o->args[0], &f, o, &t, e);
	list_file_free(&f);
	trust_free(&t);
	return st;
}
