/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Names as each writer renders them. Expected strings are the vendor's
 * printed ones, or follow from RFC 4514 and the rules of docs/FORMAT.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tlv/der.h"
#include "tlv/name.h"
#include "tlv/record.h"

#define CN "\x55\x04\x03"
#define OU "\x55\x04\x0b"
#define O "\x55\x04\x0a"
#define L "\x55\x04\x07"
#define ST "\x55\x04\x08"
#define C "\x55\x04\x06"
#define DC "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"
#define SERIAL "\x55\x04\x05"
#define EMAIL "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"
#define NOBODY "\x2b\x06\x01\x04\x01\x86\x8d\x1f\x01" /* 1.3.6.1.4.1.99999.1 */

/* One attribute; its value may hold NULs, so its length is given where it matters. */
struct attr {
	const char *oid;
	uint8_t type;
	const char *value;
	size_t n;      /* 0: strlen */
	bool same_rdn; /* joins the RDN before it */
};

enum { ATTRS = 8 };

static void put_element(struct buf *b, uint8_t tag, struct span value)
{
	buf_u8(b, tag);
	if (value.n >= 0x80)
		buf_u8(b, 0x82);
	if (value.n >= 0x80)
		buf_u16(b, (uint16_t)value.n);
	else
		buf_u8(b, (uint8_t)value.n);
	buf_put(b, value);
}

static void put_attr(struct buf *b, const struct attr *a)
{
	struct buf pair = BUF_INIT;

	put_element(&pair, DER_OID, span_str(a->oid));
	put_element(&pair, a->type, span_of(a->value, a->n != 0 ? a->n : strlen(a->value)));
	put_element(b, DER_SEQUENCE, buf_span(&pair));
	buf_free(&pair);
}

static struct buf make_name(const struct attr *attrs)
{
	struct buf name = BUF_INIT, all = BUF_INIT;

	for (size_t i = 0; i < ATTRS && attrs[i].oid != NULL;) {
		struct buf set = BUF_INIT;

		put_attr(&set, &attrs[i++]);
		while (i < ATTRS && attrs[i].oid != NULL && attrs[i].same_rdn)
			put_attr(&set, &attrs[i++]);
		put_element(&all, DER_SET, buf_span(&set));
		buf_free(&set);
	}
	put_element(&name, DER_SEQUENCE, buf_span(&all));
	buf_free(&all);
	return name;
}

enum { U = DER_UTF8_STRING, P = DER_PRINTABLE_STRING };

