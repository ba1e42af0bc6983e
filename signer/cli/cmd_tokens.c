/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "signer/crypto/cert.h"
#include "signer/cli/common.h"
#include "signer/io/env.h"
#include "signer/list/json.h"
#include "signer/io/out.h"
#include "signer/trust/token_judge.h"
#include "signer/trust/signature.h"
#include "signer/cli/verb.h"
#include "tlv/label.h"

/* One line of text and one member in JSON. */
struct row {
	const char *name, *value;
};

enum { TOKEN_ROWS = 6 };

static void token_rows(const struct tok_info *t, struct row rows[TOKEN_ROWS])
{
	rows[0] = (struct row){ "label", t->label };
	rows[1] = (struct row){ "manufacturer", t->manufacturer };
	rows[2] = (struct row){ "model", t->model };
	rows[3] = (struct row){ "serial", t->serial };
	rows[4] = (struct row){ "module", t->module };
	rows[5] = (struct row){ "pin", tok_pin_state_name(t->pin) };
}

static const char *key_text(const struct tok_cert *c)
{
	return c->key_seen ? "seen" : "unseen without PIN";
}

static void print_row(const char *indent, const char *name, const char *value)
{
	out_printf("%s%s: ", indent, name);
	out_safe(span_str(value));
	out_printf("\n");
}

static void print_in_list(const struct tlv_list *l, const struct tlv_cert *c)
{
	bool signer = token_is_signer(l, c), any = signer;

	out_printf("    in list: %s", signer ? "signer" : "");
	for (size_t i = 0; i < l->nrecords; i++) {
		if (!token_is_sast(l, i, c))
			continue;
		out_printf("%ssast #%zu", any ? ", " : "", i + 1);
		any = true;
	}
	out_printf("%s\n", any ? "" : "not in list");
}

static void print_dates(const struct cert_facts *f)
{
	char from[32], to[32];
	int64_t now = env_now();

	time_iso(f->not_before, from);
	time_iso(f->not_after, to);
	out_printf("    valid: %s to %s%s\n", from, to,
		   now > f->not_after  ? " (expired)" :
		   now < f->not_before ? " (not yet valid)" :
					 "");
}

static void print_serial(struct span s)
{
	struct buf b = BUF_INIT;

	tlv_label_serial(&b, s);
	print_row("    ", "serial", buf_cstr(&b));
	buf_free(&b);
}

static void print_signs(const struct token_judged *j)
{
	out_printf("    signs lists: %s", j->signs	  ? "yes" :
					  j->unknown	  ? "unknown: " :
					  j->signs_weakly ? "with --allow-weak-keys only: " :
							    "no: ");
	if (!j->signs)
		out_safe(span_str(err_text(&j->why)));
	out_printf("\n");
}

static void print_cert(const struct tok_cert *c, const struct tlv_list *l)
{
	struct token_judged j;

	token_judge(&j, c->der, c->key_seen);
	print_row("  ", "certificate", c->uri);
	if (j.is_cert) {
		print_row("    ", "subject", j.facts.subject);
		print_row("    ", "issuer", j.facts.issuer);
		print_serial(j.parts.serial);
		print_dates(&j.facts);
		out_printf("    public key: %s %u\n", j.facts.key_type, j.facts.key_bits);
	}
	print_row("    ", "key", key_text(c));
	print_signs(&j);
	if (l != NULL && j.is_cert)
		print_in_list(l, &j.parts);
	cert_facts_free(&j.facts);
}

static void print_token(const struct tok_info *t, const struct tlv_list *l)
{
	struct row rows[TOKEN_ROWS];

	token_rows(t, rows);
	out_safe(span_str(t->uri));
	out_printf("\n");
	for (size_t i = 0; i < TOKEN_ROWS; i++)
		print_row("  ", rows[i].name, rows[i].value);
	if (t->pin_pad)
		print_row("  ", "pin pad", "yes");
	if (t->ncerts == 0)
		print_row("  ", "certificates", t->certs_read ? "none" : "not read");
	for (size_t i = 0; i < t->ncerts; i++)
		print_cert(&t->certs[i], l);
}

static json_t *in_list_json(const struct tlv_list *l, const struct tlv_cert *c)
{
	json_t *o = json_object(), *sast = json_array();

	(void)json_object_set_new(o, "signer", json_boolean(token_is_signer(l, c)));
	for (size_t i = 0; i < l->nrecords; i++)
		if (token_is_sast(l, i, c))
			(void)json_array_append_new(sast, json_integer((json_int_t)i + 1));
	(void)json_object_set_new(o, "sast", sast);
	return o;
}

