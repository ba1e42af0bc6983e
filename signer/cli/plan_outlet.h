/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * How a plan of any kind comes out: printed, and with --html written as a page.
 */
#ifndef CTL_PLAN_OUTLET_H
#define CTL_PLAN_OUTLET_H

#include <jansson.h>

#include "signer/cli/verb.h"

/* A plan of some kind, and its three forms; each gets the plan. */
struct plan_outlet {
	const struct opts *o;
	const void *plan;
	void (*text)(const void *plan, struct buf *out);
	json_t *(*json)(const void *plan); /* NULL if memory runs out */
	enum status (*page)(const void *plan, struct buf *out, struct tlv_err *e);
};

/*
 * A page is in its place only if the plan was printed. Errors are those of the calls and of
 * publish.h.
 */
enum status plan_outlet_put(const struct plan_outlet *x, struct tlv_err *e);

#endif
