/* SPDX-License-Identifier: Apache-2.0 */
/* SHA256SUMS: lines of before stay, a foreign file is never taken for one. */
#include "tests/signer/publish/folder.h"

#include "signer/publish/sums.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define X "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

static void check_text(struct sums *s, const char *wanted)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct buf text = BUF_INIT;

	assert_int_equal(sums_text(s, &text, &e), ST_OK);
	assert_string_equal(buf_cstr(&text), wanted);
	assert_int_equal(publish(SUMS_NAME, buf_span(&text), &s->opt, &e), ST_OK);
	buf_free(&text);
}

static void test_lines_stay_and_new_ones_win(void **state)
{
	struct sums s = SUMS_INIT;
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	put_text(SUMS_NAME, EMPTY "  a\n" EMPTY " *b\n" EMPTY "  c\n");
	assert_int_equal(sums_read(&s, SUMS_NAME, false, &e), ST_OK);
	assert_int_equal(sums_add(&s, "b", SPAN_LIT("x"), &e), ST_OK);
	assert_int_equal(sums_add(&s, "d", SPAN_LIT("x"), &e), ST_OK);
	check_text(&s, EMPTY "  a\n" EMPTY "  c\n" X "  b\n" X "  d\n");
	sums_free(&s);
}

static void test_nothing_is_there(void **state)
{
	struct sums s = SUMS_INIT;
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(sums_read(&s, SUMS_NAME, false, &e), ST_OK);
	assert_int_equal(sums_add(&s, "b", SPAN_LIT("x"), &e), ST_OK);
	check_text(&s, X "  b\n");
	assert_string_equal(text_of(SUMS_NAME), X "  b\n");
	sums_free(&s);
}

static void test_foreign_files(void **state)
{
	static const char *const texts[] = { "notes\n", EMPTY "  a\nnotes\n", EMPTY "  a",
					     EMPTY "  \n", "x" EMPTY "  a\n" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct sums s = SUMS_INIT;
		struct tlv_err e = TLV_ERR_INIT;

		put_text(SUMS_NAME, texts[i]);
		assert_int_equal(sums_read(&s, SUMS_NAME, false, &e), ST_OUTPUT);
		assert_non_null(strstr(err_text(&e), "--overwrite"));
		sums_free(&s);
		e = TLV_ERR_INIT;
		assert_int_equal(sums_read(&s, SUMS_NAME, true, &e), ST_OK);
		assert_int_equal(sums_add(&s, "b", SPAN_LIT("x"), &e), ST_OK);
		check_text(&s, X "  b\n");
		sums_free(&s);
	}
}

/* Lines that are not read would be lost. */
static void test_one_that_is_too_long(void **state)
{
	struct sums s = SUMS_INIT;
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	put_text(SUMS_NAME, EMPTY "  a\n");
	assert_int_equal(truncate(SUMS_NAME, 2 << 20), 0);
	assert_int_equal(sums_read(&s, SUMS_NAME, true, &e), ST_OUTPUT);
	assert_string_equal(
		err_text(&e),
		"SHA256SUMS: more than 1048576 bytes: its lines cannot be kept: move it away");
	sums_free(&s);
}

/* Nobody's line is lost to two runs at once. */
static void test_a_change_meanwhile(void **state)
{
	struct sums s = SUMS_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(sums_read(&s, SUMS_NAME, false, &e), ST_OK);
	assert_int_equal(sums_add(&s, "b", SPAN_LIT("x"), &e), ST_OK);
	assert_int_equal(sums_text(&s, &text, &e), ST_OK);
	put_text(SUMS_NAME, EMPTY "  a\n");
	assert_int_equal(publish(SUMS_NAME, buf_span(&text), &s.opt, &e), ST_OUTPUT);
	assert_string_equal(text_of(SUMS_NAME), EMPTY "  a\n");
	buf_free(&text);
	sums_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(test_lines_stay_and_new_ones_win),
		IN_A_FOLDER(test_nothing_is_there),
		IN_A_FOLDER(test_foreign_files),
		IN_A_FOLDER(test_one_that_is_too_long),
		IN_A_FOLDER(test_a_change_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
