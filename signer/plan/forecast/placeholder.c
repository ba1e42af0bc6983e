/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/placeholder.h"

#include "tlv/cert.h"

/* Even, so that an odd number stays odd. */
enum turn { SUCCESSOR = 0x54, BESIDE = 0x2a };

static void fill_byte(struct buf *out, size_t at, uint8_t v)
{
	buf_fill(out, at, span_of(&v, 1));
}

/* The first byte stays, so that the number keeps its sign and its length. */
static void turn_tail(struct buf *out, struct span part, size_t at, enum turn turn)
{
	for (size_t i = 1; i < part.n; i++)
		fill_byte(out, at + i, (uint8_t)(span_at(part, i) ^ (int)turn));
}

/* Within 0 to 7f, or 80 to ff: the sign stays. */
static uint8_t next_byte(int only, enum turn turn)
{
	int step = turn == SUCCESSOR ? 1 : 2;

	return (uint8_t)((only & 0x7f) + step > 0x7f ? only - step : only + step);
}

static void turn_serial(struct buf *out, struct span serial, size_t at, enum turn turn)
{
	int only = span_at(serial, 0);

	if (serial.n == 1)
		fill_byte(out, at, next_byte(only, turn));
	turn_tail(out, serial, at, turn);
}

/* A modulus stays as long as it is, and odd. */
static void turn_key(struct buf *out, const struct tlv_cert *c, struct span der, size_t start,
		     enum turn turn)
{
	struct tlv_rsa rsa;
	struct span part = tlv_rsa_walk(c->public_key, &rsa) ? rsa.modulus : c->public_key;

	if (part.n > 0)
		turn_tail(out, part, start + span_offset(der, part), turn);
}

static enum status turned(struct span known, enum turn turn, struct buf *out, struct tlv_err *e)
{
	struct tlv_cert c;
	size_t start = out->n;
	enum status st = tlv_cert_walk(known, &c, e);

	if (st != ST_OK)
		return st;
	buf_put(out, known);
	turn_serial(out, c.serial, start + span_offset(known, c.serial), turn);
	turn_key(out, &c, known, start, turn);
	return buf_failed(out, e);
}

enum status placeholder_of(struct span known, struct buf *out, struct tlv_err *e)
{
	return turned(known, SUCCESSOR, out, e);
}

enum status placeholder_beside(struct span known, struct buf *out, struct tlv_err *e)
{
	return turned(known, BESIDE, out, e);
}
