/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/text/row.h"

#include <string.h>

#include "tlv/text.h"

enum { TAG_DIGITS = 3, LENGTH_DIGITS = 5, LABEL_MAX = 24 };

static bool is_blank(int c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static struct span trim(struct span s)
{
	while (s.n > 0 && is_blank(span_at(s, 0)))
		s = span_slice(s, 1, s.n);
	while (s.n > 0 && is_blank(span_at(s, s.n - 1)))
		s = span_slice(s, 0, s.n - 1);
	return s;
}

bool row_after(struct span line, const char *words, struct span *rest)
{
	struct span s = trim(line), w = span_str(words);

	if (!span_starts(s, w))
		return false;
	*rest = trim(span_slice(s, w.n, s.n));
	return true;
}

bool row_ends(struct span line, const char *words, struct span *rest)
{
	struct span s = trim(line), w = span_str(words);

	if (s.n < w.n || !span_eq(span_slice(s, s.n - w.n, w.n), w))
		return false;
	*rest = trim(span_slice(s, 0, s.n - w.n));
	return true;
}

/* A word of at most max characters of a kind, and the blanks behind it. */
static bool take_word(struct span *s, size_t max, bool digits, struct span *word)
{
	size_t n = 0, blanks;

	while (n < s->n &&
	       (digits ? is_digit(span_at(*s, n)) : span_at(*s, n) >= 'A' && span_at(*s, n) <= 'Z'))
		n++;
	for (blanks = n; blanks < s->n && is_blank(span_at(*s, blanks));)
		blanks++;
	if (n == 0 || n > max || (blanks == n && n < s->n))
		return false;
	*word = span_slice(*s, 0, n);
	*s = span_slice(*s, blanks, s->n);
	return true;
}

bool row_number(struct span value, uint64_t max, uint64_t *out)
{
	char digits[24] = "";

	value = trim(value);
	if (value.n >= sizeof digits)
		return false;
	(void)span_copy(value, (uint8_t *)digits, sizeof digits - 1);
	return parse_number(digits, max, out);
}

/* The row of the tables that the label and the number name. */
static bool find_tag(struct row *row, enum tlv_scope scope, uint8_t tag, struct span label)
{
	const struct tlv_tag_row *known = tlv_tag_find(scope, tag);

	row->tag = tag;
	row->kind = TLV_KIND_OPAQUE;
	row->is_record_length = scope == TLV_SCOPE_RECORD && tag == TLV_R_RECORD_LENGTH;
	if (known == NULL)
		return span_eq(label, SPAN_LIT("UNKNOWN"));
	row->kind = known->kind;
	return span_eq(label, span_str(known->label));
}

bool row_parse(struct row *row, struct span line, enum tlv_scope scope, struct span *rest)
{
	struct span s = trim(line), tag, label, length;
	uint64_t number, n;

	*row = (struct row){ .line = 0 };
	if (!take_word(&s, TAG_DIGITS, true, &tag) || !take_word(&s, LABEL_MAX, false, &label) ||
	    !take_word(&s, LENGTH_DIGITS, true, &length) || !row_number(tag, UINT8_MAX, &number) ||
	    !row_number(length, UINT16_MAX, &n) || !find_tag(row, scope, (uint8_t)number, label))
		return false;
	row->length = (size_t)n;
	*rest = s;
	return true;
}

/* How many characters the value has if it is whole; SIZE_MAX: it has no end of its own. */
static size_t printed_length(const struct row *row)
{
	size_t n = row->length;

	switch (row->kind) {
	case TLV_KIND_TEXT:
		return n == 0 ? 0 : n - 1;
	case TLV_KIND_SERIAL:
	case TLV_KIND_HASH:
		return n == 0 ? 0 : 3 * n - 1;
	case TLV_KIND_SIGNATURE:
		return SIZE_MAX;
	case TLV_KIND_CERTIFICATE:
		return sizeof "(SHA1 Hash HEX)" - 1 + 20 * 3;
	default:
		return 0;
	}
}

static size_t hex_words(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += hex_digit(span_at(s, i)) >= 0 && (i == 0 || hex_digit(span_at(s, i - 1)) < 0);
	return n;
}

/* Hexadecimal digits, and what stands between them. */
static bool is_hex_line(struct span line)
{
	for (size_t i = 0; i < line.n; i++)
		if (hex_digit(span_at(line, i)) < 0 &&
		    !span_has(SPAN_LIT(" \t:"), (uint8_t)span_at(line, i)))
			return false;
	return line.n > 0;
}

bool row_goes_on(const struct row *row, struct span value, struct span line)
{
	struct span rest;

	if (trim(line).n == 0 || value.n >= printed_length(row))
		return false;
	switch (row->kind) {
	case TLV_KIND_SIGNATURE:
		return is_hex_line(line) && hex_words(value) < row->length;
	case TLV_KIND_CERTIFICATE:
		return is_hex_line(line) || row_ends(line, "HEX)", &rest);
	case TLV_KIND_TEXT:
		return value.n > 0 && value.n + line.n <= printed_length(row);
	default:
		return is_hex_line(line);
	}
}

void row_append(struct row *row, struct buf *value, struct span line)
{
	if (row->joins++ == 0)
		row->join = value->n;
	/* A row of the signature is a line of its own; anything else was broken by the terminal. */
	if (row->kind == TLV_KIND_SIGNATURE)
		buf_u8(value, ' ');
	buf_put(value, line);
}

/* So many bytes in front; *at is behind the last one. */
static bool take_hex(struct span value, size_t n, struct buf *out, size_t *at)
{
	size_t found = 0, i = 0;

	while (i < value.n && found < n) {
		int high = hex_digit(span_at(value, i)), low = hex_digit(span_at(value, i + 1));

		if (high < 0) {
			if (!span_has(SPAN_LIT(" \t:"), (uint8_t)span_at(value, i)))
				return false;
			i++;
			continue;
		}
		buf_u8(out, (uint8_t)(low < 0 ? high : high << 4 | low));
		i += low < 0 ? 1 : 2;
		found++;
	}
	*at = i;
	return found == n;
}

bool row_hex(struct span value, size_t n, struct buf *out)
{
	size_t at;

	return take_hex(value, n, out, &at) && trim(span_slice(value, at, value.n)).n == 0;
}

bool row_hash(struct span value, struct buf *out)
{
	size_t at;

	return take_hex(value, 20, out, &at);
}

bool row_is_too_long(const struct row *row, struct span line)
{
	return row->kind == TLV_KIND_SIGNATURE && is_hex_line(line);
}

/* "\x1b" back to its byte. */
static void unescape(struct span s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		struct span four = span_slice(s, i, 4);
		int high = hex_digit(span_at(four, 2)), low = hex_digit(span_at(four, 3));

		if (span_starts(four, SPAN_LIT("\\x")) && high >= 0 && low >= 0) {
			buf_u8(out, (uint8_t)(high << 4 | low));
			i += 3;
		} else {
			buf_u8(out, (uint8_t)span_at(s, i));
		}
	}
}

