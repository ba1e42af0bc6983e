/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * tlv/cert.c: the walk over any certificate, and what is asked of any key. What a walk takes is
 * any element with anything behind it.
 */
#include "tlv/cert.h"

#include "any.h"

enum { EXPONENT_MAX = 9 /* bytes; more than 64 bits are too many for a long modulus */ };

static void is_walked(const struct tlv_cert *c)
{
	is_span(c->der);
	is_span(c->serial);
	is_span(c->issuer);
	is_span(c->validity);
	is_span(c->subject);
	is_span(c->public_key);
	is_span(c->signature);
}

static void certificates(struct span der)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_cert c;

	if (tlv_cert_walk(der, &c, &e) == ST_OK)
		is_walked(&c);
}

static void keys(struct span key)
{
	enum tlv_key_type type;
	struct tlv_rsa rsa;

	if (tlv_rsa_walk(key, &rsa)) {
		is_span(rsa.modulus);
		is_span(rsa.exponent);
		(void)tlv_rsa_proves_nothing(&rsa);
		(void)tlv_rsa_verifies(&rsa);
	}
	(void)tlv_key_bits(key, &type);
	/*@ assert type: TLV_KEY_OTHER <= type <= TLV_KEY_EC; */
	(void)tlv_key_proves_nothing(key);
}

/* Numbers of all lengths, whatever is said of their bits. */
static void numbers(size_t n)
{
	static uint8_t exponent[EXPONENT_MAX], modulus[EXPONENT_MAX + 1];
	struct tlv_rsa rsa = { .exponent = span_of(exponent, n), .bits = (unsigned)any_u32() };

	any_bytes(exponent, sizeof exponent);
	any_bytes(modulus, sizeof modulus);
	for (size_t m = 0; m <= sizeof modulus; m++) {
		rsa.modulus = span_of(modulus, m);
		(void)tlv_rsa_verifies(&rsa);
	}
	(void)tlv_rsa_proves_nothing(&rsa);
}

int main(void)
{
	certificates(any_span());
	keys(any_span());
	for (size_t n = 0; n <= EXPONENT_MAX; n++)
		numbers(n);
	return 0;
}
