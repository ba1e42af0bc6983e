/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/migrate.h"

#include <stdlib.h>
#include <string.h>

#include "signer/crypto/certset.h"
#include "tlv/kind.h"
#include "tlv/text.h"

void migrate_records_free(struct migrate_records *r)
{
	entries_free(&r->entries);
	buf_free(&r->bytes);
}

bool migrate_is_token(const struct migrate_input *in, const struct cert *c)
{
	return in->direction == MIGRATE_TO_TOKENS && !tlv_cert_is_itlrecovery(&c->parts) &&
	       !tlv_list_has_node(in->old, buf_span(&c->der));
}

static bool has_sast(const struct entries *es, struct span der)
{
	for (size_t i = 0; i < es->n; i++)
		if (es->v[i].role == TLV_ROLE_SAST && span_eq(buf_span(&es->v[i].cert.der), der))
			return true;
	return false;
}

static bool first_node(const struct tlv_list *old, struct tlv_record *out)
{
	for (size_t i = 0; i < old->nrecords; i++) {
		*out = tlv_list_record(old, i);
		if (tlv_record_is(out, TLV_ROLE_CCM_TFTP))
			return true;
	}
	return false;
}

static enum status set_name(struct entry *x, struct span name, struct tlv_err *e)
{
	if (name.n == 0)
		return ST_OK;
	x->name = span_dup(name);
	return x->name != NULL ? ST_OK : err_nomem(e);
}

/*
 * In non-secure mode the nodes' records have no certificates, so that none is
 * the anchor's. The publisher comes first in every list; where that names it
 * by its address, its host name is in CallManager's own certificate.
 */
static enum status place_of_publisher(struct entry *x, const struct tlv_list *old,
				      struct tlv_err *e)
{
	struct buf name = BUF_INIT;
	struct tlv_record node;
	bool by_address;
	enum status st;

	if (!tlv_list_is_non_secure(old) || !first_node(old, &node))
		return ST_OK;
	/* The CTL Client names a node by its address. */
	by_address = span_ipv4(tlv_text(node.dns_name), x->address);
	if (!x->has_address)
		x->has_address = by_address ||
				 (node.address.n == 4 && span_copy(node.address, x->address, 4));
	if (!by_address)
		return set_name(x, tlv_text(node.dns_name), e);
	st = tlv_cert_is_itlrecovery(&x->cert.parts) ? ST_OK :
						       cert_short_name(&x->cert.parts, &name, e);
	if (st == ST_OK)
		st = set_name(x, buf_span(&name), e);
	buf_free(&name);
	return st;
}

/* What CUCM itself signs is spelled as CUCM spells: TVS looks it up so. */
static enum tlv_style final_style(const struct migrate_input *in)
{
	return in->direction == MIGRATE_TO_TOKENLESS && !in->restyle ? TLV_STYLE_CUCM :
								       in->dialect.style;
}

static enum status name_anchor(struct entry *x, const struct migrate_input *in, struct tlv_err *e)
{
	if (x->token)
		return ST_OK;
	if (in->publisher != NULL)
		return set_name(x, span_str(in->publisher), e);
	if (place_of_publisher(x, in->old, e) != ST_OK)
		return e->status;
	if (x->name == NULL && tlv_list_is_non_secure(in->old) && final_style(in) == TLV_STYLE_CUCM)
		return err_set(
			e, ST_USAGE,
			"a new SAST record needs the publisher's host name, which this list does not tell: say it with --publisher");
	return ST_OK;
}

/*
 * A server certificate's SAST record takes name and address of the record with the same
 * certificate.
 */
static enum status borrow_place(struct entry *x, const struct migrate_input *in, struct tlv_err *e)
{
	const struct tlv_list *old = in->old;

