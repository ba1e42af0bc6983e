/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Orders in which the rollback parameter blanks the ITLs first.
 */
#include "searching.h"

/* [BLANK_ORDER]: phones that hold a blank ITL take what comes, signed by whom it may be. */
static void blank_itls_spare_all_phones(void **state)
{
	static const char *const releases[] = { "9.1(2)", "10.5(2)", "11.5", "12.0", "15" };

	(void)state;
	blanks = true;
	for (size_t i = 0; i < COUNT(releases); i++) {
		run(releases[i], NOT_MIXED, 3, 3, "capf callmanager itlrecovery tvs", NULL);
		assert_string_equal(found(),
				    "blank-itl capf callmanager itlrecovery tvs restore-itl");
		assert_false(rests_on_tvs());
		for (size_t k = 0; k < s.nstages; k++) {
			const struct tlv_list *itl = s.stages[k].served->itl[0].list;

			assert_int_equal(stage_is_blank(itl), k + 1 < s.nstages);
			assert_int_equal(s.stages[k].state.blank, k + 1 < s.nstages);
			assert_int_equal(s.stages[k].verdict[CROWD_ITL_ONLY].answer.a.reason,
					 k == 0 ? ACCEPT_SIGNER_IS_SAST : ACCEPT_LEAP_OF_FAITH);
		}
		done();
	}
	blanks = false;
}

/* The trap has no teeth for phones with a blank ITL; one that missed it is caught. */
static void blank_itls_allow_one_go(void **state)
{
	struct search other;
	struct search_phase phases[3];
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	blanks = true;
	run("11.5", NOT_MIXED, 3, 3, "callmanager tvs", NULL);
	phases[0] = s.phases[0];
	phases[1] = s.phases[1];
	phases[2] = s.phases[3];
	assert_int_equal(phases[2].act, SEARCH_RESTORE);
	for (size_t k = 0; k < COUNT(phases[1].renews.renewed); k++)
		phases[1].renews.renewed[k] |= s.phases[2].renews.renewed[k];
	assert_int_equal(search_follow(&other, &c, &groups, phases, 3, &e), ST_OK);
	assert_false(search_refused(&other));
	assert_true(other.stages[0].gate[CROWD_ITL_ONLY]);
	assert_false(other.stages[1].gate[CROWD_ITL_ONLY]);
	search_free(&other);
	done();
	blanks = false;
}

static void the_parameter_leaves_the_ctl_alone(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	make_lists(&m, "12.0", TOKENLESS, 1, 1);
	assert_int_equal(cluster_read(&c, m.given, m.n, &m.release, &e), ST_OK);
	assert_int_equal(cluster_blank(&c, &e), ST_USAGE);
	cluster_free(&c);
	free_lists(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blank_itls_spare_all_phones),
		cmocka_unit_test(blank_itls_allow_one_go),
		cmocka_unit_test(the_parameter_leaves_the_ctl_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
