/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Distinguished names as the writers of trust lists render them. Phones
 * compare these bytes, so every oddity is reproduced. Source: docs/FORMAT.md.
 */
#ifndef TLV_NAME_H
#define TLV_NAME_H

#include "tlv/bytes.h"
#include "tlv/err.h"

enum tlv_name_form {
	/* CN=…;OU=…;O=…;L=…;ST=…;C=… in this order, and nothing else */
	TLV_NAME_SERVER,
	/* cn="…";ou=…;o="… : cut at the first comma inside a value */
	TLV_NAME_TOKEN,
	/* certificate order, RFC 4514 escapes, the given separator */
	TLV_NAME_RFC4514,
	/* as releases 0.x wrote SERVER: the other attributes behind. To be read only */
	TLV_NAME_SERVER_0
};

/*
 * Appends the name, UTF-8 without NUL. ST_INPUT if it is no Name, or if a value that is written is
 * no text or not valid in its type. ST_INPUT also for what the form cannot express:
 * NUL or ';' in SERVER (and in what is written of TOKEN), NUL in RFC4514.
 * separator counts in RFC4514 only: ',' (or ';' as community tools up to 4.12).
 */
enum status tlv_name_write(struct buf *out, struct span name, enum tlv_name_form form,
			   char separator, struct tlv_err *e);

/* Appends the value of the last CN in certificate order, as UTF-8; false if there is none. */
bool tlv_name_cn(struct span name, struct buf *out);

/*
 * Whether both Names have the same attributes with the same values, in whatever order and
 * string type. False if either has none: such a name is nobody's.
 */
bool tlv_name_same(struct span a, struct span b);

/* The attribute type of a keyword, "CN" or "cn"; false if no row of attrs.def has it. */
bool tlv_name_oid(struct span keyword, struct span *oid);

/* Whether the Name has attributes beyond CN OU O L ST C, which CUCM leaves out. */
bool tlv_name_is_open(struct span name);

#endif
