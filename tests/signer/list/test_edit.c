/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Changes to the records of a list: what each leaves, and what it refuses.
 */
#include "signer/list/edit.h"
#include "tests/signer/given.h"

enum change { ADD, REMOVE, REPLACE, SET };

static enum status apply(struct edit *x, enum change change, const char *arg, struct tlv_err *e)
{
	switch (change) {
	case ADD:
		return edit_add(x, arg, e);
	case REMOVE:
		return edit_remove(x, arg, e);
	case REPLACE:
		return edit_replace(x, arg, e);
	default:
		return edit_set(x, arg, e);
	}
}

/*
 * One letter a record: S(AST) B(oth) C(APF) other(-); '=' behind it: kept byte
 * for byte; '0': without a certificate.
 */
static const char *shape(const struct edit *x)
{
	static char text[64];
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < x->entries.n; i++) {
		const struct entry *entry = &x->entries.v[i];

		buf_str(&b, entry->role == TLV_ROLE_SAST     ? "S" :
			    entry->role == TLV_ROLE_CCM_TFTP ? "B" :
			    entry->role == TLV_ROLE_CAPF     ? "C" :
							       "-");
		if (entry->raw.n > 0)
			buf_str(&b, "=");
		else if (entry->cert.der.n == 0)
			buf_str(&b, "0");
	}
	(void)snprintf(text, sizeof text, "%s", buf_cstr(&b));
	buf_free(&b);
	return text;
}

static void each_change(void **state)
{
	static const struct {
		enum change change;
		const char *arg;
		bool all;
		enum status status;
		const char *result; /* the shape, or what the error says */
	} rows[] = {
		{ ADD, "CCM=" SUB ",name=x,address=10.0.0.1", false, ST_OK, "S=B=C=B=-" },
		{ ADD, "CAPF", false, ST_USAGE, "ROLE=CERT" },
		{ ADD, "CAP=" CAPF, false, ST_USAGE, "ROLE=CERT" },
		{ ADD, "CAPF=" CAPF ",address=10.0.0", false, ST_USAGE, "is no IP address" },
		{ ADD, "CAPF=" CLUSTER "none.pem", false, ST_INPUT, "none.pem" },
		{ REMOVE, "role=CAPF", false, ST_OK, "S=B=B=" },
		{ REMOVE, "role=CCM+TFTP", true, ST_OK, "S=C=" },
		{ REMOVE, "role=CCM+TFTP", false, ST_AMBIGUOUS, "--all" },
		{ REMOVE, "role=TVS", true, ST_NO_MATCH, "no record" },
		/* The signer's anchor stays one generation, behind the new one. */
		{ REPLACE, RENEWED, false, ST_OK, "SS=BC=B=" },
		{ REPLACE, "#2=" RENEWED, false, ST_OK, "S=BC=B=" },
		{ REPLACE, "#2," RENEWED, false, ST_USAGE, "names no certificate" },
		{ REPLACE, TOKEN_1, false, ST_NO_MATCH, "select the record" },
		{ REPLACE, PUB, false, ST_NO_MATCH, "select the record" },
		{ SET, "#4,name=other", false, ST_OK, "S=B=C=B" },
		{ SET, "#4,address=10.0.0.9,name=other", false, ST_OK, "S=B=C=B" },
		{ SET, "role=CCM+TFTP,address=10.0.0.9", true, ST_OK, "S=BC=B" },
		{ SET, "#4", false, ST_USAGE, "SELECTOR,name=NAME" },
		{ SET, "#4,name=", false, ST_USAGE, "is empty" },
		{ SET, "#4,colour=red", false, ST_USAGE, "only 'name=' and 'address='" },
	};
	struct given_list g = given_list("lists/cucm.tlv");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct edit x;

		assert_int_equal(edit_begin(&x, &g.list, &e), ST_OK);
		x.all = rows[i].all;
		assert_int_equal(apply(&x, rows[i].change, rows[i].arg, &e), rows[i].status);
		if (rows[i].status == ST_OK)
			assert_string_equal(shape(&x), rows[i].result);
		else
			assert_says(err_text(&e), rows[i].result);
		edit_free(&x);
	}
	given_list_free(&g);
}

