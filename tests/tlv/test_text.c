/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Numbers, addresses and hexadecimal digits, there and back; room in arrays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tlv/text.h"

static void addresses_go_there_and_back(void **state)
{
	static const struct {
		const char *text;
		uint8_t bytes[4];
	} rows[] = {
		{ "0.0.0.0", { 0, 0, 0, 0 } },
		{ "10.48.47.153", { 10, 48, 47, 153 } },
		{ "255.255.255.255", { 255, 255, 255, 255 } },
		{ "1.20.3.100", { 1, 20, 3, 100 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT;
		uint8_t out[4];

		assert_true(parse_ipv4(rows[i].text, out));
		assert_memory_equal(out, rows[i].bytes, 4);
		assert_true(span_ipv4(span_str(rows[i].text), out));
		buf_ipv4(&b, span_of(rows[i].bytes, 4));
		assert_string_equal(buf_cstr(&b), rows[i].text);
		buf_free(&b);
	}
}

static void what_is_no_address(void **state)
{
	static const char *const rows[] = {
		"",	     "1.2.3",	  "1.2.3.4.",	"1.2.3.4.5",	    ".1.2.3.4",
		"1..2.3",    "256.1.1.1", "1.2.3.256",	"01.2.3.4",	    "1.2.3.00",
		"1.2.3.4 ",  " 1.2.3.4",  "1.2.3.-4",	"1.2.3.a",	    "1,2,3,4",
		"0x1.2.3.4", "1.2.3.",	  "1111.1.1.1", "4294967297.1.1.1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t out[4];

		assert_false(parse_ipv4(rows[i], out));
	}
	assert_true(span_is_dotted(SPAN_LIT("10.48.47.153")));
	assert_true(span_is_dotted(SPAN_LIT("1.2")));
	assert_false(span_is_dotted(SPAN_LIT("10.48.47.153a")));
	assert_false(span_is_dotted(SPAN_LIT("pub.10")));
	assert_false(span_is_dotted(SPAN_NONE));
	/* A NUL inside ends no text that has a length. */
	assert_false(span_ipv4(span_of("1.2.3.4\0", 8), (uint8_t[4]){ 0 }));
}

static void bytes_become_digits(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x0f, 0xa5, 0xff };
	struct buf b = BUF_INIT;
	char text[9] = "untouched";

	(void)state;
	buf_hex(&b, span_of(bytes, 4), HEX_LOWER, "");
	buf_u8(&b, '|');
	buf_hex(&b, span_of(bytes, 4), HEX_UPPER, ":");
	buf_u8(&b, '|');
	buf_hex(&b, SPAN_NONE, HEX_UPPER, ":");
	assert_string_equal(buf_cstr(&b), "000fa5ff|00:0F:A5:FF|");
	buf_free(&b);
	assert_false(hex_text(span_of(bytes, 4), text, 8));
	assert_memory_equal(text, "untouched", 9);
	assert_true(hex_text(span_of(bytes, 4), text, 9));
	assert_string_equal(text, "000fa5ff");
}

static void our_own_digits_are_lower_case(void **state)
{
	(void)state;
	assert_true(hex_is(span_str("00ff"), 4));
	assert_false(hex_is(span_str("00fF"), 4));
	assert_false(hex_is(span_str("00ff"), 3));
	assert_false(hex_is(span_str("00f"), 4));
	assert_false(hex_is(span_of("00f\0", 4), 4));
	assert_false(hex_is(span_str("00fg"), 4));
}

static void digits_become_bytes(void **state)
{
	static const struct {
		const char *text;
		enum hex_fault fault;
		struct span bytes; /* before the fault */
	} rows[] = {
		{ "70ca", HEX_OK, SPAN_LIT("\x70\xca") },
		{ "70:CA:f6", HEX_OK, SPAN_LIT("\x70\xca\xf6") },
		{ ":70 ca:", HEX_OK, SPAN_LIT("\x70\xca") },
		{ "", HEX_OK, SPAN_LIT("") },
		{ " : ", HEX_OK, SPAN_LIT("") },
		{ "7", HEX_ODD, SPAN_LIT("") },
		{ "70c", HEX_ODD, SPAN_LIT("\x70") },
		{ "7:0c", HEX_ODD, SPAN_LIT("") },
		{ "7x", HEX_NOT_A_DIGIT, SPAN_LIT("") },
		{ "70-ca", HEX_NOT_A_DIGIT, SPAN_LIT("\x70") },
		{ "0x70", HEX_NOT_A_DIGIT, SPAN_LIT("") },
		{ "g0", HEX_NOT_A_DIGIT, SPAN_LIT("") },
	};

	(void)state;
	assert_int_equal(hex_digit('f'), 15);
	assert_int_equal(hex_digit('A'), 10);
	assert_int_equal(hex_digit('g'), -1);
	assert_int_equal(hex_digit(-1), -1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT;

		assert_int_equal(hex_parse(span_str(rows[i].text), ": ", &b), rows[i].fault);
		assert_true(span_eq(buf_span(&b), rows[i].bytes));
		buf_free(&b);
	}
}

/* RFC 5952: the longest run of zeros goes, the first of two; one group of zeros stays. */
static void ipv6_is_written_as_everybody_writes_it(void **state)
{
	static const struct {
		uint8_t bytes[16];
		const char *text;
	} rows[] = {
		{ { 0 }, "::" },
		{ { [15] = 1 }, "::1" },
		{ { 0x20, 0x01 }, "2001::" },
		{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 0x53 }, "2001:db8::53" },
		{ { 0, 1, 0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7 }, "1:0:2:3:4:5:6:7" },
		{ { 0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 7 }, "1:0:0:3::7" },
		{ { 0, 1, 0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0, 7 }, "1::3:4:0:0:7" },
		{ { 0, 0, 0, 0, 0xff, 0xff, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8 }, "::ffff:4:5:6:7:8" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT;

		assert_true(buf_address(&b, span_of(rows[i].bytes, 16)));
		assert_string_equal(buf_cstr(&b), rows[i].text);
		buf_free(&b);
	}
}

static void other_lengths_are_no_address(void **state)
{
	static const uint8_t bytes[17] = { 10, 1, 2, 3 };
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t n = 0; n <= sizeof bytes; n++)
		assert_int_equal(buf_address(&b, span_of(bytes, n)), n == 4 || n == 16);
	buf_free(&b);
}

