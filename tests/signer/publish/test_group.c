/* SPDX-License-Identifier: Apache-2.0 */
/* Many files: below one folder and never through a link; all or none; each for itself. */
#include "tests/signer/publish/folder.h"

#include "signer/publish/fileset.h"
#include "signer/publish/group.h"

static enum status put_one(struct publish_group *g, const char *path, const char *text,
			   const struct publish_options *opt, struct tlv_err *e)
{
	struct publication *p = NULL;
	struct publish_item item = { .e = e };
	enum status st = publish_open(&p, path, g, opt, e);

	if (st == ST_OK)
		st = publish_write(p, span_str(text), e);
	item.p = p;
	if (st == ST_OK)
		publish_commit_group(&item, 1);
	publish_free(&p);
	return e->status;
}

static void refused(struct publish_group *g, const char *path, const char *says)
{
	const struct publish_options opt = { .overwrite = true };
	struct tlv_err e = TLV_ERR_INIT;

	assert_int_equal(put_one(g, path, "x", &opt, &e), ST_OUTPUT);
	if (strstr(err_text(&e), says) == NULL)
		fail_msg("'%s' does not say '%s'", err_text(&e), says);
}

static void test_below_a_folder(void **state)
{
	const struct publish_options opt = { .kind = KIND_OTHER };
	struct publish_group *g;
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(mkdir("out", 0755), 0);
	assert_int_equal(mkdir("elsewhere", 0755), 0);
	assert_int_equal(symlink("../elsewhere", "out/x"), 0);
	assert_int_equal(symlink("../elsewhere/f", "out/l"), 0);
	assert_int_equal(publish_group_new(&g, "out", &e), ST_OK);
	refused(g, "out/x/f", "'out/x' is a symbolic link");
	refused(g, "out/x/deep/f", "'out/x' is a symbolic link");
	refused(g, "out/l", "is a symbolic link");
	refused(g, "out/../f", "its folder cannot be opened");
	refused(g, "elsewhere/f", "is not below 'out'");
	refused(g, "outer/f", "is not below 'out'");
	assert_int_equal(count_in("elsewhere"), 0);
	/* The others go on. */
	assert_int_equal(put_one(g, "out/a/b/f", "new", &opt, &e), ST_OK);
	assert_int_equal(put_one(g, "out/f", "new", &opt, &e), ST_OK);
	assert_string_equal(text_of("out/a/b/f"), "new");
	assert_string_equal(text_of("out/f"), "new");
	publish_group_free(&g);
}

/* The folder itself is what the user named, by a link or not; it stays the one that was opened. */
static void test_the_folder_itself(void **state)
{
	const struct publish_options opt = { .kind = KIND_OTHER };
	static const char *const names[] = { "link", "out/", ".//out", "out" };
	struct tlv_err e = TLV_ERR_INIT;
	struct publish_group *g;

	(void)state;
	assert_int_equal(mkdir("out", 0755), 0);
	assert_int_equal(mkdir("elsewhere", 0755), 0);
	assert_int_equal(symlink("out", "link"), 0);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char path[64], there[64];

		(void)snprintf(path, sizeof path, "%s/sub/%zu", names[i], i);
		(void)snprintf(there, sizeof there, "out/sub/%zu", i);
		assert_int_equal(publish_group_new(&g, names[i], &e), ST_OK);
		assert_int_equal(put_one(g, path, "new", &opt, &e), ST_OK);
		assert_string_equal(text_of(there), "new");
		publish_group_free(&g);
	}
	assert_int_equal(publish_group_new(&g, "link", &e), ST_OK);
	assert_int_equal(unlink("link"), 0);
	assert_int_equal(symlink("elsewhere", "link"), 0);
	assert_int_equal(put_one(g, "link/f", "new", &opt, &e), ST_OK);
	assert_string_equal(text_of("out/f"), "new");
	assert_int_equal(count_in("elsewhere"), 0);
	publish_group_free(&g);
}

