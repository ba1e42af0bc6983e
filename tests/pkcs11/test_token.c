/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Finding the token, the certificate and the key. Names begin with the number
 * of what they show in the list of what is known to bite.
 */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN "SAST-ADN008580ef"
#define OTHER "SAST-ADN0054f509"
#define CLUSTER TEST_DATA_DIR "/cluster/"

static enum status open_only(struct lab *l, const char *uri, struct tlv_err *e)
{
	struct tok *t = NULL;
	enum status st;

	l->opt.uri = uri;
	*e = TLV_ERR_INIT;
	st = tok_open(&t, &l->opt, e);
	assert_int_equal(st == ST_OK, t != NULL);
	tok_free(&t);
	return st;
}

static void signs_what_the_key_file_signs(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	uint8_t sig[TOK_SIG_MAX];
	struct span want;
	size_t n;

	assert_status(lab_signature(*state, lab_digest_info(7), sig, &n, &e), ST_OK, &e);
	want = lab_expect(TOKEN, lab_digest_info(7));
	assert_int_equal(n, want.n);
	assert_memory_equal(sig, want.p, n);
}

static void p01_no_session_on_an_uninitialised_token(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_info *list;
	size_t n;

	lab_plan(l, "%s", "");
	assert_status(lab_sign(l, &e), ST_OK, &e);
	assert_int_equal(lab_count(l, "C_OpenSession"), 1);
	l->opt.uri = NULL;
	lab_plan(l, "%s", "");
	assert_status(tok_scan(&list, &n, &l->opt, &e), ST_OK, &e);
	assert_int_equal(n, 2); /* SoftHSM's spare one shows, but is not touched */
	assert_int_equal(lab_count(l, "C_OpenSession"), 1);
	tok_infos_free(&list, n);
	assert_null(list);
}

static void p02_no_public_key_object_is_needed(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_plan(l, "hide-public-exponent");
	assert_status(lab_sign(l, &e), ST_OK, &e);
}

static void p03_foreign_keys_do_not_disturb(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_run("rm -rf %s/tokens/*", l->dir);
	lab_token_add(l, LAB_FOREIGN);
	assert_status(lab_sign(l, &e), ST_OK, &e);
}

/* Two keys whose certificates carry each other's id. */
static void p04_pairs_by_public_key_never_by_id(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_token_new(l, "swapped");
	lab_write(l, "swapped", CLUSTER TOKEN ".key", NULL, "01", "a");
	lab_write(l, "swapped", NULL, CLUSTER TOKEN ".pem", "02", "a");
	lab_write(l, "swapped", CLUSTER OTHER ".key", NULL, "02", "b");
	lab_write(l, "swapped", NULL, CLUSTER OTHER ".pem", "01", "b");
	l->opt.uri = "pkcs11:token=swapped;object=a";
	assert_status(lab_sign(l, &e), ST_OK, &e);
	l->opt.uri = "pkcs11:token=swapped;id=%01"; /* the certificate's id; its key has another */
	assert_status(lab_sign(l, &e), ST_OK, &e);
	l->opt.uri = "pkcs11:token=swapped;object=b;type=private";
	assert_status(lab_sign(l, &e), ST_OK, &e);
}

static void p05_a_short_signature_is_padded(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	uint8_t sig[TOK_SIG_MAX];
	struct span want;
	uint32_t i = 0;
	size_t n;

	do {
		want = lab_expect(TOKEN, lab_digest_info(++i));
	} while (want.p[0] != 0);
	lab_plan(l, "C_Sign * zero-strip");
	assert_status(lab_signature(l, lab_digest_info(i), sig, &n, &e), ST_OK, &e);
	assert_int_equal(n, want.n);
	assert_memory_equal(sig, want.p, n);
}

static void p06_flags_are_fresh_before_every_login(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_plan(l, "%s", "");
	assert_status(lab_sign(l, &e), ST_OK, &e);
	assert_text(lab_calls(l), "C_GetTokenInfo C_Login ");
	lab_plan(l, "always-authenticate " LAB_PIN);
	assert_status(lab_sign(l, &e), ST_OK, &e);
	assert_text(lab_calls(l), "C_GetTokenInfo C_SignInit C_Login C_Sign ");
}

