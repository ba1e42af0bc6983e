/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the token layer share: a folder for each test with its own
 * SoftHSM tokens, copied from templates that are made once; a PIN file; a plan
 * for the fault module and the count of what was called.
 */
#ifndef LAB_H
#define LAB_H

/* clang-format off: cmocka.h wants these before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "pkcs11/token.h"

#define LAB_PIN "7391-Zebra"
#define LAB_SO_PIN "12345678-so"

/* Templates: what is on the one token of the folder. */
enum lab_token {
	LAB_PLAIN,   /* SAST-ADN008580ef: key and certificate, as on an eToken; no public key */
	LAB_FOREIGN, /* the same among Ed25519, EC and AES keys */
	LAB_TOKENS   /* how many */
};

struct lab {
	char dir[128];
	char pin[160], plan[160], counter[160]; /* files */
	char pin_source[200];
	char fault[512]; /* path of the fault module */
	char warnings[4096];
	struct tok_options opt; /* for the plain token, through SoftHSM */
};

/* Group fixtures: a base folder, and the templates in it. */
int lab_group_setup(void **state);
int lab_group_teardown(void **state);
/* Test fixtures: *state is a struct lab with LAB_PLAIN. */
int lab_setup(void **state);
int lab_teardown(void **state);

/* Another token, empty, in this test's folder. */
void lab_token_new(struct lab *l, const char *label);
/* Copies a template's token into this test's folder, beside what is there. */
void lab_token_add(struct lab *l, enum lab_token template);
/*
 * Where scripts/lab finds a library, such as libsoftokn3.so, or NULL. Good until the next call.
 */
const char *lab_library(const char *name);
/* The same of SoftHSM, without which there is no lab. */
const char *lab_softhsm(void);
/* Runs a command that must succeed; printf-like. */
void lab_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* pkcs11-tool on a token of this test's folder, logged in. */
void lab_tool(const struct lab *l, const char *token, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Writes key and certificate of the test cluster to the token. Either may be NULL. */
void lab_write(const struct lab *l, const char *token, const char *key, const char *cert,
	       const char *id, const char *label);

/* From now on through the fault module, with this plan. */
void lab_plan(struct lab *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* How often the call was made since lab_plan. */
unsigned lab_count(const struct lab *l, const char *call);
/* The counter file's lines as one string, "C_Initialize C_GetSlotList …". */
const char *lab_calls(const struct lab *l);
void lab_file(const char *path, const char *text, unsigned mode);

/* DER of a certificate of the test cluster, in a buffer of its own. */
struct span lab_cert(const char *name);
/* What the key file gives for the DigestInfo. */
struct span lab_expect(const char *key, struct span digest_info);
/* A SHA-1 DigestInfo whose digest is the number. */
struct span lab_digest_info(uint32_t number);

/* open, login, sign, free. ST_OK only where the signature verifies against the certificate. */
enum status lab_sign(struct lab *l, struct tlv_err *e);
/* The same, with the signature. */
enum status lab_signature(struct lab *l, struct span digest_info, uint8_t sig[TOK_SIG_MAX],
			  size_t *n, struct tlv_err *e);
bool lab_verifies(struct span cert, struct span digest_info, struct span sig);

#define assert_text(text, fragment) \
	do { \
		if (strstr((text), (fragment)) == NULL) { \
			print_error("'%s' is not in '%s'\n", (fragment), (text)); \
			fail(); \
		} \
	} while (0)

#define assert_status(got, want, e) \
	do { \
		enum status got_ = (got); \
\
		if (got_ != (want)) { \
			print_error("status %d, not %d: %s\n", (int)got_, (int)(want), \
				    err_text(e)); \
			fail(); \
		} \
	} while (0)
/* Whether the process runs; one that has ended and was not waited for does not. */
bool lab_is_alive(long pid);

#if defined(__SANITIZE_ADDRESS__)
#define LAB_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LAB_SANITIZED 1
#endif
#endif
#ifndef LAB_SANITIZED
#define LAB_SANITIZED 0
#endif

/*
 * Seconds of a deadline that is meant to be over, but not before a sanitized process has started.
 */
enum { LAB_TIMEOUT = LAB_SANITIZED ? 8 : 2 };

/* Ends the test as skipped, with the reason. */
#define lab_skip(reason) \
	do { \
		print_message("skipped: %s\n", (reason)); \
		skip(); \
	} while (0)

#endif
