/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The token's key as an EVP_PKEY, by way of libp11 behind its guard.
 */
#ifndef TOK_KEY_H
#define TOK_KEY_H

#include <openssl/types.h>

#include "pkcs11/child/libp11/onekey.h"
#include "tlv/err.h"

struct tok_key;

/* One at a time. k must outlive the key. ST_TOKEN if the guard or libp11 fails. */
enum status tok_key_open(struct tok_key **out, const struct tok_onekey *k, struct tlv_err *e);
EVP_PKEY *tok_key_pkey(const struct tok_key *key); /* borrowed */
void tok_key_free(struct tok_key **key);

#endif
