/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A node's TVS is asked about the signer of a new list, so that a verdict about phones rests on
 * its answer and not on what TVS is taken to know.
 */
#ifndef CTL_HEARD_H
#define CTL_HEARD_H

#include <jansson.h>

#include "signer/list/ask_tvs.h"
#include "signer/trust/tvs.h"

struct heard {
	struct ask_tvs ask;
	struct certset presented; /* the certificate of TVS */
	struct buf signer;
	struct tvs_heard tvs; /* borrows from the others */
};

#define HEARD_INIT ((struct heard){ .ask = ASK_TVS_INIT, .presented = CERTSET_INIT })

/* "HOST" or "HOST:PORT"; ST_USAGE if it is none. */
enum status heard_at(struct heard *h, const char *host, struct tlv_err *e);
/*
 * Asks about the signer of the list by its names, as phones do. TVS may not show which certificate
 * it knows: then it is asked about the list's. ST_INPUT if no answer comes.
 */
enum status heard_ask(struct heard *h, struct list_file *f, struct tlv_err *e);
/* The phone's TVS has this certificate today, and says this. Borrowed. */
void heard_let(const struct heard *h, struct phone *p);
void heard_free(struct heard *h);

/* What TVS says, as an object; null for NULL. */
json_t *heard_json(const struct tvs_heard *heard);

#endif
