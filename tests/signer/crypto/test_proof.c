/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off: cmocka.h wants these before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "pkcs11/shared/rsa.h"
#include "signer/crypto/cert.h"
#include "signer/crypto/certfile.h"
#include "signer/crypto/digest.h"
#include "signer/crypto/keyfile.h"
#include "signer/crypto/proof.h"
#include "signer/io/slurp.h"

#define NAME "SAST-ADN0054f509"
enum { NOW = 1425667567 };

static struct cert cert_of(const char *name)
{
	struct tlv_warn none = { .fn = NULL };
	struct tok_options tok = { .uri = NULL };
	char path[512];
	struct cert c;

	(void)snprintf(path, sizeof path, TEST_DATA_DIR "/cluster/%s.pem", name);
	assert_int_equal(cert_load(&c, path, &tok, &none, NULL), ST_OK);
	return c;
}

static void sign(struct buf *statement, const char *name)
{
	struct span text = buf_span(statement);
	struct keyfile key;
	struct digest_info info;
	struct digest d;
	struct blob file;
	uint8_t sig[TOK_SIG_MAX];
	char path[512];
	size_t n;

	(void)snprintf(path, sizeof path, TEST_DATA_DIR "/cluster/%s.key", name);
	assert_int_equal(slurp(path, SLURP_CERT_MAX, SLURP_REGULAR, &file, NULL), ST_OK);
	assert_int_equal(keyfile_read(&key, blob_span(&file), NULL, 0, NULL), ST_OK);
	assert_int_equal(digest_parts(TLV_SHA256, &text, 1, &d, NULL), ST_OK);
	assert_int_equal(digest_info_make(TLV_SHA256, digest_span(&d), &info, NULL), ST_OK);
	assert_int_equal(rsa_sign_digest_info(key.key, span_of(info.bytes, info.n), sig, sizeof sig,
					      &n, NULL),
			 ST_OK);
	assert_int_equal(proof_seal(statement, span_of(sig, n), NULL), ST_OK);
	keyfile_free(&key);
	blob_free(&file);
}

/* A good proof of the token's, and its certificate. */
struct fixture {
	struct cert cert;
	struct buf proof;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .cert = cert_of(NAME) };
	assert_int_equal(proof_statement(&f.proof, buf_span(&f.cert.der), NOW, NULL), ST_OK);
	sign(&f.proof, NAME);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cert_free(&f->cert);
	buf_free(&f->proof);
	return 0;
}

static void good(void **state)
{
	const struct fixture *f = *state;
	int64_t when = 0;

	assert_int_equal(proof_check(buf_span(&f->proof), &f->cert.parts, &when, NULL), ST_OK);
	assert_int_equal(when, NOW);
	assert_true(span_starts(buf_span(&f->proof), SPAN_LIT("ctlsign proof v1\nnonce: ")));
}

static void another_certificate(void **state)
{
	const struct fixture *f = *state;
	struct cert other = cert_of("SAST-ADN008580ef");
	struct tlv_err e = TLV_ERR_INIT;
	int64_t when;

	assert_int_equal(proof_check(buf_span(&f->proof), &other.parts, &when, &e), ST_NO);
	assert_non_null(strstr(err_text(&e), "another certificate"));
	cert_free(&other);
}

static void another_key(void **state)
{
	const struct fixture *f = *state;
	struct buf b = BUF_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	int64_t when;

	assert_int_equal(proof_statement(&b, buf_span(&f->cert.der), NOW, NULL), ST_OK);
	sign(&b, "SAST-ADN008580ef");
	assert_int_equal(proof_check(buf_span(&b), &f->cert.parts, &when, &e), ST_NO);
	assert_non_null(strstr(err_text(&e), "does not verify"));
	buf_free(&b);
}

/* The key with exponent 1: the padded digest is then its own signature, which proves no key. */
static void a_key_that_proves_nothing(void **state)
{
	const struct fixture *f = *state;
	struct tlv_cert open = f->cert.parts;
	uint8_t key[256], block[128];
	struct buf b = BUF_INIT, sig = BUF_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	struct digest_info info;
	struct digest d;
	struct span text;
	int64_t when;

	assert_true(span_copy(open.public_key, key, sizeof key));
	open.public_key = span_of(key, open.public_key.n);
	assert_memory_equal(key + open.public_key.n - 5, "\x02\x03\x01\x00\x01", 5);
	key[open.public_key.n - 3] = 0;

	assert_int_equal(proof_statement(&b, buf_span(&f->cert.der), NOW, NULL), ST_OK);
	text = buf_span(&b);
	assert_int_equal(digest_parts(TLV_SHA256, &text, 1, &d, NULL), ST_OK);
	assert_int_equal(digest_info_make(TLV_SHA256, digest_span(&d), &info, NULL), ST_OK);
	memset(block, 0xff, sizeof block);
	buf_put(&sig, SPAN_LIT("\0\1"));
	buf_put(&sig, span_of(block, sizeof block - 3 - info.n));
	buf_u8(&sig, 0);
	buf_put(&sig, span_of(info.bytes, info.n));
	assert_int_equal(
		digest_verify(open.public_key, TLV_SHA256, digest_span(&d), buf_span(&sig), NULL),
		ST_OK);
	assert_int_equal(proof_seal(&b, buf_span(&sig), NULL), ST_OK);
	assert_int_equal(proof_check(buf_span(&b), &open, &when, &e), ST_NO);
	assert_string_equal(err_text(&e), "the proof's signature does not verify");
	buf_free(&sig);
	buf_free(&b);
}

