/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The token's process, ctlsign-token: started with what is looked for, asked,
 * and blamed by the name of the call in which it died or hung.
 */
#ifndef TOK_HELPER_H
#define TOK_HELPER_H

#include "pkcs11/process.h"
#include "pkcs11/shared/wire.h"

enum { TOK_TEARDOWN_MAX = 5 /* seconds for the end, when nothing is left to be lost */ };

struct tok_child;

/*
 * Starts it, and tells it what to look for: how is WIRE_OPEN, WIRE_SCAN or
 * WIRE_SURVEY. timeout: seconds for each request. Does not wait for any answer.
 */
enum status tok_child_start(struct tok_child **out, enum wire_request how,
			    const struct tok_search *s, unsigned timeout, struct tlv_err *e);

/* When a request that is sent now must be answered; some seconds more for what a person does. */
int64_t tok_child_deadline(const struct tok_child *c, unsigned seconds_more);

/*
 * Sends one request. False if the child is gone: tok_child_next says why.
 * May be called while another thread is in tok_child_next.
 */
bool tok_child_put(struct tok_child *c, uint8_t type, uint8_t flag, struct span payload);
/* The same, with the reason. */
enum status tok_child_send(struct tok_child *c, uint8_t type, uint8_t flag, struct span payload,
			   struct tlv_err *e);

/*
 * Waits for the next message, borrowed until the next call, but no longer than
 * the deadline, whatever comes meanwhile. ST_TOKEN with the name of the call
 * if the time is over or the child has died; it is then gone.
 */
enum status tok_child_next(struct tok_child *c, struct span *msg, int64_t deadline,
			   struct tlv_err *e);

/* A warning of the child's, to where warnings go; false if they are too many to be believed. */
bool tok_child_warns(struct tok_child *c, const struct tlv_warn *w, struct span text);

/* Its process, which leads a group; 0: it is gone. */
pid_t tok_child_process(const struct tok_child *c);

/* Number of the registered module at which the child says that it died or hung, or -1. */
int tok_child_died_at(const struct tok_child *c);
/* Whether it was killed because its time was over. */
bool tok_child_was_late(const struct tok_child *c);

/* Ends the child now: its answers are no longer in step with the requests. */
void tok_child_kill(struct tok_child *c);

/* Says that no request will follow: the child begins to tear down. Does not wait. */
void tok_child_finish(struct tok_child *c);

/*
 * Closes the line, lets the child tear down and waits, at last with force.
 * Returns ST_TOKEN with the reason in e if it did not end well.
 */
enum status tok_child_end(struct tok_child **c, struct tlv_err *e);

#endif
