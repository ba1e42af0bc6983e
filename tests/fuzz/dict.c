/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: fuzz_dict
 *
 * Prints a dictionary for fuzzing engines, made from the tables of the format:
 * heads of fields, codes, names of attributes, words of URIs and manifests.
 */
#include <stdio.h>
#include <string.h>

#include "tlv/tables.h"

static void put(const char *name, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	(void)printf("%s=\"", name);
	for (size_t i = 0; i < n; i++)
		(void)printf("\\x%02X", (unsigned)p[i]);
	(void)printf("\"\n");
}

static void put_tags(void)
{
	size_t n;
	const struct tlv_tag_row *rows = tlv_tags(&n);

	for (size_t i = 0; i < n; i++) {
		const unsigned char head[] = { rows[i].number, 0, (unsigned char)rows[i].min };

		put(rows[i].scope == TLV_SCOPE_HEADER ? "header" : "record", head,
		    rows[i].kind == TLV_KIND_PADDING ? 1 : sizeof head);
	}
}

static void put_roles(void)
{
	size_t n;
	const struct tlv_role_row *rows = tlv_roles(&n);

	for (size_t i = 0; i < n; i++) {
		const unsigned char field[] = { TLV_R_FUNCTION, 0, 2,
						(unsigned char)(rows[i].number >> 8),
						(unsigned char)rows[i].number };

		put("role", field, sizeof field);
		put("word", rows[i].text, strlen(rows[i].text));
	}
}

static void put_words(void)
{
	static const char *const words[] = {
		"CTLFile.tlv",
		"ITLFile.tlv",
		"pkcs11:",
		"%20",
		"\\x1b[0m",
		"- ",
		": ",
		"file",
		"style",
		"mode",
		"digest",
		"key",
		"cert",
		"records",
		"role",
		"name",
		"address",
		"name-separator",
		"signer-version",
		"-----BEGIN ",
		"-----END ",
		"CERTIFICATE",
		"PRIVATE KEY-----",
#define URI_ATTR(name, where, most, flags) name "=",
#include "pkcs11/shared/uri_attrs.def"
#undef URI_ATTR
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		put("word", words[i], strlen(words[i]));
}

int main(void)
{
#define DIGEST(name, code, text, bytes) put("digest", (const unsigned char[]){ 8, 0, 1, code }, 4);
#define MODULUS(code, bits) put("modulus", (const unsigned char[]){ 11, 0, 1, code }, 4);
#include "tlv/algs.def"
#undef DIGEST
#undef MODULUS
	put_tags();
	put_roles();
#define ATTR(oid, keyword, rank, rfc4514) put("attribute", oid, sizeof(oid) - 1);
#include "tlv/attrs.def"
#undef ATTR
	put_words();
	return 0;
}
