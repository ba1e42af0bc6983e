/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whether a list's signature was made with a key. Who the key belongs to, and
 * what the rest of the list is worth, is asked elsewhere: trust, verify, accept.
 */
#ifndef CTL_SIGNATURE_H
#define CTL_SIGNATURE_H

#include "tlv/list.h"

/*
 * Whether the signature is one by this key (a PKCS#1 RSAPublicKey) over all of
 * the list but field 12. False, too, if digest or algorithm are unknown.
 */
bool signature_is_by(const struct tlv_list *l, struct span public_key);

/*
 * The last answer about one list, for whoever asks the same of thousands of phones. The list must
 * not change meanwhile.
 */
struct signature_memo {
	const struct tlv_list *list; /* NULL: nothing was asked yet */
	struct buf key;
	bool is_by;
};

#define SIGNATURE_MEMO_INIT ((struct signature_memo){ .list = NULL })

/* The same as signature_is_by(), which is called only for another list or key than the last. */
bool signature_is_by_again(struct signature_memo *m, const struct tlv_list *l,
			   struct span public_key);
void signature_memo_free(struct signature_memo *m);

/*
 * Whether the signature is that of the signer's record in the list itself, whose
 * index (or TLV_SIGNER_*) goes to *signer. False for a key whose exponent is 1
 * or even, whatever it "verifies": anybody could have made that. True says
 * nothing of who signed: whoever writes the list writes that record.
 */
bool signature_is_own(const struct tlv_list *l, long *signer);

/*
 * The same, and the signer's record is what its certificate says. Only then does the key
 * that verified, which is the record's, say whose certificate signed. A list that is a
 * witness for others must be so.
 */
bool signature_vouches(const struct tlv_list *l, long *signer);

/*
 * Whether the signer's key made it, even if the key is too weak to be believed. For a list that was
 * just signed: digest is what was signed, with the list's algorithm over these two parts. False if
 * the list says that other bytes of it are signed. So a long list is hashed once, not twice.
 */
bool signature_was_made(const struct tlv_list *l, const struct span parts[2], struct span digest);

/* Why signature_vouches() was false, as a sentence without a subject. */
const char *signature_why_not(const struct tlv_list *l, long signer);

#endif
