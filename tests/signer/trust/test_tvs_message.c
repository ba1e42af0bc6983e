/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Questions to TVS and its answers, byte by byte as docs/TVS.md has them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signer/trust/tvs_message.h"
#include "tlv/text.h"

static struct span bytes(struct buf *b, const char *hex)
{
	buf_truncate(b, 0);
	assert_int_equal(hex_parse(span_str(hex), " ", b), HEX_OK);
	return buf_span(b);
}

static const struct tvs_signer pub = { .subject = SPAN_LIT("CN=pub"),
				       .issuer = SPAN_LIT("CN=pub"),
				       .serial = SPAN_LIT("\x12\x34") };

/* The example of docs/TVS.md. */
static void the_question_of_the_page(void **state)
{
	struct buf b = BUF_INIT, expected = BUF_INIT;

	(void)state;
	assert_int_equal(tvs_put_question(&b, TVS_QUERY, 7, "CP-8861-SEP001122334455", &pub, NULL),
			 ST_OK);
	assert_true(span_eq(
		buf_span(&b),
		bytes(&expected,
		      "57010300 00000007 0034 010018 0143502d383836312d534550303031313232333334343535"
		      "030007 434e3d70756200 040007 434e3d70756200 050002 1234")));
	buf_free(&b);
	buf_free(&expected);
}

static void a_question_has_an_end(void **state)
{
	struct buf b = BUF_INIT, long_one = BUF_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	struct tvs_signer s = { .certificate = SPAN_NONE };

	(void)state;
	for (size_t i = 0; i < 0x10000; i++)
		buf_u8(&long_one, 0x30);
	s.certificate = span_slice(buf_span(&long_one), 0, 0xFFFF - 6 - 4);
	assert_int_equal(tvs_put_question(&b, TVS_VERIFY, 1, "ABC", &s, NULL), ST_OK);
	assert_int_equal(b.n, TVS_MESSAGE_MAX);
	buf_truncate(&b, 0);
	s.certificate.n++;
	assert_int_equal(tvs_put_question(&b, TVS_VERIFY, 1, "ABC", &s, NULL), ST_INPUT);
	buf_truncate(&b, 0);
	s.certificate = buf_span(&long_one);
	assert_int_equal(tvs_put_question(&b, TVS_VERIFY, 1, "ABC", &s, &e), ST_INPUT);
	buf_free(&b);
	buf_free(&long_one);
}

static void the_answer_of_the_page(void **state)
{
	struct buf b = BUF_INIT;
	struct tvs_reply r;

	(void)state;
	assert_int_equal(
		tvs_read_reply(
			&r,
			bytes(&b, "57010400 00000007 0010 070001 00 080002 0002 090004 00015180"),
			TVS_QUERY, 7, &pub, NULL),
		ST_OK);
	assert_true(r.known && r.has_ttl && r.ttl == 86400);
	assert_true(span_eq(r.roles, SPAN_LIT("\0\2")));
	assert_int_equal(r.certificate.n, 0);
	buf_free(&b);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *hex, *says;
	} bad[] = {
		{ "", "ends inside its header" },
		{ "570104 00 00000007 00", "ends inside its header" },
		{ "580104 00 00000007 0004 070001 00", "no message of TVS" },
		{ "570204 00 00000007 0004 070001 00", "no message of TVS" },
		{ "570102 00 00000007 0004 070001 00", "of type 2, not of type 4" },
		{ "570104 00 00000008 0004 070001 00", "to session 8, not to 7" },
		{ "570104 00 00000007 0005 070001 00", "claims 5 bytes" },
		{ "570104 00 00000007 0003 070001 00", "claims 3 bytes" },
		{ "570104 00 00000007 0000", "has no status" },
		{ "570104 00 00000007 0008 070001 00 070001 01", "element 7 is there twice" },
		{ "570104 00 00000007 000a 070001 00 080000 080000", "element 8 is there twice" },
		{ "570104 00 00000007 0005 070002 0000", "status has 2 bytes" },
		{ "570104 00 00000007 000a 070001 00 090003 000000", "time to live has 3 bytes" },
		{ "570104 00 00000007 0006 070001 00 0800", "longer than the 2 bytes left" },
		{ "570104 00 00000007 0008 070001 00 080009 00", "longer than the 4 bytes left" },
		{ "570104 00 00000007 0009 070001 00 020002 3000", "not of the serial number" },
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct tvs_reply r;

		assert_int_equal(tvs_read_reply(&r, bytes(&b, bad[i].hex), TVS_QUERY, 7, &pub, &e),
				 ST_INPUT);
		if (strstr(err_text(&e), bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].hex, err_text(&e));
	}
	buf_free(&b);
}

/* The fourth byte, unknown elements and every other status: taken as they are. */
static void what_is_open_is_taken(void **state)
{
	struct buf b = BUF_INIT;
	struct tvs_reply r;
	struct cursor c;
	struct span value;
	unsigned n = 0;
	uint8_t tag;

	(void)state;
	assert_int_equal(
		tvs_read_reply(&r, bytes(&b, "570102ff 00000007 000c c80000 c80002abcd 070001 05"),
			       TVS_VERIFY, 7, &pub, NULL),
		ST_OK);
	assert_true(!r.known && r.status == 5 && !r.has_ttl && r.roles.n == 0);
	c = cursor_of(r.elements);
	while (tvs_next_element(&c, &tag, &value))
		n += tvs_tag_is_answer(tag) ? 0 : 1 + (unsigned)value.n;
	assert_int_equal(n, 4);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_question_of_the_page), cmocka_unit_test(a_question_has_an_end),
		cmocka_unit_test(the_answer_of_the_page),   cmocka_unit_test(what_is_refused),
		cmocka_unit_test(what_is_open_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
