/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

#include "pkcs11/shared/rsa.h"
#include "signer/crypto/digest.h"
#include "signer/doctor/doctor.h"
#include "signer/io/env.h"

static const char lift[] =
	"lift it for this program: 'OPENSSL_CONF=/dev/null ctlsign ...', or in openssl.cnf";

enum { WEAKEST_BITS = 1024 }; /* what the tokens and the older clusters have */

static const char *reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = code == 0 ? NULL : ERR_reason_error_string(code);

	return text == NULL ? "no reason given" : text;
}

void doctor_openssl(struct doctor *d)
{
	const char *conf = env_get("OPENSSL_CONF");
	struct digest md5;
	struct tlv_err e = TLV_ERR_INIT;

	if (conf != NULL)
		doctor_say(d, DOCTOR_NOTE, NULL, NULL,
			   "OPENSSL_CONF names '%s' instead of the system's configuration", conf);
	if (EVP_default_properties_is_fips_enabled(NULL) == 1)
		doctor_say(d, DOCTOR_WARNING, NULL, lift,
			   "it is in FIPS mode, which may refuse MD5, SHA-1 and short keys");
	if (digest_md5(SPAN_LIT("ctlsign"), &md5, &e) == ST_OK)
		doctor_say(d, DOCTOR_OK, NULL, NULL, "it has MD5, which phones show of a list");
	else
		doctor_say(d, DOCTOR_ERROR, NULL, lift,
			   "it refuses MD5, which phones show of a list");
	ERR_clear_error();
}

/* Made, then verified, as a list's signature is. */
static enum status try_digest(EVP_PKEY *key, struct span public_key, enum tlv_digest alg,
			      struct tlv_err *e)
{
	const struct span what = SPAN_LIT("ctlsign");
	uint8_t sig[TOK_SIG_MAX];
	size_t n = 0;
	struct digest digest;
	struct digest_info info;
	enum status st = digest_parts(alg, &what, 1, &digest, e);

	if (st == ST_OK)
		st = digest_info_make(alg, digest_span(&digest), &info, e);
	if (st == ST_OK)
		st = rsa_sign_digest_info(key, span_of(info.bytes, info.n), sig, sizeof sig, &n, e);
	if (st == ST_OK)
		st = digest_verify(public_key, alg, digest_span(&digest), span_of(sig, n), e);
	return st == ST_NO ? err_set(e, ST_NO, "it does not verify what it signed") : st;
}

static void try_digests(struct doctor *d, EVP_PKEY *key, struct span public_key)
{
	static const enum tlv_digest algs[] = { TLV_SHA1, TLV_SHA256, TLV_SHA512 };

	for (size_t i = 0; i < COUNT(algs); i++) {
		const char *name = tlv_digest_find((uint8_t)algs[i])->text;
		struct tlv_err e = TLV_ERR_INIT;

		if (try_digest(key, public_key, algs[i], &e) == ST_OK)
			doctor_say(d, DOCTOR_OK, name, NULL,
				   "is made and verified with a key of %d bits", WEAKEST_BITS);
		else
			doctor_say(d, DOCTOR_ERROR, name, lift,
				   "cannot be made or verified with a key of %d bits (%s)",
				   WEAKEST_BITS, err_text(&e));
	}
}

/* A policy looks at the digest that a signature names. */
static void try_policy(struct doctor *d, EVP_PKEY *key)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx != NULL && EVP_DigestSignInit_ex(ctx, NULL, "SHA1", NULL, NULL, key, NULL) != 1)
		doctor_say(
			d, DOCTOR_NOTE, NULL, NULL,
			"the crypto policy forbids SHA-1 by name; ctlsign's lists are right all the same, but 'openssl dgst -sha1' refuses them");
	EVP_MD_CTX_free(ctx);
}

void doctor_signature(struct doctor *d)
{
	EVP_PKEY *key = EVP_RSA_gen(WEAKEST_BITS);
	unsigned char *der = NULL;
	int n = key != NULL ? i2d_PublicKey(key, &der) : 0;

	if (n > 0) {
		try_digests(d, key, span_of(der, (size_t)n));
		try_policy(d, key);
	} else {
		doctor_say(d, DOCTOR_ERROR, NULL, lift,
			   "OpenSSL refuses RSA keys of %d bits, which SAST tokens have (%s)",
			   WEAKEST_BITS, reason());
	}
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	ERR_clear_error();
}

void doctor_legacy(struct doctor *d)
{
	OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
	OSSL_PROVIDER *legacy = libctx != NULL ? OSSL_PROVIDER_load(libctx, "legacy") : NULL;

	if (legacy != NULL)
		doctor_say(
			d, DOCTOR_OK, NULL, NULL,
			"OpenSSL's old ciphers are there, for PKCS#12 files as CUCM writes them");
	else
		doctor_say(d, DOCTOR_NOTE, NULL,
			   "install OpenSSL's 'legacy' provider, or convert the file elsewhere",
			   "no old ciphers (%s): key files with RC2 or DES cannot be opened",
			   reason());
	(void)OSSL_PROVIDER_unload(legacy);
	OSSL_LIB_CTX_free(libctx);
	ERR_clear_error();
}
