/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The messages of TVS: questions are written, answers are read. Bytes only, no network.
 * Source of the layout, and what is open: docs/TVS.md.
 */
#ifndef CTL_TVS_MESSAGE_H
#define CTL_TVS_MESSAGE_H

#include "tlv/bytes.h"
#include "tlv/err.h"

enum { TVS_MESSAGE_MAX = 10 + 0xFFFF }; /* bytes */

enum tvs_question { TVS_VERIFY = 1, TVS_QUERY = 3 };

enum tvs_tag {
	TVS_TAG_DEVICE = 1,
	TVS_TAG_CERTIFICATE = 2,
	TVS_TAG_SUBJECT = 3,
	TVS_TAG_ISSUER = 4,
	TVS_TAG_SERIAL = 5,
	TVS_TAG_STATUS = 7,
	TVS_TAG_ROLES = 8,
	TVS_TAG_TTL = 9
};

/* Whom the question is about: the certificate for TVS_VERIFY, the names for TVS_QUERY. */
struct tvs_signer {
	struct span certificate;	     /* DER */
	struct span subject, issuer, serial; /* as in a list's header, without the NUL */
};

/*
 * Appends a question of the session. ST_INPUT if it is longer than a message can be. device: as
 * phones call themselves, "CP-8861-SEP001122334455".
 */
enum status tvs_put_question(struct buf *b, enum tvs_question what, uint32_t session,
			     const char *device, const struct tvs_signer *signer,
			     struct tlv_err *e);

/* An answer; borrows its bytes. */
struct tvs_reply {
	bool known; /* the status is 0 */
	uint8_t status;
	struct span roles; /* FUNCTION numbers, a byte each */
	bool has_ttl;
	uint32_t ttl;		 /* seconds */
	struct span certificate; /* of TVS_QUERY; empty: none came */
	struct span elements;	 /* all of them, in their order */
};

/*
 * ST_INPUT with the reason if the message is not the whole answer to this question of this
 * session. signer: a certificate that comes along must have its serial number.
 */
enum status tvs_read_reply(struct tvs_reply *r, struct span message, enum tvs_question what,
			   uint32_t session, const struct tvs_signer *signer, struct tlv_err *e);

/* Whether a list of the signer's is taken: it is known, with the role SAST. */
bool tvs_reply_is_sast(const struct tvs_reply *r);
/* Appends "SAST", or the number of a role that lists do not have. */
void tvs_put_role(struct buf *b, int role);
/* Appends "known as SAST (SAST, CCM+TFTP), for 86400 s" or "not known (status 1)". */
void tvs_put_reply(struct buf *b, const struct tvs_reply *r);

/* The next element of a reply; false behind the last one. c begins as cursor_of(r->elements). */
bool tvs_next_element(struct cursor *c, uint8_t *tag, struct span *value);
/* Whether answers are known to have this element: others are shown as they are. */
bool tvs_tag_is_answer(uint8_t tag);

#endif
