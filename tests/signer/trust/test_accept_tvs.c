/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a phone does with a new list whose signer it asks TVS about.
 */
#include "tests/signer/trust/judged.h"

/* What a TVS with the certificate `presents` says, and what phones with these lists do then. */
static const struct heard_row {
	const char *ctl, *itl;
	const char *presents; /* NULL: the one that ITL_1 names */
	bool known;
	struct span roles;
	const char *certificate; /* which it knows; NULL: it shows none */
	const char *verdict;
	struct phone with;
} heard_rows[] = {
	{ NULL, ITL_1, NULL, true, SPAN_LIT("\2\0"), RENEWED, "accepted: tvs (asked: pub:2445)",
	  .with = { .no_tvs = false } },
	{ CUCM, ITL_1, NULL, true, SPAN_LIT("\0"), RENEWED, "accepted: tvs (asked: pub:2445)",
	  .with = { .tvs_ctl_is_new = true } },
	{ CUCM, NULL, NULL, true, SPAN_LIT("\0"), RENEWED,
	  "accepted: tvs (asked: pub:2445; " UNSEEN_ITL ")", .with = { .no_tvs = false } },
	/* It would be taken to know it, as the cluster's own. */
	{ CUCM, ITL_1, NULL, false, SPAN_LIT(""), NULL, "refused: signer-unknown (asked: pub:2445)",
	  .with = { .no_tvs = false } },
	{ CUCM, ITL_1, NULL, false, SPAN_LIT("\0"), RENEWED,
	  "refused: signer-unknown (asked: pub:2445)", .with = { .no_tvs = false } },
	{ CUCM, ITL_1, NULL, true, SPAN_LIT("\2\3"), RENEWED,
	  "refused: signer-unknown (asked: pub:2445)", .with = { .no_tvs = false } },
	/* Another certificate of these names, or none to verify with. */
	{ CUCM, ITL_1, NULL, true, SPAN_LIT("\0"), PUB, "refused: bad-signature (asked: pub:2445)",
	  .with = { .no_tvs = false } },
	{ CUCM, ITL_1, NULL, true, SPAN_LIT("\0"), NULL, "refused: bad-signature (asked: pub:2445)",
	  .with = { .no_tvs = false } },
	/* Phones do not believe it, or ask none. */
	{ CUCM, ITL_1, PUB, true, SPAN_LIT("\0"), RENEWED,
	  "refused: signer-unknown (asked: pub:2445)", .with = { .no_tvs = false } },
	{ CUCM, ITL_1, NULL, true, SPAN_LIT("\0"), RENEWED, "refused: signer-unknown",
	  .with = { .no_tvs = true } },
	{ CUCM, ITL_1, NULL, true, SPAN_LIT("\0"), RENEWED, "refused: signer-unknown",
	  .with = { .blank_itl = true } },
};

static void add_record(struct certset *set, const char *list, enum tlv_role role)
{
	struct given_list l = given_list(list);

	for (size_t i = 0; i < l.list.nrecords; i++) {
		struct tlv_record r = tlv_list_record(&l.list, i);

		if (r.role == role)
			assert_int_equal(certset_add(set, r.certificate, NULL, NULL), ST_OK);
	}
	given_list_free(&l);
}

static void a_tvs_that_was_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(heard_rows); i++) {
		const struct heard_row *h = &heard_rows[i];
		struct tvs_reply reply = { .known = h->known, .roles = h->roles };
		struct certset now = CERTSET_INIT;
		struct cert known = CERT_INIT, presented = CERT_INIT;
		struct tvs_heard heard = { .host = "pub:2445", .reply = &reply };
		struct row row = { .ctl = h->ctl,
				   .itl = h->itl,
				   .new_list = CUCM_2048,
				   .verdict = h->verdict,
				   .with = h->with };

		if (h->certificate != NULL)
			known = given_cert(h->certificate);
		if (h->presents != NULL) {
			presented = given_cert(h->presents);
			assert_int_equal(certset_add(&now, buf_span(&presented.der), NULL, NULL),
					 ST_OK);
		} else {
			add_record(&now, ITL_1, TLV_ROLE_TVS);
		}
		heard.certificate = buf_span(&known.der);
		row.with.heard = &heard;
		row.with.tvs_now = &now;
		judge(&row, SPAN_NONE, row.verdict);
		certset_free(&now);
		cert_free(&known);
		cert_free(&presented);
	}
}

