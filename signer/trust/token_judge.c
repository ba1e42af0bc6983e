/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/token_judge.h"

#include "tlv/kind.h"

static void say_unknown(struct token_judged *j)
{
	j->unknown = true;
	j->signs = j->signs_weakly = false;
	j->why = TLV_ERR_INIT;
	(void)err_set(&j->why, ST_INPUT,
		      "is a CA certificate, and no key of it shows without a PIN: 'build' tells");
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
	j->signs = cert_can_sign(&j->parts, false, &bits, &j->why) == ST_OK;
	j->signs_weakly = !j->signs && cert_can_sign(&j->parts, true, &bits, NULL) == ST_OK;
	if (j->facts.is_ca && !key_seen && (j->signs || j->signs_weakly))
		say_unknown(j);
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
