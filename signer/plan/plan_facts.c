/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "signer/crypto/cert.h"
#include "signer/text/list_file.h"
#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/plan/plan_model.h"
#include "tlv/kind.h"
#include "tlv/label.h"
#include "tlv/text.h"

enum plan_kind plan_kind_of(const struct tlv_record *r)
{
	switch (r->role) {
	case TLV_ROLE_SAST:
		if (tlv_record_is_token(r))
			return PLAN_KIND_TOKEN;
		return tlv_record_is_itlrecovery(r) ? PLAN_KIND_ITLRECOVERY : PLAN_KIND_ANCHOR;
	case TLV_ROLE_CCM:
	case TLV_ROLE_CCM_TFTP:
	case TLV_ROLE_TFTP:
		return tlv_record_is_ec(r) ? PLAN_KIND_ECDSA : PLAN_KIND_CALLMANAGER;
	case TLV_ROLE_CAPF:
		return PLAN_KIND_CAPF;
	case TLV_ROLE_TVS:
		return PLAN_KIND_TVS;
	case TLV_ROLE_APP_SERVER:
		return PLAN_KIND_APP_SERVER;
	default:
		return PLAN_KIND_OTHER;
	}
}

static void put_address(struct buf *b, const struct tlv_record *r)
{
	if (r->address.n != 4 || span_be(r->address) != 0)
		(void)buf_address(b, r->address);
}

/*
 * The CTL Client writes addresses where others write names; the node's certificate knows its name.
 */
static void put_host_name(struct buf *b, const struct tlv_list *l, const struct tlv_record *r)
{
	for (size_t i = 0; r->address.n == 4 && i < l->nrecords && i < PLAN_LABELS_TRIED; i++) {
		struct tlv_record x = tlv_list_record(l, i);
		struct buf name = BUF_INIT;
		struct tlv_cert c;

		if (!tlv_record_is_tftp(&x) || !span_eq(x.address, r->address))
			continue;
		if (tlv_cert_walk(x.certificate, &c, NULL) == ST_OK &&
		    cert_short_name(&c, &name, NULL) == ST_OK)
			safe_text(b, buf_span(&name));
		buf_free(&name);
		return;
	}
}

void plan_put_label(struct buf *b, const struct tlv_list *l, const struct tlv_record *r)
{
	struct span name = tlv_text(r->dns_name);
	struct buf address = BUF_INIT, label = BUF_INIT;

	put_address(&address, r);
	if (plan_kind_of(r) == PLAN_KIND_TOKEN)
		tlv_label_record(&label, r);
	else if (name.n > 0 && !span_eq(name, buf_span(&address)))
		safe_text(&label, name);
	else
		put_host_name(&label, l, r);
	if (label.n == 0 && address.n == 0)
		tlv_label_record(&label, r);
	buf_put(b, buf_span(&label));
	if (address.n > 0 && label.n > 0)
		buf_printf(b, " (%s)", buf_cstr(&address));
	else
		buf_put(b, buf_span(&address));
	buf_free(&address);
	buf_free(&label);
}

static void put_list_name(struct buf *b, const char *name, const struct tlv_list *l)
{
	struct span own = tlv_text(l->header.filename);

	if (name != NULL)
		safe_text(b, span_str(name));
	else if (own.n > 0)
		safe_text(b, own);
	else
		buf_str(b, tlv_list_is_itl(l) ? "ITLFile.tlv" : "CTLFile.tlv");
}

static enum status note_list(struct plan_facts *f, const struct tlv_list *l, const char *name,
			     struct span key, struct tlv_err *e)
{
	const struct tlv_digest_row *digest;

