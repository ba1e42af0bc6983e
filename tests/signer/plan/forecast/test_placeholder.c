/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A certificate that stands for one that does not exist yet.
 */
#include "made_lists.h"

#include "signer/plan/forecast/placeholder.h"

static struct made m;

static int set_up(void **state)
{
	(void)state;
	make_lists(&m, "12.5", NOT_MIXED, 2, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free_lists(&m);
	return 0;
}

static void names_stay_serial_and_key_change(void **state)
{
	struct buf b = BUF_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_cert now, *old = &m.capf.parts;
	struct tlv_rsa rsa;

	(void)state;
	assert_int_equal(placeholder_of(buf_span(&m.capf.der), &b, &e), ST_OK);
	assert_int_equal(tlv_cert_walk(buf_span(&b), &now, &e), ST_OK);
	assert_true(span_eq(now.subject, old->subject));
	assert_true(span_eq(now.issuer, old->issuer));
	assert_int_equal(now.serial.n, old->serial.n);
	assert_false(span_eq(now.serial, old->serial));
	assert_false(span_eq(now.public_key, old->public_key));
	assert_true(tlv_rsa_walk(now.public_key, &rsa));
	assert_int_equal(rsa.bits, 2048);
	assert_false(tlv_rsa_proves_nothing(&rsa));
	buf_free(&b);
}

static void two_certificates_have_two_placeholders(void **state)
{
	struct buf a = BUF_INIT, b = BUF_INIT, again = BUF_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_cert x, y;

	(void)state;
	assert_int_equal(placeholder_of(buf_span(&m.callmanager[0].der), &a, &e), ST_OK);
	assert_int_equal(placeholder_of(buf_span(&m.tvs[0].der), &b, &e), ST_OK);
	assert_int_equal(placeholder_of(buf_span(&m.tvs[0].der), &again, &e), ST_OK);
	assert_int_equal(tlv_cert_walk(buf_span(&a), &x, &e), ST_OK);
	assert_int_equal(tlv_cert_walk(buf_span(&b), &y, &e), ST_OK);
	assert_false(span_eq(x.serial, y.serial));
	assert_false(span_eq(x.public_key, y.public_key));
	assert_true(span_eq(buf_span(&b), buf_span(&again)));
	buf_free(&a);
	buf_free(&b);
	buf_free(&again);
}

static void one_beside_is_neither_this_nor_the_next(void **state)
{
	struct buf next = BUF_INIT, beside = BUF_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_cert x, y, *old = &m.capf.parts;

	(void)state;
	assert_int_equal(placeholder_of(buf_span(&m.capf.der), &next, &e), ST_OK);
	assert_int_equal(placeholder_beside(buf_span(&m.capf.der), &beside, &e), ST_OK);
	assert_int_equal(tlv_cert_walk(buf_span(&next), &x, &e), ST_OK);
	assert_int_equal(tlv_cert_walk(buf_span(&beside), &y, &e), ST_OK);
	assert_false(span_eq(y.serial, x.serial) || span_eq(y.serial, old->serial));
	assert_false(span_eq(y.public_key, x.public_key) || span_eq(y.public_key, old->public_key));
	assert_int_equal(y.serial.n, old->serial.n);
	buf_free(&next);
	buf_free(&beside);
}

/* Numbers of one byte, as old tools counted: at both ends, of both signs, and nought. */
static void a_short_serial_changes_too(void **state)
{
	static const struct span serials[] = { SPAN_LIT("\x00"),     SPAN_LIT("\x01"),
					       SPAN_LIT("\x7e"),     SPAN_LIT("\x7f"),
					       SPAN_LIT("\x00\x80"), SPAN_LIT("\x00\xfe"),
					       SPAN_LIT("\x00\xff") };

	(void)state;
	for (size_t i = 0; i < COUNT(serials); i++) {
		struct made_cert x = { .der = BUF_INIT };
		struct buf next = BUF_INIT, beside = BUF_INIT;
		struct tlv_err e = TLV_ERR_INIT;
		struct tlv_cert a, b;

		made_serial = serials[i];
		make_cert(&m, &x, "x", "x");
		made_serial = SPAN_NONE;
		assert_int_equal(placeholder_of(buf_span(&x.der), &next, &e), ST_OK);
		assert_int_equal(placeholder_beside(buf_span(&x.der), &beside, &e), ST_OK);
		assert_int_equal(tlv_cert_walk(buf_span(&next), &a, &e), ST_OK);
		assert_int_equal(tlv_cert_walk(buf_span(&beside), &b, &e), ST_OK);
		assert_false(span_eq(a.serial, x.parts.serial));
		assert_false(span_eq(b.serial, x.parts.serial) || span_eq(b.serial, a.serial));
		assert_int_equal(a.serial.n, x.parts.serial.n);
		assert_int_equal(b.serial.n, x.parts.serial.n);
		buf_free(&x.der);
		buf_free(&next);
		buf_free(&beside);
	}
}

static void no_certificate_is_refused(void **state)
{
	struct buf b = BUF_INIT;
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(placeholder_of(SPAN_LIT("\x30\x03\x02\x01\x01"), &b, &e), ST_INPUT);
	assert_int_equal(b.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_stay_serial_and_key_change),
		cmocka_unit_test(two_certificates_have_two_placeholders),
		cmocka_unit_test(one_beside_is_neither_this_nor_the_next),
		cmocka_unit_test(a_short_serial_changes_too),
		cmocka_unit_test(no_certificate_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
