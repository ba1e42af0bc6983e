/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The one-key list, held against a client that calls every entry of it, in the
 * order of the structure and with nothing but zeros: libp11 looks at no entry
 * before it calls it.
 */
#include "tests/pkcs11/lab.h"

#include <stddef.h>
#include <string.h>

#include "pkcs11/child/libp11/onekey.h"

enum { MODULUS = 128 };

static uint8_t modulus[MODULUS];
static unsigned signatures;

static CK_RV sign(void *arg, struct span digest_info, uint8_t *sig)
{
	(void)arg;
	signatures++;
	memset(sig, 0x5a, MODULUS);
	return digest_info.n == 3 ? CKR_OK : CKR_KEY_FUNCTION_NOT_PERMITTED;
}

static const struct tok_onekey one = { .modulus = { modulus, MODULUS },
				       .exponent = { (const uint8_t *)"\1\0\1", 3 },
				       .sign = sign };

static int setup(void **state)
{
	*state = tok_onekey_list();
	tok_onekey_set(&one);
	signatures = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tok_onekey_set(NULL);
	return 0;
}

/* The structure is a version and then pointers to functions, all of one size. */
static void no_entry_is_missing(void **state)
{
	const CK_FUNCTION_LIST *l = *state;
	size_t first = offsetof(CK_FUNCTION_LIST, C_Initialize), n = 0;

	for (size_t at = first; at < sizeof *l; at += sizeof(void *), n++) {
		void *entry = NULL;

		memcpy(&entry, (const char *)l + at, sizeof entry);
		if (entry == NULL)
			fail_msg("entry %zu of the list is NULL", n);
	}
	assert_int_equal(n, 68);
}

#define REFUSES(call, ...) assert_int_equal(l->call(__VA_ARGS__), CKR_FUNCTION_NOT_SUPPORTED)

static void what_it_does_not_offer_it_refuses(void **state)
{
	CK_FUNCTION_LIST *l = *state;

	REFUSES(C_InitToken, 1, NULL, 1, NULL);
	REFUSES(C_InitPIN, 1, NULL, 1);
	REFUSES(C_SetPIN, 1, NULL, 1, NULL, 1);
	REFUSES(C_GetOperationState, 1, NULL, NULL);
	REFUSES(C_SetOperationState, 1, NULL, 1, 1, 1);
	REFUSES(C_CreateObject, 1, NULL, 1, NULL);
	REFUSES(C_CopyObject, 1, 1, NULL, 1, NULL);
	REFUSES(C_DestroyObject, 1, 1);
	REFUSES(C_GetObjectSize, 1, 1, NULL);
	REFUSES(C_SetAttributeValue, 1, 1, NULL, 1);
	REFUSES(C_EncryptInit, 1, NULL, 1);
	REFUSES(C_Encrypt, 1, NULL, 1, NULL, NULL);
	REFUSES(C_EncryptUpdate, 1, NULL, 1, NULL, NULL);
	REFUSES(C_EncryptFinal, 1, NULL, NULL);
	REFUSES(C_DecryptInit, 1, NULL, 1);
	REFUSES(C_Decrypt, 1, NULL, 1, NULL, NULL);
	REFUSES(C_DecryptUpdate, 1, NULL, 1, NULL, NULL);
	REFUSES(C_DecryptFinal, 1, NULL, NULL);
	REFUSES(C_DigestInit, 1, NULL);
	REFUSES(C_Digest, 1, NULL, 1, NULL, NULL);
	REFUSES(C_DigestUpdate, 1, NULL, 1);
	REFUSES(C_DigestKey, 1, 1);
	REFUSES(C_DigestFinal, 1, NULL, NULL);
	REFUSES(C_SignUpdate, 1, NULL, 1);
	REFUSES(C_SignFinal, 1, NULL, NULL);
	REFUSES(C_SignRecoverInit, 1, NULL, 1);
	REFUSES(C_SignRecover, 1, NULL, 1, NULL, NULL);
	REFUSES(C_VerifyInit, 1, NULL, 1);
	REFUSES(C_Verify, 1, NULL, 1, NULL, 1);
	REFUSES(C_VerifyUpdate, 1, NULL, 1);
	REFUSES(C_VerifyFinal, 1, NULL, 1);
	REFUSES(C_VerifyRecoverInit, 1, NULL, 1);
	REFUSES(C_VerifyRecover, 1, NULL, 1, NULL, NULL);
	REFUSES(C_DigestEncryptUpdate, 1, NULL, 1, NULL, NULL);
	REFUSES(C_DecryptDigestUpdate, 1, NULL, 1, NULL, NULL);
	REFUSES(C_SignEncryptUpdate, 1, NULL, 1, NULL, NULL);
	REFUSES(C_DecryptVerifyUpdate, 1, NULL, 1, NULL, NULL);
	REFUSES(C_GenerateKey, 1, NULL, NULL, 1, NULL);
	REFUSES(C_GenerateKeyPair, 1, NULL, NULL, 1, NULL, 1, NULL, NULL);
	REFUSES(C_WrapKey, 1, NULL, 1, 1, NULL, NULL);
	REFUSES(C_UnwrapKey, 1, NULL, 1, NULL, 1, NULL, 1, NULL);
	REFUSES(C_DeriveKey, 1, NULL, 1, NULL, 1, NULL);
	REFUSES(C_SeedRandom, 1, NULL, 1);
	REFUSES(C_GenerateRandom, 1, NULL, 1);
}

