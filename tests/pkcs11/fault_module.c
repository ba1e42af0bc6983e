/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A PKCS#11 module that wraps a real one, counts every call, and fails as a
 * plan (fault_plan.h) tells it to. Built as ${CMAKE_BINARY_DIR}/tests/pkcs11/ctlsign-fault.so.
 */
#include "fault_plan.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	CK_FLAGS flag;
} flag_names[] = {
	{ "COUNT_LOW", CKF_USER_PIN_COUNT_LOW },  { "FINAL_TRY", CKF_USER_PIN_FINAL_TRY },
	{ "LOCKED", CKF_USER_PIN_LOCKED },	  { "TO_BE_CHANGED", CKF_USER_PIN_TO_BE_CHANGED },
	{ "INITIALIZED", CKF_TOKEN_INITIALIZED }, { "PIN_INITIALIZED", CKF_USER_PIN_INITIALIZED },
	{ "LOGIN_REQUIRED", CKF_LOGIN_REQUIRED }, { "PAD", CKF_PROTECTED_AUTHENTICATION_PATH },
};

#define PASS(name, params, args) \
	static CK_RV wrap_##name params \
	{ \
		CK_RV rv; \
\
		if (fault_before(CALL_##name, &rv)) \
			return rv; \
		rv = fault.real->name args; \
		fault_after(CALL_##name); \
		return rv; \
	}

PASS(C_Finalize, (void *reserved), (reserved))
PASS(C_GetInfo, (CK_INFO * info), (info))
PASS(C_GetSlotInfo, (CK_SLOT_ID slot, CK_SLOT_INFO *info), (slot, info))
PASS(C_GetMechanismList, (CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *n), (slot, list, n))
PASS(C_GetMechanismInfo, (CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info),
     (slot, type, info))
PASS(C_InitToken, (CK_SLOT_ID slot, unsigned char *pin, CK_ULONG n, unsigned char *label),
     (slot, pin, n, label))
PASS(C_InitPIN, (CK_SESSION_HANDLE s, unsigned char *pin, CK_ULONG n), (s, pin, n))
PASS(C_OpenSession,
     (CK_SLOT_ID slot, CK_FLAGS flags, void *app, CK_NOTIFY notify, CK_SESSION_HANDLE *s),
     (slot, flags, app, notify, s))
PASS(C_CloseSession, (CK_SESSION_HANDLE s), (s))
PASS(C_CloseAllSessions, (CK_SLOT_ID slot), (slot))
PASS(C_GetSessionInfo, (CK_SESSION_HANDLE s, CK_SESSION_INFO *info), (s, info))
PASS(C_Logout, (CK_SESSION_HANDLE s), (s))
PASS(C_CreateObject, (CK_SESSION_HANDLE s, CK_ATTRIBUTE *a, CK_ULONG n, CK_OBJECT_HANDLE *o),
     (s, a, n, o))
PASS(C_FindObjectsInit, (CK_SESSION_HANDLE s, CK_ATTRIBUTE *a, CK_ULONG n), (s, a, n))
PASS(C_FindObjects, (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *list, CK_ULONG cap, CK_ULONG *n),
     (s, list, cap, n))
PASS(C_FindObjectsFinal, (CK_SESSION_HANDLE s), (s))
PASS(C_DecryptInit, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key), (s, m, key))
PASS(C_EncryptInit, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key), (s, m, key))

/* NSS reads its parameters where others have pReserved, and has pReserved behind them. */
struct nss_init_args {
	CK_C_INITIALIZE_ARGS common;
	void *reserved;
};

static CK_RV wrap_C_Initialize(void *args)
{
	struct nss_init_args nss = { .common = { .flags = CKF_OS_LOCKING_OK } };
	CK_RV rv;

	if (fault_before(CALL_C_Initialize, &rv))
		return rv;
	nss.common.pReserved = fault.init_args;
	rv = fault.real->C_Initialize(fault.init_args[0] != '\0' ? (void *)&nss : args);
	fault_after(CALL_C_Initialize);
	return rv;
}

static CK_RV wrap_C_GetSlotList(CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *n)
{
	CK_RV rv;

	if (fault_before(CALL_C_GetSlotList, &rv))
		return rv;
	rv = fault.real->C_GetSlotList(present, list, n);
	if (rv == CKR_OK)
		*n += fault_claim(CALL_C_GetSlotList);
	fault_after(CALL_C_GetSlotList);
	return rv;
}

static CK_FLAGS flag_named(const char *name)
{
	for (size_t i = 0; i < sizeof flag_names / sizeof *flag_names; i++)
		if (strcmp(flag_names[i].name, name) == 0)
			return flag_names[i].flag;
	(void)fprintf(stderr, "fault plan: unknown flag '%s'\n", name);
	return 0;
}

static void alter_flags(CK_FLAGS *flags, const char *text)
{
	char copy[256], *save = NULL;

	(void)snprintf(copy, sizeof copy, "%s", text);
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		CK_FLAGS flag = flag_named(w + 1);

		*flags = *w == '-' ? *flags & ~flag : *flags | flag;
	}
}

