/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which order is found for what is to be renewed, by release and mode, and what
 * each class of phones does on the way.
 */
#include "searching.h"

#include <time.h>

/*
 * The vendor's sequence of each single renewal (docs/CLUSTER.md): what it writes is
 * taken by phones with Security by Default everywhere. Why a class refuses:
 * CallManager signs the CTL before 12.0, so its successor is a stranger to
 * phones that can ask no TVS. With tokens, or with ITLRecovery, the signer stays.
 */
static const struct single {
	const char *release;
	enum made_mode mode;
	const char *what, *found;
	bool tvs;
	size_t stages;
} singles[] = {
	{ "9.1(2)", NOT_MIXED, "capf", "capf", false, 1 },
	{ "9.1(2)", NOT_MIXED, "callmanager", "callmanager", true, 1 },
	{ "9.1(2)", NOT_MIXED, "tvs", "tvs", false, 1 },
	{ "9.1(2)", NOT_MIXED, "itlrecovery", "itlrecovery", false, 1 },
	{ "9.1(2)", TOKENS, "capf", "capf", false, 1 },
	{ "9.1(2)", TOKENS, "callmanager", "callmanager", true, 1 },
	{ "9.1(2)", TOKENS, "tvs", "tvs", false, 1 },
	{ "10.0(1)", TOKENLESS, "capf", "capf", false, 1 },
	{ "10.0(1)", TOKENLESS, "callmanager", "callmanager; no-sbd", true, 1 },
	{ "10.0(1)", TOKENLESS, "tvs", "tvs", false, 1 },
	{ "10.5(2)", NOT_MIXED, "callmanager", "callmanager", true, 1 },
	{ "10.5(2)", TOKENLESS, "capf", "capf", false, 1 },
	{ "10.5(2)", TOKENLESS, "callmanager", "callmanager; no-sbd", true, 1 },
	{ "10.5(2)", TOKENLESS, "tvs", "tvs", false, 1 },
	{ "10.5(2)", TOKENLESS, "itlrecovery", "itlrecovery", false, 1 },
	{ "10.5(2)", TOKENS, "callmanager", "callmanager", true, 1 },
	{ "11.5", NOT_MIXED, "callmanager", "callmanager", true, 1 },
	{ "11.5", TOKENLESS, "callmanager", "callmanager; no-sbd", true, 1 },
	{ "11.5", TOKENLESS, "itlrecovery", "itlrecovery", false, 1 },
	{ "11.5", TOKENS, "callmanager", "callmanager", true, 1 },
	{ "11.5", TOKENS, "itlrecovery", "itlrecovery", false, 1 },
	{ "12.0", NOT_MIXED, "capf", "capf", false, 1 },
	{ "12.0", NOT_MIXED, "callmanager", "callmanager", false, 1 },
	{ "12.0", NOT_MIXED, "tvs", "tvs", false, 1 },
	{ "12.0", NOT_MIXED, "itlrecovery", "itlrecovery", true, 2 },
	{ "12.0", TOKENLESS, "capf", "capf", false, 1 },
	{ "12.0", TOKENLESS, "callmanager", "callmanager", false, 1 },
	{ "12.0", TOKENLESS, "tvs", "tvs", false, 1 },
	{ "12.0", TOKENLESS, "itlrecovery", "itlrecovery", false, 2 },
	{ "12.0", TOKENS, "callmanager", "callmanager", false, 1 },
	{ "12.0", TOKENS, "itlrecovery", "itlrecovery", false, 1 },
	{ "14", TOKENLESS, "itlrecovery", "itlrecovery", false, 2 },
	{ "15", NOT_MIXED, "itlrecovery", "itlrecovery", true, 2 },
	{ "15", TOKENLESS, "callmanager", "callmanager", false, 1 },
	{ "15", TOKENLESS, "itlrecovery", "itlrecovery", false, 2 },
};

