/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The lists of one stage: which rules hold, who signs, and what stands in the records.
 */
#include "searching.h"

#include "signer/plan/forecast/placeholder.h"
#include "signer/plan/forecast/stage.h"
#include "tlv/kind.h"

enum { TIME = 1426000000 }; /* of the lists that are given */

static void read(const char *release, enum made_mode mode, size_t nnodes, size_t nitls)
{
	struct tlv_err e = TLV_ERR_INIT;

	make_lists(&m, release, mode, nnodes, nitls);
	if (cluster_read(&c, m.given, m.n, &m.release, &e) != ST_OK)
		fail_msg("%s: %s", release, err_text(&e));
}

static void renew(struct cluster_state *now, const char *what)
{
	struct tlv_err e = TLV_ERR_INIT;

	assert_int_equal(cluster_ask(&c, what, &e), ST_OK);
	for (size_t i = 0; i < c.ncerts; i++)
		if (c.certs[i].asked)
			cluster_renew(now, i);
}

static void finish(struct stage_list *l)
{
	stage_list_free(l);
	cluster_free(&c);
	free_lists(&m);
}

/* The index of the made certificate among the cluster's. */
static size_t known(const struct made_cert *x)
{
	size_t at = cluster_find_cert(&c, buf_span(&x->der));

	assert_true(at < c.ncerts);
	return at;
}

static struct tlv_record record_of(const struct tlv_list *l, uint16_t role, size_t nth)
{
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (r.role == role && nth-- == 0)
			return r;
	}
	fail_msg("no such record");
	return tlv_list_record(l, 0);
}

static void signed_by(const struct stage_list *l, const struct made_cert *x, size_t index)
{
	const struct tlv_record signer = tlv_list_record(l->list, (size_t)tlv_list_signer(l->list));

	assert_true(span_eq(signer.certificate, buf_span(&x->der)));
	assert_int_equal(signer.role, TLV_ROLE_SAST);
	assert_true(span_eq(l->key, x->parts.public_key));
	assert_int_equal(l->signer, index);
}

