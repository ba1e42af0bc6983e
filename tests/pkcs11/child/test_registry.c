/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Without --module: all modules that p11-kit knows, here from a folder of our
 * own. Root has no configuration of its own in p11-kit, so its folders are
 * set by the function that p11-kit has for its own tests.
 */
#include "tests/pkcs11/lab.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pkcs11/child/registry.h"

/* An empty registry in the test's folder, instead of the system's: see registry.c. */
static void registry(struct lab *l)
{
	char path[300];

	(void)snprintf(path, sizeof path, "%s/pkcs11.conf", l->dir);
	lab_file(path, "user-config: none\n", 0600);
	(void)snprintf(path, sizeof path, "%s/modules", l->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(setenv("CTLSIGN_LAB_REGISTRY", l->dir, 1), 0);
	l->opt.module = NULL;
}

static void add(struct lab *l, const char *name, const char *module, const char *more)
{
	char path[300], text[800];

	(void)snprintf(path, sizeof path, "%s/modules/%s.module", l->dir, name);
	(void)snprintf(text, sizeof text, "module: %s\n%s\n", module, more);
	lab_file(path, text, 0600);
}

/* SoftHSM once more, as another file: the same code twice cannot be initialised twice. */
static void second_softhsm(struct lab *l, const char *rules)
{
	lab_run("cp %s %s/second.so", lab_softhsm(), l->dir);
	lab_plan(l, "module %s/second.so\n%s", l->dir, rules);
	l->opt.module = NULL;
}

static void the_registered_modules_are_looked_at(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	registry(l);
	add(l, "hsm", lab_softhsm(), "");
	assert_status(lab_sign(l, &e), ST_OK, &e);
	assert_string_equal(l->warnings, "");
}

static void no_module_is_no_token(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_info *list;
	size_t n;

	registry(l);
	assert_status(lab_sign(l, &e), ST_NO_MATCH, &e);
	l->opt.uri = NULL;
	e = TLV_ERR_INIT;
	assert_status(tok_scan(&list, &n, &l->opt, &e), ST_OK, &e);
	assert_int_equal(n, 0);
	tok_infos_free(&list, n);
}

static void p14_a_token_seen_through_two_modules_is_one(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_info *list;
	size_t n;

	registry(l);
	second_softhsm(l, "");
	add(l, "a", lab_softhsm(), "");
	add(l, "b", l->fault, "");
	assert_status(lab_sign(l, &e), ST_OK, &e);
	assert_int_equal(lab_count(l, "C_GetSlotList"), 2); /* both were asked */
	assert_status(tok_scan(&list, &n, &l->opt, &e), ST_OK, &e);
	assert_int_equal(n, 1);
	tok_infos_free(&list, n);
}

static void p13_a_module_that_fails_costs_a_warning(void **state)
{
	static const char *const rules[] = {
		"C_Initialize 1 fail 0x30", "C_Initialize 1 crash",	 "C_Initialize 1 exit 0",
		"C_GetSlotList 1 crash",    "C_GetSlotList 1 fail 5",	 "C_GetTokenInfo 1 crash",
		"C_Initialize 1 sleep 30",  "C_GetTokenInfo 1 sleep 30",
	};
	struct lab *l = *state;

	registry(l);
	add(l, "a", l->fault, "");
	add(l, "b", lab_softhsm(), "");
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		struct tlv_err e = TLV_ERR_INIT;

		second_softhsm(l, rules[i]);
		l->opt.timeout = strstr(rules[i], "sleep") == NULL ? 20 : LAB_TIMEOUT;
		assert_status(lab_sign(l, &e), ST_OK, &e);
		assert_text(l->warnings, "left out");
	}
}

static void p13_a_critical_module_is_named_as_the_cause(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	registry(l);
	add(l, "a", "/nonexistent.so", "critical: yes");
	add(l, "b", lab_softhsm(), "");
	assert_status(lab_sign(l, &e), ST_TOKEN, &e);
	assert_text(err_text(&e), "'critical'");
	assert_text(err_text(&e), "p11-kit list-modules");
	e = TLV_ERR_INIT;
	l->opt.module = lab_softhsm(); /* one that is named is loaded alone */
	assert_status(lab_sign(l, &e), ST_OK, &e);
}

static void module_name_selects(void **state)
{
	static const char *const names[] = { "hsm", "softhsm2", "libsofthsm2" };
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	char uri[128];

	registry(l);
	add(l, "hsm", lab_softhsm(), "");
	add(l, "broken", l->fault, "");
	second_softhsm(l, "C_Initialize 1 crash");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(uri, sizeof uri, "pkcs11:token=SAST-ADN008580ef?module-name=%s",
			       names[i]);
		l->opt.uri = uri;
		assert_status(lab_sign(l, &e), ST_OK, &e);
		assert_int_equal(lab_count(l, "C_Initialize"), 0);
	}
	l->opt.uri = "pkcs11:token=SAST-ADN008580ef?module-name=nobody";
	assert_status(lab_sign(l, &e), ST_NO_MATCH, &e);
	assert_text(err_text(&e), "no module named 'nobody'");
}

