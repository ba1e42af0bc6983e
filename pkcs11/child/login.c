/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child/login.h"

#include "pkcs11/shared/secret.h"

/* At the token's own pad somebody types. */
static bool is_typed(uint8_t how)
{
	return (how & (WIRE_TYPED | WIRE_PAD)) != 0;
}

enum status tok_login_allowed(const struct tok_hold *h, struct tlv_err *e)
{
	CK_FLAGS flags;
	enum status st = tok_hold_flags(h, &flags, e);

	return st == ST_OK ? tok_pin_may_try(flags, is_typed(h->how), e) : st;
}

#define WHAT_ELSE \
	"; if it is right, check that it is this token's PIN, that the module is this token's, and that the module works with OPENSSL_CONF (fips)"

/* What a C_Login that failed means. */
static const struct outcome {
	CK_RV rv;
	enum status status;
	enum wire_hint hint;
	const char *text;
} outcomes[] = {
	{ CKR_OK, ST_OK, WIRE_FINAL, NULL },
	{ CKR_USER_ALREADY_LOGGED_IN, ST_OK, WIRE_FINAL, NULL },
	{ CKR_PIN_INCORRECT, ST_PIN, WIRE_ASK_AGAIN, "the token says the PIN is wrong" WHAT_ELSE },
	{ CKR_PIN_INVALID, ST_PIN, WIRE_ASK_AGAIN, "the token cannot take this PIN" WHAT_ELSE },
	{ CKR_PIN_LEN_RANGE, ST_PIN, WIRE_ASK_AGAIN,
	  "the token takes no PIN of this length" WHAT_ELSE },
	{ CKR_FUNCTION_CANCELED, ST_PIN, WIRE_FINAL, "the login was cancelled at the token" },
	{ CKR_USER_PIN_NOT_INITIALIZED, ST_PIN, WIRE_FINAL, "the token has no user PIN yet" },
	{ CKR_PIN_LOCKED, ST_PIN_LOCKED, WIRE_FINAL, "the PIN is locked" },
	{ CKR_PIN_EXPIRED, ST_PIN_LOCKED, WIRE_FINAL,
	  "the PIN has expired and must be changed first" },
};

static const struct outcome *outcome_of(CK_RV rv)
{
	for (size_t i = 0; i < COUNT(outcomes); i++)
		if (outcomes[i].rv == rv)
			return &outcomes[i];
	return NULL;
}

static enum status judge(struct tok_hold *h, CK_RV rv, struct tlv_err *e)
{
	const struct outcome *o = outcome_of(rv);

	if (o == NULL)
		return tok_rv_failed(e, ST_TOKEN, TOK_CALL_C_Login, rv);
	h->hint = o->hint;
	if (o->status == ST_OK)
		return ST_OK;
	return err_set(e, o->status, "%s (C_Login: %s)", o->text, tok_rv_name(rv));
}

static CK_RV login(const struct tok_hold *h, CK_USER_TYPE user, const struct tok_pin *pin)
{
	const struct tok_module *m = h->at.token->m;

	if ((h->how & WIRE_PAD) != 0)
		return tok_c_login(m, h->at.session, user, NULL, 0);
	return tok_c_login(m, h->at.session, user, tok_pin_bytes(pin), tok_pin_length(pin));
}

/* Logged in as it is, the token wants it at the signature: then the login is made there. */
static bool is_logged_in(const struct tok_hold *h)
{
	CK_SESSION_INFO info;

	return h->logged_in &&
	       tok_c_get_session_info(h->at.token->m, h->at.session, &info) == CKR_OK &&
	       (info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS);
}

enum status tok_login_user(struct tok_hold *h, const struct tok_pin *pin, struct tlv_err *e)
{
	enum status st;

	h->hint = WIRE_FINAL;
	if (is_logged_in(h)) {
		h->authenticate_once = true;
		return ST_OK;
	}
	st = tok_login_allowed(h, e);
	if (st == ST_OK)
		st = judge(h, login(h, CKU_USER, pin), e);
	h->logged_in = h->logged_in || st == ST_OK;
	return st;
}

CK_RV tok_login_for_signature(struct tok_hold *h, struct tlv_err *e)
{
	CK_RV rv;

	if ((h->how & WIRE_PAD) == 0 && (h->pin == NULL || tok_pin_length(h->pin) == 0)) {
		err_set(e, ST_PIN,
			"the token asks for the PIN again, but the program has not kept it");
		return CKR_FUNCTION_FAILED;
	}
	rv = login(h, CKU_CONTEXT_SPECIFIC, h->pin);
	/* A token that knows no such login may yet sign. */
	if (h->authenticate_once && rv == CKR_OPERATION_NOT_INITIALIZED)
		return CKR_OK;
	if (judge(h, rv, e) == ST_OK)
		return CKR_OK;
	h->hint = WIRE_FINAL;
	tok_pin_free(&h->pin); /* what was refused is never sent again */
	return rv;
}