static json_t *known_or_null(const struct token_judged *j, bool signs)
{
	return j->unknown ? json_null() : json_boolean(signs);
}

static json_t *cert_json(const struct tok_cert *c, const struct tlv_list *l)
{
	json_t *o = json_object();
	struct token_judged j;

	token_judge(&j, c->der, c->key_seen);
	out_json_set_text(o, "uri", span_str(c->uri));
	out_json_set_text(o, "label", span_str(c->label));
	(void)json_object_set_new(o, "id", out_json_hex(c->id));
	(void)json_object_set_new(o, "key", json_string(key_text(c)));
	(void)json_object_set_new(o, "signs_lists", known_or_null(&j, j.signs));
	(void)json_object_set_new(o, "signs_with_allow_weak_keys",
				  known_or_null(&j, j.signs || j.signs_weakly));
	if (j.signs)
		(void)json_object_set_new(o, "why_not", json_null());
	else
		out_json_set_text(o, "why_not", span_str(err_text(&j.why)));
	(void)json_object_set_new(o, "in_list",
				  l != NULL && j.is_cert ? in_list_json(l, &j.parts) : json_null());
	(void)json_object_set_new(o, "certificate", list_json_certificate(c->der));
	cert_facts_free(&j.facts);
	return o;
}

static json_t *token_json(const struct tok_info *t, const struct tlv_list *l)
{
	json_t *o = json_object(), *certs = json_array();
	struct row rows[TOKEN_ROWS];

	token_rows(t, rows);
	out_json_set_text(o, "uri", span_str(t->uri));
	for (size_t i = 0; i < TOKEN_ROWS; i++)
		out_json_set_text(o, rows[i].name, span_str(rows[i].value));
	(void)json_object_set_new(o, "pin_pad", json_boolean(t->pin_pad));
	(void)json_object_set_new(o, "certificates_read", json_boolean(t->certs_read));
	for (size_t i = 0; i < t->ncerts; i++)
		(void)json_array_append_new(certs, cert_json(&t->certs[i], l));
	(void)json_object_set_new(o, "certificates", certs);
	return o;
}

static enum status print_all(const struct tok_info *list, size_t n, const struct tlv_list *l,
			     bool json, struct tlv_err *e)
{
	json_t *o, *tokens;

	if (!json) {
		for (size_t i = 0; i < n; i++) {
			if (i > 0)
				out_printf("\n");
			print_token(&list[i], l);
		}
		return ST_OK;
	}
	o = json_object();
	tokens = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(tokens, token_json(&list[i], l));
	(void)json_object_set_new(o, "tokens", tokens);
	return out_json(o, e);
}

/* A list that nobody signed tells nothing about who signs: say so, and go on. */
static enum status read_list(struct list_file *f, const char *path, struct tlv_err *e)
{
	enum status st = list_file_read(f, path, LIST_DAMAGED, e);
	long signer;

	if (st != ST_OK)
		return st;
	if (f->fault.status != ST_OK) {
		*e = f->fault;
		return e->status;
	}
	if (!signature_is_own(&f->list, &signer))
		msg_warn("%s: its signature does not verify: 'ctlsign verify' says more", path);
	return ST_OK;
}

enum status cmd_tokens(const struct opts *o, struct tlv_err *e)
{
	const char *list = opt_value(o, OPT_LIST);
	struct list_file f = { .fault = TLV_ERR_INIT };
	struct tok_info *found = NULL;
	struct tok_options tok;
	size_t n = 0;
	enum status st = common_token_options(o, &tok, e);

	tok.uri = o->nargs > 0 ? o->args[0] : NULL;
	if (st == ST_OK && tok.uri != NULL && !tok_is_uri(tok.uri))
		st = err_set(e, ST_USAGE, "'%s' is no pkcs11: URI", tok.uri);
	if (st == ST_OK && list != NULL)
		st = read_list(&f, list, e);
	if (st == ST_OK)
		msg_step("looking for tokens in %s",
			 tok.module != NULL ? tok.module : "every module that p11-kit knows");
	if (st == ST_OK)
		st = tok_scan(&found, &n, &tok, e);
	if (st == ST_OK)
		st = print_all(found, n, list != NULL ? &f.list : NULL, opt_given(o, OPT_JSON), e);
	tok_infos_free(&found, n);
	list_file_free(&f);
	return st;
}
