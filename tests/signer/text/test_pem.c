/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * PEM blocks of a terminal log, wherever a line begins or ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "signer/text/log.h"
#include "signer/text/pem.h"

/* "line:block|" of each. */
static enum status note(void *arg, struct span block, size_t line, struct tlv_err *e)
{
	struct buf *found = arg;

	buf_printf(found, "%zu:", line);
	buf_put(found, block);
	buf_str(found, "|");
	return buf_failed(found, e);
}

static void assert_blocks(struct span text, const char *expected)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct buf found = BUF_INIT;

	assert_int_equal(pem_each(text, note, &found, &e), ST_OK);
	assert_string_equal(buf_cstr(&found), expected);
	buf_free(&found);
}

static void blocks_are_found_wherever_lines_break(void **state)
{
	(void)state;
	assert_blocks(SPAN_LIT("a -----BEGIN X-----\nAA\nBB\n-----END X----- b\n"),
		      "1:-----BEGIN X-----AABB-----END X-----|");
	assert_blocks(SPAN_LIT("\n-----BE\nGIN X-----AA-----END\n X-----\n"),
		      "3:-----BEGIN X-----AA-----END X-----|");
	assert_blocks(
		SPAN_LIT("-----BEGIN X-----A-----END X----------BEGIN Y-----B-----END Y-----"),
		"1:-----BEGIN X-----A-----END X-----|1:-----BEGIN Y-----B-----END Y-----|");
	assert_blocks(SPAN_LIT("-----BEGIN X-----\nAA\n-----BEGIN Y-----\nB\n-----END Y-----\n"),
		      "1:-----BEGIN X-----AA|3:-----BEGIN Y-----B-----END Y-----|");
	assert_blocks(SPAN_LIT("-----BEGIN X-----\nAA\n"), "1:-----BEGIN X-----AA|");
	assert_blocks(SPAN_LIT("----- BEGIN -----BEGI"), "");
}

#define MARKER "-----BEGIN X-----"

enum { LINES = 16 /* the longest there are */ };

struct counted {
	size_t blocks, each; /* each: of a line */
};

static enum status count(void *arg, struct span block, size_t line, struct tlv_err *e)
{
	struct counted *c = arg;

	(void)e;
	assert_true(span_eq(block, SPAN_LIT(MARKER)));
	assert_int_equal(line, c->blocks++ / c->each + 1);
	return ST_OK;
}

/* Each is a damaged block: the processor's time that they take. */
static clock_t time_of(size_t each)
{
	size_t n = LINES * LOG_LINE_MAX / (sizeof MARKER - 1);
	struct counted c = { .each = each };
	struct tlv_err e = TLV_ERR_INIT;
	struct buf text = BUF_INIT;
	clock_t start;

	for (size_t i = 1; i <= n; i++) {
		buf_str(&text, MARKER);
		buf_str(&text, i % each == 0 ? "\n" : "");
	}
	start = clock();
	assert_int_equal(pem_each(buf_span(&text), count, &c, &e), ST_OK);
	start = clock() - start;
	assert_int_equal(c.blocks, n);
	buf_free(&text);
	return start;
}

/* What stands behind a block in its line is not moved for each. */
static void long_lines_cost_no_more_than_short_ones(void **state)
{
	clock_t all = time_of(LOG_LINE_MAX / (sizeof MARKER - 1)), one = time_of(1);

	(void)state;
	assert_true(all < 2 * one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_found_wherever_lines_break),
		cmocka_unit_test(long_lines_cost_no_more_than_short_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
