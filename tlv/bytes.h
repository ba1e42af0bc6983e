/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The only things that index memory: a span that is read, a cursor that
 * shrinks, a buffer that grows. Every length is compared with what remains.
 */
#ifndef TLV_BYTES_H
#define TLV_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tlv/err.h"

/* Elements of an array, which must not be a pointer. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Makes room for one more element in the owned array v, which holds n and has
 * room for cap (a size_t variable; v NULL and both 0 at first). Both v and cap
 * may change. False if there is no memory, or the size would overflow; then
 * nothing has changed. The element's size is that of *v.
 */
#define ARRAY_ROOM(v, n, cap) ((v) = array_more((v), (n), &(cap), sizeof *(v)), (n) < (cap))
/* Of ARRAY_ROOM only: the array, moved if it grew. */
void *array_more(void *v, size_t n, size_t *cap, size_t size);

/* Borrowed bytes; p may be NULL if n is 0. */
struct span {
	const uint8_t *p;
	size_t n;
};

#define SPAN_NONE ((struct span){ .p = NULL, .n = 0 })
/* The characters of a literal without its NUL. */
#define SPAN_LIT(text) ((struct span){ .p = (const uint8_t *)(text), .n = sizeof(text) - 1 })

struct span span_of(const void *p, size_t n);
struct span span_str(const char *s); /* without the NUL */
bool span_eq(struct span a, struct span b);
bool span_eq_reversed(struct span a, struct span b); /* a equals b back to front */
bool span_starts(struct span s, struct span prefix);
bool span_starts_nocase(struct span s, struct span prefix); /* A to Z and a to z are the same */
bool span_has(struct span s, uint8_t byte);
struct span span_trim_end(struct span s); /* without blanks (0x20) at its end: names are padded */
bool span_is_ascii(struct span s);
bool span_is_utf8(struct span s);	    /* well-formed: no overlong forms, no surrogates */
int span_cmp(struct span a, struct span b); /* bytewise, a shorter prefix first */
/* The byte at i, or -1 beyond the end. */
int span_at(struct span s, size_t i);
/* At most n bytes from at on; clipped to the span. */
struct span span_slice(struct span s, size_t at, size_t n);
/* Offset of inner's first byte in outer; inner must be a part of outer. */
size_t span_offset(struct span outer, struct span inner);
/* The value of a big-endian number of 0 to 4 bytes, 0xffffffff if it is longer. */
uint32_t span_be(struct span s);
/* Copies into a fixed room of cap bytes; false, copying nothing, if it does not fit. */
bool span_copy(struct span s, uint8_t *out, size_t cap);
/* A copy that ends in a NUL, malloc'd, or NULL. */
char *span_dup(struct span s);
/* Frees the bytes of a span that owns them, and empties it. */
void span_free(struct span *s);

/* Where reading is: what remains, and the offset of its first byte from the start. */
struct cursor {
	struct span rest;
	size_t at;
};

struct cursor cursor_of(struct span s);
/* Each takes from the front, or returns false and takes nothing. */
bool cursor_take(struct cursor *c, size_t n, struct span *out);
bool cursor_u8(struct cursor *c, uint8_t *out);
bool cursor_u16(struct cursor *c, uint16_t *out);
bool cursor_u32(struct cursor *c, uint32_t *out);

/*
 * Growing bytes. The first failure (memory, or a total beyond max) sticks: later
 * calls do nothing, and buf_failed() is asked once at the end.
 */
struct buf {
	uint8_t *p;
	size_t n, cap;
	size_t max; /* 0: no limit */
	enum status failed;
};

#define BUF_INIT ((struct buf){ .p = NULL })

void buf_put(struct buf *b, struct span s);
void buf_put_reversed(struct buf *b, struct span s);
void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_str(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Reserves n zero bytes, to be filled later; returns their position. */
size_t buf_hole(struct buf *b, size_t n);
/* Fills a hole; ST_BUG sticks if it does not lie inside. */
void buf_fill(struct buf *b, size_t pos, struct span s);
void buf_fill_u16(struct buf *b, size_t pos, uint16_t v);
/* Cuts back to n bytes; no-op if there are fewer. */
void buf_truncate(struct buf *b, size_t n);
struct span buf_span(const struct buf *b);
/* The bytes as a C string (a NUL is kept behind them), "" if nothing was put. Borrowed. */
const char *buf_cstr(struct buf *b);
enum status buf_failed(const struct buf *b, struct tlv_err *e);
void buf_free(struct buf *b);
/* Wipes before freeing. */
void buf_wipe(struct buf *b);

#endif
