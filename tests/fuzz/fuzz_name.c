/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A DER Name in each form: UTF-8 without NUL, and found again as the
 * rendering of that Name.
 */
#include "tests/fuzz/fuzz.h"
#include "tlv/name.h"
#include "tlv/record.h"

static void write(struct span name, enum tlv_name_form form, char separator)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct buf b = BUF_INIT;
	enum status st;

	buf_str(&b, "#"); /* appended to what is there */
	st = tlv_name_write(&b, name, form, separator, &e);
	REQUIRE(st == ST_OK || st == ST_INPUT);
	REQUIRE(st == e.status && (st == ST_OK || err_text(&e)[0] != '\0'));
	if (st == ST_OK) {
		struct span text = span_slice(buf_span(&b), 1, b.n);

		REQUIRE(!span_has(text, 0) && span_is_utf8(text));
		REQUIRE(tlv_name_match(text, name).matches);
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span name = span_of(data, size);
	struct buf cn = BUF_INIT;

	write(name, TLV_NAME_SERVER, ';');
	write(name, TLV_NAME_TOKEN, ';');
	write(name, TLV_NAME_RFC4514, ',');
	write(name, TLV_NAME_RFC4514, ';');
	if (tlv_name_cn(name, &cn))
		REQUIRE(span_is_utf8(buf_span(&cn)));
	buf_free(&cn);
	(void)tlv_name_is_open(name);
	return 0;
}
