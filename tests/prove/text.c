/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * signer/text: terminal logs, their PEM blocks and rows of queries, rows of printed lists, and
 * tables. Each reads a text of any length with any bytes.
 */
#include "signer/text/csv.h"
#include "signer/text/pem.h"
#include "signer/text/row.h"

#include "any.h"
#include "span.h"

/* GNU's, of which the analysis has no description. */
void *memmem(const void *s, size_t n, const void *words, size_t m)
{
	is_span(span_of(s, n));
	is_span(span_of(words, m));
	return any_bool() ? (uint8_t *)(uintptr_t)s + any_size(0, n) : NULL;
}

static enum status block(void *arg, struct span pem, size_t line, struct tlv_err *e)
{
	(void)arg;
	(void)line;
	is_span(pem);
	return any_bool() ? ST_OK : err_set(e, ST_INPUT, "no certificate");
}

static enum status words(void *arg, struct span row, struct tlv_err *e)
{
	return block(arg, row, 0, e);
}

static void logs(void)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)pem_each(any_text(), block, NULL, &e);
	(void)query_each(any_text(), words, NULL, &e);
}

static void tables(void)
{
	struct buf fields[3] = { BUF_INIT, BUF_INIT, BUF_INIT };
	struct tlv_err e = TLV_ERR_INIT;
	struct csv c;
	bool whole;

	if (csv_open(&c, any_text(), &e) != ST_OK)
		return;
	while (csv_next(&c, fields, COUNT(fields), &whole)) {
		/*@ assert whole: \initialized(&whole); */
		is_span(c.rest);
	}
}

static void values(const struct row *row)
{
	struct buf out = BUF_INIT;
	uint64_t number;

	(void)row_text(row, any_text(), &out);
	(void)row_hex(any_text(), row->length, &out);
	(void)row_hash(any_text(), &out);
	(void)row_role(any_text(), &out);
	(void)row_version(any_text(), &out);
	if (row_number(any_text(), UINT16_MAX, &number)) {
		/*@ assert number: number <= 0xffff; */
	}
}

static void rows(enum tlv_scope scope)
{
	struct buf value = BUF_INIT;
	struct span rest;
	struct row row;

	if (row_after(any_text(), "Version:", &rest))
		is_span(rest);
	if (row_ends(any_text(), "(MD5)", &rest))
		is_span(rest);
	if (!row_parse(&row, any_text(), scope, &rest))
		return;
	is_span(rest);
	/*@ assert length: row.length <= 0xffff; */
	while (any_bool() && row_goes_on(&row, any_text(), any_text()))
		row_append(&row, &value, any_text());
	(void)row_is_too_long(&row, any_text());
	values(&row);
}

int main(void)
{
	logs();
	tables();
	rows(TLV_SCOPE_HEADER);
	rows(TLV_SCOPE_RECORD);
	return 0;
}
