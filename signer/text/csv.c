/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/text/csv.h"

static void skip(struct csv *c, size_t n)
{
	c->rest = span_slice(c->rest, n, c->rest.n);
}

static bool is_line_end(int byte)
{
	return byte == '\n' || byte == '\r';
}

/* "\n", "\r\n" or "\r" in front. */
static void skip_line_end(struct csv *c)
{
	skip(c, span_starts(c->rest, SPAN_LIT("\r\n")) ? 2 : 1);
	c->next++;
}

static bool can_separate(int byte)
{
	return byte >= 0 && byte != '"' && !is_line_end(byte);
}

/* The one that stands most often in the first line, outside quotes. */
static uint8_t guess_separator(struct span text)
{
	static const char separators[] = { ';', '\t', ',' };
	size_t counts[COUNT(separators)] = { 0 }, best = 2;
	bool quoted = false;

	for (size_t i = 0; i < text.n && (quoted || !is_line_end(span_at(text, i))); i++) {
		int byte = span_at(text, i);

		if (byte == '"')
			quoted = !quoted;
		for (size_t k = 0; !quoted && k < COUNT(separators); k++)
			counts[k] += byte == separators[k];
	}
	for (size_t i = 0; i < COUNT(separators); i++)
		if (counts[i] > counts[best])
			best = i;
	return (uint8_t)separators[best];
}

enum status csv_open(struct csv *c, struct span text, struct tlv_err *e)
{
	*c = (struct csv){ .rest = text, .next = 1 };
	if (span_starts(text, SPAN_LIT("\xff\xfe")) || span_starts(text, SPAN_LIT("\xfe\xff")))
		return err_set(e, ST_INPUT, "is UTF-16: save it as CSV in UTF-8");
	if (span_has(text, 0))
		return err_set(e, ST_INPUT, "has NUL bytes: it is no CSV file");
	if (span_starts(text, SPAN_LIT("\xef\xbb\xbf")))
		skip(c, 3);
	if (span_starts_nocase(c->rest, SPAN_LIT("sep=")) && can_separate(span_at(c->rest, 4)) &&
	    is_line_end(span_at(c->rest, 5))) {
		c->separator = (uint8_t)span_at(c->rest, 4);
		skip(c, 5);
		skip_line_end(c);
	} else {
		c->separator = guess_separator(c->rest);
	}
	return ST_OK;
}

/* Behind the opening quote, up to the closing one; "" is a quote. */
static bool read_quoted(struct csv *c, struct buf *out)
{
	int byte;

	while ((byte = span_at(c->rest, 0)) >= 0) {
		if (byte == '"' && span_at(c->rest, 1) != '"') {
			skip(c, 1);
			return true;
		}
		if (byte == '\n')
			c->next++;
		buf_u8(out, (uint8_t)byte);
		skip(c, byte == '"' ? 2 : 1);
	}
	return false;
}

/* Up to the separator or the end of the line; false if a quote is never closed. */
static bool read_field(struct csv *c, struct buf *out)
{
	int byte;

	if (span_at(c->rest, 0) == '"') {
		skip(c, 1);
		if (!read_quoted(c, out))
			return false;
	}
	while ((byte = span_at(c->rest, 0)) >= 0 && byte != c->separator && !is_line_end(byte)) {
		buf_u8(out, (uint8_t)byte);
		skip(c, 1);
	}
	return true;
}

static bool read_row(struct csv *c, struct buf *fields, size_t n)
{
	struct buf rest = BUF_INIT;
	bool whole = true;

	for (size_t i = 0; whole; i++) {
		buf_truncate(&rest, 0);
		whole = read_field(c, i < n ? &fields[i] : &rest);
		if (!whole || span_at(c->rest, 0) != c->separator)
			break;
		skip(c, 1);
	}
	buf_free(&rest);
	return whole;
}

bool csv_next(struct csv *c, struct buf *fields, size_t n, bool *whole)
{
	for (size_t i = 0; i < n; i++)
		buf_truncate(&fields[i], 0);
	while (c->rest.n > 0 && is_line_end(span_at(c->rest, 0)))
		skip_line_end(c);
	if (c->rest.n == 0)
		return false;
	c->line = c->next;
	*whole = read_row(c, fields, n);
	if (c->rest.n > 0)
		skip_line_end(c);
	return true;
}
