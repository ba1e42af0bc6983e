/* SPDX-License-Identifier: Apache-2.0 */
/* One file: what it may replace, what is kept of that, and what a failure leaves. */
#include "tests/signer/publish/folder.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "signer/publish/publish.h"

#define OTHER_LIST "ctl-client"

static enum status put(const char *path, struct span bytes, const struct publish_options *opt)
{
	struct tlv_err e = TLV_ERR_INIT;
	enum status st = publish(path, bytes, opt, &e);

	assert_int_equal(st, e.status);
	return st;
}

static void refused(const char *path, struct span bytes, const struct publish_options *opt,
		    const char *says)
{
	struct tlv_err e = TLV_ERR_INIT;

	assert_int_equal(publish(path, bytes, opt, &e), ST_OUTPUT);
	if (strstr(err_text(&e), says) == NULL || strstr(err_text(&e), path) == NULL)
		fail_msg("'%s' does not say '%s'", err_text(&e), says);
}

static bool holds(const char *path, struct span bytes)
{
	const char *text = text_of(path);
	struct stat st;

	return stat(path, &st) == 0 && (size_t)st.st_size == bytes.n &&
	       span_eq(span_of(text, bytes.n), bytes);
}

static void test_a_new_file_and_an_empty_one(void **state)
{
	const struct publish_options opt = { .kind = KIND_OTHER };

	(void)state;
	assert_int_equal(put("f", SPAN_LIT("one"), &opt), ST_OK);
	assert_string_equal(text_of("f"), "one");
	put_text("empty", "");
	assert_int_equal(put("empty", SPAN_LIT("one"), &opt), ST_OK);
	assert_string_equal(text_of("empty"), "one");
	assert_int_equal(count_in("."), 2);
}

/* Each kind of what is written over each kind of what is there. */
static void test_only_its_own_kind_is_replaced(void **state)
{
	static const struct {
		enum kind kind;
		const char *text; /* NULL: a list */
	} files[] = {
		{ KIND_LIST, NULL },
		{ KIND_MANIFEST, KIND_MANIFEST_LINE },
		{ KIND_REPORT, "# HELP ctlsign_x\n" },
		{ KIND_PAGE, "<!DOCTYPE html>\n" KIND_PAGE_LINE },
		{ KIND_OTHER, "-----BEGIN PRIVATE KEY-----\n" },
	};
	enum { N = sizeof files / sizeof files[0] };

	(void)state;
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++) {
			struct publish_options opt = { .kind = files[i].kind };
			struct span there = files[j].text != NULL ? span_str(files[j].text) :
								    list_bytes(OTHER_LIST);
			bool may = i == j && files[i].kind != KIND_OTHER;

			put_bytes("f", there);
			if (may)
				assert_int_equal(put("f", SPAN_LIT("new"), &opt), ST_OK);
			else
				refused("f", SPAN_LIT("new"), &opt, "--overwrite");
			assert_true(holds("f", may ? SPAN_LIT("new") : there));
			opt.overwrite = true;
			put_bytes("f", there);
			assert_int_equal(put("f", SPAN_LIT("new"), &opt), ST_OK);
			assert_int_equal(count_in("."), 1);
		}
}

