/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/shared/wire.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11/shared/line.h"

static bool put(int line, struct buf *b)
{
	bool ok = buf_failed(b, NULL) == ST_OK && tok_line_send(line, buf_span(b));

	buf_free(b);
	return ok;
}

static void field(struct buf *b, struct span s)
{
	buf_u32(b, (uint32_t)s.n);
	buf_put(b, s);
}

static void text_field(struct buf *b, const char *s)
{
	field(b, s == NULL ? SPAN_NONE : span_str(s));
}

static bool take_field(struct cursor *c, struct span *out)
{
	uint32_t n;

	return cursor_u32(c, &n) && cursor_take(c, n, out);
}

static bool take_text(struct cursor *c, char **out)
{
	struct span s;

	if (!take_field(c, &s))
		return false;
	*out = span_dup(s);
	return *out != NULL;
}

static bool take_bytes(struct cursor *c, struct span *out)
{
	struct span s;

	if (!take_field(c, &s))
		return false;
	*out = span_of(span_dup(s), s.n);
	return out->p != NULL;
}

static struct cursor body(struct span msg)
{
	return cursor_of(span_slice(msg, 1, msg.n));
}

int wire_type(struct span msg)
{
	return span_at(msg, 0);
}

bool wire_send_done(int line, const struct tlv_err *e, enum wire_hint hint, uint8_t number)
{
	struct buf b = BUF_INIT;

	buf_u8(&b, WIRE_DONE);
	buf_u8(&b, (uint8_t)e->status);
	buf_u8(&b, (uint8_t)hint);
	buf_u8(&b, number);
	text_field(&b, e->status == ST_OK ? "" : err_text(e));
	return put(line, &b);
}

/* With its NUL, so that the reader need not copy; an empty field is NULL. */
static void put_string(struct buf *b, const char *s)
{
	if (s == NULL) {
		buf_u32(b, 0);
		return;
	}
	buf_u32(b, (uint32_t)strlen(s) + 1);
	buf_put(b, span_str(s));
	buf_u8(b, 0);
}

static bool take_string(struct cursor *c, const char **out)
{
	struct span s;

	*out = NULL;
	if (!take_field(c, &s) || (s.n != 0 && span_at(s, s.n - 1) != 0))
		return false;
	if (s.n != 0)
		*out = (const char *)s.p;
	return true;
}

void wire_put_search(struct buf *b, const struct tok_search *s)
{
	put_string(b, s->uri);
	put_string(b, s->module_path);
	put_string(b, s->module_name);
	field(b, s->cert);
	buf_u32(b, s->sessions);
	buf_u32(b, (uint32_t)(s->skip >> 32));
	buf_u32(b, (uint32_t)(s->skip & UINT32_MAX));
}

bool wire_read_search(struct span bytes, struct tok_search *s)
{
	struct cursor c = cursor_of(bytes);
	uint32_t sessions, high, low;

	*s = (struct tok_search){ .uri = NULL };
	if (!take_string(&c, &s->uri) || !take_string(&c, &s->module_path) ||
	    !take_string(&c, &s->module_name) || !take_field(&c, &s->cert) ||
	    !cursor_u32(&c, &sessions) || !cursor_u32(&c, &high) || !cursor_u32(&c, &low) ||
	    c.rest.n != 0)
		return false;
	s->sessions = sessions;
	s->skip = (uint64_t)high << 32 | low;
	return true;
}

/* What a child may say of itself; the other statuses are the parent's. */
static bool is_answer(uint8_t status)
{
	switch (status) {
	case ST_OK:
	case ST_USAGE:
	case ST_INPUT:
	case ST_NO_MATCH:
	case ST_AMBIGUOUS:
	case ST_PIN:
	case ST_PIN_LOCKED:
	case ST_TOKEN:
	case ST_BUG:
	case ST_NOMEM:
		return true;
	default:
		return false;
	}
}

bool wire_read_done(struct span msg, struct wire_done *out)
{
	struct cursor c = body(msg);
	uint8_t status, hint;

	if (!cursor_u8(&c, &status) || !cursor_u8(&c, &hint) || !cursor_u8(&c, &out->number) ||
	    !take_field(&c, &out->text))
		return false;
	if (!is_answer(status) || hint > WIRE_LOGIN_AGAIN || c.rest.n != 0)
		return false;
	out->status = (enum status)status;
	out->hint = (enum wire_hint)hint;
	return true;
}

bool wire_send_bytes(int line, enum wire_answer type, struct span bytes)
{
	struct buf b = BUF_INIT;

	buf_u8(&b, (uint8_t)type);
	buf_put(&b, bytes);
	return put(line, &b);
}

