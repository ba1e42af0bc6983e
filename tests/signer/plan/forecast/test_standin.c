/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What stands for certificates and lists that were only printed.
 */
#include "made_lists.h"

#include "signer/plan/forecast/placeholder.h"
#include "signer/plan/forecast/standin.h"
#include "signer/text/printed.h"

static struct made m;
static struct standins set;
/* A CTL of tokens and an ITL, as their texts give them; and what stands for them. */
static struct buf text[2], bytes[2];
static struct tlv_list printed[2], filled[2];

static int set_up(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	make_lists(&m, "11.5", TOKENS, 2, 1);
	set = STANDINS_INIT;
	for (size_t i = 0; i < 2; i++) {
		text[i] = bytes[i] = BUF_INIT;
		assert_int_equal(printed_forget(&m.lists[i], &text[i], &e), ST_OK);
		assert_int_equal(tlv_list_decode(&printed[i], buf_span(&text[i]), &e), ST_OK);
	}
	return 0;
}

static void fill(void)
{
	struct tlv_err e = TLV_ERR_INIT;

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(standins_fill(&set, &printed[i], &bytes[i], &e), ST_OK);
		assert_int_equal(tlv_list_decode(&filled[i], buf_span(&bytes[i]), &e), ST_OK);
		assert_int_equal(filled[i].nrecords, m.lists[i].nrecords);
	}
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		tlv_list_free(&printed[i]);
		tlv_list_free(&filled[i]);
		buf_free(&text[i]);
		buf_free(&bytes[i]);
	}
	standins_free(&set);
	free_lists(&m);
	return 0;
}

static void certificates_have_the_printed_parts(void **state)
{
	(void)state;
	fill();
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < filled[i].nrecords; k++) {
			struct tlv_record r = tlv_list_record(&filled[i], k),
					  own = tlv_list_record(&m.lists[i], k);
			struct tlv_err e = TLV_ERR_INIT;
			struct tlv_cert c, was;
			struct tlv_rsa rsa;

			assert_int_equal(tlv_cert_walk(r.certificate, &c, &e), ST_OK);
			assert_int_equal(tlv_cert_walk(own.certificate, &was, &e), ST_OK);
			assert_int_equal(r.certificate.n, own.certificate.n);
			assert_true(span_eq(c.serial, was.serial));
			assert_true(tlv_name_same(c.subject, was.subject));
			assert_true(tlv_name_same(c.issuer, was.issuer));
			assert_true(span_eq(c.public_key, r.public_key));
			assert_int_equal(r.public_key.n, own.public_key.n);
			assert_true(tlv_rsa_walk(r.public_key, &rsa));
			/* 14 bytes are around a modulus of 256. */
			assert_int_equal(rsa.bits, (r.public_key.n - 14) * 8);
			assert_false(tlv_rsa_proves_nothing(&rsa));
		}
}

static struct span cert_at(const struct tlv_list *l, size_t i)
{
	return tlv_list_record(l, i).certificate;
}

/* Two records have the same stand-in if, and only if, they have the same certificate. */
static void each_certificate_has_one(void **state)
{
	(void)state;
	fill();
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < filled[i].nrecords; k++)
			for (size_t x = 0; x < filled[1].nrecords; x++)
				assert_int_equal(
					span_eq(cert_at(&filled[i], k), cert_at(&filled[1], x)),
					span_eq(cert_at(&m.lists[i], k), cert_at(&m.lists[1], x)));
}

static void a_successor_is_another_certificate(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct buf next = BUF_INIT;
	struct tlv_cert old, new;

	(void)state;
	fill();
	assert_int_equal(placeholder_of(cert_at(&filled[1], 0), &next, &e), ST_OK);
	assert_int_equal(tlv_cert_walk(cert_at(&filled[1], 0), &old, &e), ST_OK);
	assert_int_equal(tlv_cert_walk(buf_span(&next), &new, &e), ST_OK);
	assert_true(span_eq(old.subject, new.subject));
	assert_false(span_eq(old.serial, new.serial));
	assert_false(span_eq(old.public_key, new.public_key));
	buf_free(&next);
}

static void what_is_known_is_taken(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(standins_know(&set, buf_span(&m.capf.der), &e), ST_OK);
	fill();
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < filled[i].nrecords; k++) {
			struct span genuine = cert_at(&m.lists[i], k);

			assert_int_equal(span_eq(cert_at(&filled[i], k), genuine),
					 span_eq(genuine, buf_span(&m.capf.der)));
		}
}

/* A text that contradicts itself, or lacks what certificates are told apart by. */
static void bad_texts_are_refused(void **state)
{
	struct tlv_record r = tlv_list_record(&printed[0], 0);
	size_t at = span_offset(printed[0].bytes, r.certificate);
	struct buf changed = BUF_INIT, out = BUF_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_list l;
	const uint8_t none[20] = { 0 };

	(void)state;
	buf_put(&changed, printed[0].bytes);
	buf_fill(&changed, at, span_of(none, sizeof none));
	assert_int_equal(tlv_list_decode(&l, buf_span(&changed), &e), ST_OK);
	assert_int_equal(standins_fill(&set, &l, &out, &e), ST_INPUT);
	assert_non_null(strstr(err_text(&e), "record 1: the SHA-1 of its certificate"));
	tlv_list_free(&l);
	buf_free(&changed);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(certificates_have_the_printed_parts, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(each_certificate_has_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_successor_is_another_certificate, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_known_is_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_texts_are_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