static void p09_the_module_is_initialised_and_finalised_once(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_plan(l, "%s", "");
	assert_status(lab_sign(l, &e), ST_OK, &e);
	assert_int_equal(lab_count(l, "C_Initialize"), 1);
	assert_int_equal(lab_count(l, "C_Finalize"), 1);
	assert_int_equal(lab_count(l, "C_Login"), 1);
	assert_int_equal(lab_count(l, "C_Logout"), 1);
	assert_int_equal(lab_count(l, "C_OpenSession"), lab_count(l, "C_CloseSession"));
}

static void p10b_two_keys_under_one_id(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_write(l, TOKEN, CLUSTER OTHER ".key", NULL, "01", "SAST");
	assert_status(lab_sign(l, &e), ST_OK, &e);
}

static void p10b_a_certificate_that_is_not_the_keys(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	l->opt.cert = lab_cert(OTHER);
	lab_plan(l, "%s", "");
	assert_status(lab_sign(l, &e), ST_NO_MATCH, &e);
	assert_text(err_text(&e),
		    "no private key of the token is the certificate's; it has\n  pkcs11:");
	assert_text(err_text(&e), "type=private");
	assert_int_equal(lab_count(l, "C_Sign"), 0);
}

static void p10c_two_tokens_of_one_label(void **state)
{
	struct lab *l = *state;
	struct tlv_err e;
	const char *first, *second;

	lab_token_new(l, TOKEN);
	assert_status(open_only(l, "pkcs11:token=" TOKEN, &e), ST_AMBIGUOUS, &e);
	assert_text(err_text(&e), "more than one token matches\n  pkcs11:model=SoftHSM%20v2;");
	first = strstr(err_text(&e), "\n  pkcs11:");
	assert_non_null(first);
	second = strstr(first + 1, "\n  pkcs11:");
	assert_non_null(second);
	assert_true(strncmp(first, second, (size_t)(second - first)) < 0); /* sorted */
}

static void p10d_always_authenticate(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_token_new(l, "aa");
	lab_tool(l, "aa",
		 "--keypairgen --key-type rsa:1024 --id 05 --label aa --always-auth --usage-sign");
	lab_run("openssl pkey -in '" CLUSTER TOKEN ".key' -outform DER -out %s/k.der", l->dir);
	lab_tool(l, "aa",
		 "--write-object %s/k.der --type privkey --id 01 --label SAST --always-auth "
		 "--usage-sign",
		 l->dir);
	lab_write(l, "aa", NULL, CLUSTER TOKEN ".pem", "01", "SAST");
	l->opt.uri = "pkcs11:token=aa;object=SAST";
	lab_plan(l, "%s", "");
	assert_status(lab_sign(l, &e), ST_OK, &e);
	assert_text(lab_calls(l), "C_SignInit C_Login C_Sign ");
}

static void p13_a_broken_slot_costs_a_warning(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_info *list;
	size_t n;

	/* SoftHSM's slots are in random order: with a third, the first is not always ours. */
	for (int i = 1; i <= 2; i++) {
		lab_plan(l, "C_GetTokenInfo %d fail 0x30", i);
		e = TLV_ERR_INIT;
		if (lab_sign(l, &e) != ST_OK) {
			assert_status(e.status, ST_TOKEN, &e);
			continue;
		}
		assert_text(l->warnings, "is left out: C_GetTokenInfo: CKR_DEVICE_ERROR (0x30)");
		l->opt.uri = NULL;
		lab_plan(l, "C_GetTokenInfo 1 fail 0x30");
		assert_status(tok_scan(&list, &n, &l->opt, &e), ST_OK, &e);
		assert_int_equal(n, 1);
		tok_infos_free(&list, n);
		return;
	}
	fail();
}

static void p25_a_batch_is_one_login_and_one_session(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	struct tok *t;

	lab_plan(l, "%s", "");
	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	assert_status(tok_login(t, &e), ST_OK, &e);
	assert_status(tok_login(t, &e), ST_OK, &e); /* reads no PIN twice */
	for (uint32_t i = 0; i < 200; i++) {
		uint8_t sig[TOK_SIG_MAX];
		struct span want = lab_expect(TOKEN, lab_digest_info(i));
		size_t n;

		assert_status(tok_sign(t, lab_digest_info(i), sig, &n, &e), ST_OK, &e);
		assert_int_equal(n, want.n);
		assert_memory_equal(sig, want.p, n);
	}
	tok_free(&t);
	assert_int_equal(lab_count(l, "C_Login"), 1);
	assert_int_equal(lab_count(l, "C_OpenSession"), 1);
	assert_int_equal(lab_count(l, "C_Sign"), 200);
}

