/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a phone does with a new list: a row for each reason, and for what each assumes.
 * Every combination is tried by tests/cli/test_accept.py, against a second opinion.
 */
#include "signer/text/list_file.h"
#include "tests/signer/trust/judged.h"

static const struct row rows[] = {
	{ NULL, NULL, CUCM, "accepted: leap-of-faith", .vouched = NULL },
	{ CUCM, NULL, CUCM_2048, "accepted: leap-of-faith", .with = { .no_lists = true } },
	{ CUCM, NULL, CUCM, "accepted: signer-is-sast", .vouched = NULL },
	{ CUCM, NULL, CUCM, "accepted: signer-is-sast", .with = { .asked = "CTLFile.tlv" } },
	{ CUCM, NULL, CUCM, "refused: wrong-kind", .with = { .asked = "ITLFile.tlv" } },
	/* The cluster's own certificate, which a TVS that the phone believes knows. */
	{ CUCM, NULL, CUCM_2048,
	  "accepted: tvs (" UNSEEN_ITL "; the signer's certificate is the cluster's own)",
	  .vouched = NULL },
	{ CUCM, NULL, CUCM_2048, "accepted: tvs (" UNSEEN_ITL ")", .vouched = RENEWED },
	{ CUCM, NULL, CUCM_2048, "refused: signer-unknown", .with = { .no_tvs = true } },
	{ CUCM, NULL, CUCM_2048, "refused: signer-unknown", .with = { .blank_itl = true } },
	/* A token that was uploaded: under its own spelling TVS finds it by a CTL only. */
	{ CUCM, NULL, TOKENS, "refused: signer-unknown", .vouched = NULL },
	{ CUCM, NULL, TOKENS, "refused: signer-unknown", .vouched = TOKEN_2 },
	{ CUCM, NULL, TOKENS, "accepted: tvs (" UNSEEN_ITL "; the TVS node serves the new list)",
	  .vouched = TOKEN_2, .with = { .tvs_ctl_is_new = true } },
	{ CUCM, NULL, TOKENS, "refused: signer-unknown", .vouched = TOKEN_1,
	  .with = { .tvs_ctl_is_new = true } },
	/* The signer is known, and no SAST. */
	{ TOKENS, NULL, CUCM, "refused: signer-not-sast", .with = { .no_tvs = true } },
	{ TOKENS, NULL, CUCM_2048, "refused: signer-unknown", .with = { .no_tvs = true } },
	{ NULL, ITL_1, ITL_1, "accepted: signer-is-sast", .vouched = NULL },
	{ NULL, ITL_1, ITL_2, "refused: signer-unknown", .vouched = NULL },
	{ CUCM, ITL_1, CUCM, "accepted: signer-is-sast", .vouched = NULL },
};

static void each_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		judge(&rows[i], SPAN_NONE, rows[i].verdict);
}

/* Before anything is signed the key decides, and the signature that is there does not. */
static void a_signature_to_come(void **state)
{
	static const struct row same = { .ctl = CUCM, .new_list = CUCM };
	static const struct row renewed = { .ctl = CUCM, .new_list = CUCM_2048 };
	struct cert pub = given_cert(PUB), other = given_cert(RENEWED);

	(void)state;
	judge(&same, pub.parts.public_key, "accepted: signer-is-sast");
	judge(&same, other.parts.public_key, "refused: bad-signature");
	judge(&renewed, pub.parts.public_key,
	      "refused: bad-signature (" UNSEEN_ITL
	      "; the signer's certificate is the cluster's own)");
	cert_free(&pub);
	cert_free(&other);
}

static void a_changed_list(void **state)
{
	struct given_list held = given_list(CUCM), new_list = given_list(CUCM);
	struct phone p = { .ctl = &held.list }, empty = { .no_lists = true };
	struct acceptance a;

	(void)state;
	assert_false(accept_decide(&empty, &new_list.list).new_is_bad);
	flip(&new_list, tlv_list_record(&new_list.list, 3).certificate);
	a = accept_decide(&p, &new_list.list);
	assert_int_equal(a.reason, ACCEPT_BAD_SIGNATURE);
	assert_int_equal(a.record, 0);
	assert_true(accept_decide(&empty, &new_list.list).new_is_bad);
	/* A phone that holds the changed one knows the signer still. */
	p.ctl = &new_list.list;
	assert_int_equal(accept_decide(&p, &held.list).reason, ACCEPT_SIGNER_IS_SAST);
	/* Two keys under one serial number and issuer: nobody knows which the phone takes. */
	flip(&new_list, tlv_list_record(&new_list.list, 1).public_key);
	assert_int_equal(accept_decide(&p, &held.list).reason, ACCEPT_AMBIGUOUS_SIGNER);
	given_list_free(&held);
	given_list_free(&new_list);
}

