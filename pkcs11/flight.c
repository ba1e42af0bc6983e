/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Signatures, several under way at once over the one line to the child.
 */
#include <stdlib.h>

#include "pkcs11/ask.h"

/* One signature, on the stack of the thread that waits for it. */
struct flight {
	pthread_cond_t changed; /* it has landed, or should listen */
	uint8_t *sig;
	size_t *n;
	bool landed;
	unsigned order;
	int64_t deadline; /* set when a session is free for it, never moved; 0: it waits for one */
	enum wire_hint hint;
	struct tlv_err err;
};

void tok_flights_init(struct tok_flights *f)
{
	f->refused = TLV_ERR_INIT;
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_cond_init(&f->landed, NULL);
}

void tok_flights_free(struct tok_flights *f)
{
	(void)pthread_cond_destroy(&f->landed);
	(void)pthread_mutex_destroy(&f->lock);
}

/* The child serves in the order of the requests: the first that waits. */
static struct flight *first_waiting(const struct tok_flights *fs, size_t *served)
{
	struct flight *first = NULL;

	*served = 0;
	for (size_t i = 0; i < TOK_FLIGHTS_MAX; i++) {
		struct flight *f = fs->list[i];

		if (f != NULL && f->deadline != 0)
			++*served;
		else if (f != NULL && (first == NULL || f->order < first->order))
			first = f;
	}
	return first;
}

/* Its time begins when the token can begin with it. */
static void begin_times(struct tok *t)
{
	unsigned pad = tok_pad_seconds(t, WIRE_SIGN);
	struct flight *f;
	size_t served;

	while ((f = first_waiting(&t->flights, &served)) != NULL && served < t->sessions)
		f->deadline = tok_child_deadline(t->child, pad);
}

static void land(struct tok *t, uint8_t number)
{
	struct tok_flights *fs = &t->flights;
	struct flight *f = fs->list[number];

	fs->list[number] = NULL;
	fs->n--;
	f->landed = true;
	begin_times(t);
	(void)pthread_cond_signal(&f->changed);
	(void)pthread_cond_broadcast(&fs->landed);
}

static bool is_flying(const struct tok_flights *fs, uint8_t number)
{
	return number < TOK_FLIGHTS_MAX && fs->list[number] != NULL;
}

static bool take_signature(struct tok *t, struct span msg)
{
	const struct tok_flights *fs = &t->flights;
	struct span sig;
	uint8_t number;

	if (!wire_read_signature(msg, &number, &sig) || !is_flying(fs, number) ||
	    !span_copy(sig, fs->list[number]->sig, TOK_SIG_MAX))
		return false;
	*fs->list[number]->n = sig.n;
	land(t, number);
	return true;
}

/* What the token says of later ones is no cause, but an operation that the login left behind. */
static enum status not_signed(const struct tok_flights *fs, struct tlv_err *e)
{
	return err_set(e, fs->refused.status,
		       "not signed, because the login for the one before was refused: %s",
		       err_text(&fs->refused));
}

static bool take_failure(struct tok *t, struct span msg)
{
	struct tok_flights *fs = &t->flights;
	struct wire_done done;
	struct flight *f;

	if (!wire_read_done(msg, &done) || !is_flying(fs, done.number) || done.status == ST_OK)
		return false;
	f = fs->list[done.number];
	if (fs->refused.status != ST_OK) {
		(void)not_signed(fs, &f->err);
	} else {
		f->hint = done.hint;
		(void)err_receive(&f->err, done.status, done.text.p, done.text.n);
	}
	if (f->err.status == ST_PIN || f->err.status == ST_PIN_LOCKED)
		(void)err_copy(&fs->refused, &f->err);
	land(t, done.number);
	return true;
}

static bool take(struct tok *t, struct span msg)
{
	switch (wire_type(msg)) {
	case WIRE_SIGNATURE:
		return take_signature(t, msg);
	case WIRE_DONE:
		return take_failure(t, msg);
	case WIRE_WARNING:
		return tok_child_warns(t->child, &t->opt.warn, wire_read_bytes(msg));
	default:
		return false;
	}
}

/* The child is gone, or mad: none of them will land. */
static void crash(struct tok *t, const struct tlv_err *e)
{
	tok_child_kill(t->child);
	for (size_t i = 0; i < TOK_FLIGHTS_MAX; i++) {
		struct flight *f = t->flights.list[i];

		if (f == NULL)
			continue;
		(void)err_copy(&f->err, e);
		land(t, (uint8_t)i);
	}
}

