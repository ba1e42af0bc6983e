/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The last answer about a signature is given again for the same list and key, and for no other.
 */
#include "signer/trust/signature.h"
#include "tests/signer/given.h"

static void asked_again(void **state)
{
	struct given_list old = given_list("lists/cucm.tlv"),
			  new = given_list("lists/cucm-2048.tlv");
	struct cert pub = given_cert(PUB), renewed = given_cert(RENEWED);
	const struct {
		const struct tlv_list *list;
		const struct cert *key;
		bool is_by;
	} rows[] = {
		{ &old.list, &pub, true },     { &old.list, &pub, true },
		{ &new.list, &pub, false },    { &new.list, &pub, false },
		{ &new.list, &renewed, true }, { &old.list, &renewed, false },
		{ &old.list, &pub, true },     { &old.list, &renewed, false },
	};
	struct signature_memo m = SIGNATURE_MEMO_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		/* The key of an installed list goes with it: the memo has its own copy. */
		struct buf key = BUF_INIT;

		buf_put(&key, rows[i].key->parts.public_key);
		assert_int_equal(signature_is_by_again(&m, rows[i].list, buf_span(&key)),
				 rows[i].is_by);
		assert_int_equal(signature_is_by(rows[i].list, buf_span(&key)), rows[i].is_by);
		buf_wipe(&key);
	}
	signature_memo_free(&m);
	cert_free(&pub);
	cert_free(&renewed);
	given_list_free(&old);
	given_list_free(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
