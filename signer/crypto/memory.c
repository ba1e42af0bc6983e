/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/memory.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "tlv/bytes.h"

enum { RESERVE = 1 << 20 };

/* A block of the reserve. */
struct block {
	alignas(max_align_t) size_t n;
	alignas(max_align_t) uint8_t bytes[];
};

/* Nothing of it is used twice: it has to last for the way out only. */
static alignas(max_align_t) uint8_t reserve[RESERVE];
static atomic_size_t used;

static struct block *block_of(const void *p)
{
	uintptr_t at = (uintptr_t)p, first = (uintptr_t)reserve;

	if (at < first || at >= first + RESERVE)
		return NULL;
	return (struct block *)(at - offsetof(struct block, bytes));
}

static void *take(size_t n)
{
	size_t step = alignof(max_align_t), room, at;
	struct block *b;

	(void)err_nomem(NULL);
	if (n > RESERVE / 2)
		return NULL;
	room = sizeof *b + (n + step - 1) / step * step;
	at = atomic_fetch_add(&used, room);
	if (at > RESERVE - room)
		return NULL;
	b = (struct block *)((uintptr_t)reserve + at);
	b->n = n;
	return b->bytes;
}

static void *memory_get(size_t n)
{
	void *p = malloc(n);

	if (p == NULL && n != 0)
		p = take(n);
	return p;
}

static void put(void *p)
{
	if (block_of(p) == NULL)
		free(p);
}

static void *resize(void *p, size_t n)
{
	const struct block *b = block_of(p);
	void *grown = b == NULL ? realloc(p, n) : NULL;
	size_t old;

	if (grown != NULL || (b == NULL && n == 0))
		return grown;
	old = b != NULL ? b->n : malloc_usable_size(p);
	grown = take(n);
	if (grown == NULL)
		return NULL;
	(void)span_copy(span_of(p, old < n ? old : n), grown, n);
	put(p);
	return grown;
}

static void *crypto_get(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return memory_get(n);
}

static void *crypto_resize(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return resize(p, n);
}

static void crypto_put(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	put(p);
}

void memory_watch(void)
{
	(void)CRYPTO_set_mem_functions(crypto_get, crypto_resize, crypto_put);
	/* The kernel takes the memory back sooner than OpenSSL gives it back piece by piece. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
	json_set_alloc_funcs(memory_get, put);
}

enum status memory_verdict(enum status st, struct tlv_err *e)
{
	if (!err_nomem_seen() || (st == ST_NOMEM && e->status == st))
		return st;
	*e = TLV_ERR_INIT;
	return err_nomem(e);
}
