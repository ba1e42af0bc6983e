/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child/door.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A list without the function is a module's fault too. */
#define THROUGH(m, call, ...) \
	do { \
		CK_RV rv_; \
\
		if ((m)->f->call == NULL) \
			return CKR_FUNCTION_NOT_SUPPORTED; \
		tok_pulse_enter((m)->pulse, TOK_CALL_##call); \
		rv_ = (m)->f->call(__VA_ARGS__); \
		tok_pulse_leave((m)->pulse); \
		return rv_; \
	} while (0)

/*
 * What a module is to fill is empty before: it may say that it did, and this process's own memory
 * would be shown as the token's.
 */
#define EMPTY(room) memset(room, 0, sizeof *(room))

/* p11-kit makes this call: it keeps count of who else uses the module. */
CK_RV tok_c_initialize(struct tok_module *m)
{
	CK_RV rv;

	tok_pulse_enter(m->pulse, TOK_CALL_C_Initialize);
	rv = p11_kit_module_initialize(m->f);
	tok_pulse_leave(m->pulse);
	m->initialised = rv == CKR_OK;
	return rv;
}

CK_RV tok_c_finalize(struct tok_module *m)
{
	CK_RV rv;

	if (!m->initialised)
		return CKR_OK;
	m->initialised = false;
	tok_pulse_enter(m->pulse, TOK_CALL_C_Finalize);
	rv = p11_kit_module_finalize(m->f);
	tok_pulse_leave(m->pulse);
	return rv;
}

static CK_RV get_info(const struct tok_module *m, CK_INFO *info)
{
	THROUGH(m, C_GetInfo, info);
}

/*
 * PKCS#11 pads texts with blanks. Some modules pad with NUL, or leave whatever was there
 * behind one: the text ends there. A URI cannot hold a NUL.
 */
static void pad(CK_UTF8CHAR *text, size_t n)
{
	size_t used = strnlen((const char *)text, n);

	memset(text + used, ' ', n - used);
}

#define PAD(field) pad(field, sizeof(field))

CK_RV tok_c_get_info(const struct tok_module *m, CK_INFO *info)
{
	CK_RV rv;

	EMPTY(info);
	rv = get_info(m, info);
	if (rv != CKR_OK)
		return rv;
	PAD(info->manufacturerID);
	PAD(info->libraryDescription);
	return rv;
}

CK_RV tok_c_get_slot_list(const struct tok_module *m, CK_SLOT_ID *list, CK_ULONG *n)
{
	THROUGH(m, C_GetSlotList, CK_TRUE, list, n);
}

static CK_RV get_slot_info(const struct tok_module *m, CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	THROUGH(m, C_GetSlotInfo, slot, info);
}

CK_RV tok_c_get_slot_info(const struct tok_module *m, CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	CK_RV rv;

	EMPTY(info);
	rv = get_slot_info(m, slot, info);
	if (rv != CKR_OK)
		return rv;
	PAD(info->slotDescription);
	PAD(info->manufacturerID);
	return rv;
}

static CK_RV get_token_info(const struct tok_module *m, CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	THROUGH(m, C_GetTokenInfo, slot, info);
}

CK_RV tok_c_get_token_info(const struct tok_module *m, CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	CK_RV rv;

	EMPTY(info);
	rv = get_token_info(m, slot, info);
	if (rv != CKR_OK)
		return rv;
	PAD(info->label);
	PAD(info->manufacturerID);
	PAD(info->model);
	PAD(info->serialNumber);
	return rv;
}

CK_RV tok_c_open_session(const struct tok_module *m, CK_SLOT_ID slot, CK_SESSION_HANDLE *s)
{
	EMPTY(s);
	THROUGH(m, C_OpenSession, slot, CKF_SERIAL_SESSION, NULL, NULL, s);
}

CK_RV tok_c_close_session(const struct tok_module *m, CK_SESSION_HANDLE s)
{
	THROUGH(m, C_CloseSession, s);
}

CK_RV tok_c_get_session_info(const struct tok_module *m, CK_SESSION_HANDLE s, CK_SESSION_INFO *info)
{
	EMPTY(info);
	THROUGH(m, C_GetSessionInfo, s, info);
}

CK_RV tok_c_find_objects_init(const struct tok_module *m, CK_SESSION_HANDLE s, CK_ATTRIBUTE *attrs,
			      CK_ULONG n)
{
	THROUGH(m, C_FindObjectsInit, s, attrs, n);
}

CK_RV tok_c_find_objects(const struct tok_module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *list,
			 CK_ULONG cap, CK_ULONG *n)
{
	*n = 0;
	memset(list, 0, cap * sizeof *list);
	THROUGH(m, C_FindObjects, s, list, cap, n);
}

CK_RV tok_c_find_objects_final(const struct tok_module *m, CK_SESSION_HANDLE s)
{
	THROUGH(m, C_FindObjectsFinal, s);
}

CK_RV tok_c_get_attribute_value(const struct tok_module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
				CK_ATTRIBUTE *attrs, CK_ULONG n)
{
	for (CK_ULONG i = 0; i < n; i++)
		if (attrs[i].pValue != NULL)
			memset(attrs[i].pValue, 0, attrs[i].ulValueLen);
	THROUGH(m, C_GetAttributeValue, s, o, attrs, n);
}

/* PKCS#11 has no const; modules do not write here. */
static CK_BYTE *unconst(const void *p)
{
	return (CK_BYTE *)(uintptr_t)p;
}

CK_RV tok_c_login(const struct tok_module *m, CK_SESSION_HANDLE s, CK_USER_TYPE user,
		  const char *pin, size_t n)
{
	THROUGH(m, C_Login, s, user, unconst(pin), pin == NULL ? 0 : n);
}

CK_RV tok_c_logout(const struct tok_module *m, CK_SESSION_HANDLE s)
{
	THROUGH(m, C_Logout, s);
}

CK_RV tok_c_sign_init(const struct tok_module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM mechanism = { .mechanism = CKM_RSA_PKCS };

	THROUGH(m, C_SignInit, s, &mechanism, key);
}

CK_RV tok_c_sign(const struct tok_module *m, CK_SESSION_HANDLE s, const uint8_t *data, size_t n,
		 uint8_t *sig, CK_ULONG *nsig)
{
	memset(sig, 0, *nsig);
	THROUGH(m, C_Sign, s, unconst(data), n, sig, nsig);
}

static const struct ckr {
	CK_RV rv;
	const char *name, *advice;
} ckrs[] = {
#define CKR(name, advice) { CKR_##name, "CKR_" #name, advice },
#include "pkcs11/child/ckr.def"
#undef CKR
};

static const struct ckr *find_rv(CK_RV rv)
{
	for (size_t i = 0; i < COUNT(ckrs); i++)
		if (ckrs[i].rv == rv)
			return &ckrs[i];
	return NULL;
}

const char *tok_rv_name(CK_RV rv)
{
	const struct ckr *c = find_rv(rv);

	return c == NULL ? NULL : c->name;
}

enum status tok_rv_failed(struct tlv_err *e, enum status st, enum tok_call call, CK_RV rv)
{
	const struct ckr *c = find_rv(rv);

	if (c == NULL)
		return err_set(e, st, "%s: return value 0x%08lx", tok_call_name(call), rv);
	return err_set(e, st, "%s: %s (0x%lx)%s%s", tok_call_name(call), c->name, rv,
		       c->advice == NULL ? "" : ": ", c->advice == NULL ? "" : c->advice);
}
