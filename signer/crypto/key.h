/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The key that signs, a file's or a token's, with its certificate. Both go
 * down one path: open (what is public), login (what is secret), sign.
 */
#ifndef CTL_KEY_H
#define CTL_KEY_H

#include <stdbool.h>

#include <openssl/types.h>

#include "pkcs11/token.h"
#include "signer/crypto/cert.h"
#include "tlv/bytes.h"
#include "tlv/err.h"
#include "tlv/tables.h"

struct key;

struct key_options {
	const char *key;	/* path or pkcs11: URI; NULL: cert alone, which signs nothing */
	const char *cert;	/* --cert, or NULL */
	struct span fallback;	/* DER of the certificate if neither brings one; empty: none */
	struct tok_options tok; /* module, pin_source, timeout, insecure_file_mode, warn */
	bool allow_weak;	/* sign with 512 bits, or an exponent that is 1 or even */
	bool *wrong_fallback;	/* set if fallback was taken and is not KEY's; NULL: nobody asks */
};

/*
 * Finds the key and its certificate; a token's key needs no PIN for that, an
 * encrypted file no passphrase if its certificate is in the clear or given.
 * ST_INPUT: unreadable, no RSA key of 512, 1024, 2048 or 4096 bits, or not the
 * certificate's key. Everything in opt is borrowed and must outlive the key.
 */
enum status key_open(struct key **out, const struct key_options *opt, struct tlv_err *e);

/*
 * The two halves of key_open. A token's process is started, and works while the
 * caller does something else. What key_start gives must go to key_started or key_free.
 */
enum status key_start(struct key **out, const struct key_options *opt, struct tlv_err *e);
enum status key_started(struct key *k, struct tlv_err *e);
/* Whether key_started may start another process, as tok_may_start_again says. */
bool key_may_start_again(const struct key *k);

/*
 * A file's key that decrypts, a phone's: it needs no certificate, and signs nothing.
 * Asks for its passphrase at once. ST_USAGE for a token's: those sign here only.
 */
enum status key_open_private(struct key **out, const struct key_options *opt, struct tlv_err *e);
/* Such a key; borrowed. */
EVP_PKEY *key_private(const struct key *k);

const struct cert *key_cert(const struct key *k);
unsigned key_bits(const struct key *k);
/* The token it is on, NULL for a file. */
const struct tok_info *key_token(const struct key *k);
/* The token's process; 0: there is none. k may be NULL. */
pid_t key_process(const struct key *k);

/* Whether key_login will ask for one. */
bool key_needs_login(const struct key *k);
/* Asks for PIN or passphrase if one is needed. ST_PIN, ST_PIN_LOCKED, ST_TOKEN. */
enum status key_login(struct key *k, struct tlv_err *e);

/*
 * RSASSA-PKCS1-v1_5 over the digest, verified with the certificate's key
 * before it is given out. sig gets key_bits / 8 bytes. ST_TOKEN if the
 * signature does not verify.
 */
enum status key_sign(struct key *k, enum tlv_digest alg, struct span digest,
		     uint8_t sig[TOK_SIG_MAX], size_t *n, struct tlv_err *e);

/*
 * The two halves of key_sign, for batches: a signature that nobody has looked
 * at yet, and the look, which other threads may take meanwhile. Both may run
 * in several threads at once, after key_login.
 */
enum status key_sign_raw(struct key *k, enum tlv_digest alg, struct span digest,
			 uint8_t sig[TOK_SIG_MAX], size_t *n, struct tlv_err *e);
enum status key_check(const struct key *k, enum tlv_digest alg, struct span digest, struct span sig,
		      struct tlv_err *e);

/* Optional, after the last signature: a token's child ends while the caller goes on. */
void key_finish(struct key *k);

void key_free(struct key **k);

#endif