static void no_match_lists_what_is_there(void **state)
{
	struct lab *l = *state;
	struct tlv_err e;

	assert_status(open_only(l, "pkcs11:token=nobody", &e), ST_NO_MATCH, &e);
	assert_text(err_text(&e), "no token matches; there is\n  pkcs11:");
	assert_text(err_text(&e), "token=" TOKEN);
	assert_status(open_only(l, "pkcs11:token=" TOKEN ";slot-id=4711", &e), ST_NO_MATCH, &e);
	assert_status(open_only(l, "pkcs11:token=" TOKEN ";object=x;type=cert", &e), ST_NO_MATCH,
		      &e);
	assert_text(err_text(&e), "type=cert");
	assert_status(open_only(l, "pkcs11:token=" TOKEN ";id=%02", &e), ST_NO_MATCH, &e);
	assert_status(open_only(l, "pkcs11:manufacturer=SoftHSM%20project;serial=x", &e),
		      ST_NO_MATCH, &e);
	assert_status(open_only(l, "pkcs11:token=" TOKEN ";library-description=OpenSC", &e),
		      ST_NO_MATCH, &e);
	assert_status(open_only(l, "pkcs11:token=" TOKEN ";slot-manufacturer=nobody", &e),
		      ST_NO_MATCH, &e);
}

static void every_attribute_selects(void **state)
{
	struct lab *l = *state;
	struct tlv_err e;
	const struct tok_info *i;
	struct tok *t;
	char uri[600];

	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	i = tok_info(t);
	assert_string_equal(i->label, TOKEN);
	assert_string_equal(i->manufacturer, "SoftHSM project");
	assert_string_equal(i->model, "SoftHSM v2");
	assert_string_equal(i->module, lab_softhsm());
	assert_int_equal(i->pin, TOK_PIN_OK);
	assert_int_equal(i->ncerts, 1);
	(void)snprintf(uri, sizeof uri,
		       "%s;object=SAST;id=%%01;type=private;library-manufacturer=SoftHSM;"
		       "library-description=Implementation%%20of%%20PKCS11;library-version=2.6;"
		       "slot-manufacturer=SoftHSM%%20project",
		       i->uri);
	assert_status(open_only(l, i->uri, &e), ST_OK, &e);
	assert_status(open_only(l, i->certs[0].uri, &e), ST_OK, &e);
	tok_free(&t);
	assert_status(open_only(l, uri, &e), ST_OK, &e);
	l->opt.uri = uri;
	assert_status(lab_sign(l, &e), ST_OK, &e);
}

static void odd_labels_work(void **state)
{
	static const struct {
		const char *label, *uri;
	} odd[] = {
		{ "two words", "pkcs11:token=two%20words" },
		{ "100%", "pkcs11:token=100%25" },
		{ "\xc3\xa4\xe2\x82\xac", "pkcs11:token=%c3%a4%e2%82%ac" },
		{ "01234567890123456789012345678901",
		  "pkcs11:token=01234567890123456789012345678901" },
	};
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		lab_token_new(l, odd[i].label);
		lab_write(l, odd[i].label, CLUSTER TOKEN ".key", CLUSTER TOKEN ".pem", "01",
			  "a %25 b");
		l->opt.uri = odd[i].uri;
		assert_status(lab_sign(l, &e), ST_OK, &e);
	}
}

static void two_certificates_for_one_key(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_run("openssl req -x509 -key '" CLUSTER TOKEN ".key' -subj /CN=renewed -days 9 -out "
		"%s/renewed.pem -addext basicConstraints=CA:FALSE 2>/dev/null",
		l->dir);
	lab_run("openssl x509 -in %s/renewed.pem -outform DER -out %s/object.der", l->dir, l->dir);
	lab_tool(l, TOKEN, "--write-object %s/object.der --type cert --id 01 --label renewed",
		 l->dir);
	assert_status(lab_sign(l, &e), ST_AMBIGUOUS, &e);
	assert_text(err_text(&e), "--cert decides");
	assert_text(err_text(&e), "object=renewed");
	e = TLV_ERR_INIT;
	l->opt.cert = lab_cert(TOKEN);
	assert_status(lab_sign(l, &e), ST_OK, &e);
	l->opt.cert = SPAN_NONE;
	l->opt.uri = "pkcs11:token=" TOKEN ";object=renewed";
	assert_status(lab_sign(l, &e), ST_OK, &e);
}

