/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A PKCS#11 module that is none: libp11 insists on loading a shared object,
 * and gets this one, whose function list is whatever key.c hands in. Loaded by
 * absolute path in the token's child process and nowhere else.
 */
#include <p11-kit/pkcs11.h>

void ctlsign_guard_list(CK_FUNCTION_LIST *list);

static CK_FUNCTION_LIST *handed_in;

__attribute__((visibility("default"))) void ctlsign_guard_list(CK_FUNCTION_LIST *list)
{
	handed_in = list;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	if (handed_in == NULL)
		return CKR_GENERAL_ERROR;
	*list = handed_in;
	return CKR_OK;
}
