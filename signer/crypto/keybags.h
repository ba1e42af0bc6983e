/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whether a key file holds a second private key. OpenSSL's reader of PKCS#12 hands out the first
 * one and says nothing of others.
 */
#ifndef CTL_KEYBAGS_H
#define CTL_KEYBAGS_H

#include <openssl/types.h>
#include <stdbool.h>

#include "tlv/bytes.h"

/* How many blocks of private keys a PEM text has, encrypted or not; 0 for all else. */
size_t keybags_pem_blocks(struct span bytes);

/*
 * Whether the bytes are a PKCS#12 file with another private key than this one. One that cannot be
 * decrypted is another one. pass: the file's passphrase, NULL for none. Takes as long as the file
 * wants.
 */
bool keybags_other(const EVP_PKEY *key, struct span bytes, const char *pass);

#endif
