/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/label.h"

#include "tlv/safe.h"
#include "tlv/spelling.h"
#include "tlv/tables.h"
#include "tlv/text.h"

static void put_name(struct buf *b, struct span name)
{
	safe_text(b, span_trim_end(name));
}

void tlv_label_cert(struct buf *b, const struct tlv_cert *c)
{
	struct buf cn = BUF_INIT;
	bool named = tlv_name_cn(c->subject, &cn) && span_trim_end(buf_span(&cn)).n > 0;

	if (named) {
		put_name(b, buf_span(&cn));
	} else {
		buf_truncate(&cn, 0);
		(void)tlv_name_write(&cn, c->subject, TLV_NAME_RFC4514, ',', NULL);
		safe_text(b, cn.n > 0 ? buf_span(&cn) : SPAN_LIT("no name"));
	}
	buf_free(&cn);
}

void tlv_label_record(struct buf *b, const struct tlv_record *r)
{
	struct span text = tlv_text(r->subject);
	struct buf cn = BUF_INIT;
	struct tlv_cert c;

	if (tlv_cert_walk(r->certificate, &c, NULL) == ST_OK)
		tlv_label_cert(b, &c);
	else
		put_name(b, spelling_value(text, SPAN_LIT("CN"), &cn) ? buf_span(&cn) : text);
	buf_free(&cn);
}

void tlv_label_serial(struct buf *b, struct span serial)
{
	buf_hex(b, serial, HEX_UPPER, ":");
}

void tlv_label_role(struct buf *b, uint16_t role)
{
	const struct tlv_role_row *row = tlv_role_find(role);

	if (row != NULL)
		buf_str(b, row->text);
	else
		buf_printf(b, "function %u", (unsigned)role);
}

void tlv_label_address(struct buf *b, struct span address)
{
	if (!buf_address(b, address))
		buf_hex(b, address, HEX_UPPER, ":");
}

bool tlv_label_has_address(const struct tlv_record *r)
{
	return r->address.n > 0 && (r->address.n != 4 || span_be(r->address) != 0);
}

void tlv_label_place(struct buf *b, const struct tlv_record *r)
{
	struct span name = tlv_text(r->dns_name);
	struct buf address = BUF_INIT;

	tlv_label_role(b, r->role);
	if (name.n > 0) {
		buf_u8(b, ' ');
		safe_text(b, name);
	}
	tlv_label_address(&address, r->address);
	/* The CTL Client's name is the address. */
	if (tlv_label_has_address(r) && !span_eq(buf_span(&address), name)) {
		buf_u8(b, ' ');
		buf_put(b, buf_span(&address));
	}
	buf_free(&address);
}