static void which_rules_hold(void **state)
{
	static const struct {
		const char *release;
		enum made_mode mode;
		enum plan_kind kind;
		enum stage_writes lists[4]; /* CTL and ITL of each stage; the second may be none */
	} cases[] = {
		{ "11.5", NOT_MIXED, PLAN_KIND_CALLMANAGER, { STAGE_ORDINARY, STAGE_ORDINARY } },
		{ "14", TOKENLESS, PLAN_KIND_CALLMANAGER, { STAGE_ORDINARY, STAGE_ORDINARY } },
		{ "14", TOKENLESS, PLAN_KIND_ECDSA, { STAGE_ORDINARY, STAGE_ORDINARY } },
		{ "14", TOKENLESS, PLAN_KIND_TVS, { STAGE_KEPT, STAGE_ORDINARY } },
		{ "14", TOKENLESS, PLAN_KIND_CAPF, { STAGE_ORDINARY, STAGE_ORDINARY } },
		{ "14",
		  NOT_MIXED,
		  PLAN_KIND_ITLRECOVERY,
		  { STAGE_KEPT, STAGE_CALLMANAGER, STAGE_KEPT, STAGE_ORDINARY } },
		{ "14",
		  TOKENLESS,
		  PLAN_KIND_ITLRECOVERY,
		  { STAGE_CALLMANAGER, STAGE_KEPT, STAGE_ORDINARY, STAGE_ORDINARY } },
		{ "12.0", TOKENS, PLAN_KIND_ITLRECOVERY, { STAGE_ORDINARY, STAGE_ORDINARY } },
		{ "11.5", NOT_MIXED, PLAN_KIND_ITLRECOVERY, { STAGE_ORDINARY, STAGE_ORDINARY } },
		{ "11.5", TOKENLESS, PLAN_KIND_ITLRECOVERY, { STAGE_ORDINARY, STAGE_ORDINARY } },
		{ "11.5", TOKENS, PLAN_KIND_ITLRECOVERY, { STAGE_ORDINARY, STAGE_ORDINARY } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct stage_rule *rules[STAGES_MAX];
		size_t n;

		read(cases[i].release, cases[i].mode, 2, 1);
		n = stage_rules(&c, cases[i].kind, rules);
		assert_int_equal(n, cases[i].lists[3] != STAGE_KEPT ? 2 : 1);
		for (size_t k = 0; k < n; k++) {
			assert_int_equal(rules[k]->kind, cases[i].kind);
			assert_int_equal(rules[k]->ctl, cases[i].lists[2 * k]);
			assert_int_equal(rules[k]->itl, cases[i].lists[2 * k + 1]);
		}
		cluster_free(&c);
		free_lists(&m);
	}
}

/* 'utils itl reset localkey' comes first, where it is asked for. */
static void a_reset_comes_first(void **state)
{
	const struct stage_rule *rules[STAGES_MAX];

	(void)state;
	read("11.5", NOT_MIXED, 2, 1);
	c.resets = true;
	assert_int_equal(stage_rules(&c, PLAN_KIND_CALLMANAGER, rules), 2);
	assert_int_equal(rules[0]->itl, STAGE_ITLRECOVERY);
	assert_int_equal(rules[1]->itl, STAGE_ORDINARY);
	assert_int_equal(stage_rules(&c, PLAN_KIND_CAPF, rules), 1);
	cluster_free(&c);
	free_lists(&m);
}

static void what_a_list_shows(void **state)
{
	struct cluster_state none = { .blank = false }, now = none;
	struct made_cert strange = { .der = BUF_INIT };
	struct buf records = BUF_INIT;

	(void)state;
	read("12.5", TOKENLESS, 2, 1);
	renew(&now, "tvs@sub1");
	assert_false(stage_shows(&c, m.given[1], &none));
	assert_true(stage_shows(&c, m.given[1], &now));
	assert_false(stage_shows(&c, m.given[0], &now)); /* a CTL has no TVS */
	assert_false(stage_shows(&c, NULL, &now));
	assert_true(stage_has_kind(&c, m.given[1], PLAN_KIND_TVS));
	assert_false(stage_has_kind(&c, m.given[0], PLAN_KIND_TVS));
	assert_false(stage_has_kind(&c, m.given[0], PLAN_KIND_TOKEN));
	assert_false(stage_has_kind(&c, NULL, PLAN_KIND_TVS));
	/* What another cluster's list has is not known here. */
	m.serial += 1000;
	make_cert(&m, &strange, "pub", "pub");
	put_made_record(&records, TLV_ROLE_SAST, &strange, 0);
	finish_list(&m, "ITLFile.tlv", &strange, buf_span(&records));
	assert_false(stage_shows(&c, m.given[2], &now));
	assert_false(stage_has_kind(&c, m.given[2], PLAN_KIND_CALLMANAGER));
	buf_free(&records);
	buf_free(&strange.der);
	cluster_free(&c);
	free_lists(&m);
}

static void who_signs_a_ctl(void **state)
{
	static const struct {
		const char *release;
		enum made_mode mode;
		enum stage_writes how;
		char signer; /* r: ITLRecovery, c: CallManager, t: a token */
	} cases[] = {
		{ "12.5", TOKENLESS, STAGE_ORDINARY, 'r' },
		{ "12.5", TOKENLESS, STAGE_CALLMANAGER, 'c' },
		{ "12.5", TOKENLESS, STAGE_ITLRECOVERY, 'r' },
		{ "11.5", TOKENLESS, STAGE_ORDINARY, 'c' },
		{ "11.5", TOKENLESS, STAGE_ITLRECOVERY, 'r' },
		{ "11.5", TOKENS, STAGE_ORDINARY, 't' },
		{ "12.0", TOKENS, STAGE_CALLMANAGER, 'c' },
		{ "9.1(2)", TOKENS, STAGE_ORDINARY, 't' },
	};
	const struct cluster_state now = { .blank = false };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct stage_list l;

		read(cases[i].release, cases[i].mode, 2, 1);
		assert_int_equal(stage_write_ctl(&l, &c, &now, cases[i].how, 7, &e), ST_OK);
		if (cases[i].signer == 't')
			signed_by(&l, &m.token[0], CLUSTER_CERTS_MAX);
		else if (cases[i].signer == 'r')
			signed_by(&l, &m.recovery, known(&m.recovery));
		else
			signed_by(&l, &m.callmanager[0], known(&m.callmanager[0]));
		assert_int_equal(l.list->header.timestamp, TIME + 7);
		assert_int_equal(l.list->header.signature.n, 256);
		assert_int_equal(l.list->nrecords, m.given[0]->nrecords);
		for (size_t k = 0; k < l.list->nrecords; k++)
			assert_true(span_eq(tlv_list_record(l.list, k).raw,
					    tlv_list_record(m.given[0], k).raw));
		finish(&l);
	}
}

