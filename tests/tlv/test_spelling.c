/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two spellings of one name, and names that only look alike.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tlv/name.h"
#include "tlv/spelling.h"

static void spellings_are_compared(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "CN=pub;O=Cisco;C=PL", "C=PL,O=Cisco,CN=pub", true },
		{ "CN=pub;O=Cisco;C=PL", "C=PL;O=Cisco;CN=pub", true },
		{ "CN=pub;O=Cisco, Inc.", "O=Cisco\\, Inc.,CN=pub", true },
		{ "CN=pub;O=Cisco, Inc.", "O=\"Cisco, Inc.\",cn=pub", true },
		{ "CN=a\\2Cb", "CN=a\\,b", true },
		{ "OU=a;OU=b;CN=x", "CN=x,OU=b,OU=a", true },
		{ "", "", true },
		{ "CN=pub;O=Cisco;C=PL", "C=PL,O=Cisco", false },
		{ "CN=pub;O=Cisco", "CN=sub;O=Cisco", false },
		{ "CN=pub;OU=pub", "CN=pub;O=pub", false },
		{ "OU=a;OU=a;OU=b", "OU=a;OU=b;OU=b", false },
		{ "CN=Pub", "CN=pub", false },
		{ "CN=pub", "", false },
		{ "CN=pub\\", "CN=pub", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span a = span_str(rows[i].a), b = span_str(rows[i].b);

		if (spelling_same(a, b) != rows[i].same || spelling_same(b, a) != rows[i].same)
			fail_msg("'%s' and '%s'", rows[i].a, rows[i].b);
	}
}

/* More than a name has: the comparison would take the square of them. */
static void too_many_attributes_equal_nothing(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < SPELLING_ATTRIBUTES_MAX; i++)
		buf_printf(&b, "OU=%d;", i);
	assert_true(spelling_same(buf_span(&b), buf_span(&b)));
	buf_str(&b, "CN=one more");
	assert_false(spelling_same(buf_span(&b), buf_span(&b)));
	buf_free(&b);
}

/* Whoever writes the Name in the same form gets the text back. */
static void names_are_made_of_spellings(void **state)
{
	static const struct {
		const char *text;
		enum tlv_name_form form;
		char separator;
	} rows[] = {
		{ "CN=pub;OU=TAC;O=Cisco;L=Krakow;ST=Malopolska;C=PL", TLV_NAME_SERVER, ';' },
		{ "CN=pub;O=Cisco, Inc.", TLV_NAME_SERVER, ';' },
		{ "CN=M\xc3\xbcller", TLV_NAME_SERVER, ';' },
		{ "cn=\"SAST-ADN0054f509        \";ou=IPCBU;o=Cisco Systems", TLV_NAME_TOKEN, ';' },
		{ "C=PL,DC=example,O=Cisco\\, Inc.,CN=pub", TLV_NAME_RFC4514, ',' },
		{ "C=PL;O=Cisco;CN=pub", TLV_NAME_RFC4514, ';' },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf name = BUF_INIT, text = BUF_INIT;
		struct tlv_err e = TLV_ERR_INIT;

		spelling_put_name(&name, span_str(rows[i].text));
		assert_int_equal(
			tlv_name_write(&text, buf_span(&name), rows[i].form, rows[i].separator, &e),
			ST_OK);
		assert_string_equal(buf_cstr(&text), rows[i].text);
		buf_free(&name);
		buf_free(&text);
	}
}

static void what_is_no_name_becomes_the_cn(void **state)
{
	static const char *const texts[] = { "nothing", "X=1;Y=2", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct buf name = BUF_INIT, cn = BUF_INIT;

		spelling_put_name(&name, span_str(texts[i]));
		assert_true(tlv_name_cn(buf_span(&name), &cn));
		assert_string_equal(buf_cstr(&cn), texts[i]);
		buf_free(&name);
		buf_free(&cn);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings_are_compared),
		cmocka_unit_test(too_many_attributes_equal_nothing),
		cmocka_unit_test(names_are_made_of_spellings),
		cmocka_unit_test(what_is_no_name_becomes_the_cn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