/* Each byte with each bit flipped, 00, ff: nothing but the proof itself is one. */
static void every_byte(void **state)
{
	const struct fixture *f = *state;
	struct span good_bytes = buf_span(&f->proof);
	uint8_t copy[PROOF_MAX];
	int64_t when;

	assert_true(span_copy(good_bytes, copy, sizeof copy));
	for (size_t i = 0; i < good_bytes.n; i++) {
		for (unsigned k = 0; k < 10; k++) {
			uint8_t was = copy[i];

			copy[i] = (uint8_t)(k < 8 ? was ^ (1U << k) : k == 8 ? 0U : 0xffU);
			assert_int_not_equal(proof_check(span_of(copy, good_bytes.n),
							 &f->cert.parts, &when, NULL),
					     ST_OK);
			copy[i] = was;
		}
	}
}

static void every_length(void **state)
{
	const struct fixture *f = *state;
	struct span all = buf_span(&f->proof);
	int64_t when;

	for (size_t n = 0; n < all.n; n++)
		assert_int_equal(proof_check(span_slice(all, 0, n), &f->cert.parts, &when, NULL),
				 ST_INPUT);
}

/* What is no proof, although a line or two look like one. */
static void other_shapes(void **state)
{
	static const char *const shapes[] = {
		"",
		"\n",
		"ctlsign proof v1\n",
		"ctlsign proof v2\nnonce: ",
		" ctlsign proof v1\nnonce: ",
		"nonce: 00\nctlsign proof v1\n",
		"ctlsign proof v1\r\nnonce: ",
	};
	const struct fixture *f = *state;
	struct buf more = BUF_INIT;
	int64_t when;

	for (size_t i = 0; i < COUNT(shapes); i++)
		assert_int_equal(proof_check(span_str(shapes[i]), &f->cert.parts, &when, NULL),
				 ST_INPUT);
	buf_put(&more, buf_span(&f->proof));
	buf_str(&more, "\n");
	assert_int_equal(proof_check(buf_span(&more), &f->cert.parts, &when, NULL), ST_INPUT);
	buf_truncate(&more, more.n - 1);
	buf_put(&more, buf_span(&f->proof));
	assert_int_equal(proof_check(buf_span(&more), &f->cert.parts, &when, NULL), ST_INPUT);
	(void)buf_hole(&more, PROOF_MAX);
	assert_int_equal(proof_check(buf_span(&more), &f->cert.parts, &when, NULL), ST_INPUT);
	buf_free(&more);
}

/* A statement with another time, signed: the one form of a time only. */
static enum status check_time(const struct fixture *f, const char *text)
{
	struct span all = buf_span(&f->proof);
	struct buf b = BUF_INIT;
	size_t n = 0;
	int64_t when;
	enum status st;

	while (!span_starts(span_slice(all, n, all.n), SPAN_LIT("time: ")))
		n++;
	buf_put(&b, span_slice(all, 0, n));
	buf_printf(&b, "time: %s\n", text);
	sign(&b, NAME);
	st = proof_check(buf_span(&b), &f->cert.parts, &when, NULL);
	buf_free(&b);
	return st;
}

static void times(void **state)
{
	static const char *const bad[] = {
		"",
		"2015-03-06",
		"2015-03-06T18:46:07",
		"2015-03-06 18:46:07Z",
		"2015-3-06T18:46:07ZZ",
		"2015-02-30T18:46:07Z",
		"2015-03-06T24:46:07Z",
		" 015-03-06T18:46:07Z",
		"2015-03-06T18:46:07z",
	};

	assert_int_equal(check_time(*state, "2015-03-06T18:46:07Z"), ST_OK);
	assert_int_equal(check_time(*state, "2096-02-29T23:59:59Z"), ST_OK);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(check_time(*state, bad[i]), ST_INPUT);
}

static void files(void **state)
{
	const struct fixture *f = *state;
	struct tlv_err e = TLV_ERR_INIT;
	int64_t when;

	assert_int_equal(proof_check_file("/nonexistent.proof", &f->cert.parts, &when, &e),
			 ST_INPUT);
	assert_non_null(strstr(err_text(&e), "/nonexistent.proof"));
	e = TLV_ERR_INIT;
	assert_int_equal(proof_check_file(TEST_DATA_DIR "/README.md", &f->cert.parts, &when, &e),
			 ST_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(good, setup, teardown),
		cmocka_unit_test_setup_teardown(another_certificate, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_that_proves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(another_key, setup, teardown),
		cmocka_unit_test_setup_teardown(every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(every_length, setup, teardown),
		cmocka_unit_test_setup_teardown(other_shapes, setup, teardown),
		cmocka_unit_test_setup_teardown(times, setup, teardown),
		cmocka_unit_test_setup_teardown(files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
