/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whole lists: decode and encode lose nothing, whatever the order of fields;
 * nothing is read past the end; size costs no square.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/tlv/bytes_file.h"
#include "tlv/check.h"
#include "tlv/list.h"
#include "tlv/writer.h"

static void assert_lossless(struct span bytes)
{
	struct tlv_list l;
	struct buf again = BUF_INIT;
	struct tlv_err e = TLV_ERR_INIT;

	assert_int_equal(tlv_list_decode(&l, bytes, &e), ST_OK);
	assert_int_equal(tlv_list_encode(&l, &again, &e), ST_OK);
	assert_true(span_eq(buf_span(&again), bytes));
	buf_free(&again);
	tlv_list_free(&l);
}

/* Kept or not, a record is the same. What is kept takes at most half as much as the bytes. */
static void records_are_kept_within_bounds(void **state)
{
	static const uint8_t tiny[] = { 1, 0, 2, 0, 10, 4, 0, 2, 0 };

	(void)state;
	for (size_t i = 0; i < TEST_LISTS; i++) {
		struct buf b = test_file(test_lists[i]);
		struct tlv_list l;
		size_t real, tinies = 1000;

		assert_int_equal(tlv_list_decode(&l, buf_span(&b), NULL), ST_OK);
		real = l.nrecords;
		assert_int_equal(l.nkept, real);
		tlv_list_free(&l);
		for (size_t k = 0; k < tinies; k++) {
			buf_put(&b, span_of(tiny, sizeof tiny));
			buf_u8(&b, (uint8_t)(k % 8));
		}
		assert_int_equal(tlv_list_decode(&l, buf_span(&b), NULL), ST_OK);
		assert_int_equal(l.nrecords, real + tinies);
		assert_in_range(l.nkept, real, l.nrecords - 1);
		assert_true(l.nkept * sizeof *l.kept <= b.n / 2);
		for (size_t k = 0; k < l.nrecords; k++) {
			struct tlv_record r = tlv_list_record(&l, k), again;

			assert_int_equal(tlv_record_decode(&again,
							   span_slice(buf_span(&b), r.at, b.n),
							   l.record_at[k], NULL),
					 ST_OK);
			assert_int_equal(r.at, again.at);
			assert_int_equal(r.role, again.role);
			assert_true(span_eq(r.raw, again.raw));
			assert_true(span_eq(r.certificate, again.certificate));
		}
		tlv_list_free(&l);
		buf_free(&b);
	}
}

static void every_style_is_lossless(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_LISTS; i++) {
		struct buf b = test_file(test_lists[i]);

		assert_lossless(buf_span(&b));
		buf_free(&b);
	}
}

