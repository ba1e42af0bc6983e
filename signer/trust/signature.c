/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/signature.h"

#include "signer/crypto/digest.h"
#include "tlv/check.h"

static bool can_be_checked(const struct tlv_header *h)
{
	return tlv_header_has(h, TLV_H_SIGNATURE) && h->algorithm == 0 &&
	       tlv_digest_find(h->digest) != NULL;
}

static bool is_over(const struct tlv_header *h, struct span digest, struct span public_key)
{
	return digest_verify(public_key, (enum tlv_digest)h->digest, digest, h->signature, NULL) ==
	       ST_OK;
}

bool signature_is_by(const struct tlv_list *l, struct span public_key)
{
	const struct tlv_header *h = &l->header;
	struct span parts[2];
	struct digest d;

	if (!can_be_checked(h))
		return false;
	tlv_signed_parts(h, l->bytes, parts);
	return digest_parts((enum tlv_digest)h->digest, parts, 2, &d, NULL) == ST_OK &&
	       is_over(h, digest_span(&d), public_key);
}

bool signature_is_by_again(struct signature_memo *m, const struct tlv_list *l,
			   struct span public_key)
{
	if (m->list == l && span_eq(buf_span(&m->key), public_key))
		return m->is_by;
	signature_memo_free(m);
	buf_put(&m->key, public_key);
	m->is_by = signature_is_by(l, public_key);
	m->list = buf_failed(&m->key, NULL) == ST_OK ? l : NULL;
	return m->is_by;
}

void signature_memo_free(struct signature_memo *m)
{
	buf_free(&m->key);
	*m = SIGNATURE_MEMO_INIT;
}

bool signature_is_own(const struct tlv_list *l, long *signer)
{
	struct span key;

	*signer = tlv_list_signer(l);
	if (*signer < 0)
		return false;
	key = tlv_list_record(l, (size_t)*signer).public_key;
	return !tlv_key_proves_nothing(key) && signature_is_by(l, key);
}

bool signature_vouches(const struct tlv_list *l, long *signer)
{
	struct tlv_record r;

	if (!signature_is_own(l, signer))
		return false;
	r = tlv_list_record(l, (size_t)*signer);
	return tlv_record_agrees(&r);
}

static bool is_same_place(struct span a, struct span b)
{
	return a.p == b.p && a.n == b.n;
}

bool signature_was_made(const struct tlv_list *l, const struct span parts[2], struct span digest)
{
	struct span own[2];
	long signer = tlv_list_signer(l);

	if (signer < 0 || !can_be_checked(&l->header))
		return false;
	tlv_signed_parts(&l->header, l->bytes, own);
	return is_same_place(own[0], parts[0]) && is_same_place(own[1], parts[1]) &&
	       is_over(&l->header, digest, tlv_list_record(l, (size_t)signer).public_key);
}

const char *signature_why_not(const struct tlv_list *l, long signer)
{
	if (signer == TLV_SIGNER_NONE)
		return "no SAST record is the signer's";
	if (signer == TLV_SIGNER_AMBIGUOUS)
		return "two SAST records are the signer's, with different keys";
	if (tlv_key_proves_nothing(tlv_list_record(l, (size_t)signer).public_key))
		return "the signature proves nothing: its key's public exponent is 1 or even";
	return signature_is_own(l, &signer) ?
		       "the signer's record is not what its certificate says" :
		       "the signature does not verify";
}
