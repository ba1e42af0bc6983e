/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The format's tables as C: tags, roles, digests, moduli, styles.
 */
#ifndef TLV_TABLES_H
#define TLV_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tlv_scope { TLV_SCOPE_HEADER, TLV_SCOPE_RECORD };

enum tlv_kind {
	TLV_KIND_VERSION,     /* major, minor */
	TLV_KIND_NUMBER,      /* big-endian */
	TLV_KIND_CONTAINER,   /* its length covers the fields that follow */
	TLV_KIND_TEXT,	      /* UTF-8 and a NUL that the length counts */
	TLV_KIND_SERIAL,      /* raw bytes of a serial number */
	TLV_KIND_SIGNATURE,   /* dumped in rows */
	TLV_KIND_PADDING,     /* a tag byte without length */
	TLV_KIND_OPAQUE,      /* show prints its length only */
	TLV_KIND_TIME,	      /* seconds since 1970 UTC */
	TLV_KIND_ROLE,	      /* 16 bits, roles.def */
	TLV_KIND_CERTIFICATE, /* DER */
	TLV_KIND_HASH	      /* of a certificate; wire form open */
};

#define TLV_TAG_ENUM_HEADER(name) TLV_H_##name
#define TLV_TAG_ENUM_RECORD(name) TLV_R_##name
enum tlv_tag {
#define TAG(scope, number, name, text, label, kind, min, max, parent) \
	TLV_TAG_ENUM_##scope(name) = (number),
#include "tlv/tags.def"
#undef TAG
};

struct tlv_tag_row {
	enum tlv_scope scope;
	uint8_t number;
	const char *text;  /* "signer name" */
	const char *label; /* "SIGNERNAME", in parentheses if show prints no row */
	enum tlv_kind kind;
	uint16_t min, max;
	uint8_t parent;
};

/* NULL for a tag that no row names. */
const struct tlv_tag_row *tlv_tag_find(enum tlv_scope scope, uint8_t number);
/* All rows, in the order of tags.def. */
const struct tlv_tag_row *tlv_tags(size_t *n);

enum tlv_role {
#define ROLE(name, number, text, option, shown) TLV_ROLE_##name = (number),
#include "tlv/roles.def"
#undef ROLE
};

struct tlv_role_row {
	uint16_t number;
	const char *text;   /* "CCM+TFTP" */
	const char *option; /* "ccm-tftp" */
	const char *shown;  /* in show ctl */
};

const struct tlv_role_row *tlv_role_find(uint16_t number);
const struct tlv_role_row *tlv_role_by_text(const char *text);
const struct tlv_role_row *tlv_roles(size_t *n);

enum tlv_digest {
#define DIGEST(name, code, text, bytes) TLV_##name = (code),
#include "tlv/algs.def"
#undef DIGEST
};

struct tlv_digest_row {
	uint8_t code;
	const char *text;
	size_t bytes;
};

const struct tlv_digest_row *tlv_digest_find(uint8_t code);
const struct tlv_digest_row *tlv_digest_by_text(const char *text);

/* Bits of field 11's code, 0 for an unknown one; and back, -1 if no code exists. */
unsigned tlv_modulus_bits(uint8_t code);
int tlv_modulus_code(unsigned bits);

enum tlv_style { TLV_STYLE_CUCM, TLV_STYLE_CTL_CLIENT, TLV_STYLE_RFC4514 };

const char *tlv_style_text(enum tlv_style style);
bool tlv_style_by_text(const char *text, enum tlv_style *out);

#endif
