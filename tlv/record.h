/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One record: a certificate, what it may do, and where its node is. Three
 * writers, three dialects; records that come from a file stay as they are.
 * Source of the layout: docs/FORMAT.md.
 */
#ifndef TLV_RECORD_H
#define TLV_RECORD_H

#include "tlv/bytes.h"
#include "tlv/cert.h"
#include "tlv/err.h"
#include "tlv/name.h"
#include "tlv/reader.h"
#include "tlv/tables.h"

/* Borrows the decoded bytes. Strings hold their NUL if the file has one. */
struct tlv_record {
	struct span raw;   /* RECORDLENGTH included */
	size_t at;	   /* offset in the file */
	uint32_t present;  /* bit n: tag n is there; the first one of a tag counts */
	uint32_t repeated; /* bit n: tag n is there more than once */
	bool unknown;	   /* tags that no row names are there */
	struct span dns_name, subject, issuer, serial;
	uint16_t role;
	struct span public_key, signature, certificate;
	struct span address; /* 4 bytes IPv4; a CUCM 10.0 defect wrote other lengths */
	struct span hash, hash_algorithm;
};

static inline bool tlv_record_has(const struct tlv_record *r, enum tlv_tag tag)
{
	return (r->present >> (unsigned)tag & 1U) != 0;
}

/* Whether the record says that it is of this role: one without FUNCTION is of none. */
static inline bool tlv_record_is(const struct tlv_record *r, enum tlv_role role)
{
	return tlv_record_has(r, TLV_R_FUNCTION) && r->role == (uint16_t)role;
}

/*
 * Decodes the record at the front of bytes, which stand at offset `at` of the
 * file and may go on with others. ST_INPUT if it is malformed; the struct
 * then holds what was read before the fault.
 */
enum status tlv_record_decode(struct tlv_record *r, struct span bytes, size_t at,
			      struct tlv_err *e);

/* How a writer renders: its style, and what rfc4514 puts between attributes. */
struct tlv_dialect {
	enum tlv_style style;
	char separator; /* ',' or ';'; counts in rfc4514 only */
};

struct tlv_record_spec {
	struct tlv_dialect dialect;
	uint16_t role;
	bool token; /* a hardware token's record: ctl-client form, whatever the style but rfc4514 */
	const struct tlv_cert *cert; /* NULL: name, role and address only (non-secure mode) */
	struct span name;	     /* DNSNAME of cucm, without NUL; empty: none */
	bool has_address;
	uint8_t address[4];
};

/*
 * Appends a record. ST_INPUT if the certificate's names cannot be
 * expressed, or a field or the record is longer than 65535 bytes; ST_USAGE
 * if the style wants a name or an address that is not there.
 */
enum status tlv_record_write(struct buf *b, const struct tlv_record_spec *s, struct tlv_err *e);

/* A string field without its NUL; what stands behind a NUL inside stays. */
struct span tlv_text(struct span value);

/* Which rendering of a certificate's Name a record's string is. */
struct tlv_name_match {
	bool matches;
	enum tlv_name_form form;
	char separator;
};

struct tlv_name_match tlv_name_match(struct span text, struct span name);

#endif
