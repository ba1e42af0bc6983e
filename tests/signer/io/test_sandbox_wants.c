/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The same attempts behind both layers, in processes that want more than to read: a writer has its
 * folder, a signer its processes, one that connects its connections.
 */
#include "attempts.h"

static bool moves(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to) == 0;
}

static bool takes_away(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0) == 0;
}

static bool writes_beneath(void)
{
	return opens("beneath/new", O_WRONLY | O_CREAT) && moves("beneath/new", "beneath/name") &&
	       linkat(AT_FDCWD, "beneath/name", AT_FDCWD, "beneath/kept", 0) == 0 &&
	       takes_away("beneath/name") && opens("beneath/kept", O_WRONLY | O_TRUNC) &&
	       takes_away("beneath/kept");
}

static bool moves_a_file_in(void)
{
	return moves("there", "beneath/new");
}

static bool takes_a_file_away(void)
{
	return takes_away("there");
}

static bool makes_a_file_through_a_link(void)
{
	return opens("beneath/out/new", O_WRONLY | O_CREAT);
}

static bool moves_a_file_out(void)
{
	return opens("beneath/new", O_WRONLY | O_CREAT) && moves("beneath/new", "new");
}

static bool takes_the_folder_away(void)
{
	return takes_away("beneath/out") && rmdir("beneath") == 0;
}

/* A writer's, with the folder "beneath" granted. */
static const struct {
	const char *name;
	bool (*possible)(void);
	unsigned grants;
	bool expected;
} beneath[] = {
	{ "writes beneath", writes_beneath, 1, true },
	{ "writes a file", writes_a_file, 1, false },
	{ "empties a file", empties_a_file, 1, false },
	{ "makes a file", makes_a_file, 1, false },
	{ "makes a folder", makes_a_folder, 1, false },
	{ "moves a file in", moves_a_file_in, 1, false },
	{ "takes a file away", takes_a_file_away, 2, false },
	{ "makes a file through a link", makes_a_file_through_a_link, 1, false },
	{ "moves a file out", moves_a_file_out, 1, false },
	{ "runs a program", runs_a_program, 1, false },
	{ "makes a socket", makes_a_socket, 1, false },
	{ "forks", forks, 1, false },
	{ "takes the folder away", takes_the_folder_away, 1, false },
	{ "takes the folder away that it made", takes_the_folder_away, 2, true },
};

/* In a child, where the folder "beneath" stands; its grant and as many as are wanted. */
static int try_with(struct sandbox_wants *wants, bool (*possible)(void), int abi)
{
	int status = 0, there = open("there", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t child;

	assert_true(there >= 0 && write(there, "x", 1) == 1 && close(there) == 0);
	assert_true(mkdir("beneath", 0700) == 0 && symlink("..", "beneath/out") == 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct sandbox_grant grants[2] = {
			{ open("beneath", O_PATH | O_CLOEXEC), SANDBOX_WRITE },
			{ open(".", O_PATH | O_CLOEXEC), SANDBOX_TAKE_AWAY },
		};
		struct sandbox s;

		wants->grants = grants;
		wants->ngrants = wants->ngrants > 0 ? wants->ngrants : 1;
		s = sandbox_enter(SANDBOX_ALL, wants);
		if (s.landlock < abi || !s.seccomp)
			_exit(NO_LAYER);
		_exit(possible() ? POSSIBLE : IMPOSSIBLE);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	(void)unlink("beneath/out");
	(void)unlink("beneath/new");
	(void)unlink("new");
	(void)rmdir("beneath");
	/* A program that was run ends with 0. */
	return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : POSSIBLE;
}

static void a_writer_has_its_folder_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(beneath); i++) {
		struct sandbox_wants wants = { .ngrants = beneath[i].grants };
		int got = try_with(&wants, beneath[i].possible, 3);

		if (got == NO_LAYER)
			skip();
		if (got != (beneath[i].expected ? POSSIBLE : IMPOSSIBLE))
			fail_msg("'%s' is %s", beneath[i].name,
				 beneath[i].expected ? "impossible" : "possible");
	}
}

static bool signals_its_child(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(pause());
	return child > 0 && kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child;
}

static bool talks_to_its_copy(void)
{
	int ends[2];
	char byte = 0;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	child = fork();
	if (child == 0)
		_exit(send(ends[1], "x", 1, MSG_NOSIGNAL) == 1 ? 0 : 1);
	return child > 0 && recv(ends[0], &byte, 1, 0) == 1 && byte == 'x' &&
	       waitpid(child, NULL, 0) == child;
}

static bool makes_another_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0 ||
	       syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL) >= 0;
}

