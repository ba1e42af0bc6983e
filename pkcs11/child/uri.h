/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * RFC 7512 URIs and the tokens that they mean, as p11-kit compares them.
 */
#ifndef TOK_CHILD_URI_H
#define TOK_CHILD_URI_H

#include <stdbool.h>

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "pkcs11/shared/uri_text.h"
#include "tlv/bytes.h"
#include "tlv/err.h"

struct tok_uri {
	P11KitUri *kit;
	struct tok_uri_text text;
};

/* ST_USAGE if the URI is refused. */
enum status tok_uri_parse(const char *text, struct tok_uri **out, struct tlv_err *e);
void tok_uri_free(struct tok_uri **u);

/* Whether a token, in its slot of its module, is one that the URI means; NULL means every token. */
bool tok_uri_matches(const struct tok_uri *u, CK_SLOT_ID slot, const CK_TOKEN_INFO *info);
bool tok_uri_matches_slot(const struct tok_uri *u, const CK_SLOT_INFO *info);
bool tok_uri_matches_library(const struct tok_uri *u, const CK_INFO *info);
/* Whether an object's CKA_ID and CKA_LABEL are those of the URI, as far as it gives them. */
bool tok_uri_matches_object(const struct tok_uri *u, struct span id, struct span label);

/* Canonical URIs, malloc'd, NULL without memory. They never hold a PIN. */
char *tok_uri_of_token(const CK_TOKEN_INFO *info);
char *tok_uri_of_cert(const CK_TOKEN_INFO *info, struct span id, struct span label);
char *tok_uri_of_key(const CK_TOKEN_INFO *info, struct span id, struct span label);

#endif
