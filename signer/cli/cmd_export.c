/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "signer/crypto/cert.h"
#include "signer/cli/believe.h"
#include "signer/crypto/certfile.h"
#include "signer/cli/common.h"
#include "signer/trust/clean.h"
#include "signer/crypto/digest.h"
#include "signer/io/env.h"
#include "signer/io/filename.h"
#include "signer/publish/fileset.h"
#include "signer/list/json.h"
#include "signer/crypto/key.h"
#include "signer/io/out.h"
#include "signer/crypto/proof.h"
#include "signer/publish/publish.h"
#include "signer/publish/sums.h"
#include "signer/cli/verb.h"
#include "tlv/name.h"
#include "tlv/label.h"

/* One certificate and the files that come of it. */
struct item {
	const char *uri; /* NULL: of a list's record, */
	size_t record;	 /* this one */
	struct cert cert;
	struct cert_facts facts;
	struct buf name, bytes;	      /* "SAST-ADN0054f509.cer" and what is in it */
	struct buf proof_name, proof; /* empty without --prove */
	int64_t proven;		      /* seconds since 1970 UTC */
};

/* Everything is gathered, judged and proven before the first file is written. */
struct export
{
	const struct opts *o;
	struct tok_options tok;
	const char *dir;
	bool pem, any, prove, is_open; /* is_open: files */
	struct list_file from;
	struct believing believing;
	struct item *items; /* as many places as there are arguments or records */
	size_t n;
	struct filenames names;
	struct sums sums;
	struct fileset files;
	struct publish_options publish;
};

static void read_format(struct export *x)
{
	const char *format = opt_value(x->o, OPT_FORMAT);

	x->pem = format != NULL && strcmp(format, "pem") == 0;
}

static bool takes_pin_source(const struct export *x, const char *uri)
{
	return x->o->nargs == 1 || !tok_uri_has_pin_source(uri);
}

/* A PIN belongs to one token: what --pin-source gives must not go to two. */
static enum status check_pin_source(const struct export *x, struct tlv_err *e)
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

static enum status check_args(const struct export *x, struct tlv_err *e)
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

static enum status read_options(struct export *x, struct tlv_err *e)
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

static bool is_there(const struct export *x, struct span der)
{
	for (size_t i = 0; i < x->n; i++)
		if (span_eq(buf_span(&x->items[i].cert.der), der))
			return true;
	return false;
}

/* Takes the certificate over. One that is there already costs a warning only. */
static enum status add(struct export *x, struct cert *c, const char *uri, size_t record,
		       struct tlv_err *e)
{
	struct item *it = &x->items[x->n];

	if (is_there(x, buf_span(&c->der))) {
		if (uri != NULL)
			msg_warn("%s: the same certificate as before", uri);
		cert_free(c);
		return ST_OK;
	}
	*it = (struct item){ .uri = uri, .record = record, .cert = *c };
	x->n++;
	return cert_judge(buf_span(&c->der), &it->facts, e);
}

static enum status add_token(struct export *x, const char *uri, struct tlv_err *e)
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

static enum status add_tokens(struct export *x, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < x->o->nargs && st == ST_OK; i++)
		st = add_token(x, x->o->args[i], e);
	return st;
}

/* The anchors of a list that anybody could have changed are nobody's. */
static enum status read_from(struct export *x, const char *path, struct tlv_err *e)
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

static enum status add_record(struct export *x, size_t i, struct tlv_err *e)
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

static enum status add_records(struct export *x, const char *path, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < x->from.list.nrecords && st == ST_OK; i++)
		st = add_record(x, i, e);
	if (st == ST_OK && x->n == 0)
		st = err_set(e, ST_NO_MATCH, "no SAST record has a certificate");
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}

/* A list is read when nothing but the folder can be written any more. */
static enum status open_first(struct export *x, struct tlv_err *e)
{
	enum status st = fileset_open(&x->files, x->dir, e);

	x->is_open = true;
	return st == ST_OK ? common_write_beneath(x->dir, x->files.made, e) : st;
}

static enum status gather(struct export *x, struct tlv_err *e)
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

static void warn_dates(struct item *it)
{
	int64_t now = env_now();
	char when[32];

	if (now > it->facts.not_after) {
		time_iso(it->facts.not_after, when);
		msg_warn("%s: expired on %s", buf_cstr(&it->name), when);
	} else if (now < it->facts.not_before) {
		time_iso(it->facts.not_before, when);
		msg_warn("%s: not valid before %s", buf_cstr(&it->name), when);
	}
}

