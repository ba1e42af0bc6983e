/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Faults as a table: what the module does, what comes of it, what is said,
 * and how many C_Login it saw.
 */
#include "lab.h"

#include <stdio.h>
#include <string.h>

static const struct fault {
	const char *plan;
	enum status status;
	const char *text; /* of the error, or of a warning where the status is ST_OK */
	unsigned logins;
} faults[] = {
	{ "", ST_OK, "", 1 },
	/* A module that cannot start. */
	{ "C_Initialize 1 fail 0x30", ST_TOKEN, "C_Initialize: CKR_DEVICE_ERROR (0x30)", 0 },
	{ "C_Initialize 1 crash", ST_TOKEN, "crashed in C_Initialize (signal 11", 0 },
	{ "C_Initialize 1 exit 0", ST_TOKEN, "in C_Initialize, with exit(0)", 0 },
	{ "C_Initialize 1 sleep 30", ST_TOKEN, "s in C_Initialize", 0 },
	{ "module /nonexistent.so", ST_TOKEN, "cannot be loaded", 0 },
	/* Slots. */
	{ "C_GetSlotList 1 fail 0x05", ST_TOKEN, "C_GetSlotList: CKR_GENERAL_ERROR", 0 },
	{ "C_GetSlotList 2 fail 0x150", ST_OK, "", 1 },
	{ "C_GetTokenInfo * fail 0x30", ST_TOKEN, "a slot or module did not answer", 0 },
	{ "C_GetTokenInfo 1-2 fail 0xe1", ST_NO_MATCH, "no token is there", 0 },
	{ "C_GetTokenInfo 1 sleep 30", ST_TOKEN, "s in C_GetTokenInfo", 0 },
	{ "C_GetSlotList 2 claim 1", ST_TOKEN, "C_GetSlotList: more slots than it was given", 0 },
	{ "C_GetSlotList 2 claim 1000000000", ST_TOKEN, "room for: try another module", 0 },
	/* A certificate that claims more bytes than there was room for is none. */
	{ "C_GetAttributeValue 1 claim 1000000000", ST_NO_MATCH, "has no certificate", 0 },
	{ "C_GetAttributeValue 1 fail 0x150\nC_GetAttributeValue 3 claim 1000000000", ST_NO_MATCH,
	  "has no certificate", 0 },
	/* The token is pulled out, or another is put in. */
	{ "C_OpenSession 1 fail 0x32", ST_TOKEN, "C_OpenSession: CKR_DEVICE_REMOVED", 0 },
	{ "C_OpenSession 1 fail 0xe0", ST_TOKEN, "C_OpenSession: CKR_TOKEN_NOT_PRESENT", 0 },
	{ "C_OpenSession 1 sleep 30", ST_TOKEN, "s in C_OpenSession", 0 },
	{ "C_FindObjectsInit 1 fail 0x32", ST_TOKEN, "C_FindObjectsInit: CKR_DEVICE_REMOVED", 0 },
	{ "C_FindObjects 1 fail 0x32", ST_TOKEN, "C_FindObjects: CKR_DEVICE_REMOVED", 0 },
	{ "C_GetAttributeValue * fail 0x32", ST_TOKEN, "C_GetAttributeValue: CKR_DEVICE_REMOVED",
	  0 },
	{ "C_GetAttributeValue * fail 0xb3", ST_TOKEN, "CKR_SESSION_HANDLE_INVALID", 0 },
	{ "C_GetAttributeValue * fail 0x11", ST_NO_MATCH, "has no certificate", 0 },
	{ "C_GetAttributeValue * fail 0x30", ST_NO_MATCH, "has no certificate", 0 },
	{ "C_GetAttributeValue * fail 0x05", ST_NO_MATCH, "has no certificate", 0 },
	{ "C_GetTokenInfo 3+ fail 0x32", ST_TOKEN, "C_GetTokenInfo: CKR_DEVICE_REMOVED", 0 },
	{ "C_GetTokenInfo 3+ serial 777", ST_TOKEN, "another token is in the slot now", 0 },
	/* The PIN. */
	{ "C_GetTokenInfo * flags +LOCKED", ST_PIN_LOCKED, "locked", 0 },
	{ "C_GetTokenInfo * flags +FINAL_TRY", ST_PIN_LOCKED, "one attempt is left", 0 },
	{ "C_GetTokenInfo * flags +TO_BE_CHANGED", ST_PIN_LOCKED, "must be changed", 0 },
	{ "C_GetTokenInfo * flags +COUNT_LOW", ST_PIN_LOCKED, "a wrong PIN was given", 0 },
	{ "C_GetTokenInfo * flags -PIN_INITIALIZED", ST_PIN, "no user PIN", 0 },
	{ "C_GetTokenInfo 4+ flags +LOCKED", ST_PIN_LOCKED, "locked", 0 }, /* since the question */
	{ "C_GetTokenInfo * flags -LOGIN_REQUIRED +LOCKED", ST_NO_MATCH, "no private RSA key", 0 },
	{ "C_GetTokenInfo * flags -INITIALIZED", ST_NO_MATCH, "not initialised", 0 },
	{ "C_Login 1 fail 0xa0", ST_PIN, "OPENSSL_CONF", 1 },
	{ "C_Login 1 fail 0xa1", ST_PIN, "CKR_PIN_INVALID", 1 },
	{ "C_Login 1 fail 0xa2", ST_PIN, "CKR_PIN_LEN_RANGE", 1 },
	{ "C_Login 1 fail 0xa3", ST_PIN_LOCKED, "expired", 1 },
	{ "C_Login 1 fail 0xa4", ST_PIN_LOCKED, "CKR_PIN_LOCKED", 1 },
	{ "C_Login 1 fail 0x102", ST_PIN, "no user PIN", 1 },
	{ "C_Login 1 fail 0x30", ST_TOKEN, "C_Login: CKR_DEVICE_ERROR", 1 },
	{ "C_Login 1 fail 0x104", ST_TOKEN, "end the program in which its administrator", 1 },
	{ "C_Login 1 fail 0x80001234", ST_TOKEN, "C_Login: return value 0x80001234", 1 },
	{ "C_Login 1 sleep 30", ST_TOKEN, "s in C_Login", 1 },
	{ "C_Login 1 crash", ST_TOKEN, "crashed in C_Login", 1 },
	/* The signature. */
	{ "C_SignInit 1 fail 0x68", ST_TOKEN, "C_SignInit: CKR_KEY_FUNCTION_NOT_PERMITTED", 1 },
	{ "C_SignInit 1 fail 0x70", ST_TOKEN, "C_SignInit: CKR_MECHANISM_INVALID", 1 },
	{ "C_Sign 1 fail 0x32", ST_TOKEN, "C_Sign: CKR_DEVICE_REMOVED (0x32): plug the token in",
	  1 },
	{ "C_Sign 1 fail 0x68", ST_TOKEN, "C_Sign: CKR_KEY_FUNCTION_NOT_PERMITTED", 1 },
	{ "C_Sign 1 sleep 30", ST_TOKEN, "s in C_Sign", 1 },
	{ "C_Sign 1 crash", ST_TOKEN, "crashed in C_Sign (signal 11", 1 },
	{ "C_Sign 1 exit 0", ST_TOKEN, "in C_Sign, with exit(0)", 1 },
	{ "C_Sign 1 exit 1", ST_TOKEN, "in C_Sign, with exit(1)", 1 },
	{ "C_Sign 1 flip", ST_TOKEN, "does not verify", 1 }, /* the caller's part */
	{ "C_Sign 1 shorten", ST_TOKEN, "does not verify", 1 },
	{ "C_Sign 1 lengthen", ST_TOKEN, "a signature of 129 bytes for a key of 128", 1 },
	{ "C_Sign 1 user-not-logged-in", ST_OK, "", 2 },
	{ "C_Sign 1-2 user-not-logged-in", ST_TOKEN, "C_Sign: CKR_USER_NOT_LOGGED_IN", 2 },
	{ "hide-public-exponent", ST_OK, "", 1 },
	/* Slow, but each call is within the time. */
	{ "C_GetTokenInfo * sleep 0.4", ST_OK, "", 1 },
	/* What it prints is nobody's result. */
	{ "C_Sign 1 print CTLFile.tlv", ST_OK, "", 1 },
	/* The signature is there: what follows is a warning. */
	{ "C_Finalize 1 crash", ST_OK, "crashed in C_Finalize (signal 11", 1 },
	{ "C_Finalize 1 exit 3", ST_OK, "in C_Finalize, with exit(3)", 1 },
	{ "C_Finalize 1 sleep 30", ST_OK, "s in C_Finalize", 1 },
	{ "C_CloseSession 1 crash", ST_OK, "crashed in C_CloseSession", 1 },
	{ "C_Logout 1 fail 0x32", ST_OK, "", 1 },
	/* A module that writes on the line between the processes. The caller verifies. */
	{ "C_Sign 1 scribble 7f", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 00", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 40", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 4000000000000000", ST_TOKEN, "malformed answer",
	  1 }, /* no signature */
	{ "C_Sign 1 scribble 40020000000000", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 40020000ffffffff", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 4063000000000000", ST_TOKEN, "malformed answer",
	  1 }, /* no such status */
	{ "C_Sign 1 scribble 4009000000000000", ST_TOKEN, "malformed answer",
	  1 }, /* not the child's */
	{ "C_Sign 1 scribble 4008000100000000", ST_TOKEN, "malformed answer",
	  1 }, /* of no request */
	{ "C_Sign 1 scribble 40080020*5", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 46", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 4600", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 460100*127", ST_TOKEN, "malformed answer", 1 }, /* of no request */
	{ "C_Sign 1 scribble 46ff00*127", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 4600*128", ST_TOKEN, "does not verify", 1 },
	{ "C_Sign 1 scribble 4600*513", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 4200*40", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 4300*40", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 4430", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 4500", ST_TOKEN, "malformed answer", 1 },
	{ "C_Sign 1 scribble 4161", ST_OK, "a", 1 }, /* a warning of its own */
	{ "C_GetTokenInfo 1 scribble 43000000000000", ST_TOKEN, "malformed answer", 0 },
	{ "C_GetTokenInfo 1 scribble 49", ST_TOKEN, "malformed answer", 0 },
	{ "C_GetTokenInfo 1 scribble 420000000000", ST_TOKEN, "malformed answer", 0 },
	{ "C_GetTokenInfo 1 scribble 4000000000000000", ST_TOKEN, "malformed answer", 0 },
	/* A key that wants its PIN at each signature. */
	{ "always-authenticate " LAB_PIN, ST_OK, "", 2 },
	{ "always-authenticate " LAB_PIN "\nC_Sign 1 user-not-logged-in", ST_OK, "", 3 },
	{ "always-authenticate " LAB_PIN "\nC_Sign 1-2 user-not-logged-in", ST_TOKEN,
	  "CKR_USER_NOT_LOGGED_IN", 3 },
	{ "always-authenticate 0000", ST_PIN, "wrong", 2 },
	{ "always-authenticate " LAB_PIN "\nC_GetTokenInfo 5+ flags +FINAL_TRY", ST_PIN_LOCKED,
	  "one attempt", 1 },
	/* A pad at the token. */
	{ "pad " LAB_PIN, ST_OK, "enter the PIN at the pad", 1 },
	{ "pad " LAB_PIN "\nC_Login 1 sleep 2", ST_OK, "the PIN source is not used", 1 },
	{ "pad 0000", ST_PIN, "wrong", 2 },
	{ "pad " LAB_PIN "\nC_Login 1 fail 0x50", ST_PIN, "cancelled", 1 },
	{ "pad " LAB_PIN "\nC_GetTokenInfo * flags +FINAL_TRY", ST_PIN_LOCKED, "one attempt", 0 },
	{ "pad " LAB_PIN "\nalways-authenticate " LAB_PIN, ST_OK, "", 2 },
};

static bool one_fault(struct lab *l, const struct fault *f)
{
	struct tlv_err e = TLV_ERR_INIT;
	enum status st;
	unsigned logins;
	const char *said;

	lab_plan(l, "%s", f->plan);
	/* A wrong PIN of the row before leaves its mark on the token. */
	lab_run("rm -rf %s/tokens/*", l->dir);
	lab_token_add(l, LAB_PLAIN);
	l->opt.timeout = strstr(f->plan, "sleep") == NULL ? 20 : LAB_TIMEOUT;
	st = lab_sign(l, &e);
	logins = lab_count(l, "C_Login");
	said = st == ST_OK ? l->warnings : err_text(&e);
	if (st == f->status && logins == f->logins && strstr(said, f->text) != NULL)
		return true;
	print_error("plan '%s': status %d (not %d), %u logins (not %u): %s\n", f->plan, (int)st,
		    (int)f->status, logins, f->logins, said);
	return false;
}

static void every_fault_has_its_status_message_and_logins(void **state)
{
	struct lab *l = *state;
	size_t bad = 0;

	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		bad += one_fault(l, &faults[i]) ? 0 : 1;
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_fault_has_its_status_message_and_logins,
						lab_setup, lab_teardown),
	};

	return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
