/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The only file that knows libp11. It is given a module of ours to load, so
 * that it never meets a real one: it would enumerate foreign slots and keys,
 * wait for ever on sessions that do not open, and keep the PIN.
 */
#include "pkcs11/child/libp11/key.h"

#include <dlfcn.h>
#include <libp11.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11/shared/path.h"

struct tok_key {
	void *guard; /* dlopen's handle */
	PKCS11_CTX *ctx;
	bool loaded;
	PKCS11_SLOT *slots;
	unsigned nslots;
	EVP_PKEY *pkey;
};

typedef void set_list_fn(CK_FUNCTION_LIST *list);

/* What dlsym returns is a function, whatever ISO C says of void pointers. */
static set_list_fn *set_list_of(void *guard)
{
	void *p = dlsym(guard, "ctlsign_guard_list");
	set_list_fn *fn = NULL;

	memcpy(&fn, &p, sizeof fn);
	return fn;
}

static enum status guard_load(struct tok_key *key, const char *path, struct tlv_err *e)
{
	set_list_fn *set_list;

	key->guard = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	set_list = key->guard == NULL ? NULL : set_list_of(key->guard);
	if (set_list == NULL)
		return err_set(e, ST_TOKEN, "'%s' cannot be loaded: %s", path, dlerror());
	set_list(tok_onekey_list());
	return ST_OK;
}

static enum status libp11_failed(struct tlv_err *e, const char *what)
{
	return err_set(e, ST_TOKEN, "libp11 fails in %s", what);
}

static enum status libp11_open(struct tok_key *key, const char *path, struct tlv_err *e)
{
	PKCS11_KEY *keys = NULL;
	unsigned n = 0;

	key->ctx = PKCS11_CTX_new();
	if (key->ctx == NULL)
		return err_nomem(e);
	if (PKCS11_CTX_load(key->ctx, path) != 0)
		return libp11_failed(e, "PKCS11_CTX_load");
	key->loaded = true;
	if (PKCS11_enumerate_slots(key->ctx, &key->slots, &key->nslots) != 0 || key->nslots != 1 ||
	    key->slots->token == NULL)
		return libp11_failed(e, "PKCS11_enumerate_slots");
	if (PKCS11_enumerate_keys(key->slots->token, &keys, &n) != 0 || n != 1)
		return libp11_failed(e, "PKCS11_enumerate_keys");
	key->pkey = PKCS11_get_private_key(keys);
	return key->pkey == NULL ? libp11_failed(e, "PKCS11_get_private_key") : ST_OK;
}

enum status tok_key_open(struct tok_key **out, const struct tok_onekey *k, struct tlv_err *e)
{
	struct tok_key *key = calloc(1, sizeof *key);
	char path[PATH_MAX];
	enum status st;

	*out = NULL;
	if (key == NULL)
		return err_nomem(e);
	tok_onekey_set(k);
	st = tok_part_find(TOK_GUARD_NAME, NULL, path, e);
	if (st == ST_OK)
		st = guard_load(key, path, e);
	if (st == ST_OK)
		st = libp11_open(key, path, e);
	if (st == ST_OK)
		*out = key;
	else
		tok_key_free(&key);
	return st;
}

EVP_PKEY *tok_key_pkey(const struct tok_key *key)
{
	return key->pkey;
}

/* In this order only: each needs what is freed after it. */
void tok_key_free(struct tok_key **key)
{
	struct tok_key *k = *key;

	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	if (k->slots != NULL)
		PKCS11_release_all_slots(k->ctx, k->slots, k->nslots);
	if (k->loaded)
		PKCS11_CTX_unload(k->ctx);
	if (k->ctx != NULL)
		PKCS11_CTX_free(k->ctx);
	if (k->guard != NULL)
		(void)dlclose(k->guard);
	tok_onekey_set(NULL);
	free(k);
	*key = NULL;
}