static void nobody_can_sign(void **state)
{
	const struct cluster_state now = { .blank = false };
	struct tlv_err e = TLV_ERR_INIT;
	struct stage_list l;

	(void)state;
	read("12.0", TOKENS, 2, 1);
	assert_int_equal(release_parse("14SU3", &m.release, &e), ST_OK);
	assert_int_equal(stage_write_ctl(&l, &c, &now, STAGE_ORDINARY, 1, &e), ST_USAGE);
	assert_non_null(strstr(err_text(&e), "takes no tokens"));
	stage_list_free(&l);
	e = TLV_ERR_INIT;
	assert_int_equal(release_parse("9.1(2)", &m.release, &e), ST_OK);
	c.tokens = false;
	assert_int_equal(stage_write_ctl(&l, &c, &now, STAGE_ORDINARY, 1, &e), ST_USAGE);
	assert_non_null(strstr(err_text(&e), "no CTL without tokens"));
	stage_list_free(&l);
	e = TLV_ERR_INIT;
	c.nodes[c.publisher].callmanager = CLUSTER_CERTS_MAX;
	assert_int_equal(stage_write_ctl(&l, &c, &now, STAGE_CALLMANAGER, 1, &e), ST_USAGE);
	assert_non_null(strstr(err_text(&e), "no CallManager certificate"));
	finish(&l);
}

/* A renewed one is in the place of the old one, under its name and address. */
static void what_is_renewed_stands_in_the_record(void **state)
{
	struct cluster_state now = { .blank = false };
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_record r, old;
	struct stage_list l;

	(void)state;
	read("12.5", TOKENLESS, 2, 1);
	renew(&now, "callmanager@sub1");
	assert_int_equal(stage_write_ctl(&l, &c, &now, STAGE_ORDINARY, 1, &e), ST_OK);
	r = record_of(l.list, TLV_ROLE_CCM_TFTP, 1);
	old = record_of(m.given[0], TLV_ROLE_CCM_TFTP, 1);
	assert_true(span_eq(r.certificate, buf_span(&c.certs[known(&m.callmanager[1])].successor)));
	assert_true(span_eq(r.dns_name, old.dns_name) && span_eq(r.address, old.address));
	assert_true(span_eq(record_of(l.list, TLV_ROLE_CCM_TFTP, 0).raw,
			    record_of(m.given[0], TLV_ROLE_CCM_TFTP, 0).raw));
	finish(&l);
}

