/* SPDX-License-Identifier: Apache-2.0 */
/* Opening beneath a folder: the kernel's way and the walk answer the same. */
#include "tests/signer/publish/folder.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "signer/publish/beneath.h"

/* A tree, and beside it what must not be reached. */
static void make_tree(void)
{
	assert_int_equal(mkdir("out", 0755), 0);
	assert_int_equal(mkdir("out/sub", 0755), 0);
	assert_int_equal(mkdir("out/sub/deep", 0755), 0);
	assert_int_equal(mkdir("elsewhere", 0755), 0);
	assert_int_equal(mkdir("elsewhere/deep", 0755), 0);
	put_text("out/file", "f");
	put_text("out/sub/file", "f");
	put_text("elsewhere/file", "secret");
	assert_int_equal(symlink("../elsewhere", "out/link"), 0);
	assert_int_equal(symlink("../../elsewhere", "out/sub/link"), 0);
	assert_int_equal(symlink("sub", "out/inside"), 0);
	assert_int_equal(symlink("nowhere", "out/dangling"), 0);
	assert_int_equal(symlink("../elsewhere/file", "out/flink"), 0);
	assert_int_equal(mkfifo("out/pipe", 0644), 0);
}

static const struct {
	const char *path;
	int flags;
	int error; /* 0: it opens */
} cases[] = {
	{ "file", O_RDONLY, 0 },
	{ "sub/file", O_RDONLY, 0 },
	{ "./sub//file", O_RDONLY, 0 },
	{ "sub/deep", O_RDONLY | O_DIRECTORY, 0 },
	{ "sub/deep/", O_RDONLY | O_DIRECTORY, 0 },
	{ ".", O_RDONLY | O_DIRECTORY, 0 },
	{ "sub/new", O_WRONLY | O_CREAT | O_EXCL, 0 },
	{ "pipe", O_RDONLY | O_NONBLOCK, 0 },
	{ "link", O_RDONLY | O_DIRECTORY, ELOOP },
	{ "link/file", O_RDONLY, ELOOP },
	{ "link/deep", O_RDONLY | O_DIRECTORY, ELOOP },
	{ "sub/link/file", O_RDONLY, ELOOP },
	{ "inside/file", O_RDONLY, ELOOP },
	{ "inside", O_RDONLY | O_DIRECTORY, ELOOP },
	{ "dangling", O_RDONLY, ELOOP },
	{ "dangling", O_WRONLY | O_CREAT, ELOOP },
	{ "dangling", O_WRONLY | O_CREAT | O_EXCL, EEXIST },
	{ "dangling/x", O_RDONLY, ELOOP },
	{ "flink", O_RDONLY, ELOOP },
	{ "link/new", O_WRONLY | O_CREAT | O_EXCL, ELOOP },
	{ "../elsewhere/file", O_RDONLY, EXDEV },
	{ "sub/../file", O_RDONLY, EXDEV },
	{ "..", O_RDONLY | O_DIRECTORY, EXDEV },
	{ "/etc/passwd", O_RDONLY, EXDEV },
	{ "missing", O_RDONLY, ENOENT },
	{ "missing/file", O_RDONLY, ENOENT },
	{ "", O_RDONLY, ENOENT },
	{ "file/x", O_RDONLY, ENOTDIR },
	{ "file", O_RDONLY | O_DIRECTORY, ENOTDIR },
};

static void check_cases(void)
{
	int out = open("out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(out >= 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int fd = beneath_open(out, cases[i].path, cases[i].flags, 0644);

		if (cases[i].error == 0 ? fd < 0 : fd >= 0 || errno != cases[i].error)
			fail_msg("'%s': %s", cases[i].path, fd >= 0 ? "opens" : strerror(errno));
		if (fd >= 0)
			(void)close(fd);
	}
	assert_false(is_there("elsewhere/new"));
	assert_false(is_there("out/nowhere"));
	(void)close(out);
}

static void check_folders(void)
{
	int out = open("out", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

	assert_int_equal(beneath_folder(out, "a/b/c", false), -1);
	assert_int_equal(errno, ENOENT);
	fd = beneath_folder(out, "a/b/c", true);
	assert_true(fd >= 0 && is_there("out/a/b/c"));
	(void)close(fd);
	assert_int_equal(beneath_folder(out, "link/made", true), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(beneath_folder(out, "dangling/made", true), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(beneath_folder(out, "../made", true), -1);
	assert_int_equal(errno, EXDEV);
	assert_false(is_there("elsewhere/made") || is_there("made") || is_there("out/nowhere"));
	fd = beneath_folder(out, "", true);
	assert_true(fd >= 0);
	(void)close(fd);
	(void)close(out);
}

static void test_as_the_kernel_does(void **state)
{
	(void)state;
	make_tree();
	check_cases();
	check_folders();
}

/* As on a kernel before 5.6, or in a container that does not know the call. */
static void forbid_openat2(unsigned error)
{
	struct sock_filter v[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { .len = sizeof v / sizeof v[0], .filter = v };

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0), 0);
	assert_int_equal(syscall(SYS_openat2, AT_FDCWD, ".", NULL, 0UL), -1);
	assert_int_equal(errno, (int)error);
}

static void test_as_the_walk_does(void **state)
{
	static const unsigned errors[] = { ENOSYS, EPERM };

	(void)state;
	make_tree();
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		int status;
		pid_t child = fork();

		if (child == 0) {
			forbid_openat2(errors[i]);
			check_cases();
			check_folders();
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		assert_int_equal(unlink("out/sub/new"), 0);
		assert_int_equal(rmdir("out/a/b/c"), 0);
		assert_int_equal(rmdir("out/a/b"), 0);
		assert_int_equal(rmdir("out/a"), 0);
	}
}

static void test_the_link_is_named(void **state)
{
	int out;

	(void)state;
	make_tree();
	out = open("out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(beneath_link(out, "sub/link/file"), strlen("sub/link"));
	assert_int_equal(beneath_link(out, "sub//link//file"), strlen("sub//link"));
	assert_int_equal(beneath_link(out, "link"), strlen("link"));
	assert_int_equal(beneath_link(out, "sub/deep"), 0);
	assert_int_equal(beneath_link(out, "missing/link"), 0);
	(void)close(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(test_as_the_kernel_does),
		IN_A_FOLDER(test_as_the_walk_does),
		IN_A_FOLDER(test_the_link_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
