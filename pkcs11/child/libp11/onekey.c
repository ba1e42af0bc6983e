/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child/libp11/onekey.h"

#include <string.h>

#include "pkcs11/shared/pulse.h"

enum { SLOT = 0, KEY = 1 };

static const struct tok_onekey *the;
static bool found;			      /* the search has given its one answer */
static _Atomic CK_SESSION_HANDLE sessions;    /* libp11 opens them, one at a time */
static bool initiated[TOK_SESSIONS_MAX + 1U]; /* by session; each is one thread's at a time */

static CK_RV refuse(void)
{
	return CKR_FUNCTION_NOT_SUPPORTED;
}

/* Each with the type of its own: a call through another one is undefined. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define REFUSED(name, params) \
	static CK_RV guard_##name params \
	{ \
		return refuse(); \
	}
#include "pkcs11/child/libp11/onekey_refused.def"
#undef REFUSED
#pragma GCC diagnostic pop

static bool is_open(CK_SESSION_HANDLE s)
{
	return s != 0 && s <= sessions;
}

static CK_RV guard_initialize(void *args)
{
	(void)args;
	return CKR_OK;
}

static CK_RV guard_finalize(void *reserved)
{
	(void)reserved;
	return CKR_OK;
}

static void blank(unsigned char *text, size_t n)
{
	memset(text, ' ', n);
}

static CK_RV guard_get_info(CK_INFO *info)
{
	if (info == NULL)
		return CKR_ARGUMENTS_BAD;
	*info = (CK_INFO){ .cryptokiVersion = { 2, 40 } };
	blank(info->manufacturerID, sizeof info->manufacturerID);
	blank(info->libraryDescription, sizeof info->libraryDescription);
	return CKR_OK;
}

static CK_RV guard_get_slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *n)
{
	bool room;

	(void)present;
	if (n == NULL)
		return CKR_ARGUMENTS_BAD;
	room = *n >= 1;
	*n = 1;
	if (slots != NULL && !room)
		return CKR_BUFFER_TOO_SMALL;
	if (slots != NULL)
		*slots = SLOT;
	return CKR_OK;
}

static CK_RV guard_get_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	if (slot != SLOT)
		return CKR_SLOT_ID_INVALID;
	if (info == NULL)
		return CKR_ARGUMENTS_BAD;
	*info = (CK_SLOT_INFO){ .flags = CKF_TOKEN_PRESENT };
	blank(info->slotDescription, sizeof info->slotDescription);
	blank(info->manufacturerID, sizeof info->manufacturerID);
	return CKR_OK;
}

static CK_RV guard_get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	if (slot != SLOT)
		return CKR_SLOT_ID_INVALID;
	if (info == NULL)
		return CKR_ARGUMENTS_BAD;
	*info = (CK_TOKEN_INFO){ .flags = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED };
	blank(info->label, sizeof info->label);
	blank(info->manufacturerID, sizeof info->manufacturerID);
	blank(info->model, sizeof info->model);
	blank(info->serialNumber, sizeof info->serialNumber);
	return CKR_OK;
}

static CK_RV guard_get_mechanism_list(CK_SLOT_ID slot, CK_MECHANISM_TYPE *types, CK_ULONG *n)
{
	bool room;

	if (slot != SLOT)
		return CKR_SLOT_ID_INVALID;
	if (n == NULL)
		return CKR_ARGUMENTS_BAD;
	room = *n >= 1;
	*n = 1;
	if (types != NULL && !room)
		return CKR_BUFFER_TOO_SMALL;
	if (types != NULL)
		*types = CKM_RSA_PKCS;
	return CKR_OK;
}

static CK_RV guard_get_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type,
				      CK_MECHANISM_INFO *info)
{
	CK_ULONG bits = (CK_ULONG)(the == NULL ? 0 : the->modulus.n * 8);

	if (slot != SLOT)
		return CKR_SLOT_ID_INVALID;
	if (type != CKM_RSA_PKCS)
		return CKR_MECHANISM_INVALID;
	if (info == NULL)
		return CKR_ARGUMENTS_BAD;
	*info = (CK_MECHANISM_INFO){ .ulMinKeySize = bits,
				     .ulMaxKeySize = bits,
				     .flags = CKF_SIGN };
	return CKR_OK;
}

/* No token ever comes or goes here. */
static CK_RV guard_wait_for_slot_event(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
	(void)slot;
	(void)reserved;
	return (flags & CKF_DONT_BLOCK) != 0 ? CKR_NO_EVENT : refuse();
}