/* Lengths as the vendor printed them. */
static void lengths_are_the_printed_ones(void **state)
{
	static const struct {
		const char *file;
		size_t header, records[5], n;
	} rows[] = {
		{ "lists/cucm.tlv", 336, { 1156, 1156, 1138, 1161 }, 4 },
		{ "lists/cucm-2048.tlv", 464, { 1675, 1675, 1138, 1161 }, 4 },
		{ "lists/ctl-client.tlv", 304, { 1186, 1022, 1004, 1026, 1186 }, 5 },
		{ "lists/non-secure.tlv", 304, { 1186, 1186, 33, 1004, 33 }, 5 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = test_file(rows[i].file);
		struct tlv_list l;

		assert_int_equal(tlv_list_decode(&l, buf_span(&b), NULL), ST_OK);
		assert_int_equal(l.header.raw.n, rows[i].header);
		assert_int_equal(l.nrecords, rows[i].n);
		for (size_t k = 0; k < rows[i].n; k++)
			assert_int_equal(tlv_list_record(&l, k).raw.n, rows[i].records[k]);
		tlv_list_free(&l);
		buf_free(&b);
	}
}

static void dialects_are_told_apart(void **state)
{
	static const struct {
		const char *file;
		enum tlv_style style;
	} rows[] = {
		{ "lists/cucm.tlv", TLV_STYLE_CUCM },
		{ "lists/cucm-2048.tlv", TLV_STYLE_CUCM },
		{ "lists/ctl-client.tlv", TLV_STYLE_CTL_CLIENT },
		{ "lists/non-secure.tlv", TLV_STYLE_CTL_CLIENT },
		{ "lists/rfc4514.tlv", TLV_STYLE_RFC4514 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = test_file(rows[i].file);
		struct tlv_list l;

		assert_int_equal(tlv_list_decode(&l, buf_span(&b), NULL), ST_OK);
		assert_int_equal(tlv_list_dialect(&l).style, rows[i].style);
		assert_int_equal(tlv_list_signer(&l), 0);
		tlv_list_free(&l);
		buf_free(&b);
	}
}

/*
 * Community tools write tag 28 behind tag 2, and 4 6 5; unknown tags come from nobody knows where.
 */
static void odd_orders_are_lossless(void **state)
{
	static const uint8_t head[] = {
		28, 0, 2,  1, 0,				 /* signer version first */
		1,  0, 2,  1, 2,				 /* version */
		99, 0, 3,  7, 7,  7,				 /* unknown */
		2,  0, 2,  0, 82,				 /* header length */
		3,  0, 11, 4, 0,  2, 'A', 0,  6, 0, 0,	5, 0, 0, /* 4 6 5 */
		7,  0, 15, 9, 0,  8, 10,  0,  1, 0, 11, 0, 1, 1, 8,  0, 1, 1, /* 9 before 8 */
		15, 0, 4,  1, 2,  3, 4,	  12, 0, 4, 9,	9, 9, 9, 14, 0, 2, 'C', 0, 13, 13, 13,
	};
	static const uint8_t record[] = { 1, 0, 2, 0, 23, 77, 0, 1,  5, 4, 0, 2,
					  0, 0, 4, 0, 2,  0,  1, 10, 0, 1, 9 };
	struct buf b = BUF_INIT;
	struct tlv_list l;
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_record r;

	(void)state;
	buf_put(&b, span_of(head, sizeof head));
	buf_fill_u16(&b, 19, (uint16_t)b.n);
	buf_put(&b, span_of(record, sizeof record));
	buf_put(&b, span_of(record, sizeof record));
	assert_lossless(buf_span(&b));
	assert_int_equal(tlv_list_decode(&l, buf_span(&b), &e), ST_OK);
	assert_int_equal(l.header.signer_version[0], 1);
	assert_int_equal(l.header.padding, 3);
	assert_int_equal(l.header.timestamp, 0x01020304);
	r = tlv_list_record(&l, 1);
	assert_true(r.unknown);
	assert_int_equal(r.role, 0); /* the first one counts */
	assert_true((r.repeated >> TLV_R_FUNCTION & 1U) != 0);
	assert_int_equal(r.address.n, 1);
	tlv_list_free(&l);
	buf_free(&b);
}

/* Every cut of a good list: an error with its place, or (between two records) a shorter list. */
static void every_truncation_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_LISTS; i++) {
		struct buf b = test_file(test_lists[i]);
		size_t whole = 0;

		for (size_t n = 0; n < b.n; n++) {
			/* A copy of just that size, so that the sanitizer sees the end. */
			struct buf cut = BUF_INIT;
			struct tlv_list l;
			struct tlv_err e = TLV_ERR_INIT;
			enum status st;

			buf_put(&cut, span_slice(buf_span(&b), 0, n));
			st = tlv_list_decode(&l, buf_span(&cut), &e);
			whole += st == ST_OK;
			assert_true(st == ST_OK || (st == ST_INPUT && err_text(&e)[0] != '\0'));
			assert_true(st == ST_OK || n == 0 || (e.has_at && e.at <= n));
			tlv_list_free(&l);
			buf_free(&cut);
		}
		assert_true(whole >= 4 &&
			    whole <=
				    5); /* the ends of the header and of all records but the last */
		buf_free(&b);
	}
}

static void put_record(struct buf *b, size_t payload)
{
	struct tlv_writer w = tlv_writer_of(b, TLV_SCOPE_RECORD, NULL);
	size_t start = b->n, at = tlv_put_hole(&w, TLV_R_RECORD_LENGTH, 2);

	tlv_put_u16(&w, TLV_R_FUNCTION, TLV_ROLE_CCM);
	(void)tlv_put_hole(&w, TLV_R_CERTIFICATE, payload);
	buf_fill_u16(b, at, (uint16_t)(b->n - start));
	assert_int_equal(tlv_writer_done(&w), ST_OK);
}

static void put_header(struct buf *b)
{
	struct tlv_header_spec s = { .version = { 1, 2 },
				     .digest = 1,
				     .modulus = 1,
				     .signature_bytes = 128,
				     .filename = SPAN_LIT("CTLFile.tlv") };
	size_t hole;

	assert_int_equal(tlv_header_write(b, &s, &hole, NULL), ST_OK);
}

