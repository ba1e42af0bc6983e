/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/shared/pin_state.h"

#include <stddef.h>

#include "tlv/bytes.h"

static const char *const states[] = {
	[TOK_PIN_OK] = "ok",
	[TOK_PIN_COUNT_LOW] = "count-low",
	[TOK_PIN_FINAL_TRY] = "final-try",
	[TOK_PIN_LOCKED] = "locked",
	[TOK_PIN_TO_BE_CHANGED] = "to-be-changed",
	[TOK_PIN_NOT_INITIALISED] = "not-initialised",
};

const char *tok_pin_state_name(enum tok_pin_state s)
{
	return (size_t)s < COUNT(states) ? states[s] : "unknown";
}

/* The worst first: tokens set several at once. */
static const struct {
	unsigned long flag;
	enum tok_pin_state state;
} by_flag[] = {
	{ TOK_FLAG_USER_PIN_LOCKED, TOK_PIN_LOCKED },
	{ TOK_FLAG_USER_PIN_TO_BE_CHANGED, TOK_PIN_TO_BE_CHANGED },
	{ TOK_FLAG_USER_PIN_FINAL_TRY, TOK_PIN_FINAL_TRY },
	{ TOK_FLAG_USER_PIN_COUNT_LOW, TOK_PIN_COUNT_LOW },
};

/* A token that wants no login has no PIN to be initialised. */
enum tok_pin_state tok_pin_state_of(unsigned long flags)
{
	if ((flags & TOK_FLAG_TOKEN_INITIALIZED) == 0)
		return TOK_PIN_NOT_INITIALISED;
	for (size_t i = 0; i < COUNT(by_flag); i++)
		if ((flags & by_flag[i].flag) != 0)
			return by_flag[i].state;
	if ((flags & TOK_FLAG_LOGIN_REQUIRED) != 0 && (flags & TOK_FLAG_USER_PIN_INITIALIZED) == 0)
		return TOK_PIN_NOT_INITIALISED;
	return TOK_PIN_OK;
}

/*
 * When no C_Login is made. A SAST eToken destroys itself after fifteen wrong
 * PINs: one attempt from the end nothing is tried, and a file that is wrong
 * must not be tried by every run of a timer.
 */
static const struct {
	enum tok_pin_state state;
	bool typed_too; /* also refused if a person types it */
	enum status status;
	const char *why;
} refusals[] = {
	{ TOK_PIN_NOT_INITIALISED, true, ST_PIN,
	  "the token has no user PIN yet; set one with the vendor's tool or 'pkcs11-tool --init-pin'" },
	{ TOK_PIN_LOCKED, true, ST_PIN_LOCKED,
	  "the PIN is locked; a locked Cisco token cannot be enabled again, others only by their administrator: sign with another token of the list" },
	{ TOK_PIN_TO_BE_CHANGED, true, ST_PIN_LOCKED,
	  "the PIN must be changed first, with the vendor's tool" },
	{ TOK_PIN_FINAL_TRY, true, ST_PIN_LOCKED,
	  "one attempt is left before the token locks, so none is made; log in once by hand, with the vendor's tool" },
	{ TOK_PIN_COUNT_LOW, false, ST_PIN_LOCKED,
	  "a wrong PIN was given since the last good login, so a PIN that nobody types is not tried; log in once by hand" },
};

enum status tok_pin_may_try(unsigned long flags, bool typed, struct tlv_err *e)
{
	enum tok_pin_state state = tok_pin_state_of(flags);

	for (size_t i = 0; i < COUNT(refusals); i++)
		if (refusals[i].state == state && (refusals[i].typed_too || !typed))
			return err_set(e, refusals[i].status, "%s", refusals[i].why);
	return ST_OK;
}
