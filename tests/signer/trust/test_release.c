/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * CUCM releases: how they are written, and what a list tells of its own.
 * The table itself is compared with docs/CLUSTER.md by tests/cli/test_facts.py.
 */
#include "signer/trust/release.h"
#include "tests/signer/given.h"
#include "tests/signer/plan/forecast/made_lists.h"

static void how_they_are_written(void **state)
{
	/*
	 * In order, each later than the one before; what follows an '=' is another way to write it.
	 */
	static const char *const texts[] = {
		"9.1",
		"9.1(2)",
		"=9.1.2",
		"=9.1(2a)",
		"10.0(1)",
		"10.5",
		"10.5(2)",
		"=10.5.2",
		"=10.5.2.10000-5",
		"=System version: 10.5.2.10000-5",
		"11.5",
		"11.5(1)SU9",
		"11.5(1)SU11",
		"12.0",
		"12.0(1)",
		"12.5(1)",
		"=12.5.1.10000-22",
		"12.5.1.11900-146",
		"=12.5(1)SU1",
		"=12.5.1.12899-1",
		"=Active Master Version: 12.5.1.11900-146 ",
		"12.5(1)SU3",
		"=12.5(1) SU3",
		"=12.5(1)SU3a",
		"=12.5.1.13900",
		"12.5(1)SU6",
		"=12.5.1SU6",
		"14",
		"14SU1",
		"=14su1",
		"= 14SU1",
		"=CUCM 14 SU 1",
		"14SU3",
		"15",
		"15SU1",
	};
	unsigned last = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		bool same = texts[i][0] == '=';
		const char *text = texts[i] + (same ? 1 : 0);
		struct release r;

		assert_int_equal(release_parse(text, &r, NULL), ST_OK);
		assert_ptr_equal(r.name, text);
		assert_true(same ? r.version == last : r.version > last);
		last = r.version;
	}
}

static void what_is_none(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"8.6",
		"9",
		"9.0(1)",
		"10.5(",
		"10.5(2",
		"10.5(2)x",
		"10.",
		"14SU",
		"14SU9x",
		"14SUa",
		"10.5.2.1",
		"12.5.1.9999-1",
		"12.5.1.11900-",
		"12.5.1.11900-146-1",
		"12.5.1.119000",
		"100",
		"System version:",
		"12.5 13",
		"12.5(1)SU100",
		"14SU3 SU4",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct release r;

		assert_int_equal(release_parse(texts[i], &r, &e), ST_USAGE);
		assert_says(err_text(&e), "--release");
	}
}