#define ANSWERS(want, call, ...) assert_int_equal(l->call(__VA_ARGS__), want)

static void what_it_offers_takes_no_nonsense(void **state)
{
	CK_FUNCTION_LIST *l = *state;
	CK_SESSION_HANDLE s;

	ANSWERS(CKR_OK, C_OpenSession, 0, CKF_SERIAL_SESSION, NULL, NULL, &s);
	ANSWERS(CKR_OK, C_Initialize, NULL);
	ANSWERS(CKR_ARGUMENTS_BAD, C_GetInfo, NULL);
	ANSWERS(CKR_ARGUMENTS_BAD, C_GetFunctionList, NULL);
	ANSWERS(CKR_ARGUMENTS_BAD, C_GetSlotList, CK_TRUE, NULL, NULL);
	ANSWERS(CKR_ARGUMENTS_BAD, C_GetSlotInfo, 0, NULL);
	ANSWERS(CKR_SLOT_ID_INVALID, C_GetSlotInfo, 1, NULL);
	ANSWERS(CKR_ARGUMENTS_BAD, C_GetTokenInfo, 0, NULL);
	ANSWERS(CKR_SLOT_ID_INVALID, C_GetTokenInfo, 1, NULL);
	ANSWERS(CKR_ARGUMENTS_BAD, C_GetMechanismList, 0, NULL, NULL);
	ANSWERS(CKR_SLOT_ID_INVALID, C_GetMechanismList, 1, NULL, NULL);
	ANSWERS(CKR_ARGUMENTS_BAD, C_GetMechanismInfo, 0, CKM_RSA_PKCS, NULL);
	ANSWERS(CKR_MECHANISM_INVALID, C_GetMechanismInfo, 0, CKM_SHA_1, NULL);
	ANSWERS(CKR_FUNCTION_NOT_SUPPORTED, C_WaitForSlotEvent, 0, NULL, NULL);
	ANSWERS(CKR_NO_EVENT, C_WaitForSlotEvent, CKF_DONT_BLOCK, NULL, NULL);
	ANSWERS(CKR_ARGUMENTS_BAD, C_OpenSession, 0, CKF_SERIAL_SESSION, NULL, NULL, NULL);
	ANSWERS(CKR_SESSION_HANDLE_INVALID, C_GetSessionInfo, 0, NULL);
	ANSWERS(CKR_ARGUMENTS_BAD, C_GetSessionInfo, s, NULL);
	ANSWERS(CKR_FUNCTION_NOT_PARALLEL, C_GetFunctionStatus, s);
	ANSWERS(CKR_FUNCTION_NOT_PARALLEL, C_CancelFunction, s);
	ANSWERS(CKR_SESSION_HANDLE_INVALID, C_CloseSession, 0);
	ANSWERS(CKR_OK, C_Login, s, CKU_USER, NULL, 0);
	ANSWERS(CKR_OK, C_Logout, s);
	ANSWERS(CKR_ARGUMENTS_BAD, C_FindObjectsInit, s, NULL, 1);
	ANSWERS(CKR_ARGUMENTS_BAD, C_FindObjects, s, NULL, 0, NULL);
	ANSWERS(CKR_OK, C_FindObjectsFinal, s);
	ANSWERS(CKR_OBJECT_HANDLE_INVALID, C_GetAttributeValue, s, 7, NULL, 0);
	ANSWERS(CKR_ARGUMENTS_BAD, C_GetAttributeValue, s, 1, NULL, 0);
	ANSWERS(CKR_ARGUMENTS_BAD, C_SignInit, s, NULL, 1);
	ANSWERS(CKR_OPERATION_NOT_INITIALIZED, C_Sign, s, NULL, 0, NULL, NULL);
	ANSWERS(CKR_OK, C_CloseSession, s);
	ANSWERS(CKR_SLOT_ID_INVALID, C_CloseAllSessions, 1);
	ANSWERS(CKR_OK, C_CloseAllSessions, 0);
	ANSWERS(CKR_SESSION_HANDLE_INVALID, C_GetSessionInfo, s, NULL);
	ANSWERS(CKR_OK, C_Finalize, NULL);
	assert_int_equal(signatures, 0);
}

