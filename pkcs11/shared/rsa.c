/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/shared/rsa.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

enum { PKCS1_PADDING_MIN = 11 }; /* RFC 8017, 9.2: 00 01, eight ff, 00 */

static enum status fits(EVP_PKEY *key, struct span digest_info, size_t cap, struct tlv_err *e)
{
	int size = EVP_PKEY_get_size(key);

	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || size <= 0)
		return err_set(e, ST_INPUT, "the key is not an RSA key");
	if ((size_t)size > cap)
		return err_set(e, ST_INPUT, "the key has %d bits, more than %zu", size * 8,
			       cap * 8);
	if (digest_info.n + PKCS1_PADDING_MIN > (size_t)size)
		return err_set(e, ST_INPUT, "a key of %d bits is too short for this digest",
			       EVP_PKEY_get_bits(key));
	return ST_OK;
}

/* The first error is the cause; those behind it say where it passed. */
static enum status failed(struct tlv_err *e)
{
	unsigned long code = ERR_peek_error();
	const char *why = code == 0 ? NULL : ERR_reason_error_string(code);

	return err_set(e, ST_TOKEN, "signing failed: %s", why == NULL ? "no reason given" : why);
}

enum status rsa_sign_digest_info(EVP_PKEY *key, struct span digest_info, uint8_t *sig, size_t cap,
				 size_t *n, struct tlv_err *e)
{
	EVP_PKEY_CTX *ctx = NULL;
	enum status st = fits(key, digest_info, cap, e);

	if (st != ST_OK)
		return st;
	ctx = EVP_PKEY_CTX_new(key, NULL);
	if (ctx == NULL)
		return err_nomem(e);
	ERR_clear_error();
	*n = cap;
	if (EVP_PKEY_sign_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) <= 0 ||
	    EVP_PKEY_sign(ctx, sig, n, digest_info.p, digest_info.n) <= 0)
		st = failed(e);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return st;
}
