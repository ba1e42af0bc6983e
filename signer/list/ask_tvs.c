/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/ask_tvs.h"

#include <stdlib.h>
#include <string.h>

#include "signer/crypto/cert.h"
#include "signer/crypto/certfile.h"
#include "signer/io/out.h"
#include "signer/net/address.h"
#include "tlv/name.h"

/* Phones ask this port. [213407] */
#define TVS_PORT "2445"

const char *asked_state_text(enum asked_state s)
{
	static const char *const text[] = { [ASKED_SAST] = "sast",
					    [ASKED_KNOWN] = "known",
					    [ASKED_UNKNOWN] = "unknown",
					    [ASKED_SILENT] = "no answer" };

	return text[s];
}

enum status ask_tvs_at(struct ask_tvs *a, const char *host, struct tlv_err *e)
{
	struct net_address at;
	struct buf b = BUF_INIT;
	enum status st;

	if (!net_address_read(span_str(host), &at))
		return err_set(e, ST_USAGE, "'%s' is no host of a TVS: give HOST or HOST:PORT",
			       host);
	net_address_put(&b, &at, at.port.n > 0 ? at.port : SPAN_LIT(TVS_PORT));
	st = buf_failed(&b, e);
	if (st == ST_OK && (a->at = span_dup(buf_span(&b))) == NULL)
		st = err_nomem(e);
	buf_free(&b);
	return st;
}

/* The names as CUCM spells them, which is what TVS looks for [LOOKS_UP_TEXT]. */
static enum status take_parts(struct asked *q, const struct cert *c, struct tlv_err *e)
{
	struct span der = buf_span(&c->der);
	enum status st = tlv_name_write(&q->names, c->parts.subject, TLV_NAME_SERVER, ',', e);
	size_t n = q->names.n;

	if (st == ST_OK)
		st = tlv_name_write(&q->names, c->parts.issuer, TLV_NAME_SERVER, ',', e);
	buf_put(&q->certificate, der);
	if (st == ST_OK)
		st = buf_failed(&q->names, e);
	if (st == ST_OK)
		st = buf_failed(&q->certificate, e);
	if (st != ST_OK)
		return st;
	q->signer.subject = span_slice(buf_span(&q->names), 0, n);
	q->signer.issuer = span_slice(buf_span(&q->names), n, q->names.n);
	q->signer.certificate = buf_span(&q->certificate);
	q->signer.serial = span_slice(q->signer.certificate, span_offset(der, c->parts.serial),
				      c->parts.serial.n);
	return ST_OK;
}

static enum status take_certificate(struct asked *q, struct tlv_err *e)
{
	struct cert c = CERT_INIT;
	enum status st = cert_parse(&c, blob_span(&q->file.file), &msg_warnings, e);

	if (st == ST_OK)
		st = take_parts(q, &c, e);
	cert_free(&c);
	return st;
}

/* Copied: the list may be gone, or made like a printed one, before TVS answers. */
static enum status take_names(struct asked *q, const struct tlv_header *h, struct tlv_err *e)
{
	struct span subject = tlv_text(h->signer_name), issuer = tlv_text(h->signer_issuer), all;

	buf_put(&q->names, subject);
	buf_put(&q->names, issuer);
	buf_put(&q->names, h->signer_serial);
	all = buf_span(&q->names);
	q->signer.subject = span_slice(all, 0, subject.n);
	q->signer.issuer = span_slice(all, subject.n, issuer.n);
	q->signer.serial = span_slice(all, subject.n + issuer.n, all.n);
	return buf_failed(&q->names, e);
}

/* Its certificate too, if the list, or the log that shows it, has one. */
static enum status take_list(struct asked *q, struct list_file *f, struct tlv_err *e)
{
	const struct tlv_list *l = &f->list;
	long signer = tlv_list_signer(l);
	struct tlv_record r;
	struct span der = SPAN_NONE;
	enum status st = take_names(q, &l->header, e);

	if (st == ST_OK && signer >= 0) {
		r = tlv_list_record(l, (size_t)signer);
		st = list_file_certificate(f, &r, q->arg, &der, e);
	}
	buf_put(&q->certificate, der);
	if (st == ST_OK)
		st = buf_failed(&q->certificate, e);
	q->signer.certificate = buf_span(&q->certificate);
	if (st == ST_OK && q->what == TVS_VERIFY && der.n == 0)
		st = err_set(
			e, ST_INPUT,
			"%s: the list does not have its signer's certificate: ask by names, with '--query'",
			f->name);
	return st;
}

static enum status take(struct asked *q, struct tlv_err *e)
{
	enum status st = list_file_read(&q->file, q->arg, LIST_PRINTED | LIST_DAMAGED, e);

	if (st != ST_OK)
		return st;
	if (q->file.printed == NULL && !tlv_list_begins(blob_span(&q->file.file)))
		return take_certificate(q, e) == ST_OK ? ST_OK : err_in(e, "%s", q->arg);
	if (q->file.fault.status != ST_OK)
		return err_copy(e, &q->file.fault);
	return take_list(q, &q->file, e);
}

/* NULL if memory runs out. */
static struct asked *add(struct ask_tvs *a, enum tvs_question what, const char *arg)
{
	struct asked *q;

