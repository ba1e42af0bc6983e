/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Signing with what the child holds: down through OpenSSL and libp11 to the
 * one key, and from there to the token.
 */
#ifndef TOK_SIGN_H
#define TOK_SIGN_H

#include "pkcs11/child/hold.h"

/* Each lane in one thread at a time, several lanes side by side. */
enum status tok_hold_sign(struct tok_lane *lane, struct span digest_info, uint8_t sig[TOK_SIG_MAX],
			  size_t *n, struct tlv_err *e);

/* What the one key calls: arg is the struct tok_hold, sig has room for its modulus. */
CK_RV tok_sign_digest_info(void *arg, struct span data, uint8_t *sig);

#endif
