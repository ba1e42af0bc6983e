/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/certs.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return span_cmp(*x, *y);
}

static void keep_one_of_each(struct tlv_certs *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n; i++)
		if (i == 0 || !span_eq(c->v[i], c->v[kept - 1]))
			c->v[kept++] = c->v[i];
	c->n = kept;
}

enum status tlv_certs_of(struct tlv_certs *c, const struct tlv_list *l, uint32_t roles,
			 struct tlv_err *e)
{
	*c = (struct tlv_certs){ .complete = true };
	if (l == NULL || l->nrecords == 0)
		return ST_OK;
	c->v = calloc(l->nrecords, sizeof *c->v);
	if (c->v == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (!tlv_record_has(&r, TLV_R_FUNCTION) || r.role >= 32 ||
		    (roles >> r.role & 1U) == 0)
			continue;
		c->complete &= r.certificate.n > 0;
		if (r.certificate.n > 0)
			c->v[c->n++] = r.certificate;
	}
	qsort(c->v, c->n, sizeof *c->v, compare);
	keep_one_of_each(c);
	return ST_OK;
}

bool tlv_certs_have(const struct tlv_certs *c, struct span der)
{
	return der.n > 0 && c->n > 0 && bsearch(&der, c->v, c->n, sizeof *c->v, compare) != NULL;
}

void tlv_certs_free(struct tlv_certs *c)
{
	free(c->v);
	*c = (struct tlv_certs){ .n = 0 };
}
