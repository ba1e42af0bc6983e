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

/* From here on, der is filled with the certificates as DER, the server's own first. Judges none. */
void chain_catch(SSL_CTX *ctx, struct buf *der);

#endif
