/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which records a selector means, and where it ends in an option's argument.
 */
#include "signer/list/selector.h"
#include "tests/signer/given.h"

#define PUB_SERIAL "70CAF64E090751B9DF22F49F754FC5BB"
#define PUB_SHA1 "3C3B4932894CA87E269B26A607A2A8F0DBBDEA92"

/* The numbers of the records, from 1: "1 2"; "-" and the status for none. */
static const char *resolve(const char *list, const char *selector, bool all, enum status *st)
{
	static char text[64];
	struct given_list g = given_list(list);
	struct tlv_err e = TLV_ERR_INIT;
	size_t *found, n, at = 0;

	*st = selector_resolve(span_str(selector), &g.list, all, &found, &n, &e);
	assert_int_equal(*st, e.status);
	assert_int_equal(*st == ST_OK, found != NULL);
	text[0] = '-';
	text[1] = '\0';
	for (size_t i = 0; found != NULL && i < n; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, i == 0 ? "%zu" : " %zu",
				       found[i] + 1);
	free(found);
	given_list_free(&g);
	return text;
}

static void what_is_selected(void **state)
{
	static const struct {
		const char *selector, *all; /* the records that match */
	} rows[] = {
		{ "#1", "1" },
		{ "#4", "4" },
		{ "#5", "-" },
		{ "#0", "-" },
		{ "#x", "-" },
		{ "role=CAPF", "3" },
		{ "role=CCM+TFTP", "2 4" },
		{ "role=SAST", "1" },
		{ "role=nobody", "-" },
		{ "name=cucm-1051-a-pub", "1 2 3" },
		{ "name=cucm-1051-a-sub1", "4" },
		{ "name=cucm-1051-a", "-" },
		{ "address=10.48.47.154", "4" },
		{ "address=10.48.47", "-" },
		{ "cn=cucm-1051-a-pub", "1 2" },
		{ "serial=" PUB_SERIAL, "1 2" },
		{ "serial=70:ca:f6:4e:09:07:51:b9:df:22:f4:9f:75:4f:c5:bb", "1 2" },
		{ "serial=BBC54F759FF422DFB95107094EF6CA70", "1 2" }, /* back to front */
		{ "serial=70CA", "-" },
		{ "serial=no", "-" },
		{ "sha1=" PUB_SHA1, "1 2" },
		{ "sha1=00", "-" },
		{ "role=SAST,cn=cucm-1051-a-pub", "1" },
		{ "cn=cucm-1051-a-pub,#2", "2" },
		{ "role=CAPF,#2", "-" },
		{ "name=cucm-1051-a-pub,address=10.48.47.153,role=CAPF", "3" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool several = strchr(rows[i].all, ' ') != NULL, none = *rows[i].all == '-';
		enum status st;

		assert_string_equal(resolve("lists/cucm.tlv", rows[i].selector, true, &st),
				    rows[i].all);
		assert_int_equal(st, none ? ST_NO_MATCH : ST_OK);
		/* Without --all one record has to be meant. */
		assert_string_equal(resolve("lists/cucm.tlv", rows[i].selector, false, &st),
				    several ? "-" : rows[i].all);
		assert_int_equal(st, several ? ST_AMBIGUOUS : none ? ST_NO_MATCH : ST_OK);
	}
}

/* Blanks pad a token's name in the certificate; a person types it without them, or with. */
static void a_token_by_its_name(void **state)
{
	enum status st;

	(void)state;
	assert_string_equal(resolve("lists/ctl-client.tlv", "cn=SAST-ADN0054f509", false, &st),
			    "5");
	assert_string_equal(
		resolve("lists/ctl-client.tlv", "cn=SAST-ADN0054f509        ", false, &st), "5");
	assert_string_equal(resolve("lists/ctl-client.tlv", "cn=SAST-ADN0054f50", false, &st), "-");
}

static void what_is_no_selector(void **state)
{
	static const char *const texts[] = {
		"", "CAPF", "rolle=CAPF", "name", "#1,#1,#1,#1,#1,#1,#1,#1,#1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		enum status st;

		assert_string_equal(resolve("lists/cucm.tlv", texts[i], true, &st), "-");
		assert_int_equal(st, ST_USAGE);
	}
	assert_false(selector_is("pub.pem"));
	assert_true(selector_is("#3=pub.pem"));
}

/* A ',' or a '=' in a value ends nothing unless a condition or an argument follows. */
static void where_it_ends(void **state)
{
	static const struct {
		const char *text;
		size_t at_argument, at_settings;
	} rows[] = {
		{ "#3", 2, 2 },
		{ "#3=pub.pem", 2, 2 },
		{ "#3,name=x", 9, 2 },
		{ "role=CAPF,cn=a,b=pub.pem", 16, 16 },
		{ "cn=a,role=CAPF=p", 14, 14 },
		{ "name=x,name=y", 13, 6 },
		{ "role=CAPF,address=1.2.3.4", 25, 9 },
		{ "role=CAPF,pub.pem", 17, 17 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(selector_length(rows[i].text, false), rows[i].at_argument);
		assert_int_equal(selector_length(rows[i].text, true), rows[i].at_settings);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_selected),
		cmocka_unit_test(a_token_by_its_name),
		cmocka_unit_test(what_is_no_selector),
		cmocka_unit_test(where_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
