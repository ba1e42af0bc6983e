/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * tlv/cursor.c in its own place, for those who take things out of messages: what prove/bytes.c
 * shows of a cursor is all that they know of it. What is taken is any span, and so is the rest,
 * wherever the cursor stood. So what they read may have any length, and go on for any time.
 */
#include "any.h"

/* Bytes that are more than anybody wants. */
enum { TAKEN_LONG = 70000 };

static uint8_t block[TAKEN_LONG];

/* Each length is followed by itself, as copies are made of what is taken. */
static struct span any_taken(void)
{
	size_t n = any_size(0, ANY_MAX);

	if (any_bool())
		n = TAKEN_LONG;
	/*@ split n; */
	any_bytes(block, sizeof block);
	return span_of(block, n);
}

struct cursor cursor_of(struct span s)
{
	is_span(s);
	return (struct cursor){ .rest = s, .at = 0 };
}

/* Whether there is enough is followed by itself: only then is something taken. */
static bool takes(struct cursor *c)
{
	bool enough = any_bool();

	/*@ split enough; */
	is_span(c->rest);
	if (!enough)
		return false;
	c->rest = span_of(block, any_bool() ? any_size(0, ANY_MAX) : TAKEN_LONG);
	c->at = any_size(0, SIZE_MAX);
	return true;
}

bool cursor_take(struct cursor *c, size_t n, struct span *out)
{
	(void)n;
	if (!takes(c))
		return false;
	if (out != NULL)
		*out = any_taken();
	return true;
}

bool cursor_u8(struct cursor *c, uint8_t *out)
{
	if (!takes(c))
		return false;
	*out = any_u8();
	return true;
}

bool cursor_u16(struct cursor *c, uint16_t *out)
{
	if (!takes(c))
		return false;
	*out = any_u16();
	return true;
}

bool cursor_u32(struct cursor *c, uint32_t *out)
{
	if (!takes(c))
		return false;
	*out = any_u32();
	return true;
}