/* The text and a NUL, or without one if the length says so. */
static bool put_text(size_t length, struct span text, struct buf *out)
{
	if (text.n != length && text.n + 1 != length)
		return false;
	buf_put(out, text);
	if (text.n < length)
		buf_u8(out, 0);
	return true;
}

/* Blanks at the end of a broken line are lost: as many as are missing stood there. */
static bool put_joined(const struct row *row, struct span value, struct buf *out)
{
	if (row->joins != 1 || value.n + 1 >= row->length)
		return false;
	buf_put(out, span_slice(value, 0, row->join));
	for (size_t n = value.n + 1; n < row->length; n++)
		buf_u8(out, ' ');
	buf_put(out, span_slice(value, row->join, value.n));
	buf_u8(out, 0);
	return true;
}

/* RFC 4514 escapes a blank at the end of a value, and at the end of a line it is lost. */
static bool put_escaped_blank(const struct row *row, struct span value, struct buf *out)
{
	if (value.n == 0 || span_at(value, value.n - 1) != '\\' || value.n + 2 != row->length)
		return false;
	buf_put(out, value);
	buf_u8(out, ' ');
	buf_u8(out, 0);
	return true;
}

bool row_text(const struct row *row, struct span value, struct buf *out)
{
	struct buf plain = BUF_INIT;
	bool known = put_text(row->length, value, out) || put_escaped_blank(row, value, out);

	if (!known) {
		unescape(value, &plain);
		known = put_text(row->length, buf_span(&plain), out) || put_joined(row, value, out);
	}
	buf_free(&plain);
	return known;
}

bool row_role(struct span value, struct buf *out)
{
	const struct tlv_role_row *rows;
	uint64_t number;
	size_t n;

	rows = tlv_roles(&n);
	for (size_t i = 0; i < n; i++)
		if (span_eq(value, span_str(rows[i].shown))) {
			buf_u16(out, rows[i].number);
			return true;
		}
	if (!row_number(value, UINT16_MAX, &number))
		return false;
	buf_u16(out, (uint16_t)number);
	return true;
}

bool row_version(struct span value, struct buf *out)
{
	struct span s = trim(value);
	size_t dot = 0;
	uint64_t major, minor;

	while (dot < s.n && span_at(s, dot) != '.')
		dot++;
	if (!row_number(span_slice(s, 0, dot), UINT8_MAX, &major) ||
	    !row_number(span_slice(s, dot + 1, s.n), UINT8_MAX, &minor))
		return false;
	buf_u8(out, (uint8_t)major);
	buf_u8(out, (uint8_t)minor);
	return true;
}
