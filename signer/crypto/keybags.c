/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/keybags.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>

size_t keybags_pem_blocks(struct span bytes)
{
	static const char word[] = "PRIVATE KEY-----", begin[] = "-----BEGIN ";
	size_t n = 0;

	while (bytes.n > 0) {
		const uint8_t *at = memmem(bytes.p, bytes.n, begin, sizeof begin - 1), *end;
		struct span line;

		if (at == NULL)
			break;
		bytes = span_slice(bytes, (size_t)(at - bytes.p) + sizeof begin - 1, bytes.n);
		end = memchr(bytes.p, '\n', bytes.n);
		line = span_slice(bytes, 0, end != NULL ? (size_t)(end - bytes.p) : bytes.n);
		n += line.n > 0 && memmem(line.p, line.n, word, sizeof word - 1) != NULL;
	}
	return n;
}

/* What is looked for in the bags of one file. */
struct search {
	const EVP_PKEY *key;
	const char *pass;
	size_t keys;   /* counted first: to compare them takes time */
	bool compares; /* the second time */
	bool other;
};

static EVP_PKEY *open_bag(const struct search *s, const PKCS12_SAFEBAG *bag)
{
	PKCS8_PRIV_KEY_INFO *opened = NULL;
	EVP_PKEY *key;

	if (PKCS12_SAFEBAG_get_nid(bag) == NID_keyBag)
		return EVP_PKCS82PKEY(PKCS12_SAFEBAG_get0_p8inf(bag));
	opened = PKCS12_decrypt_skey(bag, s->pass, -1);
	key = opened != NULL ? EVP_PKCS82PKEY(opened) : NULL;
	PKCS8_PRIV_KEY_INFO_free(opened);
	return key;
}

static void take_key(struct search *s, const PKCS12_SAFEBAG *bag)
{
	EVP_PKEY *key;

	s->keys++;
	if (!s->compares || s->other)
		return;
	key = open_bag(s, bag);
	s->other = key == NULL || EVP_PKEY_eq(key, s->key) != 1;
	EVP_PKEY_free(key);
}

static void take_bags(struct search *s, const STACK_OF(PKCS12_SAFEBAG) * bags)
{
	for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
		const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
		int kind = PKCS12_SAFEBAG_get_nid(bag);

		if (kind == NID_keyBag || kind == NID_pkcs8ShroudedKeyBag)
			take_key(s, bag);
		else if (kind == NID_safeContentsBag)
			take_bags(s, PKCS12_SAFEBAG_get0_safes(bag));
	}
}

static void take_safe(struct search *s, PKCS7 *safe)
{
	STACK_OF(PKCS12_SAFEBAG) *bags = NULL;

	if (PKCS7_type_is_data(safe))
		bags = PKCS12_unpack_p7data(safe);
	else if (PKCS7_type_is_encrypted(safe))
		bags = PKCS12_unpack_p7encdata(safe, s->pass, -1);
	take_bags(s, bags);
	sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}

static void take_safes(struct search *s, const STACK_OF(PKCS7) * safes)
{
	s->keys = 0;
	for (int i = 0; i < sk_PKCS7_num(safes); i++)
		take_safe(s, sk_PKCS7_value(safes, i));
}

bool keybags_other(const EVP_PKEY *key, struct span bytes, const char *pass)
{
	const unsigned char *p = bytes.p;
	/* Programs write the empty passphrase where they say that there is none. */
	struct search s = { .key = key, .pass = pass != NULL ? pass : "" };
	PKCS12 *file = d2i_PKCS12(NULL, &p, (long)bytes.n);
	STACK_OF(PKCS7) *safes = file != NULL ? PKCS12_unpack_authsafes(file) : NULL;

	take_safes(&s, safes);
	s.compares = s.keys > 1;
	if (s.compares)
		take_safes(&s, safes);
	sk_PKCS7_pop_free(safes, PKCS7_free);
	PKCS12_free(file);
	ERR_clear_error();
	return s.other;
}
