/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Numbers and addresses as people write them.
 */
#ifndef TLV_TEXT_H
#define TLV_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* True if the text is one whole decimal number of at most max. */
bool parse_number(const char *text, uint64_t max, uint64_t *out);
/* Four decimal numbers up to 255 without leading zeros. */
bool parse_ipv4(const char *text, uint8_t out[4]);

#endif
