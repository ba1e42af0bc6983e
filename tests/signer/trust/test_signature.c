/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The last answer about a signature is given again for the same list and key, and for no other.
 * A digest counts only for the bytes that the list says are signed.
 */
#include "signer/crypto/digest.h"
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

static void digest_of_what_was_signed(void **state)
{
	struct given_list given = given_list("lists/cucm.tlv"), unknown = given;
	const struct tlv_list *l = &given.list;
	enum tlv_digest alg = (enum tlv_digest)l->header.digest;
	struct span own[2], less[2], later[2];
	struct digest d, other;

	(void)state;
	tlv_signed_parts(&l->header, l->bytes, own);
	assert_int_equal(digest_parts(alg, own, 2, &d, NULL), ST_OK);
	assert_true(signature_was_made(l, own, digest_span(&d)));

	/* The digest is right, but said to be of other bytes. */
	less[0] = span_slice(own[0], 0, own[0].n - 1);
	less[1] = own[1];
	assert_false(signature_was_made(l, less, digest_span(&d)));
	later[0] = own[0];
	later[1] = span_slice(own[1], 1, own[1].n);
	assert_false(signature_was_made(l, later, digest_span(&d)));

	assert_int_equal(digest_parts(alg, less, 2, &other, NULL), ST_OK);
	assert_false(signature_was_made(l, own, digest_span(&other)));

	unknown.list.header.algorithm = 1;
	assert_false(signature_was_made(&unknown.list, own, digest_span(&d)));
	given_list_free(&given);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked_again),
		cmocka_unit_test(digest_of_what_was_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
