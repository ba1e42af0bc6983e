/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A list: decode, check, verify, JSON. What decodes is encoded to the same
 * bytes; findings and faults point into the file.
 */
#include <jansson.h>

#include "signer/list/json.h"
#include "signer/trust/signature.h"
#include "signer/trust/verify.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate_list.h"

/*
 * OpenSSL takes three quarters of a run to parse certificates. fuzz_cert tests that, so two are
 * enough.
 */
enum { NOW = 1426000000, SHOWN = 2 };

static void same_bytes(const struct tlv_list *l)
{
	struct buf again = BUF_INIT;

	REQUIRE(tlv_list_encode(l, &again, NULL) == ST_OK);
	REQUIRE(span_eq(buf_span(&again), l->bytes));
	buf_free(&again);
}

/* What is not signed is field 12 alone. */
static void signed_parts_are_the_rest(const struct tlv_list *l)
{
	struct span parts[2];

	tlv_signed_parts(&l->header, l->bytes, parts);
	if (tlv_header_has(&l->header, TLV_H_SIGNATURE))
		REQUIRE(parts[0].n + parts[1].n + TLV_HEAD + l->header.signature.n == l->bytes.n);
	else
		REQUIRE(parts[0].n == 0 && parts[1].n == 0);
}

static void dumps_as_json(json_t *value)
{
	char *text = json_dumps(value, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

	REQUIRE(text != NULL);
	free(text);
	json_decref(value);
}

static void show(const struct tlv_list *l)
{
	dumps_as_json(list_json_header(&l->header));
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		REQUIRE(r.at + r.raw.n <= l->bytes.n && r.raw.n >= 5);
		if (i < SHOWN)
			dumps_as_json(list_json_record(&r, i + 1, false));
	}
}

static void verify(const struct tlv_list *l)
{
	const struct trust self = { .self = true };
	const struct verify_ask ask = { .trust = &self, .now = NOW, .served = "CTLFile.tlv" };
	struct tlv_err e = TLV_ERR_INIT;
	struct verification v;
	long signer;

	REQUIRE(verify_list(&v, l, &ask, &e) == ST_OK);
	REQUIRE(!verdict_is_untrusted(v.verdict));
	REQUIRE(verdict_is_good(v.verdict) == (v.verified && v.findings.errors == 0));
	REQUIRE(signature_is_own(l, &signer) == v.verified);
	REQUIRE(signer == v.signer && signer < (long)l->nrecords);
	REQUIRE(v.verified || v.findings.errors > 0);
	for (size_t i = 0; i < v.findings.n; i++) {
		REQUIRE(!v.findings.v[i].has_at || v.findings.v[i].at <= l->bytes.n);
		REQUIRE(v.findings.v[i].record <= l->nrecords);
	}
	dumps_as_json(list_json_findings(&v.findings));
	verification_free(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_list l;
	enum status st = tlv_list_decode(&l, span_of(data, size), &e);

	REQUIRE(st == ST_OK || st == ST_INPUT);
	REQUIRE(st == e.status && (st == ST_OK || err_text(&e)[0] != '\0'));
	REQUIRE(!e.has_at || e.at <= size);
	signed_parts_are_the_rest(&l);
	show(&l);
	if (st == ST_OK) {
		same_bytes(&l);
		verify(&l);
		(void)tlv_list_dialect(&l);
		(void)tlv_list_is_non_secure(&l);
	}
	tlv_list_free(&l);
	return 0;
}

#ifdef CTLSIGN_FUZZ
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	return mutate_list(data, size, max, seed);
}
#endif
