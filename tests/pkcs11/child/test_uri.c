/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/pkcs11/lab.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11/child/uri.h"

static const char *const good[] = {
	"pkcs11:token=t",
	"PKCS11:token=t",
	"pkcs11:token=My%20token%25",
	"pkcs11:token=%c3%a4%E2%82%ac",
	"pkcs11:token=01234567890123456789012345678901",
	"pkcs11:serial=1;model=m;manufacturer=Cisco%20%26%20Co",
	"pkcs11:token=t;id=%00%01;object=SAST;type=private",
	"pkcs11:token=t;type=cert;slot-id=5",
	"pkcs11:token=t;library-version=2.4;library-description=x;library-manufacturer=y",
	"pkcs11:slot-description=Reader%200;slot-manufacturer=z",
	"pkcs11:token=t?pin-source=file:/etc/pin&module-path=/usr/lib/x.so",
	"pkcs11:token=t?module-name=softhsm2",
	"pkcs11:token=a%3bb",
	"pkcs11:object=SAST",
};

static const struct {
	const char *uri, *text;
} bad[] = {
	{ "", "begins with 'pkcs11:'" },
	{ "token=t", "begins with 'pkcs11:'" },
	/* Selects nothing in particular: p11-kit takes these for every token. */
	{ "pkcs11:", "selects no token" },
	{ "pkcs11:?module-path=/usr/lib/x.so", "selects no token" },
	{ "pkcs11:type=private", "selects no token" },
	{ "pkcs11:slot-id=0", "selects no token" },
	{ "pkcs11:library-version=2.4", "selects no token" },
	{ "pkcs11:;token=t", "attribute is empty" },
	{ "pkcs11:token=t;", "attribute is empty" },
	{ "pkcs11:token=t;;serial=1", "attribute is empty" },
	{ "pkcs11:token=t?", "attribute is empty" },
	{ "pkcs11:token=", "'token' is empty" },
	{ "pkcs11:token", "'token' is empty" },
	{ "pkcs11:=t", "attribute is empty" },
	/* p11-kit cuts or drops these. */
	{ "pkcs11:token=%00x", "NUL" },
	{ "pkcs11:token=x%00", "NUL" },
	{ "pkcs11:token=my token", "written as %20" },
	{ "pkcs11:token= t", "written as %20" },
	{ "pkcs11:token=t\n", "written as %0A" },
	{ "pkcs11:token=a/b", "written as %2F" },
	{ "pkcs11:token=%4", "without two hex digits" },
	{ "pkcs11:token=%", "without two hex digits" },
	{ "pkcs11:token=%zz", "without two hex digits" },
	{ "pkcs11:token=012345678901234567890123456789012", "33 bytes" },
	{ "pkcs11:serial=12345678901234567", "17 bytes" },
	/* Repeated: the last would win. */
	{ "pkcs11:token=a;token=b", "'token' is given twice" },
	{ "pkcs11:token=a?module-name=x&module-name=y", "'module-name' is given twice" },
	/* Unknown. */
	{ "pkcs11:tokem=t", "unknown attribute 'tokem'" },
	{ "pkcs11:Token=t", "unknown attribute 'Token'" },
	{ "pkcs11:token=t;x-vendor=1", "unknown attribute 'x-vendor'" },
	{ "pkcs11:token=t;module-path=/x", "unknown attribute 'module-path'" },
	{ "pkcs11:token=t?object=x", "unknown attribute 'object'" },
	{ "pkcs11:token=t;type=secret-key", "'type' is none of" },
	{ "pkcs11:token=t;type=data", "'type' is none of" },
	{ "pkcs11:token=t;slot-id=x", "PKCS#11 URI: " },
	{ "pkcs11:token=t;library-version=x", "PKCS#11 URI: " },
	/* Secrets and commands. */
	{ "pkcs11:token=t?pin-value=1234", "'pin-value' is refused" },
	{ "pkcs11:token=t?pin-source=|/bin/pin", "runs a command" },
	{ "pkcs11:token=t?pin-source=%7C/bin/pin", "runs a command" },
	{ "pkcs11:token=t?pin-source=%7c/bin/pin", "runs a command" },
};

static void p11_takes_what_selects_a_token(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct tok_uri *u;

		assert_status(tok_uri_parse(good[i], &u, &e), ST_OK, &e);
		tok_uri_free(&u);
		assert_null(u);
	}
}

static void p11_refuses_what_p11_kit_lets_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct tok_uri *u;

		assert_status(tok_uri_parse(bad[i].uri, &u, &e), ST_USAGE, &e);
		assert_null(u);
		assert_text(err_text(&e), bad[i].text);
	}
}

