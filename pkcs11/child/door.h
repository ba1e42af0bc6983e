/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The one door to a PKCS#11 module. Every C_ call of this program is made in
 * door.c, through p11-kit's function list, with the child's pulse set.
 */
#ifndef TOK_DOOR_H
#define TOK_DOOR_H

#include <p11-kit/p11-kit.h>

#include "pkcs11/shared/pulse.h"
#include "tlv/err.h"

struct tok_module {
	CK_FUNCTION_LIST *f; /* p11-kit's */
	char *name;	     /* path, or what p11-kit calls it; owned */
	struct tok_pulse *pulse;
	bool initialised;
};

CK_RV tok_c_initialize(struct tok_module *m);
CK_RV tok_c_finalize(struct tok_module *m);
CK_RV tok_c_get_info(const struct tok_module *m, CK_INFO *info);
CK_RV tok_c_get_slot_list(const struct tok_module *m, CK_SLOT_ID *list, CK_ULONG *n);
CK_RV tok_c_get_slot_info(const struct tok_module *m, CK_SLOT_ID slot, CK_SLOT_INFO *info);
CK_RV tok_c_get_token_info(const struct tok_module *m, CK_SLOT_ID slot, CK_TOKEN_INFO *info);
/* Serial and read-only: nothing here ever writes to a token. */
CK_RV tok_c_open_session(const struct tok_module *m, CK_SLOT_ID slot, CK_SESSION_HANDLE *s);
CK_RV tok_c_close_session(const struct tok_module *m, CK_SESSION_HANDLE s);
CK_RV tok_c_get_session_info(const struct tok_module *m, CK_SESSION_HANDLE s,
			     CK_SESSION_INFO *info);
CK_RV tok_c_find_objects_init(const struct tok_module *m, CK_SESSION_HANDLE s, CK_ATTRIBUTE *attrs,
			      CK_ULONG n);
CK_RV tok_c_find_objects(const struct tok_module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *list,
			 CK_ULONG cap, CK_ULONG *n);
CK_RV tok_c_find_objects_final(const struct tok_module *m, CK_SESSION_HANDLE s);
CK_RV tok_c_get_attribute_value(const struct tok_module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
				CK_ATTRIBUTE *attrs, CK_ULONG n);
/* pin NULL: the token's own pad asks for it. */
CK_RV tok_c_login(const struct tok_module *m, CK_SESSION_HANDLE s, CK_USER_TYPE user,
		  const char *pin, size_t n);
CK_RV tok_c_logout(const struct tok_module *m, CK_SESSION_HANDLE s);
/* CKM_RSA_PKCS: the token pads, the caller brings the DigestInfo. */
CK_RV tok_c_sign_init(const struct tok_module *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key);
CK_RV tok_c_sign(const struct tok_module *m, CK_SESSION_HANDLE s, const uint8_t *data, size_t n,
		 uint8_t *sig, CK_ULONG *nsig);

/* "CKR_DEVICE_REMOVED" or NULL. */
const char *tok_rv_name(CK_RV rv);
/* Records "C_Sign: CKR_DEVICE_REMOVED (0x32)", and what to do if that is known. Returns st. */
enum status tok_rv_failed(struct tlv_err *e, enum status st, enum tok_call call, CK_RV rv);

#endif