/* Its tokens hold authorities' certificates and never a key. */
static void trust_modules_are_left_out(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	registry(l);
	second_softhsm(l, "");
	add(l, "a", l->fault, "trust-policy: yes");
	add(l, "b", lab_softhsm(), "");
	assert_status(lab_sign(l, &e), ST_OK, &e);
	assert_int_equal(lab_count(l, "C_Initialize"), 0);
}

static void p22_a_vendors_module_goes_before_opensc(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	char path[300];
	struct tok *t;

	registry(l);
	(void)snprintf(path, sizeof path, "%s/opensc-pkcs11.so", l->dir);
	lab_run("cp %s %s", lab_softhsm(), path);
	add(l, "a", path, "");
	add(l, "b", lab_softhsm(), "");
	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	assert_string_equal(tok_info(t)->module, lab_softhsm());
	tok_free(&t);
}

/* A module that others can write is not even loaded; the rest is. */
static void a_module_that_others_can_write_is_left_out(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	char path[300], text[700];

	registry(l);
	add(l, "b", lab_softhsm(), "");
	(void)snprintf(path, sizeof path, "%s/open.so", l->dir);
	lab_run("cp '%s' %s && chmod 666 %s", l->fault, path, path);
	add(l, "a", path, "");
	second_softhsm(l, "C_Initialize 1 crash");
	assert_status(lab_sign(l, &e), ST_OK, &e);
	assert_text(l->warnings, "open.so' can be written by others than");
	assert_int_equal(lab_count(l, "C_Initialize"), 0);
	/* So is one to which a folder or a link leads that others can write. */
	lab_run("mkdir -m 777 %s/all && ln -s '%s' %s/all/link.so", l->dir, l->fault, l->dir);
	(void)snprintf(path, sizeof path, "%s/all/link.so", l->dir);
	add(l, "a", path, "");
	l->warnings[0] = '\0';
	assert_status(lab_sign(l, &e), ST_OK, &e);
	assert_text(l->warnings, "/all' can be written by others than");
	/* And one whose file in the registry is such. */
	add(l, "a", l->fault, "");
	(void)snprintf(text, sizeof text, "chmod 666 %s/modules/a.module", l->dir);
	lab_run("%s", text);
	l->warnings[0] = '\0';
	assert_status(lab_sign(l, &e), ST_OK, &e);
	assert_text(l->warnings, "a.module' can be written by others than");
	assert_int_equal(lab_count(l, "C_Initialize"), 0);
}

static void assert_users_folder(uid_t uid, const char *config, const char *home, const char *want)
{
	char seen[PATH_MAX];

	(void)(config == NULL ? unsetenv("XDG_CONFIG_HOME") : setenv("XDG_CONFIG_HOME", config, 1));
	(void)(home == NULL ? unsetenv("HOME") : setenv("HOME", home, 1));
	assert_true(tok_registry_users_folder(uid, seen));
	assert_string_equal(seen, want);
}

/* A service has no HOME, and p11-kit finds its user's modules all the same. */
static void the_users_folder_is_where_p11_kit_looks(void **state)
{
	const struct passwd *pw = getpwnam("nobody");
	char own[PATH_MAX];
	uid_t uid;

	(void)state;
	assert_non_null(pw);
	uid = pw->pw_uid;
	(void)snprintf(own, sizeof own, "%s/.config/pkcs11/modules", pw->pw_dir);
	assert_users_folder(uid, "/c", "/h", "/c/pkcs11/modules");
	assert_users_folder(uid, "", "/h", "/h/.config/pkcs11/modules");
	assert_users_folder(uid, NULL, "/h", "/h/.config/pkcs11/modules");
	assert_users_folder(uid, NULL, "", own);
	assert_users_folder(uid, NULL, NULL, own);
	assert_false(tok_registry_users_folder(0, own));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_registered_modules_are_looked_at),
		TEST(no_module_is_no_token),
		TEST(p14_a_token_seen_through_two_modules_is_one),
		TEST(p13_a_module_that_fails_costs_a_warning),
		TEST(p13_a_critical_module_is_named_as_the_cause),
		TEST(module_name_selects),
		TEST(trust_modules_are_left_out),
		TEST(p22_a_vendors_module_goes_before_opensc),
		TEST(a_module_that_others_can_write_is_left_out),
		cmocka_unit_test(the_users_folder_is_where_p11_kit_looks),
	};

	return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
