/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private keys in every wrapping, made here by OpenSSL: with the right
 * passphrase, a wrong one and none.
 */
#include "signer/crypto/keyfile.h"
#include "tests/signer/given.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#define PASS "secret"

static EVP_PKEY *read_key(struct buf *pem)
{
	BIO *bio;
	EVP_PKEY *key;

	*pem = test_file("cluster/pub.key");
	bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(key);
	return key;
}

static X509 *read_cert(void)
{
	struct cert c = given_cert(PUB);
	const unsigned char *p = c.der.p;
	X509 *x = d2i_X509(NULL, &p, (long)c.der.n);

	assert_non_null(x);
	cert_free(&c);
	return x;
}

enum wrapping { PEM_PLAIN, DER_PLAIN, PEM_LOCKED, DER_LOCKED, P12_LOCKED, P12_PLAIN, PEM_CERT };

static void wrap(BIO *bio, enum wrapping wrapping, EVP_PKEY *key)
{
	X509 *x = read_cert();
	PKCS12 *p12;
	int ok = 0;

	switch (wrapping) {
	case PEM_PLAIN:
		ok = PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
		break;
	case DER_PLAIN:
		ok = i2d_PrivateKey_bio(bio, key);
		break;
	case PEM_LOCKED:
		ok = PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), PASS,
						   sizeof PASS - 1, NULL, NULL);
		break;
	case DER_LOCKED:
		ok = i2d_PKCS8PrivateKey_bio(bio, key, EVP_aes_256_cbc(), PASS, sizeof PASS - 1,
					     NULL, NULL);
		break;
	case P12_LOCKED:
	case P12_PLAIN:
		p12 = PKCS12_create(wrapping == P12_LOCKED ? PASS : "", NULL, key, x, NULL, 0, 0, 0,
				    0, 0);
		ok = i2d_PKCS12_bio(bio, p12);
		PKCS12_free(p12);
		break;
	case PEM_CERT:
		ok = PEM_write_bio_X509(bio, x);
		break;
	}
	assert_int_equal(ok, 1);
	X509_free(x);
}

static void each_wrapping(void **state)
{
	static const struct {
		enum wrapping wrapping;
		bool locked, has_key, has_cert;
	} rows[] = {
		{ PEM_PLAIN, false, true, false }, { DER_PLAIN, false, true, false },
		{ PEM_LOCKED, true, true, false }, { DER_LOCKED, true, true, false },
		{ P12_LOCKED, true, true, true },  { P12_PLAIN, false, true, true },
		{ PEM_CERT, false, false, false },
	};
	static const char *const passes[] = { NULL, PASS, "wrong" };
	struct buf pem;
	EVP_PKEY *key = read_key(&pem);

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * COUNT(passes); i++) {
		bool locked = rows[i / 3].locked, has_key = rows[i / 3].has_key;
		const char *pass = passes[i % 3];
		enum status want = !has_key ? ST_INPUT : locked && i % 3 == 2 ? ST_PIN : ST_OK;
		BIO *bio = BIO_new(BIO_s_mem());
		struct tlv_err e = TLV_ERR_INIT;
		struct keyfile k;
		char *bytes;
		long n;

		wrap(bio, rows[i / 3].wrapping, key);
		n = BIO_get_mem_data(bio, &bytes);
		assert_int_equal(keyfile_read(&k, span_of(bytes, (size_t)n), pass, 60, &e), want);
		assert_int_equal(e.status, want);
		assert_int_equal(k.needs_pass, locked && pass == NULL);
		assert_int_equal(k.key != NULL, want == ST_OK && !k.needs_pass);
		if (k.key != NULL) {
			assert_int_equal(EVP_PKEY_eq(k.key, key), 1);
			assert_int_equal(k.cert.n > 0, rows[i / 3].has_cert);
		}
		keyfile_free(&k);
		BIO_free(bio);
	}
	EVP_PKEY_free(key);
	buf_free(&pem);
}

static void what_holds_no_key(void **state)
{
	const struct span texts[] = { SPAN_NONE, SPAN_LIT("hello"),
				      SPAN_LIT("\x30\x03\x02\x01\x00"),
				      SPAN_LIT("-----BEGIN PRIVATE KEY-----\nAAAA\n") };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct keyfile k;

		assert_int_equal(keyfile_read(&k, texts[i], NULL, 60, &e), ST_INPUT);
		assert_null(k.key);
		assert_says(err_text(&e), "no private key");
	}
}

