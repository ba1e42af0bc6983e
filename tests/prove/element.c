/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * tlv/der.h in the place of tlv/der.c, for those who walk over elements: what prove/der.c shows of
 * an element is all that they know of it. It has any tag and any length, and anything follows it.
 */
#include "tlv/der.h"

#include "any.h"

enum { VALUE_MAX = 15 };

static uint8_t block[VALUE_MAX];

static struct span any_part(void)
{
	return span_of(block, any_size(0, VALUE_MAX));
}

/* An element of n bytes and anything behind it, or none. */
static bool takes(struct cursor *c, struct der *out, size_t n)
{
	bool whole = any_bool();

	/* Whether one is there is followed by itself: only then it is read. */
	/*@ split whole; */
	is_span(c->rest);
	if (!whole)
		return false;
	any_bytes(block, sizeof block);
	*out = (struct der){ .tag = any_u8(), .value = span_of(block, n), .raw = any_part() };
	c->rest = any_part();
	c->at = any_size(0, SIZE_MAX);
	return true;
}

/*
 * Kinds of elements that are followed by themselves until the next one: texts in UTF-8 of each
 * length, as one goes through them byte by byte, and what has a higher tag, as dates have. Of these
 * two or four digits of a year are cut off.
 */
enum { LOWER, TEXT, HIGHER_2 = TEXT + 5, HIGHER_4, HIGHER, KINDS };

static size_t kind;

static size_t length_of(void)
{
	if (kind == LOWER)
		return any_size(0, VALUE_MAX);
	if (kind < HIGHER_2)
		return kind - TEXT;
	if (kind == HIGHER_2)
		return any_size(0, 2);
	return kind == HIGHER_4 ? any_size(3, 4) : any_size(5, VALUE_MAX);
}

static uint8_t tag_of(void)
{
	if (kind == LOWER)
		return (uint8_t)any_size(0, DER_UTF8_STRING - 1);
	return kind < HIGHER_2 ? DER_UTF8_STRING :
				 (uint8_t)any_size(DER_UTF8_STRING + 1, UINT8_MAX);
}

bool der_next(struct cursor *c, struct der *out)
{
	kind = any_size(0, KINDS - 1);
	/*@ split kind; */
	if (!takes(c, out, length_of()))
		return false;
	out->tag = tag_of();
	return true;
}

bool der_expect(struct cursor *c, uint8_t tag, struct der *out)
{
	/*@ merge kind; */
	if (!takes(c, out, any_size(0, VALUE_MAX)))
		return false;
	out->tag = tag;
	return true;
}

struct span der_magnitude(struct span integer)
{
	is_span(integer);
	return any_span();
}