/* The signer's records, which are the first two, get these roles. */
static struct acceptance with_roles(const char *name, uint8_t first, uint8_t second)
{
	struct given_list held = given_list(name), new_list = given_list(name);
	struct phone p = { .no_tvs = true };
	struct acceptance a;

	set_role(&held, 0, first);
	set_role(&held, 1, second);
	*(tlv_list_is_itl(&new_list.list) ? &p.itl : &p.ctl) = &held.list;
	a = accept_decide(&p, &new_list.list);
	given_list_free(&held);
	given_list_free(&new_list);
	return a;
}

/* Of several records of the signer the first one of a role is named. */
static void the_first_record_decides(void **state)
{
	static const struct {
		uint8_t first, second;
		enum accept_reason reason;
		long record;
	} cases[] = {
		{ TLV_ROLE_SAST, TLV_ROLE_SAST, ACCEPT_SIGNER_IS_SAST, 0 },
		{ TLV_ROLE_CCM_TFTP, TLV_ROLE_SAST, ACCEPT_SIGNER_IS_SAST, 1 },
		{ TLV_ROLE_CCM_TFTP, TLV_ROLE_CCM_TFTP, ACCEPT_SIGNER_NOT_SAST, 0 },
		{ TLV_ROLE_CAPF, TLV_ROLE_CCM_TFTP, ACCEPT_SIGNER_NOT_SAST, 1 },
		{ TLV_ROLE_CAPF, TLV_ROLE_CAPF, ACCEPT_SIGNER_NOT_SAST, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct acceptance a = with_roles(CUCM, cases[i].first, cases[i].second);

		assert_int_equal(a.reason, cases[i].reason);
		assert_int_equal(a.record, cases[i].record);
	}
}

/* A certificate without a TFTP record signs no ITL. */
static void only_tftp_may_sign_an_itl(void **state)
{
	(void)state;
	assert_int_equal(with_roles(ITL_1, TLV_ROLE_CCM_TFTP, TLV_ROLE_CAPF).reason,
			 ACCEPT_SIGNER_IS_TFTP);
	assert_int_equal(with_roles(ITL_1, TLV_ROLE_CAPF, TLV_ROLE_CAPF).reason,
			 ACCEPT_SIGNER_NOT_SAST);
}

/* What a list held as CTL says counts before the same of the ITL. */
static void the_ctl_counts_first(void **state)
{
	struct given_list g = given_list(CUCM);
	struct phone p = { .ctl = &g.list, .itl = &g.list, .no_tvs = true };
	struct acceptance a = accept_decide(&p, &g.list);

	(void)state;
	assert_int_equal(a.record, 0);
	assert_false(a.in_itl);
	given_list_free(&g);
}

static void a_large_list(void **state)
{
	struct given_list g = given_list(CUCM);
	struct tlv_list large = g.list;
	struct phone p = { .ctl = &g.list };

	(void)state;
	large.bytes.n = TLV_PHONE_LIMIT + 1; /* its length is all that is looked at */
	assert_int_equal(accept_decide(&p, &large).reason, ACCEPT_TOO_LARGE);
	large.bytes.n = TLV_PHONE_LIMIT;
	p.asked = "ITLFile.tlv"; /* so nothing more is looked at here */
	assert_int_equal(accept_decide(&p, &large).reason, ACCEPT_WRONG_KIND);
	given_list_free(&g);
}

/* Phones hold the file; of the new list only a text is there. */
static struct acceptance printed_after(struct given_list *held, struct given_list *printed)
{
	struct phone p = { .ctl = &held->list, .no_tvs = true };

	printed->list.printed = true;
	return accept_decide(&p, &printed->list);
}

/* What the text contradicts is known; the rest is assumed, and said so. */
static void a_printed_list(void **state)
{
	struct given_list held = given_list(CUCM), new_list = given_list(CUCM);
	struct acceptance a = printed_after(&held, &new_list);

	(void)state;
	assert_int_equal(a.reason, ACCEPT_SIGNER_IS_SAST);
	assert_int_equal(a.assumptions, 1U << TVS_ASSUMES_SIGNATURE);
	new_list.list.known_bad = true;
	assert_int_equal(printed_after(&held, &new_list).reason, ACCEPT_BAD_SIGNATURE);
	new_list.list.known_bad = false;
	flip(&held, tlv_list_record(&held.list, 0).certificate);
	assert_int_equal(printed_after(&held, &new_list).reason, ACCEPT_BAD_SIGNATURE);
	/* A text without a record of its signer contradicts nothing. */
	flip(&new_list, tlv_list_record(&new_list.list, 0).serial);
	flip(&new_list, tlv_list_record(&new_list.list, 1).serial);
	assert_int_equal(printed_after(&held, &new_list).reason, ACCEPT_SIGNER_IS_SAST);
	given_list_free(&held);
	given_list_free(&new_list);
}

/* A log shows the SHA-1 of each certificate, and no more of it. */
static void a_printed_hash(void **state)
{
	struct given_list held = given_list("logs/genuine.tlv");
	struct phone p = { .ctl = &held.list, .no_tvs = true };
	struct list_file log;

	(void)state;
	assert_int_equal(list_file_read(&log, TEST_DATA_DIR "/logs/putty.log",
					LIST_PRINTED | LIST_QUIET, NULL),
			 ST_OK);
	assert_true(log.list.printed);
	assert_int_equal(accept_decide(&p, &log.list).reason, ACCEPT_SIGNER_IS_SAST);
	flip(&held, tlv_list_record(&held.list, 0).certificate);
	assert_int_equal(accept_decide(&p, &log.list).reason, ACCEPT_BAD_SIGNATURE);
	/* A phone of which only the text is known as well. */
	p.ctl = &log.list;
	assert_int_equal(accept_decide(&p, &log.list).reason, ACCEPT_SIGNER_IS_SAST);
	list_file_free(&log);
	given_list_free(&held);
}

/* Nobody is said to sign with a key whose signature is bad, whatever the key proves. */
static void a_bad_signature_of_a_key_that_proves_nothing(void **state)
{
	struct given_list held = given_list(CUCM), new_list = given_list(CUCM);
	struct phone p = { .ctl = &held.list };
	struct acceptance a;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct span key = tlv_list_record(&held.list, i).public_key;

		held.bytes.p[(size_t)(key.p - held.bytes.p) + key.n - 1] = 0; /* e is even */
	}
	a = accept_decide(&p, &new_list.list);
	assert_int_equal(a.reason, ACCEPT_BAD_SIGNATURE);
	assert_false(a.anybody_signs);
	a = accept_foresee(&p, &new_list.list, tlv_list_record(&held.list, 0).public_key);
	assert_int_equal(a.reason, ACCEPT_SIGNER_IS_SAST);
	assert_true(a.anybody_signs);
	given_list_free(&held);
	given_list_free(&new_list);
}

