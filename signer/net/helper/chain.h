/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The certificates that a TLS server presents. They are caught while the session is made,
 * because many services end it when the client has no certificate of its own.
 */
#ifndef CTL_NET_CHAIN_H
#define CTL_NET_CHAIN_H

#include <openssl/ssl.h>

#include "tlv/bytes.h"

struct chain {
	struct buf der; /* one behind the other, the server's own first; owned */
	/*
	 * We have answered, which takes all of the server's part. Then the server has shown that it
	 * has the key: always under TLS 1.3, before that if it had to sign. It has not if the key
	 * exchange is RSA's.
	 */
	bool answered;
};

/* From here on, it is filled. Judges none. */
void chain_catch(SSL_CTX *ctx, struct chain *chain);

#endif
