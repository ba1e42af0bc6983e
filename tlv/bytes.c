/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlv/utf8.h"

void *array_more(void *v, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap < 8 ? 16 : *cap * 2;
	void *grown;

	/* No object is larger than PTRDIFF_MAX: the allocator is not even asked. */
	if (n < *cap || *cap > PTRDIFF_MAX / 2 || more > PTRDIFF_MAX / size)
		return v;
	grown = reallocarray(v, more, size);
	if (grown == NULL)
		return v;
	*cap = more;
	return grown;
}

struct span span_of(const void *p, size_t n)
{
	return (struct span){ .p = p, .n = n };
}

struct span span_str(const char *s)
{
	return span_of(s, strlen(s));
}

bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool span_eq_reversed(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (a.p[i] != b.p[b.n - 1 - i])
			return false;
	return true;
}

bool span_starts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && span_eq(span_of(s.p, prefix.n), prefix);
}

static int lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool span_starts_nocase(struct span s, struct span prefix)
{
	for (size_t i = 0; i < prefix.n; i++)
		if (lower(span_at(s, i)) != lower(span_at(prefix, i)))
			return false;
	return true;
}

struct span span_trim_end(struct span s)
{
	while (s.n > 0 && span_at(s, s.n - 1) == ' ')
		s.n--;
	return s;
}

bool span_has(struct span s, uint8_t byte)
{
	return s.n != 0 && memchr(s.p, byte, s.n) != NULL;
}

bool span_is_ascii(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 0x80)
			return false;
	return true;
}

bool span_is_utf8(struct span s)
{
	while (s.n > 0) {
		size_t n = utf8_character(s.p, s.n);

		if (n == 0)
			return false;
		s = span_of(s.p + n, s.n - n);
	}
	return true;
}

int span_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (r != 0)
		return r;
	return (a.n > b.n) - (a.n < b.n);
}

int span_at(struct span s, size_t i)
{
	return i < s.n ? s.p[i] : -1;
}

struct span span_slice(struct span s, size_t at, size_t n)
{
	if (at >= s.n)
		return SPAN_NONE;
	if (n > s.n - at)
		n = s.n - at;
	return span_of(s.p + at, n);
}

size_t span_offset(struct span outer, struct span inner)
{
	return (size_t)(inner.p - outer.p);
}

uint32_t span_be(struct span s)
{
	uint32_t v = 0;

	if (s.n > 4)
		return UINT32_MAX;
	for (size_t i = 0; i < s.n; i++)
		v = (v << 8) + s.p[i];
	return v;
}

bool span_copy(struct span s, uint8_t *out, size_t cap)
{
	if (s.n > cap)
		return false;
	if (s.n != 0)
		memcpy(out, s.p, s.n);
	return true;
}

char *span_dup(struct span s)
{
	char *copy = malloc(s.n + 1);

	if (copy == NULL) {
		(void)err_nomem(NULL);
		return NULL;
	}
	if (s.n != 0)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

void span_free(struct span *s)
{
	free((void *)(uintptr_t)s->p);
	*s = SPAN_NONE;
}

/* Makes room for n more bytes and a NUL behind them. */
static bool buf_room(struct buf *b, size_t n)
{
	size_t cap = b->cap == 0 ? 256 : b->cap;
	uint8_t *p;

	if (b->failed != ST_OK)
		return false;
	if (n < b->cap - b->n && b->max == 0)
		return true;
	if (n > SIZE_MAX / 4 - b->n || (b->max != 0 && b->n + n > b->max)) {
		b->failed = ST_INPUT;
		return false;
	}
	while (cap < b->n + n + 1)
		cap *= 2;
	if (cap == b->cap)
		return true;
	p = realloc(b->p, cap);
	if (p == NULL) {
		b->failed = err_nomem(NULL);
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void buf_put(struct buf *b, struct span s)
{
	if (!buf_room(b, s.n) || s.n == 0)
		return;
	memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
}

void buf_put_reversed(struct buf *b, struct span s)
{
	for (size_t i = s.n; i > 0; i--)
		buf_u8(b, s.p[i - 1]);
}

void buf_u8(struct buf *b, uint8_t v)
{
	buf_put(b, span_of(&v, 1));
}

void buf_u16(struct buf *b, uint16_t v)
{
	const uint8_t be[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	buf_put(b, span_of(be, sizeof be));
}

void buf_u32(struct buf *b, uint32_t v)
{
	buf_u16(b, (uint16_t)(v >> 16));
	buf_u16(b, (uint16_t)v);
}

void buf_str(struct buf *b, const char *s)
{
	buf_put(b, span_str(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !buf_room(b, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

size_t buf_hole(struct buf *b, size_t n)
{
	size_t pos = b->n;

	if (!buf_room(b, n))
		return pos;
	memset(b->p + b->n, 0, n);
	b->n += n;
	return pos;
}

void buf_fill(struct buf *b, size_t pos, struct span s)
{
	if (b->failed != ST_OK)
		return;
	if (pos > b->n || s.n > b->n - pos) {
		b->failed = ST_BUG;
		return;
	}
	if (s.n != 0)
		memcpy(b->p + pos, s.p, s.n);
}

void buf_fill_u16(struct buf *b, size_t pos, uint16_t v)
{
	const uint8_t be[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	buf_fill(b, pos, span_of(be, sizeof be));
}

void buf_truncate(struct buf *b, size_t n)
{
	if (n < b->n)
		b->n = n;
}

struct span buf_span(const struct buf *b)
{
	return span_of(b->p, b->n);
}

const char *buf_cstr(struct buf *b)
{
	if (b->p == NULL)
		return "";
	b->p[b->n] = '\0';
	return (const char *)b->p;
}

enum status buf_failed(const struct buf *b, struct tlv_err *e)
{
	switch (b->failed) {
	case ST_OK:
		return ST_OK;
	case ST_INPUT:
		return err_set(e, ST_INPUT, "longer than %zu bytes", b->max);
	case ST_BUG:
		return err_set(e, ST_BUG, "a hole is filled that was not left");
	default:
		return err_nomem(e);
	}
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = BUF_INIT;
}

void buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}
