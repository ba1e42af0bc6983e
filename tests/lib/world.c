/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Preloaded, it makes another world around the program. What is set in the
 * environment is so, the rest as it is:
 *
 *   WORLD_TIME=SECONDS    what the clock says
 *   WORLD_SYNC=0|1        whether the kernel calls the clock synchronised
 *   WORLD_NO_SHA1=1       a crypto policy forbids SHA-1 signatures to those who name the digest
 *   WORLD_NO_LEGACY=1     OpenSSL's legacy provider is not installed
 *   WORLD_NO_MLOCK=1      the limits let no memory be locked
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timex.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/provider.h>

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static int is_so(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && strcmp(value, "1") == 0;
}

time_t time(time_t *out)
{
	const char *value = getenv("WORLD_TIME");
	time_t t = value != NULL ? (time_t)atoll(value) : REAL(time)(NULL);

	if (out != NULL)
		*out = t;
	return t;
}

int adjtimex(struct timex *t)
{
	if (getenv("WORLD_SYNC") == NULL)
		return REAL(adjtimex)(t);
	return is_so("WORLD_SYNC") ? TIME_OK : TIME_ERROR;
}

int EVP_DigestSignInit_ex(EVP_MD_CTX *ctx, EVP_PKEY_CTX **pctx, const char *mdname,
			  OSSL_LIB_CTX *libctx, const char *props, EVP_PKEY *pkey,
			  const OSSL_PARAM params[])
{
	if (is_so("WORLD_NO_SHA1") && strcmp(mdname, "SHA1") == 0)
		return 0;
	return REAL(EVP_DigestSignInit_ex)(ctx, pctx, mdname, libctx, props, pkey, params);
}

OSSL_PROVIDER *OSSL_PROVIDER_load(OSSL_LIB_CTX *ctx, const char *name)
{
	if (is_so("WORLD_NO_LEGACY") && strcmp(name, "legacy") == 0)
		return NULL;
	return REAL(OSSL_PROVIDER_load)(ctx, name);
}

int mlock(const void *p, size_t n)
{
	if (is_so("WORLD_NO_MLOCK")) {
		errno = ENOMEM;
		return -1;
	}
	return REAL(mlock)(p, n);
}
