/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/list.h"

#include <stdlib.h>

#include "tlv/kind.h"
#include "tlv/text.h"
#include "tlv/writer.h"

static bool is_worth_keeping(const struct tlv_list *l)
{
	return (l->nkept + 1) * sizeof *l->kept <= l->bytes.n / 2;
}

static enum status keep(struct tlv_list *l, const struct tlv_record *r, struct tlv_err *e)
{
	if (!ARRAY_ROOM(l->kept, l->nkept, l->kept_cap))
		return err_nomem(e);
	l->kept[l->nkept++] = *r;
	return ST_OK;
}

static enum status add_record(struct tlv_list *l, const struct tlv_record *r, struct tlv_err *e)
{
	if (!ARRAY_ROOM(l->record_at, l->nrecords, l->cap))
		return err_nomem(e);
	l->record_at[l->nrecords++] = r->at;
	return is_worth_keeping(l) ? keep(l, r, e) : ST_OK;
}

enum status tlv_list_decode(struct tlv_list *l, struct span bytes, struct tlv_err *e)
{
	struct tlv_record r;
	size_t at;
	enum status st;

	*l = (struct tlv_list){ .bytes = bytes };
	st = tlv_header_decode(&l->header, bytes, e);
	at = l->header.raw.n;
	while (st == ST_OK && at < bytes.n) {
		st = tlv_record_decode(&r, span_slice(bytes, at, bytes.n), at, e);
		if (st != ST_OK) {
			(void)err_in(e, "record %zu", l->nrecords + 1);
			break;
		}
		st = add_record(l, &r, e);
		at += r.raw.n;
	}
	return st;
}

bool tlv_list_begins(struct span bytes)
{
	return span_starts(bytes, SPAN_LIT("\x01\x00\x02"));
}

void tlv_list_free(struct tlv_list *l)
{
	free(l->record_at);
	free(l->kept);
	*l = (struct tlv_list){ .nrecords = 0 };
}

struct tlv_record tlv_list_record(const struct tlv_list *l, size_t i)
{
	struct tlv_record r = { .at = 0 };

	if (i < l->nkept)
		return l->kept[i];
	if (i < l->nrecords)
		(void)tlv_record_decode(&r, span_slice(l->bytes, l->record_at[i], l->bytes.n),
					l->record_at[i], NULL);
	return r;
}

/* Fields one by one; a container's own fields follow it, so its length is all there is to write. */
static enum status encode_fields(struct buf *b, enum tlv_scope scope, struct span raw,
				 uint8_t length_tag, struct tlv_err *e)
{
	struct tlv_writer w = tlv_writer_of(b, scope, e);
	struct tlv_walk walk = tlv_walk_of(scope, raw, 0);
	struct tlv_field f;
	size_t start = b->n, length_at = 0;

	while (tlv_walk_next(&walk, &f, e)) {
		if (f.row != NULL && f.row->kind == TLV_KIND_PADDING) {
			buf_u8(b, f.tag);
		} else if (f.row != NULL && f.row->kind == TLV_KIND_CONTAINER) {
			buf_u8(b, f.tag);
			buf_u16(b, (uint16_t)f.value.n);
		} else if (f.tag == length_tag && length_at == 0) {
			length_at = tlv_put_hole(&w, f.tag, 2);
		} else {
			tlv_put(&w, f.tag, f.value);
		}
	}
	buf_fill_u16(b, length_at, (uint16_t)(b->n - start));
	return tlv_writer_done(&w);
}

enum status tlv_list_encode(const struct tlv_list *l, struct buf *b, struct tlv_err *e)
{
	enum status st = encode_fields(b, TLV_SCOPE_HEADER, l->header.raw, TLV_H_HEADER_LENGTH, e);

	for (size_t i = 0; i < l->nrecords && st == ST_OK; i++)
		st = encode_fields(b, TLV_SCOPE_RECORD, tlv_list_record(l, i).raw,
				   TLV_R_RECORD_LENGTH, e);
	return st;
}

bool tlv_list_is_itl(const struct tlv_list *l)
{
	return tlv_kind_of_name(tlv_text(l->header.filename)) == TLV_LIST_ITL;
}

const char *tlv_list_kind_text(const struct tlv_list *l)
{
	return tlv_kind_text(tlv_kind_of_name(tlv_text(l->header.filename)));
}

