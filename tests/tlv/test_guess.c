/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One sentence about the wrong kinds of file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tlv/bytes_file.h"
#include "tlv/guess.h"
#include "tlv/list.h"

static void kinds_of_file(void **state)
{
	static const struct {
		struct span bytes;
		const char *guess;
	} cases[] = {
		{ SPAN_LIT(""), "empty" },
		{ SPAN_LIT(" \r\n\t"), "nothing but blanks" },
		{ SPAN_LIT("<!DOCTYPE HTML><p>Not found"), "web page" },
		{ SPAN_LIT("\xef\xbb\xbf\n<html>"), "web page" },
		{ SPAN_LIT("<?xml version='1.0'?><device>"), "XML" },
		{ SPAN_LIT("{\"error\": 404}"), "JSON" },
		{ SPAN_LIT("\x1f\x8b\x08"), "gzip" },
		{ SPAN_LIT("PK\x03\x04"), "zip" },
		{ SPAN_LIT("-----BEGIN CERTIFICATE-----\n"), "a certificate in PEM" },
		{ SPAN_LIT("-----BEGIN PKCS7-----\n"), "PKCS#7" },
		{ SPAN_LIT("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "private key" },
		{ SPAN_LIT("-----BEGIN OPENSSH PRIVATE KEY-----\n"), "PEM" },
		{ SPAN_LIT("\x30\x82\x01\x00"), "DER" },
		{ SPAN_LIT("admin:show version\nCUCM\n"), "it is a text" },
		{ SPAN_LIT("\xff\xfe"
			   "a\0d\0"),
		  "UTF-16" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *guess = tlv_guess(cases[i].bytes);
		struct tlv_err e = TLV_ERR_INIT;
		struct tlv_list l;

		assert_non_null(guess);
		print_message("%s\n", guess);
		assert_non_null(strstr(guess, cases[i].guess));
		/* The reader says it. */
		assert_int_equal(tlv_list_decode(&l, cases[i].bytes, &e), ST_INPUT);
		assert_true(cases[i].bytes.n == 0 || strstr(err_text(&e), guess) != NULL);
		tlv_list_free(&l);
	}
	assert_null(tlv_guess(SPAN_LIT("\x00\x00\x00\x00")));
	assert_null(tlv_guess(SPAN_LIT("\x63\x00\x02\x01\x02")));
}

static void a_certificate_in_der(void **state)
{
	struct buf list = test_file("lists/cucm.tlv");
	struct tlv_list l;

	(void)state;
	assert_int_equal(tlv_list_decode(&l, buf_span(&list), NULL), ST_OK);
	assert_string_equal(tlv_guess(tlv_list_record(&l, 0).certificate),
			    "it is a certificate in DER");
	tlv_list_free(&l);
	buf_free(&list);
}

/* As FTP's text mode does it: every line feed gets a carriage return. */
static void a_transfer_in_text_mode(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_LISTS; i++) {
		struct buf list = test_file(test_lists[i]), changed = BUF_INIT;

		for (size_t k = 0; k < list.n; k++) {
			if (span_at(buf_span(&list), k) == '\n')
				buf_u8(&changed, '\r');
			buf_u8(&changed, (uint8_t)span_at(buf_span(&list), k));
		}
		assert_false(tlv_guess_text_mode(buf_span(&list)));
		assert_true(tlv_guess_text_mode(buf_span(&changed)));
		buf_free(&changed);
		buf_free(&list);
	}
	assert_false(tlv_guess_text_mode(SPAN_LIT("\r\n")));
	assert_false(tlv_guess_text_mode(SPAN_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_of_file),
		cmocka_unit_test(a_certificate_in_der),
		cmocka_unit_test(a_transfer_in_text_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