/* The ITL of a node that has none here is made of another's. */
static void an_itl_of_another_node(void **state)
{
	struct cluster_state now = { .blank = false };
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_record r;
	struct stage_list l;

	(void)state;
	read("11.5", TOKENLESS, 3, 1);
	assert_int_equal(stage_write_itl(&l, &c, &now, 1, STAGE_ORDINARY, 2, &e), ST_OK);
	signed_by(&l, &m.callmanager[1], known(&m.callmanager[1]));
	for (int i = 0; i < 2; i++) {
		r = record_of(l.list, i == 0 ? TLV_ROLE_SAST : TLV_ROLE_CCM_TFTP, 0);
		assert_true(span_eq(r.certificate, buf_span(&m.callmanager[1].der)));
		assert_true(span_eq(tlv_text(r.dns_name), SPAN_LIT("sub1")));
		assert_true(span_eq(r.address, SPAN_LIT("\x0a\x00\x00\x02")));
	}
	for (size_t i = 0; i < 3; i++)
		assert_true(span_eq(record_of(l.list, TLV_ROLE_TVS, i).raw,
				    record_of(m.given[1], TLV_ROLE_TVS, i).raw));
	assert_int_equal(l.list->nrecords, m.given[1]->nrecords);
	stage_list_free(&l);
	/* With a certificate that is renewed on the pattern's node, and one on its own. */
	renew(&now, "callmanager@pub");
	renew(&now, "callmanager@sub1");
	assert_int_equal(stage_write_itl(&l, &c, &now, 1, STAGE_ORDINARY, 2, &e), ST_OK);
	r = record_of(l.list, TLV_ROLE_CCM_TFTP, 0);
	assert_true(span_eq(r.certificate, buf_span(&c.certs[known(&m.callmanager[1])].successor)));
	stage_list_free(&l);
	assert_int_equal(stage_write_itl(&l, &c, &now, 0, STAGE_ITLRECOVERY, 2, &e), ST_OK);
	signed_by(&l, &m.recovery, known(&m.recovery));
	finish(&l);
}

/* pub's ITL with one record more, in the place of the one that was made. */
static void put_itl(const struct made_cert *callmanager, uint16_t role,
		    const struct made_cert *more, size_t node)
{
	struct buf b = BUF_INIT;

	put_made_record(&b, TLV_ROLE_SAST, callmanager, 0);
	put_made_record(&b, TLV_ROLE_SAST, &m.recovery, 0);
	put_made_record(&b, TLV_ROLE_CCM_TFTP, callmanager, 0);
	for (size_t i = 0; i < m.nnodes; i++)
		put_made_record(&b, TLV_ROLE_TVS, &m.tvs[i], i);
	put_made_record(&b, TLV_ROLE_CAPF, &m.capf, 0);
	put_made_record(&b, role, more, node);
	finish_list(&m, "ITLFile.tlv", callmanager, buf_span(&b));
	buf_free(&b);
	m.given[1] = m.given[--m.n];
}

/* Only what is the pattern's own node's goes, not every CallManager that it names. */
static void a_record_of_a_third_node_stays(void **state)
{
	const struct cluster_state now = { .blank = false };
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_list *spare;
	struct stage_list l;

	(void)state;
	make_lists(&m, "11.5", TOKENLESS, 3, 1);
	put_itl(&m.callmanager[0], TLV_ROLE_SAST, &m.callmanager[2], 2);
	spare = &m.lists[m.n++]; /* to be freed with the others */
	assert_int_equal(cluster_read(&c, m.given, 2, &m.release, &e), ST_OK);
	assert_int_equal(stage_write_itl(&l, &c, &now, 1, STAGE_ORDINARY, 1, &e), ST_OK);
	assert_true(span_eq(record_of(l.list, TLV_ROLE_SAST, 2).raw,
			    record_of(spare, TLV_ROLE_SAST, 2).raw));
	assert_true(span_eq(record_of(l.list, TLV_ROLE_SAST, 0).certificate,
			    buf_span(&m.callmanager[1].der)));
	finish(&l);
}