static CK_RV guard_open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *app, CK_NOTIFY notify,
				CK_SESSION_HANDLE *s)
{
	(void)flags;
	(void)app;
	(void)notify;
	if (slot != SLOT)
		return CKR_SLOT_ID_INVALID;
	if (s == NULL)
		return CKR_ARGUMENTS_BAD;
	if (sessions == TOK_SESSIONS_MAX)
		return CKR_SESSION_COUNT; /* then libp11 waits for one that is given back */
	*s = ++sessions;
	return CKR_OK;
}

static CK_RV guard_close_session(CK_SESSION_HANDLE s)
{
	return is_open(s) ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

static CK_RV guard_close_all_sessions(CK_SLOT_ID slot)
{
	if (slot != SLOT)
		return CKR_SLOT_ID_INVALID;
	sessions = 0;
	return CKR_OK;
}

/* libp11 asks from 0.4.13 on, before it uses a session of its pool again. */
static CK_RV guard_get_session_info(CK_SESSION_HANDLE s, CK_SESSION_INFO *info)
{
	if (!is_open(s))
		return CKR_SESSION_HANDLE_INVALID;
	if (info == NULL)
		return CKR_ARGUMENTS_BAD;
	*info = (CK_SESSION_INFO){ .slotID = SLOT,
				   .state = CKS_RO_USER_FUNCTIONS,
				   .flags = CKF_SERIAL_SESSION };
	return CKR_OK;
}

/* What is left of PKCS#11 1.0; this is what they are to answer. */
static CK_RV guard_not_parallel(CK_SESSION_HANDLE s)
{
	return is_open(s) ? CKR_FUNCTION_NOT_PARALLEL : CKR_SESSION_HANDLE_INVALID;
}

static CK_RV guard_login(CK_SESSION_HANDLE s, CK_USER_TYPE user, unsigned char *pin, CK_ULONG n)
{
	(void)s;
	(void)user;
	(void)pin;
	(void)n;
	return CKR_OK;
}

static CK_RV guard_logout(CK_SESSION_HANDLE s)
{
	(void)s;
	return CKR_OK;
}

/* Finds the key if private keys are asked for, and nothing else. */
static CK_RV guard_find_objects_init(CK_SESSION_HANDLE s, CK_ATTRIBUTE *attrs, CK_ULONG n)
{
	if (!is_open(s))
		return CKR_SESSION_HANDLE_INVALID;
	if (attrs == NULL && n != 0)
		return CKR_ARGUMENTS_BAD;
	found = true;
	for (CK_ULONG i = 0; i < n; i++) {
		CK_OBJECT_CLASS class = 0;

		if (attrs[i].type != CKA_CLASS || attrs[i].ulValueLen != sizeof class)
			continue;
		memcpy(&class, attrs[i].pValue, sizeof class);
		found = class != CKO_PRIVATE_KEY;
	}
	return CKR_OK;
}

static CK_RV guard_find_objects(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *keys, CK_ULONG cap,
				CK_ULONG *n)
{
	if (!is_open(s))
		return CKR_SESSION_HANDLE_INVALID;
	if (keys == NULL || n == NULL)
		return CKR_ARGUMENTS_BAD;
	*n = 0;
	if (found || cap == 0)
		return CKR_OK;
	found = true;
	*keys = KEY;
	*n = 1;
	return CKR_OK;
}

static CK_RV guard_find_objects_final(CK_SESSION_HANDLE s)
{
	(void)s;
	return CKR_OK;
}

/*
 * CKA_ALWAYS_AUTHENTICATE is never true here: libp11 would ask for a PIN by
 * itself. Who signs below logs in.
 */
static bool attribute(CK_ATTRIBUTE_TYPE type, struct span *value)
{
	static const CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	static const CK_KEY_TYPE rsa = CKK_RSA;
	static const CK_BBOOL no = CK_FALSE;
	const struct {
		CK_ATTRIBUTE_TYPE type;
		struct span value;
	} rows[] = {
		{ CKA_CLASS, span_of(&class, sizeof class) },
		{ CKA_KEY_TYPE, span_of(&rsa, sizeof rsa) },
		{ CKA_ID, SPAN_LIT("1") },
		{ CKA_LABEL, SPAN_LIT("key") },
		{ CKA_ALWAYS_AUTHENTICATE, span_of(&no, sizeof no) },
		{ CKA_MODULUS, the->modulus },
		{ CKA_PUBLIC_EXPONENT, the->exponent },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].type == type) {
			*value = rows[i].value;
			return true;
		}
	return false;
}

