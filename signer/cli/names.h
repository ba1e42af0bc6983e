/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The files that a batch works on: arguments, then --files-from.
 */
#ifndef CTL_NAMES_H
#define CTL_NAMES_H

#include "signer/cli/opt.h"
#include "signer/io/slurp.h"

struct names {
	const char **args; /* borrowed */
	size_t nargs;
	struct blob file;
	struct span rest; /* of file */
	uint8_t separator;
	size_t total;
};

/*
 * args: what is left of the command line's. FILE (or '-': standard input) holds
 * names ended by NUL with null or if any NUL is there, else by newline;
 * empty ones are passed over. from is NULL if only arguments count.
 */
enum status names_open(struct names *n, const char **args, size_t nargs, const char *from,
		       bool null, struct tlv_err *e);
/* The next name, malloc'd; NULL at the end, or with *st set if memory ends. */
char *names_next(struct names *n, enum status *st);
void names_free(struct names *n);

#endif
