/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/tables.h"

#include <string.h>

#include "tlv/bytes.h"

static const struct tlv_tag_row tag_rows[] = {
#define TAG(scope, number, name, text, label, kind, min, max, parent) \
	{ TLV_SCOPE_##scope, number, text, label, TLV_KIND_##kind, min, max, parent },
#include "tlv/tags.def"
#undef TAG
};

/* Every field of every record is looked up: the number is the place, and there is no search. */
enum {
#define TAG(scope, number, name, text, label, kind, min, max, parent) ROW_##scope##_##name,
#include "tlv/tags.def"
#undef TAG
};

/* By scope and number; 0: no row, else the row's place and 1. */
static const uint8_t row_of[][UINT8_MAX + 1] = {
#define TAG(scope, number, name, text, label, kind, min, max, parent) \
	[TLV_SCOPE_##scope][number] = ROW_##scope##_##name + 1,
#include "tlv/tags.def"
#undef TAG
};

static const struct tlv_role_row role_rows[] = {
#define ROLE(name, number, text, option, shown) { number, text, option, shown },
#include "tlv/roles.def"
#undef ROLE
};

static const struct tlv_digest_row digest_rows[] = {
#define DIGEST(name, code, text, bytes) { code, text, bytes },
#include "tlv/algs.def"
#undef DIGEST
};

static const struct {
	uint8_t code;
	unsigned bits;
} modulus_rows[] = {
#define MODULUS(code, bits) { code, bits },
#include "tlv/algs.def"
#undef MODULUS
};

static const struct {
	enum tlv_style style;
	const char *text;
} style_rows[] = {
	{ TLV_STYLE_CUCM, "cucm" },
	{ TLV_STYLE_CTL_CLIENT, "ctl-client" },
	{ TLV_STYLE_RFC4514, "rfc4514" },
};

const struct tlv_tag_row *tlv_tag_find(enum tlv_scope scope, uint8_t number)
{
	uint8_t row = row_of[scope][number];

	return row > 0 ? &tag_rows[row - 1] : NULL;
}

const struct tlv_tag_row *tlv_tags(size_t *n)
{
	*n = COUNT(tag_rows);
	return tag_rows;
}

const struct tlv_role_row *tlv_role_find(uint16_t number)
{
	for (size_t i = 0; i < COUNT(role_rows); i++)
		if (role_rows[i].number == number)
			return &role_rows[i];
	return NULL;
}

const struct tlv_role_row *tlv_role_by_text(const char *text)
{
	for (size_t i = 0; i < COUNT(role_rows); i++)
		if (strcmp(role_rows[i].text, text) == 0)
			return &role_rows[i];
	return NULL;
}

const struct tlv_role_row *tlv_roles(size_t *n)
{
	*n = COUNT(role_rows);
	return role_rows;
}

const struct tlv_digest_row *tlv_digest_find(uint8_t code)
{
	for (size_t i = 0; i < COUNT(digest_rows); i++)
		if (digest_rows[i].code == code)
			return &digest_rows[i];
	return NULL;
}

const struct tlv_digest_row *tlv_digest_by_text(const char *text)
{
	for (size_t i = 0; i < COUNT(digest_rows); i++)
		if (strcmp(digest_rows[i].text, text) == 0)
			return &digest_rows[i];
	return NULL;
}

unsigned tlv_modulus_bits(uint8_t code)
{
	for (size_t i = 0; i < COUNT(modulus_rows); i++)
		if (modulus_rows[i].code == code)
			return modulus_rows[i].bits;
	return 0;
}

int tlv_modulus_code(unsigned bits)
{
	for (size_t i = 0; i < COUNT(modulus_rows); i++)
		if (modulus_rows[i].bits == bits)
			return modulus_rows[i].code;
	return -1;
}

const char *tlv_style_text(enum tlv_style style)
{
	for (size_t i = 0; i < COUNT(style_rows); i++)
		if (style_rows[i].style == style)
			return style_rows[i].text;
	return "?";
}

bool tlv_style_by_text(const char *text, enum tlv_style *out)
{
	for (size_t i = 0; i < COUNT(style_rows); i++)
		if (strcmp(style_rows[i].text, text) == 0) {
			*out = style_rows[i].style;
			return true;
		}
	return false;
}
