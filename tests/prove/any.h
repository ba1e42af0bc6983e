/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Values of which the analysis knows nothing but what stands here. docs/PROOF.md says how
 * they stand for every input.
 */
#ifndef PROVE_ANY_H
#define PROVE_ANY_H

#include "tlv/bytes.h"

/* The longest spans of these proofs: longer ones take no other branch. */
enum { ANY_MAX = 6 };

bool any_bool(void);
size_t any_size(size_t min, size_t max);
uint8_t any_u8(void);
uint16_t any_u16(void);
uint32_t any_u32(void);
uint64_t any_u64(void);

/* Makes the n bytes at p unknown. */
void any_bytes(void *p, size_t n);

/*
 * A span of n unknown bytes, at most ANY_MAX of them, that ends where its object ends: one
 * byte too many is outside. There are two objects, so that two spans need not overlap.
 */
struct span any_span_of(size_t n);
struct span any_other_span_of(size_t n);
/* A span of any length. It begins where its object begins. */
struct span any_span(void);

/*
 * From now on so many allocations succeed, and then none; ANY_MEMORY: all. Each number is followed
 * by itself.
 */
#define ANY_MEMORY SIZE_MAX
void any_memory(size_t times);

/* The proof that a span is one: all of its bytes are there. */
void is_span(struct span s);

#endif
