/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pkcs11/pin.h"

struct tok_child {
	pid_t pid; /* 0: gone */
	int line;
	int ended; /* as waitpid tells it */
	bool told; /* waitpid could tell */
	unsigned timeout;
	struct tok_pulse *pulse;
	int died_at;
	uint8_t *inbox;
};

/* Handlers of the program must not run here: they clean up the parent's files. */
static void default_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigemptyset(&sa.sa_mask);
	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &sa, NULL);
	sa.sa_handler = SIG_IGN; /* a remote token's dead server is an error, not a signal */
	(void)sigaction(SIGPIPE, &sa, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Modules print to stdout, where results go, and may read stdin: neither is
 * theirs. stderr stays, for what they have to say. All else is closed: PIN
 * descriptors, files that are being written. Returns the line's new number.
 */
static int own_descriptors(int line)
{
	int above = fcntl(line, F_DUPFD_CLOEXEC, 4); /* out of the way, where 0 to 2 were closed */
	int null = open("/dev/null", O_RDWR);

	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
	}
	line = dup3(above, 3, O_CLOEXEC);
	(void)close_range(4, ~0U, 0);
	return line;
}

static _Noreturn void run_child(int line, pid_t parent, struct tok_pulse *pulse,
				tok_child_main *run, const void *arg)
{
	default_signals();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1); /* it died before it could be watched */
	line = own_descriptors(line);
	tok_pin_harden_process();
	run(line, pulse, arg);
	_exit(0);
}

static enum status spawn(struct tok_child *c, tok_child_main *run, const void *arg,
			 struct tlv_err *e)
{
	pid_t parent = getpid();
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return err_set(e, ST_TOKEN, "no socket for the token's process: %s",
			       strerror(errno));
	c->pid = fork();
	if (c->pid == 0) {
		struct tok_pulse *pulse = c->pulse;

		(void)close(ends[0]);
		free(c->inbox); /* the parent's side is not needed here, and would count as lost */
		free(c);
		run_child(ends[1], parent, pulse, run, arg);
	}
	(void)close(ends[1]);
	c->line = ends[0];
	if (c->pid > 0)
		return ST_OK;
	c->pid = 0;
	return err_set(e, ST_TOKEN, "no process for the token: %s", strerror(errno));
}

static void child_free(struct tok_child **c)
{
	if ((*c)->line >= 0)
		(void)close((*c)->line);
	tok_pulse_free(&(*c)->pulse);
	free((*c)->inbox);
	free(*c);
	*c = NULL;
}

enum status tok_child_start(struct tok_child **out, tok_child_main *run, const void *arg,
			    unsigned timeout, struct tlv_err *e)
{
	struct tok_child *c = calloc(1, sizeof *c);
	enum status st;

	*out = NULL;
	if (c == NULL)
		return err_nomem(e);
	c->line = -1;
	c->died_at = -1;
	c->timeout = timeout;
	c->pulse = tok_pulse_new();
	c->inbox = malloc(TOK_MSG_MAX);
	st = c->pulse == NULL || c->inbox == NULL ? err_nomem(e) : spawn(c, run, arg, e);
	if (st == ST_OK)
		*out = c;
	else
		child_free(&c);
	return st;
}

/* A pause that grows from 20 microseconds: mostly the first is enough, or too long already. */
static void pause_briefly(int round)
{
	struct timespec ts = { .tv_nsec = 20000L << (round < 9 ? round : 9) };

	(void)nanosleep(&ts, NULL);
}

/*
 * Reaps. It was killed, or has closed its line, which is the last but one
 * thing that a process does; one that lives on is killed after a second.
 */
static void reap(struct tok_child *c)
{
	int64_t end = tok_pulse_now() + 1000;
	pid_t r = 0;

	if (c->pid == 0)
		return;
	for (int i = 0; r == 0 && tok_pulse_now() < end; i++) {
		r = waitpid(c->pid, &c->ended, WNOHANG);
		if (r == 0)
			pause_briefly(i);
	}
	if (r == 0) {
		(void)kill(c->pid, SIGKILL);
		do {
			r = waitpid(c->pid, &c->ended, 0);
		} while (r < 0 && errno == EINTR);
	}
	c->told = r > 0;
	c->pid = 0;
}

static enum status died(struct tok_child *c, struct tlv_err *e)
{
	const char *call = tok_call_name(tok_pulse_call(c->pulse));

	c->died_at = tok_pulse_at_module(c->pulse);
	reap(c);
	if (c->told && WIFSIGNALED(c->ended))
		return err_set(e, ST_TOKEN, "the token's module crashed in %s (signal %d, %s)",
			       call, WTERMSIG(c->ended), strsignal(WTERMSIG(c->ended)));
	if (c->told && WIFEXITED(c->ended))
		return err_set(e, ST_TOKEN,
			       "the token's module ended its process in %s, with exit(%d)", call,
			       WEXITSTATUS(c->ended));
	return err_set(e, ST_TOKEN, "the token's process is gone, in %s", call);
}

static enum status timed_out(struct tok_child *c, unsigned seconds, struct tlv_err *e)
{
	const char *call = tok_call_name(tok_pulse_call(c->pulse));

