/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What every fuzz target has: one entry, whoever drives it (libFuzzer, or
 * driver.c), and a property that ends the process where it does not hold.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tlv/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libFuzzer's, and what it calls where a target has a mutator of its own. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

#define REQUIRE(property) \
	do { \
		if (!(property)) { \
			(void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, \
				      #property); \
			abort(); \
		} \
	} while (0)

#endif
