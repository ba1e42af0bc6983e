/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The verbs: rows of verbs.def, one cmd_<verb>.c each.
 */
#ifndef CTL_VERB_H
#define CTL_VERB_H

#include "signer/cli/opt.h"
#include "tlv/err.h"

#define VERB(NAME, name, run, args, min, max, summary) \
	enum status run(const struct opts *o, struct tlv_err *e);
#include "signer/cli/verbs.def"
#undef VERB

struct verb_row {
	const char *name, *args, *summary;
	int min_args, max_args;
	enum status (*run)(const struct opts *o, struct tlv_err *e);
	unsigned mask; /* this verb's bit in the options table */
};

const struct verb_row *verb_find(const char *name);
const struct verb_row *verbs(size_t *n);

#endif
