/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/keyfile.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

#include "pkcs11/process.h"
#include "pkcs11/shared/secret.h"
#include "pkcs11/token.h"
#include "signer/crypto/keybags.h"

enum { NO_PASS = 1, WITH_PASS };

enum { PRIMES_MAX = 10 }; /* OSSL_PKEY_PARAM_RSA_FACTOR10 is the last */

/* What the passphrase callback is told, and what it tells. */
struct asked {
	const char *pass;
	bool asked;
	UI_METHOD *ui; /* made and freed under the usual library context, to which it belongs */
};

static int give_pass(char *out, int cap, int rwflag, void *arg)
{
	struct asked *a = arg;
	size_t n = a->pass != NULL ? strlen(a->pass) : 0;

	(void)rwflag;
	a->asked = true;
	if (a->pass == NULL || cap < 0 ||
	    !span_copy(span_of(a->pass, n), (uint8_t *)out, (size_t)cap))
		return -1;
	return (int)n;
}

static void keep_cert(struct keyfile *k, const X509 *x)
{
	unsigned char *der = NULL;
	int n = k->cert.n == 0 ? i2d_X509(x, &der) : 0;

	if (n > 0)
		buf_put(&k->cert, span_of(der, (size_t)n));
	OPENSSL_free(der);
}

static void keep_key(struct keyfile *k, EVP_PKEY *key)
{
	if (k->key == NULL && EVP_PKEY_up_ref(key) == 1)
		k->key = key;
	else if (k->key == NULL || EVP_PKEY_eq(k->key, key) != 1)
		k->several = true;
}

static void take(struct keyfile *k, OSSL_STORE_INFO *info, size_t *keys)
{
	switch (OSSL_STORE_INFO_get_type(info)) {
	case OSSL_STORE_INFO_PKEY:
		++*keys;
		keep_key(k, OSSL_STORE_INFO_get0_PKEY(info));
		break;
	case OSSL_STORE_INFO_CERT:
		keep_cert(k, OSSL_STORE_INFO_get0_CERT(info));
		break;
	default:
		break;
	}
}

static bool is_within(const EVP_PKEY *key, const char *name, int bits)
{
	BIGNUM *v = NULL;
	bool ok = EVP_PKEY_get_bn_param(key, name, &v) != 1 || BN_num_bits(v) <= bits;

	BN_clear_free(v);
	return ok;
}

/*
 * How long a signature takes is set by the key's numbers. OpenSSL bounds none of the private ones,
 * and one prime of a million bits keeps it busy for years.
 */
static bool is_bounded(const EVP_PKEY *key)
{
	static const char *const numbers[] = { "factor", "exponent", "coefficient" };
	int bits = EVP_PKEY_get_bits(key);
	bool ok = bits <= OPENSSL_RSA_MAX_MODULUS_BITS &&
		  is_within(key, OSSL_PKEY_PARAM_RSA_E, bits) &&
		  is_within(key, OSSL_PKEY_PARAM_RSA_D, bits);
	char name[32];

	for (size_t i = 0; ok && i < COUNT(numbers); i++)
		for (int k = 1; ok && k <= PRIMES_MAX; k++) {
			(void)snprintf(name, sizeof name, "rsa-%s%d", numbers[i], k);
			ok = is_within(key, name, bits);
		}
	ERR_clear_error();
	return ok;
}

/* An RSA key in the clear, in the one form that its PEM label names. */
static EVP_PKEY *decode_rsa(const char *structure, const unsigned char *der, size_t n)
{
	EVP_PKEY *key = NULL;
	OSSL_DECODER_CTX *d = OSSL_DECODER_CTX_new_for_pkey(&key, "DER", structure, "RSA",
							    EVP_PKEY_KEYPAIR, NULL, NULL);

	if (d != NULL && (OSSL_DECODER_from_data(d, &der, &n) != 1 || n != 0)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	OSSL_DECODER_CTX_free(d);
	return key;
}

/* The key of one block of PEM. False if it is not for us to read, and nothing beside it. */
static bool take_block(struct keyfile *k, const char *label, const char *header,
		       const unsigned char *der, size_t n)
{
	bool pkcs8 = strcmp(label, PEM_STRING_PKCS8INF) == 0;

	if (strcmp(label, PEM_STRING_X509) == 0)
		return true; /* a certificate beside the key is read where it is wanted */
	if (k->key != NULL)  /* of several keys the other reader speaks */
		return strstr(label, "PRIVATE KEY") == NULL;
	if (*header != '\0' || (!pkcs8 && strcmp(label, PEM_STRING_RSA) != 0))
		return false;
	k->key = decode_rsa(pkcs8 ? "PrivateKeyInfo" : "type-specific", der, n);
	return k->key != NULL;
}

/*
 * What most key files are: PEM in the clear, which takes no time that the file
 * could set, and so no other process. OpenSSL's loader below asks each of its
 * hundred decoders whether a file is its own, which takes longer than to sign.
 */
static bool load_plain(struct keyfile *k, struct span bytes)
{
	BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.n);
	char *label = NULL, *header = NULL;
	unsigned char *der = NULL;
	bool ours = bio != NULL;
	long n = 0;

	while (ours && PEM_read_bio(bio, &label, &header, &der, &n) == 1) {
		ours = n > 0 && take_block(k, label, header, der, (size_t)n);
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
	}
	BIO_free(bio);
	ERR_clear_error();
	if (k->key != NULL && !(ours && is_bounded(k->key))) {
		EVP_PKEY_free(k->key);
		k->key = NULL;
	}
	return k->key != NULL;
}

