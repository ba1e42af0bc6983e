/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Spans, cursors and buffers at their edges; errors, tables, the writer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlv/bytes.h"
#include "tlv/err.h"
#include "tlv/tables.h"
#include "tlv/writer.h"

/* The sanitizers see a span that is not freed, or freed twice. */
static void owned_spans(void **state)
{
	struct span s = span_of(span_dup(SPAN_LIT("ab")), 2);

	(void)state;
	span_free(&s);
	assert_null(s.p);
	assert_int_equal(s.n, 0);
	span_free(&s);
}

static void spans(void **state)
{
	uint8_t room[2];
	char *copy;

	(void)state;
	assert_true(span_eq(SPAN_NONE, SPAN_LIT("")));
	assert_false(span_eq(SPAN_LIT("ab"), SPAN_LIT("ac")));
	assert_false(span_eq(SPAN_LIT("ab"), SPAN_LIT("abc")));
	assert_true(span_eq_reversed(SPAN_LIT("abc"), SPAN_LIT("cba")));
	assert_false(span_eq_reversed(SPAN_LIT("abc"), SPAN_LIT("abc")));
	assert_false(span_eq_reversed(SPAN_LIT("abc"), SPAN_LIT("ba")));
	assert_true(span_starts(SPAN_LIT("abc"), SPAN_LIT("ab")));
	assert_false(span_starts(SPAN_LIT("a"), SPAN_LIT("ab")));
	assert_true(span_has(SPAN_LIT("abc"), 'c'));
	assert_false(span_has(SPAN_LIT("abc"), 'd'));
	assert_false(span_has(SPAN_NONE, 0));
	assert_true(span_is_ascii(SPAN_LIT("abc")));
	assert_false(span_is_ascii(SPAN_LIT("ab\x80")));
	assert_true(span_cmp(SPAN_LIT("a"), SPAN_LIT("b")) < 0);
	assert_true(span_cmp(SPAN_LIT("b"), SPAN_LIT("a")) > 0);
	assert_true(span_cmp(SPAN_LIT("a"), SPAN_LIT("ab")) < 0);
	assert_true(span_cmp(SPAN_LIT("ab"), SPAN_LIT("a")) > 0);
	assert_int_equal(span_cmp(SPAN_NONE, SPAN_NONE), 0);
	assert_int_equal(span_at(SPAN_LIT("a"), 0), 'a');
	assert_int_equal(span_at(SPAN_LIT("a"), 1), -1);
	assert_true(span_eq(span_slice(SPAN_LIT("abcd"), 1, 2), SPAN_LIT("bc")));
	assert_true(span_eq(span_slice(SPAN_LIT("abcd"), 2, 9), SPAN_LIT("cd")));
	assert_int_equal(span_slice(SPAN_LIT("abcd"), 4, 1).n, 0);
	assert_int_equal(span_be(SPAN_LIT("\x01\x02\x03\x04")), 0x01020304);
	assert_int_equal(span_be(SPAN_LIT("\x01\x02\x03\x04\x05")), UINT32_MAX);
	assert_int_equal(span_be(SPAN_NONE), 0);
	assert_true(span_copy(SPAN_LIT("ab"), room, sizeof room));
	assert_true(span_copy(SPAN_NONE, room, sizeof room));
	assert_false(span_copy(SPAN_LIT("abc"), room, sizeof room));
	copy = span_dup(SPAN_LIT("ab"));
	assert_string_equal(copy, "ab");
	free(copy);
	copy = span_dup(SPAN_NONE);
	assert_string_equal(copy, "");
	free(copy);
}

