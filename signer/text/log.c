/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/text/log.h"

#include "tlv/text.h"

enum { ESC = 0x1b, BEL = 0x07, BACKSPACE = 0x08, SURROGATE = 0xd800 };

/* Windows' tools write logs in it. Half a pair is written as a question mark. */
static void from_utf16(struct buf *out, struct span text, bool little)
{
	for (size_t i = 2; i + 1 < text.n; i += 2) {
		uint32_t a = (uint32_t)span_at(text, i), b = (uint32_t)span_at(text, i + 1);
		uint32_t unit = little ? b << 8 | a : a << 8 | b;
		uint32_t next = 0;

		if (i + 3 < text.n) {
			a = (uint32_t)span_at(text, i + 2);
			b = (uint32_t)span_at(text, i + 3);
			next = little ? b << 8 | a : a << 8 | b;
		}
		if ((unit & 0xf800) != SURROGATE) {
			(void)buf_utf8(out, unit);
		} else if (unit < 0xdc00 && (next & 0xfc00) == 0xdc00) {
			(void)buf_utf8(out, 0x10000 + ((unit & 0x3ff) << 10 | (next & 0x3ff)));
			i += 2;
		} else {
			buf_u8(out, '?');
		}
	}
}

enum status log_open(struct log *l, struct span text, struct tlv_err *e)
{
	bool little = span_starts(text, SPAN_LIT("\xff\xfe"));

	*l = (struct log){ .rest = text, .next = 1, .line = BUF_INIT, .utf8 = BUF_INIT };
	if (little || span_starts(text, SPAN_LIT("\xfe\xff"))) {
		from_utf16(&l->utf8, text, little);
		l->rest = buf_span(&l->utf8);
	}
	return buf_failed(&l->utf8, e);
}

/* The bytes of an escape sequence in front: ECMA-48, and titles up to BEL. */
static size_t escape_length(struct span s)
{
	size_t n = 2;
	int kind = span_at(s, 1);

	if (kind == '[') {
		while (n < s.n && (span_at(s, n) < 0x40 || span_at(s, n) > 0x7e))
			n++;
		return n + 1;
	}
	if (kind == ']') {
		while (n < s.n && span_at(s, n) != BEL && span_at(s, n) != ESC)
			n++;
		return n + (span_at(s, n) == ESC ? 2 : 1);
	}
	return n;
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* How many bytes in front stand for themselves. */
static size_t plain_length(struct span s)
{
	size_t n = 0;
	int c;

	while ((c = span_at(s, n)) > ESC || (c > 0 && c != ESC && c != BEL && c != BACKSPACE))
		n++;
	return n;
}

/* What is plain is copied at once: logs are long, and hardly anything else is in them. */
static void clean(struct buf *out, struct span raw)
{
	buf_truncate(out, 0);
	for (size_t i = 0, n; i < raw.n && out->n < LOG_LINE_MAX; i += n) {
		struct span rest = span_slice(raw, i, LOG_LINE_MAX - out->n);

		n = plain_length(rest);
		buf_put(out, span_slice(rest, 0, n));
		if (n > 0)
			continue;
		n = span_at(rest, 0) == ESC ? escape_length(span_slice(raw, i, raw.n)) : 1;
		if (span_at(rest, 0) == BACKSPACE)
			buf_truncate(out, out->n > 0 ? out->n - 1 : 0);
	}
	while (out->n > 0 && is_blank(span_at(buf_span(out), out->n - 1)))
		buf_truncate(out, out->n - 1);
}

/* CUCM's pager; what overwrites its prompt stands behind a carriage return. */
static bool is_pager(struct span line)
{
	return span_starts(line, SPAN_LIT("Press <enter>")) ||
	       span_starts(line, SPAN_LIT("--More--"));
}

/* Up to a line feed, or up to a carriage return with text behind it. */
static size_t line_length(struct span s)
{
	size_t n = 0;
	int c;

	for (; (c = span_at(s, n)) >= 0 && c != '\n'; n++)
		if (c == '\r' && span_at(s, n + 1) != '\n' && span_at(s, n + 1) != '\r')
			break;
	return n;
}

bool log_next(struct log *l, struct span *line)
{
	while (l->rest.n > 0) {
		size_t n = line_length(l->rest);

		clean(&l->line, span_slice(l->rest, 0, n));
		l->number = l->next;
		l->next += span_at(l->rest, n) == '\n';
		l->rest = span_slice(l->rest, n + 1, l->rest.n);
		*line = buf_span(&l->line);
		if (!is_pager(*line))
			return true;
	}
	return false;
}

enum status log_close(struct log *l, struct tlv_err *e)
{
	enum status st = buf_failed(&l->line, e);

	buf_free(&l->line);
	buf_free(&l->utf8);
	return st;
}
