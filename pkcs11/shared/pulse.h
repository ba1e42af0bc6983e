/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both sides of the wall: a page on which the child writes which call into the module it is in, for
 * each session by itself. So a call costs no message. The child's module can write anything here.
 * It is read for the words of a message only, never for a deadline.
 */
#ifndef TOK_PULSE_H
#define TOK_PULSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pkcs11/shared/info.h"

enum tok_call {
	TOK_CALL_none, /* the child's own work */
	TOK_CALL_load, /* dlopen and whatever the module does in it */
#define CALL(name) TOK_CALL_##name,
#include "pkcs11/shared/calls.def"
#undef CALL
};

/* "C_Sign"; never NULL, whatever number comes. */
const char *tok_call_name(unsigned call);

struct tok_pulse;

/* The parent's side: a page, and the descriptor by which the child gets it. NULL: no memory. */
struct tok_pulse *tok_pulse_new(int *fd);
/* The child's side: the same page; NULL if the descriptor is of something else. Closes it. */
struct tok_pulse *tok_pulse_map(int fd);
void tok_pulse_free(struct tok_pulse **p);

/* The child's side. p may be NULL: nothing is watched. What is new belongs to session 0. */
struct tok_pulse *tok_pulse_of(struct tok_pulse *p, unsigned session);
void tok_pulse_enter(struct tok_pulse *p, enum tok_call call);
void tok_pulse_leave(struct tok_pulse *p);
/* Which of the registered modules is being looked at, from 0; -1: none. */
void tok_pulse_module(struct tok_pulse *p, int module);

/* The parent's side: of the session whose call lasts longest. */
unsigned tok_pulse_call(const struct tok_pulse *p);
/* As the child said it: any number at all. */
int tok_pulse_at_module(const struct tok_pulse *p);

#endif