static void single_renewals_agree_with_the_vendor(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(singles); i++) {
		const struct single *x = &singles[i];

		run(x->release, x->mode, 3, 3, x->what, NULL);
		if (strcmp(found(), x->found) != 0 || rests_on_tvs() != x->tvs ||
		    s.nstages != x->stages)
			fail_msg("%s, mode %d, %s: '%s', tvs %d, %zu stages\n", x->release,
				 (int)x->mode, x->what, found(), (int)rests_on_tvs(), s.nstages);
		done();
	}
}

static size_t place(enum plan_kind k)
{
	for (size_t i = 0; i < s.nphases; i++)
		if (s.phases[i].kind == k)
			return i;
	return SIZE_MAX;
}

/*
 * All four: before 12.0 CallManager signs, and without TVS no phone knows its
 * successor; so phones without Security by Default are lost in a tokenless
 * cluster, and in no other one. TVS never comes before what needs it.
 */
static void all_four_have_an_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(release_rows); i++)
		for (int mode = NOT_MIXED; mode <= TOKENS; mode++) {
			bool plain;

			if (!can_be(release_rows[i], (enum made_mode)mode))
				continue;
			run(release_rows[i], (enum made_mode)mode, 3, 2,
			    "tvs itlrecovery callmanager capf", NULL);
			plain = mode == TOKENLESS && m.release.signer == RELEASE_CALLMANAGER;
			if (s.nphases != 4 || s.locked[CROWD_PLAIN] != plain ||
			    search_refused(&s) != plain ||
			    place(PLAN_KIND_TVS) < place(PLAN_KIND_CALLMANAGER))
				fail_msg("%s, mode %d: %s", release_rows[i], mode, found());
			done();
		}
}

/* What the model says of an order of the caller's: false if some class is locked out. */
static bool survives(const enum plan_kind *order, size_t n)
{
	struct search other;
	struct search_phase phases[SEARCH_PHASES_MAX];
	struct tlv_err e = TLV_ERR_INIT;
	bool refused;

	for (size_t i = 0; i < n; i++)
		phases[i] = s.phases[place(order[i])];
	assert_int_equal(search_follow(&other, &c, &groups, phases, n, &e), ST_OK);
	refused = search_refused(&other);
	search_free(&other);
	return !refused;
}

static const char *const kinds_to_renew[] = { "capf", "callmanager", "tvs", "itlrecovery" };

/* All pairs, by the same rule as all four. */
static void all_pairs_have_an_order(void **state)
{
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(release_rows); i++)
		for (int mode = NOT_MIXED; mode <= TOKENS; mode++)
			for (size_t pair = 0; pair < 16; pair++) {
				char what[64];
				const char *a = kinds_to_renew[pair / 4],
					   *b = kinds_to_renew[pair % 4];
				bool plain;

				if (pair / 4 >= pair % 4 ||
				    !can_be(release_rows[i], (enum made_mode)mode))
					continue;
				(void)snprintf(what, sizeof what, "%s %s", b, a);
				run(release_rows[i], (enum made_mode)mode, 3, 3, what, NULL);
				plain = mode == TOKENLESS &&
					m.release.signer == RELEASE_CALLMANAGER &&
					strstr(what, "callmanager") != NULL;
				if (search_refused(&s) != plain || s.locked[CROWD_PLAIN] != plain)
					fail_msg("%s, mode %d, %s: %s", release_rows[i], mode, what,
						 found());
				done();
				tried++;
			}
	assert_true(tried > 100);
}

/* Whether phones are locked out if all that was asked for is renewed in one go. */
static struct search_verdict in_one_go; /* of phones that hold an ITL alone */

static bool locked_in_one_go(void)
{
	struct search other;
	struct search_phase both = s.phases[0];
	struct tlv_err e = TLV_ERR_INIT;
	bool locked;

	for (size_t i = 1; i < s.nphases; i++)
		for (size_t k = 0; k < COUNT(both.renews.renewed); k++)
			both.renews.renewed[k] |= s.phases[i].renews.renewed[k];
	both.kind = PLAN_KIND_CALLMANAGER; /* one stage, signed as always */
	assert_int_equal(search_follow(&other, &c, &groups, &both, 1, &e), ST_OK);
	locked = other.locked[CROWD_ITL_ONLY];
	in_one_go = other.stages[0].verdict[CROWD_ITL_ONLY];
	search_free(&other);
	return locked;
}

