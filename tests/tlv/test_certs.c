/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The certificates of a list in order: what is found is what a look at each record finds, and
 * it takes no such look.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/tlv/bytes_file.h"
#include "tlv/certs.h"

/* For each record of the list, whatever its role; one byte less of a certificate is none. */
static void assert_agrees(const struct tlv_list *l, enum tlv_role role)
{
	struct tlv_certs c;

	assert_int_equal(tlv_certs_of(&c, l, UINT32_C(1) << role, NULL), ST_OK);
	for (size_t i = 0; i < l->nrecords; i++) {
		struct span der = tlv_list_record(l, i).certificate;

		assert_int_equal(tlv_certs_have(&c, der), tlv_list_has(l, role, der));
		assert_false(tlv_certs_have(&c, span_slice(der, 0, der.n - 1)));
	}
	assert_false(tlv_certs_have(&c, SPAN_NONE));
	for (size_t i = 1; i < c.n; i++)
		assert_true(span_cmp(c.v[i - 1], c.v[i]) < 0);
	tlv_certs_free(&c);
}

static void it_finds_what_the_list_has(void **state)
{
	static const enum tlv_role roles[] = { TLV_ROLE_SAST, TLV_ROLE_CCM_TFTP, TLV_ROLE_CAPF,
					       TLV_ROLE_TVS };

	(void)state;
	for (size_t i = 0; i < TEST_LISTS; i++) {
		struct buf file = test_file(test_lists[i]);
		struct tlv_list l;

		assert_int_equal(tlv_list_decode(&l, buf_span(&file), NULL), ST_OK);
		for (size_t r = 0; r < COUNT(roles); r++)
			assert_agrees(&l, roles[r]);
		tlv_list_free(&l);
		buf_free(&file);
	}
}

static void roles_are_taken_together_and_each_certificate_once(void **state)
{
	struct buf file = test_file("lists/cucm.tlv"); /* SAST and CCM+TFTP of one certificate */
	struct tlv_list l;
	struct tlv_certs both, one;

	(void)state;
	assert_int_equal(tlv_list_decode(&l, buf_span(&file), NULL), ST_OK);
	assert_int_equal(tlv_certs_of(&both, &l, TLV_CERTS_OF(SAST) | TLV_CERTS_OF(CCM_TFTP), NULL),
			 ST_OK);
	assert_int_equal(tlv_certs_of(&one, &l, TLV_CERTS_OF(SAST), NULL), ST_OK);
	assert_int_equal(one.n, 1);
	assert_int_equal(both.n, 2);
	assert_true(both.complete && one.complete);
	tlv_certs_free(&both);
	tlv_certs_free(&one);
	tlv_list_free(&l);
	buf_free(&file);
}

static void a_record_without_certificate_is_told(void **state)
{
	struct buf file = test_file("lists/non-secure.tlv");
	struct tlv_list l;
	struct tlv_certs c;

	(void)state;
	assert_int_equal(tlv_list_decode(&l, buf_span(&file), NULL), ST_OK);
	assert_int_equal(tlv_certs_of(&c, &l, TLV_CERTS_OF(CCM_TFTP), NULL), ST_OK);
	assert_true(c.n == 0 && !c.complete);
	assert_false(tlv_certs_have(&c, SPAN_NONE));
	tlv_certs_free(&c);
	assert_int_equal(tlv_certs_of(&c, &l, TLV_CERTS_OF(SAST), NULL), ST_OK);
	assert_true(c.n > 0 && c.complete);
	tlv_certs_free(&c);
	assert_int_equal(tlv_certs_of(&c, NULL, TLV_CERTS_OF(SAST), NULL), ST_OK);
	assert_true(c.n == 0 && c.complete);
	tlv_certs_free(&c);
	tlv_list_free(&l);
	buf_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_finds_what_the_list_has),
		cmocka_unit_test(roles_are_taken_together_and_each_certificate_once),
		cmocka_unit_test(a_record_without_certificate_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
