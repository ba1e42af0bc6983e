/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * File names from certificates: two certificates never share one, and many of them cost no square.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "signer/io/filename.h"

static void assert_name(struct filenames *given, const char *der, enum status wanted,
			const char *name)
{
	struct buf out = BUF_INIT;
	enum status st = filename_make(given, "ccm", SPAN_LIT("a/b  "), SPAN_LIT("\x0a\xff"),
				       span_str(der), ".pem", &out, NULL);

	assert_int_equal(st, wanted);
	if (st == ST_OK)
		assert_string_equal(buf_cstr(&out), name);
	buf_free(&out);
}

static void two_certificates_never_share_a_name(void **state)
{
	struct filenames given = FILENAMES_INIT;

	(void)state;
	assert_name(&given, "one", ST_OK, "ccm-a_b.pem");
	assert_name(&given, "one", ST_OK, "ccm-a_b.pem");
	assert_name(&given, "two", ST_OK, "ccm-a_b-0AFF.pem");
	assert_name(&given, "two", ST_OK, "ccm-a_b-0AFF.pem");
	assert_name(&given, "three", ST_OUTPUT, "");
	filenames_free(&given);
	assert_name(&given, "three", ST_OK, "ccm-a_b.pem");
	filenames_free(&given);
}

/* Milliseconds on the processor. */
static double time_of(unsigned count)
{
	struct filenames given = FILENAMES_INIT;
	clock_t began = clock();

	for (unsigned i = 0; i < count; i++) {
		struct buf label = BUF_INIT, out = BUF_INIT;

		buf_printf(&label, "node%u", i);
		assert_int_equal(filename_make(&given, "ccm", buf_span(&label), SPAN_NONE,
					       SPAN_LIT("der"), ".pem", &out, NULL),
				 ST_OK);
		buf_free(&label);
		buf_free(&out);
	}
	filenames_free(&given);
	return 1000.0 * (double)(clock() - began) / CLOCKS_PER_SEC;
}

/* Names that are compared with each other take a hundred times as long: 8 seconds for 40,000. */
static void many_names_cost_no_square(void **state)
{
	double few = time_of(4000), many = time_of(40000);

	(void)state;
	assert_true(many < 30 * few + 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_certificates_never_share_a_name),
		cmocka_unit_test(many_names_cost_no_square),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