/* A blank ITL takes any ITL, unless there is a CTL to go by. */
static void a_blank_itl(void **state)
{
	struct given_list held = given_list(ITL_1), ctl = given_list(CUCM),
			  next = given_list(ITL_2);
	struct phone p = { .itl = &held.list, .blank_itl = true };
	struct acceptance a = accept_decide(&p, &next.list);

	(void)state;
	assert_int_equal(a.reason, ACCEPT_LEAP_OF_FAITH);
	assert_true(a.blank);
	assert_int_equal(accept_decide(&p, &ctl.list).reason, ACCEPT_SIGNER_UNKNOWN);
	p.ctl = &ctl.list;
	assert_int_equal(accept_decide(&p, &next.list).reason, ACCEPT_SIGNER_UNKNOWN);
	p = (struct phone){ .no_lists = true };
	assert_false(accept_decide(&p, &next.list).blank);
	given_list_free(&held);
	given_list_free(&ctl);
	given_list_free(&next);
}

/* Bytes of the header that the list borrows. */
static uint8_t *header_bytes(struct given_list *g, struct span part)
{
	return g->bytes.p + (part.p - g->bytes.p);
}

static void turn_serial(struct given_list *g)
{
	uint8_t *serial = header_bytes(g, g->list.header.signer_serial);

	for (size_t i = 0, n = g->list.header.signer_serial.n; i < n / 2; i++) {
		uint8_t byte = serial[i];

		serial[i] = serial[n - 1 - i];
		serial[n - 1 - i] = byte;
	}
}

