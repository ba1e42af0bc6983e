/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/sample.h"

static bool serves(const struct cluster *c, size_t node)
{
	return c->nodes[node].tftp && c->nodes[node].callmanager < c->ncerts;
}

void sample_all(const struct cluster *c, bool nodes[CLUSTER_NODES_MAX])
{
	for (size_t i = 0; i < c->nnodes; i++)
		nodes[i] = serves(c, i);
}

static bool is_asked(const struct cluster *c, size_t cert)
{
	return cert < c->ncerts && c->certs[cert].asked;
}

/*
 * [ITL_RECORDS]: each ITL has all TVS certificates, so a node's own one makes it no other sort.
 * CallManager-ECDSA signs no list.
 */
static bool is_alike(const struct cluster *c, size_t a, size_t b)
{
	return (a == c->publisher) == (b == c->publisher) &&
	       (c->nodes[a].itl != NULL) == (c->nodes[b].itl != NULL) &&
	       is_asked(c, c->nodes[a].callmanager) == is_asked(c, c->nodes[b].callmanager) &&
	       is_asked(c, cluster_cert_of(c, PLAN_KIND_ITLRECOVERY, a)) ==
		       is_asked(c, cluster_cert_of(c, PLAN_KIND_ITLRECOVERY, b));
}

static bool is_first(const struct cluster *c, size_t node)
{
	for (size_t i = 0; i < node; i++)
		if (serves(c, i) && is_alike(c, i, node))
			return false;
	return true;
}

void sample_sorts(const struct cluster *c, bool nodes[CLUSTER_NODES_MAX])
{
	for (size_t i = 0; i < c->nnodes; i++)
		nodes[i] = serves(c, i) && is_first(c, i);
}
