/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/net/shared/wire.h"

static void put_long(struct buf *b, int64_t v)
{
	buf_u32(b, (uint32_t)((uint64_t)v >> 32));
	buf_u32(b, (uint32_t)v);
}

static bool take_long(struct cursor *c, int64_t *v)
{
	uint32_t high, low;

	if (!cursor_u32(c, &high) || !cursor_u32(c, &low))
		return false;
	*v = (int64_t)((uint64_t)high << 32 | low);
	return true;
}

/* The type, and a flag that nobody needs: a head as tok_line_receive() takes it off. */
static void put_head(struct buf *b, int type, uint16_t number)
{
	buf_u8(b, (uint8_t)type);
	buf_u8(b, 0);
	buf_u16(b, number);
}

static bool take_head(struct cursor *c, uint8_t *type, uint16_t *number)
{
	uint8_t flag;

	return cursor_u8(c, type) && cursor_u8(c, &flag) && flag == 0 && cursor_u16(c, number);
}

void net_put_request(struct buf *b, const struct net_request *r)
{
	put_head(b, (int)r->what, r->number);
	buf_u32(b, r->ms);
	buf_u32(b, r->max);
	buf_u16(b, (uint16_t)r->target.n);
	buf_put(b, r->target);
	buf_put(b, r->bytes);
}

static bool is_target(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (span_at(s, i) <= ' ' || span_at(s, i) > '~')
			return false;
	return s.n > 0 && s.n <= NET_TARGET_MAX;
}

bool net_read_request(struct span msg, struct net_request *r)
{
	struct cursor c = cursor_of(msg);
	uint8_t type = 0;
	uint16_t n = 0;

	if (msg.n > NET_REQUEST_MAX || !take_head(&c, &type, &r->number) ||
	    !cursor_u32(&c, &r->ms) || !cursor_u32(&c, &r->max) || !cursor_u16(&c, &n) ||
	    !cursor_take(&c, n, &r->target))
		return false;
	r->what = (enum net_what)type;
	r->bytes = c.rest;
	return r->what >= NET_GET && r->what <= NET_TALK && r->ms > 0 && is_target(r->target) &&
	       (r->what == NET_TALK) == (r->bytes.n > 0) && r->bytes.n <= NET_SEND_MAX;
}

size_t net_talk_length(struct span begun)
{
	enum { LENGTH_AT = 8, HEAD = 10 };

	return begun.n < HEAD ? 0 : HEAD + span_be(span_slice(begun, LENGTH_AT, 2));
}

void net_put_chain(struct buf *b, struct span chain)
{
	buf_u32(b, (uint32_t)chain.n);
	buf_put(b, chain);
}

bool net_read_chain(struct span bytes, struct span *chain, struct span *message)
{
	struct cursor c = cursor_of(bytes);
	uint32_t n;

	if (!cursor_u32(&c, &n) || !cursor_take(&c, n, chain))
		return false;
	*message = c.rest;
	return true;
}

void net_put_bytes(struct buf *b, uint16_t number, struct span bytes)
{
	put_head(b, NET_BYTES, number);
	buf_put(b, bytes);
}

void net_put_done(struct buf *b, uint16_t number, const struct net_done *d)
{
	put_head(b, NET_DONE, number);
	buf_u8(b, (uint8_t)d->fault);
	buf_u32(b, d->code);
	put_long(b, d->modified);
	buf_put(b, span_slice(d->text, 0, NET_TEXT_MAX));
}

int net_read_answer(struct span msg, uint16_t *number, struct span *rest)
{
	struct cursor c = cursor_of(msg);
	uint8_t type = 0;

	if (!take_head(&c, &type, number) || type < NET_BYTES || type > NET_DONE)
		return -1;
	*rest = c.rest;
	return type;
}

bool net_read_done(struct span rest, struct net_done *d)
{
	struct cursor c = cursor_of(rest);
	uint8_t fault = 0;

	if (!cursor_u8(&c, &fault) || !cursor_u32(&c, &d->code) || !take_long(&c, &d->modified))
		return false;
	d->fault = (enum net_fault)fault;
	d->text = c.rest;
	return d->fault < NET_FAULTS && d->modified >= 0 && d->text.n <= NET_TEXT_MAX;
}
