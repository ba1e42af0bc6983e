/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Who signed a list, whether that is true, and what the list is worth. Certificate chains never
 * count: the tokens' CA also issued every phone's own certificate.
 */
#ifndef CTL_VERIFY_H
#define CTL_VERIFY_H

#include "signer/trust/verdict.h"
#include "tlv/check.h"
#include "tlv/err.h"
#include "tlv/list.h"

struct trust_entry {
	uint8_t *der; /* owned */
	size_t n;
	char *ca;   /* the argument, if it is a CA certificate; owned */
	bool found; /* in a folder that was named, not named itself */
};

/* The certificates whose keys may sign: DER. */
struct trust {
	struct trust_entry *v;
	size_t n, cap;
	bool self; /* self-consistency is enough */
};

#define TRUST_INIT ((struct trust){ .n = 0 })

/* That a witness was fetched by URL: no session of the network proves who has sent it. */
void trust_warn_of_network(const struct tlv_warn *warn, const char *url);

/*
 * Adds what a --trust argument names: "self", a certificate (PEM, DER), a
 * list, whose own signature must verify and whose SAST certificates then
 * count, or a folder of such files. ST_INPUT for anything else; in a folder
 * that costs a warning.
 */
enum status trust_add(struct trust *t, const char *arg, const struct tlv_warn *warn,
		      struct tlv_err *e);
/*
 * ST_INPUT if a CA certificate was named that is not itself a signer in the
 * list; a warning if it stood in a folder, as uploads may well have it.
 */
enum status trust_check(const struct trust *t, const struct tlv_list *l,
			const struct tlv_warn *warn, struct tlv_err *e);
bool trust_has(const struct trust *t, struct span der);
void trust_free(struct trust *t);

/* What is asked of a list. If all but now is zero, any signer and any file name will do. */
struct verify_ask {
	const struct trust *trust; /* NULL: nobody is trusted */
	int64_t now;
	const char *served; /* the path or URL that it is served under; NULL: not judged */
	bool unsigned_yet; /* the signature is still to come: it is not looked at, and nothing verified */
	struct tlv_lenience lenience; /* verify_list() adds which record is the signer's */
};

struct verification {
	struct verdict verdict;
	bool verified;		      /* the signature is that of the signer's record in the list */
	bool trusted;		      /* … which is a certificate that ask.trust vouches for */
	long signer;		      /* record index, or TLV_SIGNER_* */
	struct tlv_findings findings; /* shape, agreement, signer, dates, kind */
};

/*
 * Checks a decoded list. Findings of dates and key strength need now and cost
 * a parse of each certificate. ST_NOMEM only if memory runs out. Who knows the signer
 * otherwise than by ask.trust makes a verdict of the findings: verdict_make().
 */
enum status verify_list(struct verification *v, const struct tlv_list *l,
			const struct verify_ask *ask, struct tlv_err *e);
/*
 * The same of the header of a signed file, into findings that are set up: all but
 * the signature itself, which the caller checks with public_key over the content.
 */
void verify_header(struct tlv_findings *f, const struct tlv_header *h, struct span public_key);
/* Whether a time of signing is more than a day in the future; both are seconds since 1970 UTC. */
bool verify_is_ahead(uint32_t timestamp, int64_t now);
/* Whether a TFTP or CCM+TFTP record has an EC certificate. */
bool verify_has_ec_tftp(const struct tlv_list *l);
void verification_free(struct verification *v);

#endif