/* The file says how often its passphrase is hashed: the deadline is ours. */
static void years_of_hashing(void **state)
{
	struct buf pem;
	EVP_PKEY *key = read_key(&pem);
	X509 *x = read_cert();
	PKCS12 *p12 = PKCS12_create(PASS, NULL, key, x, NULL, 0, 0, 1, 2, 0);
	const ASN1_INTEGER *shown;
	ASN1_INTEGER *rounds;
	unsigned char *der = NULL;
	struct tlv_err e = TLV_ERR_INIT;
	struct keyfile k;
	int n;

	(void)state;
	/* OpenSSL shows the number and lets nobody set it without that much hashing. */
	assert_int_equal(PKCS12_mac_present(p12), 1);
	PKCS12_get0_mac(NULL, NULL, NULL, &shown, p12);
	memcpy(&rounds, &shown, sizeof rounds);
	assert_int_equal(ASN1_INTEGER_set(rounds, INT32_MAX), 1);
	n = i2d_PKCS12(p12, &der);
	assert_true(n > 0);
	assert_int_equal(keyfile_read(&k, span_of(der, (size_t)n), PASS, 1, &e), ST_INPUT);
	assert_null(k.key);
	assert_says(err_text(&e), "takes more than 1 s");
	OPENSSL_free(der);
	PKCS12_free(p12);
	X509_free(x);
	EVP_PKEY_free(key);
	buf_free(&pem);
}

static EVP_PKEY *read_other_key(void)
{
	struct buf pem = test_file("cluster/capf.key");
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	buf_free(&pem);
	assert_non_null(key);
	return key;
}

/* A PKCS#12 file of two keys: side by side, in two safes, or one safe that is encrypted. */
enum places { ONE_SAFE, TWO_SAFES, ENCRYPTED_SAFE, PLACES };

static void add_bag(STACK_OF(PKCS12_SAFEBAG) * *bags, EVP_PKEY *key, bool locked)
{
	assert_non_null(PKCS12_add_key(bags, key, 0, 2048,
				       locked ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC : -1,
				       locked ? PASS : NULL));
}

static void add_safe(STACK_OF(PKCS7) * *safes, STACK_OF(PKCS12_SAFEBAG) * *bags, bool locked)
{
	assert_int_equal(PKCS12_add_safe(safes, *bags,
					 locked ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC : -1, 2048,
					 locked ? PASS : NULL),
			 1);
	sk_PKCS12_SAFEBAG_pop_free(*bags, PKCS12_SAFEBAG_free);
	*bags = NULL;
}

static struct buf two_keys(EVP_PKEY *first, EVP_PKEY *second, enum places places, bool locked)
{
	STACK_OF(PKCS7) *safes = NULL;
	STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
	struct buf out = BUF_INIT;
	unsigned char *der = NULL;
	PKCS12 *p12;
	int n;

	add_bag(&bags, first, locked);
	if (places != ONE_SAFE)
		add_safe(&safes, &bags, false);
	add_bag(&bags, second, places != ENCRYPTED_SAFE && locked);
	add_safe(&safes, &bags, places == ENCRYPTED_SAFE);
	p12 = PKCS12_add_safes(safes, 0);
	assert_int_equal(PKCS12_set_mac(p12, PASS, -1, NULL, 0, 2048, NULL), 1);
	n = i2d_PKCS12(p12, &der);
	assert_true(n > 0);
	buf_put(&out, span_of(der, (size_t)n));
	OPENSSL_free(der);
	PKCS12_free(p12);
	sk_PKCS7_pop_free(safes, PKCS7_free);
	return out;
}

static void of_two_keys_none_is_taken(void **state)
{
	struct buf pem;
	EVP_PKEY *one = read_key(&pem), *other = read_other_key();

	(void)state;
	for (int i = 0; i < PLACES * 4; i++) {
		bool same = i % 2 == 0, locked = i % 4 < 2;
		struct buf p12 = two_keys(one, same ? one : other, (enum places)(i / 4), locked);
		struct tlv_err e = TLV_ERR_INIT;
		struct keyfile k;

		assert_int_equal(keyfile_read(&k, buf_span(&p12), PASS, 60, &e),
				 same ? ST_OK : ST_AMBIGUOUS);
		assert_int_equal(k.key != NULL, same);
		if (!same)
			assert_says(err_text(&e), "several private keys in this file");
		keyfile_free(&k);
		buf_free(&p12);
	}
	EVP_PKEY_free(one);
	EVP_PKEY_free(other);
	buf_free(&pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wrapping),
		cmocka_unit_test(what_holds_no_key),
		cmocka_unit_test(years_of_hashing),
		cmocka_unit_test(of_two_keys_none_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