	for (size_t i = 0; i < old->nrecords && !x->token && !x->has_address; i++) {
		struct tlv_record r = tlv_list_record(old, i);

		if (tlv_record_is(&r, TLV_ROLE_SAST) ||
		    !span_eq(r.certificate, buf_span(&x->cert.der)))
			continue;
		x->has_address = r.address.n == 4 && span_copy(r.address, x->address, 4);
	}
	/* ITLRecovery is the publisher's, which comes first in every list. */
	for (size_t i = 0;
	     i < old->nrecords && !x->has_address && tlv_cert_is_itlrecovery(&x->cert.parts); i++) {
		struct tlv_record r = tlv_list_record(old, i);

		if (tlv_record_is(&r, TLV_ROLE_CCM_TFTP))
			x->has_address = r.address.n == 4 && span_copy(r.address, x->address, 4);
	}
	x->origin = strdup("a new SAST record");
	return x->origin != NULL ? name_anchor(x, in, e) : err_nomem(e);
}

/* A record of its own making, unless phones know the anchor by the old one's bytes already. */
static enum status add_anchor(struct entries *es, const struct migrate_input *in,
			      const struct cert *c, struct tlv_err *e)
{
	struct entry *x;
	enum status st;

	if (has_sast(es, buf_span(&c->der)))
		return ST_OK;
	for (size_t i = 0; i < in->old->nrecords; i++) {
		struct tlv_record r = tlv_list_record(in->old, i);

		if (tlv_record_is(&r, TLV_ROLE_SAST) && span_eq(r.certificate, buf_span(&c->der)))
			return entries_keep_one(es, in->old, i, e);
	}
	x = entries_insert(es, es->n);
	if (x == NULL)
		return err_nomem(e);
	x->role = TLV_ROLE_SAST;
	x->token = migrate_is_token(in, c);
	st = cert_from_der(&x->cert, buf_span(&c->der), e);
	return st == ST_OK ? borrow_place(x, in, e) : st;
}

static enum status add_anchors(struct entries *es, const struct migrate_input *in,
			       struct tlv_err *e)
{
	enum status st = add_anchor(es, in, in->signer, e);

	for (size_t i = 0; i < in->sasts->n && st == ST_OK; i++)
		st = add_anchor(es, in, &in->sasts->v[i].cert, e);
	return st;
}

/* Which of the old anchors the release keeps in a list of the new kind. */
static bool stays(const struct migrate_input *in, const struct tlv_record *r)
{
	if (tlv_record_is_token(r))
		return false;
	if (in->direction == MIGRATE_TO_TOKENS)
		return in->release->token_anchors;
	if (tlv_record_is_itlrecovery(r))
		return in->release->itlrecovery;
	return in->release->signer == RELEASE_ITLRECOVERY;
}

static enum status add_kept(struct entries *es, const struct migrate_input *in, bool sast,
			    struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < in->old->nrecords && st == ST_OK; i++) {
		struct tlv_record r = tlv_list_record(in->old, i);

		if (tlv_record_is(&r, TLV_ROLE_SAST) != sast)
			continue;
		if (!sast || (stays(in, &r) && !has_sast(es, r.certificate)))
			st = entries_keep_one(es, in->old, i, e);
	}
	return st;
}

/* Server records anew: a name that is only an address is left to be found in the certificate. */
static void restyle(struct entries *es)
{
	for (size_t i = 0; i < es->n; i++) {
		if (es->v[i].raw.n == 0 || es->v[i].cert.der.n == 0)
			continue;
		es->v[i].raw = SPAN_NONE;
		entry_forget_address_name(&es->v[i]);
	}
}

/* Two certificates of one key are lost together. */
static bool is_second_of_key(const struct entries *es, size_t at)
{
	struct span key = es->v[at].cert.parts.public_key;

	for (size_t i = 0; i < at; i++)
		if (es->v[i].role == TLV_ROLE_SAST && key.n > 0 &&
		    span_eq(es->v[i].cert.parts.public_key, key))
			return true;
	return false;
}

static enum status check_rules(const struct entries *es, const struct migrate_input *in,
			       struct tlv_err *e)
{
	size_t sasts = 0, tokens = 0, recoveries = 0;
	bool lone = in->direction == MIGRATE_TO_TOKENLESS && !in->release->itlrecovery;

