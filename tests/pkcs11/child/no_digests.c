/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL's functions to which a signature names its digest, none of which works.
 */
#include <openssl/evp.h>

int EVP_PKEY_CTX_set_signature_md(EVP_PKEY_CTX *ctx, const EVP_MD *md)
{
	(void)ctx;
	(void)md;
	return 0;
}

int EVP_DigestSignInit(EVP_MD_CTX *ctx, EVP_PKEY_CTX **pctx, const EVP_MD *type, ENGINE *e,
		       EVP_PKEY *pkey)
{
	(void)ctx;
	(void)pctx;
	(void)type;
	(void)e;
	(void)pkey;
	return 0;
}

int EVP_DigestSignInit_ex(EVP_MD_CTX *ctx, EVP_PKEY_CTX **pctx, const char *mdname,
			  OSSL_LIB_CTX *libctx, const char *props, EVP_PKEY *pkey,
			  const OSSL_PARAM params[])
{
	(void)ctx;
	(void)pctx;
	(void)mdname;
	(void)libctx;
	(void)props;
	(void)pkey;
	(void)params;
	return 0;
}

int EVP_SignFinal(EVP_MD_CTX *ctx, unsigned char *md, unsigned int *s, EVP_PKEY *pkey)
{
	(void)ctx;
	(void)md;
	(void)s;
	(void)pkey;
	return 0;
}
