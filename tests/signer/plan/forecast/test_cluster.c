/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is read out of the lists of a cluster, and which lists and words are refused.
 */
#include "searching.h"

/* What is foreseen is made from what is there: an ITL that lacks a TVS would lack it for ever. */
static void an_itl_without_a_tvs_is_refused(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	made_stale = 2;
	make_lists(&m, "11.5", NOT_MIXED, 3, 3);
	made_stale = SIZE_MAX;
	assert_int_equal(cluster_read(&c, m.given, m.n, &m.release, &e), ST_NO);
	assert_non_null(strstr(err_text(&e), "TVS certificate of node 'pub'"));
	assert_non_null(strstr(err_text(&e), "restart TFTP"));
	assert_non_null(strstr(err_text(&e), "if a list is of another cluster, leave it out"));
	cluster_free(&c);
	free_lists(&m);
}

/* Lists of 10.0 lack the ITLRecovery that signs from 12.0 on. */
static void a_wrong_release_is_seen(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	make_lists(&m, "10.0(1)", TOKENLESS, 2, 2);
	assert_int_equal(release_parse("12.5", &m.release, &e), ST_OK);
	assert_int_equal(cluster_read(&c, m.given, m.n, &m.release, &e), ST_OK);
	assert_int_equal(cluster_ask(&c, "capf", &e), ST_OK);
	groups = (struct crowd_groups){ .n = 0 };
	assert_int_equal(search_run(&s, &c, &groups, &e), ST_USAGE);
	assert_non_null(strstr(err_text(&e), "is the release right"));
	done();
}

static void nobody_is_asked_for_nothing(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	make_lists(&m, "12.5", TOKENLESS, 2, 1);
	assert_int_equal(cluster_read(&c, m.given, m.n, &m.release, &e), ST_OK);
	assert_int_equal(search_run(&s, &c, &groups, &e), ST_USAGE);
	done();
}

static void lists_that_do_not_fit_are_refused(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct made other;
	const struct tlv_list *mixed_up[2];

	(void)state;
	make_lists(&m, "12.5", TOKENLESS, 2, 1);
	make_lists(&other, "12.5", TOKENLESS, 3, 1); /* another CAPF and another ITLRecovery */
	assert_int_equal(cluster_read(&c, m.given, 1, &m.release, &e), ST_USAGE);
	assert_non_null(strstr(err_text(&e), "no ITL was given"));
	cluster_free(&c);
	e = TLV_ERR_INIT;
	mixed_up[0] = mixed_up[1] = m.given[0];
	assert_int_equal(cluster_read(&c, mixed_up, 2, &m.release, &e), ST_USAGE);
	assert_non_null(strstr(err_text(&e), "two CTLs were given"));
	cluster_free(&c);
	e = TLV_ERR_INIT;
	mixed_up[1] = other.given[1];
	assert_int_equal(cluster_read(&c, mixed_up, 2, &m.release, &e), ST_NO);
	assert_non_null(strstr(err_text(&e), "two different ones of node 'pub'"));
	assert_non_null(strstr(err_text(&e), "if a list is of another cluster, leave it out"));
	cluster_free(&c);
	free_lists(&other);
	free_lists(&m);
}

/* The words of '--renew' and '--group'. */
static void words_are_checked(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	make_lists(&m, "12.5", TOKENLESS, 3, 1);
	assert_int_equal(cluster_read(&c, m.given, m.n, &m.release, &e), ST_OK);
	assert_int_equal(cluster_ask(&c, "tomcat", &e), ST_USAGE);
	assert_non_null(strstr(err_text(&e), "are in no list"));
	e = TLV_ERR_INIT;
	assert_int_equal(cluster_ask(&c, "tv", &e), ST_USAGE);
	assert_non_null(strstr(err_text(&e), "'tv' is none of callmanager"));
	e = TLV_ERR_INIT;
	assert_int_equal(cluster_ask(&c, "tvs,capf", &e), ST_USAGE);
	assert_non_null(strstr(err_text(&e), "'tvs,capf' is more than one"));
	e = TLV_ERR_INIT;
	assert_int_equal(cluster_ask(&c, "tvs@nowhere", &e), ST_NO_MATCH);
	assert_non_null(strstr(err_text(&e), "they show pub, sub1, sub2"));
	e = TLV_ERR_INIT;
	assert_int_equal(cluster_ask(&c, "capf@sub1", &e), ST_NO_MATCH);
	e = TLV_ERR_INIT;
	assert_int_equal(cluster_ask(&c, "callmanager@SUB1.example.com", &e), ST_OK);
	groups = (struct crowd_groups){ .n = 0 };
	assert_int_equal(crowd_group(&groups, &c, "west", &e), ST_USAGE);
	e = TLV_ERR_INIT;
	assert_int_equal(crowd_group(&groups, &c, "west=", &e), ST_USAGE);
	e = TLV_ERR_INIT;
	assert_int_equal(crowd_group(&groups, &c, "=sub1", &e), ST_USAGE);
	e = TLV_ERR_INIT;
	assert_int_equal(crowd_group(&groups, &c, "west=sub1,nowhere", &e), ST_NO_MATCH);
	e = TLV_ERR_INIT;
	assert_int_equal(crowd_group(&groups, &c, "west=sub1,pub", &e), ST_OK);
	assert_int_equal(groups.n, 1);
	assert_int_equal(groups.nodes[0], 1U << cluster_find_node(&c, SPAN_LIT("pub")) |
						  1U << cluster_find_node(&c, SPAN_LIT("sub1")));
	cluster_free(&c);
	free_lists(&m);
}

/* A certificate of all nodes is by name one node's, and is asked for on any of them. */
static void a_shared_certificate_is_any_nodes(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	size_t shared;

	(void)state;
	make_lists(&m, "12.5", TOKENLESS, 3, 3);
	assert_int_equal(cluster_read(&c, m.given, m.n, &m.release, &e), ST_OK);
	shared = c.nodes[0].callmanager;
	c.nodes[1].callmanager = shared;
	assert_int_equal(cluster_ask(&c, "callmanager@sub2", &e), ST_OK);
	assert_false(c.certs[shared].asked);
	assert_int_equal(cluster_ask(&c, "callmanager@sub1", &e), ST_OK);
	assert_true(c.certs[shared].asked);
	cluster_free(&c);
	free_lists(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_itl_without_a_tvs_is_refused),
		cmocka_unit_test(a_wrong_release_is_seen),
		cmocka_unit_test(nobody_is_asked_for_nothing),
		cmocka_unit_test(lists_that_do_not_fit_are_refused),
		cmocka_unit_test(words_are_checked),
		cmocka_unit_test(a_shared_certificate_is_any_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
