/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whether a list that exists may be signed over or exported from: an error
 * finding says no. A signature is a promise that what it covers is in order.
 */
#ifndef CTL_CLEAN_H
#define CTL_CLEAN_H

#include "tlv/err.h"
#include "tlv/list.h"

struct clean_options {
	const char *name;   /* of the list, for the message */
	const char *what;   /* does not happen then: "nothing is signed" */
	const char *served; /* the path that it is served under; NULL: not judged */
	bool allow_weak;    /* --allow-weak-keys: errors about weak keys do not stop */
	bool is_old;	    /* signed over: header errors that signing again removes do not stop */
	const bool *gone;   /* by record index: it goes in this run; NULL: all stay */
	size_t ngone;
};

/*
 * ST_NO with the first error finding that stops, the record's number and its
 * offset. Who signed the list is not asked here, but in belief.h.
 * now: seconds since 1970 UTC.
 */
enum status clean_check(const struct tlv_list *l, const struct clean_options *o, int64_t now,
			struct tlv_err *e);

#endif
