/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/login.h"

#include <stdio.h>
#include <string.h>

#include "pkcs11/secret.h"
#include "pkcs11/tok.h"
#include "tlv/safe.h"

/*
 * When no C_Login is made. A SAST eToken destroys itself after fifteen wrong
 * PINs: one attempt from the end nothing is tried, and a file that is wrong
 * must not be tried by every run of a timer.
 */
static const struct {
	enum tok_pin_state state;
	bool typed_too; /* also refused where a person types it */
	enum status status;
	const char *why;
} refusals[] = {
	{ TOK_PIN_NOT_INITIALISED, true, ST_PIN,
	  "the token has no user PIN yet; set one with the vendor's tool or 'pkcs11-tool --init-pin'" },
	{ TOK_PIN_LOCKED, true, ST_PIN_LOCKED,
	  "the PIN is locked; only the token's administrator can unlock it" },
	{ TOK_PIN_TO_BE_CHANGED, true, ST_PIN_LOCKED,
	  "the PIN must be changed first, with the vendor's tool" },
	{ TOK_PIN_FINAL_TRY, true, ST_PIN_LOCKED,
	  "one attempt is left before the token locks, so none is made; log in once by hand, with the vendor's tool" },
	{ TOK_PIN_COUNT_LOW, false, ST_PIN_LOCKED,
	  "a wrong PIN was given since the last good login, so a PIN that nobody types is not tried; log in once by hand" },
};

static enum status allowed(CK_FLAGS flags, bool typed, struct tlv_err *e)
{
	enum tok_pin_state state = tok_pin_state_of(flags);

	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (refusals[i].state == state && (refusals[i].typed_too || !typed))
			return err_set(e, refusals[i].status, "%s", refusals[i].why);
	return ST_OK;
}

/* At the token's own pad somebody types. */
static bool is_typed(uint8_t how)
{
	return (how & (WIRE_TYPED | WIRE_PAD)) != 0;
}

enum status tok_login_allowed(const struct tok_hold *h, struct tlv_err *e)
{
	CK_FLAGS flags;
	enum status st = tok_hold_flags(h, &flags, e);

	return st == ST_OK ? allowed(flags, is_typed(h->how), e) : st;
}

