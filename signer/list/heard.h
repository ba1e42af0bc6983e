/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * TVS of some nodes are asked about the signer of a new list. A verdict about phones then rests on
 * their answers, and not on what TVS is taken to know.
 */
#ifndef CTL_HEARD_H
#define CTL_HEARD_H

#include <jansson.h>

#include "signer/list/ask_tvs.h"
#include "signer/trust/tvs.h"

/* One TVS, and what it says. */
struct heard_host {
	struct ask_tvs ask;
	struct buf signer;
	struct tvs_heard tvs; /* borrows from the others */
};

struct heard {
	struct heard_host *v; /* owned, in their order on the command line */
	size_t n, cap;
	bool printed;		  /* the list that they are asked about */
	bool answered;		  /* by all of them */
	struct certset presented; /* their certificates */
};

#define HEARD_INIT ((struct heard){ .presented = CERTSET_INIT })

/* Adds "HOST" or "HOST:PORT"; ST_USAGE if it is none, or is there already. */
enum status heard_at(struct heard *h, const char *host, struct tlv_err *e);
/*
 * Prepares the questions about the signer of the list: by its names, as phones ask, and about the
 * certificate that the list has, as TVS may not show which one it knows.
 */
enum status heard_about(struct heard *h, struct list_file *f, struct tlv_err *e);
/* Asks all of them, side by side. ST_INPUT if one of them gives no answer. */
enum status heard_ask(struct heard *h, struct tlv_err *e);
/* The phone's TVS have these certificates today, and say this. Borrowed. */
void heard_let(const struct heard *h, struct phone *p);
void heard_free(struct heard *h);

/* Appends "HOST:PORT, HOST:PORT", escaped. */
void heard_put_hosts(const struct heard *h, struct buf *out);
/* The same as an array; empty for NULL. */
json_t *heard_hosts_json(const struct heard *h);
/* What one TVS says, as an object; null for NULL. */
json_t *heard_json(const struct tvs_heard *heard);
/* What each says, as an array; empty for NULL. */
json_t *heard_all_json(const struct tvs_heard *heard);

#endif
