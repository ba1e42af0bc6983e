/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/net/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pkcs11/process.h"
#include "pkcs11/shared/env.h"
#include "pkcs11/shared/path.h"
#include "signer/io/out.h"

enum {
	TICK_MS = 50,		    /* how long one read or write waits; then the clock is asked */
	GRACE_MS = 500,		    /* for the process to say itself that the time is over */
	UNDER_WAY_MAX = 128 * 1024, /* bytes of requests that the line surely holds */
	REQUEST_COST = 1024,	    /* what the kernel counts for a small message */
	SHOWN_MAX = 300		    /* of a URL, so that the fault behind it is not cut off */
};

/* The process, and the questions that it has not answered yet; borrowed. */
static struct {
	struct process *p;
	unsigned seconds;
	struct net_question **open;
	size_t n, cap;
	uint16_t last; /* number that was given */
	uint8_t *inbox;
	struct net_question **ahead; /* owned, and what they point to */
	size_t nahead, ahead_cap;
} net = { .seconds = NET_SECONDS };

static const struct {
	enum net_kind kind;
	const char *sentence;
} faults[] = {
#define FAULT(NAME, KIND, sentence) { NET_KIND_##KIND, sentence },
#include "signer/net/shared/faults.def"
#undef FAULT
};

enum net_kind net_kind(const struct net_question *q)
{
	return faults[q->fault].kind;
}

/* So that a read or a write ends by itself: behind the sandbox there is no poll. */
static bool set_ticks(int line)
{
	const struct timeval tick = { .tv_usec = TICK_MS * 1000L };

	return setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick) == 0 &&
	       setsockopt(line, SOL_SOCKET, SO_SNDTIMEO, &tick, sizeof tick) == 0;
}

static enum status spawn(struct tlv_err *e)
{
	char path[PATH_MAX];
	enum status st = tok_part_find(NET_HELPER_NAME, NET_HELPER_DIR, path, e);
	char **env = st == ST_OK ? tok_env_for_process() : NULL;

	if (st == ST_OK)
		st = env == NULL ? err_nomem(e) : process_spawn(&net.p, path, env, e);
	free(env);
	if (st == ST_OK && !set_ticks(process_line(net.p)))
		st = err_set(e, ST_INPUT, "%s: %s", path, strerror(errno));
	return st;
}

enum status net_start(unsigned seconds, struct tlv_err *e)
{
	struct tlv_err own = TLV_ERR_INIT;

	net.seconds = seconds > 0 ? seconds : NET_SECONDS;
	if (net.p != NULL)
		return ST_OK;
	net.inbox = malloc(TOK_MSG_MAX);
	if (net.inbox == NULL)
		return err_nomem(e);
	if (spawn(&own) == ST_OK)
		return ST_OK;
	net_end();
	if (own.status == ST_TOKEN)
		own.status = ST_INPUT; /* a token has no part in it */
	return err_copy(e, &own);
}

/* A question that gets no answer any more. */
static void give_up(struct net_question *q, enum net_fault fault, uint32_t code)
{
	q->fault = fault;
	q->code = code;
	q->done = true;
	buf_free(&q->bytes);
}

static void forget(size_t i)
{
	net.open[i] = net.open[--net.n];
}

static void all_gone(void)
{
	while (net.n > 0)
		give_up(net.open[--net.n], NET_GONE, 0);
}

static struct net_question *find(uint16_t number, size_t *at)
{
	for (size_t i = 0; i < net.n; i++)
		if (net.open[i]->number == number) {
			*at = i;
			return net.open[i];
		}
	return NULL;
}

static void take_text(struct net_question *q, struct span text)
{
	/* Its place is longer than what the wire lets through. */
	(void)span_copy(text, (uint8_t *)q->text, sizeof q->text);
	q->text[text.n] = '\0';
}

static void take_done(struct net_question *q, size_t at, struct span rest)
{
	struct net_done d;

	forget(at);
	if (!net_read_done(rest, &d)) {
		give_up(q, NET_GONE, 0);
		return;
	}
	take_text(q, d.text);
	q->modified = d.modified;
	if (q->bytes.failed != ST_OK) {
		(void)err_nomem(NULL); /* remembered: the run ends with it */
		d.fault = NET_GONE;
	}
	if (d.fault != NET_NONE)
		give_up(q, d.fault, d.code);
	q->done = true;
}

