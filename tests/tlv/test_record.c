/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Records as each writer writes them, and what cannot be written; the
 * certificates that they are made of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/tlv/bytes_file.h"
#include "tlv/cert.h"
#include "tlv/kind.h"
#include "tlv/list.h"

/* A list of the test data, decoded. */
struct loaded {
	struct buf file;
	struct tlv_list list;
};

static struct loaded load(const char *name)
{
	struct loaded l = { .file = test_file(name) };

	assert_int_equal(tlv_list_decode(&l.list, buf_span(&l.file), NULL), ST_OK);
	return l;
}

static void unload(struct loaded *l)
{
	tlv_list_free(&l->list);
	buf_free(&l->file);
}

/* The record made anew from its own certificate is the record. */
static void assert_made_again(const struct tlv_list *l, size_t i, enum tlv_style style)
{
	struct tlv_record r = tlv_list_record(l, i);
	struct tlv_cert c = { .der = SPAN_NONE };
	struct tlv_record_spec s = {
		.dialect = { style, ',' },
		.role = r.role,
		.token = style == TLV_STYLE_CTL_CLIENT && r.role == TLV_ROLE_SAST,
		.name = tlv_text(r.dns_name),
		.has_address = r.address.n == 4,
	};
	struct buf b = BUF_INIT;

	(void)span_copy(r.address, s.address, sizeof s.address);
	if (tlv_record_has(&r, TLV_R_CERTIFICATE)) {
		assert_int_equal(tlv_cert_walk(r.certificate, &c, NULL), ST_OK);
		assert_int_equal(tlv_cert_is_token(&c), s.token);
		s.cert = &c;
	}
	assert_int_equal(tlv_record_write(&b, &s, NULL), ST_OK);
	assert_true(span_eq(buf_span(&b), r.raw));
	buf_free(&b);
}

static void every_style_is_written_as_it_was(void **state)
{
	static const struct {
		const char *file;
		enum tlv_style style;
	} rows[] = {
		{ "lists/cucm.tlv", TLV_STYLE_CUCM },
		{ "lists/ctl-client.tlv", TLV_STYLE_CTL_CLIENT },
		{ "lists/non-secure.tlv", TLV_STYLE_CTL_CLIENT },
		{ "lists/rfc4514.tlv", TLV_STYLE_RFC4514 },
	};

	(void)state;
	for (size_t k = 0; k < COUNT(rows); k++) {
		struct loaded l = load(rows[k].file);

		for (size_t i = 0; i < l.list.nrecords; i++)
			assert_made_again(&l.list, i, rows[k].style);
		unload(&l);
	}
}

static void assert_refused(const struct tlv_record_spec *s, enum status st, const char *says)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct buf b = BUF_INIT;

	assert_int_equal(tlv_record_write(&b, s, &e), st);
	if (strstr(err_text(&e), says) == NULL)
		fail_msg("'%s' does not say '%s'", err_text(&e), says);
	buf_free(&b);
}

static void what_cannot_be_written(void **state)
{
	static uint8_t many[65530];
	static const uint8_t odd_name[] = { 0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03,
					    0x55, 0x04, 0x03, 0x0c, 0x02, ';',	'x' };
	struct loaded l = load("lists/cucm.tlv");
	struct tlv_cert c, odd;
	struct tlv_record_spec s = { .dialect = { TLV_STYLE_CUCM, ',' }, .cert = &c };

	(void)state;
	assert_int_equal(tlv_cert_walk(tlv_list_record(&l.list, 0).certificate, &c, NULL), ST_OK);
	assert_refused(&s, ST_USAGE, "add name=");
	s.name = SPAN_LIT("a\0b");
	assert_refused(&s, ST_INPUT, "a NUL inside");
	s.name = SPAN_LIT("a");
	s.dialect.style = TLV_STYLE_CTL_CLIENT;
	assert_refused(&s, ST_USAGE, "add address=");
	s.dialect.style = TLV_STYLE_RFC4514;
	s.cert = NULL;
	assert_refused(&s, ST_USAGE, "neither names nor addresses");

	s.dialect.style = TLV_STYLE_CUCM;
	odd = c;
	odd.issuer = span_of(odd_name, sizeof odd_name);
	s.cert = &odd;
	assert_refused(&s, ST_INPUT, "separates attributes");
	odd.subject = odd.issuer;
	assert_refused(&s, ST_INPUT, "separates attributes");

	memset(many, 'n', sizeof many);
	s.cert = &c;
	s.name = span_of(many, sizeof many);
	assert_refused(&s, ST_INPUT, "a record holds at most 65535");
	odd = c;
	odd.signature = span_of(many, sizeof many);
	odd.public_key = odd.signature;
	s.cert = &odd;
	s.name = SPAN_LIT("a");
	assert_refused(&s, ST_INPUT, "a record holds at most 65535");
	unload(&l);
}

