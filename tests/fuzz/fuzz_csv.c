/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A table of phones and checksums. What is read of it lies within it, and reads the same if it is
 * written again with every field in quotes.
 */
#include "signer/text/csv.h"
#include "tests/fuzz/fuzz.h"

enum { FIELDS = 3 };

static void write_field(struct buf *b, struct span field)
{
	buf_u8(b, '"');
	for (size_t i = 0; i < field.n; i++) {
		if (span_at(field, i) == '"')
			buf_u8(b, '"');
		buf_u8(b, (uint8_t)span_at(field, i));
	}
	buf_u8(b, '"');
}

static void reads_again(uint8_t separator, const struct buf *fields)
{
	struct buf text = BUF_INIT, again[FIELDS] = { BUF_INIT, BUF_INIT, BUF_INIT };
	bool whole = false;
	struct csv c;

	REQUIRE(separator != '"' && separator != '\n' && separator != '\r');
	buf_printf(&text, "sep=%c\n", separator);
	for (size_t i = 0; i < FIELDS; i++) {
		write_field(&text, buf_span(&fields[i]));
		buf_u8(&text, i + 1 < FIELDS ? separator : '\n');
	}
	REQUIRE(csv_open(&c, buf_span(&text), NULL) == ST_OK && c.separator == separator);
	REQUIRE(csv_next(&c, again, FIELDS, &whole) && whole && c.line == 2 && c.rest.n == 0);
	for (size_t i = 0; i < FIELDS; i++) {
		REQUIRE(span_eq(buf_span(&again[i]), buf_span(&fields[i])));
		buf_free(&again[i]);
	}
	buf_free(&text);
}

static void read_all(struct csv *c)
{
	struct buf fields[FIELDS] = { BUF_INIT, BUF_INIT, BUF_INIT };
	size_t left = c->rest.n, line = 0;
	bool whole = true;

	while (csv_next(c, fields, FIELDS, &whole)) {
		REQUIRE(c->line > line && c->next >= c->line && c->rest.n < left);
		REQUIRE(fields[0].n + fields[1].n + fields[2].n <= left - c->rest.n);
		REQUIRE(whole || c->rest.n == 0);
		reads_again(c->separator, fields);
		line = c->line;
		left = c->rest.n;
	}
	REQUIRE(c->rest.n == 0);
	for (size_t i = 0; i < FIELDS; i++)
		buf_free(&fields[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct csv c;

	if (csv_open(&c, span_of(data, size), &e) == ST_OK)
		read_all(&c);
	else
		REQUIRE(e.status == ST_INPUT && err_text(&e)[0] != '\0');
	return 0;
}