#define WHAT_ELSE \
	"; if it is right, look for: a PIN of another token, a module that is not the token's, " \
	"an " \
	"OPENSSL_CONF (fips) that the module cannot work with"

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
	for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
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

	if (h->pin == NULL && (h->how & WIRE_PAD) == 0) {
		err_set(e, ST_PIN, "the token wants the PIN again, which is not kept");
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

/* What a person should know before typing: which token, through what, and how it stands. */
static void write_prompt(const struct tok *t, char *out, size_t cap)
{
	const struct tok_info *i = &t->info;
	char remote[400];

	tok_module_remote(i->module, remote, sizeof remote);
	(void)snprintf(out, cap, "PIN of token '%s' (serial %s, module %s%s%s)%s: ", i->label,
		       i->serial, i->module, *remote == '\0' ? "" : ", ", remote,
		       i->pin == TOK_PIN_COUNT_LOW ?
			       " - a wrong PIN was given before, few attempts are left" :
			       "");
}

static enum status get_pin(struct tok *t, struct tok_pin **pin, struct tlv_err *e)
{
	char text[1024];
	struct buf prompt = BUF_INIT;
	enum status st;

	write_prompt(t, text, sizeof text);
	/* A token's label is not the terminal's business. */
	safe_text(&prompt, span_str(text));
	st = buf_failed(&prompt, e);
	if (st == ST_OK)
		st = tok_pin_read(&t->search.pin, buf_cstr(&prompt),
				  t->search.opt->insecure_file_mode, pin, e);
	buf_free(&prompt);
	if (st == ST_OK && tok_pin_is_default(*pin))
		warn_put(
			&t->search.opt->warn,
			"token '%s': this is the PIN that SAST tokens are sold with, which everybody knows: change it with the vendor's tool",
			t->info.label);
	return st;
}

/* One PIN, one C_Login at most. What was sent is wiped here at once. */
static enum status try_pin(struct tok *t, uint8_t how, enum wire_hint *hint, struct tlv_err *e)
{
	struct tok_pin *pin = NULL;
	struct span bytes = SPAN_NONE;
	enum status st = ST_OK;

	if ((how & WIRE_PAD) == 0) {
		st = get_pin(t, &pin, e);
		if (st != ST_OK)
			return st;
		bytes = span_of(tok_pin_bytes(pin), tok_pin_length(pin));
	}
	st = tok_request(t, WIRE_LOGIN, how, bytes, hint, e);
	tok_pin_free(&pin);
	return st;
}

static uint8_t how_of(const struct tok *t)
{
	if (t->info.pin_pad)
		return WIRE_PAD;
	return tok_pin_source_untyped(&t->search.pin) ? 0 : WIRE_TYPED;
}

/* Flags before the question: nobody is asked for a PIN that would not be tried. */
static enum status ask_flags(struct tok *t, bool typed, struct tlv_err *e)
{
	enum status st = tok_request(t, WIRE_FLAGS, 0, SPAN_NONE, NULL, e);

	return st == ST_OK ? allowed(t->info.flags, typed, e) : st;
}

static enum status attempts(struct tok *t, uint8_t how, struct tlv_err *e)
{
	int most = is_typed(how) ? 2 : 1;
	enum wire_hint hint = WIRE_FINAL; /* where no PIN came, none was tried */
	enum status st;

	for (int i = 1;; i++) {
		struct tlv_err next = TLV_ERR_INIT;

		if ((how & WIRE_PAD) != 0)
			warn_put(&t->search.opt->warn, "enter the PIN at the pad of token '%s'",
				 t->info.label);
		st = try_pin(t, how, &hint, e);
		if (st != ST_PIN || hint != WIRE_ASK_AGAIN || i == most)
			return st;
		if (ask_flags(t, true, &next) != ST_OK)
			return st; /* the first answer says more: the PIN was wrong */
		warn_put(&t->search.opt->warn, "token '%s': %s", t->info.label, e->text);
		*e = TLV_ERR_INIT;
	}
}

static enum status login_with_pin(struct tok *t, uint8_t how, struct tlv_err *e)
{
	enum status st = allowed(t->info.flags, is_typed(how), e);

	return st == ST_OK ? attempts(t, how, e) : st;
}

enum status tok_login(struct tok *t, struct tlv_err *e)
{
	uint8_t how = how_of(t);
	enum status st;

	if (t->logged_in)
		return ST_OK;
	if ((how & WIRE_PAD) != 0 && t->pin_given)
		warn_put(&t->search.opt->warn,
			 "token '%s' has a pad of its own: the PIN source is not used",
			 t->info.label);
	st = tok_request(t, WIRE_FLAGS, 0, SPAN_NONE, NULL, e);
	if (st == ST_OK && (t->info.flags & CKF_LOGIN_REQUIRED) == 0)
		st = tok_request(t, WIRE_LOGIN, WIRE_NONE, SPAN_NONE, NULL, e);
	else if (st == ST_OK)
		st = login_with_pin(t, how, e);
	t->logged_in = st == ST_OK;
	err_in(st == ST_OK ? NULL : e, "token '%s'", t->info.label);
	return st;
}

enum status tok_login_again(struct tok *t, struct tlv_err *e)
{
	enum tok_pin_kind kind = t->search.pin.kind;
	enum status st;

	if (!t->info.pin_pad && (kind == TOK_PIN_FROM_ENV || kind == TOK_PIN_FROM_FD))
		return err_set(
			e, ST_TOKEN,
			"the token wants a login before it signs, and its PIN came from where it can be read only once; take it from file:, or type it");
	st = ask_flags(t, is_typed(how_of(t)), e);
	return st == ST_OK ? try_pin(t, how_of(t), NULL, e) : st;
}
