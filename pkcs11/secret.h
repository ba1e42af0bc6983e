/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What fills the pages of a struct tok_pin: a line of a descriptor, or a
 * message of the socket between the two processes. The bytes themselves are
 * seen by pin.c and login.c only.
 */
#ifndef TOK_SECRET_H
#define TOK_SECRET_H

#include <stddef.h>

#include "pkcs11/pin.h"

enum { TOK_SECRET_ROOM = 1024 }; /* more than a PIN: a DigestInfo comes the same way */

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
