/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tokens, as the program sees them. Every PKCS#11 module runs in a process of
 * its own, ctlsign-token: a module that prints, hangs, crashes or exits takes
 * only that one along. The parent keeps files,
 * verification and the exit status, and must verify every signature that
 * comes from here.
 */
#ifndef TOK_TOKEN_H
#define TOK_TOKEN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "pkcs11/shared/info.h"
#include "pkcs11/shared/uri_text.h"
#include "tlv/bytes.h"
#include "tlv/err.h"

enum {
	TOK_TIMEOUT_DEFAULT = 60, /* seconds, for each request to the token's process */
	TOK_PAD_SECONDS = 180	  /* more, if a person may be typing at the token's own pad */
};

/*
 * What the verbs' options say about tokens. Everything is borrowed and must outlive the struct tok.
 */
struct tok_options {
	const char *uri;    /* RFC 7512; NULL only for tok_scan: every token */
	const char *module; /* --module: this one only; NULL: the URI's, else p11-kit's registry */
	const char *pin_source;	 /* --pin-source; NULL: the URI's, else a prompt */
	struct span cert;	 /* DER of --cert, or empty: the certificate on the token */
	unsigned timeout;	 /* seconds; 0: TOK_TIMEOUT_DEFAULT */
	bool insecure_file_mode; /* take PIN files that group or others can read */
	unsigned sessions;	 /* to sign in side by side, under the one login; 0: one */
	struct tlv_warn warn;
};

/*
 * An open token in its child process: one token, one certificate, after the
 * login one key. The child ends with the thread that opened it: that thread
 * must live until tok_free. One thread at a time may use it, but for tok_sign.
 */
struct tok;

/*
 * Finds exactly one token for opt->uri and the certificate that signs; no
 * login. ST_USAGE: the URI selects nothing in particular, repeats or has an
 * unknown attribute. ST_NO_MATCH, ST_AMBIGUOUS: the text lists the candidates
 * as sorted canonical URIs. ST_TOKEN: the module failed or timed out.
 */
enum status tok_open(struct tok **out, const struct tok_options *opt, struct tlv_err *e);

/*
 * The two halves of tok_open: the token's process is started, and works while
 * the caller does something else; then its answer is waited for. Everything
 * that opt points to stays borrowed. Call tok_free in any case if *out is set.
 */
enum status tok_start(struct tok **out, const struct tok_options *opt, struct tlv_err *e);
enum status tok_started(struct tok *t, struct tlv_err *e);

/* Borrowed until tok_free. The certificate is opt->cert if that was given. */
const struct tok_info *tok_info(const struct tok *t);
struct span tok_certificate(const struct tok *t);

/*
 * Whether tok_started may start the process again: without a module path in the
 * options or the URI, a module that hangs or crashes is left out.
 */
bool tok_may_start_again(const struct tok *t);

/* The token's process, which leads a group; 0: it is gone. */
pid_t tok_process(const struct tok *t);

/*
 * Gets the PIN from its source and logs in. Reads the flags afresh before
 * each C_Login: none at all if the PIN is locked, to be changed or one
 * attempt from locking (ST_PIN_LOCKED); none with a PIN that nobody typed
 * while the count is low (ST_PIN_LOCKED). One attempt for a PIN that nobody
 * typed, two for one that somebody did (ST_PIN). Then finds the one private
 * key whose modulus is the certificate's (ST_NO_MATCH, ST_AMBIGUOUS).
 */
enum status tok_login(struct tok *t, struct tlv_err *e);

/*
 * RSASSA-PKCS1-v1_5 over a DER DigestInfo. sig gets exactly as many bytes as
 * the modulus has; a short answer is padded on the left, a long one is
 * ST_TOKEN. The caller verifies it, with the certificate. Any number of threads may ask at once. A
 * session goes from one signature to the next that waits. It has no pause if at least one more
 * thread asks than there are sessions.
 */
enum status tok_sign(struct tok *t, struct span digest_info, uint8_t sig[TOK_SIG_MAX], size_t *n,
		     struct tlv_err *e);

/*
 * Optional, after the last tok_sign: the child logs out and tears down while
 * the caller verifies and publishes. Whatever its module does then is a
 * warning of tok_free; only the certificate and tok_info may still be asked for.
 */
void tok_finish(struct tok *t);

/* Ends the child, by force if it does not end by itself; call after publishing. */
void tok_free(struct tok **t);

/*
 * Every token that matches opt->uri (all, if it is NULL), sorted by URI,
 * each once however many modules show it. A slot or module that fails costs a
 * warning. Nothing found is ST_OK with *n == 0 without a URI, ST_NO_MATCH with one.
 */
enum status tok_scan(struct tok_info **list, size_t *n, const struct tok_options *opt,
		     struct tlv_err *e);
void tok_infos_free(struct tok_info **list, size_t n);

struct tok_survey {
	struct tok_module_info *modules;
	size_t nmodules;
	struct tok_info *tokens; /* as tok_scan finds them */
	size_t ntokens;
};

/*
 * Asks each module on its own, then for their tokens. A module that fails,
 * crashes, hangs or is registered and not loaded is told in its fault and left
 * out; that is no failure. After one, *out holds what was heard until then.
 */
enum status tok_survey(struct tok_survey *out, const struct tok_options *opt, struct tlv_err *e);
void tok_survey_free(struct tok_survey *s);

/*
 * Where the token's process is started from; ST_TOKEN if it or the guard
 * beside it is not there, or others can write it.
 */
enum status tok_parts_check(char path[PATH_MAX], struct tlv_err *e);

/*
 * Whether a URI would be taken, without looking at any token: ST_USAGE with
 * the reason. Outside of the command line (a manifest) module-path,
 * module-name and pin-source are refused too.
 */
enum status tok_uri_check(const char *uri, bool command_line, struct tlv_err *e);
/* Whether the URI brings a PIN source of its own; false also if it is refused. */
bool tok_uri_has_pin_source(const char *uri);

#endif
