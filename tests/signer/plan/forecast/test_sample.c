/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which TFTP nodes stand for the others when orders are compared.
 */
#include "searching.h"

#include "signer/plan/forecast/sample.h"

/* "10100": which of the nodes are chosen. */
static const char *chosen(const bool *nodes)
{
	static char text[CLUSTER_NODES_MAX + 1];

	for (size_t i = 0; i < c.nnodes; i++)
		text[i] = nodes[i] ? '1' : '0';
	text[c.nnodes] = '\0';
	return text;
}

static const char *sorts(void)
{
	bool nodes[CLUSTER_NODES_MAX] = { false };

	sample_sorts(&c, nodes);
	return chosen(nodes);
}

static const char *all(void)
{
	bool nodes[CLUSTER_NODES_MAX] = { false };

	sample_all(&c, nodes);
	return chosen(nodes);
}

/* The publisher, and the first one of those that differ in what their own lists show. */
static void one_of_each_sort(void **state)
{
	static const struct {
		size_t given;
		const char *what, *sorts;
	} cases[] = {
		{ 5, "capf", "11000" },
		{ 5, "callmanager", "11000" },
		{ 5, "callmanager@sub3", "11010" },
		{ 5, "callmanager@sub2 callmanager@sub3 callmanager@sub4", "11100" },
		{ 5, "callmanager@pub", "11000" },
		{ 3, "capf", "11010" },
		{ 3, "callmanager@sub2 callmanager@sub4", "11111" },
		{ 5, "tvs@sub3", "11000" }, /* all ITLs have it */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		run("11.5", TOKENLESS, 5, cases[i].given, cases[i].what, NULL);
		assert_string_equal(all(), "11111");
		if (strcmp(sorts(), cases[i].sorts) != 0)
			fail_msg("%s, %zu given: %s", cases[i].what, cases[i].given, sorts());
		done();
	}
}

/* Before 12.5 each node has an ITLRecovery of its own. */
static void an_anchor_of_its_own_makes_a_sort(void **state)
{
	(void)state;
	run("12.0", NOT_MIXED, 4, 4, "itlrecovery", NULL);
	assert_string_equal(sorts(), "1100");
	c.certs[cluster_cert_of(&c, PLAN_KIND_ITLRECOVERY, CLUSTER_NONE)].node = 2;
	assert_string_equal(sorts(), "1110");
	done();
}

/* A certificate that two nodes share is asked for on both, whosever it is by name. */
static void a_shared_certificate_is_asked_for_on_both(void **state)
{
	(void)state;
	run("11.5", NOT_MIXED, 4, 4, "callmanager@pub", NULL);
	assert_string_equal(sorts(), "1100");
	c.nodes[2].callmanager = c.nodes[0].callmanager;
	assert_string_equal(sorts(), "1110");
	done();
}

/* Nobody can foresee the lists of a node whose signer no list shows. */
static void only_who_serves_is_asked(void **state)
{
	(void)state;
	run("11.5", NOT_MIXED, 4, 4, "capf", NULL);
	c.nodes[1].tftp = false;
	assert_string_equal(all(), "1011");
	assert_string_equal(sorts(), "1010");
	c.nodes[2].callmanager = CLUSTER_CERTS_MAX;
	assert_string_equal(all(), "1001");
	assert_string_equal(sorts(), "1001");
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_of_each_sort),
		cmocka_unit_test(an_anchor_of_its_own_makes_a_sort),
		cmocka_unit_test(a_shared_certificate_is_asked_for_on_both),
		cmocka_unit_test(only_who_serves_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
