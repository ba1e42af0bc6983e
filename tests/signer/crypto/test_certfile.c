/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates, whatever they come in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signer/crypto/certfile.h"
#include "signer/crypto/certset.h"
#include "tests/tlv/bytes_file.h"

static void keep_warning(void *arg, const char *text)
{
	struct buf *b = arg;

	buf_str(b, text);
	buf_str(b, "\n");
}

static enum status add(void *arg, struct span der, struct tlv_err *e)
{
	return certset_add(arg, der, NULL, e);
}

/* The number of certificates in the bytes; the first one's must be the publisher's. */
static size_t count(const struct buf *bytes)
{
	struct buf pub = test_file("cluster/pub.pem");
	struct certset set = CERTSET_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	struct cert c;
	size_t n;

	assert_int_equal(cert_parse(&c, buf_span(&pub), NULL, &e), ST_OK);
	assert_int_equal(cert_each(buf_span(bytes), add, &set, &n, &e), ST_OK);
	assert_int_equal(n, set.n);
	if (n > 0)
		assert_true(span_eq(buf_span(&set.v[0].cert.der), buf_span(&c.der)));
	certset_free(&set);
	cert_free(&c);
	buf_free(&pub);
	return n;
}

static void pem_anywhere_in_a_line(void **state)
{
	struct buf pem = test_file("cluster/pub.pem"), text = BUF_INIT;

	(void)state;
	buf_str(&text, "servername  name         certificate\ncucm-pub  CallManager  ");
	buf_put(&text, buf_span(&pem));
	buf_str(&text, "cucm-pub  CallManager  ");
	buf_put(&text, buf_span(&pem));
	buf_str(&text, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	{
		struct certset set = CERTSET_INIT;
		struct tlv_err e = TLV_ERR_INIT;
		size_t n;

		assert_int_equal(cert_each(buf_span(&text), add, &set, &n, &e), ST_OK);
		assert_int_equal(n, 2);
		assert_int_equal(set.n, 1); /* twice the same */
		certset_free(&set);
	}
	buf_free(&text);
	buf_free(&pem);
}

static void pkcs7_of_both_kinds(void **state)
{
	static const char *const files[] = { "certs/pub-capf.p7b", "certs/pub-capf.der.p7b",
					     "certs/pub-capf.windows.p7b" };

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct buf b = test_file(files[i]);

		assert_int_equal(count(&b), 2);
		buf_free(&b);
	}
}

/* BER: the length is not said, two zeros end it. OpenSSL writes so what it streams. */
static void pkcs7_without_a_length(void **state)
{
	struct buf der = test_file("certs/pub-capf.der.p7b"), ber = BUF_INIT;

	(void)state;
	assert_true(span_starts(buf_span(&der), SPAN_LIT("\x30\x82")));
	buf_put(&ber, SPAN_LIT("\x30\x80"));
	buf_put(&ber, span_slice(buf_span(&der), 4, der.n));
	buf_put(&ber, SPAN_LIT("\0\0"));
	assert_int_equal(count(&ber), 2);
	buf_free(&ber);
	buf_free(&der);
}

