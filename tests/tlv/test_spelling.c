/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two spellings of one name, and names that only look alike.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tlv/spelling.h"

static void spellings_are_compared(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "CN=pub;O=Cisco;C=PL", "C=PL,O=Cisco,CN=pub", true },
		{ "CN=pub;O=Cisco;C=PL", "C=PL;O=Cisco;CN=pub", true },
		{ "CN=pub;O=Cisco, Inc.", "O=Cisco\\, Inc.,CN=pub", true },
		{ "CN=pub;O=Cisco, Inc.", "O=\"Cisco, Inc.\",cn=pub", true },
		{ "CN=a\\2Cb", "CN=a\\,b", true },
		{ "OU=a;OU=b;CN=x", "CN=x,OU=b,OU=a", true },
		{ "", "", true },
		{ "CN=pub;O=Cisco;C=PL", "C=PL,O=Cisco", false },
		{ "CN=pub;O=Cisco", "CN=sub;O=Cisco", false },
		{ "CN=pub;OU=pub", "CN=pub;O=pub", false },
		{ "OU=a;OU=a;OU=b", "OU=a;OU=b;OU=b", false },
		{ "CN=Pub", "CN=pub", false },
		{ "CN=pub", "", false },
		{ "CN=pub\\", "CN=pub", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span a = span_str(rows[i].a), b = span_str(rows[i].b);

		if (spelling_same(a, b) != rows[i].same || spelling_same(b, a) != rows[i].same)
			fail_msg("'%s' and '%s'", rows[i].a, rows[i].b);
	}
}

/* More than a name has: the comparison would take the square of them. */
static void too_many_attributes_equal_nothing(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < SPELLING_ATTRIBUTES_MAX; i++)
		buf_printf(&b, "OU=%d;", i);
	assert_true(spelling_same(buf_span(&b), buf_span(&b)));
	buf_str(&b, "CN=one more");
	assert_false(spelling_same(buf_span(&b), buf_span(&b)));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings_are_compared),
		cmocka_unit_test(too_many_attributes_equal_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