static enum status name_item(struct export *x, struct item *it, struct tlv_err *e)
{
	const struct tlv_cert *c = &it->cert.parts;
	struct buf label = BUF_INIT;
	enum status st;

	if (!tlv_name_cn(c->subject, &label) || label.n == 0)
		buf_str(&label, "certificate");
	st = filename_make(&x->names, NULL, buf_span(&label), c->serial, c->der, ".cer", &it->name,
			   e);
	if (st == ST_OK && x->prove) {
		buf_put(&it->proof_name, span_slice(buf_span(&it->name), 0, it->name.n - 4));
		buf_str(&it->proof_name, ".proof");
		st = buf_failed(&it->proof_name, e);
	}
	buf_free(&label);
	return st;
}

static enum status fill_item(struct export *x, struct item *it, struct tlv_err *e)
{
	enum status st = name_item(x, it, e);

	if (st == ST_OK && x->pem)
		st = cert_to_pem(buf_span(&it->cert.der), &it->bytes, e);
	else if (st == ST_OK)
		buf_put(&it->bytes, buf_span(&it->cert.der));
	if (st == ST_OK)
		warn_dates(it);
	return st == ST_OK ? buf_failed(&it->bytes, e) : st;
}

/* "DIR/name"; the caller frees b. */
static const char *path_of(const struct export *x, const char *name, struct buf *b)
{
	buf_truncate(b, 0);
	buf_printf(b, "%s/%s", x->dir, name);
	return buf_cstr(b);
}

/* Whether the files can be written, before anybody is asked for a PIN. */
static enum status check_item(const struct export *x, struct item *it, struct tlv_err *e)
{
	struct buf path = BUF_INIT;
	enum status st = publish_check_bytes(path_of(x, buf_cstr(&it->name), &path),
					     buf_span(&it->bytes), &x->publish, e);

	if (st == ST_OK && x->prove)
		st = publish_check_bytes(path_of(x, buf_cstr(&it->proof_name), &path), SPAN_NONE,
					 &x->publish, e);
	buf_free(&path);
	return st;
}

/* Of a folder that is to be made: whether that can be. */
static enum status check_parent(const struct export *x, struct tlv_err *e)
{
	struct publish_options opt = x->publish;
	struct span dir = span_str(x->dir);
	enum status st;
	char *bare;

	while (dir.n > 1 && span_at(dir, dir.n - 1) == '/')
		dir = span_slice(dir, 0, dir.n - 1);
	bare = span_dup(dir);
	st = bare != NULL ? publish_check(bare, &opt, e) : err_nomem(e);
	free(bare);
	return st;
}

static enum status check_output(struct export *x, struct tlv_err *e)
{
	struct buf path = BUF_INIT;
	struct stat there;
	enum status st = ST_OK;

	if (stat(x->dir, &there) != 0)
		return check_parent(x, e);
	for (size_t i = 0; i < x->n && st == ST_OK; i++)
		st = check_item(x, &x->items[i], e);
	if (st == ST_OK)
		st = sums_read(&x->sums, path_of(x, SUMS_NAME, &path), x->publish.overwrite, e);
	buf_free(&path);
	return st;
}

static enum status sign_statement(struct item *it, struct key *key, struct tlv_err *e)
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

static enum status check_proof(struct item *it, struct tlv_err *e)
{
	enum status st = proof_check(buf_span(&it->proof), &it->cert.parts, &it->proven, NULL);

	return st == ST_OK ? ST_OK : err_set(e, ST_BUG, "the proof that was made is none");
}

static enum status prove_item(struct export *x, struct item *it, struct tlv_err *e)
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
static enum status prepare(struct export *x, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < x->n && st == ST_OK; i++)
		st = fill_item(x, &x->items[i], e);
	if (st == ST_OK)
		st = check_output(x, e);
	for (size_t i = 0; x->prove && i < x->n && st == ST_OK; i++)
		st = prove_item(x, &x->items[i], e);
	return st;
}

static enum status begin_file(struct export *x, struct buf *name, const struct buf *bytes,
			      struct tlv_err *e)
{
	enum status st = fileset_add(&x->files, buf_cstr(name), buf_span(bytes), &x->publish, e);

