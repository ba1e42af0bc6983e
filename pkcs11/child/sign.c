/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child/sign.h"

#include <string.h>

#include "pkcs11/child/login.h"
#include "pkcs11/shared/rsa.h"

/* libp11 picks sessions of its own and says nothing of threads: what signs below it looks here. */
static _Thread_local struct tok_lane *mine;

/*
 * A token that wants a login for each signature says so by CKR_USER_NOT_LOGGED_IN, in the first
 * session.
 */
static CK_RV sign_once(struct tok_lane *l, struct span data, bool authenticate, uint8_t *sig,
		       CK_ULONG *n)
{
	struct tok_hold *h = l->hold;
	CK_SESSION_HANDLE session = authenticate ? h->at.session : l->session;
	CK_RV rv;

	if (authenticate && tok_login_allowed(h, l->why) != ST_OK)
		return CKR_FUNCTION_REJECTED;
	rv = tok_c_sign_init(&l->m, session, h->key);
	if (rv != CKR_OK) {
		tok_rv_failed(l->why, ST_TOKEN, TOK_CALL_C_SignInit, rv);
		return rv;
	}
	if (authenticate) {
		rv = tok_login_for_signature(h, l->why);
		if (rv != CKR_OK)
			return rv;
	}
	rv = tok_c_sign(&l->m, session, data.p, data.n, sig, n);
	if (rv != CKR_OK)
		tok_rv_failed(l->why, ST_TOKEN, TOK_CALL_C_Sign, rv);
	return rv;
}

/*
 * SafeNet's 5110 says so once to a login that it then accepts. A token that
 * did not announce that it wants one gets its PIN from the parent again.
 */
static CK_RV sign_again(struct tok_lane *l, struct span data, uint8_t *sig, CK_ULONG *n)
{
	if (!l->hold->always_authenticate) {
		l->hint = l->hold->authenticate_once ? WIRE_FINAL : WIRE_LOGIN_AGAIN;
		return CKR_USER_NOT_LOGGED_IN;
	}
	*l->why = TLV_ERR_INIT;
	return sign_once(l, data, true, sig, n);
}

/* A short answer lost its leading zeros, a long one is no signature of this key. */
static CK_RV fit(const struct tok_lane *l, const uint8_t *raw, size_t n, uint8_t *sig)
{
	size_t want = l->hold->public.modulus.n;

	if (n == 0 || n > want) {
		err_set(l->why, ST_TOKEN, "C_Sign: a signature of %zu bytes for a key of %zu bytes",
			n, want);
		return CKR_FUNCTION_FAILED;
	}
	memset(sig, 0, want);
	(void)span_copy(span_of(raw, n), sig + want - n, n);
	return CKR_OK;
}

/*
 * A login for one signature is asked for, and given, when nothing else is
 * under way: the parent sees to that.
 */
CK_RV tok_sign_digest_info(void *arg, struct span data, uint8_t *sig)
{
	struct tok_hold *h = arg;
	struct tok_lane *l = mine;
	uint8_t raw[TOK_SIG_MAX * 2]; /* a module that writes too much does it here */
	CK_ULONG n = sizeof raw;
	CK_RV rv;

	if (l == NULL)
		return CKR_FUNCTION_FAILED;
	rv = sign_once(l, data, h->always_authenticate || h->authenticate_once, raw, &n);
	if (rv == CKR_USER_NOT_LOGGED_IN) {
		n = sizeof raw;
		rv = sign_again(l, data, raw, &n);
	}
	if (h->authenticate_once) {
		h->authenticate_once = false;
		if (!h->always_authenticate)
			tok_pin_free(&h->pin);
	}
	return rv == CKR_OK ? fit(l, raw, n, sig) : rv;
}

enum status tok_hold_sign(struct tok_lane *lane, struct span digest_info, uint8_t sig[TOK_SIG_MAX],
			  size_t *n, struct tlv_err *e)
{
	struct tlv_err why = TLV_ERR_INIT, outer = TLV_ERR_INIT;
	const struct tok_hold *h = lane->hold;
	enum status st;

	if (h == NULL || h->p11 == NULL)
		return err_set(e, ST_BUG, "signing without a login");
	lane->why = &why;
	lane->hint = WIRE_FINAL;
	mine = lane;
	st = rsa_sign_digest_info(tok_key_pkey(h->p11), digest_info, sig, TOK_SIG_MAX, n, &outer);
	mine = NULL;
	lane->why = NULL;
	if (why.status != ST_OK)
		return err_copy(e, &why);
	return st == ST_OK ? ST_OK : err_copy(e, &outer);
}
