/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The parts of an X.509 certificate that a record copies, found by walking
 * its DER. No date, extension or signature is judged here.
 */
#ifndef TLV_CERT_H
#define TLV_CERT_H

#include "tlv/bytes.h"
#include "tlv/err.h"

enum tlv_key_type { TLV_KEY_OTHER, TLV_KEY_RSA, TLV_KEY_EC };

/* Borrows der. */
struct tlv_cert {
	struct span der;
	struct span serial;   /* INTEGER, big-endian, without a leading zero byte */
	struct span issuer;   /* Name, the whole element */
	struct span validity; /* Validity, the whole element */
	struct span subject;  /* Name, the whole element */
	enum tlv_key_type key_type;
	struct span public_key; /* of the BIT STRING: RSAPublicKey, or an EC point */
	struct span signature;	/* of the BIT STRING */
};

/* ST_INPUT, with the offset in der, if it is no certificate or bytes follow it. */
enum status tlv_cert_walk(struct span der, struct tlv_cert *out, struct tlv_err *e);

struct tlv_rsa {
	struct span modulus; /* magnitudes, big-endian */
	struct span exponent;
	unsigned bits; /* of the modulus */
};

/* A PKCS#1 RSAPublicKey; false if it is none. */
bool tlv_rsa_walk(struct span public_key, struct tlv_rsa *out);

/*
 * Whether the public exponent is 1 or even. With 1 a signature is its block in
 * the clear, which anybody writes; with an even one there is no private key
 * that it could be the signature of. What verifies with such a key proves nothing.
 */
bool tlv_rsa_proves_nothing(const struct tlv_rsa *rsa);
/* The same of a record's or certificate's key; false if it is no RSA key. */
bool tlv_key_proves_nothing(struct span public_key);

/*
 * Whether OpenSSL verifies with the key: the exponent is below the modulus, which
 * has at most 16384 bits; above 3072 bits of modulus the exponent has at most 64.
 * Source: OPENSSL_RSA_MAX_MODULUS_BITS, OPENSSL_RSA_SMALL_MODULUS_BITS and
 * OPENSSL_RSA_MAX_PUBEXP_BITS of openssl/rsa.h, as its crypto/rsa/rsa_ossl.c uses
 * them. The bound keeps a verification from costing what a signature costs; we
 * have none of our own, or a good list would be called bad.
 */
bool tlv_rsa_verifies(const struct tlv_rsa *rsa);

/*
 * Kind and size of a record's key: PKCS#1, or an uncompressed EC point. If it is neither, bits is
 * 0.
 */
unsigned tlv_key_bits(struct span public_key, enum tlv_key_type *type);

#endif
