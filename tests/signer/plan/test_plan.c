/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Plans with a bridge and a way-back list, before and after they are signed.
 * The lists are put together from those of tests/data: a header of the one
 * that signs, records of both. What their key will sign is foreseen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "signer/cli/common.h"
#include "signer/plan/plan.h"
#include "signer/trust/release.h"

enum { NOW = 1426000000 };

struct lists {
	struct list_file old, new;
	struct buf bridge_bytes, back_bytes;
	struct tlv_list bridge, back;
	struct span old_key, new_key;
	struct release release;
	struct plan_input in;
	struct plan plan;
};

static void read_list(struct list_file *f, const char *name)
{
	char path[512];
	struct tlv_err e = TLV_ERR_INIT;

	(void)snprintf(path, sizeof path, "%s/lists/%s", TEST_DATA_DIR, name);
	assert_int_equal(list_file_read(f, path, 0, &e), ST_OK);
}

static struct span signer_key(const struct tlv_list *l)
{
	return tlv_list_record(l, (size_t)tlv_list_signer(l)).public_key;
}

/* The header of one list, its records, and the other's SAST records. */
static void join(struct buf *b, struct tlv_list *out, const struct tlv_list *header,
		 const struct tlv_list *records, const struct tlv_list *anchors)
{
	struct tlv_err e = TLV_ERR_INIT;

	buf_put(b, header->header.raw);
	for (size_t i = 0; i < records->nrecords; i++)
		buf_put(b, tlv_list_record(records, i).raw);
	for (size_t i = 0; i < anchors->nrecords; i++)
		if (tlv_list_record(anchors, i).role == TLV_ROLE_SAST)
			buf_put(b, tlv_list_record(anchors, i).raw);
	assert_int_equal(tlv_list_decode(out, buf_span(b), &e), ST_OK);
}

static int set_up(void **state)
{
	static struct lists l;
	struct tlv_err e = TLV_ERR_INIT;

	l = (struct lists){ .bridge_bytes = BUF_INIT, .back_bytes = BUF_INIT };
	read_list(&l.old, "cucm.tlv");
	read_list(&l.new, "ctl-client.tlv");
	l.old_key = signer_key(&l.old.list);
	l.new_key = signer_key(&l.new.list);
	join(&l.bridge_bytes, &l.bridge, &l.old.list, &l.old.list, &l.new.list);
	join(&l.back_bytes, &l.back, &l.new.list, &l.old.list, &l.new.list);
	assert_int_equal(release_parse("10.5", &l.release, &e), ST_OK);
	l.in = (struct plan_input){ .old_list = &l.old.list,
				    .new_list = &l.new.list,
				    .bridge = &l.bridge,
				    .way_back = &l.back,
				    .old_name = "CTLFile.tlv",
				    .bridge_name = "1-bridge/CTLFile.tlv",
				    .new_name = "2-final/CTLFile.tlv",
				    .way_back_name = "way-back/CTLFile.tlv",
				    .bridge_key = l.old_key,
				    .new_key = l.new_key,
				    .release = &l.release,
				    .now = NOW };
	*state = &l;
	return 0;
}

static int tear_down(void **state)
{
	struct lists *l = *state;

	plan_free(&l->plan);
	tlv_list_free(&l->bridge);
	tlv_list_free(&l->back);
	buf_free(&l->bridge_bytes);
	buf_free(&l->back_bytes);
	list_file_free(&l->old);
	list_file_free(&l->new);
	return 0;
}

static void make(struct lists *l)
{
	struct tlv_err e = TLV_ERR_INIT;

	assert_int_equal(plan_make(&l->plan, &l->in, &e), ST_OK);
}