bool tlv_record_signs(const struct tlv_record *r, const struct tlv_header *h)
{
	return tlv_header_names(h, r->serial, r->issuer);
}

static bool is_node(const struct tlv_record *r)
{
	return tlv_record_has(r, TLV_R_FUNCTION) && r->role != TLV_ROLE_SAST;
}

bool tlv_list_has(const struct tlv_list *l, enum tlv_role role, struct span der)
{
	for (size_t i = 0; i < l->nrecords && der.n > 0; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (tlv_record_is(&r, role) && span_eq(r.certificate, der))
			return true;
	}
	return false;
}

bool tlv_list_has_node(const struct tlv_list *l, struct span der)
{
	for (size_t i = 0; i < l->nrecords && der.n > 0; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (is_node(&r) && span_eq(r.certificate, der))
			return true;
	}
	return false;
}

bool tlv_list_is_other_kind(const struct tlv_list *l, struct span served)
{
	enum tlv_list_kind said = tlv_kind_of_name(tlv_text(l->header.filename));
	enum tlv_list_kind asked = tlv_kind_of_name(served);

	return said != TLV_LIST_OTHER && asked != TLV_LIST_OTHER && said != asked;
}

int tlv_record_dialect(const struct tlv_record *r, struct tlv_dialect *d)
{
	struct span dns = tlv_text(r->dns_name);
	struct tlv_name_match m = { .matches = false };
	struct tlv_cert c;

	*d = (struct tlv_dialect){ .style = TLV_STYLE_CUCM, .separator = ',' };
	if (tlv_record_is(r, TLV_ROLE_SAST) && tlv_record_is_nameless(r)) {
		d->style = TLV_STYLE_CTL_CLIENT;
		return 1;
	}
	if (tlv_record_has(r, TLV_R_DNS_NAME)) {
		if (span_is_dotted(dns) && !tlv_record_has(r, TLV_R_CERT_SIGNATURE))
			d->style = TLV_STYLE_CTL_CLIENT;
		return 2;
	}
	if (tlv_cert_walk(r->certificate, &c, NULL) == ST_OK)
		m = tlv_name_match(tlv_text(r->subject), c.subject);
	d->style = TLV_STYLE_RFC4514;
	if (m.matches && m.form == TLV_NAME_RFC4514)
		d->separator = m.separator;
	/* A name of one attribute shows no separator. */
	return span_has(tlv_text(r->subject), (uint8_t)d->separator) ? 2 : 1;
}

struct tlv_dialect tlv_list_dialect(const struct tlv_list *l)
{
	struct tlv_dialect best = { .style = TLV_STYLE_CUCM, .separator = ',' }, d;
	int sure = 0;

	for (size_t i = 0; i < l->nrecords && sure < 2; i++) {
		struct tlv_record r = tlv_list_record(l, i);
		int s = tlv_record_dialect(&r, &d);

		if (s > sure) {
			sure = s;
			best = d;
		}
	}
	return best;
}

bool tlv_list_is_non_secure(const struct tlv_list *l)
{
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (r.role == TLV_ROLE_CCM_TFTP && !tlv_record_has(&r, TLV_R_CERTIFICATE) &&
		    !tlv_record_has(&r, TLV_R_CERT_HASH))
			return true;
	}
	return false;
}

long tlv_list_signer(const struct tlv_list *l)
{
	struct span key = SPAN_NONE;
	long found = TLV_SIGNER_NONE;

	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (!tlv_record_is(&r, TLV_ROLE_SAST) || !tlv_record_signs(&r, &l->header))
			continue;
		if (found >= 0 && !span_eq(key, r.public_key))
			return TLV_SIGNER_AMBIGUOUS;
		if (found < 0) {
			found = (long)i;
			key = r.public_key;
		}
	}
	return found;
}

struct tlv_record tlv_list_signer_record(const struct tlv_list *l)
{
	long signer = tlv_list_signer(l);

	if (signer >= 0)
		return tlv_list_record(l, (size_t)signer);
	return (struct tlv_record){ .subject = l->header.signer_name,
				    .serial = l->header.signer_serial };
}

bool tlv_list_token_signs(const struct tlv_list *l)
{
	long signer = tlv_list_signer(l);
	struct tlv_record r;

	if (signer < 0)
		return false;
	r = tlv_list_record(l, (size_t)signer);
	return tlv_record_is_token(&r);
}