static int64_t next_deadline(const struct tok_flights *fs)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < TOK_FLIGHTS_MAX; i++)
		if (fs->list[i] != NULL && fs->list[i]->deadline != 0 &&
		    fs->list[i]->deadline < first)
			first = fs->list[i]->deadline;
	return first;
}

/* One message, for whomever it is. */
static void listen_once(struct tok *t)
{
	struct tok_flights *fs = &t->flights;
	struct tlv_err e = TLV_ERR_INIT;
	int64_t deadline = next_deadline(fs);
	struct span msg;
	enum status st;

	fs->listening = true;
	(void)pthread_mutex_unlock(&fs->lock);
	st = tok_child_next(t->child, &msg, deadline, &e);
	(void)pthread_mutex_lock(&fs->lock);
	fs->listening = false;
	if (st == ST_OK && !take(t, msg))
		st = err_set(&e, ST_TOKEN, TOK_MALFORMED);
	if (st != ST_OK)
		crash(t, &e);
}

/* Somebody else has to listen now, if anybody still waits. */
static void hand_over(const struct tok_flights *fs)
{
	for (size_t i = 0; i < TOK_FLIGHTS_MAX && !fs->listening; i++)
		if (fs->list[i] != NULL) {
			(void)pthread_cond_signal(&fs->list[i]->changed);
			return;
		}
}

/* If the child is gone the flight starts all the same: whoever listens will hear of it. */
static void start(struct tok *t, struct flight *f, struct span digest_info)
{
	struct tok_flights *fs = &t->flights;
	uint8_t number = 0;

	while (number < TOK_FLIGHTS_MAX - 1 && fs->list[number] != NULL)
		number++;
	f->order = fs->started++;
	f->deadline = 0;
	fs->list[number] = f;
	fs->n++;
	begin_times(t);
	(void)tok_child_put(t->child, WIRE_SIGN, number, digest_info);
}

/* With the lock held, and given back meanwhile. */
static enum status fly(struct tok *t, struct flight *f, struct span digest_info)
{
	struct tok_flights *fs = &t->flights;

	f->landed = false;
	f->hint = WIRE_FINAL;
	f->err = TLV_ERR_INIT;
	start(t, f, digest_info);
	while (!f->landed)
		if (fs->listening)
			(void)pthread_cond_wait(&f->changed, &fs->lock);
		else
			listen_once(t);
	hand_over(fs);
	return f->err.status;
}

/* Logs in anew, with nothing else under way, unless another thread has done so since. */
static enum status fly_again(struct tok *t, struct flight *f, struct span digest_info,
			     unsigned logins)
{
	struct tok_flights *fs = &t->flights;
	enum status st = ST_OK;

	while (fs->alone || fs->n > 0)
		(void)pthread_cond_wait(&fs->landed, &fs->lock);
	fs->alone = true;
	f->err = TLV_ERR_INIT;
	if (fs->logins == logins) {
		(void)pthread_mutex_unlock(&fs->lock);
		st = tok_login_again(t, &f->err);
		(void)pthread_mutex_lock(&fs->lock);
		fs->logins++;
		(void)err_copy(&fs->refused, &f->err);
	} else if (fs->refused.status != ST_OK) {
		st = not_signed(fs, &f->err);
	}
	if (st == ST_OK)
		st = fly(t, f, digest_info);
	fs->alone = false;
	(void)pthread_cond_broadcast(&fs->landed);
	return st;
}

enum status tok_sign(struct tok *t, struct span digest_info, uint8_t sig[TOK_SIG_MAX], size_t *n,
		     struct tlv_err *e)
{
	struct tok_flights *fs = &t->flights;
	struct flight f = { .sig = sig, .n = n };
	unsigned logins;
	enum status st;

	(void)pthread_cond_init(&f.changed, NULL);
	(void)pthread_mutex_lock(&fs->lock);
	while (fs->alone || fs->n == TOK_FLIGHTS_MAX)
		(void)pthread_cond_wait(&fs->landed, &fs->lock);
	logins = fs->logins;
	st = fs->refused.status == ST_OK ? fly(t, &f, digest_info) : not_signed(fs, &f.err);
	if (st != ST_OK && f.hint == WIRE_LOGIN_AGAIN)
		st = fly_again(t, &f, digest_info, logins);
	(void)pthread_mutex_unlock(&fs->lock);
	(void)pthread_cond_destroy(&f.changed);
	if (st == ST_OK)
		return ST_OK;
	(void)err_copy(e, &f.err);
	return err_in(e, "token '%s'", t->info.label);
}