static CK_RV guard_get_attribute_value(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *a,
				       CK_ULONG n)
{
	CK_RV rv = CKR_OK;

	if (!is_open(s))
		return CKR_SESSION_HANDLE_INVALID;
	if (o != KEY)
		return CKR_OBJECT_HANDLE_INVALID;
	if (a == NULL)
		return CKR_ARGUMENTS_BAD;
	for (CK_ULONG i = 0; i < n; i++) {
		struct span value;
		bool known = attribute(a[i].type, &value);

		if (!known || (a[i].pValue != NULL && a[i].ulValueLen < value.n)) {
			rv = known ? CKR_BUFFER_TOO_SMALL : CKR_ATTRIBUTE_TYPE_INVALID;
			a[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
			continue;
		}
		if (a[i].pValue != NULL)
			memcpy(a[i].pValue, value.p, value.n);
		a[i].ulValueLen = value.n;
	}
	return rv;
}

static CK_RV guard_sign_init(CK_SESSION_HANDLE s, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	if (!is_open(s))
		return CKR_SESSION_HANDLE_INVALID;
	if (mechanism == NULL)
		return CKR_ARGUMENTS_BAD;
	if (key != KEY)
		return CKR_KEY_HANDLE_INVALID;
	initiated[s] = mechanism->mechanism == CKM_RSA_PKCS;
	return initiated[s] ? CKR_OK : CKR_MECHANISM_INVALID;
}

/*
 * Whether the caller wants the signature itself and has room for it. Asking for its length ends no
 * operation.
 */
static CK_RV guard_sign_room(const unsigned char *sig, CK_ULONG *nsig)
{
	CK_ULONG room = *nsig;

	*nsig = the->modulus.n;
	return sig != NULL && room < the->modulus.n ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

static CK_RV guard_sign(CK_SESSION_HANDLE s, unsigned char *data, CK_ULONG n, unsigned char *sig,
			CK_ULONG *nsig)
{
	CK_RV rv;

	if (!is_open(s) || !initiated[s])
		return CKR_OPERATION_NOT_INITIALIZED;
	if (data == NULL || nsig == NULL)
		return CKR_ARGUMENTS_BAD;
	rv = guard_sign_room(sig, nsig);
	if (rv != CKR_OK || sig == NULL)
		return rv;
	initiated[s] = false;
	rv = the->sign(the->arg, span_of(data, n), sig);
	/*
	 * For this value libp11 tries to encrypt instead. That is refused, and the reason would be
	 * lost.
	 */
	return rv == CKR_KEY_FUNCTION_NOT_PERMITTED ? CKR_FUNCTION_FAILED : rv;
}

static CK_RV guard_get_function_list(CK_FUNCTION_LIST **out);

static CK_FUNCTION_LIST list = {
	.version = { 2, 40 },
#define REFUSED(name, params) .name = guard_##name,
#include "pkcs11/child/libp11/onekey_refused.def"
#undef REFUSED
	.C_Initialize = guard_initialize,
	.C_Finalize = guard_finalize,
	.C_GetInfo = guard_get_info,
	.C_GetFunctionList = guard_get_function_list,
	.C_GetSlotList = guard_get_slot_list,
	.C_GetSlotInfo = guard_get_slot_info,
	.C_GetTokenInfo = guard_get_token_info,
	.C_GetMechanismList = guard_get_mechanism_list,
	.C_GetMechanismInfo = guard_get_mechanism_info,
	.C_WaitForSlotEvent = guard_wait_for_slot_event,
	.C_OpenSession = guard_open_session,
	.C_CloseSession = guard_close_session,
	.C_CloseAllSessions = guard_close_all_sessions,
	.C_GetSessionInfo = guard_get_session_info,
	.C_GetFunctionStatus = guard_not_parallel,
	.C_CancelFunction = guard_not_parallel,
	.C_Login = guard_login,
	.C_Logout = guard_logout,
	.C_FindObjectsInit = guard_find_objects_init,
	.C_FindObjects = guard_find_objects,
	.C_FindObjectsFinal = guard_find_objects_final,
	.C_GetAttributeValue = guard_get_attribute_value,
	.C_SignInit = guard_sign_init,
	.C_Sign = guard_sign,
};

static CK_RV guard_get_function_list(CK_FUNCTION_LIST **out)
{
	if (out == NULL)
		return CKR_ARGUMENTS_BAD;
	*out = &list;
	return CKR_OK;
}

void tok_onekey_set(const struct tok_onekey *k)
{
	the = k;
	sessions = 0;
	memset(initiated, 0, sizeof initiated);
}

CK_FUNCTION_LIST *tok_onekey_list(void)
{
	return &list;
}
