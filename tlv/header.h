/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The header of a trust list or of a signed file: who signed, how, when.
 * Source of the layout: docs/FORMAT.md.
 */
#ifndef TLV_HEADER_H
#define TLV_HEADER_H

#include "tlv/bytes.h"
#include "tlv/err.h"
#include "tlv/reader.h"
#include "tlv/tables.h"

/*
 * Fields 16 to 27: how the content of an encrypted configuration file is encrypted, and for whom.
 * Borrows its bytes. Source: docs/FORMAT.md, "Encrypted configuration".
 */
struct tlv_encryption {
	struct span iv;
	uint16_t padding;  /* bytes behind the plain content, which the content has too */
	uint16_t key_bits; /* of the encrypted content key, which is those of the phone's key */
	uint8_t cipher;	   /* code, TLV_CIPHER_AES */
	struct span key;   /* the content key, encrypted with the phone's key */
	uint8_t digest;	   /* code, of the plain content without its padding */
	struct span plain_digest;
};

enum { TLV_CIPHER_AES = 1, TLV_CONTENT_KEY_BITS = 128, TLV_CONTENT_BLOCK = 16 /* bytes */ };

/* Borrows the decoded bytes. Strings hold their NUL if the file has one. */
struct tlv_header {
	struct span raw;    /* from byte 0 to the first record; shorter if damaged */
	uint32_t present;   /* bit n: tag n is there; the first one of a tag counts */
	uint32_t repeated;  /* bit n: tag n is there more than once */
	uint8_t version[2]; /* major, minor */
	uint16_t length;    /* as field 2 says */
	struct span signer_name, signer_serial, signer_issuer;
	uint8_t digest;	   /* code */
	uint8_t algorithm; /* 0: RSASSA-PKCS1-v1_5 */
	uint8_t modulus;   /* code */
	struct span signature;
	size_t signature_at; /* offset of field 12's tag byte */
	struct span filename;
	uint32_t timestamp; /* seconds since 1970 UTC */
	uint8_t signer_version[2];
	struct tlv_encryption encryption;
	size_t padding;	     /* number of padding bytes */
	bool padding_astray; /* some is not at the end */
	size_t padding_at;   /* offset of such a byte */
};

static inline bool tlv_header_has(const struct tlv_header *h, enum tlv_tag tag)
{
	return (h->present >> (unsigned)tag & 1U) != 0;
}

/* Whether the content behind the header is encrypted: field 16 says so, whatever the version is. */
static inline bool tlv_header_is_encrypted(const struct tlv_header *h)
{
	return tlv_header_has(h, TLV_H_ENCRYPTION_INFO);
}

/*
 * Whether the header is firmware's: version 1.1 without a timestamp. Its signer is
 * the vendor, whom no list names. Source: docs/FORMAT.md, "Signed files".
 */
bool tlv_header_is_firmware(const struct tlv_header *h);

/* A serial number beside the header's signer's: the same bytes, or the same back to front. */
enum tlv_serial_match { TLV_SERIAL_OTHER, TLV_SERIAL_SAME, TLV_SERIAL_REVERSED };

/*
 * An empty serial number is nobody's: TLV_SERIAL_OTHER, also if both are empty.
 * A certificate always has one, and the number 0 is one byte (docs/FORMAT.md);
 * so an empty field is a missing one, and two missing fields say nothing.
 */
enum tlv_serial_match tlv_header_serial(const struct tlv_header *h, struct span serial);

/*
 * Whether the header names its signer by this serial number and this issuer,
 * as fields hold them. Both are compared byte for byte, as phones do.
 */
bool tlv_header_names(const struct tlv_header *h, struct span serial, struct span issuer);

/*
 * Decodes the header at the front of bytes, which may go on with records or
 * content. On ST_INPUT the struct holds what was read before the fault.
 */
enum status tlv_header_decode(struct tlv_header *h, struct span bytes, struct tlv_err *e);

/*
 * The two parts of bytes that are signed: all before and all behind field 12.
 * Both empty if the header has no signature.
 */
void tlv_signed_parts(const struct tlv_header *h, struct span bytes, struct span parts[2]);

/* What a header says; signer_* are values as they stand in the signer's record (NUL included). */
struct tlv_header_spec {
	uint8_t version[2];
	struct span signer_name, signer_serial, signer_issuer;
	uint8_t digest;
	uint8_t modulus;
	size_t signature_bytes;
	struct span filename; /* without NUL */
	bool has_timestamp;
	uint32_t timestamp;
	bool has_signer_version;
	uint8_t signer_version[2];
	const struct tlv_encryption *encryption; /* NULL: the content is plain */
};

/* Whether version, signer, digest, modulus and FILENAME of a header are what the spec says. */
bool tlv_header_is(const struct tlv_header *h, const struct tlv_header_spec *s);

/*
 * Appends a header in ascending order, padded, with a hole of zeros for the
 * signature, whose position goes to *hole. ST_INPUT if a field or the whole
 * is longer than 65535 bytes.
 */
enum status tlv_header_write(struct buf *b, const struct tlv_header_spec *s, size_t *hole,
			     struct tlv_err *e);

#endif
