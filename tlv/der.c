/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/der.h"

static bool read_length(struct cursor *c, size_t *n)
{
	struct span more;
	uint8_t first;

	if (!cursor_u8(c, &first))
		return false;
	if (first < 0x80) {
		*n = first;
		return true;
	}
	if (first == 0x80 || first > 0x84 || !cursor_take(c, first & 0x7fU, &more))
		return false;
	*n = span_be(more);
	return true;
}

bool der_next(struct cursor *c, struct der *out)
{
	struct cursor at = *c;
	size_t n;

	if (!cursor_u8(&at, &out->tag) || (out->tag & 0x1fU) == 0x1f || !read_length(&at, &n) ||
	    !cursor_take(&at, n, &out->value))
		return false;
	out->raw = span_slice(c->rest, 0, at.at - c->at);
	*c = at;
	return true;
}

bool der_expect(struct cursor *c, uint8_t tag, struct der *out)
{
	struct cursor at = *c;

	if (!der_next(&at, out) || out->tag != tag)
		return false;
	*c = at;
	return true;
}

struct span der_magnitude(struct span integer)
{
	while (integer.n > 1 && span_at(integer, 0) == 0)
		integer = span_slice(integer, 1, integer.n);
	return integer;
}
