/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The header of a signed file: what is behind it is content. A header that is
 * written from what was read says the same.
 */
#include "tests/fuzz/fuzz.h"
#include "tlv/check.h"

static struct tlv_header_spec spec_of(const struct tlv_header *h)
{
	return (struct tlv_header_spec){
		.version = { h->version[0], h->version[1] },
		.signer_name = h->signer_name,
		.signer_serial = h->signer_serial,
		.signer_issuer = h->signer_issuer,
		.digest = h->digest,
		.modulus = h->modulus,
		.signature_bytes = h->signature.n,
		.filename = tlv_text(h->filename),
		.has_timestamp = tlv_header_has(h, TLV_H_TIMESTAMP),
		.timestamp = h->timestamp,
		.has_signer_version = tlv_header_has(h, TLV_H_SIGNER_VERSION),
		.signer_version = { h->signer_version[0], h->signer_version[1] },
	};
}

static void writes_the_same(const struct tlv_header *h)
{
	struct tlv_header_spec s = spec_of(h), again_spec;
	struct buf b = BUF_INIT;
	struct tlv_header again;
	size_t hole = 0;

	if (tlv_header_write(&b, &s, &hole, NULL) == ST_OK) {
		buf_fill(&b, hole, h->signature);
		REQUIRE(b.failed == ST_OK && b.n % 4 == 0);
		REQUIRE(tlv_header_decode(&again, buf_span(&b), NULL) == ST_OK);
		again_spec = spec_of(&again);
		REQUIRE(again.length == b.n && again.padding < 4 && !again.padding_astray);
		REQUIRE(span_eq(again.signature, h->signature) && again.signature_at + 3 == hole);
		REQUIRE(span_eq(again_spec.signer_name, s.signer_name));
		REQUIRE(span_eq(again_spec.signer_serial, s.signer_serial));
		REQUIRE(span_eq(again_spec.signer_issuer, s.signer_issuer));
		REQUIRE(span_eq(again_spec.filename, s.filename));
		REQUIRE(again.digest == h->digest && again.modulus == h->modulus);
		REQUIRE(again.timestamp == h->timestamp);
		REQUIRE(again_spec.has_timestamp == s.has_timestamp);
		REQUIRE(again_spec.has_signer_version == s.has_signer_version);
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlv_findings f = TLV_FINDINGS_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	struct span bytes = span_of(data, size), parts[2];
	struct tlv_header h;

	if (tlv_header_decode(&h, bytes, &e) == ST_OK) {
		REQUIRE(h.raw.n == h.length && h.length <= size && h.length >= 5);
		tlv_signed_parts(&h, bytes, parts);
		if (tlv_header_has(&h, TLV_H_SIGNATURE))
			REQUIRE(parts[0].n + parts[1].n + 3 + h.signature.n == size);
		writes_the_same(&h);
	} else {
		REQUIRE(e.status == ST_INPUT && (!e.has_at || e.at <= size));
	}
	tlv_check_header(&h, &f);
	tlv_findings_free(&f);
	return 0;
}
