/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A terminal log: what is found in it is sound, a carriage return more changes
 * nothing, and what is taken of it to rebuild a list stays within it.
 */
#include <string.h>

#include "signer/text/pem.h"
#include "signer/text/printed.h"
#include "signer/text/rebuild.h"
#include "tests/fuzz/fuzz.h"

/* Gaps stand in the list's bytes, one behind the other. */
static void sound(const struct printed *p)
{
	size_t at = 0;

	REQUIRE(p->list.printed);
	REQUIRE(p->list.bytes.n <= p->bytes.n);
	REQUIRE(p->fault.status != ST_OK || p->list.bytes.n == p->bytes.n);
	for (size_t i = 0; i < p->ngaps; i++) {
		REQUIRE(p->gaps[i].at >= at && p->gaps[i].n <= p->bytes.n - p->gaps[i].at);
		at = p->gaps[i].at + p->gaps[i].n;
	}
	if (p->fault.status != ST_OK)
		REQUIRE(strncmp(err_text(&p->fault), "", 1) != 0);
}

static void forget(const struct tlv_list *l)
{
	struct buf bytes = BUF_INIT;

	REQUIRE(printed_forget(l, &bytes, NULL) == ST_OK);
	REQUIRE(bytes.n == l->bytes.n);
	buf_free(&bytes);
}

/* Without certificates only a list that has none can be rebuilt. Others must end with a reason. */
static void rebuild(const struct printed *p, struct span text)
{
	struct certset none = CERTSET_INIT;
	struct rebuild_address *addresses = NULL;
	struct rebuild_hints hints = { .certs = &none, .has_timestamp = true };
	struct tlv_err e = TLV_ERR_INIT;
	struct buf out = BUF_INIT;
	size_t n = 0;

	REQUIRE(rebuild_addresses(p, text, &addresses, &n, &e) == ST_OK);
	hints.addresses = addresses;
	hints.naddresses = n;
	if (rebuild_list(p, &hints, &out, &e) == ST_OK)
		REQUIRE(out.n == p->bytes.n);
	else
		REQUIRE(err_text(&e)[0] != '\0');
	buf_free(&out);
	free(addresses);
}

static enum status block(void *arg, struct span pem, size_t line, struct tlv_err *e)
{
	(void)arg;
	(void)e;
	REQUIRE(line > 0 && span_starts(pem, SPAN_LIT("-----BEGIN ")));
	return ST_OK;
}

static enum status row(void *arg, struct span words, struct tlv_err *e)
{
	(void)arg;
	(void)e;
	REQUIRE(words.n <= 65536);
	return ST_OK;
}

/* Only of a text in which they are all there is. */
static bool has_plain_lines(struct span text)
{
	return !span_has(text, '\r') && !span_has(text, 0x1b) &&
	       !span_starts(text, SPAN_LIT("\xff\xfe")) && !span_starts(text, SPAN_LIT("\xfe\xff"));
}

/* Line by line: each comparison costs the engine more than it costs the program. */
static void put_crlf(struct buf *out, struct span text)
{
	const uint8_t *at;

	while (text.n > 0 && (at = memchr(text.p, '\n', text.n)) != NULL) {
		size_t n = (size_t)(at - text.p);

		buf_put(out, span_slice(text, 0, n));
		buf_str(out, "\r\n");
		text = span_slice(text, n + 1, text.n);
	}
	buf_put(out, text);
}

static void with_carriage_returns(struct span text, const struct printed_lists *lists)
{
	struct printed_lists other;
	struct buf crlf = BUF_INIT;

	put_crlf(&crlf, text);
	REQUIRE(printed_find(&other, buf_span(&crlf), NULL) == ST_OK && other.n == lists->n);
	for (size_t i = 0; i < other.n; i++) {
		REQUIRE(span_eq(buf_span(&other.v[i].bytes), buf_span(&lists->v[i].bytes)));
		REQUIRE(strcmp(err_text(&other.v[i].fault), err_text(&lists->v[i].fault)) == 0);
	}
	printed_free(&other);
	buf_free(&crlf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, size);
	struct tlv_err e = TLV_ERR_INIT;
	struct printed_lists lists;

	REQUIRE(pem_each(text, block, NULL, &e) == ST_OK);
	REQUIRE(query_each(text, row, NULL, &e) == ST_OK);
	if (printed_find(&lists, text, &e) != ST_OK) {
		REQUIRE(e.status == ST_INPUT && err_text(&e)[0] != '\0');
		return 0;
	}
	for (size_t i = 0; i < lists.n; i++) {
		sound(&lists.v[i]);
		forget(&lists.v[i].list);
	}
	if (lists.n > 0)
		rebuild(&lists.v[0], text);
	if (has_plain_lines(text))
		with_carriage_returns(text, &lists);
	printed_free(&lists);
	return 0;
}
