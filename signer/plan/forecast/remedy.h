/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What spares phones that no order spares, proven by a run of the model.
 */
#ifndef CTL_REMEDY_H
#define CTL_REMEDY_H

#include "signer/plan/forecast/search.h"

/* What to do, and the fact behind it. */
struct remedy {
	const char *text; /* NULL: nothing helps */
	enum fact_id fact;
};

/*
 * Finds the cheapest remedy (forecast_remedies.def) for a search that locks phones out:
 * the first with which the model finds an order that locks nobody out. ST_NOMEM.
 */
enum status remedy_find(struct remedy *out, const struct search *refused, struct tlv_err *e);

#endif
