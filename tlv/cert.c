/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/cert.h"

#include "tlv/der.h"
#include "tlv/name.h"
#include "tlv/text.h"

static const uint8_t oid_rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
static const uint8_t oid_ec[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };

/* A BIT STRING of whole bytes: none of the last byte is unused. */
static bool bit_string(struct cursor *c, struct span *out)
{
	struct cursor in;
	struct der d;
	uint8_t unused;

	if (!der_expect(c, DER_BIT_STRING, &d))
		return false;
	in = cursor_of(d.value);
	if (!cursor_u8(&in, &unused) || unused != 0)
		return false;
	*out = in.rest;
	return true;
}

static bool walk_key(struct span spki, struct tlv_cert *out)
{
	struct cursor c = cursor_of(spki), a;
	struct der algorithm, oid;

	if (!der_expect(&c, DER_SEQUENCE, &algorithm))
		return false;
	a = cursor_of(algorithm.value);
	if (!der_expect(&a, DER_OID, &oid))
		return false;
	if (span_eq(oid.value, span_of(oid_rsa, sizeof oid_rsa)))
		out->key_type = TLV_KEY_RSA;
	else if (span_eq(oid.value, span_of(oid_ec, sizeof oid_ec)))
		out->key_type = TLV_KEY_EC;
	return bit_string(&c, &out->public_key);
}

/*
 * version serial signature issuer validity subject key (RFC 5280, 4.1). *fault: the field that is
 * wrong.
 */
static bool walk_tbs(struct cursor c, struct tlv_cert *out, size_t *fault)
{
	struct der serial, algorithm, issuer, validity, subject, key;
	struct cursor at = c;
	struct der version;

	if (der_expect(&at, DER_CONTEXT_0, &version))
		c = at;
	if (!der_expect(&c, DER_INTEGER, &serial) || serial.value.n == 0 ||
	    !der_expect(&c, DER_SEQUENCE, &algorithm) || !der_expect(&c, DER_SEQUENCE, &issuer) ||
	    !der_expect(&c, DER_SEQUENCE, &validity) || !der_expect(&c, DER_SEQUENCE, &subject)) {
		*fault = c.at;
		return false;
	}
	*fault = c.at;
	if (!der_expect(&c, DER_SEQUENCE, &key) || !walk_key(key.value, out))
		return false;
	out->serial = der_magnitude(serial.value);
	out->issuer = issuer.raw;
	out->validity = validity.raw;
	out->subject = subject.raw;
	return true;
}

static struct cursor inside(struct cursor before, const struct der *d)
{
	return (struct cursor){ .rest = d->value, .at = before.at + (d->raw.n - d->value.n) };
}

enum status tlv_cert_walk(struct span der, struct tlv_cert *out, struct tlv_err *e)
{
	struct cursor c = cursor_of(der), before;
	struct der whole, tbs, algorithm;
	size_t fault = 0;

	*out = (struct tlv_cert){ .der = der };
	if (!der_expect(&c, DER_SEQUENCE, &whole))
		return err_set(e, ST_INPUT, "not a DER certificate, or cut short");
	if (c.rest.n != 0)
		return err_set_at(e, ST_INPUT, c.at, "%zu byte%s follow%s the certificate",
				  c.rest.n, plural(c.rest.n), c.rest.n == 1 ? "s" : "");
	before = c = inside(cursor_of(der), &whole);
	if (!der_expect(&c, DER_SEQUENCE, &tbs))
		return err_set_at(e, ST_INPUT, c.at, "not a DER certificate");
	if (!walk_tbs(inside(before, &tbs), out, &fault))
		return err_set_at(e, ST_INPUT, fault, "not a DER certificate");
	if (!der_expect(&c, DER_SEQUENCE, &algorithm) || !bit_string(&c, &out->signature) ||
	    c.rest.n != 0)
		return err_set_at(e, ST_INPUT, c.at, "not a DER certificate");
	return ST_OK;
}

static unsigned bit_length(struct span number)
{
	unsigned bits = (unsigned)number.n * 8;

	for (int top = span_at(number, 0); top >= 0 && top < 0x80 && bits > 0; bits--)
		top = top << 1 | 1;
	return bits;
}

bool tlv_rsa_walk(struct span public_key, struct tlv_rsa *out)
{
	struct cursor c = cursor_of(public_key);
	struct der whole, n, x;

	if (!der_expect(&c, DER_SEQUENCE, &whole) || c.rest.n != 0)
		return false;
	c = cursor_of(whole.value);
	if (!der_expect(&c, DER_INTEGER, &n) || !der_expect(&c, DER_INTEGER, &x) || c.rest.n != 0 ||
	    n.value.n == 0 || x.value.n == 0)
		return false;
	if (span_at(n.value, 0) >= 0x80 || span_at(x.value, 0) >= 0x80)
		return false; /* negative */
	out->modulus = der_magnitude(n.value);
	out->exponent = der_magnitude(x.value);
	out->bits = bit_length(out->modulus);
	return true;
}

bool tlv_rsa_proves_nothing(const struct tlv_rsa *rsa)
{
	int last = span_at(rsa->exponent, rsa->exponent.n - 1);

	return rsa->exponent.n == 0 || (rsa->exponent.n == 1 && last == 1) || (last & 1) == 0;
}

bool tlv_rsa_verifies(const struct tlv_rsa *rsa)
{
	enum { MODULUS_MAX = 16384, SMALL_MODULUS = 3072, EXPONENT_MAX = 64 };
	struct span n = rsa->modulus, x = rsa->exponent;
	bool below = x.n < n.n || (x.n == n.n && span_cmp(x, n) < 0);

	return below && rsa->bits <= MODULUS_MAX &&
	       (rsa->bits <= SMALL_MODULUS || bit_length(x) <= EXPONENT_MAX);
}

unsigned tlv_key_bits(struct span public_key, enum tlv_key_type *type)
{
	struct tlv_rsa rsa;

	*type = TLV_KEY_OTHER;
	if (tlv_rsa_walk(public_key, &rsa)) {
		*type = TLV_KEY_RSA;
		return rsa.bits;
	}
	if (span_at(public_key, 0) != 0x04 || public_key.n % 2 == 0)
		return 0;
	*type = TLV_KEY_EC;
	return (unsigned)(public_key.n - 1) / 2 * 8;
}

bool tlv_key_proves_nothing(struct span public_key)
{
	struct tlv_rsa rsa;

	return tlv_rsa_walk(public_key, &rsa) && tlv_rsa_proves_nothing(&rsa);
}
