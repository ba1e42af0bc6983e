/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * signer/trust/signature.c: what is asked of any list's signature. OpenSSL says anything of a
 * digest and of a key.
 */
#include "signer/trust/signature.h"

#include "signer/crypto/digest.h"

#include "any.h"
#include "lists.h"

const struct tlv_digest_row *tlv_digest_find(uint8_t code)
{
	static const struct tlv_digest_row row;

	(void)code;
	return any_bool() ? &row : NULL;
}

void tlv_signed_parts(const struct tlv_header *h, struct span bytes, struct span parts[2])
{
	is_span(h->signature);
	is_span(bytes);
	parts[0] = any_span();
	parts[1] = any_span();
}

enum status digest_parts(enum tlv_digest alg, const struct span *parts, size_t nparts,
			 struct digest *out, struct tlv_err *e)
{
	(void)alg;
	for (size_t i = 0; i < nparts; i++)
		is_span(parts[i]);
	if (any_bool())
		return err_set(e, ST_BUG, "no digest");
	any_bytes(out->bytes, sizeof out->bytes);
	out->n = any_size(0, sizeof out->bytes);
	return ST_OK;
}

struct span digest_span(const struct digest *d)
{
	return span_of(d->bytes, d->n);
}

enum status digest_verify(struct span public_key, enum tlv_digest alg, struct span digest,
			  struct span signature, struct tlv_err *e)
{
	(void)alg;
	is_span(public_key);
	is_span(digest);
	is_span(signature);
	return any_bool() ? ST_OK : err_set(e, ST_NO, "not by this key");
}

static void once(const struct tlv_list *l)
{
	const struct span parts[2] = { any_span(), any_span() };
	long signer;

	(void)signature_is_by(l, any_span());
	(void)signature_was_made(l, parts, any_span());
	(void)signature_why_not(l, TLV_SIGNER_NONE);
	(void)signature_why_not(l, TLV_SIGNER_AMBIGUOUS);
	if (l->nrecords > 0)
		(void)signature_why_not(l, (long)any_size(0, l->nrecords - 1));
	if (signature_is_own(l, &signer)) {
		/*@ assert its_own: 0 <= signer < (long)l->nrecords; */
	}
	/*@ assert told: TLV_SIGNER_AMBIGUOUS <= signer < (long)l->nrecords; */
	if (signature_vouches(l, &signer)) {
		/*@ assert its_own: 0 <= signer < (long)l->nrecords; */
	}
	/*@ assert told: TLV_SIGNER_AMBIGUOUS <= signer < (long)l->nrecords; */
}

/* A memo has nothing, a key, or none for want of memory. It goes from each of these to each. */
static void again(const struct tlv_list *l, const struct tlv_list *other, size_t first,
		  size_t second)
{
	struct signature_memo m = SIGNATURE_MEMO_INIT;

	any_memory(first);
	(void)signature_is_by_again(&m, l, any_span());
	is_span(buf_span(&m.key));
	any_memory(second);
	(void)signature_is_by_again(&m, other, any_span());
	signature_memo_free(&m);
}

int main(void)
{
	struct tlv_list none = any_list(0), one = any_list(1), many = any_list(ANY_RECORDS);

	once(&none);
	once(&one);
	once(&many);
	for (size_t first = 0; first <= 1; first++)
		for (size_t second = 0; second <= 1; second++) {
			again(&one, &one, first, second);
			again(&one, &many, first, second);
		}
	return 0;
}
