/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Fields into a buffer. The first failure sticks; a structure is written in
 * the order of the specification and asked once at its end.
 */
#ifndef TLV_WRITER_H
#define TLV_WRITER_H

#include "tlv/bytes.h"
#include "tlv/err.h"
#include "tlv/tables.h"

struct tlv_writer {
	struct buf *b;
	enum tlv_scope scope;
	struct tlv_err *e;
	enum status st;
};

struct tlv_writer tlv_writer_of(struct buf *b, enum tlv_scope scope, struct tlv_err *e);

void tlv_put(struct tlv_writer *w, uint8_t tag, struct span value);
void tlv_put_u8(struct tlv_writer *w, uint8_t tag, uint8_t v);
void tlv_put_u16(struct tlv_writer *w, uint8_t tag, uint16_t v);
void tlv_put_u32(struct tlv_writer *w, uint8_t tag, uint32_t v);
/* The characters and a NUL. */
void tlv_put_text(struct tlv_writer *w, uint8_t tag, struct span text);
/* The bytes back to front. */
void tlv_put_reversed(struct tlv_writer *w, uint8_t tag, struct span value);
/* Tag and length of a value that the caller appends himself, then closes. */
size_t tlv_put_open(struct tlv_writer *w, uint8_t tag);
void tlv_put_close(struct tlv_writer *w, size_t opened, uint8_t tag);
/* Zeros for n bytes of value; returns the position of the first. */
size_t tlv_put_hole(struct tlv_writer *w, uint8_t tag, size_t n);

enum status tlv_writer_done(struct tlv_writer *w);

#endif
