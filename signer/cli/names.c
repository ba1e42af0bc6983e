/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/names.h"

#include <string.h>

enum { NAMES_MAX = 1 << 30 };

/* Cuts the next name off rest. */
static bool cut(struct span *rest, uint8_t separator, struct span *name)
{
	while (rest->n > 0) {
		const uint8_t *end = memchr(rest->p, separator, rest->n);
		size_t n = end != NULL ? (size_t)(end - rest->p) : rest->n;

		*name = span_slice(*rest, 0, n);
		*rest = span_slice(*rest, n + 1, rest->n);
		if (name->n > 0)
			return true;
	}
	return false;
}

static void count(struct names *n)
{
	struct span rest = n->rest, name;

	n->total = n->nargs;
	while (cut(&rest, n->separator, &name))
		n->total++;
}

enum status names_open(struct names *n, const char **args, size_t nargs, const char *from,
		       bool null, struct tlv_err *e)
{
	enum status st = ST_OK;

	*n = (struct names){ .args = args, .nargs = nargs, .separator = '\n' };
	if (from != NULL)
		st = slurp(strcmp(from, "-") == 0 ? "/dev/stdin" : from, NAMES_MAX, SLURP_ANY,
			   &n->file, e);
	n->rest = blob_span(&n->file);
	if (null || span_has(n->rest, 0))
		n->separator = 0;
	count(n);
	return st;
}

char *names_next(struct names *n, enum status *st)
{
	struct span name;
	char *copy;

	if (n->nargs > 0) {
		name = span_str(*n->args++);
		n->nargs--;
	} else if (!cut(&n->rest, n->separator, &name)) {
		return NULL;
	}
	copy = span_dup(name);
	if (copy == NULL)
		*st = ST_NOMEM;
	return copy;
}

void names_free(struct names *n)
{
	blob_free(&n->file);
}
