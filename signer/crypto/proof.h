/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A proof that a token holds a certificate's key: a dated statement that says
 * what it is in its first line, signed as a whole with RSASSA-PKCS1-v1_5 over
 * SHA-256. The token never signs a digest that somebody else chose.
 *
 *   ctlsign proof v1
 *   nonce: <64 hex digits>
 *   certificate-sha256: <64 hex digits>
 *   time: 2026-01-31T12:00:00Z
 *   signature: <base64, over the four lines above, newlines included>
 */
#ifndef CTL_PROOF_H
#define CTL_PROOF_H

#include <stdint.h>

#include "tlv/bytes.h"
#include "tlv/cert.h"
#include "tlv/err.h"

enum { PROOF_MAX = 2048 }; /* bytes; a signature of 4096 bits needs 900 */

/* Appends the four lines that are signed, with a fresh nonce. now: seconds since 1970 UTC. */
enum status proof_statement(struct buf *out, struct span der, int64_t now, struct tlv_err *e);

/* Appends the line with the signature to the statement. */
enum status proof_seal(struct buf *statement, struct span signature, struct tlv_err *e);

/*
 * Whether the bytes are a proof for this certificate; *when is the time in it,
 * which is the signer's word. ST_INPUT: they are no such file, in the one form
 * above; ST_NO: another certificate's, or the signature does not verify.
 */
enum status proof_check(struct span bytes, const struct tlv_cert *cert, int64_t *when,
			struct tlv_err *e);

/* The same for a file, with the path in front of errors; ST_INPUT if it cannot be read. */
enum status proof_check_file(const char *path, const struct tlv_cert *cert, int64_t *when,
			     struct tlv_err *e);

#endif
