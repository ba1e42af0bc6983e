/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * tlv/bytes.c: every function with spans, cursors and buffers of every kind.
 */
#include "tlv/bytes.h"

#include "any.h"
#include "libc.h"

static void span_alone(struct span s)
{
	uint8_t copy[4];
	struct span owned;

	(void)span_has(s, any_u8());
	is_span(span_trim_end(s));
	(void)span_is_ascii(s);
	(void)span_is_utf8(s);
	(void)span_at(s, any_size(0, SIZE_MAX));
	(void)span_be(s);
	(void)span_copy(s, copy, sizeof copy);
	any_memory(0);
	(void)span_dup(s);
	any_memory(1);
	owned = span_of(span_dup(s), s.n);
	span_free(&owned);
}

static void span_cut(struct span s)
{
	for (size_t at = 0; at <= ANY_MAX; at++)
		for (size_t n = 0; n <= ANY_MAX; n++) {
			struct span part = span_slice(s, at, n);

			is_span(part);
			if (part.p != NULL)
				(void)span_offset(s, part);
		}
}

static void spans_compared(struct span a)
{
	for (size_t n = 0; n <= ANY_MAX; n++) {
		struct span b = any_other_span_of(n);

		(void)span_eq(a, b);
		(void)span_eq_reversed(a, b);
		(void)span_starts(a, b);
		(void)span_starts_nocase(a, b);
		(void)span_cmp(a, b);
	}
}

static void cursors(struct span s)
{
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;

	for (size_t n = 0; n <= ANY_MAX + 1; n++) {
		struct cursor c = cursor_of(s);
		struct span taken = SPAN_NONE;

		c.at = any_size(0, UINT32_MAX);
		(void)cursor_take(&c, n, NULL);
		is_span(c.rest);
		c = cursor_of(s);
		(void)cursor_take(&c, n, &taken);
		is_span(taken);
		is_span(c.rest);
		(void)cursor_u8(&c, &u8);
		is_span(c.rest);
		(void)cursor_u16(&c, &u16);
		is_span(c.rest);
		(void)cursor_u32(&c, &u32);
		is_span(c.rest);
	}
}

static void spans(struct span s)
{
	span_alone(s);
	span_cut(s);
	spans_compared(s);
	cursors(s);
}

enum { FULL = 256 /* what a buffer has room for at first */ };

/* One with n bytes in it, and memory to grow so many times. */
static struct buf any_buf(size_t n, size_t memory)
{
	static uint8_t full[FULL];

	any_bytes(full, sizeof full);
	any_memory(memory);
	if (n == 0)
		return BUF_INIT;
	return (struct buf){ .p = full, .n = n, .cap = FULL };
}

static void appended(size_t n, struct span s, size_t memory)
{
	struct buf b = any_buf(n, memory);

	buf_put(&b, s);
	(void)buf_cstr(&b);
	b = any_buf(n, memory);
	buf_put_reversed(&b, s);
	b = any_buf(n, memory);
	b.max = FULL;
	buf_u32(&b, any_u32());
	b = any_buf(n, memory);
	buf_str(&b, "text");
	is_span(buf_span(&b));
	buf_free(&b);
}

static void filled(size_t n, struct span s, size_t memory)
{
	struct buf b = any_buf(n, memory);
	size_t hole = buf_hole(&b, s.n);

	buf_fill(&b, hole, s);
	b = any_buf(n, memory);
	buf_fill(&b, n, s);
	buf_fill(&b, any_size(n + 1, SIZE_MAX), s);
	(void)buf_failed(&b, NULL);
	b = any_buf(n, memory);
	hole = buf_hole(&b, 2);
	buf_fill_u16(&b, hole, any_u16());
	buf_truncate(&b, any_size(0, SIZE_MAX));
	buf_wipe(&b);
}

/* At first, and where the room of a buffer ends. */
static void buffers(struct span s, size_t memory)
{
	appended(0, s, memory);
	filled(0, s, memory);
	for (size_t n = FULL - ANY_MAX - 2; n < FULL; n++) {
		appended(n, s, memory);
		filled(n, s, memory);
	}
}

static void failures(void)
{
	static const enum status all[] = { ST_OK, ST_INPUT, ST_BUG, ST_NOMEM };
	struct tlv_err e = TLV_ERR_INIT;

	for (size_t i = 0; i < COUNT(all); i++) {
		struct buf b = { .failed = all[i], .max = FULL };

		(void)buf_failed(&b, &e);
		buf_put(&b, any_span());
		(void)buf_cstr(&b);
	}
}

static void arrays(size_t memory)
{
	size_t cap = 0, n = 0;
	uint32_t *v = NULL;

	any_memory(memory);
	for (n = 0; n < 40; n++) {
		if (!ARRAY_ROOM(v, n, cap))
			break;
		v[n] = any_u32();
	}
	cap = SIZE_MAX / 2;
	(void)array_more(NULL, cap, &cap, sizeof *v);
}

int main(void)
{
	spans(SPAN_NONE);
	for (size_t n = 0; n <= ANY_MAX; n++) {
		spans(any_span_of(n));
		buffers(any_span_of(n), 0);
		buffers(any_span_of(n), 1);
	}
	failures();
	arrays(0);
	arrays(1);
	arrays(3);
	return 0;
}
