/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both sides of the wall: what is known of a token, its certificates and a
 * module. The child fills it, the wire carries it, the parent shows it.
 */
#ifndef TOK_INFO_H
#define TOK_INFO_H

#include <stdbool.h>
#include <stddef.h>

#include "pkcs11/shared/pin_state.h"
#include "tlv/bytes.h"

enum {
	TOK_SIG_MAX = 512,     /* bytes; RSA of 4096 bits */
	TOK_SESSIONS_MAX = 16, /* that sign side by side: as many as libp11 keeps */
	TOK_SLOTS_MAX = 1024,
	TOK_MODULES_MAX = 64
};

struct tok_cert {
	char *uri;	 /* canonical, of the certificate object */
	char *label;	 /* CKA_LABEL, UTF-8 as the token has it */
	struct span id;	 /* CKA_ID, owned */
	struct span der; /* CKA_VALUE, owned; whatever the token holds: parse with care */
	bool key_seen; /* a public or private key object with this certificate's key shows without PIN */
};

/* One token. Strings are UTF-8 with the blank padding taken off, owned. */
struct tok_info {
	char *uri; /* canonical, of the token; PINs are never part of it */
	char *label, *manufacturer, *model, *serial;
	char *module;	     /* path of the module that was used */
	unsigned long flags; /* CK_TOKEN_INFO.flags, fresh */
	enum tok_pin_state pin;
	bool pin_pad; /* PROTECTED_AUTHENTICATION_PATH */
	struct tok_cert *certs;
	size_t ncerts;	 /* sorted by URI */
	bool certs_read; /* those are all; else the token failed before it had shown them */
};

/* What a module says of itself. Strings are owned, never NULL. */
struct tok_module_info {
	char *name;	/* its path, or what p11-kit calls it */
	char *library;	/* "SoftHSM, Implementation of PKCS11, 2.6"; empty if it did not say */
	unsigned slots; /* that have a token in them */
	bool logs;	/* p11-kit prints its calls, PINs among them (log-calls) */
	char *fault;	/* why it is of no use; empty if it answers */
	bool refuses;	/* the fault is its own answer; else it crashed, hung or did not load */
};

void tok_cert_free(struct tok_cert *c);
void tok_info_free(struct tok_info *i);
void tok_module_info_free(struct tok_module_info *i);

#endif