/* All objects of the file in one pass. */
static bool load(struct keyfile *k, struct span bytes, struct asked *a)
{
	BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.n);
	OSSL_STORE_CTX *store = NULL;
	size_t keys = 0;

	if (bio != NULL)
		store = OSSL_STORE_attach(bio, "file", NULL, NULL, a->ui, a, NULL, NULL, NULL);
	ERR_clear_error();
	while (store != NULL && OSSL_STORE_eof(store) == 0) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info == NULL && OSSL_STORE_error(store) != 0)
			break;
		if (info != NULL)
			take(k, info, &keys);
		OSSL_STORE_INFO_free(info);
	}
	(void)OSSL_STORE_close(store);
	BIO_free(bio);
	if (k->key != NULL && !k->several)
		k->several =
			keybags_pem_blocks(bytes) > keys || keybags_other(k->key, bytes, a->pass);
	return k->key != NULL;
}

/* A key must outlive the library context that read it: over its DER into the usual one. */
static void take_der(struct keyfile *k, unsigned char *der, int n)
{
	const unsigned char *p = der;

	if (n > 0)
		k->key = d2i_AutoPrivateKey(NULL, &p, n);
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
}

/*
 * OpenSSL 3.0 reads parts of PKCS#12 in the default library context whatever
 * it is told, so for this one file another one is the default.
 */
static bool load_legacy(struct keyfile *k, struct span bytes, struct asked *a)
{
	OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
	OSSL_PROVIDER *base = libctx != NULL ? OSSL_PROVIDER_load(libctx, "default") : NULL;
	OSSL_PROVIDER *old = libctx != NULL ? OSSL_PROVIDER_load(libctx, "legacy") : NULL;
	OSSL_LIB_CTX *usual;
	unsigned char *der = NULL;
	int n = 0;

	if (base != NULL && old != NULL) {
		usual = OSSL_LIB_CTX_set0_default(libctx);
		if (load(k, bytes, a))
			n = i2d_PrivateKey(k->key, &der);
		EVP_PKEY_free(k->key);
		k->key = NULL;
		(void)OSSL_LIB_CTX_set0_default(usual);
	}
	take_der(k, der, n);
	(void)OSSL_PROVIDER_unload(old);
	(void)OSSL_PROVIDER_unload(base);
	OSSL_LIB_CTX_free(libctx);
	return k->key != NULL;
}

static const char no_key[] = "no private key in this file: it must be PEM, DER, PKCS#8 or PKCS#12";

enum status keyfile_decode(struct keyfile *out, struct span bytes, const char *pass,
			   struct tlv_err *e)
{
	struct asked a = { .pass = pass };
	bool loaded;

	*out = (struct keyfile){ .key = NULL };
	if (bytes.n == 0 || bytes.n > INT32_MAX)
		return err_set(e, ST_INPUT, no_key);
	a.ui = UI_UTIL_wrap_read_pem_callback(give_pass, 0);
	if (a.ui == NULL)
		return err_nomem(e);
	/* OpenSSL does not say why: an old cipher that is missing looks like a wrong passphrase. */
	loaded = load(out, bytes, &a) || load_legacy(out, bytes, &a);
	UI_destroy_method(a.ui);
	ERR_clear_error();
	out->needs_pass = !loaded && a.asked;
	if (loaded && out->several) {
		keyfile_free(out);
		return err_set(
			e, ST_AMBIGUOUS,
			"several private keys in this file: give the one that is meant a file of its own");
	}
	if (loaded && !is_bounded(out->key)) {
		keyfile_free(out);
		return err_set(
			e, ST_INPUT,
			"a number of this RSA key is longer than a signature may take: the file is damaged; bring it back from its backup");
	}
	if (loaded || (a.asked && pass == NULL))
		return ST_OK;
	buf_free(&out->cert);
	if (a.asked)
		return err_set(
			e, ST_PIN,
			"the passphrase is wrong, the file is damaged, or OpenSSL lacks its cipher ('ctlsign doctor', line 'legacy')");
	return err_set(e, ST_INPUT, no_key);
}