/* The CTL is later, and has another CallManager of the pattern's node than its ITL. */
static void a_superseded_certificate_goes_too(void **state)
{
	struct made_cert old = { .der = BUF_INIT };
	struct tlv_err e = TLV_ERR_INIT;
	struct cluster_state now;
	struct stage_list l;

	(void)state;
	make_lists(&m, "11.5", TOKENLESS, 2, 1);
	make_cert(&m, &old, "pub", "pub");
	put_itl(&old, TLV_ROLE_CAPF, &m.capf, 0);
	m.n++;
	m.lists[0].header.timestamp++;
	if (cluster_read_drifted(&c, m.given, 2, &m.release, &now, &e) != ST_OK)
		fail_msg("%s", err_text(&e));
	assert_int_equal(c.nodes[0].callmanager, known(&m.callmanager[0]));
	assert_true(known(&old) != c.nodes[0].callmanager);
	assert_int_equal(stage_write_itl(&l, &c, &now, 1, STAGE_ORDINARY, 1, &e), ST_OK);
	for (int i = 0; i < 2; i++)
		assert_true(span_eq(record_of(l.list, i == 0 ? TLV_ROLE_SAST : TLV_ROLE_CCM_TFTP, 0)
					    .certificate,
				    buf_span(&m.callmanager[1].der)));
	finish(&l);
	buf_free(&old.der);
}

/* It is another node's in name, and the pattern's own node has it, too. */
static void a_certificate_of_all_nodes_goes_too(void **state)
{
	const struct cluster_state now = { .blank = false };
	struct tlv_err e = TLV_ERR_INIT;
	struct stage_list l;

	(void)state;
	read("11.5", TOKENLESS, 3, 1);
	c.certs[known(&m.callmanager[0])].node = 1;
	assert_int_equal(stage_write_itl(&l, &c, &now, 2, STAGE_ORDINARY, 1, &e), ST_OK);
	for (int i = 0; i < 2; i++)
		assert_true(span_eq(record_of(l.list, i == 0 ? TLV_ROLE_SAST : TLV_ROLE_CCM_TFTP, 0)
					    .certificate,
				    buf_span(&m.callmanager[2].der)));
	finish(&l);
}

static void a_blank_itl(void **state)
{
	struct cluster_state now = { .blank = true };
	struct tlv_err e = TLV_ERR_INIT;
	struct stage_list l;

	(void)state;
	read("12.5", NOT_MIXED, 2, 2);
	assert_false(stage_is_blank(m.given[0]));
	assert_int_equal(stage_write_itl(&l, &c, &now, 0, STAGE_ORDINARY, 1, &e), ST_OK);
	assert_true(stage_is_blank(l.list));
	assert_int_equal(l.list->nrecords, m.given[0]->nrecords - 3); /* CCM+TFTP and two TVS */
	finish(&l);
	read("12.5", TOKENLESS, 2, 1);
	assert_false(stage_is_blank(m.given[0]));
	cluster_free(&c);
	free_lists(&m);
}

/* A CTL without a server is no blank ITL. */
static void a_ctl_is_not_blank(void **state)
{
	struct buf records = BUF_INIT;

	(void)state;
	make_lists(&m, "12.5", NOT_MIXED, 1, 1);
	put_made_record(&records, TLV_ROLE_SAST, &m.recovery, 0);
	finish_list(&m, "CTLFile.tlv", &m.recovery, buf_span(&records));
	assert_false(stage_is_blank(m.given[1]));
	finish_list(&m, "ITLFile.tlv", &m.recovery, buf_span(&records));
	assert_true(stage_is_blank(m.given[2]));
	buf_free(&records);
	free_lists(&m);
}

