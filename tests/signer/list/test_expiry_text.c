/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The report for a monitor: each file that could not be read once, however many there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "signer/list/expiry.h"

static void note(struct expiry *x, const char *path)
{
	struct tlv_err why = TLV_ERR_INIT;

	(void)err_set(&why, ST_INPUT, "%s: it is damaged", path);
	assert_int_equal(expiry_note_unread(x, path, &why, NULL), ST_OK);
}

static void an_unread_file_is_one_series(void **state)
{
	struct expiry x = { .now = 0 };
	struct buf b = BUF_INIT;

	(void)state;
	note(&x, "b");
	note(&x, "a\"");
	note(&x, "b");
	expiry_prometheus(&x, &b);
	assert_non_null(strstr(buf_cstr(&b), " gauge\n"
					     "ctlsign_unread{file=\"b\"} 1\n"
					     "ctlsign_unread{file=\"a\\\"\"} 1\n"));
	assert_string_equal(strrchr(buf_cstr(&b), '{'), "{file=\"a\\\"\"} 1\n");
	buf_free(&b);
	expiry_free(&x);
}

/* Milliseconds on the processor. */
static double time_of(unsigned count)
{
	struct expiry x = { .now = 0 };
	struct buf b = BUF_INIT;
	clock_t began;

	for (unsigned i = 0; i < count; i++) {
		struct buf path = BUF_INIT;

		buf_printf(&path, "/srv/tftp/certificates/of/nodes/node%u.pem", i);
		note(&x, buf_cstr(&path));
		buf_free(&path);
	}
	began = clock();
	expiry_prometheus(&x, &b);
	began = clock() - began;
	buf_free(&b);
	expiry_free(&x);
	return 1000.0 * (double)began / CLOCKS_PER_SEC;
}

/* Files that are compared with each other take a hundred times as long for ten times as many. */
static void many_unread_files_cost_no_square(void **state)
{
	double few = time_of(4000), many = time_of(40000);

	(void)state;
	assert_true(many < 30 * few + 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unread_file_is_one_series),
		cmocka_unit_test(many_unread_files_cost_no_square),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
