/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/writer.h"

#include "tlv/reader.h"

struct tlv_writer tlv_writer_of(struct buf *b, enum tlv_scope scope, struct tlv_err *e)
{
	return (struct tlv_writer){ .b = b, .scope = scope, .e = e, .st = ST_OK };
}

static void too_long(struct tlv_writer *w, uint8_t tag, size_t n)
{
	struct tlv_field f = { .tag = tag, .row = tlv_tag_find(w->scope, tag) };
	char name[16];

	w->st = err_set(w->e, ST_INPUT, "%s: %zu bytes, a field holds at most %d",
			tlv_field_text(&f, name), n, TLV_FIELD_MAX);
}

static void head(struct tlv_writer *w, uint8_t tag, size_t n)
{
	if (w->st != ST_OK)
		return;
	if (n > TLV_FIELD_MAX) {
		too_long(w, tag, n);
		return;
	}
	buf_u8(w->b, tag);
	buf_u16(w->b, (uint16_t)n);
}

void tlv_put(struct tlv_writer *w, uint8_t tag, struct span value)
{
	head(w, tag, value.n);
	if (w->st == ST_OK)
		buf_put(w->b, value);
}

void tlv_put_u8(struct tlv_writer *w, uint8_t tag, uint8_t v)
{
	head(w, tag, 1);
	if (w->st == ST_OK)
		buf_u8(w->b, v);
}

void tlv_put_u16(struct tlv_writer *w, uint8_t tag, uint16_t v)
{
	head(w, tag, 2);
	if (w->st == ST_OK)
		buf_u16(w->b, v);
}

void tlv_put_u32(struct tlv_writer *w, uint8_t tag, uint32_t v)
{
	head(w, tag, 4);
	if (w->st == ST_OK)
		buf_u32(w->b, v);
}

void tlv_put_text(struct tlv_writer *w, uint8_t tag, struct span text)
{
	head(w, tag, text.n + 1);
	if (w->st != ST_OK)
		return;
	buf_put(w->b, text);
	buf_u8(w->b, 0);
}

void tlv_put_reversed(struct tlv_writer *w, uint8_t tag, struct span value)
{
	head(w, tag, value.n);
	if (w->st == ST_OK)
		buf_put_reversed(w->b, value);
}

size_t tlv_put_open(struct tlv_writer *w, uint8_t tag)
{
	head(w, tag, 0);
	return w->b->n;
}

void tlv_put_close(struct tlv_writer *w, size_t opened, uint8_t tag)
{
	size_t n = w->b->n - opened;

	if (w->st != ST_OK || w->b->failed != ST_OK)
		return;
	if (n > TLV_FIELD_MAX)
		too_long(w, tag, n);
	else
		buf_fill_u16(w->b, opened - 2, (uint16_t)n);
}

size_t tlv_put_hole(struct tlv_writer *w, uint8_t tag, size_t n)
{
	head(w, tag, n);
	return w->st == ST_OK ? buf_hole(w->b, n) : 0;
}

enum status tlv_writer_done(struct tlv_writer *w)
{
	if (w->st != ST_OK)
		return w->st;
	return buf_failed(w->b, w->e);
}