static const char *word(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

/*
 * What a class of phones with one list says of another: "accepted: signer-is-sast". "": it was not
 * asked.
 */
static const char *verdict(json_t *plan, const char *phones, const char *holds, const char *offered)
{
	json_t *v, *all = json_object_get(plan, "phones");
	size_t i;

	json_array_foreach(all, i, v)
	{
		if (strcmp(word(v, "class"), phones) == 0 && strcmp(word(v, "holds"), holds) == 0 &&
		    strcmp(word(v, "offered"), offered) == 0)
			return word(v, "reason");
	}
	return "";
}

/* The codes of the steps of a stage, "" for those of none, joined by blanks. */
static void put_codes(json_t *plan, const char *stage, struct buf *out)
{
	json_t *s, *all = json_object_get(plan, "steps");
	size_t i;

	json_array_foreach(all, i, s)
	{
		if (strcmp(word(s, "stage"), stage) == 0)
			buf_printf(out, "%s ", word(s, "code"));
	}
}

static void assert_codes(json_t *plan, const char *stage, const char *wanted)
{
	struct buf b = BUF_INIT;

	put_codes(plan, stage, &b);
	assert_string_equal(buf_cstr(&b), wanted);
	buf_free(&b);
}

/* Whether the text has the sentence, however its lines are broken. */
static bool says(const struct plan *p, const char *sentence)
{
	struct buf text = BUF_INIT, flat = BUF_INIT;
	bool found, blank = false;

	plan_text(p, &text);
	for (size_t i = 0; i < text.n; i++) {
		int c = span_at(buf_span(&text), i);

		if (c != ' ' && c != '\n')
			buf_u8(&flat, (uint8_t)c);
		else if (!blank)
			buf_u8(&flat, ' ');
		blank = c == ' ' || c == '\n';
	}
	found = strstr(buf_cstr(&flat), sentence) != NULL;
	buf_free(&flat);
	buf_free(&text);
	return found;
}

/* All three steps are signer-is-sast, so phones without TVS take them too. */
static void every_class_takes_bridge_final_and_way_back(void **state)
{
	static const char *const ways[][2] = {
		{ "old", "bridge" },
		{ "bridge", "new" },
		{ "new", "way-back" },
	};
	struct lists *l = *state;
	json_t *plan;

	make(l);
	plan = plan_json(&l->plan);
	assert_false(plan_refused(&l->plan));
	for (size_t i = 0; i < COUNT(ways); i++) {
		assert_string_equal(verdict(plan, "no-sbd", ways[i][0], ways[i][1]),
				    "signer-is-sast");
		assert_string_equal(verdict(plan, "sbd", ways[i][0], ways[i][1]), "signer-is-sast");
	}
	/* Those that miss the bridge are lost, and the plan says so without counting them. */
	assert_string_equal(verdict(plan, "no-sbd", "old", "new"), "signer-unknown");
	assert_true(says(&l->plan, "They have missed the bridge."));
	assert_true(says(&l->plan, "Let every phone take the bridge"));
	assert_true(
		says(&l->plan, "Every class of phone takes the new list, by way of the bridge"));
	json_decref(plan);
}

static void the_bridge_comes_first_and_is_waited_for(void **state)
{
	struct lists *l = *state;
	json_t *plan;

	make(l);
	plan = plan_json(&l->plan);
	assert_codes(plan, "",
		     "backup registration replication rollback-parameter groups check-old upload "
		     "registered unity-connection backup-after way-back recover ");
	assert_codes(plan, "bridge", "publish restart restart reset check applications ");
	assert_codes(plan, "final", "publish restart restart reset check applications ");
	assert_int_equal(json_integer_value(json_object_get(plan, "resets")), 2);
	assert_true(says(&l->plan, "Bridge: Put 1-bridge/CTLFile.tlv on every TFTP node"));
	assert_true(says(&l->plan, "Final list: Put 2-final/CTLFile.tlv on every TFTP node"));
	assert_true(says(&l->plan, "WARNING: Continue only when every phone shows this checksum."));
	assert_true(says(&l->plan, "Publish way-back/CTLFile.tlv"));
	assert_true(says(&l->plan, "It is documented for cluster moves, not for tokens."));
	json_decref(plan);
}

/* A list with a hole for its signature has no checksum that anybody will ever see. */
static void checksums_wait_for_the_signature(void **state)
{
	struct lists *l = *state;
	json_t *plan, *lists;

	make(l);
	plan = plan_json(&l->plan);
	lists = json_object_get(plan, "lists");
	assert_true(says(&l->plan, "The checksums are known once the list is signed."));
	assert_true(json_is_null(json_object_get(json_object_get(lists, "bridge"), "md5")));
	assert_true(json_is_null(json_object_get(json_object_get(lists, "new"), "sha1")));
	assert_true(json_is_null(json_object_get(json_object_get(lists, "way-back"), "sha1")));
	assert_true(json_is_string(json_object_get(json_object_get(lists, "old"), "md5")));
	json_decref(plan);
}

static void a_key_that_does_not_sign_is_seen(void **state)
{
	struct lists *l = *state;

	l->in.bridge_key = l->new_key;
	make(l);
	assert_true(plan_refuses(&l->plan, LOCKOUT_SBD));
	assert_true(plan_refuses(&l->plan, LOCKOUT_NO_SBD));
	assert_true(says(&l->plan, "REFUSE the bridge: the phone knows the signer, but"));
}

static void without_bridge_one_step_through_tvs(void **state)
{
	struct lists *l = *state;
	json_t *plan;

	l->in.bridge = NULL;
	l->in.new_key = SPAN_NONE;
	l->in.way_back = NULL;
	make(l);
	plan = plan_json(&l->plan);
	assert_codes(plan, "new",
		     "delete publish restart restart reset clear clear check applications ");
	assert_codes(
		plan, "",
		"backup registration replication rollback-parameter groups check-old "
		"make-way-back upload registered unity-connection backup-after way-back recover ");
	assert_true(plan_refused(&l->plan));
	json_decref(plan);
}

/* Names are the lists' own where none are given, and no release is no fault. */
static void little_is_needed(void **state)
{
	struct lists *l = *state;
	struct buf page = BUF_INIT;
	struct tlv_err e = TLV_ERR_INIT;

	l->in = (struct plan_input){ .old_list = &l->old.list,
				     .new_list = &l->new.list,
				     .now = NOW };
	make(l);
	assert_true(says(&l->plan, "Plan: CTLFile.tlv -> CTLFile.tlv"));
	assert_true(says(&l->plan, "The CUCM release is not known."));
	assert_int_equal(plan_html(&l->plan, &page, &e), ST_OK);
	assert_non_null(strstr(buf_cstr(&page), "</html>"));
	buf_free(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(every_class_takes_bridge_final_and_way_back),
		TEST(the_bridge_comes_first_and_is_waited_for),
		TEST(checksums_wait_for_the_signature),
		TEST(a_key_that_does_not_sign_is_seen),
		TEST(without_bridge_one_step_through_tvs),
		TEST(little_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
