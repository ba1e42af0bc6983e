/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/certfile.h"
#include "signer/crypto/key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "pkcs11/pin.h"
#include "pkcs11/shared/rsa.h"
#include "signer/crypto/digest.h"
#include "signer/crypto/keyfile.h"
#include "signer/io/out.h"
#include "signer/io/slurp.h"
#include "tlv/safe.h"

struct key {
	struct key_options opt;
	struct tok *tok;  /* a token's, or */
	struct blob file; /* a file's */
	EVP_PKEY *pkey;	  /* of a file, NULL until it is decrypted */
	struct cert cert;
	bool is_fallback;	  /* cert is opt.fallback */
	struct digest_key *check; /* the certificate's */
	unsigned bits;
};

const struct cert *key_cert(const struct key *k)
{
	return &k->cert;
}

unsigned key_bits(const struct key *k)
{
	return k->bits;
}

const struct tok_info *key_token(const struct key *k)
{
	return k->tok != NULL ? tok_info(k->tok) : NULL;
}

pid_t key_process(const struct key *k)
{
	return k != NULL && k->tok != NULL ? tok_process(k->tok) : 0;
}

static enum status check_cert(struct key *k, struct tlv_err *e)
{
	return cert_can_sign(&k->cert.parts, k->opt.allow_weak, &k->bits, e);
}

/* Read out of the key itself: to have it encoded costs OpenSSL more than a signature. */
static bool has_number(const EVP_PKEY *pkey, const char *name, struct span wanted)
{
	BIGNUM *own = NULL, *certs = BN_bin2bn(wanted.p, (int)wanted.n, NULL);
	bool same = certs != NULL && EVP_PKEY_get_bn_param(pkey, name, &own) == 1 &&
		    BN_cmp(own, certs) == 0;

	BN_free(own);
	BN_free(certs);
	return same;
}

static enum status check_pair(struct key *k, struct tlv_err *e)
{
	struct tlv_rsa certs;
	bool same;

	if (!EVP_PKEY_is_a(k->pkey, "RSA"))
		return err_set(
			e, ST_INPUT,
			"is no RSA key, and phones verify RSA signatures only: name another key");
	same = tlv_rsa_walk(k->cert.parts.public_key, &certs) &&
	       has_number(k->pkey, OSSL_PKEY_PARAM_RSA_N, certs.modulus) &&
	       has_number(k->pkey, OSSL_PKEY_PARAM_RSA_E, certs.exponent);
	ERR_clear_error();
	if (!same && k->is_fallback && k->opt.wrong_fallback != NULL)
		*k->opt.wrong_fallback = true;
	return same ? ST_OK :
		      err_set(e, ST_INPUT,
			      "is not the key of the signer's certificate: name the one that belongs to it with --cert");
}

/* PEM shows whether it has a certificate. PKCS#12 shows that only with the passphrase. */
static bool is_pem(const struct blob *file)
{
	return memmem(file->p, file->n, "-----BEGIN ", 11) != NULL;
}

static bool file_has_cert(const struct blob *file)
{
	return memmem(file->p, file->n, "-----BEGIN CERTIFICATE", 22) != NULL;
}

/* The certificate from --cert, else from the key's own PEM file, else from what keyfile found. */
static enum status file_cert(struct key *k, const struct keyfile *f, struct tlv_err *e)
{
	if (k->cert.der.n > 0)
		return ST_OK;
	if (file_has_cert(&k->file))
		return cert_parse(&k->cert, blob_span(&k->file), NULL, e);
	if (f->cert.n > 0)
		return cert_from_der(&k->cert, buf_span(&f->cert), e);
	k->is_fallback = k->opt.fallback.n > 0;
	if (k->is_fallback)
		return cert_from_der(&k->cert, k->opt.fallback, e);
	return err_set(e, ST_USAGE, "no certificate beside the key: name it with --cert");
}

static enum status read_pass(struct key *k, struct tok_pin **out, struct tlv_err *e)
{
	struct tok_pin_source src;
	struct buf prompt = BUF_INIT;
	enum status st = tok_pin_source_parse(k->opt.tok.pin_source, &src, e);

	/* A file's name is not the terminal's business. */
	buf_str(&prompt, "Passphrase of ");
	safe_text(&prompt, span_str(k->opt.key));
	buf_str(&prompt, ": ");
	src.noun = "passphrase";
	if (st == ST_OK)
		st = buf_failed(&prompt, e);
	if (st == ST_OK)
		st = tok_pin_read(&src, buf_cstr(&prompt), k->opt.tok.insecure_file_mode, out, e);
	buf_free(&prompt);
	return st;
}

/* The key of the file is k's from now on. */
static enum status take_key(struct key *k, struct keyfile *f, struct tlv_err *e)
{
	k->pkey = f->key;
	f->key = NULL;
	return file_cert(k, f, e);
}

/* With the passphrase; the file's bytes are no longer needed then. */
static enum status decrypt(struct key *k, struct tlv_err *e)
{
	struct keyfile f = { .key = NULL };
	struct tok_pin *pass = NULL;
	enum status st = read_pass(k, &pass, e);

