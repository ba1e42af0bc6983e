/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which class of phones a new list would lock out, and who may insist on it.
 */
#include "signer/trust/lockout.h"
#include "tests/signer/given.h"
#include "tests/signer/plan/forecast/made_lists.h"

static void keep(void *arg, const char *text)
{
	buf_str(arg, text);
	buf_str(arg, "\n");
}

/* The class that is told to be locked out, NULL for none. */
static void foresee(const char *new_name, const char *key, const bool allowed[LOCKOUT_CLASSES],
		    const char *locked_out, struct buf *lines)
{
	struct given_list old = given_list("lists/cucm.tlv"), new_list = given_list(new_name);
	struct cert signer = given_cert(key);
	struct phone tvs = { .no_lists = true, .ctl = &new_list.list }; /* its lists are ignored */
	struct tlv_err e = TLV_ERR_INIT;
	struct lockout l = { .allowed = { allowed[LOCKOUT_SBD], allowed[LOCKOUT_NO_SBD] } };

	lockout_foresee(&l, &old.list, &tvs, &new_list.list, signer.parts.public_key);
	assert_int_equal(lockout_check(&l, &e), locked_out == NULL ? ST_OK : ST_NO);
	if (locked_out != NULL)
		assert_says(err_text(&e), locked_out);
	if (lines != NULL)
		lockout_lines(&l, keep, lines);
	cert_free(&signer);
	given_list_free(&old);
	given_list_free(&new_list);
}

static void each_class(void **state)
{
	static const struct {
		const char *new_list, *key;
		bool allowed[LOCKOUT_CLASSES];
		const char *locked_out;
	} rows[] = {
		{ "lists/cucm.tlv", PUB, { false, false }, NULL },
		/* The signer is renewed: only phones with Security by Default ask TVS. */
		{ "lists/cucm-2048.tlv", RENEWED, { false, false }, "--accept-lockout no-sbd" },
		{ "lists/cucm-2048.tlv", RENEWED, { true, false }, "--accept-lockout no-sbd" },
		{ "lists/cucm-2048.tlv", RENEWED, { false, true }, NULL },
		/* Nobody knows the token. */
		{ "lists/ctl-client.tlv", TOKEN_2, { false, false }, "--accept-lockout sbd" },
		{ "lists/ctl-client.tlv", TOKEN_2, { true, false }, "--accept-lockout no-sbd" },
		{ "lists/ctl-client.tlv", TOKEN_2, { false, true }, "--accept-lockout sbd" },
		{ "lists/ctl-client.tlv", TOKEN_2, { true, true }, NULL },
		/* The right name, and another key. */
		{ "lists/cucm.tlv", SUB, { false, false }, "(bad-signature)" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		foresee(rows[i].new_list, rows[i].key, rows[i].allowed, rows[i].locked_out, NULL);
}

static void a_line_each(void **state)
{
	static const bool none[LOCKOUT_CLASSES] = { false, false };
	struct buf lines = BUF_INIT;

	(void)state;
	foresee("lists/cucm-2048.tlv", RENEWED, none, "no-sbd", &lines);
	assert_string_equal(
		buf_cstr(&lines),
		"phones with Security by Default: accepted: tvs (assumes the ITL has a TVS record; TVS still has the certificate that the ITL names; the signer's certificate is the cluster's own)\n"
		"phones without Security by Default: refused: signer-unknown\n");
	buf_free(&lines);
}

/* An ITL is what the phone holds as its ITL. */
static void an_itl(void **state)
{
	struct given_list old = given_list("renewed-together/ITLFile-1.tlv");
	struct phone tvs = { .no_lists = false };
	struct tlv_record signer = tlv_list_record(&old.list, 0);
	struct lockout l = { .allowed = { false } };

	(void)state;
	lockout_foresee(&l, &old.list, &tvs, &old.list, signer.public_key);
	assert_int_equal(lockout_check(&l, NULL), ST_OK);
	assert_true(l.verdict[LOCKOUT_SBD].in_itl);
	given_list_free(&old);
}

/* What ITLRecovery of this cluster signs, which the old list does not have. */
static enum accept_reason by_a_renewed_itlrecovery(const struct release *told)
{
	struct made old, next;
	struct phone tvs = { .release = told };
	struct lockout l = { .allowed = { false } };

	make_lists(&old, "12.5", TOKENLESS, 1, 0);
	make_lists(&next, "12.5", TOKENLESS, 2, 0);
	lockout_foresee(&l, &old.lists[0], &tvs, &next.lists[0], next.recovery.parts.public_key);
	free_lists(&old);
	free_lists(&next);
	return l.verdict[LOCKOUT_SBD].reason;
}

/* The release that is told counts; the old list tells it else. */
static void which_release(void **state)
{
	struct release before;

	(void)state;
	assert_int_equal(release_parse("11.5", &before, NULL), ST_OK);
	assert_int_equal(by_a_renewed_itlrecovery(NULL), ACCEPT_TVS);
	assert_int_equal(by_a_renewed_itlrecovery(&before), ACCEPT_SIGNER_UNKNOWN);
}

/* Where no cure is known the explanation stands for it. */
static void what_helps(void **state)
{
	(void)state;
	for (int r = 0; r < ACCEPT_REASONS; r++) {
		const struct accept_reason_row *row = accept_row((enum accept_reason)r);
		struct lockout l = { .verdict = { { .reason = (enum accept_reason)r } } };
		struct tlv_err e = TLV_ERR_INIT;

		l.allowed[LOCKOUT_NO_SBD] = true;
		assert_int_equal(lockout_check(&l, &e), row->accepted ? ST_OK : ST_NO);
		if (!row->accepted)
			assert_says(err_text(&e), row->cure != NULL ? row->cure : row->explanation);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_class), cmocka_unit_test(a_line_each),
		cmocka_unit_test(an_itl),     cmocka_unit_test(which_release),
		cmocka_unit_test(what_helps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
