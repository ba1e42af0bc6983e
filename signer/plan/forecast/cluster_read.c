/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/cluster_read.h"

#include <stdlib.h>

#include "signer/plan/forecast/node_name.h"
#include "tlv/kind.h"
#include "tlv/text.h"

/*
 * How ITLs that know no addresses call the TFTP node with this certificate; empty if they do not,
 * or not in one way.
 */
static struct span name_in_itls(const struct cluster *c, struct span der)
{
	struct span found = SPAN_NONE;

	for (size_t i = 0; i < c->nitls; i++)
		for (size_t k = 0; k < c->itls[i]->nrecords; k++) {
			struct tlv_record r = tlv_list_record(c->itls[i], k);
			struct span name = tlv_text(r.dns_name);

			if (!tlv_record_is_tftp(&r) || !span_eq(r.certificate, der) ||
			    span_is_dotted(name) || name.n == 0 || cluster_address_of(&r).n > 0)
				continue;
			if (found.n > 0 && !node_name_same(found, name))
				return SPAN_NONE;
			found = name;
		}
	return found;
}

/*
 * The CTL Client writes a node's address in the place of its name. Of printed ITLs, which have no
 * addresses, the node's own certificate tells which name that is.
 */
static struct span name_behind(const struct cluster *c, struct span name)
{
	for (size_t i = 0; c->ctl != NULL && i < c->ctl->nrecords; i++) {
		struct tlv_record x = tlv_list_record(c->ctl, i);

		if (tlv_record_is_tftp(&x) && x.certificate.n > 0 &&
		    span_eq(tlv_text(x.dns_name), name)) {
			struct span found = name_in_itls(c, x.certificate);

			return found.n > 0 ? found : name;
		}
	}
	return name;
}

/* The node whose address stands there; *name is then its name, also if it is not noted yet. */
static size_t find_behind(const struct cluster *c, struct span *name)
{
	struct span own = span_is_dotted(*name) ? name_behind(c, *name) : *name;
	size_t at = cluster_find_node(c, own);

	if (at != CLUSTER_NONE && c->nodes[at].address.n > 0)
		return CLUSTER_NONE; /* it is elsewhere */
	*name = own;
	return at;
}

/* If an address stands in the place of a name, the name may come with another list. */
static enum status note_node(struct cluster *c, const struct tlv_record *r, size_t *out,
			     struct tlv_err *e)
{
	struct span name = tlv_text(r->dns_name);
	struct span address = cluster_address_of(r);
	size_t at = cluster_find_address(c, address);

	if (at == CLUSTER_NONE)
		at = cluster_find_node(c, name);
	if (at == CLUSTER_NONE)
		at = find_behind(c, &name);
	if (at == CLUSTER_NONE && c->nnodes == CLUSTER_NODES_MAX)
		return err_set(e, ST_USAGE, "the lists show more than %d nodes", CLUSTER_NODES_MAX);
	if (at == CLUSTER_NONE) {
		at = c->nnodes++;
		c->nodes[at] = (struct cluster_node){ .name = name,
						      .address = address,
						      .callmanager = CLUSTER_CERTS_MAX,
						      .ecdsa = CLUSTER_CERTS_MAX };
	}
	if (span_is_dotted(c->nodes[at].name) && !span_is_dotted(name) && name.n > 0)
		c->nodes[at].name = name;
	if (c->nodes[at].address.n == 0)
		c->nodes[at].address = address;
	c->nodes[at].tftp |= tlv_record_is_tftp(r);
	*out = at;
	return ST_OK;
}

static bool is_of_a_node(enum plan_kind k)
{
	return k == PLAN_KIND_CALLMANAGER || k == PLAN_KIND_ECDSA || k == PLAN_KIND_TVS ||
	       k == PLAN_KIND_CAPF || k == PLAN_KIND_ITLRECOVERY || k == PLAN_KIND_ANCHOR;
}

