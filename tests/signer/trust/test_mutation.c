/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every single-byte change of a good list (each bit flipped, 00, ff) is
 * malformed or badly signed; what still decodes still encodes without loss.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signer/trust/signature.h"
#include "tests/tlv/bytes_file.h"

struct tally {
	size_t malformed, bad;
};

static void try_bytes(struct span bytes, struct tally *t)
{
	struct tlv_list l;
	struct tlv_err e = TLV_ERR_INIT;
	struct buf again = BUF_INIT;
	long signer;
	enum status st = tlv_list_decode(&l, bytes, &e);

	if (st != ST_OK) {
		assert_int_equal(st, ST_INPUT);
		assert_true(e.has_at && err_text(&e)[0] != '\0');
		t->malformed++;
	} else {
		assert_int_equal(tlv_list_encode(&l, &again, &e), ST_OK);
		assert_true(span_eq(buf_span(&again), bytes));
		assert_false(signature_is_own(&l, &signer));
		t->bad++;
	}
	buf_free(&again);
	tlv_list_free(&l);
}

static void mutate_all(struct buf *b, struct tally *t)
{
	for (size_t i = 0; i < b->n; i++) {
		const uint8_t good = b->p[i];

		for (unsigned k = 0; k < 10; k++) {
			b->p[i] = (uint8_t)(k < 8 ? good ^ 1U << k : k == 8 ? 0x00U : 0xffU);
			if (b->p[i] != good)
				try_bytes(buf_span(b), t);
		}
		b->p[i] = good;
	}
}

/* TEST_SHARD=2/5: every fifth list, from the second on. Without it: all of them. */
static size_t shard_count(void)
{
	const char *shard = getenv("TEST_SHARD");
	const char *slash = shard == NULL ? NULL : strchr(shard, '/');

	return slash == NULL ? 1 : strtoul(slash + 1, NULL, 10);
}

static size_t shard_of_lists(void)
{
	const char *shard = getenv("TEST_SHARD");

	return shard == NULL ? 0 : strtoul(shard, NULL, 10) - 1;
}

static void every_change_is_seen(void **state)
{
	(void)state;
	for (size_t i = shard_of_lists(); i < TEST_LISTS; i += shard_count()) {
		struct buf b = test_file(test_lists[i]);
		struct tally t = { 0, 0 };
		struct tlv_list l;
		long signer;

		assert_int_equal(tlv_list_decode(&l, buf_span(&b), NULL), ST_OK);
		assert_true(signature_is_own(&l, &signer));
		tlv_list_free(&l);
		mutate_all(&b, &t);
		assert_true(t.malformed + t.bad > b.n * 8);
		print_message("%s: %zu changes, %zu malformed, %zu badly signed\n", test_lists[i],
			      t.malformed + t.bad, t.malformed, t.bad);
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_change_is_seen) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
