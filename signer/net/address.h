/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where a service is: "host", "host:6970", "10.0.0.1", "2001:db8::1" or "[2001:db8::1]:6970".
 */
#ifndef CTL_NET_ADDRESS_H
#define CTL_NET_ADDRESS_H

#include <stdbool.h>

#include "tlv/bytes.h"

/* Spans of the text that was read. */
struct net_address {
	struct span
		host; /* without brackets: no blank, and nothing that means something in a URL */
	struct span port; /* of 1 to 65535, no zero in front; empty: none was given */
	bool brackets;	  /* the host needs them in front of a port */
};

/* False if it is none of these. */
bool net_address_read(struct span text, struct net_address *out);
/* Appends "host:port"; without a port the host alone, without brackets. */
void net_address_put(struct buf *b, const struct net_address *a, struct span port);

#endif