static const struct row {
	const char *what;
	struct attr attrs[ATTRS];
	const char *server, *token, *rfc4514; /* NULL: refused */
} rows[] = {
	{ "the publisher's, as CUCM prints it",
	  { { C, P, "PL", 0, 0 },
	    { O, U, "Cisco", 0, 0 },
	    { OU, U, "TAC", 0, 0 },
	    { CN, U, "cucm-1051-a-pub", 0, 0 },
	    { ST, U, "Malopolska", 0, 0 },
	    { L, U, "Krakow", 0, 0 } },
	  "CN=cucm-1051-a-pub;OU=TAC;O=Cisco;L=Krakow;ST=Malopolska;C=PL",
	  "cn=cucm-1051-a-pub;ou=TAC;o=Cisco;l=Krakow;st=Malopolska;c=PL",
	  "C=PL,O=Cisco,OU=TAC,CN=cucm-1051-a-pub,ST=Malopolska,L=Krakow" },
	{ "a token's, as the CTL Client prints it",
	  { { O, P, "Cisco Systems, Inc.", 0, 0 },
	    { OU, P, "IPCBU", 0, 0 },
	    { CN, P, "SAST-ADN008580ef        ", 0, 0 } },
	  "CN=SAST-ADN008580ef        ;OU=IPCBU;O=Cisco Systems, Inc.",
	  "cn=\"SAST-ADN008580ef        \";ou=IPCBU;o=\"Cisco Systems",
	  "O=Cisco Systems\\, Inc.,OU=IPCBU,CN=SAST-ADN008580ef       \\ " },
	{ "the tokens' issuer",
	  { { O, P, "Cisco Systems", 0, 0 }, { CN, P, "Cisco Manufacturing CA", 0, 0 } },
	  "CN=Cisco Manufacturing CA;O=Cisco Systems",
	  "cn=Cisco Manufacturing CA;o=Cisco Systems",
	  "O=Cisco Systems,CN=Cisco Manufacturing CA" },
	{ "no attributes", { { NULL, 0, NULL, 0, 0 } }, "", "", "" },
	{ "an empty value", { { CN, U, "", 0, 0 } }, "CN=", "cn=", "CN=" },
	{ "a comma in the CN ends a token's name",
	  { { CN, U, "a,b", 0, 0 }, { O, U, "x", 0, 0 } },
	  "CN=a,b;O=x",
	  "cn=\"a",
	  "CN=a\\,b,O=x" },
	{ "RFC 4514 specials",
	  { { CN, U, "#a+\"\\<>=;", 0, 0 } },
	  NULL,
	  NULL,
	  "CN=\\#a\\+\\\"\\\\\\<\\>=\\;" },
	{ "a sharp inside", { { CN, U, "a#b", 0, 0 } }, "CN=a#b", "cn=a#b", "CN=a#b" },
	{ "blanks at both ends", { { CN, U, " a ", 0, 0 } }, "CN= a ", "cn=\" a \"", "CN=\\ a\\ " },
	{ "one blank", { { CN, U, " ", 0, 0 } }, "CN= ", "cn=\" \"", "CN=\\ " },
	{ "a NUL", { { CN, U, "a\0b", 3, 0 } }, NULL, "cn=a", NULL },
	{ "a semicolon", { { CN, U, "a;b", 0, 0 } }, NULL, NULL, "CN=a\\;b" },
	{ "a semicolon behind the cut",
	  { { CN, U, "a,b;c", 0, 0 } },
	  NULL,
	  "cn=\"a",
	  "CN=a\\,b\\;c" },
	{ "UTF-8",
	  { { CN, U, "K\xc3\xb6ln", 0, 0 } },
	  "CN=K\xc3\xb6ln",
	  "cn=K\xc3\xb6ln",
	  "CN=K\xc3\xb6ln" },
	{ "Latin-1 in a T61String",
	  { { CN, DER_T61_STRING, "K\xf6ln", 0, 0 } },
	  "CN=K\xc3\xb6ln",
	  "cn=K\xc3\xb6ln",
	  "CN=K\xc3\xb6ln" },
	{ "a BMPString with a surrogate pair",
	  { { CN, DER_BMP_STRING, "\0A\xd8\x3d\xde\0", 6, 0 } },
	  "CN=A\xf0\x9f\x98\x80",
	  "cn=A\xf0\x9f\x98\x80",
	  "CN=A\xf0\x9f\x98\x80" },
	{ "a lone surrogate", { { CN, DER_BMP_STRING, "\xd8\x3d", 2, 0 } }, NULL, NULL, NULL },
	{ "a surrogate without its second half",
	  { { CN, DER_BMP_STRING, "\xd8\x3d\0A", 4, 0 } },
	  NULL,
	  NULL,
	  NULL },
	{ "a low surrogate first",
	  { { CN, DER_BMP_STRING, "\xdc\x00\xd8\x3d", 4, 0 } },
	  NULL,
	  NULL,
	  NULL },
	{ "a surrogate before a character above them",
	  { { CN, DER_BMP_STRING, "\xd8\x3d\xe0\x00", 4, 0 } },
	  NULL,
	  NULL,
	  NULL },
	{ "half a BMP character", { { CN, DER_BMP_STRING, "\0A\0", 3, 0 } }, NULL, NULL, NULL },
	{ "a UniversalString",
	  { { CN, DER_UNIVERSAL_STRING, "\0\0\x20\xac", 4, 0 } },
	  "CN=\xe2\x82\xac",
	  "cn=\xe2\x82\xac",
	  "CN=\xe2\x82\xac" },
	{ "beyond Unicode",
	  { { CN, DER_UNIVERSAL_STRING, "\0\x11\0\0", 4, 0 } },
	  NULL,
	  NULL,
	  NULL },
	{ "broken UTF-8", { { CN, U, "\xc3(", 0, 0 } }, NULL, NULL, NULL },
	{ "an overlong slash", { { CN, U, "\xc0\xaf", 0, 0 } }, NULL, NULL, NULL },
	{ "a byte over 127 in a PrintableString",
	  { { CN, P, "K\xf6ln", 0, 0 } },
	  NULL,
	  NULL,
	  NULL },
	{ "no string at all",
	  { { CN, 0x02, "\x05", 0, 0 } },
	  "CN=#020105",
	  "cn=#020105",
	  "CN=#020105" },
	{ "several CNs and OUs keep their order",
	  { { OU, U, "1", 0, 0 },
	    { CN, U, "a", 0, 0 },
	    { OU, U, "2", 0, 0 },
	    { CN, U, "b", 0, 0 } },
	  "CN=a;CN=b;OU=1;OU=2",
	  "cn=a;cn=b;ou=1;ou=2",
	  "OU=1,CN=a,OU=2,CN=b" },
	{ "two attributes in one RDN",
	  { { CN, U, "a", 0, 0 }, { O, U, "b", 0, true } },
	  "CN=a;O=b",
	  "cn=a;o=b",
	  "CN=a,O=b" },
	{ "an issuer of Active Directory's",
	  { { DC, DER_IA5_STRING, "local", 0, 0 },
	    { DC, DER_IA5_STRING, "example", 0, 0 },
	    { CN, U, "example-CA", 0, 0 } },
	  "CN=example-CA",
	  "cn=example-CA;dc=local;dc=example",
	  "DC=local,DC=example,CN=example-CA" },
	{ "what the server leaves out need not be text, nor free of its separator",
	  { { EMAIL, DER_IA5_STRING, "a;b", 0, 0 }, { CN, U, "n", 0, 0 } },
	  "CN=n",
	  NULL,
	  "1.2.840.113549.1.9.1=a\\;b,CN=n" },
	{ "attributes beyond the six: the server leaves them out, elsewhere they come last",
	  { { DC, DER_IA5_STRING, "x", 0, 0 },
	    { SERIAL, P, "7", 0, 0 },
	    { EMAIL, DER_IA5_STRING, "a@b", 0, 0 },
	    { NOBODY, U, "z", 0, 0 },
	    { CN, U, "n", 0, 0 } },
	  "CN=n",
	  "cn=n;dc=x;serialnumber=7;emailaddress=a@b;1.3.6.1.4.1.99999.1=z",
	  "DC=x,2.5.4.5=7,1.2.840.113549.1.9.1=a@b,1.3.6.1.4.1.99999.1=z,CN=n" },
};

