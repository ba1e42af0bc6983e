/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/cluster_lists.h"

#include <stdlib.h>

/* The CTL tells more of the release than an ITL does. */
static const struct tlv_list *telling_list(const struct cluster_lists *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (!tlv_list_is_itl(x->v[i]))
			return x->v[i];
	return x->v[0];
}

enum status cluster_lists_read(struct cluster_lists *x, const struct opts *o,
			       struct release *release, struct tlv_err *e)
{
	enum status st = ST_OK;

	x->files = calloc(o->nargs, sizeof *x->files);
	x->v = calloc(o->nargs, sizeof *x->v);
	if (x->files == NULL || x->v == NULL)
		return err_nomem(e);
	for (; st == ST_OK && x->n < o->nargs; x->n++) {
		st = list_file_read(&x->files[x->n], o->args[x->n], 0, e);
		x->v[x->n] = &x->files[x->n].list;
	}
	return st == ST_OK ?
		       release_choose(opt_value(o, OPT_RELEASE), telling_list(x), release, e) :
		       st;
}

void cluster_lists_free(struct cluster_lists *x)
{
	for (size_t i = 0; i < x->n; i++)
		list_file_free(&x->files[i]);
	free(x->files);
	free(x->v);
}