	for (size_t i = 0; i < es->n; i++) {
		const struct entry *x = &es->v[i];

		if (x->role != TLV_ROLE_SAST || is_second_of_key(es, i))
			continue;
		sasts++;
		tokens += x->token || migrate_is_token(in, &x->cert);
		recoveries += tlv_cert_is_itlrecovery(&x->cert.parts);
	}
	if (in->direction == MIGRATE_TO_TOKENS && tokens < 2 && !in->one_token)
		return err_set(
			e, ST_NO,
			"one token is not enough, as nobody can sign if it is lost: name the second one's certificate with --sast, or go on with --one-token");
	if (sasts < 2 && !lone && !in->one_token)
		return err_set(
			e, ST_NO,
			"the new list would have only one SAST (signing key): if it is lost, phones reject every later list");
	if (in->release->signer == RELEASE_ITLRECOVERY && recoveries == 0)
		return err_set(
			e, ST_NO,
			"ITLRecovery is missing; it is an anchor since 12.0: name its certificate with --sast");
	return ST_OK;
}

static enum status check_direction(const struct migrate_input *in, struct tlv_err *e)
{
	bool to_tokens = in->direction == MIGRATE_TO_TOKENS;

	if (to_tokens && !in->release->tokens)
		return err_set(
			e, ST_NO,
			"CUCM supports no tokens from 14SU3 on: stay tokenless, or give --release if the cluster is older");
	if (to_tokens && !migrate_is_token(in, in->signer))
		return err_set(
			e, ST_NO,
			"a token must sign a list of tokens, but this key is a server's: name a token with -k");
	if (!to_tokens && !in->release->tokenless)
		return err_set(
			e, ST_NO,
			"CUCM before 10.0 has no tokenless lists: give --release if the cluster is newer");
	if (!to_tokens && in->release->signer == RELEASE_ITLRECOVERY &&
	    !tlv_cert_is_itlrecovery(&in->signer->parts))
		return err_set(
			e, ST_NO,
			"from 12.0 on ITLRecovery signs a tokenless list, but this is another key: name ITLRecovery's with -k");
	if (!to_tokens && in->release->signer == RELEASE_CALLMANAGER &&
	    tlv_cert_is_itlrecovery(&in->signer->parts))
		return err_set(
			e, ST_NO,
			"before 12.0 CallManager signs a tokenless list, but this is ITLRecovery: name CallManager's key with -k");
	return ST_OK;
}

static enum status write_records(struct migrate_records *out, const struct cert *signer,
				 struct tlv_dialect dialect, bool non_secure, struct tlv_err *e)
{
	struct compose_options opt = { .dialect = dialect,
				       .non_secure = non_secure,
				       .missing = ST_INPUT };

	return compose(&out->bytes, &out->entries, signer, &opt, &out->signer_at, e);
}

enum status migrate_final(struct migrate_records *out, const struct migrate_input *in,
			  struct tlv_err *e)
{
	struct tlv_dialect dialect = in->dialect;
	enum status st = check_direction(in, e);

	*out = (struct migrate_records){ .entries = ENTRIES_INIT };
	dialect.style = final_style(in);
	if (st == ST_OK)
		st = add_anchors(&out->entries, in, e);
	if (st == ST_OK)
		st = add_kept(&out->entries, in, true, e);
	if (st == ST_OK)
		st = check_rules(&out->entries, in, e);
	if (st == ST_OK)
		st = add_kept(&out->entries, in, false, e);
	if (st == ST_OK && in->restyle)
		restyle(&out->entries);
	return st == ST_OK ?
		       write_records(out, in->signer, dialect, tlv_list_is_non_secure(in->old), e) :
		       st;
}

enum status migrate_union(struct migrate_records *out, const struct migrate_input *in,
			  const struct cert *signer, struct tlv_err *e)
{
	struct tlv_dialect dialect = in->dialect;
	enum status st;

	*out = (struct migrate_records){ .entries = ENTRIES_INIT };
	if (in->direction == MIGRATE_TO_TOKENLESS && !in->restyle)
		dialect.style = TLV_STYLE_CUCM;
	st = entries_keep(&out->entries, in->old, e);
	if (st == ST_OK)
		st = add_anchors(&out->entries, in, e);
	return st == ST_OK ?
		       write_records(out, signer, dialect, tlv_list_is_non_secure(in->old), e) :
		       st;
}