/* Messages to questions that were given up are passed over. */
static void take(struct span msg)
{
	struct span rest = SPAN_NONE;
	uint16_t number = 0;
	size_t at = 0;
	int type = net_read_answer(msg, &number, &rest);
	struct net_question *q = type < 0 ? NULL : find(number, &at);

	if (q == NULL)
		return;
	if (type == NET_DONE) {
		take_done(q, at, rest);
		return;
	}
	if (q->bytes.n + rest.n <= q->max) {
		buf_put(&q->bytes, rest);
		return;
	}
	forget(at);
	give_up(q, NET_LONG, (uint32_t)q->max);
}

static void give_up_late(void)
{
	int64_t now = process_now();

	for (size_t i = net.n; i > 0; i--)
		if (now >= net.open[i - 1]->deadline) {
			struct net_question *q = net.open[i - 1];

			forget(i - 1);
			give_up(q, NET_SILENT, net.seconds);
		}
}

static void receive(void)
{
	ssize_t n = read(process_line(net.p), net.inbox, TOK_MSG_MAX);

	if (n > 0)
		take(span_of(net.inbox, (size_t)n));
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		all_gone();
	give_up_late();
}

static bool put(struct span msg, int64_t deadline)
{
	ssize_t n;

	do {
		n = write(process_line(net.p), msg.p, msg.n);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR) && process_now() < deadline);
	return n >= 0;
}

/* What the requests take of the line that were sent and not answered. */
static size_t under_way(void)
{
	size_t n = 0;

	for (size_t i = 0; i < net.n; i++)
		n += REQUEST_COST + strlen(net.open[i]->target) + net.open[i]->send.n;
	return n;
}

static enum status send_request(struct net_question *q, struct tlv_err *e)
{
	const struct net_request r = { .what = q->what,
				       .number = q->number,
				       .ms = net.seconds * 1000,
				       .max = (uint32_t)q->max,
				       .target = span_str(q->target),
				       .bytes = q->send };
	struct net_request again;
	struct buf b = BUF_INIT;
	enum status st;

	net_put_request(&b, &r);
	st = buf_failed(&b, e);
	if (st == ST_OK && !net_read_request(buf_span(&b), &again)) {
		give_up(q, NET_BAD_TARGET, 0);
		take_text(
			q,
			SPAN_LIT(
				"it is too long, or it has a blank or a character that is not ASCII"));
	} else if (st == ST_OK && !put(buf_span(&b), q->deadline)) {
		give_up(q, NET_GONE, 0);
	}
	buf_free(&b);
	return st;
}

/* If the line is full, answers are taken first. Else both sides would wait for each other. */
static enum status ask(struct net_question *q, struct tlv_err *e)
{
	enum status st;

	q->done = false;
	q->fault = NET_NONE;
	q->bytes = BUF_INIT;
	q->modified = 0;
	q->text[0] = '\0';
	q->number = ++net.last;
	while (net.n > 0 && under_way() > UNDER_WAY_MAX)
		receive();
	q->deadline = process_now() + (int64_t)net.seconds * 1000 + GRACE_MS;
	if (!ARRAY_ROOM(net.open, net.n, net.cap))
		return err_nomem(e);
	st = send_request(q, e);
	if (st == ST_OK && !q->done)
		net.open[net.n++] = q;
	return st;
}

static void wait_for(const struct net_question *q)
{
	while (!q->done)
		receive();
}

enum status net_ask_all(struct net_question *q, size_t n, struct tlv_err *e)
{
	enum status st = net_start(net.seconds, e);

	for (size_t i = 0; i < n && st == ST_OK; i++)
		st = ask(&q[i], e);
	for (size_t i = 0; i < n && st == ST_OK; i++)
		wait_for(&q[i]);
	/* After a failure nobody waits for the other answers, and the questions may be freed. */
	if (st != ST_OK)
		net_end();
	return st;
}

/* The sentence with what belongs into it. */
static void put_sentence(struct buf *b, const struct net_question *q)
{
	for (const char *at = faults[q->fault].sentence; *at != '\0'; at++)
		if (*at == '#')
			buf_printf(b, "%lu", (unsigned long)q->code);
		else if (*at == '@')
			buf_str(b, q->text);
		else
			buf_u8(b, (uint8_t)*at);
}

enum status net_question_err(const struct net_question *q, struct tlv_err *e)
{
	struct buf b = BUF_INIT;
	enum status st;

