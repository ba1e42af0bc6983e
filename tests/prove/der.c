/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * tlv/der.c: an element of any tag and length, and elements that are written.
 */
#include "tlv/der.h"

#include "any.h"

/* The two bytes that lengths change their form at, and one that is too long. */
enum { SHORT_MAX = 0x7f, LONG_MAX_1 = 0xff, TOO_LONG = UINT16_MAX + 1 };

static void is_taken(const struct der *d, const struct cursor *c)
{
	is_span(d->value);
	is_span(d->raw);
	is_span(c->rest);
}

static void taken(struct span s)
{
	struct cursor c = cursor_of(s);
	struct der d;

	if (der_next(&c, &d))
		is_taken(&d, &c);
	else
		is_span(c.rest);
}

static void expected(struct span s)
{
	struct cursor c = cursor_of(s);
	struct der d;

	if (der_expect(&c, any_u8(), &d))
		is_taken(&d, &c);
	else
		is_span(c.rest);
}

enum { ROOM = 256 /* what a buffer has room for at first */ };

/* An empty buffer that needs no memory: the inner element's is another. */
static struct buf roomy(void)
{
	static uint8_t room[ROOM];

	return (struct buf){ .p = room, .cap = ROOM };
}

static void put(struct span value, size_t memory)
{
	struct buf out = roomy(), inner = BUF_INIT;

	any_memory(memory);
	der_put(&out, any_u8(), value);
	out = roomy();
	der_put_magnitude(&out, value);
	is_span(buf_span(&out));
	out = roomy();
	any_memory(memory);
	buf_put(&inner, value);
	der_wrap(&out, any_u8(), &inner);
	is_span(buf_span(&out));
}

static void put_long(size_t n)
{
	static uint8_t bytes[TOO_LONG];
	struct buf out = BUF_INIT;

	any_bytes(bytes, sizeof bytes);
	any_memory(ANY_MEMORY);
	der_put(&out, any_u8(), span_of(bytes, n));
	is_span(buf_span(&out));
}

/* A number whose first so many bytes are zero. */
static void magnitude(size_t n, size_t zeros)
{
	static uint8_t bytes[ANY_MAX];
	uint8_t *p = bytes + (ANY_MAX - n);

	any_bytes(bytes, sizeof bytes);
	for (size_t i = 0; i < zeros; i++)
		p[i] = 0;
	if (zeros < n)
		p[zeros] = (uint8_t)any_size(1, UINT8_MAX);
	is_span(der_magnitude(span_of(p, n)));
}

int main(void)
{
	for (size_t n = 0; n <= ANY_MAX; n++) {
		taken(any_other_span_of(n));
		expected(any_other_span_of(n));
		for (size_t zeros = 0; zeros <= n; zeros++)
			magnitude(n, zeros);
		put(any_other_span_of(n), 0);
		put(any_other_span_of(n), 1);
	}
	put_long(SHORT_MAX);
	put_long(SHORT_MAX + 1);
	put_long(LONG_MAX_1);
	put_long(LONG_MAX_1 + 1);
	put_long(TOO_LONG);
	return 0;
}