	if (l == NULL)
		return ST_OK;
	digest = tlv_digest_find(l->header.digest);
	f->list = l;
	f->is_signed = key.n == 0;
	f->digest = digest != NULL ? digest->text : "unknown";
	f->style = tlv_style_text(tlv_list_dialect(l).style);
	f->mode = tlv_list_is_non_secure(l) ? "non-secure" : "mixed";
	f->signs = tlv_list_signer(l);
	f->token_signs = tlv_list_token_signs(l);
	if (l->printed || l->stand_in)
		f->digest = "digest not printed";
	else if (tlv_header_has(&l->header, TLV_H_TIMESTAMP))
		time_iso(l->header.timestamp, f->time);
	put_list_name(&f->name, name, l);
	safe_text(&f->signer, tlv_text(l->header.signer_name));
	if (buf_failed(&f->name, e) != ST_OK || buf_failed(&f->signer, e) != ST_OK)
		return ST_NOMEM;
	return f->is_signed ? list_checksums(l, f->md5, f->sha1, e) : ST_OK;
}

/* An old one was kept beside that of today: a list of CUCM's own has one [CTL_BY_ITLRECOVERY]. */
static bool has_two_itlrecoveries(const struct tlv_list *l)
{
	struct span first = SPAN_NONE;

	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (plan_kind_of(&r) != PLAN_KIND_ITLRECOVERY || r.certificate.n == 0)
			continue;
		if (first.n > 0 && !span_eq(first, r.certificate))
			return true;
		first = r.certificate;
	}
	return false;
}

/* A further key, or an old one that was kept: CUCM writes the certificates of today alone. */
static bool has_own_records(const struct plan_model *m)
{
	const struct tlv_list *l = m->in.new_list;

	if (has_two_itlrecoveries(l))
		return false;
	if (tlv_list_is_non_secure(l))
		return true;
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (plan_kind_of(&r) == PLAN_KIND_ANCHOR && r.certificate.n > 0 &&
		    !tlv_certs_have(&m->new_servers, r.certificate))
			return false;
	}
	return true;
}

static enum status note_certificates(struct plan_model *m, struct tlv_err *e)
{
	const uint32_t servers = TLV_CERTS_OF(CCM_TFTP) | TLV_CERTS_OF(TFTP);
	enum status st = tlv_certs_of(&m->new_servers, m->in.new_list, servers, e);

	if (st == ST_OK)
		st = tlv_certs_of(&m->old_anchors, m->in.old_list, TLV_CERTS_OF(SAST), e);
	if (st == ST_OK)
		m->own_records = has_own_records(m);
	return st;
}

enum status plan_note_facts(struct plan_model *m, struct tlv_err *e)
{
	const struct plan_input *in = &m->in;
	enum status st = note_list(&m->facts[PLAN_OLD], in->old_list, in->old_name, SPAN_NONE, e);

	if (st == ST_OK)
		st = note_list(&m->facts[PLAN_BRIDGE], in->bridge, in->bridge_name, in->bridge_key,
			       e);
	if (st == ST_OK)
		st = note_list(&m->facts[PLAN_NEW], in->new_list, in->new_name, in->new_key, e);
	if (st == ST_OK)
		st = note_list(&m->facts[PLAN_WAY_BACK], in->way_back, in->way_back_name,
			       in->new_key, e);
	return st == ST_OK ? note_certificates(m, e) : st;
}

struct plan_record plan_record_at(const struct plan_model *m, size_t i)
{
	struct tlv_record r = tlv_list_record(m->in.new_list, i);
	struct plan_record x = { .number = i + 1, .role = r.role, .signs = (long)i == m->signer };
	enum tlv_key_type type;
	unsigned bits = tlv_key_bits(r.public_key, &type);

	tlv_label_role(&x.role_text, r.role);
	safe_text(&x.name, tlv_text(r.dns_name));
	tlv_label_record(&x.subject, &r);
	put_address(&x.address, &r);
	if (bits > 0)
		buf_printf(&x.key, "%s %u", type == TLV_KEY_RSA ? "RSA" : "EC", bits);
	x.has_dates = cert_validity(r.certificate, &x.not_before, &x.not_after, NULL) == ST_OK;
	return x;
}

void plan_record_free(struct plan_record *r)
{
	buf_free(&r->role_text);
	buf_free(&r->name);
	buf_free(&r->subject);
	buf_free(&r->address);
	buf_free(&r->key);
}

void plan_note_records(struct plan_model *m)
{
	m->nrecords = m->in.new_list->nrecords;
	m->signer = tlv_list_signer(m->in.new_list);
}
