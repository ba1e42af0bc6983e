/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pkcs11/shared/secret.h"

enum { REAP_MS = 1000, DRAINED_MAX = 64 << 20 };

struct process {
	pid_t pid; /* 0: gone */
	int line;
	int watch; /* a descriptor that is readable when the process has ended; -1: none */
	int status;
	bool told; /* waitpid could tell */
	_Atomic int unsent;
	uint8_t *inbox;
	size_t used; /* of the inbox, at most */
};

int64_t process_now(void)
{
	struct timespec ts = { .tv_sec = 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static enum status failed(struct tlv_err *e, const char *what, int error)
{
	return err_set(e, ST_TOKEN, "%s: %s", what, strerror(error));
}

/* The line's other end goes to the child. */
static enum status new_process(struct process **out, int *theirs, struct tlv_err *e)
{
	struct process *p = calloc(1, sizeof *p);
	int ends[2];

	*out = NULL;
	if (p == NULL)
		return err_nomem(e);
	p->inbox = malloc(TOK_MSG_MAX);
	if (p->inbox == NULL) {
		free(p);
		return err_nomem(e);
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		free(p->inbox);
		free(p);
		return failed(e, "no socket for another process", errno);
	}
	p->line = ends[0];
	p->watch = -1;
	*theirs = ends[1];
	*out = p;
	return ST_OK;
}

static enum status started(struct process **p, pid_t pid, int error, struct tlv_err *e)
{
	if (error != 0) {
		process_free(p);
		return failed(e, "another process cannot be started", error);
	}
	(*p)->pid = pid;
	(*p)->watch = pidfd_open(pid, 0);
	return ST_OK;
}

/* Also stderr, if it is closed: the next file that is opened would be taken for it. */
static int set_files(posix_spawn_file_actions_t *files, int line)
{
	int r = posix_spawn_file_actions_adddup2(files, line, TOK_LINE);

	if (r == 0)
		r = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDWR, 0);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(files, 1, "/dev/null", O_RDWR, 0);
	if (r == 0 && fcntl(2, F_GETFD) < 0)
		r = posix_spawn_file_actions_addopen(files, 2, "/dev/null", O_RDWR, 0);
	return r != 0 ? r : posix_spawn_file_actions_addclosefrom_np(files, TOK_LINE + 1);
}

static int set_signals(posix_spawnattr_t *attr)
{
	sigset_t all, none;
	int r;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	r = posix_spawnattr_setsigdefault(attr, &all);
	if (r == 0)
		r = posix_spawnattr_setsigmask(attr, &none);
	if (r == 0)
		r = posix_spawnattr_setpgroup(attr, 0);
	return r != 0 ? r :
			posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF |
							       POSIX_SPAWN_SETSIGMASK |
							       POSIX_SPAWN_SETPGROUP);
}

static int spawn(pid_t *pid, const char *path, char *const *env, int line)
{
	char *argv[2] = { (char *)(uintptr_t)path, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int r = posix_spawn_file_actions_init(&files);

	if (r != 0)
		return r;
	r = posix_spawnattr_init(&attr);
	if (r == 0) {
		r = set_files(&files, line);
		if (r == 0)
			r = set_signals(&attr);
		if (r == 0)
			r = posix_spawn(pid, path, &files, &attr, argv, env);
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&files);
	return r;
}

enum status process_spawn(struct process **out, const char *path, char *const *env,
			  struct tlv_err *e)
{
	pid_t pid = 0;
	int theirs = -1, error;
	enum status st = new_process(out, &theirs, e);

	if (*out == NULL)
		return st;
	error = spawn(&pid, path, env, theirs);
	(void)close(theirs);
	st = started(out, pid, error, e);
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}

/* Handlers of the program must not run here: they clean up the parent's files. */
static void default_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigemptyset(&sa.sa_mask);
	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &sa, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Also stderr, if it is closed: the next file that is opened would be taken for it. */
static void silence(void)
{
	int null;

	do
		null = open("/dev/null", O_RDWR);
	while (null >= 0 && null <= 2);
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)close(null);
	}
}

static int own_descriptors(int line)
{
	int above = fcntl(line, F_DUPFD_CLOEXEC, TOK_LINE + 1);

	silence();
	line = dup3(above, TOK_LINE, O_CLOEXEC);
	(void)close_range(TOK_LINE + 1, ~0U, 0);
	return line;
}

static _Noreturn void run_child(int line, pid_t parent, void (*run)(int line, const void *arg),
				const void *arg)
{
	default_signals();
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1); /* it died before it could be watched */
	line = own_descriptors(line);
	tok_pin_harden_process();
	run(line, arg);
	_exit(0);
}

enum status process_fork(struct process **out, void (*run)(int line, const void *arg),
			 const void *arg, struct tlv_err *e)
{
	pid_t parent = getpid(), pid;
	int theirs = -1, error;
	enum status st = new_process(out, &theirs, e);

	if (*out == NULL)
		return st;
	pid = fork();
	error = errno;
	if (pid == 0) {
		process_free(out); /* the parent's side */
		run_child(theirs, parent, run, arg);
	}
	(void)close(theirs);
	if (pid > 0)
		(void)setpgid(pid, pid); /* both do: who comes first is not known */
	return started(out, pid, pid > 0 ? 0 : error, e);
}

