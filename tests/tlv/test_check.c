/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is rare in lists and legal: hashes in place of certificates, ITLs, odd
 * dialects, headers that do not fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/tlv/bytes_file.h"
#include "tlv/check.h"
#include "tlv/list.h"
#include "tlv/writer.h"

static void put_header(struct buf *b, const char *filename)
{
	struct tlv_header_spec s = { .version = { 1, 2 },
				     .signer_name = SPAN_LIT("CN=a\0"),
				     .signer_serial = SPAN_LIT("\1"),
				     .signer_issuer = SPAN_LIT("CN=a\0"),
				     .digest = 1,
				     .modulus = 1,
				     .signature_bytes = 128,
				     .filename = span_str(filename),
				     .has_timestamp = true,
				     .has_signer_version = true,
				     .signer_version = { 1, 1 } };
	size_t hole;

	assert_int_equal(tlv_header_write(b, &s, &hole, NULL), ST_OK);
}

/* Fields of a record: tag and value, ended by tag 0. */
struct part {
	uint8_t tag;
	struct span value;
};

static void put_record(struct buf *b, const struct part *parts)
{
	struct tlv_writer w = tlv_writer_of(b, TLV_SCOPE_RECORD, NULL);
	size_t start = b->n, at = tlv_put_hole(&w, TLV_R_RECORD_LENGTH, 2);

	for (; parts->tag != 0; parts++)
		tlv_put(&w, parts->tag, parts->value);
	buf_fill_u16(b, at, (uint16_t)(b->n - start));
	assert_int_equal(tlv_writer_done(&w), ST_OK);
}

static size_t count(const struct tlv_findings *f, enum tlv_finding_code code)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->v[i].code == code;
	return n;
}

/* clang-format off */
#define SUBJECT { TLV_R_SUBJECT_NAME, SPAN_LIT("CN=a\0") }
#define ISSUER { TLV_R_ISSUER_NAME, SPAN_LIT("CN=a\0") }
#define SERIAL { TLV_R_SERIAL, SPAN_LIT("\1") }
#define ROLE(low) { TLV_R_FUNCTION, SPAN_LIT("\0" low) }
#define HASH { TLV_R_CERT_HASH, SPAN_LIT("\1\2\3") }
/* clang-format on */

static void hashes_stand_for_certificates(void **state)
{
	static const struct part hashed[] = {
		SUBJECT,	 ROLE("\x15"), ISSUER,
		SERIAL,		 HASH,	       { TLV_R_HASH_ALGORITHM, SPAN_LIT("\1") },
		{ 0, SPAN_NONE }
	};
	static const struct part ccm[] = { ROLE("\2"), SUBJECT, ISSUER,
					   SERIAL,     HASH,	{ 0, SPAN_NONE } };
	struct tlv_findings f = TLV_FINDINGS_INIT;
	struct buf b = BUF_INIT;
	struct tlv_list l;

	(void)state;
	put_header(&b, "ITLFile.tlv");
	put_record(&b, hashed);
	put_record(&b, ccm);
	assert_int_equal(tlv_list_decode(&l, buf_span(&b), NULL), ST_OK);
	assert_true(tlv_list_is_itl(&l) && !tlv_list_is_non_secure(&l));
	assert_int_equal(tlv_list_record(&l, 0).hash.n, 3);
	assert_int_equal(tlv_list_record(&l, 0).hash_algorithm.n, 1);
	assert_int_equal(tlv_list_record(&l, 9).raw.n, 0);
	assert_int_equal(tlv_list_signer(&l), TLV_SIGNER_NONE);
	tlv_check_list(&l, &f);
	assert_int_equal(count(&f, TLV_FIND_MISSING), 0);
	assert_int_equal(count(&f, TLV_FIND_KIND), 0);
	assert_int_equal(count(&f, TLV_FIND_LONE_SAST), 0);
	tlv_findings_free(&f);
	tlv_list_free(&l);
	buf_free(&b);
}

static void non_secure_records_are_told(void **state)
{
	static const struct part bare[] = { ROLE("\2"), { 0, SPAN_NONE } };
	static const struct part name_alone[] = { { TLV_R_DNS_NAME, SPAN_LIT("n\0") },
						  { 0, SPAN_NONE } };
	struct buf b = BUF_INIT;
	struct tlv_list l;

	(void)state;
	put_header(&b, "CTLFile.tlv");
	put_record(&b, name_alone);
	assert_int_equal(tlv_list_decode(&l, buf_span(&b), NULL), ST_OK);
	assert_false(tlv_list_is_non_secure(&l));
	tlv_list_free(&l);
	put_record(&b, bare);
	assert_int_equal(tlv_list_decode(&l, buf_span(&b), NULL), ST_OK);
	assert_true(tlv_list_is_non_secure(&l));
	tlv_list_free(&l);
	buf_free(&b);
}

static enum tlv_style style_of(const struct part *parts, int sure)
{
	struct tlv_dialect d;
	struct tlv_record r;
	struct buf b = BUF_INIT;

