/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * No lock-out by accident: before a PIN is asked for, the trust engine says
 * what phones that hold the old list will do with the new one.
 */
#ifndef CTL_LOCKOUT_H
#define CTL_LOCKOUT_H

#include "signer/trust/accept.h"

/* The classes of phones that a list is judged for. */
enum lockout_class { LOCKOUT_SBD, LOCKOUT_NO_SBD, LOCKOUT_CLASSES };

/* "sbd", "no-sbd" as in --accept-lockout; "phones with Security by Default" in sentences. */
const char *lockout_class_word(enum lockout_class c);
const char *lockout_class_text(enum lockout_class c);

struct lockout {
	struct acceptance verdict[LOCKOUT_CLASSES];
	bool allowed[LOCKOUT_CLASSES]; /* --accept-lockout names the class */
};

/*
 * Phones that hold old, and new_list as signing_key will sign it. tvs says
 * what TVS holds; its lists are ignored. The release is what old tells, if tvs has none.
 */
void lockout_foresee(struct lockout *l, const struct tlv_list *old, const struct phone *tvs,
		     const struct tlv_list *new_list, struct span signing_key);

/* One line per class: "phones with Security by Default: accepted: tvs (assumes …)". */
void lockout_lines(const struct lockout *l, void (*line)(void *arg, const char *text), void *arg);

/* ST_NO if a class refuses that is not allowed to; the text says how to go on. */
enum status lockout_check(const struct lockout *l, struct tlv_err *e);

#endif
