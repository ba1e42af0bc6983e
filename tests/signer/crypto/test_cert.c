/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of a certificate: facts, dates, its short name, and whether it can sign a list.
 * The facts are compared with those that openssl prints (tests/cli/test_tokens.py).
 */
#include "signer/crypto/cert.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "signer/crypto/usual.h"
#include "tests/signer/given.h"
#include "tlv/text.h"

#define CA CLUSTER "manufacturing-ca.pem"

static void facts(void **state)
{
	/* As openssl x509 prints them. */
	static const struct {
		const char *path, *sha1, *subject;
		int64_t not_before, not_after;
		unsigned bits;
		bool self_signed, sast_token;
	} rows[] = {
		{ PUB, "3c3b4932894ca87e269b26a607a2a8f0dbbdea92",
		  "L=Krakow,ST=Malopolska,CN=cucm-1051-a-pub,OU=TAC,O=Cisco,C=PL", 1401969600,
		  2033035200, 1024, true, false },
		{ RENEWED, "66272585a88331a37627694c475948fc2c9dbe2c",
		  "L=Krakow,ST=Malopolska,CN=cucm-1051-a-pub,OU=TAC,O=Cisco,C=PL", 1425902400,
		  2056881600, 2048, true, false },
		{ TOKEN_1, "dde64f902ce6c34532162f9c86cecc7a9afaa3d9",
		  "CN=SAST-ADN0054f509       \\ ,OU=IPCBU,O=Cisco Systems\\, Inc.", 1204372800,
		  2157451200, 1024, false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cert c = given_cert(rows[i].path);
		struct span der = buf_span(&c.der);
		struct buf sha1 = BUF_INIT;
		struct cert_facts f;
		uint8_t alone[20];
		int64_t from, to;

		assert_int_equal(cert_judge(der, &f, NULL), ST_OK);
		assert_int_equal(hex_parse(span_str(rows[i].sha1), "", &sha1), HEX_OK);
		assert_memory_equal(f.sha1, sha1.p, 20);
		assert_int_equal(cert_sha1(der, alone, NULL), ST_OK);
		assert_memory_equal(alone, f.sha1, 20);
		assert_int_equal(f.not_before, rows[i].not_before);
		assert_int_equal(f.not_after, rows[i].not_after);
		assert_int_equal(cert_validity(der, &from, &to, NULL), ST_OK);
		assert_true(from == f.not_before && to == f.not_after);
		from = to = 0;
		assert_int_equal(cert_validity_judged(der, &from, &to, NULL), ST_OK);
		assert_true(from == f.not_before && to == f.not_after);
		assert_string_equal(f.subject, rows[i].subject);
		assert_string_equal(f.key_type, "RSA");
		assert_int_equal(f.key_bits, rows[i].bits);
		assert_int_equal(f.self_signed, rows[i].self_signed);
		assert_int_equal(cert_is_sast_token(&c.parts, NULL),
				 rows[i].sast_token ? ST_OK : ST_NO);
		cert_facts_free(&f);
		buf_free(&sha1);
		cert_free(&c);
	}
}

static void which_are_authorities(void **state)
{
	static const struct {
		const char *path;
		bool is_ca;
	} rows[] = { { PUB, false }, { TOKEN_1, false }, { CA, true } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cert c = given_cert(rows[i].path);
		struct cert_facts f;
		bool is_ca;

		assert_int_equal(cert_judge(buf_span(&c.der), &f, NULL), ST_OK);
		assert_int_equal(f.is_ca, rows[i].is_ca);
		assert_int_equal(cert_is_ca(buf_span(&c.der), &is_ca, NULL), ST_OK);
		assert_int_equal(is_ca, rows[i].is_ca);
		cert_facts_free(&f);
		cert_free(&c);
	}
}

static void short_names(void **state)
{
	static const struct {
		const char *path, *name;
	} rows[] = {
		{ PUB, "cucm-1051-a-pub" },
		{ CAPF, "CAPF-e41e7d87" },
		{ TEST_DATA_DIR "/renewed-together/cm2.pem", "pub" }, /* CN=pub.example.org */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cert c = given_cert(rows[i].path);
		struct buf name = BUF_INIT;

		assert_int_equal(cert_short_name(&c.parts, &name, NULL), ST_OK);
		assert_string_equal(buf_cstr(&name), rows[i].name);
		buf_free(&name);
		cert_free(&c);
	}
}

/* An RSAPublicKey of so many bits and this exponent. */
static void put_key(struct buf *b, size_t bits, uint8_t exponent)
{
	size_t bytes = bits / 8;

	buf_put(b, SPAN_LIT("\x30\x82"));
	buf_u16(b, (uint16_t)(bytes + 8));
	buf_put(b, SPAN_LIT("\x02\x82"));
	buf_u16(b, (uint16_t)(bytes + 1));
	buf_u8(b, 0);
	for (size_t i = 0; i < bytes; i++)
		buf_u8(b, i == 0 ? 0x80 : 1);
	buf_put(b, SPAN_LIT("\x02\x01"));
	buf_u8(b, exponent);
}

static void who_can_sign(void **state)
{
	static const struct {
		size_t bits;
		uint8_t exponent;
		enum tlv_key_type type;
		enum status always, weak_allowed;
	} rows[] = {
		{ 512, 3, TLV_KEY_RSA, ST_INPUT, ST_OK },
		{ 1024, 3, TLV_KEY_RSA, ST_OK, ST_OK },
		{ 2048, 3, TLV_KEY_RSA, ST_OK, ST_OK },
		{ 4096, 3, TLV_KEY_RSA, ST_OK, ST_OK },
		{ 1024, 1, TLV_KEY_RSA, ST_INPUT, ST_OK },
		{ 1024, 4, TLV_KEY_RSA, ST_INPUT, ST_OK },
		{ 768, 3, TLV_KEY_RSA, ST_INPUT, ST_INPUT },
		{ 3072, 3, TLV_KEY_RSA, ST_INPUT, ST_INPUT },
		{ 8192, 3, TLV_KEY_RSA, ST_INPUT, ST_INPUT },
		{ 1024, 3, TLV_KEY_EC, ST_INPUT, ST_INPUT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf key = BUF_INIT;
		struct tlv_cert c = { .key_type = rows[i].type };
		unsigned bits = 1;

		put_key(&key, rows[i].bits, rows[i].exponent);
		c.public_key = buf_span(&key);
		assert_int_equal(cert_can_sign(&c, false, &bits, NULL), rows[i].always);
		assert_int_equal(bits, rows[i].type == TLV_KEY_RSA ? rows[i].bits : 0);
		assert_int_equal(cert_can_sign(&c, true, &bits, NULL), rows[i].weak_allowed);
		buf_free(&key);
	}
}

static void pem_and_back(void **state)
{
	struct cert c = given_cert(PUB), again;
	struct buf pem = BUF_INIT, base64 = BUF_INIT;

	(void)state;
	assert_int_equal(cert_to_pem(buf_span(&c.der), &pem, NULL), ST_OK);
	assert_int_equal(cert_parse(&again, buf_span(&pem), NULL, NULL), ST_OK);
	assert_true(span_eq(buf_span(&again.der), buf_span(&c.der)));
	assert_int_equal(cert_base64(SPAN_LIT("ab"), &base64, NULL), ST_OK);
	assert_int_equal(cert_base64(SPAN_LIT(""), &base64, NULL), ST_OK);
	assert_int_equal(cert_base64(SPAN_LIT("abc"), &base64, NULL), ST_OK);
	assert_string_equal(buf_cstr(&base64), "YWI=YWJj");
	buf_free(&base64);
	buf_free(&pem);
	cert_free(&again);
	cert_free(&c);
}

/* Cut anywhere, it is no certificate to anybody; the struct is there to be freed all the same. */
static void cut_certificates(void **state)
{
	struct cert c = given_cert(PUB), cut;
	struct cert_facts f;
	int64_t from, to;
	bool is_ca;

	(void)state;
	for (size_t n = 0; n < c.der.n; n += 13) {
		struct span der = span_slice(buf_span(&c.der), 0, n);

		assert_int_equal(cert_from_der(&cut, der, NULL), ST_INPUT);
		assert_int_equal(cert_judge(der, &f, NULL), ST_INPUT);
		assert_null(f.subject);
		assert_int_equal(cert_validity(der, &from, &to, NULL), ST_INPUT);
		assert_int_equal(cert_validity_judged(der, &from, &to, NULL), ST_INPUT);
		assert_int_equal(cert_is_ca(der, &is_ca, NULL), ST_INPUT);
		cert_free(&cut);
	}
	cert_free(&c);
}

/* Releases of OpenSSL differ on dates without seconds, which are none to us. */
static bool seconds_of(const ASN1_TIME *t, int64_t *out)
{
	size_t digits = strspn((const char *)ASN1_STRING_get0_data(t), "0123456789");
	struct tm tm;

	if (digits != (ASN1_STRING_type(t) == V_ASN1_UTCTIME ? 12 : 14) ||
	    ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = (int64_t)timegm(&tm);
	return true;
}

static bool openssl_takes(struct span der, struct usual_dates *out)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	bool ok = x != NULL && p == der.p + der.n &&
		  seconds_of(X509_get0_notBefore(x), &out->not_before) &&
		  seconds_of(X509_get0_notAfter(x), &out->not_after);

	X509_free(x);
	ERR_clear_error();
	return ok;
}

/* What our own walk takes, OpenSSL takes with the same dates. Whether it was of the usual form. */
static bool same_as_openssl(struct span der, bool *taken)
{
	struct usual_dates theirs = { 0 }, ours;
	int64_t from, to;
	bool usual = usual_cert(der, &ours);

	*taken = openssl_takes(der, &theirs);
	assert_int_equal(cert_validity_judged(der, &from, &to, NULL), *taken ? ST_OK : ST_INPUT);
	if (*taken)
		assert_true(from == theirs.not_before && to == theirs.not_after);
	if (usual)
		assert_true(*taken && ours.not_before == from && ours.not_after == to);
	return usual;
}

/* verify does not decode keys, but what it calls a certificate is what d2i_X509 takes. */
static void changed_certificates(void **state)
{
	static const char *const paths[] = { PUB, TOKEN_1, CA };
	static const uint8_t changes[] = { 0x01, 0x20, 0x80 };
	size_t taken = 0, refused = 0, usual = 0;
	bool ok;

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct cert c = given_cert(paths[i]);

		assert_true(same_as_openssl(buf_span(&c.der), &ok) && ok);
		for (size_t n = 0; n < c.der.n * COUNT(changes); n++) {
			uint8_t was = c.der.p[n / COUNT(changes)];

			c.der.p[n / COUNT(changes)] ^= changes[n % COUNT(changes)];
			usual += same_as_openssl(buf_span(&c.der), &ok);
			c.der.p[n / COUNT(changes)] = was;
			taken += ok;
			refused += !ok;
		}
		cert_free(&c);
	}
	assert_true(taken > 500 && refused > 500 && usual > 500);
}

/* The certificate with another notAfter, whatever its text says; owned by the caller. */
static struct buf dated(X509 *x, int type, const char *text)
{
	ASN1_STRING *time = ASN1_STRING_type_new(type);
	unsigned char *der = NULL;
	struct buf b = BUF_INIT;
	int n;

	assert_int_equal(ASN1_STRING_set(time, text, -1), 1);
	assert_int_equal(X509_set1_notAfter(x, time), 1);
	n = i2d_re_X509_tbs(x, NULL);
	assert_true(n > 0);
	n = i2d_X509(x, &der);
	assert_true(n > 0);
	buf_put(&b, span_of(der, (size_t)n));
	OPENSSL_free(der);
	ASN1_STRING_free(time);
	return b;
}

/* Dates that are, some that are not, and rare forms, which are OpenSSL's to read. */
static void dates(void **state)
{
	enum { UTC = V_ASN1_UTCTIME, LONG = V_ASN1_GENERALIZEDTIME };
	static const struct {
		int type;
		const char *text;
		bool is_usual, is_date;
	} rows[] = {
		{ UTC, "140605120000Z", true, true },
		{ UTC, "500101000000Z", true, true },
		{ UTC, "491231235959Z", true, true },
		{ UTC, "240229120000Z", true, true },
		{ UTC, "000229120000Z", true, true },
		{ UTC, "230229120000Z", false, false },
		{ UTC, "140431120000Z", false, false },
		{ UTC, "141301120000Z", false, false },
		{ UTC, "140001120000Z", false, false },
		{ UTC, "140100120000Z", false, false },
		{ UTC, "140605240000Z", false, false },
		{ UTC, "140605126000Z", false, false },
		{ UTC, "140605120060Z", false, false },
		{ UTC, "1406051200000", false, false },
		{ UTC, "14060512000aZ", false, false },
		{ UTC, "a40605120000Z", false, false },
		{ UTC, "1406051200Z", false, false },
		{ UTC, "1406051200+0100", false, false },
		{ UTC, "140605120000+0100", false, true },
		{ UTC, "", false, false },
		{ UTC, "20500605120000Z", false, false },
		{ LONG, "20500605120000Z", true, true },
		{ LONG, "99991231235959Z", true, true },
		{ LONG, "19500101000000Z", true, true },
		{ LONG, "20240229000000Z", true, true },
		{ LONG, "20000229000000Z", true, true },
		{ LONG, "21000229000000Z", false, false },
		{ LONG, "19491231235959Z", false, true },
		{ LONG, "00000101000000Z", false, true },
		{ LONG, "20500605120000.5Z", false, true },
		{ LONG, "140605120000Z", false, false },
		{ LONG, "205006051200Z", false, false },
		{ LONG, "2050a605120000Z", false, false },
		{ LONG, "b0500605120000Z", false, false },
		{ LONG, "20500605120000", false, false },
	};
	struct cert c = given_cert(PUB);
	const unsigned char *p = c.der.p;
	X509 *x = d2i_X509(NULL, &p, (long)c.der.n);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf der = dated(x, rows[i].type, rows[i].text);
		bool taken;

		if (same_as_openssl(buf_span(&der), &taken) != rows[i].is_usual ||
		    taken != rows[i].is_date)
			fail_msg("%zu: %s", i, rows[i].text);
		buf_free(&der);
	}
	X509_free(x);
	cert_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts),
		cmocka_unit_test(which_are_authorities),
		cmocka_unit_test(short_names),
		cmocka_unit_test(who_can_sign),
		cmocka_unit_test(pem_and_back),
		cmocka_unit_test(cut_certificates),
		cmocka_unit_test(changed_certificates),
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
