/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/token_judge.h"

#include "tlv/name.h"

void token_judge(struct token_judged *j, struct span der)
{
	unsigned bits;

	*j = (struct token_judged){ .why = TLV_ERR_INIT };
	j->is_cert = tlv_cert_walk(der, &j->parts, &j->why) == ST_OK &&
		     cert_judge(der, &j->facts, &j->why) == ST_OK;
	if (!j->is_cert) {
		(void)err_in(&j->why, "not a certificate");
		return;
	}
	j->signs = cert_can_sign(&j->parts, false, &bits, &j->why) == ST_OK;
	j->signs_weakly = !j->signs && cert_can_sign(&j->parts, true, &bits, NULL) == ST_OK;
}

/* Writers differ in the serial's byte order. */
static bool same_serial(struct span a, struct span b)
{
	return a.n > 0 && (span_eq(a, b) || span_eq_reversed(a, b));
}

/* A record without certificate is told by serial and issuer. */
static bool is_record_of(const struct tlv_record *r, const struct tlv_cert *c)
{
	if (r->certificate.n > 0)
		return span_eq(r->certificate, c->der);
	return same_serial(r->serial, c->serial) &&
	       tlv_name_match(tlv_text(r->issuer), c->issuer).matches;
}

bool token_is_sast(const struct tlv_list *l, size_t i, const struct tlv_cert *c)
{
	struct tlv_record r = tlv_list_record(l, i);

	return r.role == TLV_ROLE_SAST && is_record_of(&r, c);
}

/* The header names its signer by serial and issuer; whose they are, the SAST records tell. */
bool token_is_signer(const struct tlv_list *l, const struct tlv_cert *c)
{
	bool listed = false;

	for (size_t i = 0; i < l->nrecords && !listed; i++)
		listed = token_is_sast(l, i, c);
	return listed && same_serial(l->header.signer_serial, c->serial) &&
	       tlv_name_match(tlv_text(l->header.signer_issuer), c->issuer).matches;
}