	if (q->fault == NET_NONE)
		return ST_OK;
	put_sentence(&b, q);
	st = buf_failed(&b, e);
	if (st == ST_OK)
		st = err_set(e, ST_INPUT, "%.*s: %s", SHOWN_MAX, q->target, buf_cstr(&b));
	buf_free(&b);
	return st;
}

const char *net_question_why(const struct net_question *q, const struct tlv_err *err)
{
	const char *text = err_text(err);
	size_t n = q->target != NULL ? strlen(q->target) : 0;

	return n > 0 && strncmp(text, q->target, n) == 0 && strncmp(text + n, ": ", 2) == 0 ?
		       text + n + 2 :
		       text;
}

void net_question_free(struct net_question *q)
{
	buf_free(&q->bytes);
}

/* The part behind '#' picks a list of a log. It is not sent to the server. */
static char *without_fragment(const char *url)
{
	return strndup(url, strcspn(url, "#"));
}

static void list_question_free(struct net_question **question)
{
	struct net_question *q = *question;

	if (q == NULL)
		return;
	free((void *)(uintptr_t)q->target);
	net_question_free(q);
	free(q);
	*question = NULL;
}

/* A question for a list, asked already. */
static enum status ask_list(struct net_question **out, const char *url, struct tlv_err *e)
{
	struct net_question *q = calloc(1, sizeof *q);
	enum status st = net_start(net.seconds, e);

	*out = q;
	if (q == NULL)
		return err_nomem(e);
	q->what = NET_GET;
	q->max = NET_LIST_MAX;
	q->target = without_fragment(url);
	if (st == ST_OK)
		st = q->target == NULL ? err_nomem(e) : ask(q, e);
	if (st != ST_OK)
		list_question_free(out);
	return st;
}

void net_ask_ahead(const char *url)
{
	struct net_question *q;

	if (!ARRAY_ROOM(net.ahead, net.nahead, net.ahead_cap))
		(void)err_nomem(NULL);
	else if (ask_list(&q, url, NULL) == ST_OK)
		net.ahead[net.nahead++] = q;
}

/* The answer that was asked for ahead is taken once. */
static struct net_question *take_ahead(const char *url)
{
	size_t n = strcspn(url, "#");

	for (size_t i = 0; i < net.nahead; i++) {
		struct net_question *q = net.ahead[i];

		if (strlen(q->target) == n && strncmp(q->target, url, n) == 0) {
			net.ahead[i] = net.ahead[--net.nahead];
			return q;
		}
	}
	return NULL;
}

static enum status take_list(struct net_question *q, size_t max, struct blob *out,
			     struct tlv_err *e)
{
	enum status st = net_question_err(q, e);

	if (st == ST_OK && q->bytes.n > max)
		st = err_set(e, ST_INPUT, "%s: longer than %zu bytes", q->target, max);
	if (st != ST_OK)
		return st;
	msg_step("%s: %zu bytes came%s", q->target, q->bytes.n,
		 span_starts_nocase(span_str(q->target), SPAN_LIT("https:")) ?
			 "; the server's certificate is not judged, the list's signature counts" :
			 "");
	out->p = q->bytes.p;
	out->n = q->bytes.n;
	/* No file: no two answers are taken for one. */
	out->st.st_ino = (ino_t)q->number;
	out->st.st_size = (off_t)q->bytes.n;
	out->st.st_mtim.tv_sec = (time_t)q->modified;
	q->bytes = BUF_INIT;
	return ST_OK;
}

enum status net_slurp(const char *arg, size_t max, enum slurp_mode mode, struct blob *out,
		      struct tlv_err *e)
{
	struct net_question *q;
	enum status st = ST_OK;

	if (!path_is_url(arg))
		return slurp(arg, max, mode, out, e);
	*out = (struct blob){ .p = NULL };
	q = take_ahead(arg);
	if (q == NULL)
		st = ask_list(&q, arg, e);
	if (st == ST_OK) {
		wait_for(q);
		st = take_list(q, max, out, e);
	}
	list_question_free(&q);
	return st;
}

pid_t net_process(void)
{
	return net.p != NULL ? process_id(net.p) : 0;
}

void net_end(void)
{
	all_gone();
	while (net.nahead > 0)
		list_question_free(&net.ahead[--net.nahead]);
	if (net.p != NULL) {
		process_finish(net.p);
		process_free(&net.p);
	}
	free(net.open);
	free(net.ahead);
	free(net.inbox);
	net.open = NULL;
	net.ahead = NULL;
	net.inbox = NULL;
	net.cap = net.ahead_cap = 0;
}
