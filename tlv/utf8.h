/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One character of UTF-8 at a time. Below spans, so that errors can use it.
 */
#ifndef TLV_UTF8_H
#define TLV_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed character at p, of n bytes that are there; 0: none. */
size_t utf8_character(const uint8_t *p, size_t n);

/* What the character at p stands for, whose length utf8_character() told. */
uint32_t utf8_code_point(const uint8_t *p, size_t n);

/*
 * As utf8_character(), but 0 also for what must not reach people's eyes as it is: controls
 * (C0, DEL, C1), line and paragraph separators, and characters that show nothing
 * themselves but turn, join or tag what stands around them.
 */
size_t utf8_visible(const uint8_t *p, size_t n);

#endif
