/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The world as libp11 may see it: one slot, one initialised
 * token, one private RSA key, as many sessions as may sign side by side, open
 * and logged in already. Nothing that libp11 asks here reaches the real module
 * but a signature. Initialising, finalising, sessions and logins do nothing.
 * No entry of the list is NULL: what is not offered here answers
 * CKR_FUNCTION_NOT_SUPPORTED.
 */
#ifndef TOK_ONEKEY_H
#define TOK_ONEKEY_H

#include <p11-kit/pkcs11.h>

#include "tlv/bytes.h"

struct tok_onekey {
	struct span modulus, exponent; /* of the certificate; borrowed */
	/* Signs a DigestInfo, in the thread that asks; answers with exactly modulus.n bytes. */
	CK_RV (*sign)(void *arg, struct span digest_info, uint8_t *sig);
	void *arg;
};

/*
 * PKCS#11 functions have no argument to say whose they are: there is one key
 * at a time in a process. NULL takes it away.
 */
void tok_onekey_set(const struct tok_onekey *k);
CK_FUNCTION_LIST *tok_onekey_list(void);

#endif
