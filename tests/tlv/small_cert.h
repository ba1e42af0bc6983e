/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SMALL_CERT_H
#define TESTS_SMALL_CERT_H

#include "tlv/bytes.h"

/*
 * The smallest certificates that tlv_cert_walk takes: names of one CN each, and a key of one byte.
 */

static inline void small_der(struct buf *b, uint8_t tag, struct span value)
{
	buf_u8(b, tag);
	buf_u8(b, 0x82);
	buf_u16(b, (uint16_t)value.n);
	buf_put(b, value);
}

static inline void small_wrap(struct buf *b, uint8_t tag, struct buf *value)
{
	small_der(b, tag, buf_span(value));
	buf_free(value);
}

static inline void small_name(struct buf *b, const char *cn)
{
	struct buf attribute = BUF_INIT, set = BUF_INIT, sequence = BUF_INIT;

	small_der(&attribute, 0x06, SPAN_LIT("\x55\x04\x03"));
	small_der(&attribute, 0x0c, span_str(cn));
	small_wrap(&set, 0x30, &attribute);
	small_wrap(&sequence, 0x31, &set);
	small_wrap(b, 0x30, &sequence);
}

static inline void small_key(struct buf *b)
{
	static const uint8_t rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
	struct buf info = BUF_INIT, algorithm = BUF_INIT;

	small_der(&algorithm, 0x06, span_of(rsa, sizeof rsa));
	small_wrap(&info, 0x30, &algorithm);
	small_der(&info, 0x03, span_of("\0\x01", 2));
	small_wrap(b, 0x30, &info);
}

/* Owned by the caller. */
static inline struct buf small_cert(const char *issuer, const char *subject, struct span serial)
{
	struct buf tbs = BUF_INIT, whole = BUF_INIT, b = BUF_INIT, validity = BUF_INIT;

	small_der(&tbs, 0x02, serial);
	small_der(&tbs, 0x30, SPAN_LIT("\x06\x01\x2a"));
	small_name(&tbs, issuer);
	small_der(&validity, 0x17, SPAN_LIT("140605120000Z"));
	small_der(&validity, 0x17, SPAN_LIT("340604120000Z"));
	small_wrap(&tbs, 0x30, &validity);
	small_name(&tbs, subject);
	small_key(&tbs);
	small_wrap(&whole, 0x30, &tbs);
	small_der(&whole, 0x30, SPAN_LIT("\x06\x01\x2a"));
	small_der(&whole, 0x03, span_of("\0\x01", 2));
	small_wrap(&b, 0x30, &whole);
	return b;
}

#endif
