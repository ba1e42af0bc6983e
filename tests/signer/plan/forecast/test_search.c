/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which order is found for what is to be renewed, by release and mode, and what
 * each class of phones does on the way.
 */
#include "made_lists.h"

#include <time.h>

#include "signer/plan/forecast/remedy.h"
#include "signer/plan/forecast/search.h"

static struct made m;
static struct cluster c;
static struct search s;
static struct crowd_groups groups;
static bool blanks; /* as '--blank-itl' asks for it */

static bool drops; /* no list shows the TVS certificate of sub1 */

static void drop_tvs(const char *name)
{
	size_t cert = cluster_cert_of(&c, PLAN_KIND_TVS, cluster_find_node(&c, span_str(name)));

	assert_true(cert < c.ncerts);
	c.certs[cert].kind = PLAN_KIND_OTHER;
}

/* what: words as '--renew' has them, with blanks between; group: NULL, or as '--group' has it. */
static void run(const char *release, enum made_mode mode, size_t nnodes, size_t nitls,
		const char *what, const char *group)
{
	struct tlv_err e = TLV_ERR_INIT;
	char words[128], *rest = NULL;

	make_lists(&m, release, mode, nnodes, nitls);
	if (cluster_read(&c, m.given, m.n, &m.release, &e) != ST_OK)
		fail_msg("%s: %s", release, err_text(&e));
	if (drops)
		drop_tvs("sub1");
	groups = (struct crowd_groups){ .n = 0 };
	if (group != NULL)
		assert_int_equal(crowd_group(&groups, &c, group, &e), ST_OK);
	(void)snprintf(words, sizeof words, "%s", what);
	for (char *w = strtok_r(words, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest))
		if (cluster_ask(&c, w, &e) != ST_OK)
			fail_msg("%s", err_text(&e));
	if (blanks)
		assert_int_equal(cluster_blank(&c, &e), ST_OK);
	if (search_run(&s, &c, &groups, &e) != ST_OK)
		fail_msg("%s: %s", release, err_text(&e));
}

static void done(void)
{
	search_free(&s);
	cluster_free(&c);
	free_lists(&m);
}

/* "capf callmanager/pub callmanager/others; no-sbd" */
static const char *found(void)
{
	static const char *const parts[] = { "", "/pub", "/others" };
	static char text[256];
	size_t n = 0;

	for (size_t i = 0; i < s.nphases; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%s", i > 0 ? " " : "",
				      s.phases[i].act == SEARCH_RENEW ?
					      plan_kind_word(s.phases[i].kind) :
					      search_act_row(s.phases[i].act)->word,
				      parts[s.phases[i].part]);
	for (int p = 0; p < CROWD_CLASSES; p++)
		if (s.locked[p])
			n += (size_t)snprintf(text + n, sizeof text - n, "; %s",
					      crowd_row((enum crowd_class)p)->word);
	return text;
}

static bool rests_on_tvs(void)
{
	for (size_t i = 0; i < s.nstages; i++)
		for (int p = 0; p < CROWD_CLASSES; p++)
			if (s.stages[i].verdict[p].by_tvs)
				return true;
	return false;
}

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
	{ "9.1(2)", TOKENS, "callmanager", "callmanager", false, 1 },
	{ "9.1(2)", TOKENS, "tvs", "tvs", false, 1 },
	{ "10.0(1)", TOKENLESS, "capf", "capf", false, 1 },
	{ "10.0(1)", TOKENLESS, "callmanager", "callmanager; no-sbd", true, 1 },
	{ "10.0(1)", TOKENLESS, "tvs", "tvs", false, 1 },
	{ "10.5(2)", NOT_MIXED, "callmanager", "callmanager", true, 1 },
	{ "10.5(2)", TOKENLESS, "capf", "capf", false, 1 },
	{ "10.5(2)", TOKENLESS, "callmanager", "callmanager; no-sbd", true, 1 },
	{ "10.5(2)", TOKENLESS, "tvs", "tvs", false, 1 },
	{ "10.5(2)", TOKENLESS, "itlrecovery", "itlrecovery", false, 1 },
	{ "10.5(2)", TOKENS, "callmanager", "callmanager", false, 1 },
	{ "11.5", NOT_MIXED, "callmanager", "callmanager", true, 1 },
	{ "11.5", TOKENLESS, "callmanager", "callmanager; no-sbd", true, 1 },
	{ "11.5", TOKENLESS, "itlrecovery", "itlrecovery", false, 1 },
	{ "11.5", TOKENS, "callmanager", "callmanager", false, 1 },
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

static const char *const rows[] = { "9.1(2)", "10.0(1)", "10.5(2)", "11.5", "12.0", "14", "14SU3" };

