/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Behind which stages nobody may go on before every phone is there.
 */
#include "searching.h"

/*
 * CallManager first, and then ITLRecovery without a wait: a phone that missed the first has no
 * anchor.
 */
static void a_missed_phase_is_named(void **state)
{
	bool gate = false;

	(void)state;
	run("15", TOKENLESS, 3, 3, "callmanager itlrecovery", NULL);
	assert_false(search_refused(&s));
	for (size_t i = 0; i < s.nstages; i++)
		gate |= s.stages[i].gate[CROWD_PLAIN];
	assert_true(gate);
	assert_false(s.stages[s.nstages - 1].gate[CROWD_PLAIN]);
	done();
	run("15", TOKENLESS, 3, 3, "capf tvs", NULL);
	for (size_t i = 0; i < s.nstages; i++)
		assert_false(s.stages[i].gate[CROWD_PLAIN] || s.stages[i].gate[CROWD_BOTH]);
	done();
}

/* Numbers that are the same in every run. */
static unsigned dice(unsigned *seed, unsigned sides)
{
	*seed = *seed * 1103515245U + 12345U;
	return (*seed >> 16) % sides;
}

static bool has_gate(size_t stage)
{
	for (int p = 0; p < CROWD_CLASSES; p++)
		if (s.stages[stage].gate[p])
			return true;
	return false;
}

/*
 * One phone goes through the plan and is off now and then, but at no gate. If it refuses
 * what comes then, the plan must have said to wait for it.
 */
static void walk(enum crowd_class p, size_t node, unsigned *seed)
{
	const struct tlv_list *ctl = crowd_row(p)->ctl ? s.given->ctl.list : NULL;
	const struct tlv_list *itl = crowd_row(p)->itl ? s.given->itl[node].list : NULL;

	for (size_t k = 0; k < s.nstages; k++) {
		const struct search_stage *x = &s.stages[k];
		struct crowd_question q = { .c = &c,
					    .groups = &groups,
					    .tvs = &x->state,
					    .holds_ctl = ctl,
					    .holds_itl = itl,
					    .ctl = &x->served->ctl,
					    .itl = &x->served->itl[node] };
		struct crowd_answers a;

		if (dice(seed, 3) == 0 && !has_gate(k))
			continue;
		crowd_ask(&a, p, &q);
		if ((a.ctl.offered && !a.ctl.accepted) || (a.itl.offered && !a.itl.accepted)) {
			if (!s.locked[p])
				fail_msg("%s, stage %zu: %s", m.release.name, k, found());
			return;
		}
		ctl = a.holds_ctl;
		itl = a.holds_itl;
	}
}

static void no_walker_is_lost_without_a_word(void **state)
{
	unsigned seed = 20260729;

	(void)state;
	for (size_t i = 0; i < COUNT(release_rows); i++)
		for (int mode = NOT_MIXED; mode <= TOKENS; mode++) {
			if (!can_be(release_rows[i], (enum made_mode)mode))
				continue;
			run(release_rows[i], (enum made_mode)mode, 3, 2,
			    "tvs itlrecovery callmanager capf", NULL);
			for (unsigned n = 0; n < 60; n++) {
				enum crowd_class p = (enum crowd_class)dice(&seed, CROWD_CLASSES);

				if (crowd_exists(&c, p) && !crowd_row(p)->gated)
					walk(p, dice(&seed, 3), &seed);
			}
			done();
		}
}

/* "0110": behind which stages it must wait, for phones of some class. */
static const char *gates(const struct search *x)
{
	static char text[SEARCH_STAGES_MAX + 1];

	for (size_t i = 0; i < x->nstages; i++) {
		text[i] = '0';
		for (int p = 0; p < CROWD_CLASSES; p++)
			if (x->stages[i].gate[p])
				text[i] = '1';
	}
	text[x->nstages] = '\0';
	return text;
}

/* The plan's own phases, those of what is asked for in its order. */
static const char *gates_of_order(const char *what)
{
	static struct search other;
	struct search_phase phases[SEARCH_PHASES_MAX];
	struct tlv_err e = TLV_ERR_INIT;
	char words[128], *rest = NULL;
	const char *text;
	size_t n = 0;

	(void)snprintf(words, sizeof words, "%s", what);
	for (char *w = strtok_r(words, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest))
		for (size_t i = 0; i < s.nphases; i++)
			if (strcmp(plan_kind_word(s.phases[i].kind), w) == 0)
				phases[n++] = s.phases[i];
	assert_int_equal(n, s.nphases);
	assert_int_equal(search_follow(&other, &c, &groups, phases, n, &e), ST_OK);
	text = gates(&other);
	search_free(&other);
	return text;
}

/*
 * As many gates as are needed, and no more. Phones that were off, that hold the ITL of another
 * node, or whose node wrote none (where TFTP is not restarted between, in front of that).
 */
static void gates_are_where_they_must_be(void **state)
{
	static const struct {
		const char *release;
		enum made_mode mode;
		const char *order, *gates;
	} rows_of[] = {
		{ "15", TOKENLESS, "capf tvs", "00" },
		{ "15", TOKENLESS, "capf callmanager itlrecovery tvs", "01100" },
		{ "14", TOKENS, "capf callmanager tvs", "000" },
		{ "12.5", NOT_MIXED, "itlrecovery tvs", "010" },
		{ "12.5", NOT_MIXED, "tvs itlrecovery", "110" },
		{ "12.5", NOT_MIXED, "capf tvs callmanager", "000" },
		{ "12.5", NOT_MIXED, "tvs capf itlrecovery", "0110" },
		{ "14SU3", NOT_MIXED, "tvs itlrecovery callmanager", "1100" },
		{ "11.5", NOT_MIXED, "capf callmanager itlrecovery tvs", "0010" },
		{ "11.5", NOT_MIXED, "capf tvs", "10" },
		{ "11.5", NOT_MIXED, "tvs capf", "00" },
		{ "11.5", NOT_MIXED, "tvs capf callmanager", "010" },
		{ "11.5", TOKENLESS, "capf callmanager tvs", "010" },
		{ "11.5", TOKENS, "capf callmanager tvs",
		  "010" }, /* else by TFTP's certificate alone */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows_of); i++) {
		run(rows_of[i].release, rows_of[i].mode, 3, 3, rows_of[i].order, NULL);
		if (strcmp(gates_of_order(rows_of[i].order), rows_of[i].gates) != 0)
			fail_msg("%s, mode %d, %s: %s", rows_of[i].release, (int)rows_of[i].mode,
				 rows_of[i].order, gates_of_order(rows_of[i].order));
		done();
	}
}

/* A phone of the last node alone, whose signer changes when no TVS is the one that it knows. */
static void one_node_is_enough_for_a_gate(void **state)
{
	(void)state;
	run("10.0(1)", TOKENLESS, 6, 6, "capf callmanager@sub5 tvs", NULL);
	assert_string_equal(gates_of_order("capf tvs callmanager"), "110");
	done();
	run("10.0(1)", TOKENLESS, 6, 6, "capf tvs", NULL);
	assert_string_equal(gates_of_order("capf tvs"), "10");
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_walker_is_lost_without_a_word),
		cmocka_unit_test(a_missed_phase_is_named),
		cmocka_unit_test(gates_are_where_they_must_be),
		cmocka_unit_test(one_node_is_enough_for_a_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
