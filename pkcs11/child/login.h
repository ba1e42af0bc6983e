/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The child gives the PIN to the token, by flags that it reads then.
 */
#ifndef TOK_CHILD_LOGIN_H
#define TOK_CHILD_LOGIN_H

#include "pkcs11/child/hold.h"

/*
 * Whether a C_Login may be tried now, by flags that are read now,
 * with a PIN of the kind h->how. ST_PIN_LOCKED, ST_PIN, ST_TOKEN.
 */
enum status tok_login_allowed(const struct tok_hold *h, struct tlv_err *e);

/* One C_Login(CKU_USER) with what was received. */
enum status tok_login_user(struct tok_hold *h, const struct tok_pin *pin, struct tlv_err *e);

/* One C_Login(CKU_CONTEXT_SPECIFIC), between C_SignInit and C_Sign. */
CK_RV tok_login_for_signature(struct tok_hold *h, struct tlv_err *e);

#endif
