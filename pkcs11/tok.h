/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The parent's side of an open token, for the files of this folder.
 */
#ifndef TOK_TOK_H
#define TOK_TOK_H

#include <pthread.h>

#include "pkcs11/helper.h"
#include "pkcs11/pin.h"
#include "pkcs11/shared/uri_text.h"
#include "pkcs11/shared/wire.h"
#include "pkcs11/token.h"

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
	unsigned started; /* so many, ever */
	bool listening;	  /* somebody does */
	bool alone;	  /* nothing starts: somebody logs in anew */
	unsigned logins;
	struct tlv_err refused; /* a login for a signature; nothing is signed after it */
};

/* A search, and what of the options and the URI is the parent's own business. */
struct tok_quest {
	const struct tok_options *opt;
	struct tok_search search;
	struct tok_uri_text uri;
	struct tok_pin_source pin;
	enum wire_request how;
	int64_t give_up; /* when no module is left out any more */
};

struct tok {
	struct tok_options opt; /* a copy; what it points to is the caller's */
	struct tok_quest quest;
	struct tok_child *child;
	struct tok_info info;
	struct span cert; /* owned */
	bool logged_in;
	bool pin_given;	    /* by --pin-source or the URI */
	bool pin_read;	    /* from there */
	bool login_refused; /* of those that the token asked for at a signature, the last one */
	size_t sessions;    /* as many as the child says, of those that were asked for */
	struct tok_flights flights;
};

void tok_flights_init(struct tok_flights *f);
void tok_flights_free(struct tok_flights *f);

/* For a token that wants its PIN again: one more login, if the source can be read twice. */
enum status tok_login_again(struct tok *t, struct tlv_err *e);

#endif