/* As of a module that copies C strings into room that it has not cleared. */
static void nul_pad(unsigned char *text, size_t n)
{
	size_t used = n;

	while (used > 0 && text[used - 1] == ' ')
		used--;
	for (size_t i = used; i < n; i++)
		text[i] = i == used || i % 3 == 0 ? '\0' : 'x';
}

static void nul_pad_token(CK_TOKEN_INFO *info)
{
	nul_pad(info->label, sizeof info->label);
	nul_pad(info->manufacturerID, sizeof info->manufacturerID);
	nul_pad(info->model, sizeof info->model);
	nul_pad(info->serialNumber, sizeof info->serialNumber);
}

static CK_RV wrap_C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	CK_RV rv;

	if (fault_before(CALL_C_GetTokenInfo, &rv))
		return rv;
	rv = fault.real->C_GetTokenInfo(slot, info);
	if (rv != CKR_OK || (info->flags & CKF_TOKEN_INITIALIZED) == 0)
		return rv;
	if (fault.is_pad)
		info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
	for (size_t i = 0; i < fault.n; i++) {
		const struct rule *r = &fault.rules[i];

		if (!fault_applies(r, CALL_C_GetTokenInfo))
			continue;
		if (r->action == FLAGS)
			alter_flags(&info->flags, r->text);
		if (r->action == NUL_PAD)
			nul_pad_token(info);
		if (r->action == SERIAL) {
			memset(info->serialNumber, ' ', sizeof info->serialNumber);
			memcpy(info->serialNumber, r->text, strnlen(r->text, 16));
		}
	}
	fault_after(CALL_C_GetTokenInfo);
	return rv;
}

/* Where there is room for them. */
static void add_nuls(CK_ATTRIBUTE *a, CK_ULONG room)
{
	enum { MORE = 4 };

	if (a->type != CKA_LABEL || a->ulValueLen == CK_UNAVAILABLE_INFORMATION ||
	    a->ulValueLen == 0)
		return;
	if (a->pValue != NULL && room - a->ulValueLen < MORE)
		return;
	if (a->pValue != NULL)
		memset((char *)a->pValue + a->ulValueLen, 0, MORE);
	a->ulValueLen += MORE;
}

