/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary names, and a sweep that touches what is ours by owner, type and mark only. */
#include "tests/signer/publish/folder.h"

#include <signal.h>
#include <sys/file.h>

#include "signer/publish/place.h"

#define LEFT ".x.ctlsign-0123abcd"

static void sweep(const char *name)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	place_sweep(fd, name);
	(void)close(fd);
}

static void make_folder(const char *path, mode_t mode)
{
	char inside[PATH_MAX];

	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(inside, sizeof inside, "%s/sub", path);
	assert_int_equal(mkdir(inside, 0755), 0);
	(void)snprintf(inside, sizeof inside, "%s/sub/file", path);
	put_text(inside, "mine");
	(void)snprintf(inside, sizeof inside, "%s/file", path);
	put_text(inside, "mine");
	assert_int_equal(chmod(path, mode), 0);
}

static void test_leftovers_go(void **state)
{
	(void)state;
	put_text(LEFT, "half");
	put_text(".y.ctlsign-0123abcd", "half");
	make_folder(".z.ctlsign-0123abcd", PLACE_FOLDER_MODE);
	make_folder(".s.ctlsign-0123abcd", PLACE_FOLDER_MODE | S_ISGID);
	assert_int_equal(mkdir(".e.ctlsign-0123abcd", 0755), 0);
	sweep("x");
	assert_false(is_there(LEFT));
	assert_int_equal(count_in("."), 4);
	sweep(NULL);
	assert_int_equal(count_in("."), 0);
}

/* Whoever may rename here gives a temporary name to a folder that is in use. */
static void test_a_folder_that_was_renamed_stays(void **state)
{
	static const mode_t modes[] = { 0755, 0700, 0777, 01777, 01755 };

	(void)state;
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		make_folder("data", modes[i]);
		assert_int_equal(rename("data", LEFT), 0);
		sweep(NULL);
		assert_string_equal(text_of(LEFT "/file"), "mine");
		assert_string_equal(text_of(LEFT "/sub/file"), "mine");
		assert_int_equal(rename(LEFT, i == 0 ? "a" :
					      i == 1 ? "b" :
					      i == 2 ? "c" :
					      i == 3 ? "d" :
						       "e"),
				 0);
	}
}

static void test_what_is_held_stays(void **state)
{
	char temp[NAME_MAX + 1], folder[NAME_MAX + 1];
	struct tlv_err e = TLV_ERR_INIT;
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, folder_fd;

	(void)state;
	assert_int_equal(place_temp(dir, "x", 0644, temp, &fd, &e), ST_OK);
	assert_int_equal(place_temp(dir, "x", S_IFDIR, folder, &folder_fd, &e), ST_OK);
	sweep(NULL);
	assert_true(is_there(temp) && is_there(folder));
	(void)close(fd);
	(void)close(folder_fd);
	sweep(NULL);
	assert_int_equal(count_in("."), 0);
	(void)close(dir);
}

static void test_other_types_and_names_stay(void **state)
{
	static const char *const names[] = { ".x.ctlsign-0123ABCD", ".x.ctlsign-0123abc",
					     "x.ctlsign-0123abcd", ".ctlsign-0123abcd",
					     ".x.ctlsign-0123abcd~" };
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		put_text(names[i], "mine");
	assert_int_equal(mkfifo(".p.ctlsign-0123abcd", 0644), 0);
	put_text("target", "mine");
	assert_int_equal(symlink("target", ".l.ctlsign-0123abcd"), 0);
	sweep(NULL);
	assert_int_equal(count_in("."), sizeof names / sizeof names[0] + 3);
	(void)close(dir);
}

static void test_what_belongs_to_somebody_else_stays(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	put_text(LEFT, "theirs");
	assert_int_equal(chown(LEFT, 65534, 65534), 0);
	make_folder(".z.ctlsign-0123abcd", PLACE_FOLDER_MODE);
	assert_int_equal(chown(".z.ctlsign-0123abcd", 65534, 65534), 0);
	assert_int_equal(mkdir(".e.ctlsign-0123abcd", 0755), 0);
	assert_int_equal(chown(".e.ctlsign-0123abcd", 65534, 65534), 0);
	sweep(NULL);
	assert_string_equal(text_of(LEFT), "theirs");
	assert_string_equal(text_of(".z.ctlsign-0123abcd/sub/file"), "mine");
	assert_true(is_there(".e.ctlsign-0123abcd"));
}

/* Two hundred files of one name at once, as in a batch that names one file so often. */
static void test_there_is_always_a_name(void **state)
{
	enum { MANY = 200 };
	struct tlv_err e = TLV_ERR_INIT;
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fds[MANY];
	char temp[NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(place_temp(dir, "x", 0644, temp, &fds[i], &e), ST_OK);
	assert_int_equal(count_in("."), MANY);
	for (size_t i = 0; i < MANY; i++)
		(void)close(fds[i]);
	(void)close(dir);
}

/* A blocked SIGSEGV would kill without a trace; a blocked SIGSYS, whoever filters system calls. */
static void what_a_run_does_itself_is_not_held_back(void **state)
{
	sigset_t before, now, after;

	(void)state;
	place_signals_wait(&before);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
	place_signals_go(&before);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
	for (int s = 1; s < NSIG; s++)
		assert_int_equal(sigismember(&after, s), sigismember(&before, s));
	assert_true(sigismember(&now, SIGTERM) && sigismember(&now, SIGINT) &&
		    sigismember(&now, SIGHUP) && sigismember(&now, SIGALRM));
	assert_false(sigismember(&now, SIGSYS) || sigismember(&now, SIGSEGV) ||
		     sigismember(&now, SIGBUS) || sigismember(&now, SIGABRT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_run_does_itself_is_not_held_back),
		IN_A_FOLDER(test_leftovers_go),
		IN_A_FOLDER(test_a_folder_that_was_renamed_stays),
		IN_A_FOLDER(test_what_is_held_stays),
		IN_A_FOLDER(test_other_types_and_names_stay),
		IN_A_FOLDER(test_what_belongs_to_somebody_else_stays),
		IN_A_FOLDER(test_there_is_always_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