bool wire_send_signature(int line, uint8_t number, struct span sig)
{
	struct buf b = BUF_INIT;

	buf_u8(&b, WIRE_SIGNATURE);
	buf_u8(&b, number);
	buf_put(&b, sig);
	return put(line, &b);
}

bool wire_read_signature(struct span msg, uint8_t *number, struct span *sig)
{
	struct cursor c = body(msg);

	if (!cursor_u8(&c, number))
		return false;
	*sig = c.rest;
	return sig->n > 0;
}

struct span wire_read_bytes(struct span msg)
{
	return body(msg).rest;
}

static void put_flags(struct buf *b, unsigned long flags)
{
	buf_u32(b, (uint32_t)(flags & UINT32_MAX));
}

static bool take_flags(struct cursor *c, unsigned long *out)
{
	uint32_t flags;

	if (!cursor_u32(c, &flags))
		return false;
	*out = flags;
	return true;
}

bool wire_send_number(int line, enum wire_answer type, unsigned long number)
{
	struct buf b = BUF_INIT;

	buf_u8(&b, (uint8_t)type);
	put_flags(&b, number);
	return put(line, &b);
}

bool wire_read_number(struct span msg, unsigned long *out)
{
	struct cursor c = body(msg);

	return take_flags(&c, out) && c.rest.n == 0;
}

bool wire_send_token(int line, const struct tok_info *info)
{
	struct buf b = BUF_INIT;

	buf_u8(&b, WIRE_TOKEN);
	put_flags(&b, info->flags);
	text_field(&b, info->uri);
	text_field(&b, info->label);
	text_field(&b, info->manufacturer);
	text_field(&b, info->model);
	text_field(&b, info->serial);
	text_field(&b, info->module);
	return put(line, &b);
}

bool wire_read_token(struct span msg, struct tok_info *out)
{
	struct cursor c = body(msg);

	*out = (struct tok_info){ .uri = NULL };
	if (take_flags(&c, &out->flags) && take_text(&c, &out->uri) && take_text(&c, &out->label) &&
	    take_text(&c, &out->manufacturer) && take_text(&c, &out->model) &&
	    take_text(&c, &out->serial) && take_text(&c, &out->module) && c.rest.n == 0) {
		out->pin = tok_pin_state_of(out->flags);
		out->pin_pad = (out->flags & TOK_FLAG_PROTECTED_AUTHENTICATION_PATH) != 0;
		return true;
	}
	tok_info_free(out);
	return false;
}

bool wire_send_cert(int line, const struct tok_cert *cert)
{
	struct buf b = BUF_INIT;

	buf_u8(&b, WIRE_CERT);
	buf_u8(&b, cert->key_seen ? 1 : 0);
	text_field(&b, cert->uri);
	text_field(&b, cert->label);
	field(&b, cert->id);
	field(&b, cert->der);
	return put(line, &b);
}

bool wire_read_cert(struct span msg, struct tok_cert *out)
{
	struct cursor c = body(msg);
	uint8_t seen;

	*out = (struct tok_cert){ .uri = NULL };
	if (cursor_u8(&c, &seen) && take_text(&c, &out->uri) && take_text(&c, &out->label) &&
	    take_bytes(&c, &out->id) && take_bytes(&c, &out->der) && c.rest.n == 0) {
		out->key_seen = seen == 1;
		return true;
	}
	tok_cert_free(out);
	return false;
}

bool wire_send_module(int line, size_t number, const struct tok_module_info *info)
{
	struct buf b = BUF_INIT;

	buf_u8(&b, WIRE_MODULE);
	buf_u8(&b, (uint8_t)number);
	buf_u8(&b, info->logs ? 1 : 0);
	buf_u8(&b, info->refuses ? 1 : 0);
	buf_u32(&b, info->slots);
	text_field(&b, info->name);
	text_field(&b, info->library);
	text_field(&b, info->fault);
	return put(line, &b);
}

bool wire_read_module(struct span msg, size_t *number, struct tok_module_info *out)
{
	struct cursor c = body(msg);
	uint8_t i, logs, refuses;
	uint32_t slots;

	*out = (struct tok_module_info){ .name = NULL };
	if (cursor_u8(&c, &i) && cursor_u8(&c, &logs) && cursor_u8(&c, &refuses) &&
	    cursor_u32(&c, &slots) && take_text(&c, &out->name) && take_text(&c, &out->library) &&
	    take_text(&c, &out->fault) && c.rest.n == 0) {
		*number = i;
		out->logs = logs == 1;
		out->refuses = refuses == 1;
		out->slots = slots;
		return true;
	}
	tok_module_info_free(out);
	return false;
}
