/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/digest.h"

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "tlv/cert.h"

/* Everything of a DigestInfo before the digest itself: RFC 8017, 9.2, note 1. */
static const struct {
	enum tlv_digest alg;
	const EVP_MD *(*md)(void);
	uint8_t prefix[19];
	size_t prefix_n, digest_n;
} algs[] = {
	{ TLV_SHA1, EVP_sha1, "\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14", 15,
	  20 },
	{ TLV_SHA256, EVP_sha256,
	  "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 19, 32 },
	{ TLV_SHA512, EVP_sha512,
	  "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40", 19, 64 },
};

static int find(enum tlv_digest alg)
{
	for (size_t i = 0; i < COUNT(algs); i++)
		if (algs[i].alg == alg)
			return (int)i;
	return -1;
}

/* A configuration or policy forbids it: FIPS mode has no MD5. */
static enum status refused(const EVP_MD *md, struct tlv_err *e)
{
	ERR_clear_error();
	return err_set(e, ST_MACHINE, "OpenSSL refuses the digest %s: 'ctlsign doctor' says more",
		       EVP_MD_get0_name(md));
}

static enum status run(const EVP_MD *md, const struct span *parts, size_t nparts,
		       struct digest *out, struct tlv_err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned n = 0;
	bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, md, NULL) == 1;

	for (size_t i = 0; i < nparts && ok; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out->bytes, &n) == 1;
	out->n = n;
	EVP_MD_CTX_free(ctx);
	return ok ? ST_OK : refused(md, e);
}

enum status digest_parts(enum tlv_digest alg, const struct span *parts, size_t nparts,
			 struct digest *out, struct tlv_err *e)
{
	int i = find(alg);

	if (i < 0)
		return err_set(e, ST_INPUT, "digest algorithm %d: unknown", (int)alg);
	return run(algs[i].md(), parts, nparts, out, e);
}

enum status digest_begin(struct digest_stream **out, enum tlv_digest alg, struct tlv_err *e)
{
	int i = find(alg);
	EVP_MD_CTX *ctx;

	*out = NULL;
	if (i < 0)
		return err_set(e, ST_INPUT, "digest algorithm %d: unknown", (int)alg);
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL || EVP_DigestInit_ex(ctx, algs[i].md(), NULL) != 1) {
		EVP_MD_CTX_free(ctx);
		return refused(algs[i].md(), e);
	}
	*out = (struct digest_stream *)ctx;
	return ST_OK;
}

enum status digest_add(struct digest_stream *s, struct span bytes, struct tlv_err *e)
{
	if (EVP_DigestUpdate((EVP_MD_CTX *)s, bytes.p, bytes.n) == 1)
		return ST_OK;
	ERR_clear_error();
	return err_set(e, ST_MACHINE, "OpenSSL refuses the digest: 'ctlsign doctor' says more");
}

enum status digest_end(struct digest_stream **s, struct digest *out, struct tlv_err *e)
{
	unsigned n = 0;
	bool ok = EVP_DigestFinal_ex((EVP_MD_CTX *)*s, out->bytes, &n) == 1;

	out->n = n;
	digest_drop(s);
	ERR_clear_error();
	return ok ? ST_OK :
		    err_set(e, ST_MACHINE,
			    "OpenSSL refuses the digest: 'ctlsign doctor' says more");
}

void digest_drop(struct digest_stream **s)
{
	EVP_MD_CTX_free((EVP_MD_CTX *)*s);
	*s = NULL;
}

