/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_BYTES_FILE_H
#define TESTS_BYTES_FILE_H

#include <stdio.h>
#include <stdlib.h>

#include "tlv/bytes.h"

/* A whole file of the test data, owned by the caller; fails the test where it cannot be read. */
static inline struct buf test_file(const char *name)
{
	struct buf b = BUF_INIT;
	char path[512];
	uint8_t chunk[4096];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", TEST_DATA_DIR, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_put(&b, span_of(chunk, n));
	(void)fclose(f);
	return b;
}

static const char *const test_lists[] = { "lists/cucm.tlv", "lists/cucm-2048.tlv",
					  "lists/ctl-client.tlv", "lists/non-secure.tlv",
					  "lists/rfc4514.tlv" };

enum { TEST_LISTS = COUNT(test_lists) };

#endif
