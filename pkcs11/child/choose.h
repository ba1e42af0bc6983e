/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which certificate signs, and which key is its key. They are paired by the
 * public key alone: ids and labels are what somebody typed once.
 */
#ifndef TOK_CHOOSE_H
#define TOK_CHOOSE_H

#include "pkcs11/child/objects.h"
#include "pkcs11/child/slots.h"

/* A certificate as far as choosing needs it. */
struct tok_public {
	uint8_t *own[2];	       /* what the two spans borrow; owned */
	struct span modulus, exponent; /* big-endian; owned; empty if the key is not RSA */
};

/* ST_INPUT if the bytes are no certificate. */
enum status tok_public_read(struct tok_public *p, struct span der, struct tlv_err *e);
void tok_public_free(struct tok_public *p);

/* Where the choosing happens. */
struct tok_place {
	const struct tok_found *token;
	CK_SESSION_HANDLE session;
	const struct tok_uri *uri;
};

/*
 * One of the token's certificates, by URI, then CA or not, then by the public
 * keys that the token shows. *chosen borrows from certs. ST_NO_MATCH,
 * ST_AMBIGUOUS with the candidates' URIs.
 */
enum status tok_choose_cert(const struct tok_place *at, const struct tok_objects *certs,
			    const struct tok_object **chosen, struct tlv_err *e);

/*
 * After the login: the one private key with this modulus. by_name: the URI's
 * id and object must be the key's; else they only decide between two.
 */
enum status tok_choose_key(const struct tok_place *at, struct span modulus, bool by_name,
			   CK_OBJECT_HANDLE *key, struct tlv_err *e);

/* For each certificate whether a key of either kind shows; seen has certs->n places. */
enum status tok_keys_seen(const struct tok_place *at, const struct tok_objects *certs, bool *seen,
			  struct tlv_err *e);

/*
 * Records st with a first line and the URIs below it, sorted, each once; what
 * does not fit is counted. Returns st.
 */
enum status tok_candidates(struct tlv_err *e, enum status st, const char *first, char **uris,
			   size_t n);

#endif
