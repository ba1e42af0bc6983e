/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The allocator: there is memory until there is none. What it gives ends where its object ends,
 * and holds anything. It does not tell a use after free: AddressSanitizer and valgrind do.
 */
#include "any.h"
#include "libc.h"

static uint8_t room[4096];

static size_t left;

void any_memory(size_t times)
{
	left = times;
}

static void *give(size_t n)
{
	if (n > sizeof room || left == 0)
		return NULL;
	if (left != ANY_MEMORY)
		left--;
	any_bytes(room, sizeof room);
	return room + (sizeof room - n);
}

void *any_malloc(size_t n)
{
	return give(n);
}

void *any_realloc(void *p, size_t n)
{
	(void)p;
	return give(n);
}

void *any_reallocarray(void *p, size_t n, size_t size)
{
	(void)p;
	return give(n * size);
}

void any_free(void *p)
{
	(void)p;
}

void explicit_bzero(void *p, size_t n)
{
	uint8_t *byte = p;

	/*@ assert whole: n == 0 || \valid(byte + (0 .. n - 1)); */
	any_bytes(byte, n);
}
