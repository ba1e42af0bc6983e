/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the two processes say to each other. A request is a type, a flag and a
 * payload; the answer is any number of messages and a WIRE_DONE, or the one
 * WIRE_SIGNATURE. Only signatures may be asked for before the answer to the
 * last request is here: they have numbers. The writers run in the child, the readers in the parent,
 * where every field is checked.
 */
#ifndef TOK_WIRE_H
#define TOK_WIRE_H

#include "pkcs11/token.h"

enum wire_request {
	WIRE_FLAGS = 1, /* the token's flags, fresh: answered by WIRE_TOKEN_FLAGS */
	WIRE_LOGIN,	/* flag: WIRE_TYPED, WIRE_PAD, WIRE_NONE; payload: the PIN */
	WIRE_SIGN	/* flag: its number; payload: a DigestInfo */
};

/* How the PIN came, or that the token wants none. */
enum { WIRE_TYPED = 1, WIRE_PAD = 2, WIRE_NONE = 4 };

enum wire_answer {
	WIRE_DONE = 64, /* the last of an answer: status, hint, text */
	WIRE_WARNING,
	WIRE_TOKEN, /* a token; the certificates after it are its own */
	WIRE_CERT,
	WIRE_CHOSEN, /* the certificate that signs */
	WIRE_TOKEN_FLAGS,
	WIRE_SIGNATURE, /* ends the answer, like WIRE_DONE */
	WIRE_MODULE	/* its number, and what is known of it by now */
};

/* What a failed request may be followed by. */
enum wire_hint {
	WIRE_FINAL,	 /* nothing */
	WIRE_ASK_AGAIN,	 /* the PIN was wrong; the token would take another try */
	WIRE_LOGIN_AGAIN /* the token wants a login before it signs */
};

struct wire_done {
	enum status status;
	enum wire_hint hint;
	uint8_t number; /* of the signature that failed */
	struct span text;
};

bool wire_send_done(int line, const struct tlv_err *e, enum wire_hint hint, uint8_t number);
bool wire_send_signature(int line, uint8_t number, struct span sig);
bool wire_send_bytes(int line, enum wire_answer type, struct span bytes);
bool wire_send_flags(int line, unsigned long flags);
bool wire_send_token(int line, const struct tok_info *info);
bool wire_send_cert(int line, const struct tok_cert *cert);
bool wire_send_module(int line, size_t number, const struct tok_module_info *info);

/* The first byte; -1 where there is none. */
int wire_type(struct span msg);
/* Each false where the message is not of that shape. What is read is borrowed from it. */
bool wire_read_done(struct span msg, struct wire_done *out);
struct span wire_read_bytes(struct span msg);
bool wire_read_signature(struct span msg, uint8_t *number, struct span *sig);
bool wire_read_flags(struct span msg, unsigned long *out);
/* Owned copies; false also where memory is short, with nothing left to be freed. */
bool wire_read_token(struct span msg, struct tok_info *out);
bool wire_read_cert(struct span msg, struct tok_cert *out);
bool wire_read_module(struct span msg, size_t *number, struct tok_module_info *out);

void tok_cert_free(struct tok_cert *c);
void tok_info_free(struct tok_info *i);
void tok_module_info_free(struct tok_module_info *i);

#endif
