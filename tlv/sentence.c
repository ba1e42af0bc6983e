/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/sentence.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tlv/utf8.h"

/* What is written to; there is always room for the NUL. */
struct out {
	char *p;
	size_t n, cap;
};

/* A va_list that functions can share. */
struct args {
	va_list ap;
};

/* "%02x" or "%.*s" taken apart. */
struct spec {
	bool left;
	int width;
	int precision; /* digits at least, or bytes of text at most; -1: none */
	char length;   /* 'l', 'z', 'q' for ll, or 0 */
	char kind;
};

static void put(struct out *o, const char *text, size_t n)
{
	for (size_t i = 0; i < n && o->n + 1 < o->cap; i++)
		o->p[o->n++] = text[i];
	o->p[o->n] = '\0';
}

/* The whole of an escape or a character, or nothing of it. */
static void put_safe(struct out *o, const char *text, size_t n)
{
	char escape[8];

	while (n > 0) {
		size_t visible = utf8_visible((const uint8_t *)text, n);
		size_t step = visible == 0 ? 1 : visible;

		if (o->n + (visible == 0 ? 4 : visible) + 1 > o->cap)
			return;
		if (visible > 0) {
			put(o, text, visible);
		} else {
			(void)snprintf(escape, sizeof escape, "\\x%02x",
				       (unsigned)(uint8_t)text[0]);
			put(o, escape, 4);
		}
		text += step;
		n -= step;
	}
}

/* One number of the specification, '*' from the arguments; -1 if there is none. */
static int number(const char **fmt, struct args *a)
{
	int v = -1;

	if (**fmt == '*') {
		(*fmt)++;
		return va_arg(a->ap, int);
	}
	for (; **fmt >= '0' && **fmt <= '9' && v < 10000; (*fmt)++)
		v = (v < 0 ? 0 : v * 10) + (**fmt - '0');
	return v;
}

/* From behind '%' on; false if it is none of those that are known. */
static bool take_spec(struct spec *s, const char **fmt, struct args *a)
{
	size_t flags = strspn(*fmt, "-0");

	*s = (struct spec){ .left = flags > 0 && **fmt == '-', .precision = -1 };
	if (flags > 0 && !s->left) {
		*fmt += flags;
		s->precision = number(fmt, a);
	} else {
		*fmt += flags;
		s->width = number(fmt, a);
	}
	if (**fmt == '.') {
		(*fmt)++;
		s->precision = number(fmt, a);
	}
	if (**fmt == 'l' || **fmt == 'z')
		s->length = *(*fmt)++;
	if (s->length == 'l' && **fmt == 'l') {
		s->length = 'q';
		(*fmt)++;
	}
	s->kind = **fmt;
	if (s->kind == '\0' || strchr("scduoxX%", s->kind) == NULL)
		return false;
	(*fmt)++;
	return true;
}

static intmax_t take_signed(const struct spec *s, struct args *a)
{
	switch (s->length) {
	case 'q':
		return va_arg(a->ap, long long);
	case 'l':
		return va_arg(a->ap, long);
	case 'z':
		return (intmax_t)va_arg(a->ap, size_t);
	default:
		return va_arg(a->ap, int);
	}
}

static uintmax_t take_unsigned(const struct spec *s, struct args *a)
{
	switch (s->length) {
	case 'q':
		return va_arg(a->ap, unsigned long long);
	/* NOLINTNEXTLINE(bugprone-branch-clone): two of the types are one on this machine */
	case 'l':
		return va_arg(a->ap, unsigned long);
	case 'z':
		return va_arg(a->ap, size_t);
	default:
		return va_arg(a->ap, unsigned);
	}
}

static void put_blanks(struct out *o, int n)
{
	for (int i = 0; i < n; i++)
		put(o, " ", 1);
}

static void put_text(struct out *o, const struct spec *s, const char *text)
{
	if (text == NULL)
		text = "(null)";
	put_safe(o, text, s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision));
}

static void put_number(struct out *o, const struct spec *s, struct args *a)
{
	int digits = s->precision < 0 ? 1 : s->precision;
	char text[64];
	uintmax_t v;

	if (s->kind == 'd') {
		(void)snprintf(text, sizeof text, "%.*jd", digits, take_signed(s, a));
	} else {
		v = take_unsigned(s, a);
		(void)snprintf(text, sizeof text,
			       s->kind == 'u' ? "%.*ju" :
			       s->kind == 'o' ? "%.*jo" :
			       s->kind == 'x' ? "%.*jx" :
						"%.*jX",
			       digits, v);
	}
	put(o, text, strlen(text));
}

static void put_bare(struct out *o, const struct spec *s, struct args *a)
{
	char c;

	if (s->kind == 's') {
		put_text(o, s, va_arg(a->ap, const char *));
	} else if (s->kind == 'c') {
		c = (char)va_arg(a->ap, int);
		put_safe(o, &c, 1);
	} else if (s->kind == '%') {
		put(o, "%", 1);
	} else {
		put_number(o, s, a);
	}
}

static void put_argument(struct out *o, const struct spec *s, struct args *a)
{
	struct out bare = { .p = o->p + o->n, .cap = o->cap - o->n };
	int blanks;

	put_bare(&bare, s, a);
	blanks = s->width - (int)bare.n;
	if (!s->left && blanks > 0) {
		/* Only tables of ours are wide: what is moved is short. */
		char text[64];
		int n = snprintf(text, sizeof text, "%s", bare.p);

		put_blanks(o, blanks);
		put(o, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
		return;
	}
	o->n += bare.n;
	put_blanks(o, s->left ? blanks : 0);
}

void sentence_format(char *out, size_t cap, const char *fmt, va_list ap)
{
	struct out o = { .p = out, .cap = cap };
	struct args a;
	struct spec s;

	out[0] = '\0';
	va_copy(a.ap, ap);
	while (*fmt != '\0') {
		size_t n = strcspn(fmt, "%");

		put(&o, fmt, n);
		fmt += n;
		if (*fmt == '\0')
			break;
		fmt++;
		if (!take_spec(&s, &fmt, &a))
			break;
		put_argument(&o, &s, &a);
	}
	va_end(a.ap);
}

void sentence_append(char *out, size_t cap, const char *text, size_t n)
{
	struct out o = { .p = out, .n = strlen(out), .cap = cap };

	while (n > 0) {
		const char *at = memmem(text, n, "\n  ", 3);
		size_t line = at != NULL ? (size_t)(at - text) : n;

		put_safe(&o, text, line);
		if (at == NULL)
			return;
		put(&o, "\n", 1);
		text += line + 1;
		n -= line + 1;
	}
}
