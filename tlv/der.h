/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A bounded walk over DER: elements in front of a cursor, nothing believed.
 * Enough for the fields that a record copies out of a certificate; whether a
 * certificate is any good is judged elsewhere. And the way back, for small things.
 */
#ifndef TLV_DER_H
#define TLV_DER_H

#include "tlv/bytes.h"

enum {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OID = 0x06,
	DER_UTF8_STRING = 0x0c,
	DER_NUMERIC_STRING = 0x12,
	DER_PRINTABLE_STRING = 0x13,
	DER_T61_STRING = 0x14,
	DER_IA5_STRING = 0x16,
	DER_VISIBLE_STRING = 0x1a,
	DER_UNIVERSAL_STRING = 0x1c,
	DER_BMP_STRING = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_0 = 0xa0
};

struct der {
	uint8_t tag;
	struct span value; /* the contents */
	struct span raw;   /* tag and length included */
};

/*
 * Takes the next element. False if none is whole: it takes nothing then. Indefinite lengths and
 * tags of several bytes count as none.
 */
bool der_next(struct cursor *c, struct der *out);
/* The same, and the tag must be this one. */
bool der_expect(struct cursor *c, uint8_t tag, struct der *out);
/* An INTEGER's magnitude: big-endian without the leading zero byte of a positive number. */
struct span der_magnitude(struct span integer);

/* Appends an element of up to 65535 bytes, its length in the shortest form; more is ST_BUG. */
void der_put(struct buf *out, uint8_t tag, struct span value);
/* The same of a finished value, which is freed; its failure goes over to out. */
void der_wrap(struct buf *out, uint8_t tag, struct buf *value);
/* Appends an INTEGER of this magnitude. */
void der_put_magnitude(struct buf *out, struct span magnitude);

#endif