#define ONE_GROUP "assumes the phone's group has pub"

/* Two TVS, in both orders: whose answer decides. */
static const struct pair_row {
	const char *itl;
	bool first, second; /* whether they know the signer */
	bool believed;	    /* the second one, by a phone with an ITL */
	const char *verdict, *assumes;
	int decides; /* 0: the first one, 1: the second, -1: whichever comes first */
} pair_rows[] = {
	{ NULL, true, true, true, "accepted: tvs", "; " UNSEEN_ITL, -1 },
	{ NULL, true, false, true, "refused: signer-unknown", "", 1 },
	{ NULL, false, false, true, "refused: signer-unknown", "", -1 },
	{ ITL_1, true, true, false, "accepted: tvs", "; " ONE_GROUP, 0 },
	{ ITL_1, true, false, false, "accepted: tvs", "; " ONE_GROUP, 0 },
	{ ITL_1, false, true, false, "refused: signer-unknown", "", 0 },
};

static void judge_pair(const struct pair_row *row, bool turned, const struct certset *now,
		       struct span known)
{
	static const struct tvs_reply no = { .known = false },
				      yes = { .known = true, .roles = SPAN_LIT("\0") };
	struct given_list held[2] = { given_list(CUCM), { .list = { .nrecords = 0 } } };
	struct given_list new_list = given_list(CUCM_2048);
	struct tvs_heard one = { .host = "pub:1", .reply = row->first ? &yes : &no },
			 two = { .host = "sub:2", .reply = row->second ? &yes : &no };
	struct phone p = { .ctl = &held[0].list, .tvs_now = now };
	struct buf text = BUF_INIT;
	struct acceptance a;
	char verdict[256];

	if (row->itl != NULL)
		held[1] = given_list(row->itl);
	p.itl = row->itl != NULL ? &held[1].list : NULL;
	one.certificate = two.certificate = known;
	one.presented = buf_span(&now->v[0].cert.der);
	two.presented = buf_span(&now->v[row->believed ? 0 : 1].cert.der);
	*(turned ? &two.next : &one.next) = turned ? &one : &two;
	p.heard = turned ? &two : &one;
	a = accept_decide(&p, &new_list.list);
	buf_str(&text, accept_row(a.reason)->accepted ? "accepted: " : "refused: ");
	accept_reason_text(&a, &text);
	(void)snprintf(verdict, sizeof verdict, "%s (asked: %s%s)", row->verdict,
		       turned ? "sub:2, pub:1" : "pub:1, sub:2", row->assumes);
	assert_string_equal(buf_cstr(&text), verdict);
	assert_ptr_equal(a.answers, p.heard);
	assert_ptr_equal(a.heard, row->decides < 0 ? p.heard : row->decides == 0 ? &one : &two);
	assert_false(a.tvs.others);
	buf_free(&text);
	given_list_free(&held[0]);
	given_list_free(&held[1]);
	given_list_free(&new_list);
}

static void two_tvs_that_were_asked(void **state)
{
	struct cert known = given_cert(RENEWED), stranger = given_cert(PUB);
	struct certset now = CERTSET_INIT;

	(void)state;
	add_record(&now, ITL_1, TLV_ROLE_TVS);
	assert_int_equal(certset_add(&now, buf_span(&stranger.der), NULL, NULL), ST_OK);
	assert_int_equal(now.n, 2);
	for (size_t i = 0; i < COUNT(pair_rows); i++)
		for (int turned = 0; turned < 2; turned++)
			judge_pair(&pair_rows[i], turned == 1, &now, buf_span(&known.der));
	certset_free(&now);
	cert_free(&known);
	cert_free(&stranger);
}