/* What is a node's own CallManager is one certificate, whatever else it is in the list. */
static void note_again(struct cluster *c, size_t at, enum plan_kind kind, size_t node)
{
	if (kind != PLAN_KIND_CALLMANAGER && kind != PLAN_KIND_ECDSA)
		return;
	c->certs[at].kind = kind;
	c->certs[at].node = c->certs[at].node == CLUSTER_NONE ? node : c->certs[at].node;
}

/* The first list has the say, so that a later one is not taken for the node's own. */
static void note_own(struct cluster *c, size_t at, enum plan_kind kind, size_t node)
{
	size_t *own = NULL;

	if (node != CLUSTER_NONE && kind == PLAN_KIND_CALLMANAGER)
		own = &c->nodes[node].callmanager;
	else if (node != CLUSTER_NONE && kind == PLAN_KIND_ECDSA)
		own = &c->nodes[node].ecdsa;
	if (own != NULL && *own == CLUSTER_CERTS_MAX)
		*own = at;
}

static enum status note_cert(struct cluster *c, const struct tlv_record *r, enum plan_kind kind,
			     size_t node, size_t list, struct tlv_err *e)
{
	size_t at = cluster_find_cert(c, r->certificate);
	struct cluster_cert *x = &c->certs[c->ncerts];
	enum status st;

	if (at < c->ncerts) {
		note_again(c, at, kind, node);
	} else {
		if (c->ncerts == CLUSTER_CERTS_MAX)
			return err_set(e, ST_USAGE, "the lists show more than %d certificates",
				       CLUSTER_CERTS_MAX);
		*x = (struct cluster_cert){
			.kind = kind, .node = node, .known = r->certificate, .list = list
		};
		st = tlv_cert_walk(x->known, &x->known_parts, e);
		if (st != ST_OK)
			return st;
		at = c->ncerts++;
	}
	note_own(c, at, kind, node);
	return ST_OK;
}

static enum status note_record(struct cluster *c, const struct tlv_record *r, size_t list,
			       struct tlv_err *e)
{
	enum plan_kind kind = plan_kind_of(r);
	size_t node = CLUSTER_NONE;
	enum status st = is_of_a_node(kind) ? note_node(c, r, &node, e) : ST_OK;

	return st == ST_OK && r->certificate.n > 0 ? note_cert(c, r, kind, node, list, e) : st;
}

/* Those with EC keys come last: a node has the name of its RSA certificate's record. */
static enum status note_list(struct cluster *c, const struct tlv_list *l, size_t list,
			     struct tlv_err *e)
{
	enum status st = ST_OK;

	for (int ec = 0; ec <= 1; ec++)
		for (size_t i = 0; st == ST_OK && i < l->nrecords; i++) {
			struct tlv_record r = tlv_list_record(l, i);

			if (tlv_record_is_ec(&r) == (ec == 1))
				st = note_record(c, &r, list, e);
		}
	return st;
}

/* Of two ITLs of one node the later one is served. */
static void note_owner(struct cluster *c, const struct tlv_list *itl)
{
	size_t node = cluster_owner(c, itl);
	const struct tlv_list *other = node != CLUSTER_NONE ? c->nodes[node].itl : NULL;

	if (node != CLUSTER_NONE &&
	    (other == NULL || other->header.timestamp < itl->header.timestamp))
		c->nodes[node].itl = itl;
}

static enum status sort_lists(struct cluster *c, const struct tlv_list *const *lists, size_t n,
			      struct tlv_err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (!tlv_list_is_itl(lists[i])) {
			if (c->ctl != NULL)
				return err_set(
					e, ST_USAGE,
					"two CTLs were given: a cluster has one CTL, and an ITL for each TFTP node");
			c->ctl = lists[i];
		} else if (c->nitls == CLUSTER_NODES_MAX) {
			return err_set(e, ST_USAGE,
				       "more than %d ITLs were given: give one of each TFTP node",
				       CLUSTER_NODES_MAX);
		} else {
			c->itls[c->nitls++] = lists[i];
		}
	}
	if (c->nitls == 0)
		return err_set(
			e, ST_USAGE,
			"no ITL was given: only ITLs show the TVS certificates, so add ITLFile.tlv of a TFTP node");
	return ST_OK;
}

