/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Records from certificates: their names, the signer's own record, and what is refused.
 */
#include "signer/list/compose.h"
#include "tests/signer/given.h"

#define PUB_IP ",address=10.48.47.153"

static const struct tok_options no_token = { .uri = NULL };

static const struct compose_options cucm = { .dialect = { TLV_STYLE_CUCM, ',' },
					     .missing = ST_USAGE };

static void add(struct entries *es, uint16_t role, const char *arg)
{
	assert_int_equal(entries_add_option(es, role, arg, "record", &no_token, NULL), ST_OK);
}

/* The records of a genuine list come from its certificates, byte for byte. */
static void a_known_list(void **state)
{
	static const struct {
		uint16_t role;
		const char *arg;
	} rows[] = {
		{ TLV_ROLE_CCM_TFTP, PUB PUB_IP },
		{ TLV_ROLE_CAPF, CAPF PUB_IP },
		{ TLV_ROLE_CCM_TFTP, SUB ",address=10.48.47.154" },
	};
	struct given_list g = given_list("lists/cucm.tlv");
	struct entries es = ENTRIES_INIT;
	struct cert signer = given_cert(PUB);
	struct buf out = BUF_INIT;
	size_t signer_at = 99, first = g.list.record_at[0];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		add(&es, rows[i].role, rows[i].arg);
	assert_int_equal(compose(&out, &es, &signer, &cucm, &signer_at, NULL), ST_OK);
	assert_int_equal(signer_at, 0);
	assert_int_equal(es.n, 4); /* the signer's record was added in front */
	assert_true(
		span_eq(buf_span(&out), span_slice(g.list.bytes, first, g.list.bytes.n - first)));
	/* An anchor that is there is not added again, wherever it stands. */
	buf_free(&out);
	assert_int_equal(compose(&out, &es, &signer, &cucm, &signer_at, NULL), ST_OK);
	assert_int_equal(es.n, 4);
	buf_free(&out);
	entries_free(&es);
	cert_free(&signer);
	given_list_free(&g);
}

/* What is kept of a list keeps its bytes, whatever the style of the rest. */
static void kept_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_LISTS; i++) {
		struct given_list g = given_list(test_lists[i]);
		struct entries es = ENTRIES_INIT;
		struct tlv_record r = tlv_list_record(&g.list, 0);
		struct cert signer = CERT_INIT;
		struct buf out = BUF_INIT;
		size_t signer_at, first = g.list.record_at[0];

		assert_int_equal(cert_from_der(&signer, r.certificate, NULL), ST_OK);
		assert_int_equal(entries_keep(&es, &g.list, NULL), ST_OK);
		assert_int_equal(es.n, g.list.nrecords);
		assert_int_equal(compose(&out, &es, &signer, &cucm, &signer_at, NULL), ST_OK);
		assert_true(span_eq(buf_span(&out),
				    span_slice(g.list.bytes, first, g.list.bytes.n - first)));
		buf_free(&out);
		entries_free(&es);
		cert_free(&signer);
		given_list_free(&g);
	}
}

/* Where a name comes from if none is given. */
static void default_names(void **state)
{
	static const struct {
		uint16_t role;
		const char *arg, *beside; /* beside: a CCM+TFTP record of the same list */
		const char *name;	  /* NULL: none, which cucm refuses */
	} rows[] = {
		{ TLV_ROLE_CCM_TFTP, SUB, PUB, "cucm-1051-a-sub1" },
		{ TLV_ROLE_CCM_TFTP, SUB ",name=given", PUB, "given" },
		{ TLV_ROLE_CAPF, CAPF PUB_IP, PUB PUB_IP, "cucm-1051-a-pub" },
		{ TLV_ROLE_CAPF, CAPF PUB_IP, PUB ",name=given" PUB_IP, "given" },
		{ TLV_ROLE_CAPF, CAPF PUB_IP, PUB ",address=10.0.0.1", NULL },
		{ TLV_ROLE_CAPF, CAPF, PUB, NULL },
		{ TLV_ROLE_SAST, SUB, SUB, "cucm-1051-a-sub1" }, /* the same certificate */
		{ TLV_ROLE_SAST, SUB, PUB, NULL },
	};
	struct cert signer = given_cert(PUB);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct entries es = ENTRIES_INIT;
		struct tlv_err e = TLV_ERR_INIT;
		struct buf out = BUF_INIT;
		size_t at;

		add(&es, TLV_ROLE_SAST, PUB ",name=signer");
		add(&es, TLV_ROLE_CCM_TFTP, rows[i].beside);
		add(&es, rows[i].role, rows[i].arg);
		assert_int_equal(compose(&out, &es, &signer, &cucm, &at, &e),
				 rows[i].name != NULL ? ST_OK : ST_USAGE);
		if (rows[i].name != NULL)
			assert_string_equal(es.v[2].name, rows[i].name);
		else
			assert_says(err_text(&e), "--record " TEST_DATA_DIR);
		buf_free(&out);
		entries_free(&es);
	}
	cert_free(&signer);
}

