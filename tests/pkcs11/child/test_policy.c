/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A crypto policy that forbids SHA-1 signatures looks at the digest that a
 * signature names to OpenSSL. Here every way of naming one fails, for this
 * program, for libp11 and for the token's process (no_digests.c is linked to
 * both): what still signs names none.
 */
#include "tests/pkcs11/lab.h"

static void p20_no_digest_is_named_to_openssl(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	uint8_t sig[TOK_SIG_MAX];
	struct span want;
	size_t n;

	assert_status(lab_signature(l, lab_digest_info(20), sig, &n, &e), ST_OK, &e);
	want = lab_expect("SAST-ADN008580ef", lab_digest_info(20));
	assert_true(span_eq(span_of(sig, n), want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(p20_no_digest_is_named_to_openssl, lab_setup,
						lab_teardown),
	};

	return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
