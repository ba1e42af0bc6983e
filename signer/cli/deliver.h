/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From composed records to a published list, the same way for every verb:
 * prepare, describe, foresee, ask, log in, sign, read back, publish, report.
 */
#ifndef CTL_DELIVER_H
#define CTL_DELIVER_H

#include <jansson.h>

#include "signer/cli/believe.h"
#include "signer/cli/common.h"
#include "signer/crypto/key.h"
#include "signer/trust/lockout.h"
#include "signer/publish/publish.h"
#include "signer/list/sign.h"

struct delivery {
	const struct opts *o;
	const char *output;
	struct span present; /* the bytes that stand at output now; borrowed, may be empty */
	struct publish_options publish;
	struct sign_spec sign;
	const struct tlv_list
		*old; /* believed; what the new list is compared with; NULL: nothing */
	struct held { /* believed; what phones hold: each is asked */
		const char *name;
		const struct tlv_list *list;
	} held[2];
	size_t nheld;
	struct certset vouched;	  /* --sast-trust */
	struct list_file tvs_ctl; /* --tvs-ctl FILE */
	struct phone tvs;	  /* what they come to */
	struct lockout lockout;
	struct signing signing;
	json_t *foreseen;    /* changes, phones, anchors; NULL: nobody asks for them as JSON */
	bool tells_foreseen; /* --json has what was foreseen beside the list, written or not */
};

/* Phones hold this list; at most two. It must be believed, and outlive the delivery. */
void deliver_held(struct delivery *d, const char *name, const struct tlv_list *l);

/*
 * Lists the SAST records with the SHA-1 of their certificates. A new anchor is
 * one that none of the known lists (NULL: none) has as SAST; --quiet does not
 * silence it. Without a known list this is the first one, and nothing is new.
 */
enum status deliver_anchors(const struct tlv_list *l, const struct tlv_list *const known[2],
			    struct tlv_err *e);

/* --sast-trust, --tvs-ctl, --accept-lockout. */
enum status delivery_options(struct delivery *d, const struct opts *o, struct tlv_err *e);

/*
 * Warns of what phones take, and hardly anybody means: a line break in a name, a record twice.
 * f is of a list that is not signed yet.
 */
void deliver_warn_slips(const struct tlv_findings *f);
/* Warn of what only some phones can read, as far as there are sources. */
void deliver_warn_digest(enum tlv_digest digest);
/* say: what to do, if a TFTP server's certificate in the list has an EC key. */
void deliver_warn_ec(const struct tlv_list *l, bool is_1_1, const char *say);

/* What --sast-trust and --tvs-ctl say about TVS; the rest of the phone is left alone. */
enum status common_tvs_options(const struct opts *o, struct phone *p, struct certset *vouched,
			       struct list_file *tvs_ctl, struct tlv_err *e);

/*
 * Everything that needs no secret: the list with a hole, its size, what
 * phones will do. ST_NO: refused by rule; nothing was asked or signed.
 */
enum status deliver_prepare(struct delivery *d, const struct key *key, struct tlv_err *e);

/* Asks on a terminal (unless --yes), logs in, signs, prints the checksums, publishes. */
enum status deliver_finish(struct delivery *d, struct key *key, struct tlv_err *e);
/*
 * What is said of a list that was made: name, length, checksums; as text, and as JSON (NULL if
 * memory runs out).
 */
enum status deliver_report(const char *name, struct span bytes, struct tlv_err *e);
json_t *deliver_json(const char *name, struct span bytes);
void delivery_free(struct delivery *d);

/* ST_NO if the time is before the certificate's notBefore, or that of old (may be NULL). */
enum status deliver_check_time(struct span signer_der, uint32_t timestamp,
			       const struct tlv_list *old, struct tlv_err *e);

/* --timestamp, or --reproducible with SOURCE_DATE_EPOCH; else *out stays. */
enum status deliver_timestamp(const struct opts *o, uint32_t *out, struct tlv_err *e);
/* The same for a list that is signed again: now, or its own time with --keep-timestamp. */
enum status deliver_timestamp_again(const struct opts *o, const struct tlv_list *old, uint32_t *out,
				    struct tlv_err *e);

#endif