/* What libp11 does from 0.4.13 on with a session of its pool. */
static void a_session_says_how_it_stands(void **state)
{
	CK_FUNCTION_LIST *l = *state, *same = NULL;
	CK_SESSION_INFO info;
	CK_SESSION_HANDLE s;

	ANSWERS(CKR_OK, C_GetFunctionList, &same);
	assert_ptr_equal(same, l);
	ANSWERS(CKR_OK, C_OpenSession, 0, CKF_SERIAL_SESSION, NULL, NULL, &s);
	ANSWERS(CKR_OK, C_GetSessionInfo, s, &info);
	assert_int_equal(info.slotID, 0);
	assert_int_equal(info.state, CKS_RO_USER_FUNCTIONS);
	assert_int_equal(info.flags, CKF_SERIAL_SESSION);
	ANSWERS(CKR_SESSION_HANDLE_INVALID, C_GetSessionInfo, s + 1, &info);
}

static void a_signature_may_be_asked_for_its_length_first(void **state)
{
	CK_FUNCTION_LIST *l = *state;
	CK_MECHANISM rsa = { .mechanism = CKM_RSA_PKCS }, sha = { .mechanism = CKM_SHA_1 };
	CK_MECHANISM_TYPE type = 0;
	CK_MECHANISM_INFO how;
	CK_SESSION_HANDLE s;
	CK_BYTE data[] = "abc", sig[MODULUS];
	CK_ULONG n = 1;

	ANSWERS(CKR_OK, C_GetMechanismList, 0, &type, &n);
	assert_int_equal(type, CKM_RSA_PKCS);
	ANSWERS(CKR_OK, C_GetMechanismInfo, 0, type, &how);
	assert_int_equal(how.ulMaxKeySize, MODULUS * 8);
	ANSWERS(CKR_OK, C_OpenSession, 0, CKF_SERIAL_SESSION, NULL, NULL, &s);
	ANSWERS(CKR_MECHANISM_INVALID, C_SignInit, s, &sha, 1);
	ANSWERS(CKR_KEY_HANDLE_INVALID, C_SignInit, s, &rsa, 2);
	ANSWERS(CKR_OK, C_SignInit, s, &rsa, 1);
	ANSWERS(CKR_OK, C_Sign, s, data, 3, NULL, &n);
	assert_int_equal(n, MODULUS);
	n = MODULUS - 1;
	ANSWERS(CKR_BUFFER_TOO_SMALL, C_Sign, s, data, 3, sig, &n);
	ANSWERS(CKR_OK, C_Sign, s, data, 3, sig, &n);
	assert_int_equal(sig[MODULUS - 1], 0x5a);
	ANSWERS(CKR_OPERATION_NOT_INITIALIZED, C_Sign, s, data, 3, sig, &n);
	assert_int_equal(signatures, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_entry_is_missing),
		TEST(what_it_does_not_offer_it_refuses),
		TEST(what_it_offers_takes_no_nonsense),
		TEST(a_session_says_how_it_stands),
		TEST(a_signature_may_be_asked_for_its_length_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
