/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tlv/err.h"
#include "tlv/sentence.h"

static char said[64];

__attribute__((format(printf, 2, 3))) static const char *made(size_t cap, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sentence_format(said, cap, fmt, ap);
	va_end(ap);
	return said;
}

/* Each conversion that a message of ours has says what printf says. */
static void conversions(void **state)
{
	(void)state;
	assert_string_equal(made(64, "no conversion"), "no conversion");
	assert_string_equal(made(64, "%s=%d, %u%%", "a", -5, 7U), "a=-5, 7%");
	assert_string_equal(made(64, "%.*s|%.2s|%c", 2, "abc", "xyz", '!'), "ab|xy|!");
	assert_string_equal(made(64, "%zu %lu %ld %llu", (size_t)1, 2UL, -3L, 4ULL), "1 2 -3 4");
	assert_string_equal(made(64, "%02x %02X %08lx %04o %x", 10U, 10U, 0xabcUL, 0644U, 0U),
			    "0a 0A 00000abc 0644 0");
	assert_string_equal(made(64, "%d %u", 0, 0U), "0 0");
	assert_string_equal(made(64, "%-4x|%4d|%-6s|%3s|%1s", 10U, -7, "ab", "cd", "efg"),
			    "a   |  -7|ab    | cd|efg");
	assert_string_equal(made(5, "%-9s", "ab"), "ab  ");
}

static void foreign_text(void **state)
{
	(void)state;
	assert_string_equal(made(64, "a\n  b: %s", "x\n  good"), "a\n  b: x\\x0a  good");
	assert_string_equal(made(64, "%s", "\x1b[2J\r\xc2\x9b\x7f"),
			    "\\x1b[2J\\x0d\\xc2\\x9b\\x7f");
	assert_string_equal(made(64, "%s", "\xe2\x80\xae\xff"), "\\xe2\\x80\\xae\\xff");
	assert_string_equal(made(64, "%.*s%c", 1, "\ngood", '\n'), "\\x0a\\x0a");
	assert_string_equal(made(64, "%s", "M\xc3\xbcller"), "M\xc3\xbcller");
	/* The end cuts no escape and no character in two. */
	assert_string_equal(made(6, "%s", "ab\ncd"), "ab");
	assert_string_equal(made(3, "%s", "a\xc3\xbc"), "a");
	assert_string_equal(made(4, "%s", "a\xc3\xbc"), "a\xc3\xbc");
	assert_string_equal(made(3, "abcdef"), "ab");
	assert_string_equal(made(1, "%s", "x"), "");
}

static void lines(void **state)
{
	struct tlv_err e = TLV_ERR_INIT, other = TLV_ERR_INIT, far = TLV_ERR_INIT;
	static const char wire[] = "first\n  second\nctlsign: good\x1b";

	(void)state;
	err_line(&e, "nothing failed");
	err_line(NULL, "nobody listens");
	assert_string_equal(err_text(&e), "");
	(void)err_set(&e, ST_NO_MATCH, "no '%s'; there is", "a\nb");
	err_line(&e, "%s", "one\n  two");
	(void)err_in(&e, "%s", "\n  FILE");
	assert_string_equal(err_text(&e), "\\x0a  FILE: no 'a\\x0ab'; there is\n  one\\x0a  two");
	assert_int_equal(err_copy(&other, &e), ST_NO_MATCH);
	assert_string_equal(err_text(&other), err_text(&e));
	(void)err_set(&other, ST_NO, "the first one wins");
	assert_int_equal(err_copy(NULL, &e), ST_NO_MATCH);
	/* What another process says may break lines, never begin one of ours. */
	assert_int_equal(err_receive(&far, ST_TOKEN, wire, sizeof wire - 1), ST_TOKEN);
	assert_string_equal(err_text(&far), "first\n  second\\x0actlsign: good\\x1b");
	assert_int_equal(err_receive(&far, ST_NO, "x", 1), ST_TOKEN);
	assert_int_equal(err_receive(NULL, ST_NO, "x", 1), ST_NO);
	for (int i = 0; i < 200; i++)
		err_line(&far, "0123456789");
	assert_true(strlen(err_text(&far)) < ERR_TEXT_MAX);
}

static void hear(void *arg, const char *text)
{
	(void)snprintf(arg, 64, "%s", text);
}

static void warnings(void **state)
{
	char heard[64] = "";
	struct tlv_warn w = { hear, heard };

	(void)state;
	warn_put(&w, "%s", "a\n  b");
	assert_string_equal(heard, "a\\x0a  b");
	warn_receive(&w, "a\n  b\nc", 7);
	assert_string_equal(heard, "a\n  b\\x0ac");
	warn_receive(NULL, "x", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conversions),
		cmocka_unit_test(foreign_text),
		cmocka_unit_test(lines),
		cmocka_unit_test(warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
