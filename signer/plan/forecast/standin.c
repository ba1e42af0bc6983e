/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/standin.h"

#include <stdlib.h>

#include "signer/crypto/cert.h"
#include "tlv/der.h"
#include "tlv/kind.h"
#include "tlv/spelling.h"
#include "tlv/text.h"

enum { SHA1 = 20, KEY_USUAL = 270 /* bytes of an RSA key of 2048 bits */ };

/* Bytes that follow from the SHA-1, so that each certificate has its own. */
static void put_pattern(struct buf *out, struct span sha1, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_u8(out, (uint8_t)(span_at(sha1, i % SHA1) ^ (int)(i / SHA1)));
}

static void put_rsa(struct buf *out, struct span sha1, size_t modulus)
{
	struct buf numbers = BUF_INIT, n = BUF_INIT;

	buf_u8(&n, 0x80);
	put_pattern(&n, sha1, modulus - 2);
	buf_u8(&n, 1);
	der_put_magnitude(&numbers, buf_span(&n));
	der_put_magnitude(&numbers, SPAN_LIT("\x01\x00\x01"));
	der_wrap(out, DER_SEQUENCE, &numbers);
	buf_free(&n);
}

/* An RSA key of exactly this length; false, and nothing is put, if there is none. */
static bool put_rsa_of(struct buf *out, struct span sha1, size_t length)
{
	enum { AROUND_MIN = 10, AROUND_MAX = 16 }; /* bytes around a modulus, with exponent 65537 */
	size_t start = out->n;

	for (size_t around = AROUND_MIN; around <= AROUND_MAX && around + 2 < length; around++) {
		put_rsa(out, sha1, length - around);
		if (out->n - start == length)
			return true;
		buf_truncate(out, start);
	}
	return false;
}

/* Of the printed length: RSA, or a point of a curve. */
static bool put_key(struct buf *out, struct span sha1, size_t length)
{
	if (length % 2 == 0 && put_rsa_of(out, sha1, length))
		return true;
	buf_u8(out, 4);
	put_pattern(out, sha1, length - 1);
	return false;
}

static void put_bits(struct buf *out, struct span bits)
{
	struct buf value = BUF_INIT;

	buf_u8(&value, 0);
	buf_put(&value, bits);
	der_wrap(out, DER_BIT_STRING, &value);
}

