/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Somebody who has taken the process over tries what one would try, in a
 * child for each attempt, behind each layer alone and behind both.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "signer/io/sandbox.h"
#include "tlv/bytes.h"

/* A folder of its own, which holds the file "there". */
static char folder[] = "/tmp/ctlsign-sandbox-XXXXXX";

/* Whether it was possible; errno says why not. */
static bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd >= 0 && close(fd) == 0;
}

static bool reads_a_file(void)
{
	char byte;
	int fd = open("there", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'x';
}

static bool reads_a_folder(void)
{
	return opens(".", O_RDONLY | O_DIRECTORY);
}

static bool prints(void)
{
	return write(STDOUT_FILENO, "", 0) == 0 && write(STDERR_FILENO, "", 0) == 0;
}

static bool allocates(void)
{
	void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && munmap(p, 1 << 20) == 0;
}

static bool writes_a_file(void)
{
	return opens("there", O_WRONLY);
}

static bool appends_to_a_file(void)
{
	return opens("there", O_RDWR | O_APPEND);
}

static bool empties_a_file(void)
{
	return opens("there", O_RDONLY | O_TRUNC);
}

static bool truncates_a_file(void)
{
	return truncate("there", 0) == 0;
}

static bool makes_a_file(void)
{
	return opens("new", O_WRONLY | O_CREAT);
}

static bool makes_an_unnamed_file(void)
{
	return opens(".", O_WRONLY | O_TMPFILE);
}

static bool makes_a_folder(void)
{
	return mkdir("new", 0700) == 0;
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

static bool runs_a_program(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
	return false;
}

static bool forks(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child > 0;
}

static bool connects(int family, const struct sockaddr *to, socklen_t n)
{
	int s = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* Nobody listens: to be refused by the other side is to have come that far. */
	return s >= 0 && (connect(s, to, n) == 0 || errno == ECONNREFUSED || errno == ENETUNREACH);
}

static bool connects_by_tcp(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connects(AF_INET, (const struct sockaddr *)&to, sizeof to);
}

static bool makes_a_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool signals_its_parent(void)
{
	return kill(getppid(), 0) == 0;
}

static bool is_traced(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
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

/* A pipe's end: what comes in then sends a signal to whoever owns it. */
static int pipe_end(void)
{
	int ends[2] = { -1, -1 };

	return pipe(ends) == 0 ? ends[0] : open("there", O_RDONLY | O_CLOEXEC);
}

static bool owns_signals(void)
{
	return fcntl(pipe_end(), F_SETOWN, getppid()) == 0;
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

static void *nothing(void *arg)
{
	return arg;
}

static bool starts_a_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
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

enum { POSSIBLE = 10, IMPOSSIBLE, NO_LAYER };

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

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink("there");
	(void)unlink("new");
	(void)rmdir("new");
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_possible_without),
		cmocka_unit_test(behind_landlock),
		cmocka_unit_test(behind_seccomp),
		cmocka_unit_test(behind_both),
		cmocka_unit_test(a_writer_has_its_folder_only),
		cmocka_unit_test(a_signer_has_its_processes_only),
		cmocka_unit_test(one_that_connects_has_nothing_else),
		cmocka_unit_test(a_reader_ends_its_process_only),
		cmocka_unit_test(what_holds_is_told),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
