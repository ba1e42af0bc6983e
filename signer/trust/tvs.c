/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/tvs.h"

#include "signer/trust/own.h"
#include "tlv/kind.h"

#define ASSUME(name) (1U << TVS_ASSUMES_##name)

static bool is_tvs(const struct tlv_record *r)
{
	return r->role == TLV_ROLE_TVS && (r->certificate.n > 0 || r->hash.n > 0);
}

/* The next record from *i on that shows a TVS certificate, or its hash. */
static bool next_tvs(const struct tlv_list *l, size_t *i, struct tlv_record *r)
{
	for (; *i < l->nrecords; (*i)++) {
		*r = tlv_list_record(l, *i);
		if (is_tvs(r))
			return true;
	}
	return false;
}

/* The next one that shows the certificate itself. */
static bool next_shown(const struct tlv_list *l, size_t *i, struct tlv_record *r)
{
	while (next_tvs(l, i, r)) {
		if (r->certificate.n > 0)
			return true;
		(*i)++;
	}
	return false;
}

bool tvs_list_says_now(const struct tlv_list *l)
{
	struct tlv_record r;
	size_t i = 0;

	return tlv_list_is_itl(l) && next_shown(l, &i, &r);
}

static struct span node_of(const struct tlv_record *r)
{
	return tlv_text(r->dns_name.n > 1 ? r->dns_name : r->subject);
}

/* Where TVS's certificates of today are named. */
struct today {
	const struct tlv_list *list; /* NULL: in the set */
	const struct certset *set;
};

static bool next_today(const struct today *t, size_t *i, struct span *der)
{
	struct tlv_record r;
	bool more = t->list != NULL ? next_shown(t->list, i, &r) : t->set != NULL && *i < t->set->n;

	if (more)
		*der = t->list != NULL ? r.certificate : buf_span(&t->set->v[*i].cert.der);
	(*i)++;
	return more;
}

/* Whether it is named once more in front of the one that ends there. */
static bool is_repeated(const struct today *t, size_t end, struct span der)
{
	struct span other;

	for (size_t i = 0; next_today(t, &i, &other) && i < end;)
		if (span_eq(other, der))
			return true;
	return false;
}

/* [TVS_CERT_IN_ITL]: the phone compares the certificate, byte for byte. */
static bool is_todays(const struct today *t, const struct tlv_list *itl, const struct tlv_record *r)
{
	struct span der;

	for (size_t i = 0; next_today(t, &i, &der);)
		if (cert_is_of_record(itl, r, der))
			return true;
	return false;
}

/* The search goes back, so that records of one name cost no more than their number. */
static bool is_counted(const struct today *t, const struct tlv_list *itl, size_t at,
		       struct span node)
{
	for (; at > 0; at--) {
		struct tlv_record r = tlv_list_record(itl, at - 1);

		if (is_tvs(&r) && span_eq(node_of(&r), node) && is_todays(t, itl, &r))
			return true;
	}
	return false;
}

static size_t count_nodes(const struct today *t, const struct tlv_list *itl)
{
	struct tlv_record r;
	size_t n = 0;

	for (size_t i = 0; next_tvs(itl, &i, &r); i++)
		if (is_todays(t, itl, &r) && !is_counted(t, itl, i, node_of(&r)))
			n++;
	return n;
}

/* Puts the node behind the others, if it is new and there is room: how many there are. */
static size_t put_node(struct tvs_answer *a, struct span node)
{
	size_t n = a->nodes;

	for (size_t i = 0; i < n; i++)
		if (span_eq(a->node[i], node))
			return n;
	if (n < TVS_NODES_SHOWN)
		a->node[n++] = node;
	return n;
}

static bool names_tvs(struct tvs_answer *a, const struct tlv_list *itl, struct span der)
{
	struct tlv_record r;
	bool named = false;

	for (size_t i = 0; next_tvs(itl, &i, &r); i++)
		if (cert_is_of_record(itl, &r, der)) {
			a->nodes = put_node(a, node_of(&r));
			named = true;
		}
	return named;
}

static void compare(struct tvs_answer *a, const struct tlv_list *itl, const struct today *t)
{
	size_t presented = 0, believed = 0;
	struct span der;

	for (size_t i = 0; next_today(t, &i, &der);) {
		if (is_repeated(t, i, der))
			continue;
		presented++;
		believed += names_tvs(a, itl, der) ? 1 : 0;
	}
	if (presented == 0)
		a->assumptions |= ASSUME(TVS_CERT);
	else if (believed == 0)
		a->reach = TVS_RENEWED;
	else if (believed < presented)
		a->assumptions |= ASSUME(GROUP);
	if (a->nodes == TVS_NODES_SHOWN)
		a->nodes = count_nodes(t, itl);
}

/*
 * What the new ITL names is what TVS has after its restart. If less of that is believed, it counts
 * for phones that ask then; for those that ask before, the answer ends with the restart.
 */