/*
 * CAPF runs on the publisher only. If no list shows CAPF, the CTL's signer is taken for the
 * publisher, else the first node.
 */
static size_t find_publisher(const struct cluster *c)
{
	size_t capf = cluster_cert_of(c, PLAN_KIND_CAPF, CLUSTER_NONE);
	long signer = c->ctl != NULL ? tlv_list_signer(c->ctl) : TLV_SIGNER_NONE;

	if (capf < c->ncerts)
		return c->certs[capf].node;
	if (signer >= 0) {
		struct tlv_record r = tlv_list_record(c->ctl, (size_t)signer);
		size_t node = cluster_find_node(c, tlv_text(r.dns_name));

		if (node != CLUSTER_NONE)
			return node;
	}
	return 0;
}

/* Two certificates of one kind on one node: a list was not written anew after a renewal. */
static enum status check_agreement(const struct cluster *c, struct tlv_err *e)
{
	for (size_t i = 0; i < c->ncerts; i++) {
		const struct cluster_cert *x = &c->certs[i];
		size_t first = cluster_cert_of(c, x->kind, x->node);
		char *name;

		if (first == i || x->node == CLUSTER_NONE || x->kind == PLAN_KIND_ANCHOR)
			continue;
		name = span_dup(c->nodes[x->node].name);
		(void)err_set(
			e, ST_NO,
			"%s: the lists show two different ones of node '%s': if phones refuse, use '--recover' first; if a list is of another cluster, leave it out",
			plan_kind_text(x->kind), name != NULL ? name : "?");
		free(name);
		return ST_NO;
	}
	return ST_OK;
}

/* [ITL_RECORDS]: an ITL without one of them was not written since that node has it. */
static enum status check_tvs(const struct cluster *c, struct tlv_err *e)
{
	for (size_t i = 0; c->nitls > 0 && i < c->ncerts * c->nitls; i++) {
		const struct cluster_cert *x = &c->certs[i / c->nitls];
		const struct tlv_list *itl = c->itls[i % c->nitls];
		char *name;

		if (x->kind != PLAN_KIND_TVS || x->node == CLUSTER_NONE ||
		    tlv_list_has(itl, TLV_ROLE_TVS, x->known))
			continue;
		name = span_dup(c->nodes[x->node].name);
		(void)err_set(
			e, ST_NO,
			"one ITL shows the TVS certificate of node '%s' and another one does not: restart TFTP on every node, reset all phones, and give the new ITLs; if a list is of another cluster, leave it out",
			name != NULL ? name : "?");
		free(name);
		return ST_NO;
	}
	return ST_OK;
}

/* [ITL_RECORDS]: lists of one cluster share nodes, whatever was renewed in between. */
static bool shares(const struct cluster *c, const struct tlv_list *l, size_t nodes, size_t certs)
{
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (cluster_find_cert(c, r.certificate) < certs ||
		    cluster_find_address(c, cluster_address_of(&r)) < nodes ||
		    cluster_find_node(c, tlv_text(r.dns_name)) < nodes)
			return true;
	}
	return false;
}

static enum status foreign(const struct cluster *c, const struct tlv_list *l, struct tlv_err *e)
{
	size_t owner = cluster_owner(c, l);
	char *name = owner != CLUSTER_NONE ? span_dup(c->nodes[owner].name) : NULL;

	(void)err_set(
		e, ST_USAGE,
		"the %s%s%s%s shares neither a node nor a certificate with the other lists: is it of another cluster",
		tlv_list_kind_text(l), name != NULL ? " of node '" : "", name != NULL ? name : "",
		name != NULL ? "'" : "");
	free(name);
	return ST_USAGE;
}

static enum status note_lists(struct cluster *c, const struct tlv_list *const *lists, size_t n,
			      struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < n; i++) {
		size_t nodes = c->nnodes, certs = c->ncerts;

		st = note_list(c, lists[i], i, e);
		if (st == ST_OK && i > 0 && !shares(c, lists[i], nodes, certs))
			st = foreign(c, lists[i], e);
	}
	return st;
}

