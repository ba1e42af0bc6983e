/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Encrypted configuration: a content key of one file's own, encrypted with a
 * phone's public key (RSAES-PKCS1-v1_5), and AES-128-CBC with it. The padding of
 * the content is the caller's. Source: docs/FORMAT.md, "Encrypted configuration".
 */
#ifndef CTL_SEAL_H
#define CTL_SEAL_H

#include <openssl/types.h>

#include "tlv/cert.h"
#include "tlv/header.h"

enum { SEAL_KEY_MAX = 512 /* bytes of an encrypted content key */ };

struct seal {
	uint8_t key[TLV_CONTENT_KEY_BITS / 8], iv[TLV_CONTENT_BLOCK];
	uint8_t wrapped[SEAL_KEY_MAX]; /* the key, encrypted */
	size_t nwrapped;
};

/*
 * A new key and initialisation vector, for the phone with this certificate. ST_INPUT
 * if its key is no RSA key that can be used: no other is known in the format.
 */
enum status seal_make(struct seal *s, const struct tlv_cert *phone, struct tlv_err *e);

/*
 * The key of a file, decrypted with the phone's. It never fails for what the
 * file holds: what cannot be decrypted gives a random key, so that there is one
 * failure only, which the digest of the content tells.
 */
enum status seal_open(struct seal *s, EVP_PKEY *phone, const struct tlv_encryption *n,
		      struct tlv_err *e);
/* Wipes. */
void seal_close(struct seal *s);

/* Piece by piece. */
struct seal_stream;
enum status seal_begin(struct seal_stream **out, const struct seal *s, bool encrypt,
		       struct tlv_err *e);
/* *out gets all whole blocks so far: at most in.n bytes and one block more. */
enum status seal_add(struct seal_stream *s, struct span in, uint8_t *room, size_t cap,
		     struct span *out, struct tlv_err *e);
/* Frees; NULL is fine. */
void seal_drop(struct seal_stream **s);

#endif