static void assert_form(const struct row *row, struct span name, enum tlv_name_form form,
			const char *expected)
{
	struct buf out = BUF_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	enum status st = tlv_name_write(&out, name, form, ',', &e);

	if (expected == NULL) {
		if (st != ST_INPUT || err_text(&e)[0] == '\0')
			fail_msg("%s: form %d: taken as '%s'", row->what, (int)form,
				 buf_cstr(&out));
	} else if (st != ST_OK || !span_eq(buf_span(&out), span_str(expected))) {
		fail_msg("%s: form %d: '%s' (%s)", row->what, (int)form, buf_cstr(&out),
			 err_text(&e));
	}
	buf_free(&out);
}

static void every_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf name = make_name(rows[i].attrs);

		assert_form(&rows[i], buf_span(&name), TLV_NAME_SERVER, rows[i].server);
		assert_form(&rows[i], buf_span(&name), TLV_NAME_TOKEN, rows[i].token);
		assert_form(&rows[i], buf_span(&name), TLV_NAME_RFC4514, rows[i].rfc4514);
		buf_free(&name);
	}
}

/* Lists that releases 0.x wrote are still read: their rendering is found, as the last one tried. */
static void former_rendering(void **state)
{
	static const struct attr attrs[ATTRS] = { { DC, DER_IA5_STRING, "local", 0, 0 },
						  { CN, U, "a", 0, 0 } };
	struct buf name = make_name(attrs);
	struct tlv_name_match now = tlv_name_match(SPAN_LIT("CN=a"), buf_span(&name)),
			      then = tlv_name_match(SPAN_LIT("CN=a;DC=local"), buf_span(&name));

	(void)state;
	assert_true(now.matches && now.form == TLV_NAME_SERVER);
	assert_true(then.matches && then.form == TLV_NAME_SERVER_0);
	assert_false(tlv_name_match(SPAN_LIT("CN=a;DC=other"), buf_span(&name)).matches);
	buf_free(&name);
}

static void community_separator(void **state)
{
	static const struct attr attrs[ATTRS] = { { CN, U, "a", 0, 0 }, { O, U, "b;c", 0, 0 } };
	struct buf name = make_name(attrs), out = BUF_INIT;

	(void)state;
	assert_int_equal(tlv_name_write(&out, buf_span(&name), TLV_NAME_RFC4514, ';', NULL), ST_OK);
	assert_string_equal(buf_cstr(&out), "CN=a;O=b\\;c");
	buf_free(&out);
	buf_free(&name);
}

/* Every cut and every flipped bit of a Name: refused or rendered, never a crash. */
static void broken_names(void **state)
{
	struct buf name = make_name(rows[0].attrs);

	(void)state;
	for (size_t n = 0; n < name.n; n++) {
		struct buf cut = BUF_INIT, out = BUF_INIT;

		buf_put(&cut, span_slice(buf_span(&name), 0, n));
		assert_int_equal(tlv_name_write(&out, buf_span(&cut), TLV_NAME_SERVER, ',', NULL),
				 ST_INPUT);
		buf_free(&cut);
		buf_free(&out);
	}
	for (size_t i = 0; i < name.n * 8; i++) {
		struct buf out = BUF_INIT;

		name.p[i / 8] ^= (uint8_t)(1U << i % 8);
		for (int form = 0; form < 3; form++)
			(void)tlv_name_write(&out, buf_span(&name), (enum tlv_name_form)form, ',',
					     NULL);
		name.p[i / 8] ^= (uint8_t)(1U << i % 8);
		buf_free(&out);
	}
	buf_free(&name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form),
		cmocka_unit_test(former_rendering),
		cmocka_unit_test(community_separator),
		cmocka_unit_test(broken_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
