/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * How lists spell the names of nodes: with or without a domain, or an address in a name's place.
 */
#ifndef CTL_NODE_NAME_H
#define CTL_NODE_NAME_H

#include "tlv/bytes.h"

/* Whether both have the same host name, in any case and with any domain. Addresses count whole. */
bool node_name_same(struct span a, struct span b);

#endif