static void one_anchor_more(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_record r;
	struct stage_list l;

	(void)state;
	read("11.5", TOKENLESS, 2, 1);
	assert_int_equal(stage_write_bridge(&l, &c, &m.token[0].parts, &e), ST_OK);
	signed_by(&l, &m.callmanager[0], known(&m.callmanager[0]));
	assert_int_equal(l.list->nrecords, m.given[0]->nrecords + 1);
	r = tlv_list_record(l.list, l.list->nrecords - 1);
	assert_int_equal(r.role, TLV_ROLE_SAST);
	assert_true(span_eq(r.certificate, buf_span(&m.token[0].der)));
	finish(&l);
}

/* The same records under another signature, with the signer's record if it is to be taken in. */
static void signed_by_another(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_record token, own;
	struct stage_list l;

	(void)state;
	read("12.0", TOKENS, 2, 1);
	token = record_of(m.given[0], TLV_ROLE_SAST, 0);
	own = record_of(m.given[1], TLV_ROLE_SAST, 0);
	for (int take_in = 0; take_in < 2; take_in++) {
		assert_int_equal(stage_sign_by(&l, m.given[0], &own, take_in == 1, 3, &e), ST_OK);
		assert_int_equal(l.list->nrecords, m.given[0]->nrecords); /* it is SAST there */
		assert_true(tlv_record_signs(&own, &l.list->header));
		assert_int_equal(l.signer, CLUSTER_CERTS_MAX);
		assert_int_equal(l.list->header.timestamp, TIME + 3);
		stage_list_free(&l);
		assert_int_equal(stage_sign_by(&l, m.given[1], &token, take_in == 1, 3, &e), ST_OK);
		assert_int_equal(l.list->nrecords, m.given[1]->nrecords + (size_t)take_in);
		assert_true(span_eq(l.key, token.public_key));
		if (take_in == 1)
			assert_true(span_eq(tlv_list_record(l.list, 0).raw, token.raw));
		stage_list_free(&l);
	}
	cluster_free(&c);
	free_lists(&m);
}

static void what_is_served_today(void **state)
{
	static const bool nodes[CLUSTER_NODES_MAX] = { true, true };
	struct tlv_err e = TLV_ERR_INIT;
	struct stage_served served;

	(void)state;
	read("12.5", TOKENLESS, 3, 1);
	assert_int_equal(stage_given(&served, &c, nodes, &e), ST_OK);
	assert_ptr_equal(served.ctl.list, m.given[0]);
	signed_by(&served.ctl, &m.recovery, known(&m.recovery));
	assert_ptr_equal(served.itl[0].list, m.given[1]);
	assert_int_equal(served.itl[0].bytes.n, 0);
	assert_true(served.itl[1].bytes.n > 0);
	assert_int_equal(served.itl[1].list->header.timestamp, TIME);
	assert_null(served.itl[2].list);
	stage_served_free(&served);
	cluster_free(&c);
	free_lists(&m);
	read("12.5", NOT_MIXED, 2, 1);
	assert_int_equal(stage_given(&served, &c, nodes, &e), ST_OK);
	assert_null(served.ctl.list);
	assert_int_equal(served.ctl.signer, CLUSTER_CERTS_MAX);
	stage_served_free(&served);
	cluster_free(&c);
	free_lists(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_rules_hold),
		cmocka_unit_test(a_reset_comes_first),
		cmocka_unit_test(what_a_list_shows),
		cmocka_unit_test(who_signs_a_ctl),
		cmocka_unit_test(nobody_can_sign),
		cmocka_unit_test(what_is_renewed_stands_in_the_record),
		cmocka_unit_test(an_itl_of_another_node),
		cmocka_unit_test(a_record_of_a_third_node_stays),
		cmocka_unit_test(a_superseded_certificate_goes_too),
		cmocka_unit_test(a_certificate_of_all_nodes_goes_too),
		cmocka_unit_test(a_blank_itl),
		cmocka_unit_test(a_ctl_is_not_blank),
		cmocka_unit_test(one_anchor_more),
		cmocka_unit_test(signed_by_another),
		cmocka_unit_test(what_is_served_today),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
