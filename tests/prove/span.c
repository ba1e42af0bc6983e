/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * tlv/bytes.c in its own place, for those who read texts: what prove/bytes.c shows of spans and
 * buffers is all that they know of them. A part of a span is any span, and so is what a buffer
 * holds. So a text may have any length, and each of its bytes may be any.
 */
#include "span.h"

#include <stdarg.h>
#include <string.h>

#include "any.h"

/* Bytes that are more than any limit of these readers. */
enum { TEXT_LONG = 2 * 1024 * 1024 };

static uint8_t block[TEXT_LONG];

struct span any_text(void)
{
	any_bytes(block, sizeof block);
	return span_of(block, any_size(0, TEXT_LONG));
}

struct span span_of(const void *p, size_t n)
{
	return (struct span){ .p = p, .n = n };
}

struct span span_str(const char *s)
{
	(void)strlen(s);
	return any_text();
}

bool span_eq(struct span a, struct span b)
{
	is_span(a);
	is_span(b);
	return any_bool();
}

bool span_starts(struct span s, struct span prefix)
{
	return span_eq(s, prefix);
}

bool span_starts_nocase(struct span s, struct span prefix)
{
	return span_eq(s, prefix);
}

bool span_has(struct span s, uint8_t byte)
{
	(void)byte;
	is_span(s);
	return any_bool();
}

bool span_is_ascii(struct span s)
{
	return span_has(s, 0);
}

bool span_is_utf8(struct span s)
{
	return span_has(s, 0);
}

int span_at(struct span s, size_t i)
{
	is_span(s);
	return i < s.n ? any_u8() : -1;
}

struct span span_slice(struct span s, size_t at, size_t n)
{
	(void)at;
	(void)n;
	is_span(s);
	return any_text();
}

uint32_t span_be(struct span s)
{
	is_span(s);
	return any_u32();
}

bool span_copy(struct span s, uint8_t *out, size_t cap)
{
	is_span(s);
	if (s.n > cap)
		return false;
	/*@ assert room: cap == 0 || \valid(out + (0 .. cap - 1)); */
	any_bytes(out, cap);
	return true;
}

/* It holds something else now, or memory ran out. */
static void changed(struct buf *b)
{
	/*@ assert known: \initialized(&b->n) && \initialized(&b->failed); */
	b->n = any_size(0, TEXT_LONG);
	b->failed = any_bool() ? ST_OK : ST_NOMEM;
}

void buf_put(struct buf *b, struct span s)
{
	is_span(s);
	changed(b);
}

void buf_u8(struct buf *b, uint8_t v)
{
	(void)v;
	changed(b);
}

void buf_u16(struct buf *b, uint16_t v)
{
	(void)v;
	changed(b);
}

void buf_str(struct buf *b, const char *s)
{
	(void)strlen(s);
	changed(b);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	(void)strlen(fmt);
	changed(b);
}

void buf_truncate(struct buf *b, size_t n)
{
	(void)n;
	changed(b);
}

struct span buf_span(const struct buf *b)
{
	/*@ assert known: \initialized(&b->n); */
	(void)b;
	return any_text();
}

enum status buf_failed(const struct buf *b, struct tlv_err *e)
{
	/*@ assert known: \initialized(&b->failed); */
	return b->failed == ST_OK ? ST_OK : err_nomem(e);
}

void buf_free(struct buf *b)
{
	changed(b);
	*b = BUF_INIT;
}
