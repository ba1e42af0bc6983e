/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both sides of the wall: what the two processes say to each other. A request is a type, a flag
 * and a payload. The answer is one WIRE_SIGNATURE, or any number of messages and a WIRE_DONE.
 * Signatures have numbers, so several may be asked for at once. Any other request waits for the
 * answer to the last one. The parent checks every field that it reads.
 */
#ifndef TOK_WIRE_H
#define TOK_WIRE_H

#include "pkcs11/shared/info.h"
#include "tlv/bytes.h"
#include "tlv/err.h"

/* What is looked for. Borrowed. */
struct tok_search {
	const char *uri;	 /* checked as text; NULL: every token */
	const char *module_path; /* NULL: the registered modules */
	const char *module_name; /* of the registered ones, those of this name; NULL: all */
	struct span cert;	 /* DER of the certificate that signs; empty: one on the token */
	unsigned sessions;	 /* to sign in side by side; 0: one */
	uint64_t skip;		 /* registered modules that crashed or hung before, one bit each */
};

enum wire_request {
	WIRE_OPEN = 1, /* the first request: a search for one token, which is opened */
	WIRE_SCAN,     /* or for all that match, to be shown */
	WIRE_SURVEY,   /* or for all modules as well */
	WIRE_FLAGS,    /* the token's flags, fresh: answered by WIRE_TOKEN_FLAGS */
	WIRE_LOGIN,    /* flag: WIRE_TYPED, WIRE_PAD, WIRE_NONE; payload: the PIN */
	WIRE_SIGN      /* flag: its number; payload: a DigestInfo */
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
	WIRE_MODULE,	/* its number, and what is known of it by now */
	WIRE_SESSIONS,	/* how many sign side by side */
	WIRE_ALL_CERTS	/* of the token: it has no other */
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
/* WIRE_TOKEN_FLAGS, WIRE_SESSIONS */
bool wire_send_number(int line, enum wire_answer type, unsigned long number);
bool wire_send_token(int line, const struct tok_info *info);
bool wire_send_cert(int line, const struct tok_cert *cert);
bool wire_send_module(int line, size_t number, const struct tok_module_info *info);

/* The parent's: a search as bytes, and the child's: borrowed from them. False if malformed. */
void wire_put_search(struct buf *b, const struct tok_search *s);
bool wire_read_search(struct span bytes, struct tok_search *s);

/* The first byte; -1 if there is none. */
int wire_type(struct span msg);
/* Each false if the message is not of that shape. What is read is borrowed from it. */
bool wire_read_done(struct span msg, struct wire_done *out);
struct span wire_read_bytes(struct span msg);
bool wire_read_signature(struct span msg, uint8_t *number, struct span *sig);
bool wire_read_number(struct span msg, unsigned long *out);
/* Owned copies; false also if memory is short, with nothing left to be freed. */
bool wire_read_token(struct span msg, struct tok_info *out);
bool wire_read_cert(struct span msg, struct tok_cert *out);
bool wire_read_module(struct span msg, size_t *number, struct tok_module_info *out);

#endif
