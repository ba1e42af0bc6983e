/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What people are shown of other people's texts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tlv/safe.h"

static void texts(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "CN=cucm-1051-a-pub;OU=TAC", "CN=cucm-1051-a-pub;OU=TAC" },
		{ "Z\u00fcrich \u03a3 \u65e5\u672c \U0001f4de",
		  "Z\u00fcrich \u03a3 \u65e5\u672c \U0001f4de" },
		{ "a\x1b[2Jb\r\n\t", "a\\x1b[2Jb\\x0d\\x0a\\x09" },
		{ "\x7f\xc2\x80\xc2\x9b"
		  "31m\u00a0",
		  "\\x7f\\xc2\\x80\\xc2\\x9b31m\u00a0" },
		{ "exe.\u202egpj.\u202c", "exe.\\xe2\\x80\\xaegpj.\\xe2\\x80\\xac" },
		{ "\u2066\u2069\u200e\u200f\u061c",
		  "\\xe2\\x81\\xa6\\xe2\\x81\\xa9\\xe2\\x80\\x8e\\xe2\\x80\\x8f\\xd8\\x9c" },
		{ "pu\u200bb\u00adlisher\ufeff",
		  "pu\\xe2\\x80\\x8bb\\xc2\\xadlisher\\xef\\xbb\\xbf" },
		{ "a\u2028b\u2029c", "a\\xe2\\x80\\xa8b\\xe2\\x80\\xa9c" },
		{ "\U000e0041x", "\\xf3\\xa0\\x81\\x81x" },
		{ "caf\xe9 \xc0\x9b \xed\xa0\x80 \xf0\x9f",
		  "caf\\xe9 \\xc0\\x9b \\xed\\xa0\\x80 \\xf0\\x9f" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT;

		safe_text(&b, span_str(rows[i].text));
		assert_string_equal(buf_cstr(&b), rows[i].shown);
		buf_free(&b);
	}
}

static size_t put_utf8(uint32_t v, uint8_t out[4])
{
	if (v < 0x80) {
		out[0] = (uint8_t)v;
		return 1;
	}
	if (v < 0x800) {
		out[0] = (uint8_t)(0xc0 | v >> 6);
		out[1] = (uint8_t)(0x80 | (v & 0x3f));
		return 2;
	}
	if (v < 0x10000) {
		out[0] = (uint8_t)(0xe0 | v >> 12);
		out[1] = (uint8_t)(0x80 | (v >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (v & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | v >> 18);
	out[1] = (uint8_t)(0x80 | (v >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (v >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (v & 0x3f));
	return 4;
}

/* Bidi_Control of Unicode's PropList, to the last one. */
static bool turns(uint32_t v)
{
	return v == 0x61c || v == 0x200e || v == 0x200f || (v >= 0x202a && v <= 0x202e) ||
	       (v >= 0x2066 && v <= 0x2069);
}

/* Every code point: whole or not at all, no control, none that turns text. */
static void every_code_point(void **state)
{
	size_t hidden = 0;

	(void)state;
	for (uint32_t v = 0; v < 0x110000; v++) {
		uint8_t bytes[4];
		size_t n = put_utf8(v, bytes), shown = safe_character(span_of(bytes, n));
		bool surrogate = v >= 0xd800 && v < 0xe000;

		assert_true(shown == 0 || shown == n);
		if (v < 0x20 || (v >= 0x7f && v < 0xa0) || surrogate || turns(v))
			assert_int_equal(shown, 0);
		hidden += shown == 0 && !surrogate;
		/* Cut short it is none. */
		assert_int_equal(safe_character(span_of(bytes, n - 1)), 0);
	}
	/* Not the half of Unicode either: the sum of the table. */
	assert_in_range(hidden, 4096, 4300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(every_code_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
