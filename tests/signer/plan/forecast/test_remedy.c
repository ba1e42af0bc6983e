/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is said to help where no order spares a class of phones: only what the model proves.
 */
#include "searching.h"

#include "signer/plan/forecast/remedy.h"

/* Where no order spares a class: the cheapest of what the model proves to help. */
static void a_remedy_is_proven(void **state)
{
	static const struct {
		const char *release;
		enum made_mode mode;
		const char *what, *group, *begins;
	} cases[] = {
		{ "9.1(2)", NOT_MIXED, "callmanager", "west=sub1", "Let the rollback parameter" },
		{ "10.0(1)", NOT_MIXED, "callmanager", "west=sub1", "After CallManager" },
		{ "11.5", NOT_MIXED, "callmanager capf", "west=sub1", "After CallManager" },
		{ "12.0", NOT_MIXED, "itlrecovery", "west=sub1", "Let the rollback parameter" },
		{ "14SU3", NOT_MIXED, "itlrecovery tvs", "west=sub1", "Let the rollback" },
		{ "10.0(1)", TOKENLESS, "callmanager", NULL, "Two tokens" }, /* no spare anchor */
		{ "10.5(2)", TOKENLESS, "callmanager", NULL, "Upgrade to 12.0" },
		{ "11.5", TOKENLESS, "callmanager tvs", "west=sub1", "Upgrade to 12.0" },
	};

	(void)state;
	drops = true;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct remedy r;

		run(cases[i].release, cases[i].mode, 3, 3, cases[i].what, cases[i].group);
		assert_true(search_refused(&s));
		assert_int_equal(remedy_find(&r, &s, &e), ST_OK);
		if (r.text == NULL || !span_starts(span_str(r.text), span_str(cases[i].begins)))
			fail_msg("%s, %s: %s", cases[i].release, cases[i].what,
				 r.text != NULL ? r.text : "nothing");
		done();
	}
	drops = false;
}

/*
 * What a cluster cannot do is no remedy, and no failure: a release without tokens, and a CTL that
 * lacks who would sign it.
 */
static void what_cannot_be_done_is_no_remedy(void **state)
{
	static const struct {
		const char *lists, *release;
	} cases[] = { { "11.5", "14SU3" }, { "10.0(1)", "12.0" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct remedy r;

		run(cases[i].lists, TOKENLESS, 3, 3, "callmanager", NULL);
		assert_true(search_refused(&s));
		assert_int_equal(release_parse(cases[i].release, &m.release, &e), ST_OK);
		assert_int_equal(remedy_find(&r, &s, &e), ST_OK);
		assert_null(r.text);
		done();
	}
}

/* If blank ITLs were planned already, what is left is for clusters with a CTL. */
static void what_is_planned_is_no_remedy(void **state)
{
	static const struct {
		const char *release, *what;
	} cases[] = { { "9.1(2)", "callmanager" }, { "12.0", "itlrecovery" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct remedy r;

		drops = true;
		run(cases[i].release, NOT_MIXED, 3, 3, cases[i].what, "west=sub1");
		drops = false;
		c.blanks = true;
		assert_true(search_refused(&s));
		assert_int_equal(remedy_find(&r, &s, &e), ST_OK);
		assert_null(r.text);
		done();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_remedy_is_proven),
		cmocka_unit_test(what_cannot_be_done_is_no_remedy),
		cmocka_unit_test(what_is_planned_is_no_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
