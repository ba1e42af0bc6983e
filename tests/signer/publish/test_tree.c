/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that comes to be as a whole, and what becomes of one that was there. */
#include "tests/signer/publish/folder.h"

#include "signer/publish/sums.h"
#include "signer/publish/tree.h"

static enum status make(const char *path, const char *text, const struct tree_options *opt)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tree *t;
	enum status st = tree_begin(&t, path, opt, &e);

	if (st == ST_OK)
		st = tree_add(t, "file", span_str(text), &e);
	if (st == ST_OK)
		st = tree_add(t, "sub/file", span_str(text), &e);
	if (st == ST_OK)
		st = tree_add_sums(t, &e);
	if (st == ST_OK)
		st = tree_commit(t, &e);
	tree_free(&t);
	return st;
}

static void test_whole_or_not_there(void **state)
{
	const struct tree_options opt = { .keep = 10 };
	struct tlv_err e = TLV_ERR_INIT;
	struct tree *t;
	struct stat st;

	(void)state;
	assert_int_equal(make("out", "one", &opt), ST_OK);
	assert_string_equal(text_of("out/sub/file"), "one");
	assert_int_equal(stat("out", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(tree_begin(&t, "other", &opt, &e), ST_OK);
	assert_int_equal(tree_add(t, "sub/file", SPAN_LIT("x"), &e), ST_OK);
	assert_int_equal(tree_add(t, "sub/file", SPAN_LIT("x"), &e), ST_OUTPUT);
	e = TLV_ERR_INIT;
	assert_int_equal(tree_add(t, "../file", SPAN_LIT("x"), &e), ST_OUTPUT);
	tree_free(&t);
	assert_int_equal(count_in("."), 1);
}

static void test_one_that_is_there_stays(void **state)
{
	const struct tree_options opt = { .keep = 10 };
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(make("out", "one", &opt), ST_OK);
	assert_int_equal(tree_check("out", &opt, &e), ST_OUTPUT);
	assert_non_null(strstr(err_text(&e), "--overwrite"));
	assert_int_equal(make("out", "two", &opt), ST_OUTPUT);
	assert_string_equal(text_of("out/file"), "one");
	assert_int_equal(count_in("."), 1);
}

static void test_it_is_put_aside(void **state)
{
	const struct tree_options opt = { .overwrite = true, .keep = 2 };
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(make("out", "one", &opt), ST_OK);
	assert_int_equal(make("out", "two", &opt), ST_OK);
	assert_string_equal(text_of("out/file"), "two");
	assert_string_equal(text_of("out.~1~/sub/file"), "one");
	/*
	 * The oldest go, but not one to which somebody has added a file, and none of another make.
	 */
	put_text("out.~1~/sub/notes", "mine");
	assert_int_equal(mkdir("out.~2~", 0755), 0);
	put_text("out.~2~/file", "mine");
	assert_int_equal(make("out", "three", &opt), ST_OK);
	assert_int_equal(make("out", "four", &opt), ST_OK);
	assert_int_equal(make("out", "five", &opt), ST_OK);
	assert_int_equal(make("out", "six", &opt), ST_OK);
	assert_string_equal(text_of("out.~1~/sub/notes"), "mine");
	assert_string_equal(text_of("out.~2~/file"), "mine");
	assert_false(is_there("out.~3~") || is_there("out.~4~"));
	assert_string_equal(text_of("out.~5~/file"), "four");
	assert_string_equal(text_of("out.~6~/file"), "five");
	assert_int_equal(count_in("."), 5);
	put_text("plain", "mine");
	assert_int_equal(tree_check("plain", &opt, &e), ST_OUTPUT);
}

/* A folder that was put under a temporary name is nobody's leftover. */
static void test_the_sweep_spares_what_was_renamed(void **state)
{
	const struct tree_options opt = { .keep = 10 };

	(void)state;
	assert_int_equal(make("served", "mine", &opt), ST_OK);
	assert_int_equal(rename("served", ".out.ctlsign-00000001"), 0);
	assert_int_equal(make("out", "one", &opt), ST_OK);
	assert_string_equal(text_of(".out.ctlsign-00000001/sub/file"), "mine");
}

/* A run was killed between the rename and the mark: nobody was told that it is done. */
static void test_one_that_was_not_finished_is_made_anew(void **state)
{
	const struct tree_options opt = { .keep = 10 };

	(void)state;
	assert_int_equal(make("out", "half", &opt), ST_OK);
	assert_int_equal(chmod("out", 01700), 0);
	assert_int_equal(make("out", "one", &opt), ST_OK);
	assert_string_equal(text_of("out/sub/file"), "one");
	assert_int_equal(count_in("."), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(test_whole_or_not_there),
		IN_A_FOLDER(test_one_that_is_there_stays),
		IN_A_FOLDER(test_it_is_put_aside),
		IN_A_FOLDER(test_one_that_was_not_finished_is_made_anew),
		IN_A_FOLDER(test_the_sweep_spares_what_was_renamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
