/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/token_judge.h"

#include "tlv/kind.h"

static bool is_foreign_ca(const struct token_judged *j, bool key_seen, struct tlv_err *e)
{
	if (!j->facts.is_ca || key_seen)
		return false;
	(void)err_set(e, ST_INPUT, "is a CA certificate, and no key of it is seen on the token");
	return true;
}

void token_judge(struct token_judged *j, struct span der, bool key_seen)
{
	unsigned bits;

	*j = (struct token_judged){ .why = TLV_ERR_INIT };
	j->is_cert = tlv_cert_walk(der, &j->parts, &j->why) == ST_OK &&
		     cert_judge(der, &j->facts, &j->why) == ST_OK;
	if (!j->is_cert) {
		(void)err_in(&j->why, "not a certificate");
		return;
	}
	if (is_foreign_ca(j, key_seen, &j->why))
		return;
	j->signs = cert_can_sign(&j->parts, false, &bits, &j->why) == ST_OK;
	j->signs_weakly = !j->signs && cert_can_sign(&j->parts, true, &bits, NULL) == ST_OK;
}

/* A record without certificate is told by serial and issuer, however they are spelled. */
static bool is_record_of(const struct tlv_record *r, const struct tlv_cert *c)
{
	struct tlv_header named = { .signer_serial = r->serial, .signer_issuer = r->issuer };

	if (r->certificate.n > 0)
		return span_eq(r->certificate, c->der);
	return tlv_header_means(&named, c);
}

bool token_is_sast(const struct tlv_list *l, size_t i, const struct tlv_cert *c)
{
	struct tlv_record r = tlv_list_record(l, i);

	return tlv_record_is(&r, TLV_ROLE_SAST) && is_record_of(&r, c);
}

/* The header names its signer by serial and issuer; whose they are, the SAST records tell. */
bool token_is_signer(const struct tlv_list *l, const struct tlv_cert *c)
{
	bool listed = false;

	for (size_t i = 0; i < l->nrecords && !listed; i++)
		listed = token_is_sast(l, i, c);
	return listed && tlv_header_means(&l->header, c);
}