	return st == ST_OK ? sums_add(&x->sums, buf_cstr(name), buf_span(bytes), e) : st;
}

static enum status begin_item(struct export *x, struct item *it, struct tlv_err *e)
{
	enum status st = begin_file(x, &it->name, &it->bytes, e);

	if (st == ST_OK && x->prove)
		st = begin_file(x, &it->proof_name, &it->proof, e);
	return st;
}

static enum status begin_sums(struct export *x, struct tlv_err *e)
{
	struct buf text = BUF_INIT;
	enum status st = sums_text(&x->sums, &text, e);

	if (st == ST_OK)
		st = fileset_add(&x->files, SUMS_NAME, buf_span(&text), &x->sums.opt, e);
	buf_free(&text);
	return st;
}

/* All of them on the disk before the first is in its place. */
static enum status begin_all(struct export *x, struct tlv_err *e)
{
	enum status st = x->is_open ? ST_OK : fileset_open(&x->files, x->dir, e);

	for (size_t i = 0; i < x->n && st == ST_OK; i++)
		st = begin_item(x, &x->items[i], e);
	return st == ST_OK ? begin_sums(x, e) : st;
}

static void print_item(const struct export *x, struct item *it)
{
	struct buf path = BUF_INIT, label = BUF_INIT;
	char when[32];

	time_iso(it->facts.not_after, when);
	tlv_label_cert(&label, &it->cert.parts);
	out_safe(span_str(path_of(x, buf_cstr(&it->name), &path)));
	out_printf(": ");
	out_text(buf_span(&label));
	buf_free(&label);
	out_printf(", valid until %s, SHA-1 ", when);
	out_hex(span_of(it->facts.sha1, sizeof it->facts.sha1), HEX_LOWER, "");
	out_printf("\n");
	if (x->prove) {
		time_iso(it->proven, when);
		out_safe(span_str(path_of(x, buf_cstr(&it->proof_name), &path)));
		out_printf(": the token has the key, %s\n", when);
	}
	buf_free(&path);
}

static json_t *proof_json(const struct export *x, struct item *it)
{
	json_t *o;
	char when[32];

	if (!x->prove)
		return json_null();
	o = json_object();
	time_iso(it->proven, when);
	out_json_set_text(o, "file", buf_span(&it->proof_name));
	(void)json_object_set_new(o, "time", json_string(when));
	return o;
}

static json_t *item_json(const struct export *x, struct item *it)
{
	json_t *o = json_object();

	out_json_set_text(o, "file", buf_span(&it->name));
	if (it->uri != NULL)
		out_json_set_text(o, "uri", span_str(it->uri));
	else
		(void)json_object_set_new(o, "record", json_integer((json_int_t)it->record));
	(void)json_object_set_new(o, "certificate", list_json_certificate(buf_span(&it->cert.der)));
	(void)json_object_set_new(o, "proof", proof_json(x, it));
	return o;
}

static enum status report(const struct export *x, struct tlv_err *e)
{
	json_t *o, *items;
	enum status st;

	if (!opt_given(x->o, OPT_JSON)) {
		for (size_t i = 0; i < x->n; i++)
			print_item(x, &x->items[i]);
		return out_flush(e);
	}
	o = json_object();
	items = json_array();
	for (size_t i = 0; i < x->n; i++)
		(void)json_array_append_new(items, item_json(x, &x->items[i]));
	out_json_set_text(o, "folder", span_str(x->dir));
	(void)json_object_set_new(o, "exported", items);
	st = out_json(o, e);
	return st == ST_OK ? out_flush(e) : st;
}

static void free_all(struct export *x)
{
	for (size_t i = 0; i < x->n; i++) {
		struct item *it = &x->items[i];

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
	struct export x = { .o = o, .from = { .fault = TLV_ERR_INIT } };
	enum status st = read_options(&x, e);

	if (st == ST_OK)
		st = gather(&x, e);
	if (st == ST_OK)
		st = prepare(&x, e);
	if (st == ST_OK)
		st = begin_all(&x, e);
	/* Nothing must be in its place when it cannot be said what. */
	if (st == ST_OK)
		st = report(&x, e);
	if (st == ST_OK)
		st = fileset_commit(&x.files, e);
	free_all(&x);
	return st;
}