	put_record(&b, parts);
	assert_int_equal(tlv_record_decode(&r, buf_span(&b), 0, NULL), ST_OK);
	assert_int_equal(tlv_record_dialect(&r, &d), sure);
	buf_free(&b);
	return d.style;
}

static void dialects_of_odd_records(void **state)
{
	static const struct part address[] = { { TLV_R_DNS_NAME, SPAN_LIT("10.0.0.1\0") },
					       ROLE("\2"),
					       { 0, SPAN_NONE } };
	static const struct part signed_too[] = { { TLV_R_DNS_NAME, SPAN_LIT("10.0.0.1\0") },
						  { TLV_R_CERT_SIGNATURE, SPAN_LIT("x") },
						  ROLE("\2"),
						  { 0, SPAN_NONE } };
	static const struct part nameless[] = { { TLV_R_DNS_NAME, SPAN_LIT("\0") },
						ROLE("\2"),
						{ 0, SPAN_NONE } };
	static const struct part token[] = { { TLV_R_DNS_NAME, SPAN_LIT("\0") },
					     ROLE("\0"),
					     { 0, SPAN_NONE } };
	static const struct part comma[] = { { TLV_R_SUBJECT_NAME, SPAN_LIT("CN=a,O=b\0") },
					     { 0, SPAN_NONE } };
	static const struct part plain[] = { SUBJECT, { 0, SPAN_NONE } };

	(void)state;
	assert_int_equal(style_of(address, 2), TLV_STYLE_CTL_CLIENT);
	assert_int_equal(style_of(signed_too, 2), TLV_STYLE_CUCM);
	assert_int_equal(style_of(nameless, 2), TLV_STYLE_CUCM);
	assert_int_equal(style_of(token, 1), TLV_STYLE_CTL_CLIENT);
	assert_int_equal(style_of(comma, 2), TLV_STYLE_RFC4514);
	assert_int_equal(style_of(plain, 1), TLV_STYLE_RFC4514);
}

static void headers_that_do_not_fit(void **state)
{
	static uint8_t many[65600];
	struct tlv_header_spec s = { .signature_bytes = 128, .filename = SPAN_LIT("f") };
	struct tlv_err e = TLV_ERR_INIT;
	struct buf b = BUF_INIT;
	size_t hole;

	(void)state;
	memset(many, 'n', sizeof many);
	s.signer_name = span_of(many, 65500);
	assert_int_equal(tlv_header_write(&b, &s, &hole, &e), ST_INPUT);
	assert_string_equal(err_text(&e),
			    "header: 65676 bytes, its length field holds at most 65535");
	buf_free(&b);
	e = TLV_ERR_INIT;
	s.signer_name = SPAN_NONE;
	s.filename = span_of(many, 65536);
	assert_int_equal(tlv_header_write(&b, &s, &hole, &e), ST_INPUT);
	assert_string_equal(err_text(&e),
			    "header: file name: 65537 bytes, a field holds at most 65535");
	buf_free(&b);
	/* A container's content that is too long in all. */
	e = TLV_ERR_INIT;
	s.filename = SPAN_LIT("f");
	s.signer_name = s.signer_issuer = span_of(many, 40000);
	assert_int_equal(tlv_header_write(&b, &s, &hole, &e), ST_INPUT);
	assert_string_equal(err_text(&e),
			    "header: signer id: 80009 bytes, a field holds at most 65535");
	buf_free(&b);
	b.max = 100;
	e = TLV_ERR_INIT;
	s.signer_name = s.signer_issuer = SPAN_NONE;
	assert_int_equal(tlv_header_write(&b, &s, &hole, &e), ST_INPUT);
	buf_free(&b);
}

static void beginnings(void **state)
{
	struct tlv_record r;
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_true(tlv_list_begins(SPAN_LIT("\1\0\2\1\2")));
	assert_false(tlv_list_begins(SPAN_LIT("\1\0")));
	assert_int_equal(tlv_record_decode(&r, SPAN_NONE, 7, &e), ST_INPUT);
	assert_string_equal(err_text(&e), "empty");
	assert_int_equal(e.at, 7);
	assert_int_equal(tlv_record_decode(&r, SPAN_NONE, 7, NULL), ST_INPUT);
}

/* An error struct is not wanted: the status says it all the same. */
static void faults_without_a_place_to_tell(void **state)
{
	static const char *const bad[] = { "", "\x63", "\1", "\1\0\2\1\2" };
	struct tlv_header h;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(tlv_header_decode(&h, span_str(bad[i]), NULL), ST_INPUT);
	assert_int_equal(tlv_header_decode(&h, SPAN_LIT("\1\0\2\1\2"), NULL), ST_INPUT);
}

static void texts_of_findings(void **state)
{
	(void)state;
	assert_string_equal(tlv_finding_text(TLV_FIND_LONE_SAST), "lone-sast");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_stand_for_certificates),
		cmocka_unit_test(non_secure_records_are_told),
		cmocka_unit_test(dialects_of_odd_records),
		cmocka_unit_test(headers_that_do_not_fit),
		cmocka_unit_test(beginnings),
		cmocka_unit_test(faults_without_a_place_to_tell),
		cmocka_unit_test(texts_of_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
