/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A module that says it has filled what it was given, and has not. What stood there before is this
 * process's own memory, and never shown as the token's.
 */
#include "tests/pkcs11/lab.h"

#include <string.h>

#include "pkcs11/child/door.h"

enum { ROOM = 8, OURS = 0xaa };

static CK_RV slot_info(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	(void)slot;
	(void)info;
	return CKR_OK;
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	(void)slot;
	(void)info;
	return CKR_OK;
}

static CK_RV info(CK_INFO *info)
{
	(void)info;
	return CKR_OK;
}

static CK_RV session_info(CK_SESSION_HANDLE s, CK_SESSION_INFO *info)
{
	(void)s;
	(void)info;
	return CKR_OK;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *app, CK_NOTIFY notify,
			  CK_SESSION_HANDLE *s)
{
	(void)slot;
	(void)flags;
	(void)app;
	(void)notify;
	(void)s;
	return CKR_OK;
}

static CK_RV find_objects(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *list, CK_ULONG cap, CK_ULONG *n)
{
	(void)s;
	(void)list;
	(void)cap;
	(void)n;
	return CKR_OK;
}

static CK_RV attribute_value(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *attrs,
			     CK_ULONG n)
{
	(void)s;
	(void)o;
	(void)attrs;
	(void)n;
	return CKR_OK;
}

static CK_RV sign(CK_SESSION_HANDLE s, unsigned char *data, CK_ULONG n, unsigned char *sig,
		  CK_ULONG *nsig)
{
	(void)s;
	(void)data;
	(void)n;
	(void)sig;
	(void)nsig;
	return CKR_OK;
}

static CK_FUNCTION_LIST idle = { .C_GetInfo = info,
				 .C_GetSlotInfo = slot_info,
				 .C_GetTokenInfo = token_info,
				 .C_GetSessionInfo = session_info,
				 .C_OpenSession = open_session,
				 .C_FindObjects = find_objects,
				 .C_GetAttributeValue = attribute_value,
				 .C_Sign = sign };
static const struct tok_module module = { .f = &idle };

#define NOTHING_OF_OURS(call, room) \
	do { \
		memset(&(room), OURS, sizeof(room)); \
		assert_int_equal(call, CKR_OK); \
		assert_null(memchr(&(room), OURS, sizeof(room))); \
	} while (0)

static void what_it_describes(void **state)
{
	CK_INFO i;
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO token;
	CK_SESSION_INFO session;
	CK_SESSION_HANDLE s;

	(void)state;
	NOTHING_OF_OURS(tok_c_get_info(&module, &i), i);
	NOTHING_OF_OURS(tok_c_get_slot_info(&module, 0, &slot), slot);
	NOTHING_OF_OURS(tok_c_get_token_info(&module, 0, &token), token);
	NOTHING_OF_OURS(tok_c_get_session_info(&module, 0, &session), session);
	NOTHING_OF_OURS(tok_c_open_session(&module, 0, &s), s);
}

static void what_it_finds_and_signs(void **state)
{
	CK_OBJECT_HANDLE handles[ROOM];
	CK_ULONG n = ROOM, nsig = ROOM;
	uint8_t value[ROOM], sig[ROOM];
	CK_ATTRIBUTE a[] = { { CKA_VALUE, value, ROOM }, { CKA_ID, NULL, 0 } };

	(void)state;
	NOTHING_OF_OURS(tok_c_find_objects(&module, 0, handles, ROOM, &n), handles);
	assert_int_equal(n, 0);
	NOTHING_OF_OURS(tok_c_get_attribute_value(&module, 0, 0, a, 2), value);
	NOTHING_OF_OURS(tok_c_sign(&module, 0, value, ROOM, sig, &nsig), sig);
}

static void a_function_that_it_lacks(void **state)
{
	CK_FUNCTION_LIST none = { .C_GetInfo = NULL };
	const struct tok_module m = { .f = &none };
	CK_INFO i;

	(void)state;
	assert_int_equal(tok_c_get_info(&m, &i), CKR_FUNCTION_NOT_SUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_describes),
		cmocka_unit_test(what_it_finds_and_signs),
		cmocka_unit_test(a_function_that_it_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
