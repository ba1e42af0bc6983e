/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is called for a folder, and that a folder read in part is never taken for a whole one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "signer/io/folder.h"
#include "tlv/bytes.h"

static char folder[] = "/tmp/ctlsign-folder-XXXXXX";

static enum status note(void *arg, const char *path, bool named, struct tlv_err *e)
{
	(void)e;
	buf_printf(arg, "%s%s\n", named ? "!" : "", path);
	return ST_OK;
}

static void put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static int make_folder(void **state)
{
	static const char *const folders[] = { "b", "b/d", ".git", "c.d" };
	static const char *const files[] = { "c",      "a",	  "b/2",   "b/d/1",
					     ".git/f", ".hidden", "a.~1~", "z~" };

	(void)state;
	if (mkdtemp(folder) == NULL || chdir(folder) != 0)
		return -1;
	for (size_t i = 0; i < COUNT(folders); i++)
		assert_int_equal(mkdir(folders[i], 0700), 0);
	for (size_t i = 0; i < COUNT(files); i++)
		put(files[i]);
	assert_int_equal(symlink("b", "to-a-folder"), 0);
	assert_int_equal(symlink("b/2", "to-a-file"), 0);
	assert_int_equal(symlink("nothing", "to-nothing"), 0);
	return mkfifo("pipe", 0600);
}

static int remove_folder(void **state)
{
	char command[sizeof folder + 16];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -r %s", folder);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1; /* NOLINT(cert-env33-c) */
}

static void assert_walked(enum status (*walk)(const char *, folder_fn *, void *, struct tlv_err *),
			  const char *path, const char *expected)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct buf seen = BUF_INIT;

	assert_int_equal(walk(path, note, &seen, &e), ST_OK);
	assert_string_equal(buf_cstr(&seen), expected);
	buf_free(&seen);
}

static void by_name_and_below(void **state)
{
	(void)state;
	assert_walked(folder_each, ".", "./a\n./b/2\n./b/d/1\n./c\n./to-a-file\n./z~\n");
	assert_walked(folder_files, ".", "./a\n./c\n./to-a-file\n./z~\n");
	assert_walked(folder_each, "b/", "b/2\nb/d/1\n");
	assert_walked(folder_each, "to-a-folder", "to-a-folder/2\nto-a-folder/d/1\n");
	assert_walked(folder_each, ".git", ".git/f\n");
	assert_walked(folder_each, "a", "!a\n");
}

static void what_is_no_folder(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(folder_files("a", note, NULL, &e), ST_INPUT);
	assert_string_equal(err_text(&e), "a: Not a directory");
	e = TLV_ERR_INIT;
	assert_int_equal(folder_files("nothing", note, NULL, &e), ST_INPUT);
	assert_string_equal(err_text(&e), "nothing: No such file or directory");
}

static enum status stop(void *arg, const char *path, bool named, struct tlv_err *e)
{
	(void)named;
	*(int *)arg += 1;
	return err_set(e, ST_NO, "%s", path);
}

static void the_first_failure_ends_it(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	int calls = 0;

	(void)state;
	assert_int_equal(folder_each(".", stop, &calls, &e), ST_NO);
	assert_int_equal(calls, 1);
	assert_string_equal(err_text(&e), "./a");
}

/* As a disk or a server that fails has it. */
static bool forbid_reading_folders(void)
{
	struct sock_filter v[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getdents64, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { .len = COUNT(v), .filter = v };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0) == 0;
}

enum { NO_FILTER = 77 };

static int walk_what_cannot_be_read(void)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct buf seen = BUF_INIT;

	if (!forbid_reading_folders())
		return NO_FILTER;
	if (folder_each("b", note, &seen, &e) != ST_INPUT ||
	    strcmp(err_text(&e), "b: Input/output error") != 0)
		return 1;
	e = TLV_ERR_INIT;
	return folder_files("b", note, &seen, &e) == ST_INPUT && seen.n == 0 ? 0 : 2;
}

static void a_folder_that_cannot_be_read_is_not_empty(void **state)
{
	pid_t pid = fork();
	int status = 0;

	(void)state;
	if (pid == 0)
		_exit(walk_what_cannot_be_read());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_FILTER)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name_and_below),
		cmocka_unit_test(what_is_no_folder),
		cmocka_unit_test(the_first_failure_ends_it),
		cmocka_unit_test(a_folder_that_cannot_be_read_is_not_empty),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
