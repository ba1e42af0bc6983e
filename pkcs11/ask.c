/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/ask.h"

#include <stdlib.h>
#include <string.h>

enum { CERTS_MAX = 4096, BYTES_MAX = 64 << 20 };

void tok_harvest_free_tokens(struct tok_harvest *h)
{
	for (size_t i = 0; i < h->n; i++)
		tok_info_free(&h->list[i]);
	free(h->list);
	h->list = NULL;
	h->n = 0;
}

void tok_harvest_free(struct tok_harvest *h)
{
	tok_harvest_free_tokens(h);
	for (size_t i = 0; i < h->nmodules; i++)
		tok_module_info_free(&h->modules[i]);
	free(h->modules);
	*h = (struct tok_harvest){ .list = NULL };
}

enum status tok_malformed(struct tlv_err *e)
{
	return err_set(e, ST_TOKEN, TOK_MALFORMED);
}

static enum status add_token(struct tok_harvest *h, struct span msg, struct tlv_err *e)
{
	struct tok_info *list = reallocarray(h->list, h->n + 1, sizeof *list);

	if (list == NULL)
		return err_nomem(e);
	h->list = list;
	if (h->n == TOK_SLOTS_MAX || !wire_read_token(msg, &list[h->n]))
		return tok_malformed(e);
	h->n++;
	return ST_OK;
}

static enum status add_cert(struct tok_harvest *h, struct span msg, struct tlv_err *e)
{
	struct tok_info *i = h->n == 0 ? NULL : &h->list[h->n - 1];
	struct tok_cert *certs;

	if (i == NULL || i->ncerts == CERTS_MAX)
		return tok_malformed(e);
	certs = reallocarray(i->certs, i->ncerts + 1, sizeof *certs);
	if (certs == NULL)
		return err_nomem(e);
	i->certs = certs;
	if (!wire_read_cert(msg, &certs[i->ncerts]))
		return tok_malformed(e);
	i->ncerts++;
	return ST_OK;
}

static enum status end_certs(struct tok_harvest *h, struct tlv_err *e)
{
	if (h->n == 0)
		return tok_malformed(e);
	h->list[h->n - 1].certs_read = true;
	return ST_OK;
}

/* What was found wrong with a module stays: it is left out, and tells no more. */
static void set_module(struct tok_module_info *at, struct tok_module_info *now)
{
	struct tok_module_info last = *at;

	if (last.fault != NULL && *last.fault != '\0') {
		tok_module_info_free(now);
		return;
	}
	*at = *now;
	tok_module_info_free(&last);
}

static enum status add_module(struct tok_harvest *h, struct span msg, struct tlv_err *e)
{
	struct tok_module_info *list, now;
	size_t i;

	if (!wire_read_module(msg, &i, &now))
		return tok_malformed(e);
	if (i > h->nmodules || i >= TOK_MODULES_MAX) {
		tok_module_info_free(&now);
		return tok_malformed(e);
	}
	if (i == h->nmodules) {
		list = reallocarray(h->modules, i + 1, sizeof *list);
		if (list == NULL) {
			tok_module_info_free(&now);
			return err_nomem(e);
		}
		h->modules = list;
		list[h->nmodules++] = (struct tok_module_info){ .name = NULL };
	}
	set_module(&h->modules[i], &now);
	return ST_OK;
}

static enum status set_chosen(struct tok *t, struct span msg, struct tlv_err *e)
{
	struct span der = wire_read_bytes(msg);

	if (t == NULL || t->cert.p != NULL || der.n == 0)
		return tok_malformed(e);
	t->cert = span_of(span_dup(der), der.n);
	return t->cert.p == NULL ? err_nomem(e) : ST_OK;
}

static enum status set_flags(struct tok *t, struct span msg, struct tlv_err *e)
{
	if (t == NULL || !wire_read_number(msg, &t->info.flags))
		return tok_malformed(e);
	t->info.pin = tok_pin_state_of(t->info.flags);
	return ST_OK;
}

static enum status set_sessions(struct tok *t, struct span msg, struct tlv_err *e)
{
	unsigned long n;

	if (t == NULL || !wire_read_number(msg, &n) || n < 1 ||
	    n > (t->opt.sessions < 1 ? 1 : t->opt.sessions))
		return tok_malformed(e);
	t->sessions = n;
	return ST_OK;
}

static enum status take_done(struct tok_answer *a, struct span msg, struct tlv_err *e)
{
	struct wire_done done;

	if (!wire_read_done(msg, &done))
		return tok_malformed(e);
	a->done = true;
	a->hint = done.hint;
	if (done.status == ST_OK)
		return ST_OK;
	return err_receive(e, done.status, done.text.p, done.text.n);
}

static enum status take(struct tok_child *c, struct tok_answer *a, struct span msg,
			struct tlv_err *e)
{
	switch (wire_type(msg)) {
	case WIRE_DONE:
		return take_done(a, msg, e);
	case WIRE_WARNING:
		return tok_child_warns(c, &a->opt->warn, wire_read_bytes(msg)) ? ST_OK :
										 tok_malformed(e);
	case WIRE_TOKEN:
		return a->h == NULL ? tok_malformed(e) : add_token(a->h, msg, e);
	case WIRE_CERT:
		return a->h == NULL ? tok_malformed(e) : add_cert(a->h, msg, e);
	case WIRE_ALL_CERTS:
		return a->h == NULL ? tok_malformed(e) : end_certs(a->h, e);
	case WIRE_MODULE:
		return a->h == NULL ? tok_malformed(e) : add_module(a->h, msg, e);
	case WIRE_CHOSEN:
		return set_chosen(a->t, msg, e);
	case WIRE_TOKEN_FLAGS:
		return set_flags(a->t, msg, e);
	case WIRE_SESSIONS:
		return set_sessions(a->t, msg, e);
	default:
		return tok_malformed(e);
	}
}

enum status tok_take_answer(struct tok_child *c, struct tok_answer *a, int64_t deadline,
			    struct tlv_err *e)
{
	enum status st = ST_OK;
	size_t bytes = 0;

	while (st == ST_OK && !a->done) {
		struct span msg;

		st = tok_child_next(c, &msg, deadline, e);
		if (st != ST_OK)
			return st;
		bytes += msg.n;
		st = bytes > BYTES_MAX ? tok_malformed(e) : take(c, a, msg, e);
	}
	return st;
}

/* A module says itself that its token has a pad: that buys it some time, but not all of it. */
unsigned tok_pad_seconds(const struct tok *t, enum wire_request type)
{
	return t->info.pin_pad && type != WIRE_FLAGS ? TOK_PAD_SECONDS : 0;
}

enum status tok_request(struct tok *t, enum wire_request type, uint8_t flag, struct span payload,
			enum wire_hint *hint, struct tlv_err *e)
{
	struct tok_answer a = { .opt = &t->opt, .t = t };
	enum status st = tok_child_send(t->child, (uint8_t)type, flag, payload, e);

	if (st == ST_OK)
		st = tok_take_answer(t->child, &a,
				     tok_child_deadline(t->child, tok_pad_seconds(t, type)), e);
	if (st != ST_OK && !a.done)
		tok_child_kill(t->child);
	if (hint != NULL)
		*hint = a.hint;
	return st;
}
