/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/tvs.h"

#include "tlv/kind.h"

#define ASSUME(name) (1U << TVS_ASSUMES_##name)

/* The next record from *i on that shows a TVS certificate. */
static bool next_tvs(const struct tlv_list *l, size_t *i, struct tlv_record *r)
{
	for (; *i < l->nrecords; (*i)++) {
		*r = tlv_list_record(l, *i);
		if (r->role == TLV_ROLE_TVS && r->certificate.n > 0)
			return true;
	}
	return false;
}

bool tvs_list_says_now(const struct tlv_list *l)
{
	struct tlv_record r;
	size_t i = 0;

	return tlv_list_is_itl(l) && next_tvs(l, &i, &r);
}

/* Whether the record's certificate is this one. Of a printed list the SHA-1 is known, as of another printed one. */
static bool is_certificate(const struct tlv_list *l, const struct tlv_record *r, struct span der)
{
	uint8_t sha1[20];

	if (span_eq(r->certificate, der))
		return true;
	return l->printed && cert_sha1(der, sha1, NULL) == ST_OK &&
	       span_starts(r->certificate, span_of(sha1, sizeof sha1));
}

/* [TVS_CERT_IN_ITL]: the phone compares the certificate, byte for byte. */
static bool names_tvs(const struct tlv_list *itl, struct span der, struct span *node)
{
	struct tlv_record r;

	for (size_t i = 0; next_tvs(itl, &i, &r); i++)
		if (is_certificate(itl, &r, der)) {
			*node = tlv_text(r.dns_name.n > 1 ? r.dns_name : r.subject);
			return true;
		}
	return false;
}

struct presented {
	size_t n; /* certificates that TVS presents today */
	struct tvs_answer *a;
};

static void note_presented(struct presented *x, const struct tlv_list *itl, struct span der)
{
	struct span node;

	x->n++;
	if (!names_tvs(itl, der, &node))
		return;
	if (x->a->nodes < TVS_NODES_SHOWN)
		x->a->node[x->a->nodes] = node;
	x->a->nodes++;
}

static void compare_today(struct tvs_answer *a, const struct phone *p,
			  const struct tlv_list *new_list)
{
	struct presented x = { .a = a };
	struct tlv_record r;

	if (tvs_list_says_now(new_list))
		for (size_t i = 0; next_tvs(new_list, &i, &r); i++)
			note_presented(&x, p->itl, r.certificate);
	else
		for (size_t i = 0; p->tvs_now != NULL && i < p->tvs_now->n; i++)
			note_presented(&x, p->itl, buf_span(&p->tvs_now->v[i].cert.der));
	if (x.n == 0)
		a->assumptions |= ASSUME(TVS_CERT);
	else if (a->nodes == 0)
		a->reach = TVS_RENEWED;
	else if (a->nodes < x.n)
		a->assumptions |= ASSUME(GROUP);
}

static bool has_tvs_record(const struct tlv_list *itl)
{
	for (size_t i = 0; i < itl->nrecords; i++)
		if (tlv_list_record(itl, i).role == TLV_ROLE_TVS)
			return true;
	return false;
}

/* An ITL that is not shown is taken to name a TVS, and that TVS to be there still. */
static void reach(struct tvs_answer *a, const struct phone *p, const struct tlv_list *new_list)
{
	if (p->no_tvs)
		a->reach = TVS_NOT_ASKED;
	else if (p->blank_itl)
		a->reach = TVS_BLANKED;
	else if (p->itl == NULL)
		a->assumptions |= ASSUME(ITL) | ASSUME(TVS_CERT);
	else if (!has_tvs_record(p->itl))
		a->reach = TVS_NO_RECORD;
	else
		compare_today(a, p, new_list);
}

/* A certificate that TVS may hold. */
struct held {
	struct tlv_cert parts;
	struct span der;
	bool own; /* the list says so, nobody else */
	bool by_text,
		signs; /* of a printed list: no parts, but whether its record is the signer's */
};

/* [LOOKS_UP_TEXT]: as CUCM itself spells it. */
static bool spelled_by_cucm(const struct held *c, const struct tlv_header *h)
{
	struct buf issuer = BUF_INIT;
	bool same = tlv_name_write(&issuer, c->parts.issuer, TLV_NAME_SERVER, ',', NULL) == ST_OK;

	buf_u8(&issuer, 0);
	same = same && tlv_header_names(h, c->parts.serial, buf_span(&issuer));
	buf_free(&issuer);
	return c->by_text ? c->signs : same;
}

