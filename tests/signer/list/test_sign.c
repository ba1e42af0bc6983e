/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A list is judged before it is signed. What is signed then must be the same, byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "signer/crypto/key.h"
#include "signer/list/sign.h"
#include "tests/tlv/bytes_file.h"

enum { STRIDE = 5 };

struct fixture {
	struct buf file;
	struct tlv_list list;
	struct sign_spec spec;
	struct key *key;
};

static int setup(void **state)
{
	static struct fixture f;
	static const struct key_options opt = { .key = TEST_DATA_DIR "/cluster/pub.key",
						.cert = TEST_DATA_DIR "/cluster/pub.pem",
						.tok = { .insecure_file_mode = true } };
	struct tlv_err e = TLV_ERR_INIT;

	f.file = test_file("lists/cucm.tlv");
	assert_int_equal(tlv_list_decode(&f.list, buf_span(&f.file), NULL), ST_OK);
	f.spec = (struct sign_spec){
		.records = span_slice(f.list.bytes, f.list.header.raw.n, f.list.bytes.n),
		.digest = (enum tlv_digest)f.list.header.digest,
		.filename = "CTLFile.tlv",
		.timestamp = f.list.header.timestamp,
	};
	if (key_open(&f.key, &opt, &e) != ST_OK || key_login(f.key, &e) != ST_OK)
		fail_msg("%s", err_text(&e));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	key_free(&f->key);
	tlv_list_free(&f->list);
	buf_free(&f->file);
	return 0;
}

static struct signing prepared(const struct fixture *f)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct signing s;

	if (sign_prepare(&s, &f->spec, f->key, &e) != ST_OK)
		fail_msg("%s", err_text(&e));
	return s;
}

static void the_same_input_gives_the_same_list(void **state)
{
	struct fixture *f = *state;
	struct signing s = prepared(f);

	assert_int_equal(sign_fill(&s, f->key, NULL), ST_OK);
	assert_int_equal(sign_check(&s, NULL), ST_OK);
	assert_true(span_eq(buf_span(&s.list), buf_span(&f->file)));
	signing_free(&s);
}

/* The signature is made over the other byte, so it verifies. */
static void no_byte_changes_after_the_judgement(void **state)
{
	struct fixture *f = *state;
	size_t n = f->file.n;

	for (size_t at = 0; at < n; at += STRIDE) {
		struct tlv_err e = TLV_ERR_INIT;
		struct signing s = prepared(f);
		uint8_t other = (uint8_t)(span_at(buf_span(&s.list), at) ^ 1);

		if (at < s.hole || at >= s.hole + s.header.signature_bytes) {
			buf_fill(&s.list, at, span_of(&other, 1));
			assert_int_equal(sign_fill(&s, f->key, &e), ST_OK);
			assert_int_equal(sign_check(&s, &e), ST_BUG);
			assert_string_equal(err_text(&e),
					    "the list that was made reads back differently");
		}
		signing_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_input_gives_the_same_list),
		cmocka_unit_test(no_byte_changes_after_the_judgement),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