/* Every cut of a certificate, and every byte of it changed: an answer, inside the bytes. */
static void certificates_are_walked_within(void **state)
{
	struct loaded l = load("lists/cucm.tlv");
	struct span der = tlv_list_record(&l.list, 0).certificate;
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_cert c;
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t n = 0; n < der.n; n++) {
		buf_truncate(&b, 0);
		buf_put(&b, span_slice(der, 0, n));
		e = TLV_ERR_INIT;
		assert_int_equal(tlv_cert_walk(buf_span(&b), &c, &e), ST_INPUT);
		assert_true(e.at <= n);
	}
	for (size_t at = 0; at < der.n; at++)
		for (unsigned v = 0; v < 256; v += 17) {
			buf_truncate(&b, 0);
			buf_put(&b, der);
			b.p[at] = (uint8_t)v;
			e = TLV_ERR_INIT;
			if (tlv_cert_walk(buf_span(&b), &c, &e) != ST_OK)
				assert_true(e.at <= der.n);
			(void)tlv_cert_is_token(&c);
		}
	buf_truncate(&b, 0);
	buf_put(&b, der);
	buf_u8(&b, 0);
	e = TLV_ERR_INIT;
	assert_int_equal(tlv_cert_walk(buf_span(&b), &c, &e), ST_INPUT);
	assert_string_equal(err_text(&e), "1 byte follows the certificate");
	assert_int_equal(e.at, der.n);
	buf_free(&b);
	unload(&l);
}