	if (st == ST_OK)
		st = keyfile_read(&f, blob_span(&k->file), tok_pin_bytes(pass), k->opt.tok.timeout,
				  e);
	tok_pin_free(&pass);
	if (st == ST_OK)
		st = take_key(k, &f, e);
	keyfile_free(&f);
	return st;
}

static enum status open_plain(struct key *k, struct tlv_err *e)
{
	struct keyfile f;
	enum status st = keyfile_read(&f, blob_span(&k->file), NULL, k->opt.tok.timeout, e);

	if (st == ST_OK && f.needs_pass) {
		/* Later, unless only the passphrase can bring the certificate. */
		if (k->cert.der.n > 0)
			st = ST_OK;
		else if (is_pem(&k->file) && (file_has_cert(&k->file) || k->opt.fallback.n > 0))
			st = file_cert(k, &f, e);
		else
			st = decrypt(k, e);
	} else if (st == ST_OK) {
		st = take_key(k, &f, e);
	}
	keyfile_free(&f);
	return st;
}

static enum status open_file(struct key *k, struct tlv_err *e)
{
	enum slurp_mode mode = k->opt.tok.insecure_file_mode ? SLURP_REGULAR : SLURP_PRIVATE;
	enum status st = slurp(k->opt.key, SLURP_CERT_MAX, mode, &k->file, e);

	if (st != ST_OK)
		return st;
	st = open_plain(k, e);
	if (st == ST_OK && k->pkey != NULL && !EVP_PKEY_is_a(k->pkey, "RSA"))
		st = err_set(
			e, ST_INPUT,
			"is no RSA key, and phones verify RSA signatures only: name another key");
	if (st == ST_OK)
		st = check_cert(k, e);
	if (st == ST_OK && k->pkey != NULL)
		st = check_pair(k, e);
	return st == ST_OK ? ST_OK : err_in(e, "%s", k->opt.key);
}

static void say_key(const struct key *k)
{
	const struct tok_info *t = key_token(k);
	struct cert_facts facts;

	if (t != NULL)
		cert_step_token(t);
	if (cert_judge(buf_span(&k->cert.der), &facts, NULL) == ST_OK)
		msg_step("signer %s, RSA of %u bits", facts.subject, k->bits);
	cert_facts_free(&facts);
}

static enum status start_token(struct key *k, struct tlv_err *e)
{
	struct tok_options t = k->opt.tok;

	t.uri = k->opt.key;
	t.cert = buf_span(&k->cert.der);
	return tok_start(&k->tok, &t, e);
}

static enum status open_token(struct key *k, struct tlv_err *e)
{
	enum status st;

	digest_look_up();
	st = tok_started(k->tok, e);
	if (st == ST_OK && k->cert.der.n == 0)
		st = cert_from_der(&k->cert, tok_certificate(k->tok), e);
	return st == ST_OK ? check_cert(k, e) : st;
}

enum status key_start(struct key **out, const struct key_options *opt, struct tlv_err *e)
{
	struct key *k = calloc(1, sizeof *k);
	enum status st = ST_OK;

	*out = k;
	if (k == NULL)
		return err_nomem(e);
	k->opt = *opt;
	if (opt->cert != NULL)
		st = cert_load(&k->cert, opt->cert, &opt->tok, &opt->tok.warn, e);
	if (st == ST_OK && opt->key != NULL && tok_is_uri(opt->key))
		st = start_token(k, e);
	if (st != ST_OK)
		key_free(out);
	return st;
}

/* The certificate alone: what a list signed with its key would be like. */
static enum status open_cert(struct key *k, struct tlv_err *e)
{
	return check_cert(k, e) == ST_OK ? ST_OK : err_in(e, "%s", k->opt.cert);
}

static enum status open_any(struct key *k, struct tlv_err *e)
{
	if (k->opt.key == NULL)
		return open_cert(k, e);
	return k->tok != NULL ? open_token(k, e) : open_file(k, e);
}

enum status key_started(struct key *k, struct tlv_err *e)
{
	enum status st = open_any(k, e);

	if (st == ST_OK && msg_is_verbose())
		say_key(k);
	return st;
}

bool key_may_start_again(const struct key *k)
{
	return k->tok != NULL && tok_may_start_again(k->tok);
}

enum status key_open(struct key **out, const struct key_options *opt, struct tlv_err *e)
{
	enum status st = key_start(out, opt, e);

	if (st == ST_OK && *out != NULL)
		st = key_started(*out, e);
	if (st != ST_OK)
		key_free(out);
	return st;
}

static enum status open_private(struct key *k, struct tlv_err *e)
{
	enum slurp_mode mode = k->opt.tok.insecure_file_mode ? SLURP_REGULAR : SLURP_PRIVATE;
	struct keyfile f = { .key = NULL };
	struct tok_pin *pass = NULL;
	enum status st = slurp(k->opt.key, SLURP_CERT_MAX, mode, &k->file, e);