/* Whether this release has such clusters, as 'what' asks for them. */
static bool can_be(const char *release, enum made_mode mode)
{
	struct release r;
	struct tlv_err e = TLV_ERR_INIT;

	assert_int_equal(release_parse(release, &r, &e), ST_OK);
	return mode == NOT_MIXED || (mode == TOKENS ? r.tokens : r.tokenless);
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
	for (size_t i = 0; i < COUNT(rows); i++)
		for (int mode = NOT_MIXED; mode <= TOKENS; mode++) {
			bool plain;

			if (!can_be(rows[i], (enum made_mode)mode))
				continue;
			run(rows[i], (enum made_mode)mode, 3, 2, "tvs itlrecovery callmanager capf",
			    NULL);
			plain = mode == TOKENLESS && m.release.signer == RELEASE_CALLMANAGER;
			if (s.nphases != 4 || s.locked[CROWD_PLAIN] != plain ||
			    search_refused(&s) != plain ||
			    place(PLAN_KIND_TVS) < place(PLAN_KIND_CALLMANAGER))
				fail_msg("%s, mode %d: %s", rows[i], mode, found());
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

static const char *const kinds_to_renew[] = { "capf", "callmanager", "tvs", "itlrecovery" };

/* All pairs, by the same rule as all four. */
static void all_pairs_have_an_order(void **state)
{
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (int mode = NOT_MIXED; mode <= TOKENS; mode++)
			for (size_t pair = 0; pair < 16; pair++) {
				char what[64];
				const char *a = kinds_to_renew[pair / 4],
					   *b = kinds_to_renew[pair % 4];
				bool plain;

				if (pair / 4 >= pair % 4 || !can_be(rows[i], (enum made_mode)mode))
					continue;
				(void)snprintf(what, sizeof what, "%s %s", b, a);
				run(rows[i], (enum made_mode)mode, 3, 3, what, NULL);
				plain = mode == TOKENLESS &&
					m.release.signer == RELEASE_CALLMANAGER &&
					strstr(what, "callmanager") != NULL;
				if (search_refused(&s) != plain || s.locked[CROWD_PLAIN] != plain)
					fail_msg("%s, mode %d, %s: %s", rows[i], mode, what,
						 found());
				done();
				tried++;
			}
	assert_true(tried > 100);
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
	for (size_t i = 0; i < COUNT(rows); i++)
		for (int mode = NOT_MIXED; mode <= TOKENS; mode++) {
			if (!can_be(rows[i], (enum made_mode)mode))
				continue;
			run(rows[i], (enum made_mode)mode, 3, 2, "tvs itlrecovery callmanager capf",
			    NULL);
			for (unsigned n = 0; n < 60; n++) {
				enum crowd_class p = (enum crowd_class)dice(&seed, CROWD_CLASSES);

				if (crowd_exists(&c, p) && !crowd_row(p)->gated)
					walk(p, dice(&seed, 3), &seed);
			}
			done();
		}
}

/* Whether phones are locked out if all that was asked for is renewed in one go. */
static struct crowd_answer in_one_go; /* of phones that hold an ITL alone */

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
	in_one_go = other.stages[0].verdict[CROWD_ITL_ONLY].answer;
	search_free(&other);
	return locked;
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
		{ "11.5", NOT_MIXED, "capf callmanager itlrecovery tvs", "0010" },
		{ "11.5", NOT_MIXED, "capf tvs", "10" },
		{ "11.5", NOT_MIXED, "tvs capf", "00" },
		{ "11.5", NOT_MIXED, "tvs capf callmanager", "010" },
		{ "11.5", TOKENLESS, "capf callmanager tvs", "010" },
		{ "11.5", TOKENS, "capf callmanager tvs", "010" }, /* else by TFTP's certificate alone */
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
	cluster_free(&c);
	free_lists(&m);
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
	assert_int_equal(crowd_facts(&s.stages[0].verdict[CROWD_PLAIN].answer, facts), 2);
	assert_int_equal(facts[0], FACT_REFUSES);
	assert_int_equal(facts[1], FACT_NO_SBD);
	assert_true(says(&s.stages[0].verdict[CROWD_PLAIN].answer, "has no Security by Default"));
	done();
	run("11.5", NOT_MIXED, 3, 3, "callmanager tvs@sub1", NULL);
	assert_true(locked_in_one_go());
	assert_int_equal(crowd_facts(&in_one_go, facts), 1);
	assert_int_equal(facts[0], FACT_TVS_CERT_IN_ITL);
	assert_true(says(&in_one_go, "no node of the group has a TVS"));
	done();
	run("15", TOKENLESS, 3, 3, "capf", NULL);
	assert_int_equal(crowd_facts(&s.stages[0].verdict[CROWD_PLAIN].answer, facts), 1);
	assert_int_equal(facts[0], FACT_SIGNER_IS_SAST);
	done();
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
	e = TLV_ERR_INIT;
	assert_int_equal(cluster_ask(&c, "tvs@nowhere", &e), ST_NO_MATCH);
	e = TLV_ERR_INIT;
	assert_int_equal(cluster_ask(&c, "capf@sub1", &e), ST_NO_MATCH);
	e = TLV_ERR_INIT;
	assert_int_equal(cluster_ask(&c, "callmanager@SUB1.example.com", &e), ST_OK);
	if (drops)
		drop_tvs("sub1");
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
		cmocka_unit_test(no_walker_is_lost_without_a_word),
		cmocka_unit_test(a_remedy_is_proven),
		cmocka_unit_test(together_they_lock_out),
		cmocka_unit_test(blank_itls_spare_all_phones),
		cmocka_unit_test(blank_itls_allow_one_go),
		cmocka_unit_test(the_parameter_leaves_the_ctl_alone),
		cmocka_unit_test(a_missed_phase_is_named),
		cmocka_unit_test(gates_are_where_they_must_be),
		cmocka_unit_test(a_group_without_tvs_counts),
		cmocka_unit_test(an_itl_without_a_tvs_is_refused),
		cmocka_unit_test(a_refusal_names_its_facts),
		cmocka_unit_test(a_wrong_release_is_seen),
		cmocka_unit_test(nobody_is_asked_for_nothing),
		cmocka_unit_test(lists_that_do_not_fit_are_refused),
		cmocka_unit_test(words_are_checked),
		cmocka_unit_test(foreseen_lists_are_lists),
		cmocka_unit_test(twenty_nodes_are_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
