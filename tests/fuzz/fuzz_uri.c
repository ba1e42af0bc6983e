/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A PKCS#11 URI; and a token whose fields are the input: the URI that is shown
 * of it can be typed, and means it.
 */
#include <string.h>

#include "pkcs11/child/uri.h"
#include "tests/fuzz/fuzz.h"

static void parse(struct span bytes)
{
	static const CK_TOKEN_INFO info;
	static const CK_SLOT_INFO slot;
	static const CK_INFO library;
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_uri *u = NULL;
	char *text = span_dup(bytes);
	enum status st;

	REQUIRE(text != NULL);
	st = tok_uri_parse(text, &u, &e);
	REQUIRE(st == e.status && (st == ST_OK) == (u != NULL));
	REQUIRE(st == ST_OK || (st == ST_USAGE && err_text(&e)[0] != '\0'));
	if (u != NULL) {
		(void)tok_uri_matches(u, 0, &info);
		(void)tok_uri_matches_slot(u, &slot);
		(void)tok_uri_matches_library(u, &library);
		(void)tok_uri_matches_object(u, bytes, bytes);
	}
	tok_uri_free(&u);
	free(text);
}

/* A token's field: printable, padded with blanks, as PKCS#11 has it. */
static void fill(struct cursor *c, unsigned char *out, size_t n)
{
	struct span s = span_slice(c->rest, 0, n);

	for (size_t i = 0; i < n; i++)
		out[i] = i < s.n ? (unsigned char)(0x20 + s.p[i] % 0x5f) : ' ';
	(void)cursor_take(c, s.n, NULL);
}

static void show(struct span bytes)
{
	struct cursor c = cursor_of(bytes);
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_uri *u = NULL;
	CK_TOKEN_INFO info;
	char *text;

	memset(&info, 0, sizeof info);
	fill(&c, info.label, sizeof info.label);
	fill(&c, info.serialNumber, sizeof info.serialNumber);
	fill(&c, info.model, sizeof info.model);
	fill(&c, info.manufacturerID, sizeof info.manufacturerID);
	if (info.label[0] == ' ')
		info.label[0] = 'T';
	text = tok_uri_of_token(&info);
	REQUIRE(text != NULL);
	if (tok_uri_parse(text, &u, &e) != ST_OK) {
		(void)fprintf(stderr, "%s: %s\n", text, err_text(&e));
		abort();
	}
	REQUIRE(tok_uri_matches(u, 0, &info));
	tok_uri_free(&u);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse(span_of(data, size));
	show(span_of(data, size));
	return 0;
}
