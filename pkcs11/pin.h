/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * PINs and passphrases: where they come from. Never from argv, never logged.
 */
#ifndef TOK_PIN_H
#define TOK_PIN_H

#include <stdbool.h>
#include <stddef.h>

#include "pkcs11/shared/secret.h"
#include "tlv/err.h"

enum tok_pin_kind { TOK_PIN_FROM_PROMPT, TOK_PIN_FROM_FILE, TOK_PIN_FROM_ENV, TOK_PIN_FROM_FD };

struct tok_pin_source {
	enum tok_pin_kind kind;
	const char *arg; /* path or variable name, borrowed from the parsed text */
	int fd;
	const char *noun; /* what messages call the secret; NULL: "PIN" */
};

/* "file:PATH", "env:NAME", "fd:N" or "prompt"; NULL is prompt. "|command" is refused (ST_USAGE). */
enum status tok_pin_source_parse(const char *text, struct tok_pin_source *out, struct tlv_err *e);

/* The same, and RFC 7512's further forms of pin-source: a plain absolute path, "file:///path". */
enum status tok_pin_source_parse_uri(const char *text, struct tok_pin_source *out,
				     struct tlv_err *e);

/* Whether nobody types the secret: file, env and fd. Such a PIN gets one attempt. */
bool tok_pin_source_untyped(const struct tok_pin_source *src);

/*
 * Before any token's process is started: the variables that the arguments name
 * as PIN sources, of all tokens, so that none of these processes gets any.
 */
void tok_pin_sources_of(int argc, char *const *argv);

/* Overwrites the variable of an env: source; for processes that hold a copy and need none. */
void tok_pin_source_scrub(const struct tok_pin_source *src);

/*
 * Reads one secret: a file's first line without its end, an environment variable, one line of a
 * descriptor, or what is typed at the terminal under the given prompt. The variable is overwritten
 * in place. The terminal does not echo, and echoes again after every signal. ST_PIN if there is no
 * secret, or it is empty, too long or holds a NUL. ST_PIN also for a prompt without a terminal, and
 * for a file that group or others can read, unless insecure_file_mode.
 */
enum status tok_pin_read(const struct tok_pin_source *src, const char *prompt,
			 bool insecure_file_mode, struct tok_pin **out, struct tlv_err *e);

/* Whether it is the PIN that SAST tokens are sold with, which everybody knows. */
bool tok_pin_is_default(const struct tok_pin *p);

#endif
