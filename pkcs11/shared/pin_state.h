/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both sides of the wall: what a token's flags say of its PIN, and whether a
 * login may be tried then. The parent asks before it asks a person, the child
 * before it calls C_Login.
 */
#ifndef TOK_PIN_STATE_H
#define TOK_PIN_STATE_H

#include <stdbool.h>

#include "tlv/err.h"

/* Of CK_TOKEN_INFO.flags (PKCS#11 2.40, 3.2); the parent has no header of PKCS#11. */
enum {
	TOK_FLAG_LOGIN_REQUIRED = 1 << 2,
	TOK_FLAG_USER_PIN_INITIALIZED = 1 << 3,
	TOK_FLAG_PROTECTED_AUTHENTICATION_PATH = 1 << 8,
	TOK_FLAG_TOKEN_INITIALIZED = 1 << 10,
	TOK_FLAG_USER_PIN_COUNT_LOW = 1 << 16,
	TOK_FLAG_USER_PIN_FINAL_TRY = 1 << 17,
	TOK_FLAG_USER_PIN_LOCKED = 1 << 18,
	TOK_FLAG_USER_PIN_TO_BE_CHANGED = 1 << 19
};

enum tok_pin_state {
	TOK_PIN_OK,
	TOK_PIN_COUNT_LOW,
	TOK_PIN_FINAL_TRY,
	TOK_PIN_LOCKED,
	TOK_PIN_TO_BE_CHANGED,
	TOK_PIN_NOT_INITIALISED
};

/* "ok", "count-low", "final-try", "locked", "to-be-changed", "not-initialised": contract. */
const char *tok_pin_state_name(enum tok_pin_state s);

enum tok_pin_state tok_pin_state_of(unsigned long flags);

/*
 * Whether a C_Login may be made with these flags. typed: a person types the
 * PIN, here or at the token. ST_PIN_LOCKED, ST_PIN.
 */
enum status tok_pin_may_try(unsigned long flags, bool typed, struct tlv_err *e);

#endif