static void the_authoritys_certificate_is_no_candidate(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_write(l, TOKEN, NULL, CLUSTER "manufacturing-ca.pem", "01", "SAST");
	assert_status(lab_sign(l, &e), ST_OK, &e);
	l->opt.uri = "pkcs11:token=" TOKEN ";object=SAST"; /* its label does not help either */
	assert_status(lab_sign(l, &e), ST_OK, &e);
}

static void a_public_key_decides_between_certificates(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_write(l, TOKEN, NULL, CLUSTER OTHER ".pem", "01", "SAST");
	assert_status(lab_sign(l, &e), ST_AMBIGUOUS, &e);
	e = TLV_ERR_INIT;
	lab_run("openssl pkey -in '" CLUSTER TOKEN ".key' -pubout -outform DER -out %s/pub.der",
		l->dir);
	lab_tool(l, TOKEN, "--write-object %s/pub.der --type pubkey --id 77 --label any", l->dir);
	assert_status(lab_sign(l, &e), ST_OK, &e);
}

static void a_hundred_certificates(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_info *list;
	size_t n;

	lab_run("openssl req -x509 -newkey rsa:1024 -nodes -keyout %s/x.key -subj /CN=x -days 9 "
		"-outform DER -out %s/x.der 2>/dev/null; "
		"for i in $(seq 100 199); do CTLSIGN_FAULT_PLAN= pkcs11-tool --module %s "
		"--token-label " TOKEN " --login --pin " LAB_PIN " --write-object %s/x.der "
		"--type cert --id $(printf %%02x $i) --label c$i >/dev/null 2>&1 || exit 1; done",
		l->dir, l->dir, lab_softhsm(), l->dir);
	l->opt.uri = "pkcs11:token=" TOKEN ";object=SAST";
	assert_status(lab_sign(l, &e), ST_OK, &e);
	assert_status(tok_scan(&list, &n, &l->opt, &e), ST_OK, &e);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].ncerts, 101);
	for (size_t i = 1; i < 101; i++)
		assert_true(strcmp(list[0].certs[i - 1].uri, list[0].certs[i].uri) <= 0);
	tok_infos_free(&list, n);
}

static void scan_says_whose_key_shows(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_info *list;
	size_t n;

	assert_status(tok_scan(&list, &n, &l->opt, &e), ST_OK, &e);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].ncerts, 1);
	assert_false(list[0].certs[0].key_seen);
	assert_true(span_eq(list[0].certs[0].id, SPAN_LIT("\x01")));
	assert_string_equal(list[0].certs[0].label, "SAST");
	assert_true(span_eq(list[0].certs[0].der, lab_cert(TOKEN)));
	tok_infos_free(&list, n);
	lab_run("openssl pkey -in '" CLUSTER TOKEN ".key' -pubout -outform DER -out %s/pub.der",
		l->dir);
	lab_tool(l, TOKEN, "--write-object %s/pub.der --type pubkey --id 77 --label any", l->dir);
	assert_status(tok_scan(&list, &n, &l->opt, &e), ST_OK, &e);
	assert_true(list[0].certs[0].key_seen);
	tok_infos_free(&list, n);
	l->opt.uri = "pkcs11:token=nobody";
	assert_status(tok_scan(&list, &n, &l->opt, &e), ST_NO_MATCH, &e);
}

static void keys_of_every_size(void **state)
{
	static const int bits[] = { 512, 1024, 2048, 4096 };
	struct lab *l = *state;

	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
		struct tlv_err e = TLV_ERR_INIT;
		char token[16], key[200], cert[200], uri[64];

		(void)snprintf(token, sizeof token, "rsa%d", bits[i]);
		(void)snprintf(key, sizeof key, "%s/%s.key", l->dir, token);
		(void)snprintf(cert, sizeof cert, "%s/%s.pem", l->dir, token);
		(void)snprintf(uri, sizeof uri, "pkcs11:token=%s", token);
		lab_run("openssl req -x509 -newkey rsa:%d -nodes -keyout %s -subj /CN=%s -days 9 "
			"-sha256 -out %s 2>/dev/null",
			bits[i], key, token, cert);
		lab_token_new(l, token);
		lab_write(l, token, key, cert, "01", "key");
		l->opt.uri = uri;
		assert_status(lab_sign(l, &e), ST_OK, &e);
	}
}

