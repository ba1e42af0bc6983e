/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Somebody who has taken a reader's process over tries what one would try. Each attempt is made in
 * a child, behind each layer alone and behind both.
 */
#include <time.h>

#include "attempts.h"

static bool prints(void)
{
	return write(STDOUT_FILENO, "", 0) == 0 && write(STDERR_FILENO, "", 0) == 0;
}

static bool allocates(void)
{
	void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && munmap(p, 1 << 20) == 0;
}

static bool appends_to_a_file(void)
{
	return opens("there", O_RDWR | O_APPEND);
}

static bool truncates_a_file(void)
{
	return truncate("there", 0) == 0;
}

static bool makes_an_unnamed_file(void)
{
	return opens(".", O_WRONLY | O_TMPFILE);
}

/* What one call may say is no other call's. */
static bool makes_a_folder_with_an_ioctl_s_number(void)
{
	return mkdir("new", TIOCGWINSZ) == 0;
}

static bool makes_a_link(void)
{
	return link("there", "new") == 0;
}

static bool makes_a_symlink(void)
{
	return symlink("there", "new") == 0;
}

static bool renames(void)
{
	return rename("there", "new") == 0;
}

static bool removes(void)
{
	return unlink("there") == 0;
}

static bool opens_all_the_same(void)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = { .flags = O_WRONLY };

	return syscall(437 /* openat2 */, AT_FDCWD, "there", &how, sizeof how) >= 0;
}

/* The same rule keeps TIOCSTI from typing into the terminal; a file answers everywhere. */
static bool asks_by_ioctl(void)
{
	int fd = open("there", O_RDONLY | O_CLOEXEC), n = 0;

	return fd >= 0 && ioctl(fd, FIONREAD, &n) == 0 && n == 1;
}

static bool changes_a_mode(void)
{
	return chmod("there", 0666) == 0;
}

static bool copies_a_descriptor(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

	return fd >= 0 && fcntl(fd, F_GETFL) >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC &&
	       fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && close(fd) == 0;
}

/* Of the kernel itself: the page that it shares with the C library is not there everywhere. */
static bool asks_for_the_time(void)
{
	struct timespec now;
	bool answers = syscall(SYS_clock_gettime, CLOCK_REALTIME, &now) == 0;

#ifdef SYS_time
	answers = answers && syscall(SYS_time, NULL) > 0;
#endif
	return answers;
}

static bool chooses_a_signal(void)
{
	return fcntl(pipe_end(), F_SETSIG, SIGUSR1) == 0;
}

static bool switches_signals_on(void)
{
	return fcntl(pipe_end(), F_SETFL, O_ASYNC) == 0;
}

static bool takes_a_lease(void)
{
	return fcntl(open("there", O_RDONLY | O_CLOEXEC), F_SETLEASE, F_RDLCK) == 0;
}

static bool starts_a_process_by_clone(void)
{
	long child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

	if (child == 0)
		_exit(0);
	return child > 0;
}

static bool signals_itself(void)
{
	(void)signal(SIGUSR1, SIG_IGN);
	return raise(SIGUSR1) == 0;
}

static bool signals_a_thread_of_its_parent(void)
{
	return tgkill(getppid(), getppid(), 0) == 0;
}

enum { BOTH = SANDBOX_ALL, ONE = SANDBOX_SECCOMP, NEVER = 0 };

/* forbidden_by: the layers that each forbid it alone. abi: of Landlock, from which on it does. */
static const struct attempt {
	const char *name;
	bool (*possible)(void);
	unsigned forbidden_by;
	int abi;
} attempts[] = {
	{ "reads a file", reads_a_file, NEVER, 0 },
	{ "reads a folder", reads_a_folder, NEVER, 0 },
	{ "prints", prints, NEVER, 0 },
	{ "allocates", allocates, NEVER, 0 },
	{ "asks for the time", asks_for_the_time, NEVER, 0 },
	{ "writes a file", writes_a_file, BOTH, 1 },
	{ "appends to a file", appends_to_a_file, BOTH, 1 },
	{ "empties a file", empties_a_file, BOTH, 3 },
	{ "truncates a file", truncates_a_file, BOTH, 3 },
	{ "makes a file", makes_a_file, BOTH, 1 },
	{ "makes an unnamed file", makes_an_unnamed_file, BOTH, 1 },
	{ "makes a folder", makes_a_folder, BOTH, 1 },
	{ "makes a folder with an ioctl's number", makes_a_folder_with_an_ioctl_s_number, BOTH, 1 },
	{ "makes a link", makes_a_link, BOTH, 1 },
	{ "makes a symlink", makes_a_symlink, BOTH, 1 },
	{ "renames", renames, BOTH, 1 },
	{ "removes", removes, BOTH, 1 },
	{ "opens by openat2", opens_all_the_same, BOTH, 1 },
	{ "runs a program", runs_a_program, BOTH, 1 },
	{ "connects by TCP", connects_by_tcp, BOTH, 4 },
	{ "makes a socket", makes_a_socket, ONE, 0 },
	{ "forks", forks, ONE, 0 },
	{ "signals its parent", signals_its_parent, BOTH, 6 },
	{ "is traced", is_traced, ONE, 0 },
	{ "asks by ioctl", asks_by_ioctl, ONE, 0 },
	{ "copies a descriptor", copies_a_descriptor, NEVER, 0 },
	{ "owns a file's signals", owns_signals, ONE, 0 },
	{ "chooses a file's signal", chooses_a_signal, ONE, 0 },
	{ "switches a file's signals on", switches_signals_on, ONE, 0 },
	{ "starts a thread", starts_a_thread, NEVER, 0 },
	{ "starts a process by clone", starts_a_process_by_clone, ONE, 0 },
	{ "signals itself", signals_itself, NEVER, 0 },
	{ "signals a thread of its parent", signals_a_thread_of_its_parent, BOTH, 6 },
	{ "takes a lease", takes_a_lease, ONE, 0 },
	{ "changes a mode", changes_a_mode, ONE, 0 },
};

