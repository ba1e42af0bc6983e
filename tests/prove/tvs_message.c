/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * signer/trust/tvs_message.c: any answer of a TVS, with any number of elements, and the questions.
 */
#include "signer/trust/tvs_message.h"

#include "tlv/cert.h"

#include "any.h"

enum { LONG = UINT16_MAX + 1 /* bytes: too many for a message */ };

/* Only a certificate has a serial number. */
enum status tlv_cert_walk(struct span der, struct tlv_cert *out, struct tlv_err *e)
{
	bool is_one = any_bool();

	/*@ split is_one; */
	is_span(der);
	any_bytes(out, sizeof *out);
	if (!is_one)
		return err_set(e, ST_INPUT, "not a certificate");
	out->serial = any_span();
	return ST_OK;
}

static void is_reply(const struct tvs_reply *r)
{
	struct cursor c = cursor_of(r->elements);
	struct span value;
	uint8_t tag;

	is_span(r->roles);
	is_span(r->certificate);
	(void)tvs_reply_is_sast(r);
	while (tvs_next_element(&c, &tag, &value)) {
		is_span(value);
		(void)tvs_tag_is_answer(tag);
	}
}

static void answered(enum tvs_question what, size_t serial)
{
	struct tvs_signer signer = { .serial = any_other_span_of(serial) };
	struct tlv_err e = TLV_ERR_INIT;
	struct tvs_reply r;

	any_memory(ANY_MEMORY);
	if (tvs_read_reply(&r, any_span(), what, any_u32(), &signer, &e) == ST_OK)
		is_reply(&r);
}

static void asked(enum tvs_question what, size_t certificate, size_t memory)
{
	static uint8_t der[LONG];
	struct tvs_signer signer = { .certificate =
					     span_of(der + (LONG - certificate), certificate),
				     .subject = any_span_of(certificate % ANY_MAX),
				     .issuer = any_other_span_of(ANY_MAX),
				     .serial = any_other_span_of(1) };
	struct tlv_err e = TLV_ERR_INIT;
	struct buf b = BUF_INIT;

	any_bytes(der, sizeof der);
	any_memory(memory);
	(void)tvs_put_question(&b, what, any_u32(), "SEP001122334455", &signer, &e);
	is_span(buf_span(&b));
}

int main(void)
{
	for (size_t n = 0; n <= ANY_MAX; n++) {
		answered(TVS_VERIFY, n);
		answered(TVS_QUERY, n);
	}
	for (size_t n = 0; n <= 1; n++) {
		asked(TVS_VERIFY, n, 0);
		asked(TVS_VERIFY, n, ANY_MEMORY);
		asked(TVS_QUERY, n, 0);
		asked(TVS_QUERY, n, ANY_MEMORY);
	}
	asked(TVS_QUERY, LONG, ANY_MEMORY);
	return 0;
}
