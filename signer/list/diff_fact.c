/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/diff_fact.h"

#include "tlv/label.h"
#include "tlv/spelling.h"
#include "tlv/text.h"

struct diff_record diff_record_of(const struct tlv_list *l, size_t index)
{
	struct diff_record x = { .r = tlv_list_record(l, index), .printed = l->printed };

	x.has_cert = tlv_cert_walk(x.r.certificate, &x.cert, NULL) == ST_OK;
	if (!x.has_cert)
		x.cert = (struct tlv_cert){ .der = SPAN_NONE };
	return x;
}

bool diff_record_has(const struct diff_record *x, enum tlv_tag tag)
{
	return tlv_record_has(&x->r, tag);
}

bool diff_put_text(struct buf *b, bool there, struct span value)
{
	buf_put(b, tlv_text(value));
	return there;
}

bool diff_put_serial(struct buf *b, bool there, struct span s, enum diff_reader who)
{
	if (who == DIFF_FOR_PEOPLE)
		tlv_label_serial(b, s);
	else
		buf_hex(b, s, HEX_UPPER, "");
	return there;
}

bool diff_put_version(struct buf *b, bool there, const uint8_t v[2])
{
	buf_printf(b, "%u.%u", (unsigned)v[0], (unsigned)v[1]);
	return there;
}

void diff_put_key(struct buf *b, struct span key)
{
	enum tlv_key_type type;
	unsigned bits = tlv_key_bits(key, &type);

	if (bits > 0)
		buf_printf(b, "%s %u bits", type == TLV_KEY_RSA ? "RSA" : "EC", bits);
	else
		buf_str(b, "unknown kind");
}

bool diff_put_dialect(struct buf *b, struct tlv_dialect d)
{
	buf_str(b, tlv_style_text(d.style));
	if (d.style == TLV_STYLE_RFC4514 && d.separator != ',')
		buf_printf(b, " with '%c'", d.separator);
	return true;
}

bool diff_same_dialect(struct tlv_dialect x, struct tlv_dialect y)
{
	return x.style == y.style && x.separator == y.separator;
}

/* The certificates know what the CTL Client cuts off, and what CUCM leaves out. */
bool diff_same_name(struct span a, struct span b, struct span name_a, struct span name_b)
{
	if (name_a.n > 0 && span_eq(name_a, name_b))
		return tlv_name_match(tlv_text(a), name_a).matches &&
		       tlv_name_match(tlv_text(b), name_b).matches;
	return spelling_same(tlv_text(a), tlv_text(b));
}