/* In a child that has entered the layers, in a folder as it was. */
static int try_behind(const struct attempt *a, unsigned layers)
{
	int status = 0, there = open("there", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t child;

	assert_true(there >= 0 && write(there, "x", 1) == 1 && close(there) == 0);
	(void)unlink("new");
	(void)rmdir("new");
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct sandbox s = sandbox_enter(layers, NULL);

		if (((layers & SANDBOX_LANDLOCK) != 0 && s.landlock == 0) ||
		    ((layers & SANDBOX_SECCOMP) != 0 && !s.seccomp) ||
		    (layers == SANDBOX_LANDLOCK && s.landlock < a->abi))
			_exit(NO_LAYER);
		_exit(a->possible() ? POSSIBLE : IMPOSSIBLE);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	/* A program that was run ends with 0. */
	return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : POSSIBLE;
}

static void try_all(unsigned layers)
{
	int missing = 0;

	for (size_t i = 0; i < COUNT(attempts); i++) {
		const struct attempt *a = &attempts[i];
		int expected = (a->forbidden_by & layers) != 0 ? IMPOSSIBLE : POSSIBLE;
		int got = try_behind(a, layers);

		if (got == NO_LAYER)
			missing++;
		else if (got != expected)
			fail_msg("'%s' is %s behind layers %u", a->name,
				 got == POSSIBLE ? "possible" : "impossible", layers);
	}
	if (missing > 0)
		print_message(
			"%d attempts not made: this kernel, container or build lacks a layer\n",
			missing);
	if (missing == COUNT(attempts))
		skip();
}

/* Else the rest would show nothing. */
static void all_is_possible_without(void **state)
{
	(void)state;
	try_all(0);
}

static void behind_landlock(void **state)
{
	(void)state;
	try_all(SANDBOX_LANDLOCK);
}

static void behind_seccomp(void **state)
{
	(void)state;
	try_all(SANDBOX_SECCOMP);
}

static void behind_both(void **state)
{
	(void)state;
	try_all(SANDBOX_ALL);
}

static void a_reader_ends_its_process_only(void **state)
{
	(void)state;
	for (int of_others = 0; of_others <= 1; of_others++) {
		struct sandbox_wants wants = { .ngrants = 0 };
		int status = 0, got = 0;
		pid_t own = fork(), child;

		assert_true(own >= 0);
		if (own == 0)
			_exit(pause());
		wants.children[0] = own;
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			if (!sandbox_enter(SANDBOX_ALL, &wants).seccomp)
				_exit(NO_LAYER);
			_exit(kill(of_others ? getppid() : own, 0) == 0 ? POSSIBLE : IMPOSSIBLE);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(kill(own, SIGKILL) == 0 && waitpid(own, NULL, 0) == own);
		got = WEXITSTATUS(status);
		if (got == NO_LAYER)
			skip();
		assert_int_equal(got, of_others ? IMPOSSIBLE : POSSIBLE);
	}
}

static void what_holds_is_told(void **state)
{
	static const struct {
		struct sandbox s;
		const char *text;
	} rows[] = {
		{ { 7, true }, "landlock ABI 7, seccomp" },
		{ { 1, false }, "landlock ABI 1" },
		{ { 0, true }, "seccomp" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		sandbox_text(&rows[i].s, text);
		assert_string_equal(text, rows[i].text);
	}
	sandbox_text(&(struct sandbox){ .landlock = 0 }, text);
	assert_memory_equal(text, "none: ", 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_possible_without),
		cmocka_unit_test(behind_landlock),
		cmocka_unit_test(behind_seccomp),
		cmocka_unit_test(behind_both),
		cmocka_unit_test(a_reader_ends_its_process_only),
		cmocka_unit_test(what_holds_is_told),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
