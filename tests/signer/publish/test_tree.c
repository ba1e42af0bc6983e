/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that comes to be as a whole, and what becomes of one that was there. */
#include "tests/signer/publish/folder.h"

#include <poll.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <sys/inotify.h>

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

static atomic_bool enough;

/* How often the file of the watch has been read. */
static int count_readings(int watch)
{
	alignas(struct inotify_event) char room[4096];
	struct pollfd poll_fd = { .fd = watch, .events = POLLIN };
	ssize_t n = poll(&poll_fd, 1, 50) == 1 ? read(watch, room, sizeof room) : 0;
	int readings = 0;

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *event = (const void *)(room + at);

		readings += (event->mask & IN_CLOSE_NOWRITE) != 0;
		at += (ssize_t)(sizeof *event + event->len);
	}
	return readings;
}

/* Gives a copy's name to a folder of ours when the copy's sums were read for the third time. */
static void *exchange_names(void *arg)
{
	const int *watch = arg;
	int readings = 0;

	while (readings < 3 && !atomic_load(&enough))
		readings += count_readings(*watch);
	(void)renameat2(AT_FDCWD, "mine", AT_FDCWD, "out.~1~", RENAME_EXCHANGE);
	return NULL;
}

/* The first readings are for the number of the next copy and for what there is; then one goes. */
static void exchange_on_the_way(void)
{
	const struct tree_options keep = { .overwrite = true, .keep = 1 },
				  none = { .overwrite = true };
	int watch = inotify_init1(IN_CLOEXEC);
	pthread_t other;

	assert_true(watch >= 0);
	assert_int_equal(mkdir("mine", 0755), 0);
	put_text("mine/notes", "mine");
	assert_int_equal(make("out", "one", &keep), ST_OK);
	assert_int_equal(make("out", "two", &keep), ST_OK);
	assert_true(inotify_add_watch(watch, "out.~1~/SHA256SUMS", IN_OPEN | IN_CLOSE_NOWRITE) >=
		    0);
	atomic_store(&enough, false);
	assert_int_equal(pthread_create(&other, NULL, exchange_names, &watch), 0);
	assert_int_equal(make("out", "three", &none), ST_OK);
	atomic_store(&enough, true);
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_int_equal(close(watch), 0);
	assert_true(is_there("mine/notes") || is_there("out.~1~/notes"));
}

/* What is taken away is the folder that was looked at, whatever has its name by then. */
static void test_names_that_are_exchanged_meanwhile(void **state)
{
	enum { ROUNDS = 20 };
	char round[16];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		(void)snprintf(round, sizeof round, "%d", i);
		assert_int_equal(mkdir(round, 0755), 0);
		assert_int_equal(chdir(round), 0);
		exchange_on_the_way();
		assert_int_equal(chdir(".."), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(test_whole_or_not_there),
		IN_A_FOLDER(test_one_that_is_there_stays),
		IN_A_FOLDER(test_it_is_put_aside),
		IN_A_FOLDER(test_one_that_was_not_finished_is_made_anew),
		IN_A_FOLDER(test_the_sweep_spares_what_was_renamed),
		IN_A_FOLDER(test_names_that_are_exchanged_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