static bool becomes_its_init_s_child(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

static bool types_into_a_terminal(void)
{
	char byte = 'x';
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* What is no terminal says ENOTTY too: so it is asked for what only the filter forbids. */
	return fd >= 0 && (ioctl(fd, TIOCSTI, &byte) == 0 || ioctl(fd, FIONBIO, &(int){ 0 }) == 0);
}

/* A signer's, which has started no process before, or one. */
static const struct {
	const char *name;
	bool (*possible)(void);
	bool child, expected;
	int abi; /* of Landlock, from which on it is refused */
} signer[] = {
	{ "writes beneath", writes_beneath, false, true, 3 },
	{ "talks to its copy", talks_to_its_copy, false, true, 3 },
	{ "signals its child", signals_its_child, false, true, 3 },
	{ "starts a thread", starts_a_thread, true, true, 3 },
	{ "writes a file", writes_a_file, false, false, 3 },
	{ "makes a file", makes_a_file, true, false, 3 },
	{ "takes a file away", takes_a_file_away, false, false, 3 },
	{ "moves a file out", moves_a_file_out, false, false, 3 },
	{ "runs a program", runs_a_program, false, false, 3 },
	{ "makes a socket", makes_a_socket, false, false, 3 },
	{ "connects by TCP", connects_by_tcp, false, false, 3 },
	{ "signals its parent", signals_its_parent, false, false, 6 },
	{ "signals its parent, beside a child", signals_its_parent, true, false, 3 },
	{ "owns a file's signals", owns_signals, false, false, 3 },
	{ "is traced", is_traced, false, false, 3 },
	{ "makes another namespace", makes_another_namespace, false, false, 3 },
	{ "becomes a reaper", becomes_its_init_s_child, false, false, 3 },
	{ "types into a terminal", types_into_a_terminal, false, false, 3 },
};

static void a_signer_has_its_processes_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(signer); i++) {
		struct sandbox_wants wants = { .signs = true };
		pid_t other = fork();
		int got;

		assert_true(other >= 0);
		if (other == 0)
			_exit(pause());
		wants.children[0] = signer[i].child ? other : 0;
		got = try_with(&wants, signer[i].possible, signer[i].abi);

		assert_true(kill(other, SIGKILL) == 0 && waitpid(other, NULL, 0) == other);
		if (got == NO_LAYER)
			skip();
		if (got != (signer[i].expected ? POSSIBLE : IMPOSSIBLE))
			fail_msg("'%s' is %s", signer[i].name,
				 signer[i].expected ? "impossible" : "possible");
	}
}

static bool reads_what_names_need(void)
{
	return opens("/etc/hosts", O_RDONLY) && opens("/usr/lib", O_RDONLY | O_DIRECTORY);
}

static bool reads_other_accounts(void)
{
	return opens("/etc/passwd", O_RDONLY) || opens("/proc/self/environ", O_RDONLY);
}

static bool listens(void)
{
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return s >= 0 && listen(s, 1) == 0;
}

static bool sends_packets_of_its_own(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) >= 0;
}

/* Of those that connect. */
static const struct {
	const char *name;
	bool (*possible)(void);
	bool expected;
	int abi; /* of Landlock, from which on it is refused */
} connecting[] = {
	{ "connects by TCP", connects_by_tcp, true, 1 },
	{ "makes a socket", makes_a_socket, true, 1 },
	{ "starts a thread", starts_a_thread, true, 1 },
	{ "reads what names need", reads_what_names_need, true, 1 },
	{ "reads other accounts", reads_other_accounts, false, 1 },
	{ "reads a file", reads_a_file, false, 1 },
	{ "reads a folder", reads_a_folder, false, 1 },
	{ "writes a file", writes_a_file, false, 1 },
	{ "makes a file", makes_a_file, false, 1 },
	{ "writes beneath, though it was granted", writes_beneath, false, 1 },
	{ "takes a file away", takes_a_file_away, false, 1 },
	{ "runs a program", runs_a_program, false, 1 },
	{ "forks", forks, false, 1 },
	{ "signals its parent", signals_its_parent, false, 1 },
	{ "owns a file's signals", owns_signals, false, 1 },
	{ "is traced", is_traced, false, 1 },
	{ "listens", listens, false, 1 },
	{ "sends packets of its own", sends_packets_of_its_own, false, 1 },
	{ "makes another namespace", makes_another_namespace, false, 1 },
};

static void one_that_connects_has_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(connecting); i++) {
		struct sandbox_wants wants = { .connects = true };
		int got = try_with(&wants, connecting[i].possible, connecting[i].abi);

		if (got == NO_LAYER)
			skip();
		if (got != (connecting[i].expected ? POSSIBLE : IMPOSSIBLE))
			fail_msg("'%s' is %s", connecting[i].name,
				 connecting[i].expected ? "impossible" : "possible");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_writer_has_its_folder_only),
		cmocka_unit_test(a_signer_has_its_processes_only),
		cmocka_unit_test(one_that_connects_has_nothing_else),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
