/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The parent's side of an open token, for token.c and login.c.
 */
#ifndef TOK_TOK_H
#define TOK_TOK_H

#include <pthread.h>

#include "pkcs11/child.h"
#include "pkcs11/hold.h"

enum { TOK_FLIGHTS_MAX = 2 * TOK_SESSIONS_MAX }; /* requests for signatures that are on their way */

/*
 * The signatures under way. Whoever waits for one while nobody listens to the
 * child does so, for all of them.
 */
struct tok_flights {
	pthread_mutex_t lock;
	pthread_cond_t landed;		      /* a number is free, or all of them */
	struct flight *list[TOK_FLIGHTS_MAX]; /* by number; NULL: it is free */
	size_t n;
	bool listening; /* somebody does */
	bool alone;	/* nothing starts: somebody logs in anew */
	unsigned logins;
};

struct tok {
	struct tok_options opt; /* a copy; what it points to is the caller's */
	struct tok_search search;
	struct tok_child *child;
	struct tok_info info;
	struct span cert; /* owned */
	bool has_info, logged_in;
	bool pin_given; /* by --pin-source or the URI */
	struct tok_flights flights;
};

/*
 * One request and its whole answer; what comes is stored in t. hint may be
 * NULL. A failure of the child's is recorded with the child's words.
 */
enum status tok_request(struct tok *t, enum wire_request type, uint8_t flag, struct span payload,
			enum wire_hint *hint, struct tlv_err *e);

void tok_flights_init(struct tok_flights *f);
void tok_flights_free(struct tok_flights *f);

/* For a token that wants its PIN again: one more login, if the source can be read twice. */
enum status tok_login_again(struct tok *t, struct tlv_err *e);

#endif