static void test_peek_follows_no_link(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct publish_group *g;
	int fd;

	(void)state;
	assert_int_equal(mkdir("out", 0755), 0);
	assert_int_equal(mkdir("elsewhere", 0755), 0);
	put_text("elsewhere/f", "x");
	put_text("out/f", "x");
	assert_int_equal(symlink("../elsewhere", "out/x"), 0);
	assert_int_equal(publish_group_new(&g, "out", &e), ST_OK);
	assert_int_equal(publish_peek("out/f", g, &fd, &e), ST_OK);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(publish_peek("out/none", g, &fd, &e), ST_OK);
	assert_int_equal(fd, -1);
	assert_int_equal(publish_peek("out/x/f", g, &fd, &e), ST_OUTPUT);
	assert_int_equal(fd, -1);
	publish_group_free(&g);
}

static void test_equal_pieces_stay_untouched(void **state)
{
	const struct publish_options opt = { .kind = KIND_OTHER };
	struct tlv_err e = TLV_ERR_INIT;
	struct publish_group *g;
	struct stat before, after;

	(void)state;
	put_text("f", "same");
	assert_int_equal(stat("f", &before), 0);
	assert_int_equal(publish_group_new(&g, NULL, &e), ST_OK);
	assert_int_equal(put_one(g, "f", "same", &opt, &e), ST_OK);
	assert_int_equal(stat("f", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(put_one(g, "f", "else", &opt, &e), ST_OUTPUT);
	assert_string_equal(text_of("f"), "same");
	assert_int_equal(count_in("."), 1);
	publish_group_free(&g);
}

static void fill(struct fileset *f, const struct publish_options *opt)
{
	struct tlv_err e = TLV_ERR_INIT;

	assert_int_equal(fileset_open(f, "set", &e), ST_OK);
	assert_int_equal(fileset_add(f, "a", SPAN_LIT("new a"), opt, &e), ST_OK);
	assert_int_equal(fileset_add(f, "b", SPAN_LIT("new b"), opt, &e), ST_OK);
	assert_int_equal(fileset_add(f, "c", SPAN_LIT("new c"), opt, &e), ST_OK);
}

static void test_a_set_is_whole(void **state)
{
	const struct publish_options opt = { .overwrite = true };
	struct tlv_err e = TLV_ERR_INIT;
	struct fileset f;

	(void)state;
	assert_int_equal(mkdir("set", 0755), 0);
	put_text("set/a", "old a");
	put_text("set/c", "old c");
	fill(&f, &opt);
	assert_string_equal(text_of("set/a"), "old a");
	assert_int_equal(fileset_commit(&f, &e), ST_OK);
	fileset_free(&f);
	assert_string_equal(text_of("set/a"), "new a");
	assert_string_equal(text_of("set/b"), "new b");
	assert_string_equal(text_of("set/c"), "new c");
	assert_int_equal(count_in("set"), 3);
}

/* The last one fails: what the first ones replaced is there again. */
static void test_a_set_is_nothing(void **state)
{
	const struct publish_options opt = { .overwrite = true };
	struct tlv_err e = TLV_ERR_INIT;
	struct fileset f;

	(void)state;
	assert_int_equal(mkdir("set", 0755), 0);
	put_text("set/a", "old a");
	fill(&f, &opt);
	assert_int_equal(mkdir("set/c", 0755), 0);
	assert_int_equal(fileset_commit(&f, &e), ST_OUTPUT);
	fileset_free(&f);
	assert_string_equal(text_of("set/a"), "old a");
	assert_false(is_there("set/b"));
	assert_int_equal(count_in("set"), 2);
}

static void test_a_folder_that_was_made_goes_again(void **state)
{
	const struct publish_options opt = { .kind = KIND_OTHER };
	struct fileset f;

	(void)state;
	fill(&f, &opt);
	assert_true(is_there("set"));
	fileset_free(&f);
	assert_false(is_there("set"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(test_below_a_folder),
		IN_A_FOLDER(test_the_folder_itself),
		IN_A_FOLDER(test_peek_follows_no_link),
		IN_A_FOLDER(test_equal_pieces_stay_untouched),
		IN_A_FOLDER(test_a_set_is_whole),
		IN_A_FOLDER(test_a_set_is_nothing),
		IN_A_FOLDER(test_a_folder_that_was_made_goes_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
