/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/cli/export_run.h"
#include "signer/cli/verb.h"
#include "signer/crypto/certfile.h"
#include "signer/crypto/digest.h"
#include "signer/crypto/key.h"
#include "signer/crypto/proof.h"
#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/trust/clean.h"

static void read_format(struct export_run *x)
{
	const char *format = opt_value(x->o, OPT_FORMAT);

	x->pem = format != NULL && strcmp(format, "pem") == 0;
}

static bool takes_pin_source(const struct export_run *x, const char *uri)
{
	return x->o->nargs == 1 || !tok_uri_has_pin_source(uri);
}

/* A PIN belongs to one token: what --pin-source gives must not go to two. */
static enum status check_pin_source(const struct export_run *x, struct tlv_err *e)
{
	const char *source = x->tok.pin_source;
	size_t takers = 0;

	if (source == NULL)
		return ST_OK;
	if (!x->prove)
		return err_set(e, ST_USAGE, "'--pin-source' counts with '--prove' only");
	for (size_t i = 0; i < x->o->nargs; i++)
		takers += takes_pin_source(x, x->o->args[i]) ? 1 : 0;
	if (takers > 1 && strcmp(source, "prompt") != 0)
		return err_set(
			e, ST_USAGE,
			"one PIN source for %zu tokens: a PIN belongs to one token; give each URI its own '?pin-source='",
			takers);
	return ST_OK;
}

static enum status check_args(const struct export_run *x, struct tlv_err *e)
{
	const struct opts *o = x->o;
	enum status st = ST_OK;

	if (opt_given(o, OPT_FROM) && (o->nargs > 0 || x->prove))
		return err_set(
			e, ST_USAGE,
			"'--from' reads a list, so it goes with no token and not with --prove");
	if (!opt_given(o, OPT_FROM) &&
	    (opt_given(o, OPT_BELIEVE) || opt_given(o, OPT_ACCEPT_SIGNER)))
		return err_set(e, ST_USAGE,
			       "'--trust' and '--accept-signer' count with '--from' only");
	if (!opt_given(o, OPT_FROM) && o->nargs == 0)
		return err_set(
			e, ST_USAGE,
			"which token? name it as pkcs11: URI ('ctlsign tokens' shows them), or a list with --from");
	for (size_t i = 0; i < o->nargs && st == ST_OK; i++)
		st = tok_is_uri(o->args[i]) ?
			     tok_uri_check(o->args[i], true, e) :
			     err_set(e, ST_USAGE, "'%s' is no pkcs11: URI", o->args[i]);
	return st == ST_OK ? check_pin_source(x, e) : st;
}

static enum status read_options(struct export_run *x, struct tlv_err *e)
{
	const char *dir = opt_value(x->o, OPT_DIRECTORY);
	enum status st = common_token_options(x->o, &x->tok, e);

	x->dir = dir != NULL ? dir : ".";
	x->any = opt_given(x->o, OPT_ANY);
	x->prove = opt_given(x->o, OPT_PROVE);
	if (st == ST_OK)
		st = common_publish_options(x->o, KIND_OTHER, &x->publish, e);
	if (st == ST_OK && x->dir[0] == '\0')
		st = err_set(e, ST_USAGE, "option '--output': an empty name");
	read_format(x);
	return st == ST_OK ? check_args(x, e) : st;
}

static bool is_there(const struct export_run *x, struct span der)
{
	for (size_t i = 0; i < x->n; i++)
		if (span_eq(buf_span(&x->items[i].cert.der), der))
			return true;
	return false;
}

/* Takes the certificate over. One that is there already costs a warning only. */
static enum status add(struct export_run *x, struct cert *c, const char *uri, size_t record,
		       struct tlv_err *e)
{
	struct export_item *it = &x->items[x->n];

	if (is_there(x, buf_span(&c->der))) {
		if (uri != NULL)
			msg_warn("%s: the same certificate as before", uri);
		cert_free(c);
		return ST_OK;
	}
	*it = (struct export_item){ .uri = uri, .record = record, .cert = *c };
	x->n++;
	return cert_judge(buf_span(&c->der), &it->facts, e);
}

static enum status add_token(struct export_run *x, const char *uri, struct tlv_err *e)
{
	struct tok_options opt = x->tok;
	struct tok *t = NULL;
	struct cert c;
	enum status st;

	opt.uri = uri;
	opt.pin_source = NULL;
	st = tok_open(&t, &opt, e);
	if (st != ST_OK)
		return st;
	cert_step_token(tok_info(t));
	st = cert_from_der(&c, tok_certificate(t), e);
	tok_free(&t);
	if (st == ST_OK && !x->any)
		st = cert_is_sast_token(&c.parts, e);
	if (st == ST_OK)
		st = add(x, &c, uri, 0, e);
	else
		cert_free(&c);
	return st == ST_OK ? ST_OK : err_in(e, "%s", uri);
}

static enum status add_tokens(struct export_run *x, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < x->o->nargs && st == ST_OK; i++)
		st = add_token(x, x->o->args[i], e);
	return st;
}

/* The anchors of a list that anybody could have changed are nobody's. */
static enum status read_from(struct export_run *x, const char *path, struct tlv_err *e)
{
	enum status st = list_file_read(&x->from, path, LIST_DAMAGED, e);
	struct clean_options opt = { .name = path, .what = "nothing is written" };

