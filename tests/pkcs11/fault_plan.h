/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The plan by which the fault module fails.
 *
 * The environment variable CTLSIGN_FAULT_PLAN names the plan, a text file of
 * lines; '#' begins a comment. An unknown line makes C_GetFunctionList fail, with
 * a word on stderr, and so does a plan without a module.
 *
 *   module PATH           the real module; of two such lines the last one counts
 *   counter PATH          one line with the call's name is appended for each call,
 *                         before anything else happens; safe for several processes
 *   init-args TEXT        the rest of the line is given to C_Initialize as NSS wants it
 *                         (softokn: configdir='sql:/DIR' certPrefix='' keyPrefix=''
 *                         secmod='' flags=)
 *   pad PIN               the token has a PIN pad, at which PIN is typed: the flag
 *                         PROTECTED_AUTHENTICATION_PATH is set, and C_Login without a
 *                         PIN logs in with this one; with a PIN it fails
 *   always-authenticate PIN
 *                         keys are CKA_ALWAYS_AUTHENTICATE: C_Sign wants C_Login with
 *                         CKU_CONTEXT_SPECIFIC and this PIN directly before it and
 *                         C_SignInit directly before that, else CKR_USER_NOT_LOGGED_IN
 *   hide-public-exponent  CKA_PUBLIC_EXPONENT is CKR_ATTRIBUTE_SENSITIVE
 *
 *   CALL WHICH ACTION     on some uses of a call, counted from 1 in each process, in
 *                         whatever thread:
 *                         WHICH is N, N+ (from the N-th on), N-M, or * (always)
 *
 * CALL is a name such as C_Sign. ACTION is one of
 *
 *   fail CKR              returns CKR (a number, 0x30) without calling the real one
 *   user-not-logged-in    the same as fail 0x101
 *   sleep SECONDS         waits, then goes on (fractions allowed)
 *   meet N                waits until N threads have come so far, then goes on; fails with
 *                         CKR_FUNCTION_FAILED where they do not come within 20 seconds
 *   print TEXT            writes the rest of the line to stdout, then goes on
 *   crash                 ends with SIGSEGV
 *   exit CODE             calls exit(CODE)
 *   crash-after           calls the real one, then ends with SIGSEGV
 *   scribble HEX          writes these bytes to descriptor 3, as a module that has gone mad
 *                         may; then goes on. HEX*N repeats the last byte N times
 *   drip SECONDS          writes a warning to descriptor 3 ten times a second, for so long
 *   flood N               writes N warnings to descriptor 3 at once
 *   forge SECONDS         writes nonsense to the page on which the parent sees the calls,
 *                         again and again, for so long
 *   grandchild HOW        leaves a process behind that keeps descriptor 3 open for a minute
 *                         and ignores SIGTERM; its id is appended to the counter's file
 *                         with ".pids" behind its name. HOW is stay, or away: in a session
 *                         of its own
 *   flags +NAME -NAME…    C_GetTokenInfo: sets and clears flags: COUNT_LOW, FINAL_TRY,
 *                         LOCKED, TO_BE_CHANGED, INITIALIZED, PIN_INITIALIZED,
 *                         LOGIN_REQUIRED, PAD; the spare, uninitialised token keeps its own
 *   flip                  C_Sign: the last bit of the signature is wrong
 *   shorten               C_Sign: the last byte is missing
 *   lengthen              C_Sign: a byte too many
 *   zero-strip            C_Sign: leading zero bytes are missing
 *   serial TEXT           C_GetTokenInfo: another serial number
 *   nul-pad               C_GetTokenInfo: texts are padded with NUL and rubbish behind it, not
 *                         with blanks; C_GetAttributeValue: labels have four NULs more
 *
 *   claim N               C_GetSlotList, C_GetAttributeValue: says that it gave so many slots or
 *                         bytes more than it gave, and more than there was room for
 *
 * Several lines for one call all apply, in their order, until one of them ends it.
 */
#ifndef FAULT_PLAN_H
#define FAULT_PLAN_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stddef.h>

/* clang-format off: a table */
#define CALLS(X) \
	X(C_Initialize) \
	X(C_Finalize) \
	X(C_GetInfo) \
	X(C_GetSlotList) \
	X(C_GetSlotInfo) \
	X(C_GetTokenInfo) \
	X(C_GetMechanismList) \
	X(C_GetMechanismInfo) \
	X(C_InitToken) \
	X(C_InitPIN) \
	X(C_OpenSession) \
	X(C_CloseSession) \
	X(C_CloseAllSessions) \
	X(C_GetSessionInfo) \
	X(C_Login) \
	X(C_Logout) \
	X(C_CreateObject) \
	X(C_FindObjectsInit) \
	X(C_FindObjects) \
	X(C_FindObjectsFinal) \
	X(C_GetAttributeValue) \
	X(C_SignInit) \
	X(C_Sign) \
	X(C_DecryptInit) \
	X(C_EncryptInit)
/* clang-format on */

enum call {
#define X(name) CALL_##name,
	CALLS(X)
#undef X
		NCALLS
};

extern const char *const fault_call_names[NCALLS];

enum action {
	FAIL,
	SLEEP,
	MEET,
	PRINT,
	CRASH,
	EXIT,
	CRASH_AFTER,
	FLAGS,
	FLIP,
	SHORTEN,
	LENGTHEN,
	ZERO_STRIP,
	SERIAL,
	NUL_PAD,
	CLAIM,
	SCRIBBLE,
	DRIP,
	FLOOD,
	FORGE,
	GRANDCHILD,
	NOT_LOGGED_IN
};

struct rule {
	enum call call;
	unsigned long from, to;
	enum action action;
	char text[256];
};

/* A module is one per process, and so is this. */
extern struct fault {
	struct rule rules[64];
	size_t n;
	char module[256], counter[256], init_args[512], pad[64], always[64];
	bool is_pad, is_always, hide_exponent;
	_Atomic unsigned long uses[NCALLS];
	_Atomic unsigned long clock;		/* every call ticks */
	_Atomic unsigned long init_at, auth_at; /* when C_SignInit, and the login for it, came */
	CK_FUNCTION_LIST *real;
	CK_FUNCTION_LIST list;
} fault;

/* False with a word on stderr if a line is not understood. */
bool fault_read_plan(const char *path);
/* Whether the rule is for this use of the call. */
bool fault_applies(const struct rule *r, enum call c);
bool fault_is_planned(enum call call, enum action action);
/* How much more than it gave the call says that it gave. */
unsigned long fault_claim(enum call call);

/* Counts the call. What happens before the real one; true if it ends it, with *rv. */
bool fault_before(enum call c, CK_RV *rv);
/* What happens behind the real call. */
void fault_after(enum call c);

#endif