static void one_is_not_many(void **state)
{
	(void)state;
	assert_string_equal(plural(0), "s");
	assert_string_equal(plural(1), "");
	assert_string_equal(plural(2), "s");
}

static void padding_goes_from_the_end_only(void **state)
{
	(void)state;
	assert_true(span_eq(span_trim_end(span_str(" SAST-1   ")), span_str(" SAST-1")));
	assert_true(span_eq(span_trim_end(span_str("x\t")), span_str("x\t")));
	assert_int_equal(span_trim_end(span_str("   ")).n, 0);
	assert_int_equal(span_trim_end(SPAN_NONE).n, 0);
}

static void arrays_grow_and_keep_what_they_hold(void **state)
{
	struct {
		uint8_t odd[3];
	} *v = NULL;
	size_t n = 0, cap = 0;

	(void)state;
	for (; n < 1000; n++) {
		assert_true(ARRAY_ROOM(v, n, cap));
		assert_true(cap > n);
		v[n].odd[2] = (uint8_t)n;
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(v[i].odd[2], (uint8_t)i);
	free(v);
}

/* What cannot be had changes nothing: the array is still its owner's. */
static void arrays_that_cannot_grow_stay_whole(void **state)
{
	uint64_t *v = NULL, *kept;
	size_t cap = 0, huge = SIZE_MAX / 2 + 1, wide = SIZE_MAX / 16;

	(void)state;
	assert_true(ARRAY_ROOM(v, 0, cap));
	kept = v;
	assert_false(ARRAY_ROOM(v, huge, huge)); /* twice as many elements overflow */
	assert_ptr_equal(v, kept);
	assert_false(ARRAY_ROOM(v, wide, wide)); /* their bytes do */
	assert_ptr_equal(v, kept);
	assert_int_equal(wide, SIZE_MAX / 16);
	free(v);
}

static void days(void **state)
{
	static const struct {
		int year, month, day;
		int64_t days;
	} rows[] = {
		{ 1970, 1, 1, 0 },	{ 1969, 12, 31, -1 },	   { 1950, 1, 1, -7305 },
		{ 2000, 2, 29, 11016 }, { 2000, 3, 1, 11017 },	   { 2026, 11, 28, 20785 },
		{ 2100, 3, 1, 47541 },	{ 9999, 12, 31, 2932896 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(days_of_date(rows[i].year, rows[i].month, rows[i].day),
				 rows[i].days);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_go_there_and_back),
		cmocka_unit_test(what_is_no_address),
		cmocka_unit_test(bytes_become_digits),
		cmocka_unit_test(our_own_digits_are_lower_case),
		cmocka_unit_test(digits_become_bytes),
		cmocka_unit_test(ipv6_is_written_as_everybody_writes_it),
		cmocka_unit_test(other_lengths_are_no_address),
		cmocka_unit_test(one_is_not_many),
		cmocka_unit_test(padding_goes_from_the_end_only),
		cmocka_unit_test(arrays_grow_and_keep_what_they_hold),
		cmocka_unit_test(arrays_that_cannot_grow_stay_whole),
		cmocka_unit_test(days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
