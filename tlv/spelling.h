/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Distinguished names as lists spell them ("CN=pub;O=Cisco"), taken apart again to
 * compare two spellings.
 */
#ifndef TLV_SPELLING_H
#define TLV_SPELLING_H

#include "tlv/bytes.h"

enum { SPELLING_ATTRIBUTES_MAX = 32 /* of one name; one with more equals no other */ };

/*
 * Whether both say the same attributes, whatever their order, their separator, their quotes
 * and the case of their keys. False if memory runs out. Without NULs (tlv_text).
 */
bool spelling_same(struct span a, struct span b);

#endif
