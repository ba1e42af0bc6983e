/* SPDX-License-Identifier: Apache-2.0 */
#include "any.h"

#include "__fc_builtin.h"

bool any_bool(void)
{
	return Frama_C_interval(0, 1) != 0;
}

size_t any_size(size_t min, size_t max)
{
	return (size_t)Frama_C_unsigned_long_interval(min, max);
}

uint8_t any_u8(void)
{
	return (uint8_t)Frama_C_unsigned_int_interval(0, UINT8_MAX);
}

uint16_t any_u16(void)
{
	return (uint16_t)Frama_C_unsigned_int_interval(0, UINT16_MAX);
}

uint32_t any_u32(void)
{
	return Frama_C_unsigned_int_interval(0, UINT32_MAX);
}

uint64_t any_u64(void)
{
	return Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
}

void any_bytes(void *p, size_t n)
{
	Frama_C_make_unknown(p, n);
}

static uint8_t block[ANY_MAX], other[ANY_MAX];

struct span any_span_of(size_t n)
{
	any_bytes(block, sizeof block);
	return span_of(block + (ANY_MAX - n), n);
}

struct span any_other_span_of(size_t n)
{
	any_bytes(other, sizeof other);
	return span_of(other + (ANY_MAX - n), n);
}

struct span any_span(void)
{
	any_bytes(block, sizeof block);
	return span_of(block, any_size(0, ANY_MAX));
}

void is_span(struct span s)
{
	/*@ assert there: \initialized(&s.n) && \initialized(&s.p); */
	/*@ assert whole: s.n == 0 || \valid_read(s.p + (0 .. s.n - 1)); */
}