static enum status read_cluster(struct cluster *c, const struct tlv_list *const *lists, size_t n,
				const struct release *release, struct tlv_err *e)
{
	enum status st;

	*c = (struct cluster){ .release = release };
	st = sort_lists(c, lists, n, e);
	if (st == ST_OK)
		st = note_lists(c, lists, n, e);
	if (st != ST_OK)
		return st;
	for (size_t i = 0; i < c->nitls; i++)
		note_owner(c, c->itls[i]);
	c->mixed = c->ctl != NULL && !tlv_list_is_non_secure(c->ctl);
	c->tokens = c->mixed && tlv_list_token_signs(c->ctl);
	c->publisher = find_publisher(c);
	return ST_OK;
}

/*
 * [SIX_ATTRIBUTES]: CUCM writes its own spelling of each name over such a list, and phones compare
 * bytes: what they hold is no pattern of what they will be offered.
 */
static enum status check_styles(const struct tlv_list *const *lists, size_t n, struct tlv_err *e)
{
	for (size_t i = 0; i < n; i++)
		if (!lists[i]->stand_in && tlv_list_dialect(lists[i]).style == TLV_STYLE_RFC4514)
			return err_set(
				e, ST_USAGE,
				"the %s is in style rfc4514, which CUCM does not write, so it says nothing of CUCM's next lists: give the lists that CUCM wrote, or compare two lists with 'plan OLD NEW'",
				tlv_list_kind_text(lists[i]));
	return ST_OK;
}

enum status cluster_read(struct cluster *c, const struct tlv_list *const *lists, size_t n,
			 const struct release *release, struct tlv_err *e)
{
	enum status st = read_cluster(c, lists, n, release, e);

	if (st == ST_OK)
		st = check_styles(lists, n, e);
	if (st == ST_OK)
		st = check_agreement(c, e);
	return st == ST_OK ? check_tvs(c, e) : st;
}

/* The certificate that has come in the place of this one; CLUSTER_CERTS_MAX: it is today's. */
static size_t superseded_by(const struct cluster *c, size_t cert)
{
	const struct cluster_cert *x = &c->certs[cert];
	bool anywhere = x->kind == PLAN_KIND_ITLRECOVERY && release_has_one_itlrecovery(c->release);

	if (x->kind == PLAN_KIND_ANCHOR || (x->node == CLUSTER_NONE && !anywhere))
		return CLUSTER_CERTS_MAX;
	for (size_t i = 0; i < c->ncerts; i++)
		if (c->certs[i].kind == x->kind && c->certs[i].list < x->list &&
		    (anywhere || c->certs[i].node == x->node))
			return i;
	return CLUSTER_CERTS_MAX;
}

static enum status note_superseded(struct cluster *c, struct cluster_state *now, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < c->ncerts; i++) {
		size_t by = superseded_by(c, i);

		if (by >= c->ncerts)
			continue;
		buf_put(&c->certs[i].successor, c->certs[by].known);
		c->certs[i].successor_parts = c->certs[by].known_parts;
		cluster_renew(now, i);
		st = buf_failed(&c->certs[i].successor, e);
	}
	return st;
}

/* By time of signing, the latest first; equal ones stay in their order. */
static void sort_by_time(const struct tlv_list **lists, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = i;
		     k > 0 && lists[k - 1]->header.timestamp < lists[k]->header.timestamp; k--) {
			const struct tlv_list *earlier = lists[k - 1];

			lists[k - 1] = lists[k];
			lists[k] = earlier;
		}
}

enum status cluster_read_drifted(struct cluster *c, const struct tlv_list *const *lists, size_t n,
				 const struct release *release, struct cluster_state *now,
				 struct tlv_err *e)
{
	const struct tlv_list **sorted = calloc(n, sizeof *sorted);
	enum status st;

	*now = (struct cluster_state){ .renewed = { 0 } };
	*c = (struct cluster){ .release = release };
	if (sorted == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		sorted[i] = lists[i];
	sort_by_time(sorted, n);
	st = read_cluster(c, sorted, n, release, e);
	if (st == ST_OK)
		st = note_superseded(c, now, e);
	free(sorted);
	return st;
}
