/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/cert.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "signer/crypto/digest.h"
#include "signer/crypto/usual.h"
#include "tlv/kind.h"
#include "tlv/name.h"
#include "tlv/tables.h"

enum status cert_from_der(struct cert *c, struct span der, struct tlv_err *e)
{
	*c = CERT_INIT;
	buf_put(&c->der, der);
	if (buf_failed(&c->der, e) != ST_OK)
		return ST_NOMEM;
	return tlv_cert_walk(buf_span(&c->der), &c->parts, e);
}

void cert_free(struct cert *c)
{
	buf_free(&c->der);
	*c = CERT_INIT;
}

static X509 *parse(struct span der)
{
	const unsigned char *p = der.p;
	X509 *x = der.n <= INT32_MAX ? d2i_X509(NULL, &p, (long)der.n) : NULL;

	if (x != NULL && p != der.p + der.n) {
		X509_free(x);
		x = NULL;
	}
	return x;
}

/*
 * X.509 as OpenSSL's own template has it (crypto/x509/x_x509.c), but for the key. The key stays
 * a BIT STRING. d2i_X509 sets up decoders for the key, which takes 18 times as long as the rest.
 */
struct plain_key {
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *bits;
};

struct plain_tbs {
	ASN1_INTEGER *version, *serial;
	X509_ALGOR *algorithm;
	X509_NAME *issuer, *subject;
	X509_VAL *validity;
	struct plain_key *key;
	ASN1_BIT_STRING *issuer_id, *subject_id;
	STACK_OF(X509_EXTENSION) * extensions;
};

struct plain_cert {
	struct plain_tbs *tbs;
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *signature;
};

typedef struct plain_key PLAIN_KEY;
typedef struct plain_tbs PLAIN_TBS;
typedef struct plain_cert PLAIN_CERT;

