/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "pkcs11/shared/secret.h"
#include "tlv/safe.h"

/*
 * Every signal that can be caught and ends or stops a program, whoever sends
 * it. A real fault of this program, while they are blocked, ends it at once.
 */
static bool is_caught(int signo)
{
	switch (signo) {
	case SIGKILL:
	case SIGSTOP:
	case SIGCHLD:
	case SIGCONT:
	case SIGURG:
	case SIGWINCH:
		return false;
	default:
		return signo < 32 || signo >= SIGRTMIN; /* libc keeps those between */
	}
}

/* Handlers have no argument to keep this in. */
static volatile sig_atomic_t pending[NSIG];

static void note(int signo)
{
	pending[signo] = 1;
}

static bool any_pending(void)
{
	bool any = false;

	for (int s = 1; s < NSIG; s++)
		any = any || pending[s] != 0;
	return any;
}

struct watch {
	struct sigaction before[NSIG];
	sigset_t mask; /* as it was; in force only while poll waits */
};

/* Ignored signals stay ignored: nohup's SIGHUP must not end the question. */
static void watch_begin(struct watch *w)
{
	struct sigaction sa = { .sa_handler = note };
	sigset_t set;

	sigemptyset(&set);
	sigemptyset(&sa.sa_mask);
	for (int s = 1; s < NSIG; s++)
		if (is_caught(s))
			sigaddset(&set, s);
	(void)sigprocmask(SIG_BLOCK, &set, &w->mask);
	for (int s = 1; s < NSIG; s++) {
		pending[s] = 0;
		if (!is_caught(s))
			continue;
		(void)sigaction(s, NULL, &w->before[s]);
		if (w->before[s].sa_handler != SIG_IGN)
			(void)sigaction(s, &sa, NULL);
	}
}

static bool is_stop(int signo)
{
	return signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU;
}

/* Gives the signals back and delivers those that came. True if one of them was a stop. */
static bool watch_end(struct watch *w)
{
	bool stopped = false;

	for (int s = 1; s < NSIG; s++)
		if (is_caught(s))
			(void)sigaction(s, &w->before[s], NULL);
	for (int s = 1; s < NSIG; s++) {
		if (pending[s] == 0)
			continue;
		stopped = stopped || is_stop(s);
		(void)raise(s);
	}
	(void)sigprocmask(SIG_SETMASK, &w->mask, NULL);
	return stopped;
}

/*
 * False if a signal or the end of the terminal came before the end of the
 * line. Signals are let in only while ppoll waits, so that none slips in
 * between the test and the read.
 */
static bool read_line(int fd, struct tok_pin *p, const struct watch *w)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	enum tok_secret_got got = TOK_SECRET_MORE;

	while (got == TOK_SECRET_MORE) {
		int ready = ppoll(&pfd, 1, NULL, &w->mask);

		if (any_pending() || (ready < 0 && errno != EINTR))
			return false;
		if (ready > 0)
			got = tok_secret_read_byte(p, fd);
	}
	return got == TOK_SECRET_END;
}

static void put(int fd, const char *text)
{
	size_t n = strlen(text);

	while (n > 0) {
		ssize_t done = write(fd, text, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		text += done;
		n -= (size_t)done;
	}
}

/* What is asked for may be named as a file or a token is: by anybody. */
static void put_prompt(int fd, const char *prompt)
{
	struct buf b = BUF_INIT;

	safe_text(&b, span_str(prompt));
	put(fd, buf_failed(&b, NULL) == ST_OK ? buf_cstr(&b) : "PIN: ");
	buf_free(&b);
}

/* One question. *again if a stop interrupted it. */
static bool ask(int fd, const char *prompt, struct tok_pin *p, bool *again)
{
	struct termios before, silent;
	struct watch w;
	bool done;

	watch_begin(&w);
	if (tcgetattr(fd, &before) != 0) {
		(void)watch_end(&w);
		return false;
	}
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	silent.c_lflag |= ICANON | ISIG;
	(void)tcsetattr(fd, TCSAFLUSH, &silent);
	put_prompt(fd, prompt);
	done = read_line(fd, p, &w);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	put(fd, "\n");
	if (!done)
		tok_secret_wipe(p);
	*again = watch_end(&w);
	return done;
}

enum status tok_tty_secret(const char *prompt, const char *noun, struct tok_pin *p,
			   struct tlv_err *e)
{
	bool again = false, done;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_set(e, ST_PIN,
			       "no terminal to ask for the %s: say with --pin-source where it is",
			       noun);
	do {
		done = ask(fd, prompt == NULL ? "PIN: " : prompt, p, &again);
	} while (!done && again);
	(void)close(fd);
	return done ? ST_OK : err_set(e, ST_PIN, "no %s was typed", noun);
}