/* 50 MB of long records, and a hundred thousand short ones. */
static void large_lists_are_read(void **state)
{
	static const struct {
		size_t n, payload;
	} rows[] = { { 800, 65000 }, { 100000, 20 } };

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct buf b = BUF_INIT;
		struct tlv_list l;
		struct tlv_findings f = TLV_FINDINGS_INIT;

		put_header(&b);
		for (size_t i = 0; i < rows[k].n; i++)
			put_record(&b, rows[k].payload);
		assert_int_equal(tlv_list_decode(&l, buf_span(&b), NULL), ST_OK);
		assert_int_equal(l.nrecords, rows[k].n);
		tlv_check_list(&l, &f);
		assert_true(f.n <= 2 * (TLV_FINDINGS_MAX + 1));
		assert_true(f.errors >= rows[k].n);
		assert_false(f.nomem);
		tlv_findings_free(&f);
		tlv_list_free(&l);
		buf_free(&b);
	}
}

/* Lengths that promise more than is there allocate nothing for it. */
static void lying_lengths_are_refused(void **state)
{
	static const struct {
		const char *what;
		size_t n;
		uint8_t bytes[32];
		const char *text;
		uint64_t at;
	} rows[] = {
		{ "value longer than the file",
		  8,
		  { 1, 0, 2, 1, 2, 4, 0xff, 0xff },
		  "65535 bytes claimed",
		  5 },
		{ "header longer than the file",
		  10,
		  { 1, 0, 2, 1, 2, 2, 0, 2, 0xff, 0xff },
		  "65535 bytes claimed, 10 remain",
		  5 },
		{ "header of no byte, whose version reads as a record",
		  15,
		  { 1, 0, 2, 0, 15, 2, 0, 2, 0, 0, 4, 0, 2, 0, 0 },
		  "0 bytes, which is less than its own field",
		  5 },
		{ "header that ends in its own length",
		  10,
		  { 1, 0, 2, 1, 2, 2, 0, 2, 0, 9 },
		  "9 bytes, which is less than its own field",
		  5 },
		{ "header ends inside a field",
		  15,
		  { 1, 0, 2, 1, 2, 2, 0, 2, 0, 12, 14, 0, 2, 'A', 0 },
		  "file name",
		  10 },
		{ "container longer than the header",
		  17,
		  { 1, 0, 2, 1, 2, 2, 0, 2, 0, 17, 3, 0, 9, 4, 0, 1, 0 },
		  "signer id: 9 bytes claimed, 4 remain",
		  10 },
		{ "field longer than its container",
		  18,
		  { 1, 0, 2, 1, 2, 2, 0, 2, 0, 18, 3, 0, 5, 4, 0, 3, 'A', 0 },
		  "in the container",
		  13 },
		{ "padding in a container",
		  14,
		  { 1, 0, 2, 1, 2, 2, 0, 2, 0, 14, 3, 0, 1, 13 },
		  "padding: inside a container",
		  13 },
		{ "two header lengths",
		  15,
		  { 1, 0, 2, 1, 2, 2, 0, 2, 0, 15, 2, 0, 2, 0, 15 },
		  "header length: there twice",
		  10 },
		{ "no header length", 5, { 1, 0, 2, 1, 2 }, "header length: missing", 5 },
		{ "timestamp of five bytes",
		  18,
		  { 1, 0, 2, 1, 2, 2, 0, 2, 0, 18, 15, 0, 5, 1, 2, 3, 4, 5 },
		  "timestamp: 5 bytes, must be 4",
		  10 },
		{ "not a list", 4, { 'P', 'K', 3, 4 }, "it is compressed (zip)", 0 },
		{ "record without length",
		  13,
		  { 1, 0, 2, 1, 2, 2, 0, 2, 0, 10, 4, 0, 0 },
		  "record 1: begins with tag 4",
		  10 },
		{ "record shorter than its length",
		  15,
		  { 1, 0, 2, 1, 2, 2, 0, 2, 0, 10, 1, 0, 2, 0, 4 },
		  "less than its own field",
		  10 },
		{ "record longer than the file",
		  15,
		  { 1, 0, 2, 1, 2, 2, 0, 2, 0, 10, 1, 0, 2, 0, 6 },
		  "6 bytes claimed, 5 remain",
		  10 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct tlv_list l;
		char text[1200];

		assert_int_equal(tlv_list_decode(&l, span_of(rows[i].bytes, rows[i].n), &e),
				 ST_INPUT);
		err_format(&e, text, sizeof text);
		if (strstr(text, rows[i].text) == NULL || !e.has_at || e.at != rows[i].at)
			fail_msg("%s: '%s'", rows[i].what, text);
		tlv_list_free(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_style_is_lossless),
		cmocka_unit_test(records_are_kept_within_bounds),
		cmocka_unit_test(lengths_are_the_printed_ones),
		cmocka_unit_test(dialects_are_told_apart),
		cmocka_unit_test(odd_orders_are_lossless),
		cmocka_unit_test(every_truncation_is_told),
		cmocka_unit_test(large_lists_are_read),
		cmocka_unit_test(lying_lengths_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
