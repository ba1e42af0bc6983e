/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The one genuine signature that can be checked: the vendor printed it, the
 * signer's key and nothing of the file. The function that verifies lists
 * accepts it, and refuses it with any bit changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "signer/crypto/digest.h"
#include "tlv/bytes.h"

enum { KEY_BYTES = 128, SHA1_BYTES = 20 };

/* From samples/README.md. */
static const char modulus_hex[] =
	"950c9f8791e7677c5bf1a48f1a933549f73ef58d7c0c871b5b77d23a842aa14f5b29390e586e5945060b109bdf"
	"859b4c983cdf21699e3e4abdb0a47ba6f3c04cd7d4f59efeff4a60f6cf3c5db2ec32988605ae4352e77d647da2"
	"5fae619dedf9ebb0e0bdd98f8ce70307ba106507a8919df8b8fd9f903068a52640a6a84487a9";
static const char digest_hex[] = "7af4a1e532835fc78215c2f504eb67e411524f61";

struct genuine {
	struct buf key; /* RSAPublicKey */
	uint8_t digest[SHA1_BYTES];
	uint8_t signature[KEY_BYTES];
};

static void from_hex(const char *hex, uint8_t *out, size_t n)
{
	unsigned byte;

	assert_int_equal(strlen(hex), 2 * n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out[i] = (uint8_t)byte;
	}
}

/* The rows of eight bytes in the printed list. */
static void read_signature(uint8_t out[KEY_BYTES])
{
	FILE *f = fopen(TEST_DATA_DIR "/samples/show-ctl-tokenless.txt", "r");
	char line[256];
	unsigned b[8];
	size_t n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL && n < KEY_BYTES) {
		if (line[0] != '\t' || line[1] != '\t' ||
		    sscanf(line, "%x %x %x %x %x %x %x %x", b, b + 1, b + 2, b + 3, b + 4, b + 5,
			   b + 6, b + 7) != 8)
			continue;
		for (size_t i = 0; i < 8; i++)
			out[n++] = (uint8_t)b[i];
	}
	fclose(f);
	assert_int_equal(n, KEY_BYTES);
}

static int setup(void **state)
{
	static struct genuine g;
	/* SEQUENCE { INTEGER 00 modulus, INTEGER 65537 } */
	static const uint8_t head[] = { 0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00 };
	static const uint8_t tail[] = { 0x02, 0x03, 0x01, 0x00, 0x01 };
	uint8_t modulus[KEY_BYTES];

	g.key = BUF_INIT;
	from_hex(modulus_hex, modulus, sizeof modulus);
	buf_put(&g.key, span_of(head, sizeof head));
	buf_put(&g.key, span_of(modulus, sizeof modulus));
	buf_put(&g.key, span_of(tail, sizeof tail));
	from_hex(digest_hex, g.digest, sizeof g.digest);
	read_signature(g.signature);
	*state = &g;
	return 0;
}

static int teardown(void **state)
{
	struct genuine *g = *state;

	buf_free(&g->key);
	return 0;
}

static enum status check(const struct genuine *g, const uint8_t *signature, size_t n)
{
	struct tlv_err e = TLV_ERR_INIT;

	return digest_verify(buf_span(&g->key), TLV_SHA1, span_of(g->digest, sizeof g->digest),
			     span_of(signature, n), &e);
}

static void test_accepted(void **state)
{
	const struct genuine *g = *state;

	assert_int_equal(check(g, g->signature, sizeof g->signature), ST_OK);
}

static void test_any_bit_changed_is_refused(void **state)
{
	const struct genuine *g = *state;
	uint8_t wrong[KEY_BYTES];

	for (size_t bit = 0; bit < 8 * sizeof wrong; bit++) {
		memcpy(wrong, g->signature, sizeof wrong);
		wrong[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_equal(check(g, wrong, sizeof wrong), ST_NO);
	}
}

static void test_any_bit_of_the_digest_changed_is_refused(void **state)
{
	struct genuine *g = *state;

	for (size_t bit = 0; bit < 8 * sizeof g->digest; bit++) {
		g->digest[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_equal(check(g, g->signature, sizeof g->signature), ST_NO);
		g->digest[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

static void test_any_other_length_is_refused(void **state)
{
	const struct genuine *g = *state;
	uint8_t longer[KEY_BYTES + 1] = { 0 };

	memcpy(longer + 1, g->signature, sizeof g->signature);
	assert_int_equal(check(g, longer, sizeof longer), ST_NO);
	memcpy(longer, g->signature, sizeof g->signature);
	assert_int_equal(check(g, longer, sizeof longer), ST_NO);
	for (size_t n = 0; n < sizeof g->signature; n++)
		assert_int_equal(check(g, g->signature, n), ST_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_any_bit_changed_is_refused),
		cmocka_unit_test(test_any_bit_of_the_digest_changed_is_refused),
		cmocka_unit_test(test_any_other_length_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
