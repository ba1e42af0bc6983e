/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What people call records and certificates, in every dialect of names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tlv/small_cert.h"
#include "tlv/label.h"

static void assert_label(const char *subject, const char *label)
{
	struct tlv_record r = { .subject = span_str(subject) };
	struct buf b = BUF_INIT;

	tlv_label_record(&b, &r);
	assert_string_equal(buf_cstr(&b), label);
	buf_free(&b);
}

static void a_printed_name_is_its_cn(void **state)
{
	(void)state;
	assert_label("CN=cucm-1051-a-pub;OU=TAC;O=Cisco", "cucm-1051-a-pub");
	assert_label("cn=\"SAST-ADN008580ef        \";ou=IPCBU;o=\"Cisco Systems",
		     "SAST-ADN008580ef");
	assert_label("L=Krakow,CN=pbx,C=PL", "pbx");
	assert_label("OU=x+cn=y", "y");
	assert_label("CN=y+OU=x", "y");
	assert_label("CN=a+b;OU=x", "a+b");
	assert_label("CN=a+C;OU=x", "a+C");
	assert_label("CN=Doe, John;O=x", "Doe, John");
	assert_label("CN=Doe\\, John,O=x", "Doe, John");
	assert_label("CN=SAST-ADN008580ef       \\ ,OU=IPCBU", "SAST-ADN008580ef");
	assert_label("O=\"CN=x;CN=y\";CN=z", "z");
	assert_label("CN=", "");
	assert_label("cn=\"", "");
	/* No attribute is called so. */
	assert_label("OU=xCN=y", "OU=xCN=y");
	assert_label("O=Cisco ", "O=Cisco");
	assert_label("", "");
	assert_label("CN=x\x1b[2J", "x\\x1b[2J");
}

static void assert_place(const struct tlv_record *r, const char *text)
{
	struct buf b = BUF_INIT;

	tlv_label_place(&b, r);
	assert_string_equal(buf_cstr(&b), text);
	buf_free(&b);
}

static void a_place_says_nothing_twice(void **state)
{
	struct tlv_record r = { .role = 4,
				.dns_name = SPAN_LIT("pub\0"),
				.address = SPAN_LIT("\x0a\x30\x2f\x99") };

	(void)state;
	assert_place(&r, "CAPF pub 10.48.47.153");
	assert_true(tlv_label_has_address(&r));
	r.dns_name = SPAN_LIT("10.48.47.153\0");
	assert_place(&r, "CAPF 10.48.47.153");
	r.address = SPAN_LIT("\xfd\x00");
	assert_place(&r, "CAPF 10.48.47.153 FD:00");
	r.address = SPAN_LIT("\0\0\0\0");
	r.dns_name = SPAN_NONE;
	r.role = 9;
	assert_place(&r, "function 9");
	assert_false(tlv_label_has_address(&r));
	r.address = SPAN_NONE;
	assert_false(tlv_label_has_address(&r));
}

static void assert_cert(struct span subject, const char *label)
{
	struct tlv_cert c = { .subject = subject };
	struct buf b = BUF_INIT;

	tlv_label_cert(&b, &c);
	assert_string_equal(buf_cstr(&b), label);
	buf_free(&b);
}

static void a_certificate_has_a_name(void **state)
{
	struct buf der = small_cert("ca", "pub   ", SPAN_LIT("\x11")), b = BUF_INIT;
	struct tlv_record r = { .subject = SPAN_LIT("CN=other"), .certificate = buf_span(&der) };

	(void)state;
	tlv_label_record(&b, &r);
	assert_string_equal(buf_cstr(&b), "pub");
	assert_cert(SPAN_LIT("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01 "), "CN=\\ ");
	assert_cert(SPAN_LIT("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01X"), "O=X");
	assert_cert(SPAN_LIT("\x30\0"), "no name");
	buf_free(&b);
	buf_free(&der);
}

static void a_serial_has_colons(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	tlv_label_serial(&b, SPAN_LIT("\x70\xca\x0f"));
	assert_string_equal(buf_cstr(&b), "70:CA:0F");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_printed_name_is_its_cn),
		cmocka_unit_test(a_place_says_nothing_twice),
		cmocka_unit_test(a_certificate_has_a_name),
		cmocka_unit_test(a_serial_has_colons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
