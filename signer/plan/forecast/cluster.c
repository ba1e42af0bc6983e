/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/cluster.h"

#include "signer/plan/forecast/node_name.h"
#include "tlv/kind.h"
#include "tlv/label.h"

bool cluster_is_renewed(const struct cluster_state *s, size_t cert)
{
	return (s->renewed[cert / 64] >> (cert % 64) & 1U) != 0;
}

void cluster_renew(struct cluster_state *s, size_t cert)
{
	s->renewed[cert / 64] |= UINT64_C(1) << (cert % 64);
}

const struct tlv_cert *cluster_cert_now(const struct cluster *c, const struct cluster_state *s,
					size_t cert)
{
	const struct cluster_cert *x = &c->certs[cert];

	return cluster_is_renewed(s, cert) ? &x->successor_parts : &x->known_parts;
}

size_t cluster_find_cert(const struct cluster *c, struct span der)
{
	for (size_t i = 0; der.n > 0 && i < c->ncerts; i++)
		if (span_eq(c->certs[i].known, der) ||
		    span_eq(buf_span(&c->certs[i].successor), der))
			return i;
	return CLUSTER_CERTS_MAX;
}

size_t cluster_cert_of(const struct cluster *c, enum plan_kind kind, size_t node)
{
	for (size_t i = 0; i < c->ncerts; i++)
		if (c->certs[i].kind == kind && (node == CLUSTER_NONE || c->certs[i].node == node))
			return i;
	return CLUSTER_CERTS_MAX;
}

size_t cluster_find_node(const struct cluster *c, struct span name)
{
	for (size_t i = 0; i < c->nnodes; i++)
		if (node_name_same(c->nodes[i].name, name))
			return i;
	return CLUSTER_NONE;
}

/* Of printed lists none is known; a node at 0.0.0.0 is nowhere. */
struct span cluster_address_of(const struct tlv_record *r)
{
	return tlv_label_has_address(r) ? r->address : SPAN_NONE;
}

size_t cluster_find_address(const struct cluster *c, struct span address)
{
	for (size_t i = 0; address.n > 0 && i < c->nnodes; i++)
		if (span_eq(c->nodes[i].address, address))
			return i;
	return CLUSTER_NONE;
}

size_t cluster_owner(const struct cluster *c, const struct tlv_list *itl)
{
	for (size_t i = 0; itl != NULL && i < itl->nrecords; i++) {
		struct tlv_record r = tlv_list_record(itl, i);
		size_t node = cluster_find_address(c, cluster_address_of(&r));

		if (!tlv_record_is_tftp(&r) || tlv_record_is_ec(&r))
			continue;
		return node != CLUSTER_NONE ? node : cluster_find_node(c, tlv_text(r.dns_name));
	}
	return CLUSTER_NONE;
}

size_t cluster_tftp_nodes(const struct cluster *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->nnodes; i++)
		n += c->nodes[i].tftp;
	return n;
}

void cluster_free(struct cluster *c)
{
	for (size_t i = 0; i < c->ncerts; i++)
		buf_free(&c->certs[i].successor);
	*c = (struct cluster){ .release = NULL };
}
