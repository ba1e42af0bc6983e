/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The way back: what goes to the line in answer to one request.
 */
#ifndef CTL_NET_ANSWER_H
#define CTL_NET_ANSWER_H

#include "signer/net/shared/wire.h"

struct answer {
	int line;
	uint16_t number; /* the request's */
	bool gone;	 /* the line is: nothing else is worth doing */
};

/* The next bytes, in as many messages as they take. False if the line is gone. */
bool answer_bytes(struct answer *a, struct span bytes);
/* The end of it. False if the line is gone. */
bool answer_done(struct answer *a, const struct net_done *d);

#endif
