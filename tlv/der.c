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

void der_put(struct buf *out, uint8_t tag, struct span value)
{
	if (value.n > UINT16_MAX) {
		out->failed = ST_BUG;
		return;
	}
	buf_u8(out, tag);
	if (value.n > UINT8_MAX) {
		buf_u8(out, 0x82);
		buf_u16(out, (uint16_t)value.n);
	} else {
		if (value.n >= 0x80)
			buf_u8(out, 0x81);
		buf_u8(out, (uint8_t)value.n);
	}
	buf_put(out, value);
}

void der_wrap(struct buf *out, uint8_t tag, struct buf *value)
{
	if (value->failed != ST_OK)
		out->failed = value->failed;
	else
		der_put(out, tag, buf_span(value));
	buf_free(value);
}

void der_put_magnitude(struct buf *out, struct span magnitude)
{
	struct buf value = BUF_INIT;

	if (magnitude.n == 0 || span_at(magnitude, 0) >= 0x80)
		buf_u8(&value, 0);
	buf_put(&value, magnitude);
	der_wrap(out, DER_INTEGER, &value);
}
