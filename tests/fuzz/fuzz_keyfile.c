/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A key file, without a passphrase and with a wrong one.
 */
#include <openssl/evp.h>

#include "signer/crypto/keyfile.h"
#include "tests/fuzz/fuzz.h"

static void read(struct span bytes, const char *pass)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct keyfile k;
	enum status st = keyfile_decode(&k, bytes, pass, &e);

	REQUIRE(st == e.status);
	REQUIRE(st != ST_OK || (k.key != NULL) != k.needs_pass);
	REQUIRE(st == ST_OK || k.key == NULL);
	REQUIRE(st == ST_OK || st == ST_INPUT || st == ST_AMBIGUOUS ||
		(pass != NULL && st == ST_PIN));
	if (k.key != NULL)
		(void)EVP_PKEY_get_bits(k.key);
	keyfile_free(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read(span_of(data, size), NULL);
	read(span_of(data, size), "wrong");
	return 0;
}
