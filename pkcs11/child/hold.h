/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the child holds: the modules, the one token, its session, its key.
 */
#ifndef TOK_HOLD_H
#define TOK_HOLD_H

#include "pkcs11/child/choose.h"
#include "pkcs11/child/libp11/key.h"
#include "pkcs11/shared/secret.h"
#include "pkcs11/shared/wire.h"

struct tok_hold;

/* A thread of the child's: a session of its own, and what it was asked. */
struct tok_lane {
	struct tok_hold *hold;
	struct tok_module m; /* the token's, with a pulse of its own */
	CK_SESSION_HANDLE session;
	struct tok_pin *request; /* what was last received */
	struct tlv_err *why;	 /* where a failing signature says why, past libp11 */
	enum wire_hint hint;
};

struct tok_hold {
	const struct tok_search *search;
	struct tok_uri *uri; /* of the search; NULL: every token */
	struct tlv_warn warn;
	struct tok_modules modules;
	struct tok_scan scan;
	struct tok_place at; /* token NULL: none is open */
	bool in_session, logged_in;
	struct tok_objects certs;
	struct tok_public public; /* of the certificate that signs */
	CK_OBJECT_HANDLE key;
	bool always_authenticate;
	bool authenticate_once; /* the token asked for it at a signature */
	struct tok_pin *pin;	/* kept only while a signature needs a login of its own */
	uint8_t how;		/* WIRE_TYPED, WIRE_PAD: of that PIN */
	struct tok_onekey onekey;
	struct tok_key *p11;
	enum wire_hint hint; /* of a login */
	struct tok_lane lanes[TOK_SESSIONS_MAX];
	size_t nlanes; /* with a session; the first one's is at.session */
};

/* Modules and slots; nothing is opened. */
enum status tok_hold_scan(struct tok_hold *h, struct tok_pulse *pulse, struct tlv_err *e);
/* The one initialised token that matches, a session on it, the certificate that signs. */
enum status tok_hold_open(struct tok_hold *h, struct span *cert, struct tlv_err *e);
/* A session on any initialised token of the scan, to look at it. */
enum status tok_hold_visit(struct tok_hold *h, const struct tok_found *f, struct tlv_err *e);
void tok_hold_leave(struct tok_hold *h);
/* Whether the certificate's key is one that signs here; before any login. ST_INPUT. */
enum status tok_hold_can_sign(const struct tok_hold *h, struct tlv_err *e);
/*
 * libp11, with the certificate's public key: that needs no login, and nothing of the module. Once.
 * ST_TOKEN if the guard or libp11 fails.
 */
enum status tok_hold_libp11(struct tok_hold *h, struct tlv_err *e);
/* The key of the certificate, as soon as the login lets it be seen. libp11 is ready then. */
enum status tok_hold_key(struct tok_hold *h, struct tlv_err *e);
/*
 * As many sessions as were asked for, under the one login; fewer, with a
 * warning, if the token takes no more or each signature needs a login.
 */
void tok_hold_widen(struct tok_hold *h);
void tok_hold_free(struct tok_hold *h);

/* The token's flags as they are now. ST_TOKEN also if another token is in the slot. */
enum status tok_hold_flags(const struct tok_hold *h, CK_FLAGS *flags, struct tlv_err *e);

#endif
