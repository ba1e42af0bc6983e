/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The one way in which anything is signed here, with a key file's EVP_PKEY as
 * with a token's.
 */
#ifndef TOK_RSA_H
#define TOK_RSA_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "tlv/bytes.h"
#include "tlv/err.h"

/*
 * RSASSA-PKCS1-v1_5 (RFC 8017, 8.2) over a finished DER DigestInfo. No digest
 * is named to OpenSSL: crypto policies that forbid SHA-1 signatures look at
 * the digest's name, and this format needs SHA-1. *n becomes the length of
 * the modulus, at most cap. ST_INPUT: no RSA key, a DigestInfo that does not
 * fit the modulus, or a modulus longer than cap; ST_TOKEN: the key failed.
 * Not verified here.
 */
enum status rsa_sign_digest_info(EVP_PKEY *key, struct span digest_info, uint8_t *sig, size_t cap,
				 size_t *n, struct tlv_err *e);

#endif
