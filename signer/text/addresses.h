/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The addresses of nodes, as a terminal log shows them beside their names. A printed list has none,
 * so rebuilding it tries these.
 */
#ifndef CTL_TEXT_ADDRESSES_H
#define CTL_TEXT_ADDRESSES_H

#include "signer/text/printed.h"

/* The address of a node, by the DNSNAME of its records. */
struct rebuild_address {
	struct span name; /* borrowed; empty: it may be any node's */
	uint8_t ip[4];
};

/*
 * Adds each address of the log, with the names of the same line that the list's records have.
 * *list has *n of them, is malloc'd or NULL, and stays the caller's after a failure, too. ST_NOMEM.
 */
enum status rebuild_addresses(const struct printed *p, struct span log,
			      struct rebuild_address **list, size_t *n, struct tlv_err *e);

/* Whether the name, or its part before the first dot, is a record's DNSNAME. */
bool addresses_name_is(struct span name, struct span of_record);
/* Whether the name is an IPv4 address; ip gets it then. */
bool addresses_parse(struct span name, uint8_t ip[4]);

#endif