static void a_key_that_is_not_rsa_needs_no_login(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
		"%s/ec.key -subj /CN=ec -days 9 -out %s/ec.pem 2>/dev/null",
		l->dir, l->dir);
	lab_token_new(l, "ec");
	lab_run("openssl x509 -in %s/ec.pem -outform DER -out %s/ec.der", l->dir, l->dir);
	lab_tool(l, "ec", "--write-object %s/ec.der --type cert --id 01 --label ec", l->dir);
	l->opt.uri = "pkcs11:token=ec";
	lab_plan(l, "%s", "");
	assert_status(lab_sign(l, &e), ST_INPUT, &e);
	assert_int_equal(lab_count(l, "C_Login"), 0);
}

static void a_module_is_an_absolute_path_that_few_can_write(void **state)
{
	struct lab *l = *state;
	struct tlv_err e;
	char module[300], folder[200], uri[600];

	(void)snprintf(folder, sizeof folder, "%s/mod", l->dir);
	(void)snprintf(module, sizeof module, "%s/m.so", folder);
	lab_run("mkdir %s && cp %s %s", folder, lab_softhsm(), module);
	l->opt.module = module;
	assert_status(open_only(l, "pkcs11:token=" TOKEN, &e), ST_OK, &e);
	assert_int_equal(chmod(module, 0666), 0);
	assert_status(open_only(l, "pkcs11:token=" TOKEN, &e), ST_USAGE, &e);
	assert_text(err_text(&e), "can be written by others");
	assert_int_equal(chmod(module, 0755), 0);
	assert_int_equal(chmod(folder, 0775), 0);
	assert_status(open_only(l, "pkcs11:token=" TOKEN, &e), ST_USAGE, &e);
	assert_int_equal(chmod(folder, 0755), 0);
	l->opt.module = "libsofthsm2.so";
	assert_status(open_only(l, "pkcs11:token=" TOKEN, &e), ST_USAGE, &e);
	assert_text(err_text(&e), "not an absolute path");
	l->opt.module = folder;
	assert_status(open_only(l, "pkcs11:token=" TOKEN, &e), ST_USAGE, &e);
	l->opt.module = "/nonexistent/x.so";
	assert_status(open_only(l, "pkcs11:token=" TOKEN, &e), ST_USAGE, &e);
	l->opt.module = NULL;
	(void)snprintf(uri, sizeof uri, "pkcs11:token=" TOKEN "?module-path=%s", lab_softhsm());
	assert_status(open_only(l, uri, &e), ST_OK, &e);
	assert_status(open_only(l, "pkcs11:token=" TOKEN "?module-path=x.so", &e), ST_USAGE, &e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signs_what_the_key_file_signs),
		TEST(p01_no_session_on_an_uninitialised_token),
		TEST(p02_no_public_key_object_is_needed),
		TEST(p03_foreign_keys_do_not_disturb),
		TEST(p04_pairs_by_public_key_never_by_id),
		TEST(p05_a_short_signature_is_padded),
		TEST(p06_flags_are_fresh_before_every_login),
		TEST(p09_the_module_is_initialised_and_finalised_once),
		TEST(p10b_two_keys_under_one_id),
		TEST(p10b_a_certificate_that_is_not_the_keys),
		TEST(p10c_two_tokens_of_one_label),
		TEST(p10d_always_authenticate),
		TEST(p13_a_broken_slot_costs_a_warning),
		TEST(p25_a_batch_is_one_login_and_one_session),
		TEST(no_match_lists_what_is_there),
		TEST(every_attribute_selects),
		TEST(odd_labels_work),
		TEST(two_certificates_for_one_key),
		TEST(the_authoritys_certificate_is_no_candidate),
		TEST(a_public_key_decides_between_certificates),
		TEST(a_hundred_certificates),
		TEST(scan_says_whose_key_shows),
		TEST(keys_of_every_size),
		TEST(a_key_that_is_not_rsa_needs_no_login),
		TEST(a_module_is_an_absolute_path_that_few_can_write),
	};

	return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
