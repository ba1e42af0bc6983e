/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/own.h"

#include "tlv/kind.h"

static bool is_recovery(const struct tlv_record *r)
{
	return tlv_record_is(r, TLV_ROLE_SAST) && tlv_record_is_itlrecovery(r);
}

static bool is_server(const struct tlv_record *r)
{
	return tlv_record_is_tftp(r) || tlv_record_is(r, TLV_ROLE_CCM);
}

/* [KNOWS_OWN], [KNOWS_ITLRECOVERY] */
static bool is_own(const struct tlv_record *r, const struct release *release)
{
	return tlv_record_is_tftp(r) ||
	       (release != NULL && is_recovery(r) && release->itl_signer == RELEASE_ITLRECOVERY);
}

static bool is_later(const struct tlv_list *held, const struct tlv_list *new_list)
{
	return tlv_header_has(&held->header, TLV_H_TIMESTAMP) &&
	       tlv_header_has(&new_list->header, TLV_H_TIMESTAMP) &&
	       held->header.timestamp > new_list->header.timestamp;
}

static bool has_certificate(const struct tlv_list *l, struct span der)
{
	for (size_t i = 0; i < l->nrecords; i++)
		if (span_eq(tlv_list_record(l, i).certificate, der))
			return true;
	return false;
}

static bool is_same(struct span a, struct span b)
{
	return tlv_text(a).n > 0 && span_eq(tlv_text(a), tlv_text(b));
}

static bool is_same_node(const struct tlv_record *a, const struct tlv_record *b)
{
	return is_same(a->dns_name, b->dns_name) || is_same(a->subject, b->subject) ||
	       (a->address.n > 0 && span_eq(a->address, b->address));
}

/*
 * Whether the later list has this record where it would have the own one. A CTL has the CallManager
 * certificates of all nodes, an ITL its own node's. Before [ONE_ITLRECOVERY] each node has its own.
 */
static bool is_in_place(const struct tlv_record *other, const struct tlv_list *later,
			const struct tlv_record *own, const struct release *release)
{
	bool recovery = is_recovery(own);
	bool one_place = recovery ? release_has_one_itlrecovery(release) : !tlv_list_is_itl(later);

	return other->certificate.n > 0 && (recovery ? is_recovery(other) : is_server(other)) &&
	       (one_place || is_same_node(own, other));
}

/* [OWN_GONE] */
static bool is_replaced(const struct phone *p, const struct tlv_list *new_list,
			const struct tlv_record *own)
{
	const struct tlv_list *held = tlv_list_is_itl(new_list) ? p->itl : p->ctl;

	if (held == NULL || !(p->goes_back || is_later(held, new_list)) ||
	    has_certificate(held, own->certificate))
		return false;
	for (size_t i = 0; i < held->nrecords; i++) {
		struct tlv_record r = tlv_list_record(held, i);

		if (is_in_place(&r, held, own, p->release))
			return true;
	}
	return false;
}

bool own_is_known(const struct phone *p, const struct tlv_list *new_list,
		  const struct tlv_record *r)
{
	return !p->foreign && is_own(r, p->release) && r->certificate.n > 0 &&
	       !is_replaced(p, new_list, r);
}

/* A SAST record may be of a token that two clusters share. */
static bool has_node(const struct tlv_list *l, const struct tlv_record *of)
{
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (r.role != TLV_ROLE_SAST &&
		    (is_same_node(&r, of) ||
		     (r.certificate.n > 0 && span_eq(r.certificate, of->certificate))))
			return true;
	}
	return false;
}

static size_t count_nodes(const struct tlv_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->nrecords; i++)
		n += tlv_list_record(l, i).role != TLV_ROLE_SAST;
	return n;
}

bool own_is_phones(const struct phone *p, const struct tlv_list *new_list)
{
	const struct tlv_list *const held[] = { p->ctl, p->itl };
	bool foreign = false;

	for (size_t i = 0; i < COUNT(held); i++) {
		if (held[i] == NULL)
			continue;
		if (!own_is_foreign(held[i], new_list))
			return true;
		foreign = true;
	}
	return !foreign;
}

/* [ITL_RECORDS]: lists of one cluster share nodes, whatever was renewed in between. */
bool own_is_foreign(const struct tlv_list *l, const struct tlv_list *other)
{
	if (count_nodes(l) == 0 || count_nodes(other) == 0 || l->nrecords > OWN_RECORDS_TRIED ||
	    other->nrecords > OWN_RECORDS_TRIED)
		return false;
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (r.role != TLV_ROLE_SAST && has_node(other, &r))
			return false;
	}
	return true;
}