/* Renewed in one go, as nobody should: the trap of the vendor's documents. */
static void together_they_lock_out(void **state)
{
	static const struct {
		const char *release, *what;
	} traps[] = { { "11.5", "callmanager tvs" }, { "12.0", "itlrecovery tvs" } };

	(void)state;
	for (size_t i = 0; i < COUNT(traps); i++) {
		run(traps[i].release, NOT_MIXED, 3, 3, traps[i].what, NULL);
		assert_false(search_refused(&s));
		assert_true(locked_in_one_go());
		done();
	}
}

/* A group whose one node has a new TVS can ask nobody; with an old one beside it, it can. */
static void a_group_without_tvs_counts(void **state)
{
	static const struct {
		const char *group;
		bool locked;
	} groups_of[] = { { NULL, true }, { "west=sub1", true }, { "west=sub1,pub", false } };
	static const enum plan_kind tvs_first[] = { PLAN_KIND_TVS, PLAN_KIND_CALLMANAGER };

	(void)state;
	for (size_t i = 0; i < COUNT(groups_of); i++) {
		run("11.5", NOT_MIXED, 3, 3, "callmanager tvs@sub1", groups_of[i].group);
		assert_false(search_refused(&s));
		assert_true(survives(tvs_first, 2)); /* each phase is taken before the next */
		assert_int_equal(locked_in_one_go(), groups_of[i].locked);
		done();
	}
}

static bool says(const struct crowd_answer *a, const char *words)
{
	struct buf b = BUF_INIT;
	bool found;

	crowd_why(a, &b);
	buf_u8(&b, 0);
	found = strstr((const char *)buf_span(&b).p, words) != NULL;
	buf_free(&b);
	return found;
}

static void a_refusal_names_its_facts(void **state)
{
	unsigned facts[CROWD_FACTS_MAX];

	(void)state;
	run("11.5", TOKENLESS, 3, 3, "callmanager", NULL);
	assert_false(s.stages[0].verdict[CROWD_PLAIN].is_itl);
	assert_int_equal(crowd_facts(&s.stages[0].verdict[CROWD_PLAIN].answer, facts), 2);
	assert_int_equal(facts[0], FACT_REFUSES);
	assert_int_equal(facts[1], FACT_NO_SBD);
	assert_true(says(&s.stages[0].verdict[CROWD_PLAIN].answer, "has no Security by Default"));
	done();
	run("11.5", NOT_MIXED, 3, 3, "callmanager tvs@sub1", NULL);
	assert_true(locked_in_one_go());
	assert_int_equal(crowd_facts(&in_one_go.answer, facts), 1);
	assert_int_equal(facts[0], FACT_TVS_CERT_IN_ITL);
	assert_true(in_one_go.is_itl);
	assert_true(says(&in_one_go.answer, "no node of the group has a TVS"));
	assert_int_equal(crowd_reason(&in_one_go.answer), ACCEPT_SIGNER_UNKNOWN);
	done();
	run("15", TOKENLESS, 3, 3, "capf", NULL);
	assert_int_equal(crowd_facts(&s.stages[0].verdict[CROWD_PLAIN].answer, facts), 1);
	assert_int_equal(facts[0], FACT_SIGNER_IS_SAST);
	assert_int_equal(crowd_reason(&s.stages[0].verdict[CROWD_PLAIN].answer),
			 ACCEPT_SIGNER_IS_SAST);
	assert_false(s.doubtful[CROWD_CTL_ONLY]);
	done();
}

