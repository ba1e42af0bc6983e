/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/library.h"

#include <gnu/lib-names.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static __typeof__(strlen) *length;

static void calls_are_set(void **state)
{
	const struct library_call calls[] = { { "strlen", &length } };

	(void)state;
	assert_int_equal(library_load(LIBC_SO, "libc6", calls, 1, NULL), ST_OK);
	assert_int_equal(length("four"), 4);
}

static void one_that_is_missing(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(library_load("libnone.so.1", "libnone1", NULL, 0, &e), ST_MACHINE);
	assert_non_null(strstr(err_text(&e), "'libnone.so.1' cannot be loaded"));
	assert_non_null(strstr(err_text(&e), "install Debian's package 'libnone1'"));
}

static void one_that_lacks_a_function(void **state)
{
	const struct library_call calls[] = { { "strlen", &length }, { "no_such_call", &length } };
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(library_load(LIBC_SO, "libc6", calls, 2, &e), ST_MACHINE);
	assert_non_null(strstr(err_text(&e), "no_such_call"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_set),
		cmocka_unit_test(one_that_is_missing),
		cmocka_unit_test(one_that_lacks_a_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