static void compare_later(struct tvs_answer *a, const struct phone *p,
			  const struct tlv_list *new_list)
{
	struct tvs_answer later = { .reach = TVS_REACHED };
	bool worse;

	compare(&later, p->itl, &(struct today){ .list = new_list });
	if (later.reach == TVS_REACHED && later.assumptions == 0)
		return;
	worse = later.reach == TVS_RENEWED || (later.assumptions & ~a->assumptions) != 0;
	if (!p->tvs_restarts) {
		a->until_restart = worse && own_is_phones(p, new_list);
		return;
	}
	later.later = later.reach == TVS_RENEWED;
	later.assumptions |= a->assumptions;
	*a = later;
}

static void compare_today(struct tvs_answer *a, const struct phone *p,
			  const struct tlv_list *new_list)
{
	/*
	 * A person who names them knows better: the new ITL may be another cluster's, whose TVS the
	 * phone never asks.
	 */
	bool named = p->tvs_now != NULL && p->tvs_now->n > 0;
	bool says = !p->foreign && tvs_list_says_now(new_list);

	compare(a, p->itl,
		&(struct today){ .list = !named && says ? new_list : NULL, .set = p->tvs_now });
	if (named && says && a->reach == TVS_REACHED)
		compare_later(a, p, new_list);
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

/*
 * [LOOKS_UP_CTL]: the server's own CTL lends TVS its spelling of a certificate that was uploaded.
 */
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

/*
 * The certificates that TVS holds: first those it was given, then its own, as the new list shows
 * them.
 */
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
		if (own_is_known(p, new_list, &r) &&
		    (c->by_text || tlv_cert_walk(r.certificate, &c->parts, NULL) == ST_OK))
			return true;
	}
	return false;
}

static void found(struct tvs_answer *a, const struct held *c, unsigned more)
{
	a->knows = true;
	a->key = c->parts.public_key;
	a->certificate = c->der;
	a->assumptions |= more | (c->own ? ASSUME(OWN) : 0U);
}

/* The CTL that the TVS node serves. An ITL is none. */
static const struct tlv_list *served_ctl(const struct phone *p, const struct tlv_list *new_list)
{
	const struct tlv_list *ctl = p->tvs_ctl_is_new ? new_list : p->tvs_ctl;

	return ctl == NULL || tlv_list_is_itl(ctl) ? NULL : ctl;
}

static void look_up(struct tvs_answer *a, const struct phone *p, const struct tlv_list *new_list)
{
	const struct tlv_header *h = &new_list->header;
	const struct tlv_list *ctl = served_ctl(p, new_list);
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

/* TVS knows another cluster's certificates from uploads alone, wherever the phone found TVS. */
static void look_up_own_cluster(struct tvs_answer *a, const struct phone *p,
				const struct tlv_list *new_list)
{
	struct phone own = *p;

	a->foreign = p->foreign || !own_is_phones(p, new_list);
	own.foreign = a->foreign;
	look_up(a, &own, new_list);
}

/* Whether the ITL names a TVS whose certificate none of those presents that were asked. */
static bool names_others(const struct tlv_list *itl, const struct certset *asked)
{
	const struct today t = { .set = asked };
	struct tlv_record r;

	for (size_t i = 0; itl != NULL && next_tvs(itl, &i, &r); i++)
		if (!is_todays(&t, itl, &r))
			return true;
	return false;
}

/* Phones whose ITL is not shown are taken to believe it. */
static bool believes(const struct tlv_list *itl, struct span presented)
{
	struct tlv_record r;

	for (size_t i = 0; itl != NULL && next_tvs(itl, &i, &r); i++)
		if (cert_is_of_record(itl, &r, presented))
			return true;
	return itl == NULL;
}

/* It has looked the signer up itself: nothing about that is assumed. */
static void take_heard(struct tvs_answer *a, const struct tvs_heard *heard)
{
	struct tlv_cert c;

	a->knows = tvs_reply_is_sast(heard->reply);
	a->certificate = heard->certificate;
	if (tlv_cert_walk(heard->certificate, &c, NULL) == ST_OK)
		a->key = c.public_key;
}

struct tvs_answer tvs_ask(const struct phone *p, const struct tlv_list *new_list)
{
	struct tvs_answer a = { .reach = TVS_REACHED };

	reach(&a, p, new_list);
	a.heard = p->heard != NULL && (a.reach == TVS_REACHED || a.reach == TVS_RENEWED);
	a.believed = a.heard && believes(p->itl, p->heard->presented);
	a.others = a.heard && names_others(p->itl, p->tvs_now);
	if (a.reach == TVS_REACHED && a.heard)
		take_heard(&a, p->heard);
	else if (a.reach == TVS_REACHED)
		look_up_own_cluster(&a, p, new_list);
	return a;
}