/* The spelling that would have matched is part of the refusal. */
static void a_near_miss(void **state)
{
	struct given_list held = given_list(CUCM), new_list = given_list(CUCM);
	struct phone p = { .ctl = &held.list, .no_tvs = true };
	struct buf text = BUF_INIT;
	struct acceptance a;

	(void)state;
	turn_serial(&new_list);
	a = accept_decide(&p, &new_list.list);
	assert_int_equal(a.reason, ACCEPT_SIGNER_UNKNOWN);
	assert_true(a.near.found);
	assert_true(a.near.serial_reversed);
	assert_false(a.near.name_respelled);
	assert_int_equal(a.near.record, 1);
	flip(&new_list, new_list.list.header.signer_serial);
	assert_false(accept_decide(&p, &new_list.list).near.found);
	flip(&new_list, new_list.list.header.signer_serial);
	accept_explain(&a, &text);
	assert_says(buf_cstr(&text), "back to front");
	/* The same bytes are the same name, even if the certificate cannot be read. */
	*(held.bytes.p + (tlv_list_record(&held.list, 0).certificate.p - held.bytes.p)) ^= 1;
	assert_true(accept_decide(&p, &new_list.list).near.found);
	buf_free(&text);
	given_list_free(&held);
	given_list_free(&new_list);
}

/* Another spelling of the name is near, another name or number is not. */
static void a_name_in_another_spelling(void **state)
{
	struct given_list held = given_list(CUCM_2048), new_list = given_list("lists/rfc4514.tlv");
	struct phone p = { .ctl = &held.list, .no_tvs = true };
	struct acceptance a = accept_decide(&p, &new_list.list);

	(void)state;
	assert_int_equal(a.reason, ACCEPT_SIGNER_UNKNOWN);
	assert_true(a.near.found);
	assert_true(a.near.name_respelled);
	assert_false(a.near.serial_reversed);
	flip(&new_list, new_list.list.header.signer_serial);
	assert_false(accept_decide(&p, &new_list.list).near.found);
	flip(&new_list, new_list.list.header.signer_serial);
	flip(&new_list, new_list.list.header.signer_issuer);
	assert_false(accept_decide(&p, &new_list.list).near.found);
	given_list_free(&held);
	given_list_free(&new_list);
}

/* Scripts read these words: they are a contract. */
static void the_words_of_the_contract(void **state)
{
	static const struct {
		const char *word;
		bool accepted;
	} reasons[ACCEPT_REASONS] = {
		[ACCEPT_LEAP_OF_FAITH] = { "leap-of-faith", true },
		[ACCEPT_SIGNER_IS_SAST] = { "signer-is-sast", true },
		[ACCEPT_SIGNER_IS_TFTP] = { "signer-is-tftp", true },
		[ACCEPT_TVS] = { "tvs", true },
		[ACCEPT_TOO_LARGE] = { "too-large", false },
		[ACCEPT_WRONG_KIND] = { "wrong-kind", false },
		[ACCEPT_BAD_SIGNATURE] = { "bad-signature", false },
		[ACCEPT_AMBIGUOUS_SIGNER] = { "ambiguous-signer", false },
		[ACCEPT_SIGNER_NOT_SAST] = { "signer-not-sast", false },
		[ACCEPT_SIGNER_UNKNOWN] = { "signer-unknown", false },
	};
	static const char *const assumptions[TVS_ASSUMPTIONS] = {
		[TVS_ASSUMES_ITL] = "itl-has-tvs-record",
		[TVS_ASSUMES_TVS_CERT] = "tvs-certificate-kept",
		[TVS_ASSUMES_GROUP] = "group-has-node",
		[TVS_ASSUMES_OWN] = "signer-is-own",
		[TVS_ASSUMES_CTL] = "tvs-serves-new-list",
		[TVS_ASSUMES_TFTP] = "tftp-signs-itl",
		[TVS_ASSUMES_SIGNATURE] = "signature-good",
	};

	(void)state;
	for (int i = 0; i < ACCEPT_REASONS; i++) {
		assert_string_equal(accept_row((enum accept_reason)i)->word, reasons[i].word);
		assert_int_equal(accept_row((enum accept_reason)i)->accepted, reasons[i].accepted);
	}
	for (int i = 0; i < TVS_ASSUMPTIONS; i++)
		assert_string_equal(accept_assumption((enum tvs_assumption)i)->word,
				    assumptions[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_words_of_the_contract),
		cmocka_unit_test(each_reason),
		cmocka_unit_test(a_signature_to_come),
		cmocka_unit_test(a_changed_list),
		cmocka_unit_test(a_large_list),
		cmocka_unit_test(the_first_record_decides),
		cmocka_unit_test(only_tftp_may_sign_an_itl),
		cmocka_unit_test(the_ctl_counts_first),
		cmocka_unit_test(a_printed_list),
		cmocka_unit_test(a_printed_hash),
		cmocka_unit_test(a_bad_signature_of_a_key_that_proves_nothing),
		cmocka_unit_test(a_blank_itl),
		cmocka_unit_test(a_near_miss),
		cmocka_unit_test(a_name_in_another_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
