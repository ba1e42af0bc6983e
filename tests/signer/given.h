/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lists and certificates of the test data, read for a test.
 */
#ifndef TESTS_SIGNER_GIVEN_H
#define TESTS_SIGNER_GIVEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signer/crypto/certfile.h"
#include "tests/tlv/bytes_file.h"
#include "tlv/list.h"

#define CLUSTER TEST_DATA_DIR "/cluster/"
#define PUB CLUSTER "pub.pem"
#define RENEWED CLUSTER "pub-regenerated.pem"
#define SUB CLUSTER "sub1.pem"
#define CAPF CLUSTER "capf.pem"
#define TOKEN_1 CLUSTER "SAST-ADN0054f509.pem"
#define TOKEN_2 CLUSTER "SAST-ADN008580ef.pem"

/* Owns the bytes that the list borrows. */
struct given_list {
	struct buf bytes;
	struct tlv_list list;
};

/* Name: below the test data, "lists/cucm.tlv". */
static inline struct given_list given_list(const char *name)
{
	struct given_list g = { .bytes = test_file(name) };

	assert_int_equal(tlv_list_decode(&g.list, buf_span(&g.bytes), NULL), ST_OK);
	return g;
}

static inline void given_list_free(struct given_list *g)
{
	tlv_list_free(&g->list);
	buf_free(&g->bytes);
}

static inline struct cert given_cert(const char *path)
{
	struct cert c = CERT_INIT;

	assert_int_equal(cert_load(&c, path, NULL, &(const struct tlv_warn){ .fn = NULL }, NULL),
			 ST_OK);
	return c;
}

/* The text is there, or the test fails with both. */
static inline void assert_says(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' does not say '%s'", text, part);
}

#endif
