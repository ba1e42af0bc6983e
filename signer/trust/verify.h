/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Who signed a list, and whether that is so. No chains, ever: the tokens' CA
 * also issued every phone's own certificate.
 */
#ifndef CTL_VERIFY_H
#define CTL_VERIFY_H

#include "tlv/check.h"
#include "tlv/err.h"
#include "tlv/list.h"

enum verdict {
	VERDICT_GOOD,	   /* verified, and somebody named vouches for the signer */
	VERDICT_UNTRUSTED, /* verified, nobody does */
	VERDICT_BAD	   /* all else */
};

/* "good", "untrusted", "bad" */
const char *verdict_text(enum verdict v);

/* The certificates whose keys may sign: DER. */
struct trust {
	struct trust_entry {
		uint8_t *der; /* owned */
		size_t n;
		char *ca;   /* the argument, where it is a CA certificate; owned */
		bool found; /* in a folder that was named, not named itself */
	} * v;
	size_t n, cap;
	bool self; /* self-consistency is enough */
};

#define TRUST_INIT ((struct trust){ .n = 0 })

/*
 * Adds what a --trust argument names: "self", a certificate (PEM, DER), a
 * list, whose own signature must verify and whose SAST certificates then
 * count, or a folder of such files. ST_INPUT for anything else; in a folder
 * that costs a warning.
 */
enum status trust_add(struct trust *t, const char *arg, const struct tlv_warn *warn,
		      struct tlv_err *e);
/*
 * ST_INPUT where a CA certificate was named that is not itself a signer in the
 * list; a warning where it stood in a folder, as uploads may well have it.
 */
enum status trust_check(const struct trust *t, const struct tlv_list *l,
			const struct tlv_warn *warn, struct tlv_err *e);
bool trust_has(const struct trust *t, struct span der);
void trust_free(struct trust *t);

struct verification {
	enum verdict verdict;
	bool verified;		      /* the signature is that of the signer's record in the list */
	long signer;		      /* record index, or TLV_SIGNER_* */
	struct tlv_findings findings; /* shape, agreement, signer, dates */
};

/*
 * Checks a decoded list. Findings of dates and key strength need now and cost
 * a parse of each certificate. ST_NOMEM only where memory ends.
 */
enum status verify_list(struct verification *v, const struct tlv_list *l, const struct trust *t,
			int64_t now, struct tlv_err *e);
void verification_free(struct verification *v);

#endif
