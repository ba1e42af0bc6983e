/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/seal.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "signer/crypto/digest.h"

static enum status refused(struct tlv_err *e)
{
	ERR_clear_error();
	return err_nomem_seen() ? err_nomem(e) :
				  err_set(e, ST_MACHINE,
					  "OpenSSL refuses to encrypt: 'ctlsign doctor' says more");
}

static enum status wrap(struct seal *s, EVP_PKEY *phone, struct tlv_err *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(phone, NULL);
	size_t n = sizeof s->wrapped;
	bool ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
		  EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		  EVP_PKEY_encrypt(ctx, s->wrapped, &n, s->key, sizeof s->key) == 1;

	s->nwrapped = n;
	EVP_PKEY_CTX_free(ctx);
	return ok ? ST_OK : refused(e);
}

static enum status check_phone(const struct tlv_cert *phone, struct tlv_err *e)
{
	struct tlv_rsa rsa;

	if (phone->key_type == TLV_KEY_EC)
		return err_set(
			e, ST_INPUT,
			"the phone's certificate has an EC key: how a file is encrypted with one is not known, only RSA is");
	if (phone->key_type != TLV_KEY_RSA || !tlv_rsa_walk(phone->public_key, &rsa) ||
	    rsa.bits > SEAL_KEY_MAX * 8 || tlv_rsa_proves_nothing(&rsa))
		return err_set(e, ST_INPUT,
			       "the phone's certificate has no RSA key of at most 4096 bits");
	return ST_OK;
}

enum status seal_make(struct seal *s, const struct tlv_cert *phone, struct tlv_err *e)
{
	enum status st = check_phone(phone, e);
	EVP_PKEY *key = NULL;

	if (st == ST_OK)
		st = digest_public_key(&key, phone->public_key, e);
	if (st == ST_OK &&
	    (RAND_priv_bytes(s->key, sizeof s->key) != 1 || RAND_bytes(s->iv, sizeof s->iv) != 1))
		st = refused(e);
	if (st == ST_OK)
		st = wrap(s, key, e);
	EVP_PKEY_free(key);
	return st;
}

/* Into room for any content of the block, whose length is not the key's own. */
static bool unwrap(struct seal *s, EVP_PKEY *phone, struct span wrapped)
{
	uint8_t room[SEAL_KEY_MAX];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(phone, NULL);
	size_t n = sizeof room;
	bool ok = ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1 &&
		  EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		  EVP_PKEY_decrypt(ctx, room, &n, wrapped.p, wrapped.n) == 1 &&
		  n == sizeof s->key && span_copy(span_of(room, n), s->key, sizeof s->key);

	EVP_PKEY_CTX_free(ctx);
	OPENSSL_cleanse(room, sizeof room);
	ERR_clear_error();
	return ok;
}

enum status seal_open(struct seal *s, EVP_PKEY *phone, const struct tlv_encryption *n,
		      struct tlv_err *e)
{
	if (RAND_priv_bytes(s->key, sizeof s->key) != 1)
		return refused(e);
	(void)span_copy(n->iv, s->iv, sizeof s->iv);
	(void)unwrap(s, phone, n->key);
	return err_nomem_seen() ? err_nomem(e) : ST_OK;
}

void seal_close(struct seal *s)
{
	OPENSSL_cleanse(s, sizeof *s);
}

enum status seal_begin(struct seal_stream **out, const struct seal *s, bool encrypt,
		       struct tlv_err *e)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	*out = (struct seal_stream *)ctx;
	if (ctx != NULL &&
	    EVP_CipherInit_ex(ctx, EVP_aes_128_cbc(), NULL, s->key, s->iv, encrypt ? 1 : 0) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1)
		return ST_OK;
	seal_drop(out);
	return refused(e);
}

enum status seal_add(struct seal_stream *s, struct span in, uint8_t *room, size_t cap,
		     struct span *out, struct tlv_err *e)
{
	int n = 0;

	*out = SPAN_NONE;
	if (cap < in.n + TLV_CONTENT_BLOCK)
		return err_set(e, ST_BUG, "no room for an encrypted piece");
	if (EVP_CipherUpdate((EVP_CIPHER_CTX *)s, room, &n, in.p, (int)in.n) != 1)
		return refused(e);
	*out = span_of(room, (size_t)n);
	return ST_OK;
}

void seal_drop(struct seal_stream **s)
{
	EVP_CIPHER_CTX_free((EVP_CIPHER_CTX *)*s);
	*s = NULL;
}
