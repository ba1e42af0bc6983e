/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What kind of thing it is: each rule against a table, and the one rule that
 * says which record is the signer's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/tlv/bytes_file.h"
#include "tests/tlv/small_cert.h"
#include "tlv/kind.h"
#include "tlv/list.h"

#define HAS(tag) (1U << (unsigned)(tag))
#define LIT(text) SPAN_LIT(text)

static void certificates_are_told_by_their_names(void **state)
{
	static const struct {
		const char *issuer, *subject;
		bool token, itlrecovery;
	} rows[] = {
		{ "Cisco Manufacturing CA", "SAST-ADN008580ef        ", true, false },
		{ "Cisco Manufacturing CA SHA2", "SAST-ADN008580ef", true, false },
		{ "cisco manufacturing ca", "SAST-ADN008580ef", false, false },
		{ "Cisco Manufacturing CA", "Cisco Manufacturing CA", false, false },
		{ "Cisco Root CA 2048", "Cisco Manufacturing CA", false, false },
		{ "Cisco Manufacturing", "SAST-1", false, false },
		{ "ITLRECOVERY_pub", "ITLRECOVERY_pub", false, true },
		{ "ITLRecovery_pub", "ITLRecovery_pub", false, true },
		{ "itlrecovery_pub", "itlrecovery_pub", false, true },
		{ "corporate-ca", "ITLRecovery_pub.example.com", false, true },
		{ "ITLRECOVERY_pub", "pub", false, false },
		{ "ITLRECOVERY", "ITLRECOVERY", false, false },
		{ "x", "my-ITLRECOVERY_pub", false, false },
		{ "pub", "pub", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf der = small_cert(rows[i].issuer, rows[i].subject, LIT("\x11"));
		struct tlv_record r = { .present = HAS(TLV_R_FUNCTION) | HAS(TLV_R_CERTIFICATE) |
						   HAS(TLV_R_DNS_NAME),
					.dns_name = LIT("pub"),
					.certificate = buf_span(&der) };
		struct tlv_cert c;

		assert_int_equal(tlv_cert_walk(buf_span(&der), &c, NULL), ST_OK);
		assert_int_equal(tlv_cert_is_token(&c), rows[i].token);
		assert_int_equal(tlv_cert_is_itlrecovery(&c), rows[i].itlrecovery);
		assert_int_equal(tlv_record_is_token(&r), rows[i].token);
		assert_int_equal(tlv_record_is_itlrecovery(&r), rows[i].itlrecovery);
		r.role = TLV_ROLE_CCM;
		assert_false(tlv_record_is_token(&r));
		buf_free(&der);
	}
}

/* Only tokens' records have an empty name, but what the certificate says stands above it. */
static void an_empty_name_is_a_tokens(void **state)
{
	struct buf der = small_cert("ITLRECOVERY_pub", "ITLRECOVERY_pub", LIT("\x11"));
	struct tlv_record r = { .present = HAS(TLV_R_FUNCTION) | HAS(TLV_R_DNS_NAME),
				.dns_name = span_of("", 1) };

	(void)state;
	assert_true(tlv_record_is_nameless(&r) && tlv_record_is_token(&r));
	r.certificate = buf_span(&der);
	assert_false(tlv_record_is_token(&r));
	r.certificate = SPAN_NONE;
	r.present = HAS(TLV_R_DNS_NAME);
	assert_false(tlv_record_is_token(&r)); /* no FUNCTION: no SAST record */
	r.present = HAS(TLV_R_FUNCTION);
	assert_false(tlv_record_is_nameless(&r)); /* no name is no empty name */
	buf_free(&der);
}

/* An ITL may hold a certificate's hash in its place. */
static void a_subject_alone_tells_itlrecovery(void **state)
{
	struct tlv_record r = { .subject = LIT("CN=ITLRECOVERY_pub;O=x\0") };

	(void)state;
	assert_true(tlv_record_is_itlrecovery(&r));
	r.subject = LIT("cn=ITLRecovery_pub");
	assert_true(tlv_record_is_itlrecovery(&r));
	r.subject = LIT("O=ITLRECOVERY_pub");
	assert_false(tlv_record_is_itlrecovery(&r));
	r.subject = LIT("CN=");
	assert_false(tlv_record_is_itlrecovery(&r));
}

static void tftp_servers_have_two_roles(void **state)
{
	(void)state;
	for (unsigned role = 0; role < 30; role++) {
		struct tlv_record r = { .present = HAS(TLV_R_FUNCTION), .role = (uint16_t)role };
		bool is = role == 2 || role == 3;

		assert_int_equal(tlv_role_is_tftp((uint16_t)role), is);
		assert_int_equal(tlv_record_is_tftp(&r), is);
		r.present = 0;
		assert_false(tlv_record_is_tftp(&r));
	}
}

static void names_say_ctl_or_itl(void **state)
{
	static const struct {
		const char *name;
		enum tlv_list_kind kind;
	} rows[] = {
		{ "CTLFile.tlv", TLV_LIST_CTL },
		{ "ctlfile.tlv", TLV_LIST_CTL },
		{ "CTLSEP0011223344AA.tlv", TLV_LIST_CTL },
		{ "CTLFile.tlv.~3~", TLV_LIST_CTL },
		{ "/srv/tftp/CTLFile.tlv", TLV_LIST_CTL },
		{ "/srv/ITL/CTLFile.tlv", TLV_LIST_CTL },
		{ "http://10.0.0.1:6970/CTLFile.tlv", TLV_LIST_CTL },
		{ "http://10.0.0.1:6970/CTLFile.tlv?x=/ITLFile.tlv", TLV_LIST_CTL },
		{ "tftp://h/ITLFile.tlv#/CTL", TLV_LIST_ITL },
		{ "a?/ITLFile.tlv", TLV_LIST_ITL },
		{ "ITLFile.tlv", TLV_LIST_ITL },
		{ "itlsep0011223344aa.tlv", TLV_LIST_ITL },
		{ "ext_ITLFile.tlv", TLV_LIST_ITL },
		{ "EXT_itlfile.tlv", TLV_LIST_ITL },
		{ "ext_CTLFile.tlv", TLV_LIST_OTHER },
		{ "old-CTLFile.tlv", TLV_LIST_OTHER },
		{ "CT", TLV_LIST_OTHER },
		{ "CTL/", TLV_LIST_OTHER },
		{ "-", TLV_LIST_OTHER },
		{ "", TLV_LIST_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(tlv_kind_of_name(span_str(rows[i].name)), rows[i].kind);
	assert_string_equal(tlv_kind_text(TLV_LIST_ITL), "ITL");
	assert_string_equal(tlv_kind_text(TLV_LIST_CTL), "CTL");
	assert_string_equal(tlv_kind_text(TLV_LIST_OTHER), "CTL");
}

/* Phones compare bytes; an empty serial number is nobody's. */
static void the_header_names_its_signer_by_bytes(void **state)
{
	static const struct {
		struct span serial, issuer, of_header, issuer_of_header;
		bool names;
		enum tlv_serial_match match;
	} rows[] = {
		{ LIT("\x01\x02"), LIT("CN=a"), LIT("\x01\x02"), LIT("CN=a"), true,
		  TLV_SERIAL_SAME },
		{ LIT("\x01\x02"), LIT("CN=a"), LIT("\x01\x02"), LIT("CN=A"), false,
		  TLV_SERIAL_SAME },
		{ LIT("\x01\x02"), LIT("CN=a"), LIT("\x01\x02"), LIT("CN=a\0"), false,
		  TLV_SERIAL_SAME },
		{ LIT("\x01\x02"), LIT("CN=a"), LIT("\x02\x01"), LIT("CN=a"), false,
		  TLV_SERIAL_REVERSED },
		{ LIT("\x01\x02"), LIT("CN=a"), LIT("\x02"), LIT("CN=a"), false, TLV_SERIAL_OTHER },
		{ LIT("\x00"), LIT("CN=a"), LIT("\x00"), LIT("CN=a"), true, TLV_SERIAL_SAME },
		{ LIT(""), LIT("CN=a"), LIT(""), LIT("CN=a"), false, TLV_SERIAL_OTHER },
		{ LIT(""), LIT(""), LIT(""), LIT(""), false, TLV_SERIAL_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tlv_header h = { .signer_serial = rows[i].of_header,
					.signer_issuer = rows[i].issuer_of_header };
		struct tlv_record r = { .serial = rows[i].serial, .issuer = rows[i].issuer };

		assert_int_equal(tlv_header_serial(&h, rows[i].serial), rows[i].match);
		assert_int_equal(tlv_header_names(&h, rows[i].serial, rows[i].issuer),
				 rows[i].names);
		assert_int_equal(tlv_record_signs(&r, &h), rows[i].names);
	}
}

/* People may compare what phones do not: the serial turned, the name in another dialect. */
static void a_header_means_a_certificate_however_spelled(void **state)
{
	struct buf der = small_cert("issuer", "subject", LIT("\x11\x22"));
	struct tlv_header h = { .signer_serial = LIT("\x22\x11"),
				.signer_issuer = LIT("cn=issuer\0") };
	struct tlv_cert c;

	(void)state;
	assert_int_equal(tlv_cert_walk(buf_span(&der), &c, NULL), ST_OK);
	h.signer_issuer = LIT("CN=issuer\0");
	assert_true(tlv_header_means(&h, &c));
	h.signer_issuer = LIT("cn=issuer\0");
	assert_true(tlv_header_means(&h, &c));
	h.signer_issuer = LIT("CN=other\0");
	assert_false(tlv_header_means(&h, &c));
	h.signer_issuer = LIT("CN=issuer\0");
	h.signer_serial = SPAN_NONE;
	assert_false(tlv_header_means(&h, &c));
	buf_free(&der);
}

static void a_list_has_a_certificate_byte_for_byte(void **state)
{
	struct buf file = test_file("lists/cucm.tlv");
	struct tlv_list l;
	struct span sast, capf;

	(void)state;
	assert_int_equal(tlv_list_decode(&l, buf_span(&file), NULL), ST_OK);
	sast = tlv_list_record(&l, 0).certificate; /* and record 2, as CCM+TFTP */
	capf = tlv_list_record(&l, 2).certificate;
	assert_true(tlv_list_has(&l, TLV_ROLE_SAST, sast));
	assert_true(tlv_list_has(&l, TLV_ROLE_CCM_TFTP, sast));
	assert_false(tlv_list_has(&l, TLV_ROLE_TFTP, sast));
	assert_true(tlv_list_has(&l, TLV_ROLE_CAPF, capf));
	assert_false(tlv_list_has(&l, TLV_ROLE_SAST, capf));
	assert_false(tlv_list_has(&l, TLV_ROLE_SAST, span_slice(sast, 0, sast.n - 1)));
	assert_true(tlv_list_has_node(&l, sast) && tlv_list_has_node(&l, capf));
	tlv_list_free(&l);
	buf_free(&file);
}

/* Non-secure mode empties records: what is not there is not listed. */
static void an_empty_certificate_is_in_no_list(void **state)
{
	struct buf file = test_file("lists/non-secure.tlv");
	struct tlv_list l;

	(void)state;
	assert_int_equal(tlv_list_decode(&l, buf_span(&file), NULL), ST_OK);
	assert_int_equal(tlv_list_record(&l, 2).certificate.n, 0);
	assert_false(tlv_list_has(&l, TLV_ROLE_CCM_TFTP, SPAN_NONE));
	assert_false(tlv_list_has_node(&l, SPAN_NONE));
	tlv_list_free(&l);
	buf_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_are_told_by_their_names),
		cmocka_unit_test(an_empty_name_is_a_tokens),
		cmocka_unit_test(a_subject_alone_tells_itlrecovery),
		cmocka_unit_test(tftp_servers_have_two_roles),
		cmocka_unit_test(names_say_ctl_or_itl),
		cmocka_unit_test(the_header_names_its_signer_by_bytes),
		cmocka_unit_test(a_header_means_a_certificate_however_spelled),
		cmocka_unit_test(a_list_has_a_certificate_byte_for_byte),
		cmocka_unit_test(an_empty_certificate_is_in_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
