/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What nodes are asked over the network. The network is not this program's: ctlsign-net asks it
 * (signer/net/helper/), and is started before the sandbox is entered. Behind the sandbox two
 * calls are left, write() and read() on the line to it. No TLS is judged: a list is believed
 * by its signature, wherever it comes from.
 *
 * One such process serves the whole program, and one thread may ask it.
 */
#ifndef CTL_NET_H
#define CTL_NET_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "signer/io/slurp.h"
#include "signer/net/shared/wire.h"
#include "tlv/bytes.h"
#include "tlv/err.h"

enum {
	NET_LIST_MAX =
		1 << 20, /* bytes of a list that is fetched, sixteen times what a phone loads */
	NET_CHAIN_MAX = 256 * 1024, /* bytes of certificates; OpenSSL takes less than half of it */
	NET_SECONDS = 20	    /* for each question, if --timeout does not say otherwise */
};

#define NET_HELPER_NAME "ctlsign-net"

/* A question, and what came of it. */
struct net_question {
	enum net_what what;
	const char *target; /* borrowed: as enum net_what says; a URL without a fragment (#…) */
	struct span send;   /* borrowed; what NET_TALK sends */
	size_t max;	    /* bytes of an answer at most */

	/* The rest is net_ask()'s. */
	bool done;
	enum net_fault fault; /* NET_NONE: bytes are whole */
	uint32_t code;	      /* beside the fault */
	char text[NET_TEXT_MAX + 1];
	struct buf bytes; /* owned; hostile */
	int64_t modified; /* seconds since 1970 UTC; 0: unknown */
	uint16_t number;
	int64_t deadline;
};

/* What kind of fault it is: a row of faults.def. */
enum net_kind { NET_KIND_CAME, NET_KIND_ABSENT, NET_KIND_UNREACHED, NET_KIND_BROKEN };
enum net_kind net_kind(const struct net_question *q);

/*
 * Starts the process, once, before the sandbox is entered. seconds: for each question that is
 * asked from here on. ST_INPUT if it is not installed or cannot be started.
 */
enum status net_start(unsigned seconds, struct tlv_err *e);

/*
 * Asks all of them and waits until each is done. About a hundred are under way at a time, each
 * no longer than the seconds of net_start(), whatever the process does. Starts it if nobody has.
 * Only what keeps all of them from being asked is an error (ST_INPUT, ST_NOMEM): look at each
 * one's fault.
 */
enum status net_ask_all(struct net_question *q, size_t n, struct tlv_err *e);
/* ST_INPUT with the fault as a sentence, and the target in front; ST_OK if there is none. */
enum status net_question_err(const struct net_question *q, struct tlv_err *e);
/* The sentence without the target, for lines that name it already; borrowed from err. */
const char *net_question_why(const struct net_question *q, const struct tlv_err *err);
void net_question_free(struct net_question *q);

/* Asks for a URL now; net_slurp() takes the answer. What goes wrong is told then. */
void net_ask_ahead(const char *url);

/*
 * As slurp(), also for a URL: at most max bytes, and at most NET_LIST_MAX. out->st then has the
 * size, and the time that the server gives, or 0.
 */
enum status net_slurp(const char *arg, size_t max, enum slurp_mode mode, struct blob *out,
		      struct tlv_err *e);

/* The process, so that the sandbox lets us end it; 0: there is none. */
pid_t net_process(void);

/* Ends the process. */
void net_end(void);

#endif
