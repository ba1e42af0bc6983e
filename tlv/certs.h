/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The certificates of a list, in order. To look for one takes a few comparisons then, and no
 * look at each record: a list may have a hundred thousand.
 */
#ifndef TLV_CERTS_H
#define TLV_CERTS_H

#include "tlv/list.h"

struct tlv_certs {
	struct span *v; /* each once, by span_cmp(); they borrow the list's bytes */
	size_t n;
	bool complete; /* no record of these roles is without its certificate */
};

/* Bits of roles, for tlv_certs_of(). */
#define TLV_CERTS_OF(role) (UINT32_C(1) << TLV_ROLE_##role)

/* The certificates of all records of these roles; none without a list. To be freed all the same. */
enum status tlv_certs_of(struct tlv_certs *c, const struct tlv_list *l, uint32_t roles,
			 struct tlv_err *e);
bool tlv_certs_have(const struct tlv_certs *c, struct span der);
void tlv_certs_free(struct tlv_certs *c);

#endif
