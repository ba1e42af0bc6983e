/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/helper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkcs11/ask.h"
#include "pkcs11/shared/env.h"
#include "pkcs11/shared/path.h"
#include "pkcs11/shared/pulse.h"

enum { WARNINGS_MAX = 1000 };

struct tok_child {
	struct process *p;
	unsigned timeout;
	struct tok_pulse *pulse;
	int died_at;
	bool late;
	unsigned warnings;
};

/* The guard is loaded by the helper, which looks again. */
enum status tok_parts_check(char path[PATH_MAX], struct tlv_err *e)
{
	char guard[PATH_MAX];
	enum status st = tok_part_find(TOK_HELPER_NAME, TOK_HELPER_DIR, path, e);

	return st == ST_OK ? tok_part_find(TOK_GUARD_NAME, TOK_HELPER_DIR, guard, e) : st;
}

static enum status spawn(struct tok_child *c, struct tlv_err *e)
{
	char path[PATH_MAX];
	enum status st = tok_part_find(TOK_HELPER_NAME, TOK_HELPER_DIR, path, e);
	char **env = st == ST_OK ? tok_env_for_process() : NULL;

	if (st == ST_OK)
		st = env == NULL ? err_nomem(e) : process_spawn(&c->p, path, env, e);
	free(env);
	return st;
}

static void child_free(struct tok_child **c)
{
	process_free(&(*c)->p);
	tok_pulse_free(&(*c)->pulse);
	free(*c);
	*c = NULL;
}

static enum status send_search(struct tok_child *c, enum wire_request how,
			       const struct tok_search *s, int pulse, struct tlv_err *e)
{
	struct buf b = BUF_INIT;
	enum status st;

	wire_put_search(&b, s);
	st = buf_failed(&b, e);
	if (st == ST_OK && b.n > TOK_MSG_MAX - TOK_HEAD)
		st = err_set(e, ST_USAGE, "the token's URI and certificate are too long");
	/* One that does not take it has died, which the wait for its answer tells. */
	if (st == ST_OK)
		(void)process_put(c->p, (uint8_t)how, 0, buf_span(&b), pulse);
	buf_free(&b);
	return st;
}

enum status tok_child_start(struct tok_child **out, enum wire_request how,
			    const struct tok_search *s, unsigned timeout, struct tlv_err *e)
{
	struct tok_child *c = calloc(1, sizeof *c);
	int pulse = -1;
	enum status st;

	*out = NULL;
	if (c == NULL)
		return err_nomem(e);
	c->died_at = -1;
	c->timeout = timeout;
	c->pulse = tok_pulse_new(&pulse);
	st = c->pulse == NULL ? err_nomem(e) : spawn(c, e);
	if (st == ST_OK)
		st = send_search(c, how, s, pulse, e);
	if (pulse >= 0)
		(void)close(pulse);
	if (st == ST_OK)
		*out = c;
	else
		child_free(&c);
	return st;
}

int64_t tok_child_deadline(const struct tok_child *c, unsigned seconds_more)
{
	return process_now() + ((int64_t)c->timeout + seconds_more) * 1000;
}

static const char *last_call(const struct tok_child *c)
{
	return tok_call_name(tok_pulse_call(c->pulse));
}

static enum status died(struct tok_child *c, struct tlv_err *e)
{
	int how = 0;
	bool told = process_ended(c->p, &how);

	c->died_at = tok_pulse_at_module(c->pulse);
	if (told && WIFSIGNALED(how))
		return err_set(e, ST_TOKEN, "the token's module crashed in %s (signal %d, %s)",
			       last_call(c), WTERMSIG(how), strsignal(WTERMSIG(how)));
	if (told && WIFEXITED(how))
		return err_set(e, ST_TOKEN,
			       "the token's module ended its process in %s, with exit(%d)",
			       last_call(c), WEXITSTATUS(how));
	return err_set(e, ST_TOKEN, "the token's process is gone, in %s", last_call(c));
}

static enum status timed_out(struct tok_child *c, unsigned seconds, struct tlv_err *e)
{
	c->died_at = tok_pulse_at_module(c->pulse);
	c->late = true;
	process_kill(c->p);
	return err_set(
		e, ST_TOKEN,
		"the token did not answer within %u s in %s: plug it in anew, or wait longer with --timeout",
		seconds, last_call(c));
}

static enum status lost(struct tok_child *c, struct tlv_err *e)
{
	int error = process_unsent(c->p);

	if (error != 0)
		return err_set(e, ST_TOKEN,
			       "a request to the token's process could not be sent: %s",
			       strerror(error));
	return process_is_gone(c->p) ? err_set(e, ST_TOKEN, "the token's process is gone") :
				       died(c, e);
}

bool tok_child_put(struct tok_child *c, uint8_t type, uint8_t flag, struct span payload)
{
	return process_put(c->p, type, flag, payload, -1);
}

enum status tok_child_send(struct tok_child *c, uint8_t type, uint8_t flag, struct span payload,
			   struct tlv_err *e)
{
	return tok_child_put(c, type, flag, payload) ? ST_OK : lost(c, e);
}

enum status tok_child_next(struct tok_child *c, struct span *msg, int64_t deadline,
			   struct tlv_err *e)
{
	switch (process_next(c->p, msg, deadline)) {
	case PROCESS_MESSAGE:
		return ST_OK;
	case PROCESS_LONG:
		return err_set(e, ST_TOKEN, TOK_MALFORMED);
	case PROCESS_LATE:
		return timed_out(c, c->timeout, e);
	case PROCESS_FAILED:
		return err_set(e, ST_TOKEN, "waiting for the token's process: %s", strerror(errno));
	case PROCESS_GONE:
		break;
	}
	return lost(c, e);
}

bool tok_child_warns(struct tok_child *c, const struct tlv_warn *w, struct span text)
{
	if (++c->warnings > WARNINGS_MAX)
		return false;
	warn_receive(w, text.p, text.n);
	return true;
}

pid_t tok_child_process(const struct tok_child *c)
{
	return process_id(c->p);
}

int tok_child_died_at(const struct tok_child *c)
{
	return c->died_at;
}

bool tok_child_was_late(const struct tok_child *c)
{
	return c->late;
}

void tok_child_kill(struct tok_child *c)
{
	process_kill(c->p);
}

void tok_child_finish(struct tok_child *c)
{
	process_finish(c->p);
}

static enum status tear_down(struct tok_child *c, struct tlv_err *e)
{
	unsigned seconds = c->timeout < TOK_TEARDOWN_MAX ? c->timeout : TOK_TEARDOWN_MAX;
	int how = 0;

	if (process_drain(c->p, process_now() + (int64_t)seconds * 1000) != PROCESS_GONE)
		return timed_out(c, seconds, e);
	/* Untold: the program ignores SIGCHLD, and the kernel has reaped. */
	if (!process_ended(c->p, &how) || (WIFEXITED(how) && WEXITSTATUS(how) == 0))
		return ST_OK;
	return died(c, e);
}

enum status tok_child_end(struct tok_child **child, struct tlv_err *e)
{
	struct tok_child *c = *child;
	enum status st = ST_OK;

	if (c == NULL)
		return ST_OK;
	if (!process_is_gone(c->p))
		st = tear_down(c, e);
	child_free(child);
	return st;
}