/* The build that CUCM itself prints decides as the service update that it is. */
static void what_a_build_is(void **state)
{
	static const struct {
		const char *text;
		bool tokens;
	} rows[] = {
		{ "14.0.1.10000-20", true }, { "14.0.1.12900-161", true },
		{ "14.0.1.13024-1", true },  { "14.0.1.13900-155", false },
		{ "14.0.1.14900-1", false }, { "15.0.1.10000-32", false },
		{ "12.5.1.18900-1", true },  { "System version: 14.0.1.13900-155", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct release r;

		assert_int_equal(release_parse(rows[i].text, &r, NULL), ST_OK);
		assert_int_equal(r.tokens, rows[i].tokens);
	}
}

/* A release counts as the last row of the table that is not after it. */
static void what_a_release_does(void **state)
{
	static const struct {
		const char *text;
		bool tokens, tokenless, itlrecovery;
		enum release_signer signer;
	} rows[] = {
		{ "9.1(2)", true, false, false, RELEASE_NOBODY },
		{ "10.0", true, true, false, RELEASE_CALLMANAGER },
		{ "10.0(1)", true, true, false, RELEASE_CALLMANAGER },
		{ "10.5(1)", true, true, false, RELEASE_CALLMANAGER },
		{ "10.5(2)", true, true, true, RELEASE_CALLMANAGER },
		{ "11.5(1)SU8", true, true, true, RELEASE_CALLMANAGER },
		{ "12.5", true, true, true, RELEASE_ITLRECOVERY },
		{ "14SU2", true, true, true, RELEASE_ITLRECOVERY },
		{ "14SU3", false, true, true, RELEASE_ITLRECOVERY },
		{ "15", false, true, true, RELEASE_ITLRECOVERY },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct release r;

		assert_int_equal(release_parse(rows[i].text, &r, NULL), ST_OK);
		assert_int_equal(r.tokens, rows[i].tokens);
		assert_int_equal(r.tokenless, rows[i].tokenless);
		assert_int_equal(r.itlrecovery, rows[i].itlrecovery);
		assert_int_equal(r.signer, rows[i].signer);
	}
}

static void how_many_itlrecoveries(void **state)
{
	static const struct {
		const char *text;
		bool one;
	} rows[] = {
		{ "11.5", false },   { "12.0(1)", false }, { "12.0(1)SU5", false },
		{ "12.5(1)", true }, { "14", true },	   { "15", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct release r;

		assert_int_equal(release_parse(rows[i].text, &r, NULL), ST_OK);
		assert_int_equal(release_has_one_itlrecovery(&r), rows[i].one);
	}
}

static void what_a_list_tells(void **state)
{
	static const struct {
		const char *list, *release; /* NULL: it does not tell */
	} rows[] = {
		/* CallManager signs, and ITLRecovery is no anchor: 10.0(1) up to 10.5(2). */
		{ "lists/cucm.tlv", "10.0(1)" },
		/* Tokens are all anchors before 11.5: three rows of the table. */
		{ "lists/ctl-client.tlv", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct given_list g = given_list(rows[i].list);
		struct tlv_err e = TLV_ERR_INIT;
		struct release r;

		assert_int_equal(release_choose(NULL, &g.list, &r, &e),
				 rows[i].release != NULL ? ST_OK : ST_USAGE);
		if (rows[i].release != NULL)
			assert_string_equal(r.name, rows[i].release);
		else
			assert_says(err_text(&e), "--release");
		/* What is said stands above what the list tells. */
		assert_int_equal(release_choose("12.5", &g.list, &r, NULL), ST_OK);
		assert_string_equal(r.name, "12.5");
		given_list_free(&g);
	}
}

/* What a release writes tells the first release of its look, if no other writes the like. */
static void what_written_lists_tell(void **state)
{
	static const struct {
		const char *release;
		enum made_mode mode;
		const char *told; /* NULL: other releases write such lists too */
	} rows[] = {
		{ "9.1", TOKENS, NULL },     { "10.0(1)", TOKENLESS, "10.0(1)" },
		{ "10.0(1)", TOKENS, NULL }, { "10.5(2)", TOKENLESS, NULL },
		{ "10.5(2)", TOKENS, NULL }, { "11.5", TOKENLESS, NULL },
		{ "11.5", TOKENS, NULL },    { "12.5", TOKENLESS, "12.0(1)" },
		{ "12.5", TOKENS, NULL },    { "15", TOKENLESS, "12.0(1)" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct made m;
		struct release r;

		make_lists(&m, rows[i].release, rows[i].mode, 1, 0);
		assert_int_equal(release_derive(&m.lists[0], &r), rows[i].told != NULL);
		if (rows[i].told != NULL)
			assert_string_equal(r.name, rows[i].told);
		free_lists(&m);
	}
}

/* A token may sign in any release. Before 10.0 only a token signs a CTL. */
static void whose_signer_is_another(void **state)
{
	static const struct {
		const char *wrote, *asked;
		enum made_mode mode;
		bool ctl, itl; /* unlike */
	} rows[] = {
		{ "11.5", "11.5", TOKENLESS, false, false },
		{ "11.5", "10.0", TOKENLESS, false, false },
		{ "11.5", "9.1(2)", TOKENLESS, true, false },
		{ "11.5", "12.5", TOKENLESS, true, true },
		{ "12.5", "15", TOKENLESS, false, false },
		{ "12.5", "11.5", TOKENLESS, true, true },
		{ "12.5", "9.1(2)", TOKENLESS, true, true },
		{ "11.5", "9.1(2)", TOKENS, false, false },
		{ "11.5", "12.5", TOKENS, false, true },
		{ "12.5", "11.5", TOKENS, false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct made m;
		struct release r;

		make_lists(&m, rows[i].wrote, rows[i].mode, 1, 1);
		assert_int_equal(release_parse(rows[i].asked, &r, NULL), ST_OK);
		assert_int_equal(m.n, 2);
		assert_false(tlv_list_is_itl(&m.lists[0]));
		assert_int_equal(release_is_unlike(&r, &m.lists[0]), rows[i].ctl);
		assert_int_equal(release_is_unlike(&r, &m.lists[1]), rows[i].itl);
		free_lists(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_they_are_written),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(what_a_build_is),
		cmocka_unit_test(what_a_release_does),
		cmocka_unit_test(how_many_itlrecoveries),
		cmocka_unit_test(what_a_list_tells),
		cmocka_unit_test(what_written_lists_tell),
		cmocka_unit_test(whose_signer_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
