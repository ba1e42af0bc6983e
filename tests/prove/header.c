/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * tlv/header.c: a header of any fields, and what is asked of it.
 */
#include "tlv/header.h"

#include "tlv/guess.h"

#include "any.h"

const char *tlv_guess(struct span bytes)
{
	is_span(bytes);
	return any_bool() ? "something else" : NULL;
}

static void decoded(struct span bytes)
{
	struct tlv_header h;
	struct tlv_err e = TLV_ERR_INIT;

	(void)tlv_header_decode(&h, bytes, &e);
	is_span(h.raw);
	(void)tlv_header_decode(&h, bytes, NULL);
	is_span(h.raw);
	(void)tlv_header_is_firmware(&h);
	(void)tlv_header_is_encrypted(&h);
}

/* The serial number's bytes are compared back to front, too: both lengths count. */
static void names(size_t n)
{
	struct tlv_header h = { .signer_serial = any_span_of(n), .signer_issuer = any_span_of(n) };

	for (size_t m = 0; m <= ANY_MAX; m++) {
		(void)tlv_header_serial(&h, any_other_span_of(m));
		(void)tlv_header_names(&h, any_other_span_of(m), any_other_span_of(m));
	}
}

static struct tlv_header any_header(size_t n)
{
	struct tlv_header h = { .present = any_u32(),
				.version = { any_u8(), any_u8() },
				.digest = any_u8(),
				.algorithm = any_u8(),
				.modulus = any_u8(),
				.signer_name = any_span(),
				.signer_serial = any_span_of(n),
				.signer_issuer = any_span(),
				.signature = any_span(),
				.filename = any_span_of(n) };
	return h;
}

static void compared(size_t n)
{
	struct tlv_header h = any_header(n);
	struct tlv_header_spec s = { .version = { any_u8(), any_u8() },
				     .signer_name = any_span(),
				     .signer_serial = any_other_span_of(n),
				     .signer_issuer = any_span(),
				     .digest = any_u8(),
				     .modulus = any_u8(),
				     .filename = any_span() };

	(void)tlv_header_is(&h, &s);
}

/* Before and behind the signature: wherever it stands in the file. */
static void signed_parts(size_t n, uint32_t present)
{
	for (size_t at = 0; at <= n; at++)
		for (size_t length = 0; length <= n; length++) {
			struct tlv_header h = any_header(0);
			struct span parts[2];

			h.present = present;
			h.signature_at = at;
			h.signature.n = length;
			tlv_signed_parts(&h, any_other_span_of(n), parts);
			is_span(parts[0]);
			is_span(parts[1]);
		}
}

int main(void)
{
	decoded(SPAN_NONE);
	for (size_t n = 0; n <= ANY_MAX; n++) {
		decoded(any_other_span_of(n));
		names(n);
		compared(n);
		signed_parts(n, 0);
		signed_parts(n, UINT32_MAX);
	}
	return 0;
}