/* Whether the old anchor stays is asked for, or decided by who signed. */
static void the_old_anchor(void **state)
{
	static const struct {
		const char *list;
		int keep;
		const char *arg, *result;
	} rows[] = {
		{ "lists/cucm.tlv", -1, "#1=" RENEWED, "SS=B=C=B=" },
		{ "lists/cucm.tlv", 1, "#1=" RENEWED, "SS=B=C=B=" },
		{ "lists/cucm.tlv", 0, "#1=" RENEWED, "SB=C=B=" },
		{ "lists/cucm.tlv", 1, "#2=" RENEWED, "S=BC=B=" }, /* no anchor */
		{ "lists/cucm.tlv", 0, RENEWED, "SBC=B=" },
		/* The first of two tokens signed. */
		{ "lists/ctl-client.tlv", -1, "#1=" RENEWED, "SS=B=C=B=S=" },
		{ "lists/ctl-client.tlv", -1, "#5=" RENEWED, "S=B=C=B=S" },
		{ "lists/ctl-client.tlv", 1, "#5=" RENEWED, "S=B=C=B=SS=" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct given_list g = given_list(rows[i].list);
		struct edit x;

		assert_int_equal(edit_begin(&x, &g.list, NULL), ST_OK);
		x.keep_old_sast = rows[i].keep;
		assert_int_equal(edit_replace(&x, rows[i].arg, NULL), ST_OK);
		assert_string_equal(shape(&x), rows[i].result);
		edit_free(&x);
		given_list_free(&g);
	}
}

/* A setting that the list's style has no place for is refused. */
static void settings_without_a_place(void **state)
{
	static const struct {
		const char *list, *arg, *says; /* says: NULL where it is taken */
	} rows[] = {
		{ "lists/ctl-client.tlv", "#2,address=10.0.0.9", NULL },
		{ "lists/ctl-client.tlv", "#2,name=x", "its address" },
		{ "lists/ctl-client.tlv", "#1,address=10.0.0.9", "is a token's" },
		{ "lists/rfc4514.tlv", "#2,name=x", "neither names nor addresses" },
		{ "lists/rfc4514.tlv", "#2,address=10.0.0.9", "neither names nor addresses" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct given_list g = given_list(rows[i].list);
		struct tlv_err e = TLV_ERR_INIT;
		struct edit x;

		assert_int_equal(edit_begin(&x, &g.list, NULL), ST_OK);
		assert_int_equal(edit_set(&x, rows[i].arg, &e),
				 rows[i].says == NULL ? ST_OK : ST_USAGE);
		if (rows[i].says != NULL)
			assert_says(err_text(&e), rows[i].says);
		edit_free(&x);
		given_list_free(&g);
	}
}

/* Two changes of one record contradict each other, or each has its own part of it. */
static void twice_the_same_record(void **state)
{
	static const struct {
		enum change first, second;
		const char *arg_1, *arg_2, *says; /* says: NULL where both are taken */
	} rows[] = {
		{ SET, REMOVE, "#4,name=x", "#4", "record 4 is changed and removed" },
		{ REMOVE, SET, "#4", "#4,name=x", "record 4 is removed and changed" },
		{ REMOVE, REPLACE, "#4", "#4=" SUB, "record 4 is removed and replaced" },
		{ REPLACE, REPLACE, "#4=" SUB, "name=cucm-1051-a-sub1=" PUB,
		  "record 4 is replaced twice" },
		{ REPLACE, REPLACE, "#1=" RENEWED, RENEWED, "record 1 is replaced twice" },
		{ SET, SET, "#4,name=x", "cn=cucm-1051-a-sub1,name=y",
		  "record 4 is given a name twice" },
		{ SET, SET, "#4,name=x", "#4,address=10.0.0.9", NULL },
		{ SET, REPLACE, "#4,name=x", "#4=" SUB, NULL },
		{ SET, SET, "#4,name=x", "#4,address=10.0.0.9,name=y",
		  "record 4 is given a name twice" },
		{ SET, SET, "#4,address=10.0.0.8", "#4,address=10.0.0.9",
		  "record 4 is given an address twice" },
	};
	struct given_list g = given_list("lists/cucm.tlv");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct edit x;

		assert_int_equal(edit_begin(&x, &g.list, NULL), ST_OK);
		assert_int_equal(apply(&x, rows[i].first, rows[i].arg_1, &e), ST_OK);
		assert_int_equal(apply(&x, rows[i].second, rows[i].arg_2, &e),
				 rows[i].says == NULL ? ST_OK : ST_USAGE);
		if (rows[i].says != NULL)
			assert_says(err_text(&e), rows[i].says);
		edit_free(&x);
	}
	given_list_free(&g);
}

/* Non-secure mode takes the nodes' certificates away; a folder of them gives them back by name. */
static void emptied_and_refilled(void **state)
{
	static const char *const both[] = { PUB, SUB };
	struct given_list g = given_list("lists/cucm.tlv");

	(void)state;
	for (size_t n = 0; n <= COUNT(both); n++) {
		struct certset certs = CERTSET_INIT;
		struct tlv_err e = TLV_ERR_INIT;
		struct edit x;

		assert_int_equal(edit_begin(&x, &g.list, NULL), ST_OK);
		edit_empty(&x);
		assert_string_equal(shape(&x), "S=B0C=B0");
		for (size_t i = 0; i < n; i++) {
			struct cert c = given_cert(both[i]);

			assert_int_equal(certset_add(&certs, buf_span(&c.der), NULL, NULL), ST_OK);
			cert_free(&c);
		}
		assert_int_equal(edit_refill(&x, &certs, &e), n == 2 ? ST_OK : ST_NO_MATCH);
		if (n == 2)
			assert_string_equal(shape(&x), "S=BC=B");
		else
			assert_says(err_text(&e), n == 0 ? "record 2: no certificate is called" :
							   "record 4: no certificate is called");
		certset_free(&certs);
		edit_free(&x);
	}
	given_list_free(&g);
}

/* The renewed publisher has the old one's name. */
static void two_certificates_of_one_name(void **state)
{
	struct given_list g = given_list("lists/cucm.tlv");
	struct certset certs = CERTSET_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	struct edit x;
	struct cert pub = given_cert(PUB), renewed = given_cert(RENEWED);

	(void)state;
	assert_int_equal(certset_add(&certs, buf_span(&pub.der), NULL, NULL), ST_OK);
	assert_int_equal(certset_add(&certs, buf_span(&renewed.der), NULL, NULL), ST_OK);
	assert_int_equal(edit_begin(&x, &g.list, NULL), ST_OK);
	edit_empty(&x);
	assert_int_equal(edit_refill(&x, &certs, &e), ST_AMBIGUOUS);
	assert_says(err_text(&e), "record 2: several certificates");
	edit_free(&x);
	certset_free(&certs);
	cert_free(&pub);
	cert_free(&renewed);
	given_list_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change),
		cmocka_unit_test(the_old_anchor),
		cmocka_unit_test(settings_without_a_place),
		cmocka_unit_test(twice_the_same_record),
		cmocka_unit_test(emptied_and_refilled),
		cmocka_unit_test(two_certificates_of_one_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
