/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which spellings of a node's name mean one node.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "signer/plan/forecast/node_name.h"

static void one_node_has_many_spellings(void **state)
{
	(void)state;
	assert_true(node_name_same(SPAN_LIT("cucm-pub"), SPAN_LIT("CUCM-PUB.example.com")));
	assert_true(node_name_same(SPAN_LIT("cucm-pub.a"), SPAN_LIT("cucm-pub.b")));
	assert_false(node_name_same(SPAN_LIT("cucm-pub"), SPAN_LIT("cucm-pub2")));
	assert_false(node_name_same(SPAN_NONE, SPAN_NONE));
}

static void an_address_has_no_domain(void **state)
{
	(void)state;
	assert_true(node_name_same(SPAN_LIT("10.48.47.153"), SPAN_LIT("10.48.47.153")));
	assert_false(node_name_same(SPAN_LIT("10.48.47.153"), SPAN_LIT("10.48.47.154")));
	assert_false(node_name_same(SPAN_LIT("10.48.47.153"), SPAN_LIT("10.example.com")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_node_has_many_spellings),
		cmocka_unit_test(an_address_has_no_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