	if (st != ST_OK)
		return st;
	st = keyfile_read(&f, blob_span(&k->file), NULL, k->opt.tok.timeout, e);
	if (st == ST_OK && f.needs_pass) {
		keyfile_free(&f);
		st = read_pass(k, &pass, e);
		if (st == ST_OK)
			st = keyfile_read(&f, blob_span(&k->file), tok_pin_bytes(pass),
					  k->opt.tok.timeout, e);
		tok_pin_free(&pass);
	}
	blob_free(&k->file);
	k->pkey = f.key;
	f.key = NULL;
	keyfile_free(&f);
	if (st == ST_OK && !EVP_PKEY_is_a(k->pkey, "RSA"))
		st = err_set(
			e, ST_INPUT,
			"is no RSA key, and only RSA keys are known to decrypt configuration files");
	return st == ST_OK ? ST_OK : err_in(e, "%s", k->opt.key);
}

enum status key_open_private(struct key **out, const struct key_options *opt, struct tlv_err *e)
{
	struct key *k;
	enum status st;

	*out = NULL;
	if (tok_is_uri(opt->key))
		return err_set(
			e, ST_USAGE,
			"a token's key cannot decrypt here: name the file that holds the phone's key");
	k = calloc(1, sizeof *k);
	if (k == NULL)
		return err_nomem(e);
	k->opt = *opt;
	*out = k;
	st = open_private(k, e);
	if (st != ST_OK)
		key_free(out);
	return st;
}

EVP_PKEY *key_private(const struct key *k)
{
	return k->pkey;
}

bool key_needs_login(const struct key *k)
{
	return k->tok != NULL || k->pkey == NULL;
}

static enum status decrypt_now(struct key *k, struct tlv_err *e)
{
	enum status st = decrypt(k, e);

	if (st == ST_OK)
		st = check_pair(k, e);
	blob_free(&k->file);
	return st == ST_OK ? ST_OK : err_in(e, "%s", k->opt.key);
}

enum status key_login(struct key *k, struct tlv_err *e)
{
	enum status st = ST_OK;

	if (k->check == NULL)
		st = digest_key_new(&k->check, k->cert.parts.public_key, e);
	if (st != ST_OK)
		return st;
	if (k->tok == NULL)
		return k->pkey == NULL ? decrypt_now(k, e) : ST_OK;
	st = tok_login(k->tok, e);
	if (st == ST_OK)
		msg_step("logged in to %s", tok_info(k->tok)->label);
	return st;
}

/* A file's own fault, and none of a token's. */
static enum status sign_with_file(struct key *k, struct span info, uint8_t sig[TOK_SIG_MAX],
				  size_t *n, struct tlv_err *e)
{
	struct tlv_err why = TLV_ERR_INIT;
	enum status st = rsa_sign_digest_info(k->pkey, info, sig, TOK_SIG_MAX, n, &why);

	if (st != ST_TOKEN)
		return st == ST_OK ? ST_OK : err_copy(e, &why);
	return err_set(
		e, ST_INPUT,
		"%s: %s: the key is damaged, or OpenSSL's policy forbids it, which 'ctlsign doctor' tells",
		k->opt.key, err_text(&why));
}

enum status key_sign_raw(struct key *k, enum tlv_digest alg, struct span digest,
			 uint8_t sig[TOK_SIG_MAX], size_t *n, struct tlv_err *e)
{
	struct digest_info info;
	enum status st = digest_info_make(alg, digest, &info, e);
	struct span di = span_of(info.bytes, info.n);

	if (st != ST_OK)
		return st;
	return k->tok != NULL ? tok_sign(k->tok, di, sig, n, e) : sign_with_file(k, di, sig, n, e);
}

enum status key_check(const struct key *k, enum tlv_digest alg, struct span digest, struct span sig,
		      struct tlv_err *e)
{
	if (k->check != NULL && digest_key_verify(k->check, alg, digest, sig, NULL) == ST_OK)
		return ST_OK;
	if (k->tok == NULL)
		return err_set(
			e, ST_INPUT,
			"%s: its signature does not verify with the signer's certificate: the key is damaged; bring it back from its backup",
			k->opt.key);
	return err_set(
		e, ST_TOKEN,
		"token '%s': its signature does not verify with the signer's certificate: try again, then another module with --module",
		tok_info(k->tok)->label);
}

enum status key_sign(struct key *k, enum tlv_digest alg, struct span digest,
		     uint8_t sig[TOK_SIG_MAX], size_t *n, struct tlv_err *e)
{
	enum status st = key_sign_raw(k, alg, digest, sig, n, e);

	return st == ST_OK ? key_check(k, alg, digest, span_of(sig, *n), e) : st;
}

void key_finish(struct key *k)
{
	if (k->tok != NULL)
		tok_finish(k->tok);
}

void key_free(struct key **k)
{
	if (*k == NULL)
		return;
	tok_free(&(*k)->tok);
	digest_key_free(&(*k)->check);
	EVP_PKEY_free((*k)->pkey);
	blob_free(&(*k)->file);
	cert_free(&(*k)->cert);
	free(*k);
	*k = NULL;
}
