/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/text.h"

bool parse_number(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (uint64_t)(*text - '0');
		if (v > max)
			return false;
	}
	*out = v;
	return true;
}

/* One number up to 255 in front, without leading zeros. */
static bool take_octet(struct cursor *c, uint8_t *out)
{
	unsigned v = 0, digits = 0;

	for (int d = span_at(c->rest, 0); d >= '0' && d <= '9'; d = span_at(c->rest, 0)) {
		uint8_t taken;

		if (digits++ > 0 && v == 0)
			return false;
		v = v * 10 + (unsigned)(d - '0');
		if (v > 255 || !cursor_u8(c, &taken))
			return false;
	}
	*out = (uint8_t)v;
	return digits > 0;
}

bool span_ipv4(struct span text, uint8_t out[4])
{
	struct cursor c = cursor_of(text);
	uint8_t dot;

	for (int i = 0; i < 4; i++)
		if ((i > 0 && (!cursor_u8(&c, &dot) || dot != '.')) || !take_octet(&c, &out[i]))
			return false;
	return c.rest.n == 0;
}

bool span_is_dotted(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!span_has(SPAN_LIT("0123456789."), (uint8_t)span_at(text, i)))
			return false;
	return text.n > 0;
}

bool parse_ipv4(const char *text, uint8_t out[4])
{
	return span_ipv4(span_str(text), out);
}

void buf_ipv4(struct buf *b, struct span address)
{
	for (size_t i = 0; i < 4; i++)
		buf_printf(b, "%s%d", i > 0 ? "." : "", span_at(address, i));
}

/* The first of the longest runs of two or more groups that are 0; *n is its length. */
static size_t zero_run(struct span address, size_t *n)
{
	size_t best = 8, length = 0;

	*n = 1;
	for (size_t i = 0; i < 8; i++) {
		length = span_be(span_slice(address, 2 * i, 2)) == 0 ? length + 1 : 0;
		if (length > *n) {
			best = i + 1 - length;
			*n = length;
		}
	}
	return best;
}

void buf_ipv6(struct buf *b, struct span address)
{
	size_t length, run = zero_run(address, &length);

	for (size_t i = 0; i < 8; i++) {
		if (i == run) {
			buf_str(b, "::");
			i += length - 1;
			continue;
		}
		buf_printf(b, "%s%x", i > 0 && i != run + length ? ":" : "",
			   (unsigned)span_be(span_slice(address, 2 * i, 2)));
	}
}

bool buf_address(struct buf *b, struct span address)
{
	if (address.n == 4)
		buf_ipv4(b, address);
	else if (address.n == 16)
		buf_ipv6(b, address);
	return address.n == 4 || address.n == 16;
}

/* It can only be meant as one: hexadecimal digits, and two colons at least. */
static bool is_ipv6(const char *text)
{
	size_t colons = 0;

	for (; *text != '\0'; text++) {
		colons += *text == ':';
		if (*text != ':' && *text != '.' && *text != '%' &&
		    hex_digit((unsigned char)*text) < 0)
			return false;
	}
	return colons >= 2;
}

bool span_has_control(struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		int c = span_at(text, i);

		if ((c > 0 && c < 0x20) || c == 0x7f)
			return true;
	}
	return false;
}

bool buf_utf8(struct buf *b, uint32_t u)
{
	if (u > 0x10ffff || (u >= 0xd800 && u <= 0xdfff))
		return false;
	if (u < 0x80) {
		buf_u8(b, (uint8_t)u);
		return true;
	}
	if (u < 0x800) {
		buf_u8(b, (uint8_t)(0xc0 | u >> 6));
	} else if (u < 0x10000) {
		buf_u8(b, (uint8_t)(0xe0 | u >> 12));
		buf_u8(b, (uint8_t)(0x80 | (u >> 6 & 0x3f)));
	} else {
		buf_u8(b, (uint8_t)(0xf0 | u >> 18));
		buf_u8(b, (uint8_t)(0x80 | (u >> 12 & 0x3f)));
		buf_u8(b, (uint8_t)(0x80 | (u >> 6 & 0x3f)));
	}
	buf_u8(b, (uint8_t)(0x80 | (u & 0x3f)));
	return true;
}

const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

enum status address_read(const char *text, uint8_t out[4], struct tlv_err *e)
{
	if (parse_ipv4(text, out))
		return ST_OK;
	if (is_ipv6(text))
		return err_set(
			e, ST_USAGE,
			"'%s' is an IPv6 address, and no source says how CUCM writes one into a list: give the IPv4 address",
			text);
	return err_set(e, ST_USAGE, "'%s' is no IP address: write four numbers, as in 10.48.47.153",
		       text);
}

static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";

void buf_hex(struct buf *b, struct span s, enum hex_case digits, const char *between)
{
	const char *from = digits == HEX_UPPER ? upper : lower;

	for (size_t i = 0; i < s.n; i++) {
		int v = span_at(s, i);

		if (i > 0)
			buf_str(b, between);
		buf_u8(b, (uint8_t)from[v >> 4]);
		buf_u8(b, (uint8_t)from[v & 15]);
	}
}

bool hex_text(struct span s, char *out, size_t cap)
{
	if (cap / 2 < s.n || cap < 2 * s.n + 1)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		out[2 * i] = lower[span_at(s, i) >> 4];
		out[2 * i + 1] = lower[span_at(s, i) & 15];
	}
	out[2 * s.n] = '\0';
	return true;
}

bool hex_is(struct span text, size_t digits)
{
	for (size_t i = 0; i < text.n; i++)
		if (!span_has(span_of(lower, 16), (uint8_t)span_at(text, i)))
			return false;
	return text.n == digits;
}

int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum hex_fault hex_parse(struct span text, const char *between, struct buf *out)
{
	struct span gaps = span_str(between);

	for (size_t i = 0; i < text.n; i++) {
		int c = span_at(text, i), low = hex_digit(span_at(text, i + 1));

		if (span_has(gaps, (uint8_t)c))
			continue;
		if (hex_digit(c) < 0)
			return HEX_NOT_A_DIGIT;
		i++;
		if (low < 0 && i < text.n && !span_has(gaps, (uint8_t)span_at(text, i)))
			return HEX_NOT_A_DIGIT;
		if (low < 0)
			return HEX_ODD;
		buf_u8(out, (uint8_t)(hex_digit(c) << 4 | low));
	}
	return HEX_OK;
}

int64_t days_of_date(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int era = y / 400, of_era = y - era * 400;
	int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}
