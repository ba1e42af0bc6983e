/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The parent gets the PIN, and sends it over the wall once.
 */
#include <stdio.h>
#include <string.h>

#include "pkcs11/remote.h"
#include "pkcs11/ask.h"
#include "tlv/safe.h"

/* At the token's own pad somebody types. */
static bool is_typed(uint8_t how)
{
	return (how & (WIRE_TYPED | WIRE_PAD)) != 0;
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
		st = tok_pin_read(&t->quest.pin, buf_cstr(&prompt),
				  t->quest.opt->insecure_file_mode, pin, e);
	buf_free(&prompt);
	t->pin_read = true;
	if (st == ST_OK && tok_pin_is_default(*pin))
		warn_put(
			&t->quest.opt->warn,
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
	return tok_pin_source_untyped(&t->quest.pin) ? 0 : WIRE_TYPED;
}

/* Flags before the question: nobody is asked for a PIN that would not be tried. */
static enum status ask_flags(struct tok *t, bool typed, struct tlv_err *e)
{
	enum status st = tok_request(t, WIRE_FLAGS, 0, SPAN_NONE, NULL, e);

	return st == ST_OK ? tok_pin_may_try(t->info.flags, typed, e) : st;
}

static enum status attempts(struct tok *t, uint8_t how, struct tlv_err *e)
{
	int most = is_typed(how) ? 2 : 1;
	enum wire_hint hint = WIRE_FINAL; /* if no PIN came, none was tried */
	enum status st;

	for (int i = 1;; i++) {
		struct tlv_err next = TLV_ERR_INIT;

		if ((how & WIRE_PAD) != 0)
			warn_put(&t->quest.opt->warn, "enter the PIN at the pad of token '%s'",
				 t->info.label);
		st = try_pin(t, how, &hint, e);
		if (st != ST_PIN || hint != WIRE_ASK_AGAIN || i == most)
			return st;
		if (ask_flags(t, true, &next) != ST_OK)
			return st; /* the first answer says more: the PIN was wrong */
		warn_put(&t->quest.opt->warn, "token '%s': %s", t->info.label, err_text(e));
		*e = TLV_ERR_INIT;
	}
}

static enum status login_with_pin(struct tok *t, uint8_t how, struct tlv_err *e)
{
	enum status st = tok_pin_may_try(t->info.flags, is_typed(how), e);

	return st == ST_OK ? attempts(t, how, e) : st;
}

/* A token that lets everybody in may have a key that does not. */
static enum status login_without_pin(struct tok *t, uint8_t how, struct tlv_err *e)
{
	enum wire_hint hint = WIRE_FINAL;
	enum status st = tok_request(t, WIRE_LOGIN, WIRE_NONE, SPAN_NONE, &hint, e);

	if (st == ST_OK || hint != WIRE_LOGIN_AGAIN)
		return st;
	*e = TLV_ERR_INIT;
	return login_with_pin(t, how, e);
}

enum status tok_login(struct tok *t, struct tlv_err *e)
{
	uint8_t how = how_of(t);
	enum status st;

	if (t->logged_in)
		return ST_OK;
	if ((how & WIRE_PAD) != 0 && t->pin_given)
		warn_put(&t->quest.opt->warn,
			 "token '%s' has a pad of its own: the PIN source is not used",
			 t->info.label);
	st = tok_request(t, WIRE_FLAGS, 0, SPAN_NONE, NULL, e);
	if (st == ST_OK && (t->info.flags & TOK_FLAG_LOGIN_REQUIRED) == 0)
		st = login_without_pin(t, how, e);
	else if (st == ST_OK)
		st = login_with_pin(t, how, e);
	t->logged_in = st == ST_OK;
	err_in(st == ST_OK ? NULL : e, "token '%s'", t->info.label);
	return st;
}

enum status tok_login_again(struct tok *t, struct tlv_err *e)
{
	enum tok_pin_kind kind = t->quest.pin.kind;
	enum status st;

	if (t->login_refused)
		return err_set(
			e, ST_TOKEN,
			"the token wants another login before it signs, and the last one failed: it is not tried again; see 'ctlsign tokens', then begin anew");
	if (t->pin_read && (kind == TOK_PIN_FROM_ENV || kind == TOK_PIN_FROM_FD))
		return err_set(
			e, ST_TOKEN,
			"the token wants another login before it signs, but its PIN source can be read only once; use file:, or type the PIN");
	st = ask_flags(t, is_typed(how_of(t)), e);
	if (st == ST_OK)
		st = try_pin(t, how_of(t), NULL, e);
	t->login_refused = st != ST_OK;
	return st;
}