/* RFC 3629: the first and the last of every form, and what lies just outside. */
static void utf8(void **state)
{
	static const char *const good[] = {
		"",
		"a\x7f",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xec\xbf\xbf",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf1\x80\x80\x80",
		"\xf4\x8f\xbf\xbf",
	};
	static const char *const bad[] = {
		"\x80",
		"\xc1\xbf",
		"\xc2",
		"\xc2\x7f",
		"\xc2\xc0",
		"\xe0\x9f\xbf",
		"\xe1\x80",
		"\xe1\x80\x7f",
		"\xed\xa0\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf1\x80\x80",
		"\xf1\x80\x80\xc0",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"a\xff",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(span_is_utf8(span_str(good[i])));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(span_is_utf8(span_str(bad[i])));
}

static void cursors(void **state)
{
	struct cursor c = cursor_of(SPAN_LIT("\x01\x02\x03\x04\x05\x06\x07"));
	struct span s;
	uint32_t u32 = 0;
	uint16_t u16 = 0;
	uint8_t u8 = 0;

	(void)state;
	assert_true(cursor_u32(&c, &u32) && u32 == 0x01020304);
	assert_false(cursor_u32(&c, &u32));
	assert_true(cursor_u16(&c, &u16) && u16 == 0x0506);
	assert_false(cursor_u16(&c, &u16));
	assert_true(cursor_u8(&c, &u8) && u8 == 7);
	assert_false(cursor_u8(&c, &u8));
	assert_int_equal(c.at, 7);
	assert_true(cursor_take(&c, 0, &s) && s.n == 0);
	assert_true(cursor_take(&c, 0, NULL));
	assert_false(cursor_take(&c, 1, NULL));
}

static void buffers(void **state)
{
	struct buf b = BUF_INIT;
	size_t at;

	(void)state;
	assert_string_equal(buf_cstr(&b), "");
	buf_put(&b, SPAN_NONE);
	buf_put_reversed(&b, SPAN_LIT("abc"));
	buf_u32(&b, 0x41424344);
	buf_printf(&b, "%d", 7);
	assert_string_equal(buf_cstr(&b), "cbaABCD7");
	buf_truncate(&b, 99);
	assert_int_equal(b.n, 8);
	buf_truncate(&b, 2);
	at = buf_hole(&b, 2);
	buf_fill_u16(&b, at, 0x4142);
	buf_fill(&b, at, SPAN_NONE);
	assert_string_equal(buf_cstr(&b), "cbAB");
	for (int i = 0; i < 1000; i++)
		buf_str(&b, "long");
	assert_int_equal(buf_failed(&b, NULL), ST_OK);
	buf_wipe(&b);
	buf_wipe(&b);
	assert_null(b.p);
}

/* The first failure sticks, and is said once. */
static void buffers_fail_once(void **state)
{
	struct buf b = { .max = 4 };
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	buf_str(&b, "1234");
	assert_int_equal(buf_failed(&b, NULL), ST_OK);
	buf_u8(&b, '5');
	assert_int_equal(buf_hole(&b, 1), 4);
	buf_printf(&b, "%s", "6");
	buf_fill(&b, 99, SPAN_LIT("x"));
	assert_int_equal(b.n, 4);
	assert_int_equal(buf_failed(&b, &e), ST_INPUT);
	assert_string_equal(err_text(&e), "longer than 4 bytes");
	buf_free(&b);

	buf_str(&b, "12");
	buf_fill(&b, 1, SPAN_LIT("xy"));
	e = TLV_ERR_INIT;
	assert_int_equal(buf_failed(&b, &e), ST_BUG);
	assert_string_equal(err_text(&e), "a hole is filled that was not left");
	buf_free(&b);
	buf_fill(&b, 1, SPAN_NONE);
	assert_int_equal(buf_failed(&b, NULL), ST_BUG);
	buf_free(&b);
	(void)buf_hole(&b, SIZE_MAX);
	assert_int_equal(buf_failed(&b, NULL), ST_INPUT);
	buf_free(&b);
}

static void hear(void *arg, const char *text)
{
	(void)snprintf(arg, 64, "%s", text);
}

static void errors(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	char heard[64] = "", text[128];
	struct tlv_warn warn = { hear, heard }, deaf = { NULL, NULL };

	(void)state;
	assert_int_equal(err_set(NULL, ST_NO, "x"), ST_NO);
	assert_int_equal(err_set_at(NULL, ST_NO, 1, "x"), ST_NO);
	assert_int_equal(err_in(NULL, "x"), ST_BUG);
	assert_int_equal(err_in(&e, "nothing failed"), ST_OK);
	assert_int_equal(err_set_at(&e, ST_INPUT, 7, "first"), ST_INPUT);
	assert_int_equal(err_set(&e, ST_NO, "second"), ST_INPUT);
	assert_int_equal(err_set_at(&e, ST_NO, 9, "third"), ST_INPUT);
	assert_int_equal(err_in(&e, "file %d", 1), ST_INPUT);
	err_format(&e, text, sizeof text);
	assert_string_equal(text, "file 1: first (at byte 7)");
	e = TLV_ERR_INIT;
	assert_int_equal(err_nomem(&e), ST_NOMEM);
	assert_int_equal(err_exit_status(ST_NOMEM), ST_BUG);
	assert_int_equal(err_exit_status(ST_MACHINE), ST_BUG);
	assert_int_equal(err_exit_status(ST_NO), ST_NO);
	assert_non_null(strstr(err_cure(ST_BUG), "report it"));
	assert_non_null(strstr(err_cure(ST_NOMEM), "limit of memory"));
	assert_null(err_cure(ST_MACHINE));
	assert_null(err_cure(ST_INPUT));
	err_format(&e, text, sizeof text);
	assert_string_equal(text, "out of memory");
	warn_put(NULL, "x");
	warn_put(&deaf, "x");
	warn_put(&warn, "%d things", 2);
	assert_string_equal(heard, "2 things");
}

static void tables(void **state)
{
	enum tlv_style style;
	size_t n;

	(void)state;
	assert_non_null(tlv_tags(&n));
	assert_int_equal(n, 40);
	assert_string_equal(tlv_tag_find(TLV_SCOPE_RECORD, 9)->text, "certificate");
	assert_null(tlv_tag_find(TLV_SCOPE_RECORD, 13));
	assert_string_equal(tlv_roles(&n)[0].text, "SAST");
	assert_int_equal(n, 7);
	assert_int_equal(tlv_role_by_text("TVS")->number, 21);
	assert_null(tlv_role_by_text("tvs"));
	assert_null(tlv_role_find(5));
	assert_string_equal(tlv_digest_find(2)->text, "sha256");
	assert_null(tlv_digest_find(4));
	assert_int_equal(tlv_digest_by_text("sha512")->code, 3);
	assert_null(tlv_digest_by_text("md5"));
	for (uint8_t code = 0; code < 4; code++)
		assert_int_equal(tlv_modulus_code(tlv_modulus_bits(code)), code);
	assert_int_equal(tlv_modulus_bits(4), 0);
	assert_int_equal(tlv_modulus_code(3072), -1);
	assert_true(tlv_style_by_text("ctl-client", &style));
	assert_string_equal(tlv_style_text(style), "ctl-client");
	assert_false(tlv_style_by_text("CUCM", &style));
	assert_string_equal(tlv_style_text((enum tlv_style)9), "?");
}

static void writer_writes(void **state)
{
	struct buf b = BUF_INIT;
	struct tlv_writer w = tlv_writer_of(&b, TLV_SCOPE_HEADER, NULL);
	size_t opened;

	(void)state;
	opened = tlv_put_open(&w, 3);
	tlv_put_u8(&w, 8, 1);
	tlv_put_u16(&w, 2, 0x0203);
	tlv_put_u32(&w, 15, 0x04050607);
	tlv_put_text(&w, 4, SPAN_LIT("A"));
	tlv_put_reversed(&w, 5, SPAN_LIT("BC"));
	tlv_put_close(&w, opened, 3);
	assert_int_equal(tlv_writer_done(&w), ST_OK);
	assert_true(span_eq(buf_span(&b), SPAN_LIT("\x03\0\x1a\x08\0\1\1\2\0\2\2\3\x0f\0\4\4\5\6\7"
						   "\4\0\2A\0\5\0\2CB")));
	buf_free(&b);
}

/* A field of 65536 bytes, known or not; then nothing more is written. */
static void writer_fails_once(void **state)
{
	static const uint8_t many[65536];
	struct buf b = BUF_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_writer w = tlv_writer_of(&b, TLV_SCOPE_RECORD, &e);
	size_t opened;

	(void)state;
	tlv_put(&w, TLV_R_SERIAL, span_of(many, sizeof many));
	tlv_put_u8(&w, 1, 1);
	tlv_put_u16(&w, 1, 1);
	tlv_put_u32(&w, 1, 1);
	tlv_put_text(&w, 1, SPAN_LIT("x"));
	tlv_put_reversed(&w, 1, SPAN_LIT("x"));
	tlv_put_close(&w, tlv_put_open(&w, 1), 1);
	assert_int_equal(tlv_put_hole(&w, 1, 1), 0);
	assert_int_equal(tlv_writer_done(&w), ST_INPUT);
	assert_int_equal(b.n, 0);
	assert_string_equal(err_text(&e),
			    "serial number: 65536 bytes, a field holds at most 65535");

	e = TLV_ERR_INIT;
	w = tlv_writer_of(&b, TLV_SCOPE_RECORD, &e);
	opened = tlv_put_open(&w, 99);
	buf_put(&b, span_of(many, sizeof many));
	tlv_put_close(&w, opened, 99);
	assert_int_equal(tlv_writer_done(&w), ST_INPUT);
	assert_string_equal(err_text(&e), "tag 99: 65536 bytes, a field holds at most 65535");
	buf_free(&b);

	b.max = 4;
	w = tlv_writer_of(&b, TLV_SCOPE_RECORD, NULL);
	opened = tlv_put_open(&w, 3);
	tlv_put_text(&w, 4, SPAN_LIT("x"));
	tlv_put_close(&w, opened, 3);
	assert_int_equal(tlv_writer_done(&w), ST_INPUT);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),	 cmocka_unit_test(owned_spans),
		cmocka_unit_test(utf8),		 cmocka_unit_test(cursors),
		cmocka_unit_test(buffers),	 cmocka_unit_test(buffers_fail_once),
		cmocka_unit_test(errors),	 cmocka_unit_test(tables),
		cmocka_unit_test(writer_writes), cmocka_unit_test(writer_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