static void settings_of_an_option(void **state)
{
	static const struct {
		const char *text, *rest, *name;
		bool address, ok;
	} rows[] = {
		{ "c.pem", "c.pem", NULL, false, true },
		{ "c.pem,name=a", "c.pem", "a", false, true },
		{ "c.pem,name=a,b", "c.pem", "a,b", false, true },
		{ "c.pem,address=1.2.3.4,name=a", "c.pem", "a", true, true },
		{ "c.pem,name=a,address=1.2.3.4", "c.pem", "a", true, true },
		{ "a,b.pem,name=a", "a,b.pem", "a", false, true },
		{ "c.pem,name=", NULL, NULL, false, false },
		{ "c.pem,name=a,name=b", NULL, NULL, false, false },
		{ "c.pem,address=1.2.3", NULL, NULL, false, false },
		{ "c.pem,address=1.2.3.4,address=1.2.3.4", NULL, NULL, false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct entries es = ENTRIES_INIT;
		struct entry *x = entries_insert(&es, 0);
		struct tlv_err e = TLV_ERR_INIT;
		char text[64];

		(void)snprintf(text, sizeof text, "%s", rows[i].text);
		assert_int_equal(entry_settings(x, text, "capf", &e),
				 rows[i].ok ? ST_OK : ST_USAGE);
		if (rows[i].ok) {
			assert_string_equal(text, rows[i].rest);
			assert_int_equal(x->has_address, rows[i].address);
			assert_int_equal(x->name != NULL, rows[i].name != NULL);
			if (rows[i].name != NULL)
				assert_string_equal(x->name, rows[i].name);
		} else {
			assert_says(err_text(&e), "option '--capf'");
		}
		entries_free(&es);
	}
}

/* Non-secure mode empties the nodes' records; nothing else goes without a certificate. */
static void records_without_certificate(void **state)
{
	static const struct {
		uint16_t role;
		bool non_secure, ok;
	} rows[] = {
		{ TLV_ROLE_CCM_TFTP, true, true },
		{ TLV_ROLE_CCM_TFTP, false, false },
		{ TLV_ROLE_CAPF, true, false },
		{ TLV_ROLE_TFTP, true, false },
	};
	struct cert signer = given_cert(PUB);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct compose_options opt = cucm;
		struct entries es = ENTRIES_INIT;
		struct tlv_err e = TLV_ERR_INIT;
		struct buf out = BUF_INIT;
		struct entry *x;
		size_t at;

		opt.non_secure = rows[i].non_secure;
		opt.missing = ST_NO;
		add(&es, TLV_ROLE_SAST, PUB ",name=signer");
		x = entries_insert(&es, es.n);
		x->role = rows[i].role;
		x->name = strdup("node");
		x->origin = strdup("cluster.yaml:7");
		assert_int_equal(compose(&out, &es, &signer, &opt, &at, &e),
				 rows[i].ok ? ST_OK : ST_NO);
		if (!rows[i].ok)
			assert_says(err_text(&e), "cluster.yaml:7: no certificate");
		buf_free(&out);
		entries_free(&es);
	}
	cert_free(&signer);
}

static void tvs_belongs_in_an_itl(void **state)
{
	static const struct {
		uint16_t role;
		const char *filename;
		enum status status;
	} rows[] = {
		{ TLV_ROLE_TVS, "ITLFile.tlv", ST_OK },
		{ TLV_ROLE_TVS, "CTLFile.tlv", ST_NO },
		{ TLV_ROLE_CAPF, "CTLFile.tlv", ST_OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct entries es = ENTRIES_INIT;

		add(&es, TLV_ROLE_SAST, PUB);
		add(&es, rows[i].role, CAPF);
		assert_int_equal(entries_check_kind(&es, rows[i].filename, NULL), rows[i].status);
		entries_free(&es);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_list),
		cmocka_unit_test(kept_records),
		cmocka_unit_test(default_names),
		cmocka_unit_test(settings_of_an_option),
		cmocka_unit_test(records_without_certificate),
		cmocka_unit_test(tvs_belongs_in_an_itl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
