/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Slips of the keyboard: what somebody may have meant.
 */
#ifndef TLV_NEAR_H
#define TLV_NEAR_H

#include <stddef.h>

/* The candidate with the fewest edits to the word, NULL if none is near. */
const char *near_word(const char *word, const char *const *candidates, size_t n);

#endif
