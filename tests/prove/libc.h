/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * In front of every file of a proof: the allocator of prove/alloc.c in the place of libc's,
 * and what the analysis has no declaration of.
 */
#ifndef PROVE_LIBC_H
#define PROVE_LIBC_H

#include <stdlib.h>

void *any_malloc(size_t n);
void *any_realloc(void *p, size_t n);
void *any_reallocarray(void *p, size_t n, size_t size);
void any_free(void *p);
void explicit_bzero(void *p, size_t n);
void *memmem(const void *s, size_t n, const void *words, size_t m);

#define malloc any_malloc
#define realloc any_realloc
#define reallocarray any_reallocarray
#define free any_free

#endif
