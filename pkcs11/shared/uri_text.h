/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both sides of the wall: RFC 7512 URIs as text. What p11-kit lets pass
 * silently is refused here: a URI that selects nothing, that repeats, omits or
 * misspells an attribute, that holds a PIN or names a command. Which token is
 * meant only the child knows (child/uri.h).
 */
#ifndef TOK_URI_TEXT_H
#define TOK_URI_TEXT_H

#include <stdbool.h>

#include "tlv/err.h"

struct tok_uri_text {
	bool has_id, has_object; /* describe a certificate or key */
	bool type_private;	 /* "type=private": id and object are the key's */
	bool type_cert;		 /* "type=cert": id and object are the certificate's */
	bool has_slot_id;
	bool has_slot, has_library; /* slot-* and library-* attributes to be compared */
	char *module_path, *module_name, *pin_source; /* decoded, owned; NULL: it has none */
};

/* Whether a KEY or CERT argument is a URI ("pkcs11:...", any case). */
bool tok_is_uri(const char *arg);

/* ST_USAGE with the reason if the URI is refused; nothing is to be freed then. */
enum status tok_uri_read(const char *text, struct tok_uri_text *out, struct tlv_err *e);
void tok_uri_text_free(struct tok_uri_text *u);

#endif