/* The verdicts for which TVS is asked, and those that are there without it. */
static void what_hangs_on_tvs(void **state)
{
	static const struct {
		struct row row;
		bool hangs;
	} cases[] = {
		{ { CUCM, NULL, CUCM_2048, NULL, NULL, { .no_lists = false } }, true },
		{ { CUCM, ITL_1, CUCM_2048, NULL, NULL, { .no_lists = false } }, true },
		{ { TOKENS, NULL, CUCM, NULL, NULL, { .no_lists = false } }, true },
		{ { NULL, ITL_1, ITL_2, NULL, NULL, { .no_lists = false } }, true },
		{ { CUCM, NULL, CUCM_2048, NULL, NULL, { .no_tvs = true } }, false },
		{ { CUCM, NULL, CUCM_2048, NULL, NULL, { .blank_itl = true } }, false },
		{ { CUCM, NULL, CUCM_2048, NULL, NULL, { .no_lists = true } }, false },
		{ { CUCM, NULL, CUCM, NULL, NULL, { .no_lists = false } }, false },
		{ { CUCM, NULL, CUCM_2048, NULL, NULL, { .asked = "ITLFile.tlv" } }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct given_list held[2] = { { .list = { .nrecords = 0 } } };
		struct given_list new_list = given_list(cases[i].row.new_list);
		struct tvs_reply no = { .known = false };
		struct tvs_heard heard = { .host = "pub:2445", .reply = &no };
		struct acceptance a;
		struct phone p;

		a = decide(&cases[i].row, &p, held, &new_list, SPAN_NONE);
		assert_int_equal(a.hangs_on_tvs, cases[i].hangs);
		assert_null(a.answers);
		p.heard = &heard;
		a = accept_decide(&p, &new_list.list);
		assert_ptr_equal(a.answers, cases[i].hangs ? &heard : NULL);
		assert_ptr_equal(a.heard, cases[i].hangs ? &heard : NULL);
		given_list_free(&held[0]);
		given_list_free(&held[1]);
		given_list_free(&new_list);
	}
}

/* An ITL signed by a TFTP certificate, which TVS knows for certain, or is assumed to know. */
static void tvs_beside_a_tftp_certificate(void **state)
{
	struct given_list held = given_list(ITL_1), new_list = given_list(ITL_1);
	struct certset vouched = CERTSET_INIT;
	struct phone p = { .itl = &held.list, .no_tvs = true };
	struct acceptance a;

	(void)state;
	set_role(&held, 0, TLV_ROLE_CCM_TFTP);
	a = accept_decide(&p, &new_list.list);
	assert_int_equal(a.reason, ACCEPT_SIGNER_IS_TFTP);
	assert_int_equal(a.assumptions, 1U << TVS_ASSUMES_TFTP);
	assert_false(a.tvs_too);
	p.no_tvs = false;
	a = accept_decide(&p, &new_list.list);
	assert_int_equal(a.reason, ACCEPT_SIGNER_IS_TFTP);
	assert_int_equal(a.assumptions, 1U << TVS_ASSUMES_TFTP);
	assert_true(a.tvs_too);
	/* The held records have another key than their certificate: TVS knows the right one. */
	flip(&held, tlv_list_record(&held.list, 0).public_key);
	flip(&held, tlv_list_record(&held.list, 1).public_key);
	a = accept_decide(&p, &new_list.list);
	assert_int_equal(a.reason, ACCEPT_TVS);
	assert_true((a.assumptions & 1U << TVS_ASSUMES_OWN) != 0);
	flip(&held, tlv_list_record(&held.list, 0).public_key);
	flip(&held, tlv_list_record(&held.list, 1).public_key);
	p.vouched = &vouched;
	assert_int_equal(
		certset_add(&vouched, tlv_list_record(&held.list, 0).certificate, NULL, NULL),
		ST_OK);
	a = accept_decide(&p, &new_list.list);
	assert_int_equal(a.reason, ACCEPT_TVS);
	assert_int_equal(a.assumptions, 0);
	/* Neither takes a list that another key signs. */
	a = accept_foresee(&p, &new_list.list, tlv_list_record(&held.list, 2).public_key);
	assert_int_equal(a.reason, ACCEPT_BAD_SIGNATURE);
	assert_false(a.tvs_too);
	certset_free(&vouched);
	given_list_free(&held);
	given_list_free(&new_list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tvs_that_was_asked),
		cmocka_unit_test(two_tvs_that_were_asked),
		cmocka_unit_test(what_hangs_on_tvs),
		cmocka_unit_test(tvs_beside_a_tftp_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