static void rsa_keys(void **state)
{
	static const struct {
		size_t n;
		uint8_t der[16];
		bool good;
		unsigned bits;
	} rows[] = {
		{ 8, { 0x30, 6, 2, 1, 0x55, 2, 1, 3 }, true, 7 },
		{ 9, { 0x30, 7, 2, 2, 0, 0x80, 2, 1, 3 }, true, 8 },
		{ 9, { 0x30, 7, 2, 2, 0, 0x01, 2, 1, 3 }, true, 1 },
		{ 8, { 0x30, 6, 2, 1, 0, 2, 1, 3 }, true, 0 },
		{ 8, { 0x30, 6, 2, 1, 0x80, 2, 1, 3 }, false, 0 },    /* negative modulus */
		{ 8, { 0x30, 6, 2, 1, 0x55, 2, 1, 0x83 }, false, 0 }, /* negative exponent */
		{ 7, { 0x30, 5, 2, 0, 2, 1, 3 }, false, 0 },
		{ 7, { 0x30, 5, 2, 1, 0x55, 2, 0 }, false, 0 },
		{ 9, { 0x30, 6, 2, 1, 0x55, 2, 1, 3, 0 }, false, 0 }, /* bytes behind */
		{ 9, { 0x30, 7, 2, 1, 0x55, 2, 1, 3, 0 }, false, 0 }, /* bytes inside */
		{ 5, { 0x30, 3, 2, 1, 0x55 }, false, 0 },
		{ 8, { 0x30, 6, 3, 1, 0x55, 2, 1, 3 }, false, 0 },
		{ 2, { 0x31, 0 }, false, 0 },
		{ 0, { 0 }, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span key = span_of(rows[i].der, rows[i].n);
		enum tlv_key_type type;
		struct tlv_rsa rsa;

		assert_int_equal(tlv_rsa_walk(key, &rsa), rows[i].good);
		assert_int_equal(tlv_key_bits(key, &type), rows[i].bits);
		assert_int_equal(type == TLV_KEY_RSA, rows[i].good);
	}
}

/* What such a key verifies, anybody could have made. */
static void exponents_that_prove_nothing(void **state)
{
	static const struct {
		uint8_t exponent[3];
		size_t n;
		bool nothing;
	} rows[] = {
		{ { 0 }, 1, true },	   { { 1 }, 1, true },	      { { 2 }, 1, true },
		{ { 3 }, 1, false },	   { { 0x11 }, 1, false },    { { 1, 0, 0 }, 3, true },
		{ { 1, 0, 1 }, 3, false }, { { 0xff, 1 }, 2, false }, { { 0 }, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tlv_rsa rsa = { .exponent = span_of(rows[i].exponent, rows[i].n) };

		assert_int_equal(tlv_rsa_proves_nothing(&rsa), rows[i].nothing);
	}
}

/* OpenSSL's own bounds: tests/defects has keys on both sides of 64 bits, which it verifies with. */
static void exponents_that_openssl_takes(void **state)
{
	static const struct {
		unsigned modulus, exponent; /* bits of numbers that are 1 and then zeros */
		bool verifies;
	} rows[] = {
		{ 512, 2, true },     { 512, 65, true },     { 512, 511, true },
		{ 512, 512, false },  { 512, 513, false },   { 1024, 1023, true },
		{ 2048, 2047, true }, { 2048, 2049, false }, { 3072, 3071, true },
		{ 3073, 64, true },   { 3073, 65, false },   { 4096, 64, true },
		{ 4096, 65, false },  { 16384, 17, true },   { 16385, 17, false },
	};
	static uint8_t n[2049], x[2049];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct tlv_rsa rsa = { .modulus = span_of(n, (rows[i].modulus + 7) / 8),
				       .exponent = span_of(x, (rows[i].exponent + 7) / 8),
				       .bits = rows[i].modulus };

		n[0] = (uint8_t)(1U << (rows[i].modulus - 1) % 8);
		x[0] = (uint8_t)(1U << (rows[i].exponent - 1) % 8);
		assert_int_equal(tlv_rsa_verifies(&rsa), rows[i].verifies);
	}
}

static void ec_keys(void **state)
{
	uint8_t point[66] = { 0x04 };
	enum tlv_key_type type;

	(void)state;
	assert_int_equal(tlv_key_bits(span_of(point, 65), &type), 256);
	assert_int_equal(type, TLV_KEY_EC);
	assert_int_equal(tlv_key_bits(span_of(point, 66), &type), 0);
	assert_int_equal(type, TLV_KEY_OTHER);
}

/* Certificates of made-up shape: SEQUENCE of TBS, algorithm, signature. */
static void walk_small(const char *what, struct span der, enum status wanted,
		       enum tlv_key_type type)
{
	struct tlv_cert c;

	if (tlv_cert_walk(der, &c, NULL) != wanted || (wanted == ST_OK && c.key_type != type))
		fail_msg("%s", what);
}

static void key_types_and_odd_shapes(void **state)
{
#define TBS(head, key) head "\x02\x01\x05\x30\x00\x30\x00\x30\x00\x30\x00" key
#define EC_KEY "\x30\x0f\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x03\x02\x00\x04"
	(void)state;
	walk_small("EC", SPAN_LIT("\x30\x24\x30\x1c" TBS("", EC_KEY) "\x30\x00\x03\x02\x00\x07"),
		   ST_OK, TLV_KEY_EC);
	walk_small("version",
		   SPAN_LIT("\x30\x26\x30\x1e" TBS("\xa0\x00", EC_KEY) "\x30\x00\x03\x02\x00\x07"),
		   ST_OK, TLV_KEY_EC);
	walk_small(
		"other key",
		SPAN_LIT("\x30\x1e\x30\x16" TBS(
			"",
			"\x30\x09\x30\x03\x06\x01\x2a\x03\x02\x00\x04") "\x30\x00\x03\x02\x00\x07"),
		ST_OK, TLV_KEY_OTHER);
	walk_small("key without OID",
		   SPAN_LIT("\x30\x1b\x30\x13" TBS(
			   "", "\x30\x06\x30\x00\x03\x02\x00\x04") "\x30\x00\x03\x02\x00\x07"),
		   ST_INPUT, TLV_KEY_OTHER);
	walk_small("key without algorithm",
		   SPAN_LIT("\x30\x19\x30\x11" TBS(
			   "", "\x30\x04\x03\x02\x00\x04") "\x30\x00\x03\x02\x00\x07"),
		   ST_INPUT, TLV_KEY_OTHER);
	walk_small(
		"key with unused bits",
		SPAN_LIT("\x30\x1e\x30\x16" TBS(
			"",
			"\x30\x09\x30\x03\x06\x01\x2a\x03\x02\x01\x04") "\x30\x00\x03\x02\x00\x07"),
		ST_INPUT, TLV_KEY_OTHER);
	walk_small("no key", SPAN_LIT("\x30\x13\x30\x0b" TBS("", "") "\x30\x00\x03\x02\x00\x07"),
		   ST_INPUT, TLV_KEY_OTHER);
	walk_small("empty serial",
		   SPAN_LIT("\x30\x0c\x30\x04\x02\x00\x30\x00\x30\x00\x03\x02\x00\x07"), ST_INPUT,
		   TLV_KEY_OTHER);
	walk_small("no signature", SPAN_LIT("\x30\x20\x30\x1c" TBS("", EC_KEY) "\x30\x00"),
		   ST_INPUT, TLV_KEY_OTHER);
	walk_small("no algorithm", SPAN_LIT("\x30\x22\x30\x1c" TBS("", EC_KEY) "\x03\x02\x00\x07"),
		   ST_INPUT, TLV_KEY_OTHER);
	walk_small("bytes inside behind the signature",
		   SPAN_LIT("\x30\x25\x30\x1c" TBS("", EC_KEY) "\x30\x00\x03\x02\x00\x07\x00"),
		   ST_INPUT, TLV_KEY_OTHER);
	walk_small("empty", SPAN_LIT("\x30\x00"), ST_INPUT, TLV_KEY_OTHER);
	walk_small("long length form",
		   SPAN_LIT("\x30\x81\x24\x30\x1c" TBS("", EC_KEY) "\x30\x00\x03\x02\x00\x07"),
		   ST_OK, TLV_KEY_EC);
	walk_small("indefinite length", SPAN_LIT("\x30\x80\x00\x00"), ST_INPUT, TLV_KEY_OTHER);
	walk_small("length of five bytes", SPAN_LIT("\x30\x85\x00\x00\x00\x00\x00"), ST_INPUT,
		   TLV_KEY_OTHER);
	walk_small("length cut", SPAN_LIT("\x30\x82\x00"), ST_INPUT, TLV_KEY_OTHER);
	walk_small("tag of several bytes", SPAN_LIT("\x3f\x10\x00"), ST_INPUT, TLV_KEY_OTHER);
}

/* Texts that no known writer makes of a certificate's name. */
static void names_that_match_nothing(void **state)
{
	struct loaded l = load("lists/cucm.tlv");
	struct tlv_cert c;

	/* An attribute type whose arc is beyond 64 bits. */
	const struct span endless =
		SPAN_LIT("\x30\x14\x31\x12\x30\x10\x06\x0b\xff\xff\xff\xff\xff\xff"
			 "\xff\xff\xff\xff\x7f\x0c\x01x");
	struct tlv_err e = TLV_ERR_INIT;
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(tlv_name_write(&b, endless, TLV_NAME_RFC4514, ';', &e), ST_INPUT);
	assert_string_equal(err_text(&e), "name: an attribute type is malformed");
	buf_free(&b);
	assert_int_equal(tlv_cert_walk(tlv_list_record(&l.list, 0).certificate, &c, NULL), ST_OK);
	assert_false(tlv_name_match(SPAN_LIT("CN=x"), c.subject).matches);
	assert_false(tlv_name_match(SPAN_LIT(""), SPAN_LIT("\x05\x00")).matches);
	assert_int_equal(tlv_text(SPAN_NONE).n, 0);
	assert_int_equal(tlv_text(SPAN_LIT("a\0")).n, 1);
	unload(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_style_is_written_as_it_was),
		cmocka_unit_test(what_cannot_be_written),
		cmocka_unit_test(certificates_are_walked_within),
		cmocka_unit_test(rsa_keys),
		cmocka_unit_test(exponents_that_prove_nothing),
		cmocka_unit_test(exponents_that_openssl_takes),
		cmocka_unit_test(ec_keys),
		cmocka_unit_test(key_types_and_odd_shapes),
		cmocka_unit_test(names_that_match_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
