/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Digests, and the DigestInfo that PKCS#1 v1.5 signs (RFC 8017, 9.2).
 */
#ifndef CTL_DIGEST_H
#define CTL_DIGEST_H

#include <openssl/types.h>

#include "tlv/bytes.h"
#include "tlv/err.h"
#include "tlv/tables.h"

enum { DIGEST_MAX = 64, DIGEST_INFO_MAX = 83 };

struct digest {
	uint8_t bytes[DIGEST_MAX];
	size_t n;
};

/* Has OpenSSL read its configuration now instead of when it is first used. */
void digest_configure(void);
/*
 * Has OpenSSL look up now what hashes and verifies: a millisecond of work, and it keeps that. For
 * whoever waits for another process anyway.
 */
void digest_look_up(void);

/* Over the parts one after the other. */
enum status digest_parts(enum tlv_digest alg, const struct span *parts, size_t nparts,
			 struct digest *out, struct tlv_err *e);
struct span digest_span(const struct digest *d);

/* The same piece by piece, for what is longer than memory should hold. digest_end frees it. */
struct digest_stream;
enum status digest_begin(struct digest_stream **out, enum tlv_digest alg, struct tlv_err *e);
enum status digest_add(struct digest_stream *s, struct span bytes, struct tlv_err *e);
enum status digest_end(struct digest_stream **s, struct digest *out, struct tlv_err *e);
/* Frees what was not ended; NULL is fine. */
void digest_drop(struct digest_stream **s);

struct digest_info {
	uint8_t bytes[DIGEST_INFO_MAX];
	size_t n;
};

/* ST_BUG if the digest has not the algorithm's length. */
enum status digest_info_make(enum tlv_digest alg, struct span digest, struct digest_info *out,
			     struct tlv_err *e);

/* Bytes that a key needs for a signature with this digest: DigestInfo and 11 of padding. */
size_t digest_key_bytes(enum tlv_digest alg);

/* "OpenSSL 3.0.19 …": the library that runs, for --version. */
const char *digest_library(void);

/* Not for signatures: the MD5 that phones show of a whole list, with the fixed length 16. */
enum status digest_md5(struct span bytes, struct digest *out, struct tlv_err *e);

/*
 * Whether signature is RSASSA-PKCS1-v1_5 over the digest with the key (a
 * PKCS#1 RSAPublicKey). The DigestInfo must be the one DER form, nothing
 * before, inside or behind it. No digest is named to OpenSSL, so that no
 * crypto policy decides. ST_OK: it is; ST_NO: it is not; ST_INPUT: the key is
 * no RSA key that can be used.
 */
enum status digest_verify(struct span public_key, enum tlv_digest alg, struct span digest,
			  struct span signature, struct tlv_err *e);

/* A PKCS#1 RSAPublicKey as OpenSSL has it; owned. ST_INPUT if it is none that can be used. */
enum status digest_public_key(EVP_PKEY **out, struct span public_key, struct tlv_err *e);

/* The same for many signatures by one key; in several threads at once. */
struct digest_key;
enum status digest_key_new(struct digest_key **out, struct span public_key, struct tlv_err *e);
enum status digest_key_verify(const struct digest_key *k, enum tlv_digest alg, struct span digest,
			      struct span signature, struct tlv_err *e);
void digest_key_free(struct digest_key **k);

#endif
