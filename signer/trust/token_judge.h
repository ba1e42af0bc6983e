/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a token's certificate is good for: signing lists at all, and in a
 * certain list.
 */
#ifndef CTL_TOKEN_JUDGE_H
#define CTL_TOKEN_JUDGE_H

#include "signer/crypto/cert.h"
#include "tlv/list.h"

struct token_judged {
	bool is_cert;
	struct tlv_cert parts;
	struct cert_facts facts;  /* freed by cert_facts_free */
	bool signs, signs_weakly; /* weakly: with --allow-weak-keys */
	bool unknown;		  /* whether it signs; the other two are false then */
	struct tlv_err why; /* why it does not or is unknown, or what is wrong with the bytes */
};

/*
 * der is borrowed. A CA's certificate often lies beside those that it issued, and its key is
 * elsewhere. A self-signed signer may call itself a CA, too, and its key may show with a PIN only.
 * Which of both it is, is unknown unless a key of it is seen (key_seen).
 */
void token_judge(struct token_judged *j, struct span der, bool key_seen);

/*
 * Whether record i is a SAST record of the certificate. A record without one is compared by serial
 * and issuer.
 */
bool token_is_sast(const struct tlv_list *l, size_t i, const struct tlv_cert *c);
/* Whether the header names it as signer, and a SAST record is its own. */
bool token_is_signer(const struct tlv_list *l, const struct tlv_cert *c);

#endif
