/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The only place that prints. Results go to stdout, everything else to
 * stderr; text that came from files is escaped for the medium.
 */
#ifndef CTL_OUT_H
#define CTL_OUT_H

#include <jansson.h>

#include "tlv/bytes.h"
#include "tlv/check.h"
#include "tlv/err.h"
#include "tlv/safe.h"
#include "tlv/text.h"

/*
 * Results. Buffered until out_flush; "safe" text has control bytes and what is
 * not UTF-8 as \xNN, and so has what %s brings (sentence_format()).
 */
void out_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What was put together here, line by line, with foreign text escaped in it. */
void out_text(struct span text);
void out_safe(struct span text);
/* Two digits for each byte, and `between` between two bytes. */
void out_hex(struct span s, enum hex_case digits, const char *between);
/*
 * An answer: the object's members behind "version", the version of docs/schema that they follow.
 * Frees the value; NULL if it is NULL or memory runs out.
 */
json_t *out_json_answer(json_t *value);
/* Prints and frees the answer that an object comes to, indented, with a newline. */
enum status out_json(json_t *value, struct tlv_err *e);
/*
 * Prints the beginning of an answer that comes in pieces, up to its first member, and a value of
 * it.
 */
void out_json_begin(void);
enum status out_json_part(json_t *value, struct tlv_err *e);
/* Prints the end of such an answer: the object's members, and the last brace. Frees the object. */
enum status out_json_end(json_t *members, struct tlv_err *e);
/* The next element of an array, new; NULL behind the last one. */
typedef json_t *out_json_next(void *arg);
/*
 * The same of an object whose member is an array, empty still: next() fills it
 * while it is printed, so that an array of millions takes no room.
 */
enum status out_json_with(json_t *value, const char *member, out_json_next *next, void *arg,
			  struct tlv_err *e);
/*
 * An answer of many lines is there as a whole, or not at all: what is printed is held back until
 * out_release() prints it, or forgets it. Not for JSON, which prints its answer in one go.
 */
void out_hold(void);
enum status out_release(bool print, struct tlv_err *e);
/* ST_OUTPUT if stdout could not take it all. */
enum status out_flush(struct tlv_err *e);

/* What stands out on a terminal; nothing elsewhere, with NO_COLOR or on a dumb one. */
enum out_colour { OUT_PLAIN, OUT_GOOD, OUT_DOUBTFUL, OUT_BAD };
void out_colour(enum out_colour c);

/* How much goes to stderr besides errors: --quiet nothing, --verbose every step. */
enum msg_level { MSG_QUIET, MSG_NORMAL, MSG_VERBOSE };
void msg_set_level(enum msg_level level);

/* "ctlsign: …" on stderr. */
void msg_error(const struct tlv_err *e);
void msg_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void msg_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What a question is about: said with --quiet, too. */
void msg_ground(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Whether steps are told: what is put together for them alone need not be otherwise. */
bool msg_is_verbose(void);
/* A step, for --verbose: never a secret. */
void msg_step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A warn_fn that prints "ctlsign: warning: …". */
extern const struct tlv_warn msg_warnings;

/* stdin and stderr are a terminal: there is somebody to ask. */
bool msg_can_ask(void);
/* Asks a question that "y" or "yes" answers. */
bool msg_ask(const char *question);

/* Standard output is a terminal. */
bool out_is_terminal(void);
/* Standard error is a terminal on which a progress bar may be drawn. */
bool msg_can_draw(void);
/* Draws the last line of stderr anew, which the next message wipes out; NULL only wipes. */
void msg_progress(const char *text);

/* JSON values; NULL if memory runs out, which json_object_set_new takes and reports. */
json_t *out_json_hex(struct span s); /* lower case */
json_t *out_json_hex_upper(struct span s);
/* Takes the value over. */
void out_json_set(json_t *object, const char *key, json_t *value);
/* Sets key to the text. If it is not UTF-8: to null, with its bytes under key_hex. */
void out_json_set_text(json_t *object, const char *key, struct span text);

#endif
