/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private keys from files: PEM, DER, PKCS#8, encrypted or not, PKCS#12.
 */
#ifndef CTL_KEYFILE_H
#define CTL_KEYFILE_H

#include <openssl/types.h>

#include "tlv/bytes.h"
#include "tlv/err.h"

struct keyfile {
	EVP_PKEY *key;	 /* owned; NULL where a passphrase is needed */
	struct buf cert; /* DER of the first certificate beside the key, or empty */
	bool needs_pass;
};

/*
 * Reads a key from a file's bytes. pass is NULL to try without: needs_pass
 * then says whether one is wanted. The empty passphrase of a PKCS#12 file
 * counts as none. Old ciphers (RC2-40, PBE-MD5-DES) are read in a library
 * context of their own. ST_INPUT: no private key in it, or one whose passphrase
 * is to be hashed too often (rounds.h); ST_PIN: pass is wrong.
 */
enum status keyfile_read(struct keyfile *out, struct span bytes, const char *pass,
			 struct tlv_err *e);
void keyfile_free(struct keyfile *k);

#endif