static void test_equal_bytes_stay_untouched(void **state)
{
	const struct publish_options opt = { .kind = KIND_LIST, .keep = 10 };
	struct span list = list_bytes(OTHER_LIST);
	struct stat before, after;

	(void)state;
	put_bytes("f", list);
	assert_int_equal(stat("f", &before), 0);
	assert_int_equal(put("f", list, &opt), ST_OK);
	assert_int_equal(stat("f", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(count_in("."), 1);
	/* Whatever it is: nothing is lost. */
	put_text("key", "secret");
	assert_int_equal(put("key", SPAN_LIT("secret"), &opt), ST_OK);
	assert_int_equal(count_in("."), 2);
}

/* Lists that differ in their last byte are lists all the same. */
static struct span list_number(unsigned char n)
{
	static uint8_t room[65536];
	struct span list = list_bytes("cucm");

	assert_true(span_copy(list, room, sizeof room));
	room[list.n - 1] = n;
	return span_of(room, list.n);
}

static void check_copy(unsigned number, unsigned char holds_list)
{
	char path[64];

	(void)snprintf(path, sizeof path, "f.~%u~", number);
	assert_true(holds(path, list_number(holds_list)));
}

static void test_copies_are_bounded_and_the_oldest_go(void **state)
{
	const struct publish_options opt = { .kind = KIND_LIST, .keep = 3 };

	(void)state;
	for (unsigned char n = 0; n < 9; n++)
		assert_int_equal(put("f", list_number(n), &opt), ST_OK);
	assert_int_equal(count_in("."), 4);
	for (unsigned n = 6; n <= 8; n++)
		check_copy(n, (unsigned char)(n - 1));
	assert_true(holds("f", list_number(8)));
}

/* A name that is taken is passed over, and what is there is neither counted nor touched. */
static void test_copies_that_are_somebody_s(void **state)
{
	const struct publish_options opt = { .kind = KIND_LIST, .keep = 2 };

	(void)state;
	put_text("f.~1~", "notes");
	put_text("f.~2~", "");
	assert_int_equal(symlink("nowhere", "f.~4~"), 0);
	assert_int_equal(mkdir("f.~5~", 0755), 0);
	put_bytes("f.~01~", list_number(99));
	put_bytes("g.~1~", list_number(99));
	put_bytes("f.~x~", list_number(99));
	for (unsigned char n = 0; n < 6; n++)
		assert_int_equal(put("f", list_number(n), &opt), ST_OK);
	assert_string_equal(text_of("f.~1~"), "notes");
	assert_string_equal(text_of("f.~2~"), "");
	assert_true(is_there("f.~4~") && is_there("f.~5~"));
	assert_true(is_there("f.~01~") && is_there("g.~1~") && is_there("f.~x~"));
	check_copy(9, 4);
	check_copy(8, 3);
	assert_int_equal(count_in("."), 10);
}

static void test_no_copies(void **state)
{
	struct publish_options opt = { .kind = KIND_LIST, .keep = 10 };

	(void)state;
	for (unsigned char n = 0; n < 4; n++)
		assert_int_equal(put("f", list_number(n), &opt), ST_OK);
	assert_int_equal(count_in("."), 4);
	opt.keep = 0;
	assert_int_equal(put("f", list_number(9), &opt), ST_OK);
	assert_int_equal(count_in("."), 1);
}

/* Whatever is written in its place, a list that goes is kept. */
static void test_a_list_is_kept_by_every_kind(void **state)
{
	(void)state;
	for (int k = 0; k < KIND_COUNT; k++) {
		const struct publish_options opt = { .kind = (enum kind)k,
						     .overwrite = true,
						     .keep = 100 };
		char copy[64];

		put_bytes("f", list_number((unsigned char)k));
		assert_int_equal(put("f", SPAN_LIT("other"), &opt), ST_OK);
		(void)snprintf(copy, sizeof copy, "f.~%d~", k + 1);
		assert_true(holds(copy, list_number((unsigned char)k)));
	}
	put_text("f", "a report");
	assert_int_equal(put("f", SPAN_LIT("new"),
			     &(const struct publish_options){ .overwrite = true, .keep = 10 }),
			 ST_OK);
	assert_int_equal(count_in("."), KIND_COUNT + 1);
}

static void *read_all(void *arg)
{
	static char room[16384];
	int fd = open(arg, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t r;

	while (fd >= 0 && n < sizeof room && (r = read(fd, room + n, sizeof room - n)) > 0)
		n += (size_t)r;
	room[n < sizeof room ? n : n - 1] = '\0';
	(void)close(fd);
	return room;
}

static void test_a_pipe_is_written_to(void **state)
{
	struct publish_options opt = { .kind = KIND_REPORT, .stream = true };
	struct span bytes = list_bytes("cucm");
	char pipe[] = "pipe";
	pthread_t reader;
	void *got;

	(void)state;
	assert_int_equal(mkfifo(pipe, 0644), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_all, pipe), 0);
	assert_int_equal(put("pipe", bytes, &opt), ST_OK);
	assert_int_equal(pthread_join(reader, &got), 0);
	assert_true(span_eq(span_of(got, bytes.n), bytes));
	assert_int_equal(put("/dev/null", bytes, &opt), ST_OK);
	assert_int_equal(count_in("."), 1);
	/* In a folder of results it is nothing that was named. */
	opt.stream = false;
	refused("pipe", bytes, &opt, "not a regular file");
}

static void *exchange_pipe(void *arg)
{
	(void)poll(NULL, 0, 300);
	return unlink(arg) == 0 && symlink("/dev/null", arg) == 0 ? arg : NULL;
}

/* While a pipe waits for its reader, somebody puts a link to a device in its place. */
static void test_another_pipe_is_not_written_to(void **state)
{
	struct publish_options opt = { .kind = KIND_REPORT, .stream = true };
	char pipe[] = "pipe";
	pthread_t other;
	void *done;

	(void)state;
	assert_int_equal(mkfifo(pipe, 0644), 0);
	assert_int_equal(pthread_create(&other, NULL, exchange_pipe, pipe), 0);
	refused("pipe", SPAN_LIT("x"), &opt, "changed by somebody else");
	assert_int_equal(pthread_join(other, &done), 0);
	assert_non_null(done);
}

/* A file that somebody has put there does not get what is secret. */
static void test_a_secret_keeps_no_mode(void **state)
{
	const struct publish_options opt = { .kind = KIND_OTHER, .secret = true };
	struct stat st;

	(void)state;
	put_text("f", "");
	assert_int_equal(chmod("f", 0666), 0);
	if (geteuid() == 0)
		assert_int_equal(chown("f", 65534, 65534), 0);
	assert_int_equal(put("f", SPAN_LIT("x"), &opt), ST_OK);
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_uid, geteuid());
}

/* A link that somebody put there does not lead to a device. */
static void test_links_are_not_followed(void **state)
{
	struct publish_options opt = { .kind = KIND_LIST, .stream = true, .overwrite = true };
	char path[128];

	(void)state;
	assert_int_equal(symlink("/dev/null", "null"), 0);
	refused("null", SPAN_LIT("x"), &opt, "symbolic link");
	/* A folder below /dev may be anybody's, as /dev/shm is. */
	(void)snprintf(path, sizeof path, "/dev/..%s/null", test_folder);
	refused(path, SPAN_LIT("x"), &opt, "symbolic link");
	put_text("target", "mine");
	assert_int_equal(symlink("target", "link"), 0);
	refused("link", SPAN_LIT("x"), &opt, "symbolic link");
	assert_string_equal(text_of("target"), "mine");
	opt.follow = true;
	assert_int_equal(put("link", SPAN_LIT("x"), &opt), ST_OK);
	assert_string_equal(text_of("target"), "x");
}

/* Between the beginning and the end somebody puts a file there. */
static void test_what_comes_meanwhile_is_not_replaced(void **state)
{
	const struct publish_options opt = { .kind = KIND_LIST, .keep = 10 };
	struct tlv_err e = TLV_ERR_INIT;
	struct publication *p;

	(void)state;
	assert_int_equal(publish_begin(&p, "f", list_number(1), &opt, &e), ST_OK);
	put_text("f", "secret");
	assert_int_equal(publish_commit(p, &e), ST_OUTPUT);
	publish_free(&p);
	assert_string_equal(text_of("f"), "secret");
	assert_int_equal(count_in("."), 1);
}

static void test_checks_say_the_same_before(void **state)
{
	struct publish_options opt = { .kind = KIND_LIST };
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(publish_check("f", &opt, &e), ST_OK);
	put_text("f", "secret");
	assert_int_equal(publish_check("f", &opt, &e), ST_OUTPUT);
	e = TLV_ERR_INIT;
	assert_int_equal(publish_check_bytes("f", SPAN_LIT("other"), &opt, &e), ST_OUTPUT);
	e = TLV_ERR_INIT;
	assert_int_equal(publish_check_bytes("f", SPAN_LIT("secret"), &opt, &e), ST_OK);
	opt.overwrite = true;
	assert_int_equal(publish_check("f", &opt, &e), ST_OK);
	assert_int_equal(publish_check("no/f", &opt, &e), ST_OUTPUT);
	assert_int_equal(count_in("."), 1);
}

static void folder_refused(const char *path, const char *says)
{
	struct tlv_err e = TLV_ERR_INIT;
	bool made = true;

	assert_int_equal(publish_folder(path, &made, &e), ST_OUTPUT);
	assert_false(made);
	assert_string_equal(err_text(&e), says);
}

/* What stands in the folder's place is looked at; the reason is that of the look. */
static void test_a_folder_is_made_or_there(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	bool made = false;

	(void)state;
	assert_int_equal(publish_folder("d", &made, &e), ST_OK);
	assert_true(made);
	assert_int_equal(publish_folder("d", &made, &e), ST_OK);
	assert_false(made);
	put_text("f", "");
	assert_int_equal(symlink("d", "to-d"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(symlink("nothing", "to-nothing"), 0);
	assert_int_equal(publish_folder("to-d", &made, &e), ST_OK);
	assert_false(made);
	folder_refused("f", "f: cannot make the folder: Not a directory");
	folder_refused("loop", "loop: cannot make the folder: Too many levels of symbolic links");
	folder_refused("to-nothing",
		       "to-nothing: cannot make the folder: No such file or directory");
	folder_refused("no/d", "no/d: cannot make the folder: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(test_a_new_file_and_an_empty_one),
		IN_A_FOLDER(test_only_its_own_kind_is_replaced),
		IN_A_FOLDER(test_equal_bytes_stay_untouched),
		IN_A_FOLDER(test_copies_are_bounded_and_the_oldest_go),
		IN_A_FOLDER(test_copies_that_are_somebody_s),
		IN_A_FOLDER(test_no_copies),
		IN_A_FOLDER(test_a_list_is_kept_by_every_kind),
		IN_A_FOLDER(test_a_pipe_is_written_to),
		IN_A_FOLDER(test_another_pipe_is_not_written_to),
		IN_A_FOLDER(test_a_secret_keeps_no_mode),
		IN_A_FOLDER(test_links_are_not_followed),
		IN_A_FOLDER(test_what_comes_meanwhile_is_not_replaced),
		IN_A_FOLDER(test_checks_say_the_same_before),
		IN_A_FOLDER(test_a_folder_is_made_or_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
