/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Distinguished names as lists spell them ("CN=pub;O=Cisco"), taken apart again: to
 * compare two spellings, and to make a Name of one.
 */
#ifndef TLV_SPELLING_H
#define TLV_SPELLING_H

#include "tlv/bytes.h"

/* Of one name. Those behind are not looked at, and a name with more equals no other. */
enum { SPELLING_ATTRIBUTES_MAX = 32 };

/*
 * Whether both say the same attributes, whatever their order, their separator, their quotes
 * and the case of their keys. False if memory runs out. Without NULs (tlv_text).
 */
bool spelling_same(struct span a, struct span b);

/*
 * Appends the value of the first attribute with this key, in any case, also of one that stands
 * behind a '+'. False if there is none.
 */
bool spelling_value(struct span text, struct span key, struct buf *out);

/*
 * Appends the DER of a Name with the attributes of the spelling in their order, as UTF-8. A key
 * without a row in attrs.def is left out. If nothing is left, the whole text becomes the CN.
 */
void spelling_put_name(struct buf *out, struct span text);

#endif
