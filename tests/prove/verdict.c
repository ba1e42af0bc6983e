/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * signer/trust: the verdict on a list that exists, and a phone's on a new one, from any facts.
 *
 * What is no decision is answered by anything here: what a signature is, what a certificate
 * says, and which names are the same. So every order of answers is followed.
 */
#include "signer/crypto/cert.h"
#include "signer/trust/accept.h"
#include "signer/trust/signature.h"
#include "signer/trust/verdict.h"
#include "tlv/kind.h"

#include "any.h"
#include "lists.h"

/* A list has so many records: any of them may be any record. */
enum { RECORDS_MAX = 2 };

/*
 * Which of the installed lists' records are the signer's: bit n for the n-th that is asked. Each
 * choice is followed by itself, as a signer's key is only there if one is.
 */
static unsigned signers;

struct tlv_record tlv_list_record(const struct tlv_list *l, size_t i)
{
	struct tlv_record r = any_record();

	/*@ assert inside: i < l->nrecords; */
	/* One without FUNCTION is passed over, as one that is not the signer's. */
	if (signers != 0)
		r.present = any_bool() ? UINT32_MAX : 1U << TLV_R_FUNCTION;
	return r;
}

bool signature_is_by(const struct tlv_list *l, struct span public_key)
{
	(void)l;
	is_span(public_key);
	return any_bool();
}

bool signature_is_by_again(struct signature_memo *m, const struct tlv_list *l,
			   struct span public_key)
{
	(void)m;
	return signature_is_by(l, public_key);
}

bool signature_is_own(const struct tlv_list *l, long *signer)
{
	*signer = any_signer(l);
	return *signer >= 0 && any_bool();
}

enum status cert_sha1(struct span der, uint8_t out[20], struct tlv_err *e)
{
	is_span(der);
	any_bytes(out, 20);
	return any_bool() ? ST_OK : err_set(e, ST_BUG, "no digest");
}

bool tlv_record_signs(const struct tlv_record *r, const struct tlv_header *h)
{
	bool signs = (signers & 1U) != 0;

	(void)r;
	(void)h;
	signers >>= 1U;
	return signs;
}

struct tvs_answer tvs_ask(const struct phone *p, const struct tlv_list *new_list)
{
	(void)new_list;
	return (struct tvs_answer){ .reach = (enum tvs_reach)any_size(TVS_REACHED, TVS_RENEWED),
				    .assumptions = any_u32(),
				    .nodes = any_size(0, SIZE_MAX),
				    .heard = p->heard != NULL && any_bool(),
				    .others = any_bool(),
				    .believed = any_bool(),
				    .knows = any_bool(),
				    .foreign = any_bool(),
				    .key = any_span(),
				    .certificate = any_span(),
				    .near = any_bool(),
				    .near_issuer = any_span() };
}

bool tvs_reply_is_sast(const struct tvs_reply *r)
{
	(void)r;
	return any_bool();
}

static void verdicts(void)
{
	struct tlv_findings f = { .errors = any_size(0, SIZE_MAX), .nomem = any_bool() };
	struct verdict v = verdict_make(any_bool() ? &f : NULL, any_bool(), any_bool());

	/*@ assert one_word: v.word <= 2; */
	(void)verdict_is_good(v);
	(void)verdict_is_untrusted(v);
	(void)verdict_is_bad(v);
	(void)verdict_text(v);
	(void)accept_assumption((enum tvs_assumption)any_size(0, TVS_ASSUMPTIONS - 1))->word;
}

static void judged(const struct tlv_list *ctl, const struct tlv_list *itl,
		   const struct tlv_list *new_list, const struct tvs_heard *heard, unsigned which)
{
	struct signature_memo memo = SIGNATURE_MEMO_INIT;
	struct phone p = { .ctl = ctl,
			   .itl = itl,
			   .no_lists = any_bool(),
			   .no_tvs = any_bool(),
			   .goes_back = any_bool(),
			   .blank_itl = any_bool(),
			   .heard = heard,
			   .asked = any_bool() ? "CTLFile.tlv" : NULL,
			   .memo = any_bool() ? &memo : NULL };
	struct acceptance a;

	signers = which;
	a = accept_decide(&p, new_list);
	(void)accept_row(a.reason)->accepted;
	signers = which;
	a = accept_foresee(&p, new_list, any_span());
	(void)accept_row(a.reason)->accepted;
}

/* A list's bytes are counted, and not read. */
static struct tlv_list any_long_list(size_t nrecords)
{
	struct tlv_list l = any_list(nrecords);

	if (any_bool())
		l.bytes.n = TLV_PHONE_LIMIT + 1;
	return l;
}

int main(void)
{
	struct tvs_reply own = { .known = any_bool() };
	struct tvs_heard second = { .own = any_bool() ? &own : NULL };
	struct tvs_heard heard = { .own = any_bool() ? &own : NULL,
				   .next = any_bool() ? &second : NULL };

	verdicts();
	for (size_t n = 0; n <= RECORDS_MAX; n++)
		for (unsigned which = 0; which < 1U << 2 * n; which++) {
			struct tlv_list ctl = any_long_list(n), itl = any_long_list(n),
					new_list = any_long_list(n);

			judged(NULL, NULL, &new_list, NULL, which);
			judged(&ctl, NULL, &new_list, NULL, which);
			judged(NULL, &itl, &new_list, NULL, which);
			judged(&ctl, &itl, &new_list, NULL, which);
			judged(&ctl, &itl, &new_list, &heard, which);
		}
	return 0;
}
