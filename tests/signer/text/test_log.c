/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lines of a terminal log: what a terminal adds is left out, as one byte after the other would be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "signer/text/log.h"

static void assert_line(struct span raw, const char *cleaned)
{
	struct span line = SPAN_NONE;
	struct log log;

	assert_int_equal(log_open(&log, raw, NULL), ST_OK);
	assert_true(log_next(&log, &line));
	assert_true(span_eq(line, span_str(cleaned)));
	assert_false(log_next(&log, &line));
	assert_int_equal(log_close(&log, NULL), ST_OK);
}

static void what_a_terminal_adds_is_left_out(void **state)
{
	(void)state;
	assert_line(SPAN_LIT("plain \t\r\n"), "plain");
	assert_line(SPAN_LIT("\x1b[1;31mred\x1b[0m and \x1b]0;title\x07plain\n"), "red and plain");
	assert_line(SPAN_LIT("a\x1b]0;title\x1b\\b\x1b=c\n"), "abc");
	assert_line(SPAN_LIT("adx\b\bb\b\bab\n"), "ab");
	assert_line(SPAN_LIT("\b\ba\0b\x07\x63\n"), "abc");
	assert_line(SPAN_LIT("\x1b[1\x1b[1m\n"), "1m");
	assert_line(SPAN_LIT("cut \x1b"), "cut");
	assert_line(SPAN_LIT("cut \x1b[12"), "cut");
	assert_line(SPAN_LIT("\xc3\xa4\xff\n"), "\xc3\xa4\xff");
}

/* Of what stays, not of what is read. */
static void a_long_line_is_cut(void **state)
{
	struct buf raw = BUF_INIT;
	struct span line;
	struct log log;

	(void)state;
	for (size_t i = 0; i < LOG_LINE_MAX; i++)
		buf_str(&raw, "\x1b[m\a.");
	buf_str(&raw, "more\nnext");
	assert_int_equal(log_open(&log, buf_span(&raw), NULL), ST_OK);
	assert_true(log_next(&log, &line) && line.n == LOG_LINE_MAX);
	assert_true(span_at(line, 0) == '.' && span_at(line, line.n - 1) == '.');
	assert_true(log_next(&log, &line) && span_eq(line, SPAN_LIT("next")));
	assert_int_equal(log.number, 2);
	assert_int_equal(log_close(&log, NULL), ST_OK);
	buf_free(&raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_terminal_adds_is_left_out),
		cmocka_unit_test(a_long_line_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