/* clang-format off */
ASN1_SEQUENCE(PLAIN_KEY) = {
	ASN1_SIMPLE(PLAIN_KEY, algorithm, X509_ALGOR),
	ASN1_SIMPLE(PLAIN_KEY, bits, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(PLAIN_KEY)

ASN1_SEQUENCE(PLAIN_TBS) = {
	ASN1_EXP_OPT(PLAIN_TBS, version, ASN1_INTEGER, 0),
	ASN1_SIMPLE(PLAIN_TBS, serial, ASN1_INTEGER),
	ASN1_SIMPLE(PLAIN_TBS, algorithm, X509_ALGOR),
	ASN1_SIMPLE(PLAIN_TBS, issuer, X509_NAME),
	ASN1_SIMPLE(PLAIN_TBS, validity, X509_VAL),
	ASN1_SIMPLE(PLAIN_TBS, subject, X509_NAME),
	ASN1_SIMPLE(PLAIN_TBS, key, PLAIN_KEY),
	ASN1_IMP_OPT(PLAIN_TBS, issuer_id, ASN1_BIT_STRING, 1),
	ASN1_IMP_OPT(PLAIN_TBS, subject_id, ASN1_BIT_STRING, 2),
	ASN1_EXP_SEQUENCE_OF_OPT(PLAIN_TBS, extensions, X509_EXTENSION, 3),
} static_ASN1_SEQUENCE_END(PLAIN_TBS)

ASN1_SEQUENCE(PLAIN_CERT) = {
	ASN1_SIMPLE(PLAIN_CERT, tbs, PLAIN_TBS),
	ASN1_SIMPLE(PLAIN_CERT, algorithm, X509_ALGOR),
	ASN1_SIMPLE(PLAIN_CERT, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(PLAIN_CERT)
/* clang-format on */

static void plain_free(struct plain_cert *x)
{
	ASN1_item_free((ASN1_VALUE *)x, ASN1_ITEM_rptr(PLAIN_CERT));
}

static struct plain_cert *plain_parse(struct span der)
{
	const unsigned char *p = der.p;
	struct plain_cert *x = NULL;

	if (der.n <= INT32_MAX)
		x = (struct plain_cert *)ASN1_item_d2i(NULL, &p, (long)der.n,
						       ASN1_ITEM_rptr(PLAIN_CERT));
	if (x != NULL && p != der.p + der.n) {
		plain_free(x);
		x = NULL;
	}
	return x;
}

/* As X.690 has it, 11.7.2 and 11.8.2. Whether OpenSSL asks for them depends on its release. */
static bool has_seconds(const ASN1_TIME *t)
{
	struct span text = span_of(ASN1_STRING_get0_data(t), (size_t)ASN1_STRING_length(t));
	size_t want = ASN1_STRING_type(t) == V_ASN1_UTCTIME ? 12 : 14, digits = 0;

	while (digits < text.n && span_at(text, digits) >= '0' && span_at(text, digits) <= '9')
		digits++;
	return digits == want;
}

static bool to_seconds(const ASN1_TIME *t, int64_t *out)
{
	/* No time_t is passed: on 32 bits libcrypto's may be shorter than ours. */
	ASN1_TIME *epoch = ASN1_TIME_new();
	int days = 0, seconds = 0;
	bool ok = has_seconds(t) && epoch != NULL &&
		  ASN1_TIME_set_string(epoch, "19700101000000Z") == 1 &&
		  ASN1_TIME_diff(&days, &seconds, epoch, t) == 1;

	if (ok)
		*out = (int64_t)days * 86400 + seconds;
	ASN1_TIME_free(epoch);
	return ok;
}

static char *name_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *copy = NULL;
	long n;

	if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
		n = BIO_get_mem_data(bio, &data);
		copy = n >= 0 ? span_dup(span_of(data, (size_t)n)) : NULL;
	}
	BIO_free(bio);
	return copy;
}

static const char *key_type(const EVP_PKEY *key)
{
	static const char *const types[] = { "RSA", "EC", "ED25519", "ED448", "RSA-PSS", "DSA" };

	for (size_t i = 0; key != NULL && i < COUNT(types); i++)
		if (EVP_PKEY_is_a(key, types[i]))
			return types[i];
	return "unknown";
}

static enum status not_taken(struct tlv_err *e)
{
	ERR_clear_error();
	return err_set(e, ST_INPUT, "OpenSSL does not take the certificate");
}

enum status cert_judge(struct span der, struct cert_facts *f, struct tlv_err *e)
{
	X509 *x = parse(der);
	const EVP_PKEY *key = x != NULL ? X509_get0_pubkey(x) : NULL;
	bool ok = x != NULL;

	*f = (struct cert_facts){ .key_type = "unknown" };
	ok = ok && to_seconds(X509_get0_notBefore(x), &f->not_before) &&
	     to_seconds(X509_get0_notAfter(x), &f->not_after) &&
	     EVP_Digest(der.p, der.n, f->sha1, NULL, EVP_sha1(), NULL) == 1 &&
	     EVP_Digest(der.p, der.n, f->sha256, NULL, EVP_sha256(), NULL) == 1;
	if (ok) {
		BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(x, NID_basic_constraints, NULL, NULL);

		f->is_ca = bc != NULL && bc->ca != 0;
		BASIC_CONSTRAINTS_free(bc);
		f->self_signed =
			X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
		f->key_type = key_type(key);
		f->key_bits = key != NULL ? (unsigned)EVP_PKEY_get_bits(key) : 0;
		f->subject = name_text(X509_get_subject_name(x));
		f->issuer = name_text(X509_get_issuer_name(x));
		ok = f->subject != NULL && f->issuer != NULL;
	}
	X509_free(x);
	if (!ok) {
		cert_facts_free(f);
		return not_taken(e);
	}
	ERR_clear_error();
	return ST_OK;
}

void cert_facts_free(struct cert_facts *f)
{
	free(f->subject);
	free(f->issuer);
	f->subject = f->issuer = NULL;
}

/* OpenSSL reads the dates and nothing else: to set up its decoders for the key takes far longer. */
enum status cert_validity(struct span der, int64_t *not_before, int64_t *not_after,
			  struct tlv_err *e)
{
	struct tlv_cert c;
	X509_VAL *val = NULL;
	const unsigned char *p;
	bool ok;

	if (tlv_cert_walk(der, &c, e) != ST_OK)
		return ST_INPUT;
	p = c.validity.p;
	val = d2i_X509_VAL(NULL, &p, (long)c.validity.n);
	ok = val != NULL && to_seconds(val->notBefore, not_before) &&
	     to_seconds(val->notAfter, not_after);
	X509_VAL_free(val);
	return ok ? ST_OK : not_taken(e);
}

/* What is no certificate to OpenSSL is none, whatever its dates are. */
enum status cert_validity_judged(struct span der, int64_t *not_before, int64_t *not_after,
				 struct tlv_err *e)
{
	struct usual_dates dates;
	struct plain_cert *x;
	bool ok;

	if (usual_cert(der, &dates)) {
		*not_before = dates.not_before;
		*not_after = dates.not_after;
		return ST_OK;
	}
	x = plain_parse(der);
	ok = x != NULL && to_seconds(x->tbs->validity->notBefore, not_before) &&
	     to_seconds(x->tbs->validity->notAfter, not_after);
	plain_free(x);
	return ok ? ST_OK : not_taken(e);
}

enum status cert_is_ca(struct span der, bool *is_ca, struct tlv_err *e)
{
	struct plain_cert *x = plain_parse(der);
	BASIC_CONSTRAINTS *bc;

	*is_ca = false;
	if (x == NULL)
		return not_taken(e);
	bc = X509V3_get_d2i(x->tbs->extensions, NID_basic_constraints, NULL, NULL);
	*is_ca = bc != NULL && bc->ca != 0;
	BASIC_CONSTRAINTS_free(bc);
	plain_free(x);
	ERR_clear_error();
	return ST_OK;
}

enum status cert_to_pem(struct span der, struct buf *out, struct tlv_err *e)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long n;
	enum status st = ST_OK;

	if (bio == NULL || PEM_write_bio(bio, PEM_STRING_X509, "", der.p, (long)der.n) <= 0) {
		st = err_nomem(e);
	} else {
		n = BIO_get_mem_data(bio, &data);
		buf_put(out, span_of(data, (size_t)n));
		st = buf_failed(out, e);
	}
	BIO_free(bio);
	return st;
}

enum status cert_base64(struct span s, struct buf *out, struct tlv_err *e)
{
	size_t at = buf_hole(out, (s.n + 2) / 3 * 4 + 1);

	if (buf_failed(out, e) != ST_OK || s.n > INT32_MAX)
		return err_nomem(e);
	buf_truncate(out, at + (size_t)EVP_EncodeBlock(out->p + at, s.p, (int)s.n));
	return ST_OK;
}

enum status cert_sha1(struct span der, uint8_t out[20], struct tlv_err *e)
{
	if (EVP_Digest(der.p, der.n, out, NULL, EVP_sha1(), NULL) == 1)
		return ST_OK;
	return err_set(e, ST_MACHINE,
		       "OpenSSL refuses the digest SHA1: 'ctlsign doctor' says more");
}

enum status cert_short_name(const struct tlv_cert *c, struct buf *out, struct tlv_err *e)
{
	struct buf cn = BUF_INIT;
	struct span name;
	size_t n = 0;

	if (tlv_name_cn(c->subject, &cn)) {
		name = buf_span(&cn);
		while (n < name.n && span_at(name, n) != '.')
			n++;
		buf_put(out, span_slice(name, 0, n));
	}
	buf_free(&cn);
	return buf_failed(out, e);
}

enum status cert_can_sign(const struct tlv_cert *c, bool allow_weak, unsigned *bits,
			  struct tlv_err *e)
{
	struct tlv_rsa rsa;

	*bits = 0;
	if (c->key_type != TLV_KEY_RSA || !tlv_rsa_walk(c->public_key, &rsa))
		return err_set(
			e, ST_INPUT,
			"the signer's certificate has no RSA key, and phones verify RSA signatures only: name another signer");
	*bits = rsa.bits;
	if (tlv_modulus_code(rsa.bits) < 0)
		return err_set(
			e, ST_INPUT,
			"the signer's key has %u bits: the format knows only 512, 1024, 2048 and 4096",
			rsa.bits);
	if (allow_weak)
		return ST_OK;
	if (rsa.bits == 512)
		return err_set(
			e, ST_INPUT,
			"anybody can forge a signature of 512 bits: use a longer key, or insist with --allow-weak-keys");
	if (tlv_rsa_proves_nothing(&rsa))
		return err_set(
			e, ST_INPUT,
			"the signer's public exponent is 1 or even, so its signatures prove nothing: use another key, or insist with --allow-weak-keys");
	return ST_OK;
}

enum status cert_is_sast_token(const struct tlv_cert *c, struct tlv_err *e)
{
	struct tlv_rsa rsa;

	if (!tlv_cert_is_token(c))
		return err_set(
			e, ST_NO,
			"is no SAST token's certificate: its issuer is no 'Cisco Manufacturing CA' (--any takes it all the same)");
	if (c->key_type != TLV_KEY_RSA || !tlv_rsa_walk(c->public_key, &rsa))
		return err_set(
			e, ST_NO,
			"is no SAST token's certificate: its key is not RSA (--any takes it all the same)");
	if (rsa.bits != 1024 && rsa.bits != 2048)
		return err_set(
			e, ST_NO,
			"is no SAST token's certificate: RSA of %u bits, not 1024 or 2048 (--any takes it all the same)",
			rsa.bits);
	return ST_OK;
}

/* The wire form is open [docs/FORMAT.md], but what equals a digest of it means this certificate. */
static bool is_hashed(const struct tlv_record *r, struct span der)
{
	static const enum tlv_digest algs[] = { TLV_SHA1, TLV_SHA256, TLV_SHA512 };
	struct digest d;

	if (r->hash.n == 0 || r->certificate.n > 0)
		return false;
	for (size_t i = 0; i < COUNT(algs); i++)
		if (digest_parts(algs[i], &der, 1, &d, NULL) == ST_OK &&
		    span_eq(digest_span(&d), r->hash))
			return true;
	return false;
}

bool cert_is_of_record(const struct tlv_list *l, const struct tlv_record *r, struct span der)
{
	uint8_t sha1[20];

	if (span_eq(r->certificate, der) || is_hashed(r, der))
		return true;
	return l->printed && cert_sha1(der, sha1, NULL) == ST_OK &&
	       span_starts(r->certificate, span_of(sha1, sizeof sha1));
}

struct span cert_first(struct span chain)
{
	const unsigned char *p = chain.p;
	long n = 0;
	int tag = 0, class = 0;

	if (chain.n == 0 || chain.n > LONG_MAX ||
	    (ASN1_get_object(&p, &n, &tag, &class, (long)chain.n) & 0x80) != 0)
		return SPAN_NONE;
	return span_slice(chain, 0, (size_t)(p - chain.p) + (size_t)n);
}