	c->died_at = tok_pulse_at_module(c->pulse);
	(void)kill(c->pid, SIGKILL);
	reap(c);
	return err_set(
		e, ST_TOKEN,
		"the token did not answer within %u s in %s: plug it in anew, or wait longer with --timeout",
		seconds, call);
}

static enum status lost(struct tok_child *c, struct tlv_err *e)
{
	return c->pid == 0 ? err_set(e, ST_TOKEN, "the token's process is gone") : died(c, e);
}

bool tok_child_put(struct tok_child *c, uint8_t type, uint8_t flag, struct span payload)
{
	uint8_t head[TOK_HEAD] = { type, flag };
	struct iovec iov[2] = {
		{ .iov_base = head, .iov_len = sizeof head },
		{ .iov_base = (void *)(uintptr_t)payload.p, .iov_len = payload.n },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = payload.n == 0 ? 1 : 2 };
	ssize_t n;

	do {
		n = sendmsg(c->line, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n >= 0;
}

enum status tok_child_send(struct tok_child *c, uint8_t type, uint8_t flag, struct span payload,
			   struct tlv_err *e)
{
	return c->pid != 0 && tok_child_put(c, type, flag, payload) ? ST_OK : lost(c, e);
}

/* Milliseconds until the call that the child is in has lasted too long; -1: for ever. */
static int patience(const struct tok_child *c, int64_t from, bool patient, unsigned seconds)
{
	int64_t end;

	if (patient && tok_pulse_call(c->pulse) == TOK_CALL_C_Login)
		return 500; /* the call may be over and another begin: look again */
	end = tok_pulse_since(c->pulse, from) + (int64_t)seconds * 1000 - tok_pulse_now();
	if (end <= 0)
		return 0;
	return end > 3600 * 1000 ? 3600 * 1000 : (int)end;
}

/* Waits until there is something to read. ST_TOKEN where it took too long. */
static enum status wait_line(struct tok_child *c, bool patient, unsigned seconds, struct tlv_err *e)
{
	struct pollfd pfd = { .fd = c->line, .events = POLLIN };
	int64_t from = tok_pulse_now();

	for (;;) {
		int ms = patience(c, from, patient, seconds), r;

		if (ms == 0)
			return timed_out(c, seconds, e);
		r = poll(&pfd, 1, ms);
		if (r > 0)
			return ST_OK;
		if (r < 0 && errno != EINTR)
			return err_set(e, ST_TOKEN, "waiting for the token's process: %s",
				       strerror(errno));
	}
}

enum status tok_child_next(struct tok_child *c, struct span *msg, bool patient, struct tlv_err *e)
{
	ssize_t n;

	if (c->pid == 0)
		return lost(c, e);
	if (wait_line(c, patient, c->timeout, e) != ST_OK)
		return ST_TOKEN;
	do {
		n = recv(c->line, c->inbox, TOK_MSG_MAX, MSG_TRUNC);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return lost(c, e);
	if (n > TOK_MSG_MAX)
		return err_set(
			e, ST_TOKEN,
			"the token's process answers more than any answer has, as a module gone wrong makes it: name another with --module");
	*msg = span_of(c->inbox, (size_t)n);
	return ST_OK;
}

int tok_child_died_at(const struct tok_child *c)
{
	return c->died_at;
}

/* Reads away what still comes, until the line closes. */
static enum status drain(struct tok_child *c, struct tlv_err *e)
{
	unsigned seconds = c->timeout < TOK_TEARDOWN_MAX ? c->timeout : TOK_TEARDOWN_MAX;
	ssize_t n;

	do {
		if (wait_line(c, false, seconds, e) != ST_OK)
			return ST_TOKEN;
		n = recv(c->line, c->inbox, TOK_MSG_MAX, 0);
	} while (n > 0 || (n < 0 && errno == EINTR));
	reap(c);
	/* Untold: the program ignores SIGCHLD, and the kernel has reaped. */
	if (!c->told || (WIFEXITED(c->ended) && WEXITSTATUS(c->ended) == 0))
		return ST_OK;
	return died(c, e);
}

void tok_child_kill(struct tok_child *c)
{
	if (c->pid > 0)
		(void)kill(c->pid, SIGKILL);
	reap(c);
}

void tok_child_finish(struct tok_child *c)
{
	if (c->pid > 0)
		(void)shutdown(c->line, SHUT_WR);
}

enum status tok_child_end(struct tok_child **child, struct tlv_err *e)
{
	struct tok_child *c = *child;
	enum status st = ST_OK;

	if (c == NULL)
		return ST_OK;
	if (c->pid > 0) {
		tok_child_finish(c);
		st = drain(c, e);
	}
	child_free(child);
	return st;
}

bool tok_line_send(int line, struct span msg)
{
	ssize_t n;

	do {
		n = send(line, msg.p, msg.n, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)msg.n;
}

bool tok_line_receive(int line, uint8_t head[TOK_HEAD], void *room, size_t cap, size_t *n)
{
	struct iovec iov[2] = {
		{ .iov_base = head, .iov_len = TOK_HEAD },
		{ .iov_base = room, .iov_len = cap },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t got;

	do {
		got = recvmsg(line, &msg, 0);
	} while (got < 0 && errno == EINTR);
	if (got < TOK_HEAD || (msg.msg_flags & MSG_TRUNC) != 0)
		return false;
	*n = (size_t)got - TOK_HEAD;
	return true;
}
