/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A page that both processes see: the child writes which call it is in and
 * since when, for each session by itself; the parent reads it only when its
 * patience ends. So the time-out is one of each call, and a call costs no
 * message. The child's module can write anything here: the worst is that the
 * parent waits too long or names the wrong call.
 */
#ifndef TOK_PULSE_H
#define TOK_PULSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tok_call {
	TOK_CALL_none, /* the child's own work */
	TOK_CALL_load, /* dlopen and whatever the module does in it */
#define CALL(name) TOK_CALL_##name,
#include "pkcs11/calls.def"
#undef CALL
};

/* "C_Sign"; never NULL, whatever number comes. */
const char *tok_call_name(unsigned call);

enum { TOK_SESSIONS_MAX = 16 }; /* that sign side by side: as many as libp11 keeps */

struct tok_pulse;

struct tok_pulse *tok_pulse_new(void); /* NULL: no memory */
void tok_pulse_free(struct tok_pulse **p);

/* The child's side. p may be NULL: nothing is watched. What is new belongs to session 0. */
struct tok_pulse *tok_pulse_of(struct tok_pulse *p, unsigned session);
void tok_pulse_enter(struct tok_pulse *p, enum tok_call call);
void tok_pulse_leave(struct tok_pulse *p);
/* Which of the registered modules is being looked at, from 0; -1: none. */
void tok_pulse_module(struct tok_pulse *p, int module);

/* The parent's side: of the session whose call lasts longest. */
unsigned tok_pulse_call(const struct tok_pulse *p);
int tok_pulse_at_module(const struct tok_pulse *p);
/* The later of "from" and the last sign of life, never in the future. Milliseconds. */
int64_t tok_pulse_since(const struct tok_pulse *p, int64_t from);
int64_t tok_pulse_now(void);

#endif
