/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The child process and the socket to it; the only file that forks. Messages
 * keep their boundaries (SOCK_SEQPACKET). The parent believes nothing that
 * comes back but its length.
 */
#ifndef TOK_CHILD_H
#define TOK_CHILD_H

#include "pkcs11/pulse.h"
#include "tlv/bytes.h"
#include "tlv/err.h"

enum {
	TOK_MSG_MAX = 128 * 1024, /* a certificate with its names; longer is refused */
	TOK_HEAD = 2,		  /* a request's type and one flag, in front of its payload */
	TOK_TEARDOWN_MAX = 5	  /* seconds for the end, when nothing is left to be lost */
};

struct tok_child;

/* What runs in the child; when it returns the process ends, without atexit. */
typedef void tok_child_main(int line, struct tok_pulse *pulse, const void *arg);

/* timeout: seconds for each call into the module. */
enum status tok_child_start(struct tok_child **out, tok_child_main *run, const void *arg,
			    unsigned timeout, struct tlv_err *e);

/*
 * Sends one request; the payload goes straight from where it is. False where
 * the child is gone: tok_child_next says why. May be called while another
 * thread is in tok_child_next.
 */
bool tok_child_put(struct tok_child *c, uint8_t type, uint8_t flag, struct span payload);
/* The same, with the reason. */
enum status tok_child_send(struct tok_child *c, uint8_t type, uint8_t flag, struct span payload,
			   struct tlv_err *e);

/*
 * Waits for the next message, borrowed until the next call. patient: a person
 * may be typing at the token's own pad, so C_Login has no time limit. ST_TOKEN
 * with the name of the call where the time is over or the child has died; it
 * is then gone.
 */
enum status tok_child_next(struct tok_child *c, struct span *msg, bool patient, struct tlv_err *e);

/* Number of the registered module at which the child died or hung, or -1. */
int tok_child_died_at(const struct tok_child *c);

/* Ends the child now: its answers are no longer in step with the requests. */
void tok_child_kill(struct tok_child *c);

/* Says that no request will follow: the child begins to tear down. Does not wait. */
void tok_child_finish(struct tok_child *c);

/*
 * Closes the line, lets the child tear down and waits, at last with force.
 * Returns ST_TOKEN with the reason in e where it did not end well.
 */
enum status tok_child_end(struct tok_child **c, struct tlv_err *e);

/* The child's side. False where the parent is gone. */
bool tok_line_send(int line, struct span msg);
/* Receives a request's head, and its payload straight to where it is to be. */
bool tok_line_receive(int line, uint8_t head[TOK_HEAD], void *room, size_t cap, size_t *n);

#endif
