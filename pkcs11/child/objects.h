/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What lies on a token: certificates, public and private keys, each with its
 * CKA_ID, CKA_LABEL and the one value by which they are paired.
 */
#ifndef TOK_OBJECTS_H
#define TOK_OBJECTS_H

#include "pkcs11/child/door.h"
#include "tlv/bytes.h"

struct tok_object {
	CK_OBJECT_HANDLE handle;
	struct span id, label; /* owned */
	struct span value;     /* owned: CKA_VALUE of a certificate, else CKA_MODULUS */
};

struct tok_objects {
	struct tok_object *list;
	size_t n, cap;
};

#define TOK_OBJECTS_INIT ((struct tok_objects){ .list = NULL })

enum {
	TOK_OBJECTS_MAX = 4096,
	TOK_VALUE_MAX = 65535 /* a longer certificate fits no list */
};

/*
 * All objects of a class that have the value: keys that are not RSA have no
 * modulus and are not listed. What the token answers for one object costs
 * that object only. ST_TOKEN if the search itself fails, or the token is gone.
 */
enum status tok_objects_find(struct tok_objects *os, const struct tok_module *m,
			     CK_SESSION_HANDLE s, CK_OBJECT_CLASS class, struct tlv_err *e);
void tok_objects_free(struct tok_objects *os);

/* Moduli as tokens give them: leading zeros do not count. */
bool tok_modulus_eq(struct span a, struct span b);

/* Whether the object's boolean attribute is there and true. */
bool tok_object_flag(const struct tok_module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
		     CK_ATTRIBUTE_TYPE type);

#endif
