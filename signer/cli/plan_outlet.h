/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * How a plan of any kind comes out: printed, and with --html written as a page.
 */
#ifndef CTL_PLAN_OUTLET_H
#define CTL_PLAN_OUTLET_H

#include "signer/cli/verb.h"

struct plan_outlet {
	const struct opts *o;
	const void *plan;
	enum status (*print)(const void *plan, struct tlv_err *e);
	enum status (*page)(const void *plan, struct buf *out, struct tlv_err *e);
};

/*
 * A page is in its place only if the plan was printed. Errors are those of the calls and of
 * publish.h.
 */
enum status plan_outlet_put(const struct plan_outlet *x, struct tlv_err *e);

#endif
