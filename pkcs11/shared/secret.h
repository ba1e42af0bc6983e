/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both sides of the wall: the only memory that PINs and passphrases are in.
 * Locked, kept out of core dumps, wiped. A line of a descriptor fills it, or a
 * message of the socket between the two processes.
 */
#ifndef TOK_SECRET_H
#define TOK_SECRET_H

#include <stdbool.h>
#include <stddef.h>

enum {
	TOK_PIN_MAX = 255,
	TOK_SECRET_ROOM = 1024 /* more than a PIN: a DigestInfo comes the same way */
};

/* A secret of 1 to TOK_PIN_MAX bytes without NUL, on pages of its own. */
struct tok_pin;

const char *tok_pin_bytes(const struct tok_pin *p); /* NUL-terminated */
size_t tok_pin_length(const struct tok_pin *p);
void tok_pin_free(struct tok_pin **p); /* wipes */

/* Whether the limits let memory be locked; if they do not, a PIN may be written to the swap. */
bool tok_pin_can_lock(void);

/* No core dumps, no ptrace by others, for this process; once, early in main. */
void tok_pin_harden_process(void);

/* Locked, not dumped, not inherited by a fork. An mlock that the limits forbid is no error. */
struct tok_pin *tok_secret_new(void);
void tok_secret_wipe(struct tok_pin *p);

enum tok_secret_got { TOK_SECRET_MORE, TOK_SECRET_END, TOK_SECRET_FAILED };

/*
 * Reads one byte of a line. TOK_SECRET_END at the line's end or the file's,
 * TOK_SECRET_FAILED with errno set. Beyond TOK_PIN_MAX it counts, but keeps no more.
 */
enum tok_secret_got tok_secret_read_byte(struct tok_pin *p, int fd);

/* Where a message is received to, TOK_SECRET_ROOM bytes, and how long it was. */
void *tok_secret_room(struct tok_pin *p);
void tok_secret_set_length(struct tok_pin *p, size_t n);

#endif
