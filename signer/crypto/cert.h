/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One certificate, and what OpenSSL thinks of it. Reading files: certfile.h.
 */
#ifndef CTL_CERT_H
#define CTL_CERT_H

#include <stdbool.h>
#include <stdint.h>

#include "tlv/bytes.h"
#include "tlv/cert.h"
#include "tlv/err.h"
#include "tlv/list.h"

/* A certificate that is owned, with its parts. */
struct cert {
	struct buf der;
	struct tlv_cert parts; /* borrows der */
};

#define CERT_INIT ((struct cert){ .der = { .p = NULL } })

/* A copy of DER. Call cert_free() after a failure, too. */
enum status cert_from_der(struct cert *c, struct span der, struct tlv_err *e);
void cert_free(struct cert *c);

/* What is asked of a certificate beyond its bytes. */
struct cert_facts {
	int64_t not_before, not_after; /* seconds since 1970 UTC */
	bool is_ca;		       /* basicConstraints CA:TRUE */
	bool self_signed;	       /* subject equals issuer */
	const char *key_type;	       /* "RSA", "EC", "ED25519", … or "unknown" */
	unsigned key_bits;
	uint8_t sha1[20], sha256[32];
	char *subject, *issuer; /* RFC 2253, as openssl x509 -nameopt RFC2253 prints them; owned */
};

/* ST_INPUT if OpenSSL does not take the certificate. */
enum status cert_judge(struct span der, struct cert_facts *f, struct tlv_err *e);
void cert_facts_free(struct cert_facts *f);

/* Validity alone, seconds since 1970 UTC; ST_INPUT if it cannot be read. */
enum status cert_validity(struct span der, int64_t *not_before, int64_t *not_after,
			  struct tlv_err *e);
/* The same, and ST_INPUT too if d2i_X509() does not take the rest. */
enum status cert_validity_judged(struct span der, int64_t *not_before, int64_t *not_after,
				 struct tlv_err *e);

/* Whether basicConstraints says CA:TRUE; ST_INPUT if d2i_X509() does not take the certificate. */
enum status cert_is_ca(struct span der, bool *is_ca, struct tlv_err *e);

/* Appends "-----BEGIN CERTIFICATE-----…". */
enum status cert_to_pem(struct span der, struct buf *out, struct tlv_err *e);

/* Appends the bytes in base64, without line breaks. */
enum status cert_base64(struct span s, struct buf *out, struct tlv_err *e);

/*
 * Whether lists can be signed with the certificate's key; *bits is that of its
 * modulus, 0 if it is not RSA. ST_INPUT with the reason. What is weak (512
 * bits, an exponent of 1 or even) is taken with allow_weak only.
 */
enum status cert_can_sign(const struct tlv_cert *c, bool allow_weak, unsigned *bits,
			  struct tlv_err *e);

/* Whether it is what a SAST token brings, which CUCM's upload takes. ST_NO with the reason. */
enum status cert_is_sast_token(const struct tlv_cert *c, struct tlv_err *e);

/* SHA-1 of the DER, as show prints it. */
enum status cert_sha1(struct span der, uint8_t out[20], struct tlv_err *e);

/*
 * Whether the record's certificate is this one. Of a printed list the SHA-1 is known; der may
 * also be the certificate of another printed record. A hash in the certificate's place is compared
 * with each digest that lists have.
 */
bool cert_is_of_record(const struct tlv_list *l, const struct tlv_record *r, struct span der);

/* The first of certificates that stand one behind the other, as DER; empty if it is not whole. */
struct span cert_first(struct span chain);

/*
 * The short host name of a node's certificate: its CN up to the first dot; empty if there is no CN.
 */
enum status cert_short_name(const struct tlv_cert *c, struct buf *out, struct tlv_err *e);

#endif