static CK_RV wrap_C_GetAttributeValue(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *a,
				      CK_ULONG n)
{
	enum { MOST = 16 };
	CK_ULONG room[MOST] = { 0 };
	CK_RV rv;

	if (fault_before(CALL_C_GetAttributeValue, &rv))
		return rv;
	for (CK_ULONG i = 0; i < n && i < MOST; i++)
		room[i] = a[i].ulValueLen;
	rv = fault.real->C_GetAttributeValue(s, o, a, n);
	for (CK_ULONG i = 0; i < n; i++) {
		if (i < MOST && fault_is_planned(CALL_C_GetAttributeValue, NUL_PAD))
			add_nuls(&a[i], room[i]);
		if (a[i].ulValueLen != CK_UNAVAILABLE_INFORMATION)
			a[i].ulValueLen += fault_claim(CALL_C_GetAttributeValue);
		if (fault.hide_exponent && a[i].type == CKA_PUBLIC_EXPONENT) {
			a[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
			rv = CKR_ATTRIBUTE_SENSITIVE;
		}
		if (fault.is_always && a[i].type == CKA_ALWAYS_AUTHENTICATE &&
		    a[i].pValue != NULL) {
			*(CK_BBOOL *)a[i].pValue = CK_TRUE;
			a[i].ulValueLen = sizeof(CK_BBOOL);
			rv = n == 1 ? CKR_OK : rv;
		}
	}
	fault_after(CALL_C_GetAttributeValue);
	return rv;
}

static CK_RV context_login(const unsigned char *pin, CK_ULONG n)
{
	const char *want = fault.is_always ? fault.always : fault.pad;

	if (fault.init_at == 0 || fault.clock != fault.init_at + 1)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (pin == NULL && !fault.is_pad)
		return CKR_PIN_INCORRECT;
	if (pin != NULL && (n != strlen(want) || memcmp(pin, want, n) != 0))
		return CKR_PIN_INCORRECT;
	fault.auth_at = fault.clock;
	return CKR_OK;
}

static CK_RV wrap_C_Login(CK_SESSION_HANDLE s, CK_USER_TYPE user, unsigned char *pin, CK_ULONG n)
{
	CK_RV rv;

	if (fault_before(CALL_C_Login, &rv))
		return rv;
	if (fault.is_pad && pin != NULL)
		return CKR_ARGUMENTS_BAD;
	if (fault.is_always && user == CKU_CONTEXT_SPECIFIC)
		return context_login(pin, n);
	if (fault.is_pad)
		rv = fault.real->C_Login(s, user, (unsigned char *)fault.pad, strlen(fault.pad));
	else
		rv = fault.real->C_Login(s, user, pin, n);
	fault_after(CALL_C_Login);
	return rv;
}

static CK_RV wrap_C_SignInit(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	CK_RV rv;

	if (fault_before(CALL_C_SignInit, &rv))
		return rv;
	rv = fault.real->C_SignInit(s, m, key);
	fault.init_at = fault.clock;
	fault_after(CALL_C_SignInit);
	return rv;
}

/* Ends the operation that C_SignInit began, as a failed C_Sign does. */
static void drop_operation(CK_SESSION_HANDLE s)
{
	unsigned char data[1] = { 0 }, sig[1024];
	CK_ULONG n = sizeof sig;

	(void)fault.real->C_Sign(s, data, sizeof data, sig, &n);
}

static void alter_signature(enum action action, unsigned char *sig, CK_ULONG *n, CK_ULONG room)
{
	CK_ULONG zeros = 0;

	if (action == FLIP)
		sig[*n - 1] ^= 1;
	if (action == SHORTEN)
		--*n;
	if (action == LENGTHEN && *n < room)
		sig[(*n)++] = 0x55;
	if (action != ZERO_STRIP)
		return;
	while (zeros < *n && sig[zeros] == 0)
		zeros++;
	memmove(sig, sig + zeros, *n - zeros);
	*n -= zeros;
}

static CK_RV wrap_C_Sign(CK_SESSION_HANDLE s, unsigned char *data, CK_ULONG n, unsigned char *sig,
			 CK_ULONG *nsig)
{
	CK_ULONG room = *nsig;
	CK_RV rv;

	if (fault_before(CALL_C_Sign, &rv)) {
		drop_operation(s);
		return rv;
	}
	if (fault.is_always && (fault.auth_at == 0 || fault.clock != fault.auth_at + 1)) {
		drop_operation(s);
		return CKR_USER_NOT_LOGGED_IN;
	}
	rv = fault.real->C_Sign(s, data, n, sig, nsig);
	for (size_t i = 0; i < fault.n && rv == CKR_OK && sig != NULL; i++)
		if (fault_applies(&fault.rules[i], CALL_C_Sign))
			alter_signature(fault.rules[i].action, sig, nsig, room);
	fault_after(CALL_C_Sign);
	return rv;
}

typedef CK_RV get_list_fn(CK_FUNCTION_LIST **list);

static CK_RV load_real(void)
{
	void *handle = dlopen(fault.module, RTLD_NOW | RTLD_LOCAL);
	void *p = handle == NULL ? NULL : dlsym(handle, "C_GetFunctionList");
	get_list_fn *get = NULL;

	if (p == NULL) {
		(void)fprintf(stderr, "fault module: %s\n", dlerror());
		return CKR_GENERAL_ERROR;
	}
	memcpy(&get, &p, sizeof get);
	return get(&fault.real);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	const char *path = getenv("CTLSIGN_FAULT_PLAN");

	if (fault.real == NULL) {
		if (path != NULL && *path != '\0' && !fault_read_plan(path))
			return CKR_GENERAL_ERROR;
		if (load_real() != CKR_OK)
			return CKR_GENERAL_ERROR;
		fault.list = *fault.real;
#define X(name) fault.list.name = wrap_##name;
		CALLS(X)
#undef X
		fault.list.C_GetFunctionList = C_GetFunctionList;
	}
	*list = &fault.list;
	return CKR_OK;
}