static void put_key_info(struct buf *out, const struct tlv_record *r)
{
	static const uint8_t rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
	static const uint8_t ec[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
	struct span sha1 = span_slice(r->certificate, 0, SHA1);
	size_t length = r->public_key.n > 0 ? r->public_key.n : KEY_USUAL;
	struct buf info = BUF_INIT, algorithm = BUF_INIT, key = BUF_INIT;
	bool is_rsa = put_key(&key, sha1, length);

	der_put(&algorithm, DER_OID, is_rsa ? span_of(rsa, sizeof rsa) : span_of(ec, sizeof ec));
	der_wrap(&info, DER_SEQUENCE, &algorithm);
	put_bits(&info, buf_span(&key));
	der_wrap(out, DER_SEQUENCE, &info);
	buf_free(&key);
}

/* A token's record has it back to front (docs/FORMAT.md). */
static void put_serial(struct buf *out, const struct tlv_record *r)
{
	struct buf serial = BUF_INIT;

	if (tlv_record_is_nameless(r))
		buf_put_reversed(&serial, r->serial);
	else
		buf_put(&serial, r->serial);
	der_put_magnitude(out, buf_span(&serial));
	buf_free(&serial);
}

/* What a walk through a certificate looks for; dates are not printed, so there are none. */
static void put_parts(struct buf *out, const struct tlv_record *r)
{
	put_serial(out, r);
	der_put(out, DER_SEQUENCE, SPAN_NONE);
	spelling_put_name(out, tlv_text(r->issuer));
	der_put(out, DER_SEQUENCE, SPAN_NONE);
	spelling_put_name(out, tlv_text(r->subject));
	put_key_info(out, r);
}

/* Heads of the longer form hold any length, so that a certificate can be as long as it should. */
static void put_long(struct buf *out, uint8_t tag, struct span value)
{
	buf_u8(out, tag);
	buf_u8(out, 0x82);
	buf_u16(out, (uint16_t)value.n);
	buf_put(out, value);
}

/* As long as printed: phones load no list above a limit. */
static enum status put_certificate(struct buf *out, const struct tlv_record *r, struct tlv_err *e)
{
	enum { HEAD = 4, PADDING = 0xa3 };
	struct buf parts = BUF_INIT, tail = BUF_INIT, all = BUF_INIT, padding = BUF_INIT;
	size_t length = r->certificate.n, least;

	put_parts(&parts, r);
	der_put(&tail, DER_SEQUENCE, SPAN_NONE);
	put_bits(&tail, SPAN_NONE);
	least = 3 * HEAD + parts.n + tail.n;
	if (length >= least && length <= UINT16_MAX) {
		(void)buf_hole(&padding, length - least);
		put_long(&parts, PADDING, buf_span(&padding));
		put_long(&all, DER_SEQUENCE, buf_span(&parts));
		buf_put(&all, buf_span(&tail));
		put_long(out, DER_SEQUENCE, buf_span(&all));
	} else if (parts.failed == ST_OK && tail.failed == ST_OK) {
		(void)err_set(
			e, ST_INPUT,
			"a certificate of %zu bytes has no room for its key and its names of %zu: copy the whole output again",
			length, least);
	}
	if (parts.failed != ST_OK || tail.failed != ST_OK || padding.failed != ST_OK ||
	    all.failed != ST_OK)
		out->failed = err_nomem(e);
	buf_free(&parts);
	buf_free(&tail);
	buf_free(&all);
	buf_free(&padding);
	return e->status != ST_OK ? e->status : buf_failed(out, e);
}

static const struct standin *find(const struct standins *s, struct span sha1)
{
	for (size_t i = 0; i < s->n; i++)
		if (span_eq(span_of(s->v[i].sha1, SHA1), sha1))
			return &s->v[i];
	return NULL;
}

static struct standin *add(struct standins *s, struct span sha1)
{
	struct standin *x;

	if (!ARRAY_ROOM(s->v, s->n, s->cap))
		return NULL;
	x = &s->v[s->n++];
	*x = (struct standin){ .made = BUF_INIT };
	(void)span_copy(sha1, x->sha1, sizeof x->sha1);
	return x;
}

enum status standins_know(struct standins *s, struct span der, struct tlv_err *e)
{
	uint8_t sha1[SHA1];
	enum status st = cert_sha1(der, sha1, e);
	struct standin *x;

	if (st != ST_OK || find(s, span_of(sha1, sizeof sha1)) != NULL)
		return st;
	x = add(s, span_of(sha1, sizeof sha1));
	if (x == NULL)
		return err_nomem(e);
	x->der = der;
	return ST_OK;
}

static enum status certificate_for(struct standins *s, const struct tlv_record *r, struct span *der,
				   struct tlv_err *e)
{
	static const uint8_t unknown[SHA1];
	struct span sha1 = span_slice(r->certificate, 0, SHA1);
	const struct standin *known = find(s, sha1);
	struct standin *x;
	enum status st;

	if (span_eq(sha1, span_of(unknown, sizeof unknown)))
		return err_set(
			e, ST_INPUT,
			"the SHA-1 of its certificate is not printed, and certificates are told apart by it: copy the whole output again");
	if (known != NULL && known->der.n == r->certificate.n) {
		*der = known->der;
		return ST_OK;
	}
	x = add(s, sha1);
	if (x == NULL)
		return err_nomem(e);
	st = put_certificate(&x->made, r, e);
	*der = x->der = buf_span(&x->made);
	return st;
}

static void fill_record(struct buf *out, size_t start, const struct tlv_record *r,
			const struct tlv_cert *c)
{
	struct tlv_walk w = tlv_walk_of(TLV_SCOPE_RECORD, r->raw, r->at);
	struct tlv_field f;
	uint8_t address[4];

	while (tlv_walk_next(&w, &f, NULL)) {
		size_t at = start + f.at + TLV_HEAD;

		if (f.tag == TLV_R_CERTIFICATE && f.value.n == c->der.n)
			buf_fill(out, at, c->der);
		else if (f.tag == TLV_R_PUBLIC_KEY && f.value.n == c->public_key.n)
			buf_fill(out, at, c->public_key);
		else if (f.tag == TLV_R_IP_ADDRESS && f.value.n == sizeof address &&
			 span_ipv4(tlv_text(r->dns_name), address))
			buf_fill(out, at, span_of(address, sizeof address));
	}
}

enum status standins_fill(struct standins *s, const struct tlv_list *printed, struct buf *out,
			  struct tlv_err *e)
{
	size_t start = out->n;
	enum status st = ST_OK;

	buf_put(out, printed->bytes);
	for (size_t i = 0; st == ST_OK && i < printed->nrecords; i++) {
		struct tlv_record r = tlv_list_record(printed, i);
		struct tlv_cert c = { .der = SPAN_NONE };
		struct span der = SPAN_NONE;

		if (r.certificate.n >= SHA1)
			st = certificate_for(s, &r, &der, e);
		if (st == ST_OK && der.n > 0)
			st = tlv_cert_walk(der, &c, e);
		if (st == ST_OK)
			fill_record(out, start, &r, &c);
		else
			(void)err_in(e, "record %zu", i + 1);
	}
	return st == ST_OK ? buf_failed(out, e) : st;
}

enum status standins_sha1(const struct standins *s, struct span der, uint8_t sha1[20],
			  struct tlv_err *e)
{
	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (span_eq(s->v[i].der, der)) {
			(void)span_copy(span_of(s->v[i].sha1, SHA1), sha1, SHA1);
			return ST_OK;
		}
	return cert_sha1(der, sha1, e);
}

void standins_free(struct standins *s)
{
	for (size_t i = 0; i < s->n; i++)
		buf_free(&s->v[i].made);
	free(s->v);
	*s = STANDINS_INIT;
}