/* [LOOKS_UP_CTL]: the server's own CTL lends TVS its spelling of a certificate that was uploaded. */
static bool spelled_by_ctl(const struct held *c, const struct tlv_list *ctl,
			   const struct tlv_header *h)
{
	for (size_t i = 0; ctl != NULL && i < ctl->nrecords; i++) {
		struct tlv_record r = tlv_list_record(ctl, i);

		if (tlv_record_is(&r, TLV_ROLE_SAST) && tlv_record_signs(&r, h) &&
		    span_eq(r.certificate, c->der))
			return true;
	}
	return false;
}

/* The same signer in a spelling that TVS does not look for. */
static bool is_near(const struct held *c, const struct tlv_header *h)
{
	return !c->by_text && tlv_header_means(h, &c->parts);
}

static bool is_later(const struct tlv_header *held, const struct tlv_header *new_list)
{
	return tlv_header_has(held, TLV_H_TIMESTAMP) && tlv_header_has(new_list, TLV_H_TIMESTAMP) &&
	       held->timestamp > new_list->timestamp;
}

/* [OWN_GONE]: a later list of the same kind no longer names it. What is SAST there needs no TVS. */
static bool is_gone(const struct phone *p, const struct tlv_list *new_list, struct span der)
{
	const struct tlv_list *held = tlv_list_is_itl(new_list) ? p->itl : p->ctl;

	return held != NULL && (p->goes_back || is_later(&held->header, &new_list->header)) &&
	       !tlv_list_has_tftp(held, der);
}

/* [KNOWS_OWN], [KNOWS_ITLRECOVERY] */
static bool is_own(const struct tlv_record *r, const struct release *release)
{
	if (tlv_record_is_tftp(r))
		return true;
	return tlv_record_is(r, TLV_ROLE_SAST) && release != NULL &&
	       release->itl_signer == RELEASE_ITLRECOVERY && tlv_record_is_itlrecovery(r);
}

/* What TVS holds, one after the other: what it was given, then what the new list says is its own. */
static bool next_held(const struct phone *p, const struct tlv_list *new_list, size_t *i,
		      struct held *c)
{
	size_t given = p->vouched != NULL ? p->vouched->n : 0;

	if (*i < given) {
		const struct cert *v = &p->vouched->v[(*i)++].cert;

		*c = (struct held){ .parts = v->parts, .der = buf_span(&v->der) };
		return true;
	}
	while (*i - given < new_list->nrecords) {
		struct tlv_record r = tlv_list_record(new_list, (*i)++ - given);

		*c = (struct held){ .der = r.certificate,
				    .own = true,
				    .by_text = new_list->printed,
				    .signs = tlv_record_signs(&r, &new_list->header) };
		if (is_own(&r, p->release) && !is_gone(p, new_list, c->der) &&
		    (c->by_text || tlv_cert_walk(r.certificate, &c->parts, NULL) == ST_OK))
			return true;
	}
	return false;
}

static void found(struct tvs_answer *a, const struct held *c, unsigned more)
{
	a->knows = true;
	a->key = c->parts.public_key;
	a->assumptions |= more | (c->own ? ASSUME(OWN) : 0U);
}

static void look_up(struct tvs_answer *a, const struct phone *p, const struct tlv_list *new_list)
{
	const struct tlv_header *h = &new_list->header;
	const struct tlv_list *ctl = p->tvs_ctl_is_new ? new_list : p->tvs_ctl;
	struct held c;

	for (size_t i = 0; !a->knows && next_held(p, new_list, &i, &c);)
		if (spelled_by_cucm(&c, h))
			found(a, &c, 0);
	for (size_t i = 0; !a->knows && next_held(p, new_list, &i, &c);)
		if (!c.own && spelled_by_ctl(&c, ctl, h))
			found(a, &c, p->tvs_ctl_is_new ? ASSUME(CTL) : 0U);
	for (size_t i = 0; !a->knows && !a->near && next_held(p, new_list, &i, &c);)
		if (is_near(&c, h)) {
			a->near = true;
			a->near_issuer = c.parts.issuer;
		}
}

struct tvs_answer tvs_ask(const struct phone *p, const struct tlv_list *new_list)
{
	struct tvs_answer a = { .reach = TVS_REACHED };

	reach(&a, p, new_list);
	if (a.reach == TVS_REACHED)
		look_up(&a, p, new_list);
	return a;
}
