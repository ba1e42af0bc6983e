/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/usual.h"

#include "tlv/der.h"
#include "tlv/text.h"

enum {
	USUAL_MAX = 65535, /* bytes: a record holds no more; OpenSSL bounds names at a mebibyte */
	DER_BOOLEAN = 0x01,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_CONTEXT_3 = 0xa3
};

static bool at_end(const struct cursor *c)
{
	return c->rest.n == 0;
}

static bool next_is(const struct cursor *c, uint8_t tag)
{
	return span_at(c->rest, 0) == tag;
}

/* Takes an element whose contents are to be walked. */
static bool enter(struct cursor *c, uint8_t tag, struct cursor *inside)
{
	struct der d;

	if (!der_expect(c, tag, &d))
		return false;
	*inside = cursor_of(d.value);
	return true;
}

/* Of one byte, or without a first byte that says nothing. */
static bool take_integer(struct cursor *c)
{
	struct der d;

	if (!der_expect(c, DER_INTEGER, &d) || d.value.n == 0)
		return false;
	return d.value.n == 1 || (span_at(d.value, 0) == 0 ? span_at(d.value, 1) >= 0x80 :
							     span_at(d.value, 0) != 0xff);
}

/* Numbers of seven bits a byte: none begins with zeros, and the last one ends. */
static bool take_oid(struct cursor *c)
{
	bool goes_on = false;
	struct der d;

	if (!der_expect(c, DER_OID, &d) || d.value.n == 0)
		return false;
	for (size_t i = 0; i < d.value.n; i++) {
		int byte = span_at(d.value, i);

		if (!goes_on && byte == 0x80)
			return false;
		goes_on = byte >= 0x80;
	}
	return !goes_on;
}

/* Parameters that are absent, NULL or the name of a curve. */
static bool take_algorithm(struct cursor *c)
{
	struct cursor in;
	struct der d;

	if (!enter(c, DER_SEQUENCE, &in) || !take_oid(&in))
		return false;
	if (at_end(&in))
		return true;
	if (next_is(&in, DER_OID))
		return take_oid(&in) && at_end(&in);
	return der_expect(&in, DER_NULL, &d) && d.value.n == 0 && at_end(&in);
}

/* OpenSSL turns each text into UTF-8, to compare names. */
static bool take_text(struct cursor *c)
{
	struct der d;

	if (!der_next(c, &d) || d.value.n == 0)
		return false;
	return d.tag == DER_PRINTABLE_STRING || d.tag == DER_IA5_STRING ||
	       (d.tag == DER_UTF8_STRING && span_is_utf8(d.value));
}

static bool take_name(struct cursor *c)
{
	struct cursor rdns, attrs, pair;

	if (!enter(c, DER_SEQUENCE, &rdns) || at_end(&rdns))
		return false;
	while (!at_end(&rdns)) {
		if (!enter(&rdns, DER_SET, &attrs) || at_end(&attrs))
			return false;
		while (!at_end(&attrs))
			if (!enter(&attrs, DER_SEQUENCE, &pair) || !take_oid(&pair) ||
			    !take_text(&pair) || !at_end(&pair))
				return false;
	}
	return true;
}

/* A number of two digits; -1 if it is none. */
static int two_digits(struct span s, size_t at)
{
	int tens = span_at(s, at) - '0', ones = span_at(s, at + 1) - '0';

	return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
}

static int days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* "MMDDhhmmssZ" of the year, to the second and in UTC. */
static bool read_time(struct span s, int year, int64_t *out)
{
	int month = two_digits(s, 0), day = two_digits(s, 2), hour = two_digits(s, 4);
	int minute = two_digits(s, 6), second = two_digits(s, 8);

	if (s.n != 11 || span_at(s, 10) != 'Z' || month < 1 || month > 12 || day < 1 ||
	    day > days_in(year, month) || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
	    second < 0 || second > 59)
		return false;
	*out = days_of_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	return true;
}

/* Years from 1950 on; in two digits they end with 2049 (RFC 5280, 4.1.2.5.1). */
static bool take_time(struct cursor *c, int64_t *out)
{
	struct der d;
	int high, low;

	if (!der_next(c, &d))
		return false;
	if (d.tag == DER_UTC_TIME) {
		low = two_digits(d.value, 0);
		return low >= 0 && read_time(span_slice(d.value, 2, d.value.n),
					     low < 50 ? 2000 + low : 1900 + low, out);
	}
	high = two_digits(d.value, 0);
	low = two_digits(d.value, 2);
	return d.tag == DER_GENERALIZED_TIME && low >= 0 && high * 100 + low >= 1950 &&
	       read_time(span_slice(d.value, 4, d.value.n), high * 100 + low, out);
}

static bool take_validity(struct cursor *c, struct usual_dates *out)
{
	struct cursor in;

	return enter(c, DER_SEQUENCE, &in) && take_time(&in, &out->not_before) &&
	       take_time(&in, &out->not_after) && at_end(&in);
}

/* Whole bytes, and at least one. */
static bool take_bits(struct cursor *c)
{
	struct der d;

	return der_expect(c, DER_BIT_STRING, &d) && d.value.n > 1 && span_at(d.value, 0) == 0;
}

static bool take_key(struct cursor *c)
{
	struct cursor in;

	return enter(c, DER_SEQUENCE, &in) && take_algorithm(&in) && take_bits(&in) && at_end(&in);
}

static bool take_extension(struct cursor *c)
{
	struct cursor in;
	struct der d;

	if (!enter(c, DER_SEQUENCE, &in) || !take_oid(&in))
		return false;
	if (next_is(&in, DER_BOOLEAN) && (!der_expect(&in, DER_BOOLEAN, &d) || d.value.n != 1))
		return false;
	return der_expect(&in, DER_OCTET_STRING, &d) && at_end(&in);
}

static bool take_extensions(struct cursor *c)
{
	struct cursor tagged, in;

	if (at_end(c))
		return true;
	if (!enter(c, DER_CONTEXT_3, &tagged) || !enter(&tagged, DER_SEQUENCE, &in) ||
	    !at_end(&tagged) || at_end(&in))
		return false;
	while (!at_end(&in))
		if (!take_extension(&in))
			return false;
	return true;
}

static bool take_version(struct cursor *c)
{
	struct cursor in;

	if (!next_is(c, DER_CONTEXT_0))
		return true;
	return enter(c, DER_CONTEXT_0, &in) && take_integer(&in) && at_end(&in);
}

static bool take_tbs(struct cursor *c, struct usual_dates *out)
{
	struct cursor in;

	return enter(c, DER_SEQUENCE, &in) && take_version(&in) && take_integer(&in) &&
	       take_algorithm(&in) && take_name(&in) && take_validity(&in, out) && take_name(&in) &&
	       take_key(&in) && take_extensions(&in) && at_end(&in);
}

bool usual_cert(struct span der, struct usual_dates *out)
{
	struct cursor c = cursor_of(der), in;

	return der.n <= USUAL_MAX && enter(&c, DER_SEQUENCE, &in) && at_end(&c) &&
	       take_tbs(&in, out) && take_algorithm(&in) && take_bits(&in) && at_end(&in);
}