void digest_configure(void)
{
	(void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
}

void digest_look_up(void)
{
	EVP_MD *md = EVP_MD_fetch(NULL, "SHA1", NULL);
	EVP_SIGNATURE *rsa = EVP_SIGNATURE_fetch(NULL, "RSA", NULL);
	EVP_KEYMGMT *keys = EVP_KEYMGMT_fetch(NULL, "RSA", NULL);

	EVP_KEYMGMT_free(keys);
	EVP_SIGNATURE_free(rsa);
	EVP_MD_free(md);
	ERR_clear_error();
}

const char *digest_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

struct span digest_span(const struct digest *d)
{
	return span_of(d->bytes, d->n);
}

enum status digest_md5(struct span bytes, struct digest *out, struct tlv_err *e)
{
	return run(EVP_md5(), &bytes, 1, out, e);
}

enum status digest_info_make(enum tlv_digest alg, struct span digest, struct digest_info *out,
			     struct tlv_err *e)
{
	int i = find(alg);

	if (i < 0 || digest.n != algs[i].digest_n) {
		(void)err_set(e, ST_BUG, "a digest of %zu bytes", digest.n);
		return ST_BUG;
	}
	out->n = algs[i].prefix_n + digest.n;
	if (!span_copy(span_of(algs[i].prefix, algs[i].prefix_n), out->bytes, sizeof out->bytes) ||
	    !span_copy(digest, out->bytes + algs[i].prefix_n, sizeof out->bytes - algs[i].prefix_n))
		return err_set(e, ST_BUG, "a DigestInfo of %zu bytes", out->n);
	return ST_OK;
}

size_t digest_key_bytes(enum tlv_digest alg)
{
	int i = find(alg);

	return i < 0 ? SIZE_MAX : algs[i].prefix_n + algs[i].digest_n + 11;
}

static EVP_PKEY *make_key(const struct tlv_rsa *rsa)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(rsa->modulus.p, (int)rsa->modulus.n, NULL);
	BIGNUM *x = BN_bin2bn(rsa->exponent.p, (int)rsa->exponent.n, NULL);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (bld != NULL && n != NULL && x != NULL &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, x) == 1)
		params = OSSL_PARAM_BLD_to_param(bld);
	if (params != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(x);
	return key;
}

enum status digest_public_key(EVP_PKEY **out, struct span public_key, struct tlv_err *e)
{
	struct tlv_rsa rsa;

	*out = tlv_rsa_walk(public_key, &rsa) ? make_key(&rsa) : NULL;
	if (*out != NULL)
		return ST_OK;
	ERR_clear_error();
	return err_set(e, ST_INPUT, "no RSA key that can be used");
}

struct digest_key {
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *ctx; /* ready to verify; copied for each signature */
	size_t bytes;	   /* of a signature */
};

enum status digest_key_new(struct digest_key **out, struct span public_key, struct tlv_err *e)
{
	struct digest_key *k;
	struct tlv_rsa rsa;

	*out = NULL;
	if (!tlv_rsa_walk(public_key, &rsa) || !tlv_rsa_verifies(&rsa))
		return err_set(e, ST_INPUT, "no RSA key that can be used");
	k = calloc(1, sizeof *k);
	if (k == NULL)
		return err_nomem(e);
	*out = k;
	k->bytes = (rsa.bits + 7) / 8;
	k->pkey = make_key(&rsa);
	k->ctx = k->pkey != NULL ? EVP_PKEY_CTX_new(k->pkey, NULL) : NULL;
	/*
	 * With no digest set, OpenSSL undoes the padding and compares the whole of what is inside.
	 */
	if (k->ctx != NULL && EVP_PKEY_verify_init(k->ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(k->ctx, RSA_PKCS1_PADDING) == 1)
		return ST_OK;
	ERR_clear_error();
	digest_key_free(out);
	return err_set(e, ST_INPUT, "no RSA key that can be used");
}

enum status digest_key_verify(const struct digest_key *k, enum tlv_digest alg, struct span digest,
			      struct span signature, struct tlv_err *e)
{
	struct digest_info info = { .n = 0 };
	EVP_PKEY_CTX *ctx;
	enum status st = digest_info_make(alg, digest, &info, e);

	if (st != ST_OK)
		return st;
	ctx = EVP_PKEY_CTX_dup(k->ctx);
	if (ctx == NULL)
		return err_nomem(e);
	if (signature.n != k->bytes ||
	    EVP_PKEY_verify(ctx, signature.p, signature.n, info.bytes, info.n) != 1)
		st = ST_NO;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return st == ST_NO && err_nomem_seen() ? err_nomem(e) : st;
}

void digest_key_free(struct digest_key **k)
{
	if (*k == NULL)
		return;
	EVP_PKEY_CTX_free((*k)->ctx);
	EVP_PKEY_free((*k)->pkey);
	free(*k);
	*k = NULL;
}

enum status digest_verify(struct span public_key, enum tlv_digest alg, struct span digest,
			  struct span signature, struct tlv_err *e)
{
	struct digest_key *k;
	enum status st = digest_key_new(&k, public_key, e);

	if (st == ST_OK && k != NULL)
		st = digest_key_verify(k, alg, digest, signature, e);
	digest_key_free(&k);
	return st;
}
