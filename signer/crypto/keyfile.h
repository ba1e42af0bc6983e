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
	EVP_PKEY *key;	 /* owned; NULL if a passphrase is needed */
	struct buf cert; /* DER of the first certificate beside the key, or empty */
	bool needs_pass;
	bool several; /* another private key is beside it, or one that cannot be read */
};

/*
 * Reads a key from a file's bytes. pass is NULL to try without: needs_pass
 * then says whether one is wanted. The empty passphrase of a PKCS#12 file
 * counts as none. What a passphrase protects is decoded in a process of its
 * own, which is killed after so many seconds (0: TOK_TIMEOUT_DEFAULT): the file
 * itself says how often its passphrase is to be hashed, and a hostile one asks
 * for years. ST_INPUT: no private key in it, or it takes longer, or a number of
 * an RSA key is longer than its modulus, with which signing takes years; ST_PIN: pass
 * is wrong; ST_AMBIGUOUS: it holds several private keys. Before other threads are started only.
 */
enum status keyfile_read(struct keyfile *out, struct span bytes, const char *pass, unsigned seconds,
			 struct tlv_err *e);

/*
 * The work of that process: takes as long as the file wants. Old ciphers
 * (RC2-40, PBE-MD5-DES) are read in a library context of their own.
 */
enum status keyfile_decode(struct keyfile *out, struct span bytes, const char *pass,
			   struct tlv_err *e);
void keyfile_free(struct keyfile *k);

#endif
