/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Who holds which lists: what one folder has is held together, and equal lists count once.
 */
#include "tests/signer/plan/forecast/made_lists.h"

#include "signer/plan/forecast/cluster_read.h"
#include "signer/plan/recover/recover.h"
#include "signer/text/list_file.h"

static struct made m, other;
static struct cluster c;
static struct cluster_state now;
static struct crowd_groups groups;
static struct recovery r;

/* A tokenless cluster of two nodes and its lists; the others are of an earlier time. */
static int set_up(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	make_lists(&m, "12.5", TOKENLESS, 2, 2);
	make_lists(&other, "12.5", TOKENLESS, 3, 1);
	assert_int_equal(cluster_read_drifted(&c, m.given, m.n, &m.release, &now, &e), ST_OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	recover_free(&r);
	cluster_free(&c);
	free_lists(&m);
	free_lists(&other);
	return 0;
}

static void make(const struct recover_held *held, size_t n)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct recover_input in = {
		.c = &c, .now = &now, .groups = &groups, .held = held, .nheld = n
	};

	if (recover_make(&r, &in, &e) != ST_OK)
		fail_msg("%s", err_text(&e));
}

static void assert_holder(size_t i, enum crowd_class phones, const char *ctl, const char *itl)
{
	const struct recover_holder *h = &r.holders[i];

	assert_true(i < r.nholders);
	assert_int_equal(h->phones, phones);
	assert_ptr_equal(h->ctl_path, ctl);
	assert_ptr_equal(h->itl_path, itl);
}

/* Whatever order a folder is read in, lists that are held together follow each other. */
static void the_lists_of_a_folder_come_together(void **state)
{
	static const char *const sorted[] = { "CTL",	 "a/CTL",   "a/z",  "a-b/CTL",
					      "a/b/CTL", "a/b/ITL", "b/CTL" };
	enum { N = COUNT(sorted) };
	struct recover_held held[N];

	(void)state;
	for (size_t step = 1; step < N; step++)
		for (size_t from = 0; from < N; from++) {
			/* N is a prime: each step meets every one of them. */
			for (size_t i = 0; i < N; i++)
				held[i] = (struct recover_held){
					.path = sorted[(from + i * step) % N]
				};
			recover_sort_held(held, N);
			for (size_t i = 0; i < N; i++)
				assert_string_equal(held[i].path, sorted[i]);
		}
	recover_sort_held(held, 0);
}

static void one_of_each_kind_is_held_together(void **state)
{
	const struct recover_held held[] = { { other.given[0], "a/CTL" },
					     { other.given[1], "a/ITL" } };

	(void)state;
	make(held, COUNT(held));
	assert_int_equal(r.nholders, 2);
	assert_holder(0, CROWD_BOTH, held[0].path, held[1].path);
	assert_holder(1, CROWD_PLAIN, held[0].path, NULL);
}

/* Nobody knows then which of them a phone holds with which. */
static void of_several_each_is_held_alone(void **state)
{
	const struct recover_held held[] = { { other.given[0], "a/CTL" },
					     { other.given[1], "a/ITL" },
					     { m.given[2], "a/ITL2" } };

	(void)state;
	make(held, COUNT(held));
	assert_int_equal(r.nholders, 4);
	assert_holder(0, CROWD_CTL_ONLY, held[0].path, NULL);
	assert_holder(1, CROWD_PLAIN, held[0].path, NULL);
	assert_holder(2, CROWD_ITL_ONLY, NULL, held[1].path);
	assert_holder(3, CROWD_ITL_ONLY, NULL, held[2].path);
	assert_int_equal(r.holders[3].node, 1);
}

static void equal_lists_count_once(void **state)
{
	const struct recover_held held[] = { { m.given[0], "a/CTL" }, { m.given[0], "b/CTL" } };

	(void)state;
	make(held, COUNT(held));
	assert_int_equal(r.nholders, 2);
	assert_holder(0, CROWD_CTL_ONLY, held[0].path, NULL);
	assert_holder(1, CROWD_PLAIN, held[0].path, NULL);
}

static struct tlv_list stand_in(const char *md5, const char *sha1)
{
	struct tlv_list l = m.lists[0];

	l.stand_in = true;
	(void)snprintf(l.md5, sizeof l.md5, "%s", md5);
	(void)snprintf(l.sha1, sizeof l.sha1, "%s", sha1);
	return l;
}

/* The same text may stand for two lists: addresses and keys are not printed. */
static void stand_ins_are_told_apart_by_checksums(void **state)
{
	const struct tlv_list a = stand_in("aa", "11"), same = stand_in("aa", "11"),
			      other_md5 = stand_in("bb", "11"), other_sha1 = stand_in("aa", "22"),
			      none = stand_in("", ""), only_md5 = stand_in("aa", "");
	const struct recover_held held[] = { { &a, "a/CTL" },
					     { &other_md5, "b/CTL" },
					     { &same, "c/CTL" },
					     { &other_sha1, "d/CTL" } };

	(void)state;
	assert_true(recover_is_same(&a, &same));
	assert_false(recover_is_same(&a, &other_md5));
	assert_false(recover_is_same(&a, &other_sha1));
	/* Without checksums the text decides. */
	assert_true(recover_is_same(&a, &none));
	assert_true(recover_is_same(&a, &only_md5));
	assert_false(recover_is_same(&only_md5, &other_md5));
	assert_false(recover_is_same(&a, NULL));
	make(held, COUNT(held));
	assert_int_equal(r.nholders, 6);
	assert_holder(2, CROWD_CTL_ONLY, held[1].path, NULL);
	assert_holder(4, CROWD_CTL_ONLY, held[3].path, NULL);
}

/* What is printed is the file, if it shows the file's checksums. */
static void a_stand_in_of_what_is_served(void **state)
{
	char md5[33], sha1[41];
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_list l;

	(void)state;
	assert_int_equal(list_checksums(m.given[0], md5, sha1, &e), ST_OK);
	l = stand_in(md5, sha1);
	l.bytes = span_slice(l.bytes, 0, 1);
	assert_true(recover_is_same(&l, m.given[0]));
	make(&(struct recover_held){ &l, "a/CTL" }, 1);
	assert_ptr_equal(r.holders[0].ctl, m.given[0]);
}

static void nobody_holds_anything(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	make(NULL, 0);
	assert_int_equal(r.nholders, 0);
	assert_int_equal(r.nchosen, 0);
	assert_false(recover_refused(&r));
	recover_text(&r, &text);
	assert_int_equal(text.failed, ST_OK);
	buf_free(&text);
}

#define WITH_LISTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lists_of_a_folder_come_together),
		WITH_LISTS(one_of_each_kind_is_held_together),
		WITH_LISTS(of_several_each_is_held_alone),
		WITH_LISTS(equal_lists_count_once),
		WITH_LISTS(stand_ins_are_told_apart_by_checksums),
		WITH_LISTS(a_stand_in_of_what_is_served),
		WITH_LISTS(nobody_holds_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
