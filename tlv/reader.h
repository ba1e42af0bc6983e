/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Fields one after the other. The walk is the only reader of tags and
 * lengths; it borrows the bytes, allocates nothing, and never reads past
 * what it was given.
 */
#ifndef TLV_READER_H
#define TLV_READER_H

#include "tlv/bytes.h"
#include "tlv/err.h"
#include "tlv/tables.h"

struct tlv_field {
	uint8_t tag;
	uint8_t parent;		       /* tag of the innermost open container, 0: none */
	const struct tlv_tag_row *row; /* NULL: an unknown tag */
	size_t at;		       /* offset of the tag byte in the file */
	struct span value;	       /* a container's: the fields inside, which come next */
};

enum { TLV_DEPTH_MAX = 8, TLV_HEAD = 3 /* bytes of tag and length */, TLV_FIELD_MAX = 65535 };

struct tlv_walk {
	enum tlv_scope scope;
	struct cursor c;
	struct {
		uint8_t tag;
		size_t end;
	} open[TLV_DEPTH_MAX];
	size_t depth;
};

/* bytes start at offset `at` of the file. */
struct tlv_walk tlv_walk_of(enum tlv_scope scope, struct span bytes, size_t at);

/*
 * True with the next field. False at the end, or, with *e set to ST_INPUT and
 * the field's offset, if the next one is malformed: its head is cut, its
 * length exceeds what remains or its container, or the tag table forbids it.
 */
bool tlv_walk_next(struct tlv_walk *w, struct tlv_field *f, struct tlv_err *e);

/* "signer name", or "tag 99" for an unknown one. buf is used for the latter. */
const char *tlv_field_text(const struct tlv_field *f, char buf[16]);

#endif
