/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/bytes.h"

struct cursor cursor_of(struct span s)
{
	return (struct cursor){ .rest = s, .at = 0 };
}

bool cursor_take(struct cursor *c, size_t n, struct span *out)
{
	if (n > c->rest.n)
		return false;
	if (out != NULL)
		*out = span_of(c->rest.p, n);
	if (n != 0) {
		c->rest.p += n;
		c->rest.n -= n;
		c->at += n;
	}
	return true;
}

static bool cursor_number(struct cursor *c, size_t n, uint32_t *out)
{
	struct span s;

	if (!cursor_take(c, n, &s))
		return false;
	*out = span_be(s);
	return true;
}

bool cursor_u8(struct cursor *c, uint8_t *out)
{
	struct span s;

	if (!cursor_take(c, 1, &s))
		return false;
	*out = s.p[0];
	return true;
}

bool cursor_u16(struct cursor *c, uint16_t *out)
{
	uint32_t v;

	if (!cursor_number(c, 2, &v))
		return false;
	*out = (uint16_t)v;
	return true;
}

bool cursor_u32(struct cursor *c, uint32_t *out)
{
	return cursor_number(c, 4, out);
}