	if (st == ST_OK && x->from.fault.status != ST_OK) {
		*e = x->from.fault;
		st = e->status;
	}
	if (st == ST_OK)
		st = believe_options(&x->believing, x->o, e);
	if (st == ST_OK)
		st = believe_list(&x->believing, path, &x->from, "nothing is written", e);
	return st == ST_OK ? clean_check(&x->from.list, &opt, env_now(), e) : st;
}

static enum status add_record(struct export_run *x, size_t i, struct tlv_err *e)
{
	struct tlv_record r = tlv_list_record(&x->from.list, i);
	struct cert c;
	enum status st;

	if (!tlv_record_is(&r, TLV_ROLE_SAST))
		return ST_OK;
	if (r.certificate.n == 0) {
		msg_warn("record %zu: has no certificate", i + 1);
		return ST_OK;
	}
	st = cert_from_der(&c, r.certificate, e);
	if (st == ST_OK)
		st = add(x, &c, NULL, i + 1, e);
	else
		cert_free(&c);
	return st == ST_OK ? ST_OK : err_in(e, "record %zu", i + 1);
}

static enum status add_records(struct export_run *x, const char *path, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < x->from.list.nrecords && st == ST_OK; i++)
		st = add_record(x, i, e);
	if (st == ST_OK && x->n == 0)
		st = err_set(e, ST_NO_MATCH, "no SAST record has a certificate");
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}

/* A list is read when nothing but the folder can be written any more. */
static enum status open_first(struct export_run *x, struct tlv_err *e)
{
	enum status st = fileset_open(&x->files, x->dir, e);

	x->is_open = true;
	return st == ST_OK ? common_write_beneath(x->dir, x->files.made, e) : st;
}

static enum status gather(struct export_run *x, struct tlv_err *e)
{
	const char *from = opt_value(x->o, OPT_FROM);
	enum status st = from != NULL ? open_first(x, e) : ST_OK;
	size_t most;

	if (st == ST_OK && from != NULL)
		st = read_from(x, from, e);
	if (st != ST_OK)
		return st;
	most = from != NULL ? x->from.list.nrecords : x->o->nargs;
	x->items = calloc(most + 1, sizeof *x->items);
	if (x->items == NULL)
		return err_nomem(e);
	return from != NULL ? add_records(x, from, e) : add_tokens(x, e);
}

static enum status sign_statement(struct export_item *it, struct key *key, struct tlv_err *e)
{
	uint8_t sig[TOK_SIG_MAX];
	struct digest digest;
	struct span statement;
	size_t n = 0;
	enum status st = proof_statement(&it->proof, buf_span(&it->cert.der), env_now(), e);

	statement = buf_span(&it->proof);
	if (st == ST_OK)
		st = digest_parts(TLV_SHA256, &statement, 1, &digest, e);
	if (st == ST_OK)
		st = key_sign(key, TLV_SHA256, digest_span(&digest), sig, &n, e);
	return st == ST_OK ? proof_seal(&it->proof, span_of(sig, n), e) : st;
}

static enum status check_proof(struct export_item *it, struct tlv_err *e)
{
	enum status st = proof_check(buf_span(&it->proof), &it->cert.parts, &it->proven, NULL);

	return st == ST_OK ? ST_OK : err_set(e, ST_BUG, "the proof that was made is none");
}

static enum status prove_item(struct export_run *x, struct export_item *it, struct tlv_err *e)
{
	struct key_options opt = { .key = it->uri, .tok = x->tok, .allow_weak = true };
	struct key *key = NULL;
	enum status st;

	if (!takes_pin_source(x, it->uri))
		opt.tok.pin_source = NULL;
	st = key_open(&key, &opt, e);
	if (st == ST_OK && !span_eq(key_cert(key)->parts.der, it->cert.parts.der))
		st = err_set(e, ST_TOKEN,
			     "another token than before answers: was it exchanged? begin again");
	if (st == ST_OK)
		st = key_login(key, e);
	if (st == ST_OK)
		st = sign_statement(it, key, e);
	key_free(&key);
	return st == ST_OK ? check_proof(it, e) : st;
}

/* Names, bytes and room for all; then, one after the other, the proofs. */
static enum status prepare(struct export_run *x, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < x->n && st == ST_OK; i++)
		st = export_fill(x, &x->items[i], e);
	if (st == ST_OK)
		st = export_check_output(x, e);
	for (size_t i = 0; x->prove && i < x->n && st == ST_OK; i++)
		st = prove_item(x, &x->items[i], e);
	return st;
}

static void free_all(struct export_run *x)
{
	for (size_t i = 0; i < x->n; i++) {
		struct export_item *it = &x->items[i];

		cert_free(&it->cert);
		cert_facts_free(&it->facts);
		buf_free(&it->name);
		buf_free(&it->bytes);
		buf_free(&it->proof_name);
		buf_free(&it->proof);
	}
	fileset_free(&x->files);
	free(x->items);
	filenames_free(&x->names);
	sums_free(&x->sums);
	list_file_free(&x->from);
	believing_free(&x->believing);
}

enum status cmd_export(const struct opts *o, struct tlv_err *e)
{
	struct export_run x = { .o = o, .from = { .fault = TLV_ERR_INIT } };
	enum status st = read_options(&x, e);

	if (st == ST_OK)
		st = gather(&x, e);
	if (st == ST_OK)
		st = prepare(&x, e);
	if (st == ST_OK)
		st = export_begin(&x, e);
	/* Nothing must be in its place when it cannot be said what. */
	if (st == ST_OK)
		st = export_report(&x, e);
	if (st == ST_OK)
		st = fileset_commit(&x.files, e);
	free_all(&x);
	return st;
}