/* Nobody may wait for the answer to a request that never left: reading ends too. Returns false. */
static bool give_up_sending(struct process *p, int error)
{
	if (error != EPIPE && error != ECONNRESET) { /* those: it has died, and how is told */
		p->unsent = error;
		(void)shutdown(p->line, SHUT_RDWR);
	}
	return false;
}

bool process_put(struct process *p, uint8_t type, uint8_t flag, struct span payload, int fd)
{
	uint8_t head[TOK_HEAD] = { type, flag };
	struct iovec iov[2] = {
		{ .iov_base = head, .iov_len = sizeof head },
		{ .iov_base = (void *)(uintptr_t)payload.p, .iov_len = payload.n },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = payload.n == 0 ? 1 : 2 };
	char room[CMSG_SPACE(sizeof fd)] __attribute__((aligned(_Alignof(struct cmsghdr))));
	ssize_t n;

	if (p->pid == 0)
		return false;
	if (fd >= 0)
		tok_line_attach(&msg, room, sizeof room, fd);
	do {
		n = sendmsg(p->line, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n >= 0 || give_up_sending(p, errno);
}

int process_unsent(const struct process *p)
{
	return p->unsent;
}

int process_line(const struct process *p)
{
	return p->line;
}

static int wait_ms(int64_t deadline)
{
	int64_t left = deadline - process_now();

	return left <= 0 ? 0 : left > 3600 * 1000 ? 3600 * 1000 : (int)left;
}

/*
 * Until there is something to read, or the process has ended: a child of its
 * own may hold the line open. PROCESS_MESSAGE: look.
 */
static enum process_got wait_for(const struct process *p, int64_t deadline)
{
	struct pollfd fds[2] = { { .fd = p->line, .events = POLLIN },
				 { .fd = p->watch, .events = POLLIN } };
	int ms, r;

	do {
		ms = wait_ms(deadline);
		if (ms == 0)
			return PROCESS_LATE;
		r = poll(fds, 2, ms);
	} while (r == 0 || (r < 0 && errno == EINTR));
	return r > 0 ? PROCESS_MESSAGE : PROCESS_FAILED;
}

enum process_got process_next(struct process *p, struct span *msg, int64_t deadline)
{
	enum process_got got;
	ssize_t n;

	if (p->pid == 0)
		return PROCESS_GONE;
	got = wait_for(p, deadline);
	if (got != PROCESS_MESSAGE)
		return got;
	do {
		n = recv(p->line, p->inbox, TOK_MSG_MAX, MSG_TRUNC | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return PROCESS_GONE;
	if (p->used < (size_t)n)
		p->used = n > TOK_MSG_MAX ? TOK_MSG_MAX : (size_t)n;
	if (n > TOK_MSG_MAX)
		return PROCESS_LONG;
	*msg = span_of(p->inbox, (size_t)n);
	return PROCESS_MESSAGE;
}

void process_finish(struct process *p)
{
	if (p->pid > 0)
		(void)shutdown(p->line, SHUT_WR);
}

/*
 * Until it has ended, if it can be watched. Else a pause that grows from 20 microseconds: mostly
 * the first is enough, or too long already.
 */
static void await_end(const struct process *p, int64_t end, int round)
{
	struct pollfd watch = { .fd = p->watch, .events = POLLIN };
	struct timespec ts = { .tv_nsec = 20000L << (round < 9 ? round : 9) };

	if (p->watch < 0 || poll(&watch, 1, wait_ms(end)) < 0)
		(void)nanosleep(&ts, NULL);
}

/* 0: it has not ended within the time. What SIGKILL does not end at once is left to the kernel. */
static pid_t reap_within(struct process *p, int64_t ms)
{
	int64_t end = process_now() + ms;
	pid_t r = 0;

	for (int i = 0; r == 0; i++) {
		r = waitpid(p->pid, &p->status, WNOHANG);
		if (r == 0 && process_now() >= end)
			return 0;
		if (r == 0)
			await_end(p, end, i);
	}
	p->told = r > 0;
	return r;
}

void process_kill(struct process *p)
{
	if (p->pid == 0)
		return;
	(void)kill(-p->pid, SIGKILL);
	(void)kill(p->pid, SIGKILL);
	(void)reap_within(p, REAP_MS);
	p->pid = 0;
}

pid_t process_id(const struct process *p)
{
	return p->pid;
}

bool process_is_gone(const struct process *p)
{
	return p->pid == 0;
}

bool process_ended(struct process *p, int *status)
{
	if (p->pid != 0 && reap_within(p, REAP_MS) == 0)
		process_kill(p);
	p->pid = 0;
	*status = p->status;
	return p->told;
}

enum process_got process_drain(struct process *p, int64_t deadline)
{
	enum process_got got;
	size_t drained = 0;
	struct span msg;

	process_finish(p);
	do {
		msg = SPAN_NONE;
		got = process_next(p, &msg, deadline);
		drained += msg.n;
	} while ((got == PROCESS_MESSAGE || got == PROCESS_LONG) && drained < DRAINED_MAX);
	return got == PROCESS_GONE ? PROCESS_GONE : PROCESS_LATE;
}

void process_free(struct process **process)
{
	struct process *p = *process;

	if (p == NULL)
		return;
	process_kill(p);
	(void)close(p->line);
	if (p->watch >= 0)
		(void)close(p->watch);
	explicit_bzero(p->inbox, p->used); /* a key may have come this way */
	free(p->inbox);
	free(p);
	*process = NULL;
}
