/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A certificate, PEM or DER: our walk and OpenSSL agree on every field, where
 * both take it.
 */
#include <openssl/err.h>
#include <openssl/x509.h>

#include "signer/crypto/cert.h"
#include "signer/crypto/certfile.h"
#include "tests/fuzz/fuzz.h"
#include "tlv/name.h"

static void same_serial(const struct tlv_cert *c, const X509 *x)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	struct span theirs =
		span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));

	/* Of a negative one a list holds the bytes of the file, OpenSSL the magnitude. */
	if (ASN1_STRING_type(serial) == V_ASN1_INTEGER)
		REQUIRE(span_eq(c->serial, theirs));
}

static void same_name(struct span ours, const X509_NAME *name)
{
	unsigned char *der = NULL;
	int n = i2d_X509_NAME(name, &der);

	REQUIRE(n > 0 && span_eq(ours, span_of(der, (size_t)n)));
	OPENSSL_free(der);
}

static void same_key(const struct tlv_cert *c, const X509 *x)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x);
	ASN1_OBJECT *type = NULL;
	int nid;

	REQUIRE(span_eq(c->public_key,
			span_of(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key))));
	REQUIRE(X509_PUBKEY_get0_param(&type, NULL, NULL, NULL, X509_get_X509_PUBKEY(x)) == 1);
	nid = OBJ_obj2nid(type);
	REQUIRE((nid == NID_rsaEncryption) == (c->key_type == TLV_KEY_RSA));
	REQUIRE((nid == NID_X9_62_id_ecPublicKey) == (c->key_type == TLV_KEY_EC));
}

static bool has_dates(const X509 *x)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notBefore(x), &tm) == 1 &&
	       ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) == 1;
}

/* verify calls a certificate malformed if and only if d2i_X509 or its dates do. */
static bool taken(struct span der)
{
	int64_t before, after;

	return cert_validity_judged(der, &before, &after, NULL) == ST_OK;
}

static void compare(const struct tlv_cert *c, struct span der)
{
	const ASN1_BIT_STRING *signature;
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);

	REQUIRE((x != NULL && p == der.p + der.n && has_dates(x)) == taken(der));
	if (x != NULL && p == der.p + der.n) {
		same_serial(c, x);
		same_name(c->issuer, X509_get_issuer_name(x));
		same_name(c->subject, X509_get_subject_name(x));
		same_key(c, x);
		X509_get0_signature(&signature, NULL, x);
		REQUIRE(span_eq(c->signature, span_of(ASN1_STRING_get0_data(signature),
						      (size_t)ASN1_STRING_length(signature))));
	}
	X509_free(x);
	ERR_clear_error();
}

static void judge(const struct tlv_cert *c)
{
	struct cert_facts f;
	struct buf text = BUF_INIT;
	enum tlv_key_type type;
	int64_t before, after;
	unsigned bits;

	if (cert_judge(c->der, &f, NULL) == ST_OK) {
		REQUIRE(cert_validity(c->der, &before, &after, NULL) == ST_OK);
		REQUIRE(before == f.not_before && after == f.not_after);
		cert_facts_free(&f);
	}
	(void)cert_can_sign(c, false, &bits, NULL);
	(void)cert_is_sast_token(c, NULL);
	(void)tlv_key_bits(c->public_key, &type);
	REQUIRE(cert_short_name(c, &text, NULL) == ST_OK);
	buf_truncate(&text, 0);
	REQUIRE(cert_to_pem(c->der, &text, NULL) == ST_OK);
	buf_free(&text);
}

static enum status each(void *arg, struct span der, struct tlv_err *e)
{
	struct cert c;

	(void)arg;
	if (cert_from_der(&c, der, e) == ST_OK)
		compare(&c.parts, buf_span(&c.der));
	cert_free(&c);
	return ST_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlv_err e = TLV_ERR_INIT, other = TLV_ERR_INIT;
	struct span bytes = span_of(data, size);
	struct cert c;
	size_t n = 0;

	if (cert_parse(&c, bytes, NULL, &e) == ST_OK) {
		compare(&c.parts, buf_span(&c.der));
		judge(&c.parts);
	} else {
		REQUIRE((e.status == ST_INPUT || e.status == ST_AMBIGUOUS) &&
			err_text(&e)[0] != '\0');
	}
	cert_free(&c);
	(void)cert_each(bytes, each, NULL, &n, &other);
	return 0;
}
