/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An answer of TVS. What is taken lies within the message, and its elements make it up again.
 */
#include "signer/trust/tvs_message.h"
#include "tests/fuzz/fuzz.h"

static void elements(const struct tvs_reply *r)
{
	struct cursor c = cursor_of(r->elements);
	struct span value;
	size_t n = 0, statuses = 0;
	uint8_t tag;

	while (tvs_next_element(&c, &tag, &value)) {
		n += 3 + value.n;
		statuses += tag == TVS_TAG_STATUS;
	}
	REQUIRE(n == r->elements.n && statuses == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tvs_signer signer = { .serial = SPAN_LIT("\x12\x34") };
	struct span message = span_of(data, size);
	struct tlv_err e = TLV_ERR_INIT;
	struct tvs_reply r;

	for (int what = TVS_VERIFY; what <= TVS_QUERY; what += 2) {
		enum status st =
			tvs_read_reply(&r, message, (enum tvs_question)what, 7, &signer, &e);

		REQUIRE(st == ST_OK || (st == ST_INPUT && err_text(&e)[0] != '\0'));
		if (st != ST_OK)
			continue;
		REQUIRE(r.elements.n + 10 == size && r.known == (r.status == 0));
		elements(&r);
	}
	return 0;
}
