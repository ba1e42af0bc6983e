/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Sentences for people with other people's text in them: file names, values,
 * labels. Whatever %s brings is escaped as it goes in. So only the format's own characters can
 * break a line or drive a terminal. Every error and every message is made here.
 */
#ifndef TLV_SENTENCE_H
#define TLV_SENTENCE_H

#include <stdarg.h>
#include <stddef.h>

/*
 * As vsnprintf does, with \xNN for what safe_text() escapes in the argument of a %s or %c. Knows
 * the conversions s, c, d, u, o, x and X, with precision and the lengths l, ll and z. A width is of
 * zeros, or of blanks for what has at most 63 bytes. The text ends at any other conversion.
 */
void sentence_format(char *out, size_t cap, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/*
 * Appends a sentence that sentence_format() made in another process: a break
 * that blanks follow stays one, all else is escaped once more. n bytes of text, no NUL needed.
 */
void sentence_append(char *out, size_t cap, const char *text, size_t n);

#endif