	if (!ARRAY_ROOM(a->asked, a->n, a->cap))
		return NULL;
	q = &a->asked[a->n++];
	*q = (struct asked){ .arg = arg, .what = what, .state = ASKED_SILENT };
	return q;
}

/* The last one's. Sessions are numbered from 1: an answer to another question is seen. */
static enum status put_question(struct ask_tvs *a, struct tlv_err *e)
{
	struct asked *q = &a->asked[a->n - 1];
	enum status st = tvs_put_question(&q->message, q->what, (uint32_t)a->n, ASK_TVS_DEVICE,
					  &q->signer, e);

	return st == ST_OK || st == ST_NOMEM ? st : err_in(e, "%s", q->arg);
}

enum status ask_tvs_about(struct ask_tvs *a, const char *arg, struct tlv_err *e)
{
	struct asked *q = add(a, a->what, arg);
	enum status st = q != NULL ? take(q, e) : err_nomem(e);

	return st == ST_OK ? put_question(a, e) : st;
}

enum status ask_tvs_about_list(struct ask_tvs *a, enum tvs_question what, struct list_file *f,
			       struct tlv_err *e)
{
	struct asked *q = add(a, what, f->name);
	enum status st = q != NULL ? take_list(q, f, e) : err_nomem(e);

	return st == ST_OK ? put_question(a, e) : st;
}

enum asked_state asked_state_of(const struct tvs_reply *r)
{
	if (!r->known)
		return ASKED_UNKNOWN;
	return tvs_reply_is_sast(r) ? ASKED_SAST : ASKED_KNOWN;
}

static enum status read_answer(struct ask_tvs *a, struct asked *q, uint32_t session,
			       struct tlv_err *e)
{
	struct span chain = SPAN_NONE, message = SPAN_NONE;
	enum status st = net_question_err(&q->answer, &q->fault);

	if (st == ST_OK && !net_read_chain(buf_span(&q->answer.bytes), &chain, &message))
		st = err_set(&q->fault, ST_INPUT, "%s: what came is no answer", a->at);
	if (st == ST_OK) {
		if (a->presented.n == 0)
			a->presented = cert_first(chain);
		else if (!span_eq(a->presented, cert_first(chain)))
			st = err_set(
				&q->fault, ST_INPUT,
				"%s: TVS presented two certificates in one run: ask again, and look for a balancer in between",
				a->at);
	}
	if (st == ST_OK &&
	    tvs_read_reply(&q->reply, message, q->what, session, &q->signer, &q->fault) != ST_OK)
		st = err_in(&q->fault, "%s", a->at);
	if (st == ST_OK)
		q->state = asked_state_of(&q->reply);
	return st == ST_NOMEM ? err_nomem(e) : ST_OK;
}

/*
 * The certificate is asked for apart, so that a TVS that ends the session shows it too. It stands
 * first: a server that takes one connection after the other is soon done with it.
 */
static void put_questions(const struct ask_tvs *a, struct net_question *q)
{
	q[0] = (struct net_question){ .what = NET_CHAIN, .target = a->at, .max = NET_CHAIN_MAX };
	for (size_t i = 0; i < a->n; i++)
		q[i + 1] = (struct net_question){ .what = NET_TALK,
						  .target = a->at,
						  .send = buf_span(&a->asked[i].message),
						  .max = NET_CHAIN_MAX + TVS_MESSAGE_MAX };
}

/* They own what came, whatever becomes of it. */
static void take_answers(struct ask_tvs *a, const struct net_question *q)
{
	for (size_t i = 0; i < a->n; i++)
		a->asked[i].answer = q[i + 1];
	a->chain = q[0];
}

static enum status read_answers(struct ask_tvs *a, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < a->n && st == ST_OK; i++)
		st = read_answer(a, &a->asked[i], (uint32_t)i + 1, e);
	if (st == ST_OK && a->presented.n == 0 && net_kind(&a->chain) == NET_KIND_CAME)
		a->presented = cert_first(buf_span(&a->chain.bytes));
	return st;
}

enum status ask_tvs_each(struct ask_tvs *const *v, size_t n, struct tlv_err *e)
{
	struct net_question *q;
	enum status st;
	size_t all = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		all += v[i]->n + 1;
	q = calloc(all + 1, sizeof *q);
	if (q == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; at += v[i++]->n + 1)
		put_questions(v[i], &q[at]);
	st = net_ask_all(q, all, e);
	at = 0;
	for (size_t i = 0; i < n; at += v[i++]->n + 1)
		take_answers(v[i], &q[at]);
	free(q);
	for (size_t i = 0; i < n && st == ST_OK; i++)
		st = read_answers(v[i], e);
	return st;
}

enum status ask_tvs(struct ask_tvs *a, struct tlv_err *e)
{
	return ask_tvs_each(&a, 1, e);
}

size_t ask_tvs_count(const struct ask_tvs *a, enum asked_state s)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += a->asked[i].state == s;
	return n;
}

void ask_tvs_free(struct ask_tvs *a)
{
	for (size_t i = 0; i < a->n; i++) {
		struct asked *q = &a->asked[i];

		list_file_free(&q->file);
		buf_free(&q->certificate);
		buf_free(&q->names);
		buf_free(&q->message);
		net_question_free(&q->answer);
	}
	net_question_free(&a->chain);
	free(a->asked);
	free(a->at);
	*a = ASK_TVS_INIT;
}