static void p11_shows_no_pin(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_status(tok_uri_check("pkcs11:token=t?pin-value=98765", true, &e), ST_USAGE, &e);
	assert_null(strstr(err_text(&e), "98765"));
	e = TLV_ERR_INIT;
	assert_status(tok_uri_check("pkcs11:token=t?pin=98765", true, &e), ST_USAGE, &e);
	assert_null(strstr(err_text(&e), "98765"));
}

static void module_and_pin_source_count_on_the_command_line_only(void **state)
{
	static const char *const queries[] = { "module-path=/x", "module-name=x",
					       "pin-source=/etc/pin" };

	(void)state;
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		struct tlv_err e = TLV_ERR_INIT;
		char uri[64] = "pkcs11:token=t?";

		strcat(uri, queries[i]);
		assert_status(tok_uri_check(uri, true, &e), ST_OK, &e);
		assert_status(tok_uri_check(uri, false, &e), ST_USAGE, &e);
	}
	assert_true(tok_uri_has_pin_source("pkcs11:token=t?pin-source=/etc/pin"));
	assert_false(tok_uri_has_pin_source("pkcs11:token=t"));
	assert_false(tok_uri_has_pin_source("pkcs11:"));
}

static void id_is_bytes_not_characters(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_uri *u;

	(void)state;
	assert_status(tok_uri_parse("pkcs11:id=%01", &u, &e), ST_OK, &e);
	assert_true(tok_uri_matches_object(u, SPAN_LIT("\x01"), SPAN_NONE));
	assert_false(tok_uri_matches_object(u, SPAN_LIT("01"), SPAN_NONE));
	tok_uri_free(&u);
	assert_status(tok_uri_parse("pkcs11:id=01", &u, &e), ST_OK, &e);
	assert_true(tok_uri_matches_object(u, SPAN_LIT("01"), SPAN_NONE));
	tok_uri_free(&u);
}

static void blank(CK_TOKEN_INFO *info, const char *label)
{
	memset(info->label, ' ', sizeof info->label);
	memset(info->manufacturerID, ' ', sizeof info->manufacturerID);
	memset(info->model, ' ', sizeof info->model);
	memset(info->serialNumber, ' ', sizeof info->serialNumber);
	memcpy(info->label, label, strlen(label));
	info->manufacturerID[0] = info->model[0] = info->serialNumber[0] = '1';
}

static void labels_become_canonical_and_come_back(void **state)
{
	static const char *const labels[] = {
		"SAST-ADN008580ef",
		"two words",
		"100%",
		"a;b?c&d=e/f",
		"\xc3\xa4\xe2\x82\xac",
		"01234567890123456789012345678901",
	};

	(void)state;
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
		struct tlv_err e = TLV_ERR_INIT;
		CK_TOKEN_INFO info = { .flags = CKF_TOKEN_INITIALIZED };
		struct tok_uri *u;
		char *uri;

		blank(&info, labels[i]);
		uri = tok_uri_of_token(&info);
		assert_non_null(uri);
		assert_status(tok_uri_parse(uri, &u, &e), ST_OK, &e);
		assert_true(tok_uri_matches(u, 0, &info));
		info.label[0] = '_';
		assert_false(tok_uri_matches(u, 0, &info));
		tok_uri_free(&u);
		free(uri);
	}
}

static void a_token_without_serial_has_a_uri_that_is_taken(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	CK_TOKEN_INFO info = { .flags = CKF_TOKEN_INITIALIZED };
	struct tok_uri *u;
	char *uri;

	(void)state;
	blank(&info, "t");
	info.serialNumber[0] = info.model[0] = ' ';
	uri = tok_uri_of_cert(&info, SPAN_LIT("\x01"), SPAN_NONE);
	assert_string_equal(uri, "pkcs11:manufacturer=1;token=t;id=%01;type=cert");
	assert_status(tok_uri_parse(uri, &u, &e), ST_OK, &e);
	assert_true(tok_uri_matches(u, 0, &info));
	tok_uri_free(&u);
	free(uri);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(p11_takes_what_selects_a_token),
		cmocka_unit_test(p11_refuses_what_p11_kit_lets_pass),
		cmocka_unit_test(p11_shows_no_pin),
		cmocka_unit_test(module_and_pin_source_count_on_the_command_line_only),
		cmocka_unit_test(id_is_bytes_not_characters),
		cmocka_unit_test(labels_become_canonical_and_come_back),
		cmocka_unit_test(a_token_without_serial_has_a_uri_that_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
