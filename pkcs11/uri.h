/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * RFC 7512 URIs. p11-kit reads them; what p11-kit lets pass silently is
 * refused here first: a URI that selects nothing, that repeats, omits or
 * misspells an attribute, that holds a PIN or names a command.
 */
#ifndef TOK_URI_H
#define TOK_URI_H

#include <stdbool.h>

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "tlv/bytes.h"
#include "tlv/err.h"

struct tok_uri {
	P11KitUri *kit;
	bool has_id, has_object; /* describe a certificate or key */
	bool type_private;	 /* "type=private": id and object are the key's */
	bool type_cert;		 /* "type=cert": id and object are the certificate's */
	bool has_slot_id;
	bool has_slot, has_library; /* slot-* and library-* attributes to be compared */
};

/* ST_USAGE where the URI is refused. */
enum status tok_uri_parse(const char *text, struct tok_uri **out, struct tlv_err *e);
void tok_uri_free(struct tok_uri **u);

/* Borrowed from u; NULL where the URI has none. */
const char *tok_uri_module_path(const struct tok_uri *u);
const char *tok_uri_module_name(const struct tok_uri *u);
const char *tok_uri_pin_source(const struct tok_uri *u);

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