static void what_a_phone_holds_is_not_offered(void **state)
{
	struct crowd_question q = { .c = &c, .groups = &groups };
	struct crowd_answers a;

	(void)state;
	run("11.5", TOKENLESS, 2, 2, "capf", NULL);
	q.tvs = &s.stages[0].state;
	q.holds_ctl = s.given->ctl.list;
	q.holds_itl = s.given->itl[0].list;
	q.ctl = &s.given->ctl;
	q.itl = &s.stages[0].served->itl[0];
	crowd_ask(&a, CROWD_BOTH, &q);
	assert_false(a.ctl.offered);
	assert_ptr_equal(a.holds_ctl, q.holds_ctl);
	assert_true(a.itl.offered && a.itl.accepted);
	assert_ptr_equal(a.holds_itl, q.itl->list);
	done();
}

/*
 * The publisher may come before the others where phones are locked out otherwise. Each order of the
 * phases is looked at, so their number says which phases there are.
 */
static void what_is_apart(void **state)
{
	static const struct {
		const char *what;
		bool split;
		size_t orders; /* n! of n phases, and of those that are apart */
	} cases[] = {
		{ "callmanager", true, 1 + 2 },	      { "callmanager@pub", false, 1 },
		{ "callmanager@sub1", false, 1 },     { "callmanager@sub1 capf", false, 2 },
		{ "callmanager capf", true, 2 + 6 },  { "callmanager itlrecovery", true, 2 + 6 },
		{ "callmanager@sub1 tvs", false, 2 }, { "callmanager tvs", true, 2 + 24 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		run("11.5", TOKENLESS, 3, 3, cases[i].what, NULL);
		if (s.split != cases[i].split || s.orders != cases[i].orders)
			fail_msg("%s: split %d, %zu orders", cases[i].what, (int)s.split, s.orders);
		done();
	}
}

/* Blank ITLs take what comes, so there is nothing that the publisher apart would spare. */
static void blank_itls_are_searched_as_such(void **state)
{
	(void)state;
	drops = blanks = true;
	run("11.5", NOT_MIXED, 3, 3, "callmanager", "west=sub1");
	drops = blanks = false;
	assert_string_equal(found(), "blank-itl callmanager restore-itl");
	assert_false(s.split);
	done();
}

/* What the check before the plan must find: phones that hold a CTL, and no ITL. */
static void phones_without_an_itl_stray(void **state)
{
	static const struct {
		const char *release;
		enum made_mode mode;
		const char *what;
		bool bare, strays;
	} cases[] = {
		/* They have no TVS that they may believe. */
		{ "11.5", TOKENLESS, "callmanager", false, true },
		/* They have taken their first ITL by then. */
		{ "11.5", TOKENLESS, "capf callmanager", false, false },
		/* Of the new CTL they do not know who signed today's ITL. */
		{ "12.0", TOKENLESS, "itlrecovery", false, true },
		/* They refuse today's ITL as well, which is no plan's doing. */
		{ "12.0", TOKENS, "capf", true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		made_bare = cases[i].bare;
		run(cases[i].release, cases[i].mode, 3, 3, cases[i].what, NULL);
		made_bare = false;
		if (s.strays[CROWD_CTL_ONLY] != cases[i].strays)
			fail_msg("%s, mode %d, %s", cases[i].release, (int)cases[i].mode,
				 cases[i].what);
		done();
	}
}

/*
 * The last node alone has a new signer, of which phones of a group without TVS know nothing. The
 * nodes in front of it stand for it only if they are like it.
 */
static void a_node_that_differs_is_looked_at(void **state)
{
	(void)state;
	drops = true;
	run("11.5", NOT_MIXED, 4, 4, "callmanager@sub3 tvs@pub tvs@sub2", "west=sub1");
	drops = false;
	assert_true(search_refused(&s));
	assert_int_equal(s.orders, 2 + 6);
	done();
}

/* A certificate that the publisher has is the publisher's, whoever else has it. */
static void what_the_publisher_has_is_its_own(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	make_lists(&m, "11.5", TOKENLESS, 3, 3);
	assert_int_equal(cluster_read(&c, m.given, m.n, &m.release, &e), ST_OK);
	c.certs[c.nodes[c.publisher].callmanager].node = (c.publisher + 1) % c.nnodes;
	groups = (struct crowd_groups){ .n = 0 };
	assert_int_equal(cluster_ask(&c, "callmanager", &e), ST_OK);
	assert_int_equal(search_run(&s, &c, &groups, &e), ST_OK);
	assert_int_equal(s.orders, 1 + 2);
	done();
}

/* Every list that is foreseen reads back, and is signed by whom the release says. */
static void foreseen_lists_are_lists(void **state)
{
	(void)state;
	run("15", TOKENLESS, 3, 1, "tvs itlrecovery callmanager capf", NULL);
	for (size_t i = 0; i < s.nstages; i++) {
		const struct stage_served *x = s.stages[i].served;
		struct buf again = BUF_INIT;
		struct tlv_err e = TLV_ERR_INIT;
		struct tlv_record signer;

		assert_int_equal(tlv_list_encode(x->ctl.list, &again, &e), ST_OK);
		assert_true(span_eq(buf_span(&again), x->ctl.list->bytes));
		signer = tlv_list_record(x->ctl.list, (size_t)tlv_list_signer(x->ctl.list));
		assert_true(span_eq(signer.public_key, x->ctl.key));
		assert_int_equal(x->ctl.list->nrecords, c.ctl->nrecords);
		buf_free(&again);
	}
	/* In the end nothing that was to be renewed is left. */
	for (size_t i = 0; i < c.ncerts; i++) {
		const struct stage_served *x = s.stages[s.nstages - 1].served;

		for (size_t r = 0; c.certs[i].asked && r < x->ctl.list->nrecords; r++)
			assert_false(span_eq(tlv_list_record(x->ctl.list, r).certificate,
					     c.certs[i].known));
		for (size_t r = 0; c.certs[i].asked && r < x->itl[2].list->nrecords; r++)
			assert_false(span_eq(tlv_list_record(x->itl[2].list, r).certificate,
					     c.certs[i].known));
	}
	done();
}

/*
 * Twenty nodes and all four, without the noise of a busy machine: a bound that is ten times what it
 * takes.
 */
static void twenty_nodes_are_quick(void **state)
{
	struct timespec a, b;
	double seconds;
	size_t bytes = 0;

	(void)state;
	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a), 0);
	run("15", TOKENLESS, 20, 20, "tvs itlrecovery callmanager capf", NULL);
	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b), 0);
	seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	for (size_t i = 0; i < s.nowned; i++) {
		bytes += s.owned[i]->ctl.bytes.cap + sizeof *s.owned[i];
		for (size_t k = 0; k < c.nnodes; k++)
			bytes += s.owned[i]->itl[k].bytes.cap;
	}
	assert_true(seconds < 10);
	assert_true(bytes < 20 * 1024 * 1024);
	assert_int_equal(s.orders, 24);
	assert_int_equal(s.steps, 32);
	assert_false(search_refused(&s));
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_renewals_agree_with_the_vendor),
		cmocka_unit_test(all_four_have_an_order),
		cmocka_unit_test(all_pairs_have_an_order),
		cmocka_unit_test(together_they_lock_out),
		cmocka_unit_test(a_group_without_tvs_counts),
		cmocka_unit_test(a_refusal_names_its_facts),
		cmocka_unit_test(what_a_phone_holds_is_not_offered),
		cmocka_unit_test(what_is_apart),
		cmocka_unit_test(blank_itls_are_searched_as_such),
		cmocka_unit_test(phones_without_an_itl_stray),
		cmocka_unit_test(a_node_that_differs_is_looked_at),
		cmocka_unit_test(what_the_publisher_has_is_its_own),
		cmocka_unit_test(foreseen_lists_are_lists),
		cmocka_unit_test(twenty_nodes_are_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
