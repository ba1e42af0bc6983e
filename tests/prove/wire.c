/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * pkcs11/shared/wire.c: what the two sides of the wall make of any message. The token's process
 * has a module in it that may send anything. A message has any number of fields of any length.
 */
#include "pkcs11/shared/wire.h"

#include "pkcs11/shared/line.h"

#include "any.h"
#include "libc.h"

enum { TEXTS = 6 /* of a token: each needs memory */ };

bool tok_line_send(int line, struct span msg)
{
	(void)line;
	is_span(msg);
	return any_bool();
}

const char *err_text(const struct tlv_err *e)
{
	(void)e;
	return "a sentence";
}

static void is_text(const char *s)
{
	/*@ assert text: \valid_read(s); */
	(void)s;
}

static void tokens(struct span msg, size_t memory)
{
	struct tok_cert cert;
	struct tok_info info;
	struct tok_module_info module;
	size_t number;

	any_memory(memory);
	if (wire_read_token(msg, &info)) {
		is_text(info.uri);
		is_text(info.module);
		/*@ assert pin: TOK_PIN_OK <= info.pin <= TOK_PIN_NOT_INITIALISED; */
		tok_info_free(&info);
	}
	any_memory(memory);
	if (wire_read_cert(msg, &cert)) {
		is_text(cert.uri);
		is_text((const char *)cert.id.p);
		is_text((const char *)cert.der.p);
		tok_cert_free(&cert);
	}
	any_memory(memory);
	if (wire_read_module(msg, &number, &module)) {
		is_text(module.name);
		is_text(module.fault);
		/*@ assert number: number <= 255; */
		tok_module_info_free(&module);
	}
}

static void freed(void)
{
	static struct tok_cert certs[2];
	struct tok_info info = { .certs = certs, .ncerts = COUNT(certs) };

	tok_info_free(&info);
}

static void answers(struct span msg)
{
	struct wire_done done;
	struct span sig;
	unsigned long n;
	uint8_t number;

	(void)wire_type(msg);
	is_span(wire_read_bytes(msg));
	(void)wire_read_number(msg, &n);
	if (wire_read_done(msg, &done)) {
		/*@ assert hint: WIRE_FINAL <= done.hint <= WIRE_LOGIN_AGAIN; */
		is_span(done.text);
	}
	if (wire_read_signature(msg, &number, &sig))
		is_span(sig);
}

static void searches(struct span msg)
{
	struct tok_search s;

	if (!wire_read_search(msg, &s))
		return;
	if (s.uri != NULL)
		is_text(s.uri);
	if (s.module_name != NULL)
		is_text(s.module_name);
	is_span(s.cert);
}

static void sent(const char *text)
{
	struct tok_search search = { .uri = text, .cert = any_span(), .skip = any_u64() };
	struct tok_cert cert = { .key_seen = any_bool(), .id = any_span(), .der = any_span() };
	struct tok_module_info module = { .slots = any_u32(),
					  .logs = any_bool(),
					  .refuses = any_bool() };
	struct tok_info info = { .flags = any_u32(), .uri = (char *)(uintptr_t)text };
	struct tlv_err good = TLV_ERR_INIT, bad = { .status = ST_TOKEN };
	struct buf b = BUF_INIT;

	wire_put_search(&b, &search);
	is_span(buf_span(&b));
	(void)wire_send_done(TOK_LINE, &good, WIRE_FINAL, 0);
	(void)wire_send_done(TOK_LINE, &bad, WIRE_ASK_AGAIN, any_u8());
	(void)wire_send_signature(TOK_LINE, any_u8(), any_span());
	(void)wire_send_bytes(TOK_LINE, WIRE_CHOSEN, any_span());
	(void)wire_send_number(TOK_LINE, WIRE_SESSIONS, any_u32());
	(void)wire_send_token(TOK_LINE, &info);
	(void)wire_send_cert(TOK_LINE, &cert);
	(void)wire_send_module(TOK_LINE, any_u8(), &module);
}

int main(void)
{
	/* One with a type alone, and one with nothing at all: what follows is any field. */
	for (size_t n = 0; n <= 2; n++) {
		struct span msg = any_other_span_of(n);

		answers(msg);
		searches(msg);
		for (size_t memory = 0; memory <= TEXTS; memory++)
			tokens(msg, memory);
	}
	freed();
	any_memory(0);
	sent("text");
	any_memory(ANY_MEMORY);
	sent("text");
	sent(NULL);
	return 0;
}