static void what_is_skipped_is_said(void **state)
{
	struct buf pem = test_file("cluster/pub.pem"), said = BUF_INIT;
	struct tlv_warn warn = { keep_warning, &said };
	struct tlv_err e = TLV_ERR_INIT;
	struct cert c;

	(void)state;
	buf_str(&pem, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	assert_int_equal(cert_parse(&c, buf_span(&pem), &warn, &e), ST_OK);
	assert_string_equal(buf_cstr(&said),
			    "a block 'PRIVATE KEY' is skipped: only the certificate is read\n");
	cert_free(&c);
	buf_free(&said);
	buf_free(&pem);
}

static void what_cannot_be_read_behind_it_is_said(void **state)
{
	struct buf pem = test_file("cluster/pub.pem"), said = BUF_INIT;
	struct tlv_warn warn = { keep_warning, &said };
	struct tlv_err e = TLV_ERR_INIT;
	struct cert c;

	(void)state;
	buf_str(&pem, "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n");
	assert_int_equal(cert_parse(&c, buf_span(&pem), &warn, &e), ST_OK);
	assert_string_equal(buf_cstr(&said), "not all of it can be read, and what is before that "
					     "is taken: PEM block 2 is damaged\n");
	cert_free(&c);
	buf_free(&said);
	buf_free(&pem);
}

static void of_two_none_is_taken(void **state)
{
	struct buf pem = test_file("cluster/pub.pem"), again = test_file("cluster/pub.pem");
	struct buf more = test_file("cluster/capf.pem");
	struct tlv_err e = TLV_ERR_INIT;
	struct cert c;

	(void)state;
	buf_put(&pem, buf_span(&again));
	assert_int_equal(cert_parse(&c, buf_span(&pem), NULL, &e), ST_OK);
	cert_free(&c);
	buf_put(&pem, buf_span(&more));
	assert_int_equal(cert_parse(&c, buf_span(&pem), NULL, &e), ST_AMBIGUOUS);
	assert_int_equal(c.der.n, 0);
	cert_free(&c);
	buf_free(&more);
	buf_free(&again);
	buf_free(&pem);
}

static void damaged_blocks(void **state)
{
	static const char *const texts[] = {
		"-----BEGIN CERTIFICATE-----\nAAAA\n",
		"-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\nA-A=\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END PKCS7-----\n",
		"-----BEGIN CERTIFICATE",
		"-----BEGIN ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct certset set = CERTSET_INIT;
		struct buf b = BUF_INIT;
		size_t n;

		buf_str(&b, texts[i]);
		assert_int_equal(cert_each(buf_span(&b), add, &set, &n, &e), ST_INPUT);
		assert_string_equal(err_text(&e), "PEM block 1 is damaged");
		certset_free(&set);
		buf_free(&b);
	}
}

/* The block with something before every so many characters of its base64. */
static struct buf laid_out(struct span base64, const char *between, size_t every)
{
	struct buf b = BUF_INIT;

	buf_str(&b, "-----BEGIN CERTIFICATE-----\n");
	for (size_t i = 0; i < base64.n; i += every) {
		buf_str(&b, between);
		buf_put(&b, span_slice(base64, i, every));
	}
	buf_str(&b, "\n-----END CERTIFICATE-----\n");
	return b;
}

static void base64_in_any_layout(void **state)
{
	static const struct {
		const char *between;
		size_t every;
		enum status st;
	} rows[] = {
		{ "\n", 64, ST_OK },	   { "\r\n", 76, ST_OK },    { "", 100000, ST_OK },
		{ " \t", 1, ST_OK },	   { "\n\n", 3, ST_OK },     { "=", 64, ST_INPUT },
		{ "\x01", 64, ST_INPUT },  { "!", 1000, ST_INPUT },  { "\xc3", 1000, ST_INPUT },
		{ "A", 100000, ST_INPUT }, { "==", 1000, ST_INPUT },
	};
	struct buf pem = test_file("cluster/pub.pem"), base64 = BUF_INIT;
	struct cert pub, c;

	(void)state;
	assert_int_equal(cert_parse(&pub, buf_span(&pem), NULL, NULL), ST_OK);
	assert_int_equal(cert_base64(buf_span(&pub.der), &base64, NULL), ST_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf text = laid_out(buf_span(&base64), rows[i].between, rows[i].every);

		assert_int_equal(cert_parse(&c, buf_span(&text), NULL, NULL), rows[i].st);
		if (rows[i].st == ST_OK)
			assert_true(span_eq(buf_span(&c.der), buf_span(&pub.der)));
		cert_free(&c);
		buf_free(&text);
	}
	cert_free(&pub);
	buf_free(&base64);
	buf_free(&pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pem_anywhere_in_a_line),
		cmocka_unit_test(pkcs7_of_both_kinds),
		cmocka_unit_test(pkcs7_without_a_length),
		cmocka_unit_test(what_is_skipped_is_said),
		cmocka_unit_test(what_cannot_be_read_behind_it_is_said),
		cmocka_unit_test(of_two_none_is_taken),
		cmocka_unit_test(damaged_blocks),
		cmocka_unit_test(base64_in_any_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
