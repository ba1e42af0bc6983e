/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/kind.h"

#include "tlv/name.h"

#define ITLRECOVERY SPAN_LIT("ITLRECOVERY_")

/* The last CN of a Name begins so, by the given comparison. */
static bool cn_is(struct span name, bool (*starts)(struct span, struct span), struct span prefix)
{
	struct buf cn = BUF_INIT;
	bool is = tlv_name_cn(name, &cn) && starts(buf_span(&cn), prefix);

	buf_free(&cn);
	return is;
}

bool tlv_cert_is_token(const struct tlv_cert *c)
{
	return !span_eq(c->subject, c->issuer) &&
	       cn_is(c->issuer, span_starts, SPAN_LIT("Cisco Manufacturing CA"));
}

bool tlv_cert_is_itlrecovery(const struct tlv_cert *c)
{
	return cn_is(c->subject, span_starts_nocase, ITLRECOVERY);
}

bool tlv_record_is_itlrecovery(const struct tlv_record *r)
{
	struct span text = r->subject;
	struct tlv_cert c;

	if (tlv_cert_walk(r->certificate, &c, NULL) == ST_OK)
		return tlv_cert_is_itlrecovery(&c);
	return span_starts_nocase(text, SPAN_LIT("CN=")) &&
	       span_starts_nocase(span_slice(text, 3, text.n), ITLRECOVERY);
}

bool tlv_record_is_nameless(const struct tlv_record *r)
{
	return tlv_record_has(r, TLV_R_DNS_NAME) && tlv_text(r->dns_name).n == 0;
}

bool tlv_record_is_token(const struct tlv_record *r)
{
	struct tlv_cert c;

	if (!tlv_record_is(r, TLV_ROLE_SAST) || tlv_record_is_itlrecovery(r))
		return false;
	return tlv_record_is_nameless(r) ||
	       (tlv_cert_walk(r->certificate, &c, NULL) == ST_OK && tlv_cert_is_token(&c));
}

bool tlv_role_is_tftp(uint16_t role)
{
	return role == TLV_ROLE_TFTP || role == TLV_ROLE_CCM_TFTP;
}

bool tlv_record_is_tftp(const struct tlv_record *r)
{
	return tlv_record_has(r, TLV_R_FUNCTION) && tlv_role_is_tftp(r->role);
}

bool tlv_record_is_ec(const struct tlv_record *r)
{
	enum tlv_key_type type;
	struct tlv_cert c;

	if (tlv_key_bits(r->public_key, &type) > 0)
		return type == TLV_KEY_EC;
	return tlv_cert_walk(r->certificate, &c, NULL) == ST_OK && c.key_type == TLV_KEY_EC;
}

/* What stands behind the last slash. */
static struct span last_part(struct span name)
{
	size_t at = name.n;

	while (at > 0 && span_at(name, at - 1) != '/')
		at--;
	return span_slice(name, at, name.n);
}

/* A URL without query and fragment; any other name as it is. */
static struct span path_of(struct span name)
{
	bool is_url = false;

	for (size_t i = 0; i < name.n; i++) {
		int c = span_at(name, i);

		is_url |= span_starts(span_slice(name, i, 3), SPAN_LIT("://"));
		if (is_url && (c == '?' || c == '#'))
			return span_slice(name, 0, i);
	}
	return name;
}

enum tlv_list_kind tlv_kind_of_name(struct span name)
{
	struct span s = last_part(path_of(name));

	if (span_starts_nocase(s, SPAN_LIT("CTL")))
		return TLV_LIST_CTL;
	return span_starts_nocase(s, SPAN_LIT("ITL")) ||
			       span_starts_nocase(s, SPAN_LIT("ext_ITL")) ?
		       TLV_LIST_ITL :
		       TLV_LIST_OTHER;
}

const char *tlv_kind_text(enum tlv_list_kind kind)
{
	return kind == TLV_LIST_ITL ? "ITL" : "CTL";
}

bool tlv_header_means(const struct tlv_header *h, const struct tlv_cert *c)
{
	return tlv_header_serial(h, c->serial) != TLV_SERIAL_OTHER &&
	       tlv_name_match(tlv_text(h->signer_issuer), c->issuer).matches;
}
