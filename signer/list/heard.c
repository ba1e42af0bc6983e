/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/heard.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signer/io/out.h"
#include "signer/list/json.h"
#include "tlv/safe.h"

/* The questions, in this order. A list without its signer's certificate has no second one. */
enum { BY_NAMES, BY_CERTIFICATE };

static struct heard_host *add(struct heard *h)
{
	struct heard_host *x;

	if (!ARRAY_ROOM(h->v, h->n, h->cap))
		return NULL;
	x = &h->v[h->n++];
	*x = (struct heard_host){ .ask = ASK_TVS_INIT };
	return x;
}

enum status heard_at(struct heard *h, const char *host, struct tlv_err *e)
{
	struct heard_host *x = add(h);
	enum status st = x != NULL ? ask_tvs_at(&x->ask, host, e) : err_nomem(e);

	for (size_t i = 0; st == ST_OK && i + 1 < h->n; i++)
		if (strcasecmp(h->v[i].ask.at, x->ask.at) == 0)
			st = err_set(e, ST_USAGE,
				     "'--tvs %s' is named twice: each TVS is asked once",
				     x->ask.at);
	return st;
}

static enum status no_answer(const struct heard_host *h, const struct asked *q, struct tlv_err *e)
{
	return err_set(
		e, ST_INPUT,
		"'--tvs %s': no answer about the signer of %s: %s; ask another node, or leave out '--tvs'",
		h->ask.at, q->arg, net_question_why(&q->answer, &q->fault));
}

/* A printed list has no keys at all, so that its signature is assumed. */
static enum status no_certificate(const struct heard_host *h, bool printed, struct tlv_err *e)
{
	return printed ?
		       ST_OK :
		       err_set(e, ST_INPUT,
			       "'--tvs %s': TVS knows the signer of %s but shows no certificate, and the list has none: its signature cannot be checked; leave out '--tvs', and give the certificate with '--sast-trust'",
			       h->ask.at, h->ask.asked[BY_NAMES].arg);
}

/* A yes to the names alone may be about another certificate of these names. */
static enum status choose_certificate(struct heard_host *h, bool printed, struct tlv_err *e)
{
	const struct asked *names = &h->ask.asked[BY_NAMES];
	const struct asked *own = h->ask.n > BY_CERTIFICATE ? &h->ask.asked[BY_CERTIFICATE] : NULL;

	h->tvs.certificate = names->reply.certificate;
	if (names->state != ASKED_SAST || names->reply.certificate.n > 0)
		return ST_OK;
	if (own == NULL)
		return no_certificate(h, printed, e);
	if (own->state == ASKED_SILENT)
		return no_answer(h, own, e);
	h->tvs.own = &own->reply;
	if (own->state == ASKED_SAST)
		h->tvs.certificate = own->signer.certificate;
	return ST_OK;
}

static enum status take(struct heard *all, struct heard_host *h, struct tlv_err *e)
{
	const struct asked *names = &h->ask.asked[BY_NAMES];
	enum status st;

	if (names->state == ASKED_SILENT)
		return no_answer(h, names, e);
	st = certset_add(&all->presented, h->ask.presented, NULL, e);
	if (st != ST_OK)
		return err_in(e, "%s", h->ask.at);
	buf_put(&h->signer, names->signer.subject);
	st = buf_failed(&h->signer, e);
	h->tvs = (struct tvs_heard){ .next = h + 1 < &all->v[all->n] ? &h[1].tvs : NULL,
				     .host = h->ask.at,
				     .presented = h->ask.presented,
				     .signer = buf_span(&h->signer),
				     .reply = &names->reply };
	return st == ST_OK ? choose_certificate(h, all->printed, e) : st;
}

enum status heard_about(struct heard *h, struct list_file *f, struct tlv_err *e)
{
	enum status st = ST_OK;

	h->printed = f->list.printed;
	for (size_t i = 0; st == ST_OK && i < h->n; i++) {
		struct ask_tvs *a = &h->v[i].ask;

		st = ask_tvs_about_list(a, TVS_QUERY, f, e);
		if (st == ST_OK && a->asked[BY_NAMES].signer.certificate.n > 0)
			st = ask_tvs_about_list(a, TVS_VERIFY, f, e);
	}
	return st;
}

enum status heard_ask(struct heard *h, struct tlv_err *e)
{
	struct ask_tvs **all = calloc(h->n + 1, sizeof *all);
	enum status st;

	if (all == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < h->n; i++)
		all[i] = &h->v[i].ask;
	st = ask_tvs_each(all, h->n, e);
	free(all);
	for (size_t i = 0; st == ST_OK && i < h->n; i++)
		st = take(h, &h->v[i], e);
	h->answered = st == ST_OK;
	return st;
}

void heard_let(const struct heard *h, struct phone *p)
{
	p->heard = h->n > 0 ? &h->v[0].tvs : NULL;
	p->tvs_now = &h->presented;
}

void heard_free(struct heard *h)
{
	for (size_t i = 0; i < h->n; i++) {
		ask_tvs_free(&h->v[i].ask);
		buf_free(&h->v[i].signer);
	}
	free(h->v);
	certset_free(&h->presented);
	*h = HEARD_INIT;
}

void heard_put_hosts(const struct heard *h, struct buf *out)
{
	for (size_t i = 0; i < h->n; i++) {
		buf_str(out, i > 0 ? ", " : "");
		safe_text(out, span_str(h->v[i].ask.at));
	}
}

json_t *heard_hosts_json(const struct heard *h)
{
	json_t *all = json_array();

	for (size_t i = 0; h != NULL && i < h->n; i++)
		(void)json_array_append_new(all, json_string(h->v[i].ask.at));
	return all;
}

/* Each once: it is said with every verdict, and a TVS may answer 64 KiB of them. */
static json_t *roles_json(struct span roles)
{
	struct buf each = BUF_INIT;
	json_t *all;

	for (size_t i = 0; i < roles.n; i++)
		if (!span_has(buf_span(&each), (uint8_t)span_at(roles, i)))
			buf_u8(&each, (uint8_t)span_at(roles, i));
	all = list_json_roles(buf_span(&each));
	buf_free(&each);
	return all;
}

json_t *heard_json(const struct tvs_heard *heard)
{
	json_t *o;
	uint8_t sha1[20];

	if (heard == NULL)
		return json_null();
	o = json_object();
	out_json_set(o, "tvs", json_string(heard->host));
	out_json_set(o, "presented",
		     cert_sha1(heard->presented, sha1, NULL) == ST_OK ?
			     out_json_hex(span_of(sha1, sizeof sha1)) :
			     json_null());
	out_json_set_text(o, "signer", heard->signer);
	out_json_set(o, "state", json_string(asked_state_text(asked_state_of(heard->reply))));
	out_json_set(o, "status", json_integer(heard->reply->status));
	out_json_set(o, "roles", roles_json(heard->reply->roles));
	out_json_set(o, "certificate_state",
		     heard->own != NULL ?
			     json_string(asked_state_text(asked_state_of(heard->own))) :
			     json_null());
	out_json_set(o, "ttl",
		     heard->reply->has_ttl ? json_integer(heard->reply->ttl) : json_null());
	return o;
}

json_t *heard_all_json(const struct tvs_heard *heard)
{
	json_t *all = json_array();

	for (; heard != NULL; heard = heard->next)
		(void)json_array_append_new(all, heard_json(heard));
	return all;
}
