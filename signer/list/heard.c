/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/heard.h"

#include "signer/io/out.h"
#include "signer/list/json.h"

/* The questions, in this order. A list without its signer's certificate has no second one. */
enum { BY_NAMES, BY_CERTIFICATE };

enum status heard_at(struct heard *h, const char *host, struct tlv_err *e)
{
	return ask_tvs_at(&h->ask, host, e);
}

static enum status no_answer(const struct heard *h, const struct asked *q, struct tlv_err *e)
{
	return err_set(
		e, ST_INPUT,
		"'--tvs %s': no answer about the signer of %s: %s; ask another node, or leave out '--tvs'",
		h->ask.at, q->arg, net_question_why(&q->answer, &q->fault));
}

/* A printed list has no keys at all, so that its signature is assumed. */
static enum status no_certificate(const struct heard *h, bool printed, struct tlv_err *e)
{
	return printed ?
		       ST_OK :
		       err_set(e, ST_INPUT,
			       "'--tvs %s': TVS knows the signer of %s but shows no certificate, and the list has none: its signature cannot be checked; leave out '--tvs', and give the certificate with '--sast-trust'",
			       h->ask.at, h->ask.asked[BY_NAMES].arg);
}

/* A yes to the names alone may be about another certificate of these names. */
static enum status choose_certificate(struct heard *h, bool printed, struct tlv_err *e)
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

static enum status take(struct heard *h, bool printed, struct tlv_err *e)
{
	const struct asked *names = &h->ask.asked[BY_NAMES];
	enum status st;

	if (names->state == ASKED_SILENT)
		return no_answer(h, names, e);
	st = certset_add(&h->presented, h->ask.presented, NULL, e);
	if (st != ST_OK)
		return err_in(e, "%s", h->ask.at);
	buf_put(&h->signer, names->signer.subject);
	st = buf_failed(&h->signer, e);
	h->tvs = (struct tvs_heard){ .host = h->ask.at,
				     .presented = h->ask.presented,
				     .signer = buf_span(&h->signer),
				     .reply = &names->reply };
	return st == ST_OK ? choose_certificate(h, printed, e) : st;
}

enum status heard_ask(struct heard *h, struct list_file *f, struct tlv_err *e)
{
	enum status st = ask_tvs_about_list(&h->ask, TVS_QUERY, f, e);

	if (st == ST_OK && h->ask.asked[BY_NAMES].signer.certificate.n > 0)
		st = ask_tvs_about_list(&h->ask, TVS_VERIFY, f, e);
	if (st == ST_OK)
		st = ask_tvs(&h->ask, e);
	return st == ST_OK ? take(h, f->list.printed, e) : st;
}

void heard_let(const struct heard *h, struct phone *p)
{
	p->heard = &h->tvs;
	p->tvs_now = &h->presented;
}

void heard_free(struct heard *h)
{
	ask_tvs_free(&h->ask);
	certset_free(&h->presented);
	buf_free(&h->signer);
}

static void set(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
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
	set(o, "tvs", json_string(heard->host));
	set(o, "presented",
	    cert_sha1(heard->presented, sha1, NULL) == ST_OK ?
		    out_json_hex(span_of(sha1, sizeof sha1)) :
		    json_null());
	out_json_set_text(o, "signer", heard->signer);
	set(o, "state", json_string(asked_state_text(asked_state_of(heard->reply))));
	set(o, "status", json_integer(heard->reply->status));
	set(o, "roles", roles_json(heard->reply->roles));
	set(o, "certificate_state",
	    heard->own != NULL ? json_string(asked_state_text(asked_state_of(heard->own))) :
				 json_null());
	set(o, "ttl", heard->reply->has_ttl ? json_integer(heard->reply->ttl) : json_null());
	return o;
}