/*
 * What the other process sends: status, whether a passphrase is wanted, key, certificate, reason.
 */
static void put_field(struct buf *b, struct span s)
{
	buf_u32(b, (uint32_t)s.n);
	buf_put(b, s);
}

static bool take_field(struct cursor *c, struct span *out)
{
	uint32_t n;

	return cursor_u32(c, &n) && cursor_take(c, n, out);
}

static void send_result(int line, const struct keyfile *f, const struct tlv_err *e)
{
	unsigned char *der = NULL;
	int n = f->key == NULL ? 0 : i2d_PrivateKey(f->key, &der);
	struct buf b = BUF_INIT;

	buf_u8(&b, (uint8_t)(err_nomem_seen() ? ST_NOMEM : e->status));
	buf_u8(&b, f->needs_pass ? 1 : 0);
	put_field(&b, span_of(der, n > 0 ? (size_t)n : 0));
	put_field(&b, buf_span(&f->cert));
	put_field(&b, span_str(err_text(e)));
	if (buf_failed(&b, NULL) == ST_OK)
		(void)tok_line_send(line, buf_span(&b));
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
	buf_free(&b);
}

/* In the other process: one request, in which the passphrase comes, or none if it has a flag. */
static void decode_there(int line, const void *bytes)
{
	struct tok_pin *pass = tok_secret_new();
	struct tlv_err e = TLV_ERR_INIT;
	uint8_t head[TOK_HEAD];
	struct keyfile f;
	size_t n = 0;

	if (pass == NULL ||
	    !tok_line_receive(line, head, tok_secret_room(pass), TOK_SECRET_ROOM - 1, &n, NULL))
		return;
	tok_secret_set_length(pass, n);
	(void)keyfile_decode(&f, *(const struct span *)bytes,
			     head[0] == WITH_PASS ? tok_pin_bytes(pass) : NULL, &e);
	send_result(line, &f, &e);
	keyfile_free(&f);
	tok_pin_free(&pass);
}

static enum status take_result(struct keyfile *out, struct span msg, struct tlv_err *e)
{
	struct cursor c = cursor_of(msg);
	struct span der, cert, text;
	uint8_t status, needs_pass;

	if (!cursor_u8(&c, &status) || !cursor_u8(&c, &needs_pass) || !take_field(&c, &der) ||
	    !take_field(&c, &cert) || !take_field(&c, &text) || c.rest.n != 0)
		return err_set(e, ST_BUG, "malformed answer from the process that reads key files");
	if (status == ST_NOMEM)
		return err_nomem(e);
	if (status != ST_OK)
		return err_receive(
			e,
			status == ST_PIN || status == ST_AMBIGUOUS ? (enum status)status : ST_INPUT,
			text.p, text.n);
	if (der.n > 0)
		out->key = d2i_AutoPrivateKey(NULL, &(const unsigned char *){ der.p }, (long)der.n);
	ERR_clear_error();
	if (out->key == NULL && needs_pass == 0)
		return err_set(e, ST_INPUT, no_key);
	buf_put(&out->cert, cert);
	out->needs_pass = needs_pass != 0;
	return buf_failed(&out->cert, e);
}

static enum status wait_there(struct process *p, struct keyfile *out, unsigned seconds,
			      struct tlv_err *e)
{
	struct span msg;

	switch (process_next(p, &msg, process_now() + (int64_t)seconds * 1000)) {
	case PROCESS_MESSAGE:
		return take_result(out, msg, e);
	case PROCESS_LATE:
		return err_set(
			e, ST_INPUT,
			"takes more than %u s to decrypt: write it again with fewer rounds ('openssl pkcs12 -export -iter'), or wait longer with --timeout",
			seconds);
	default:
		return err_set(e, ST_INPUT,
			       "cannot be read: the process that reads key files has ended");
	}
}

enum status keyfile_read(struct keyfile *out, struct span bytes, const char *pass, unsigned seconds,
			 struct tlv_err *e)
{
	struct process *p = NULL;
	enum status st;

	*out = (struct keyfile){ .key = NULL };
	if (bytes.n > 0 && bytes.n <= INT32_MAX && load_plain(out, bytes))
		return ST_OK;
	st = process_fork(&p, decode_there, &bytes, e);
	if (st != ST_OK)
		return st;
	(void)process_put(p, pass == NULL ? NO_PASS : WITH_PASS, 0,
			  pass == NULL ? SPAN_NONE : span_str(pass), -1);
	st = wait_there(p, out, seconds == 0 ? TOK_TIMEOUT_DEFAULT : seconds, e);
	process_free(&p);
	if (st != ST_OK)
		keyfile_free(out);
	return st;
}

void keyfile_free(struct keyfile *k)
{
	EVP_PKEY_free(k->key);
	buf_free(&k->cert);
	*k = (struct keyfile){ .key = NULL };
}
