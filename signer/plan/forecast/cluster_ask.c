/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/cluster_ask.h"

#include <string.h>
#include <strings.h>

#include "signer/plan/forecast/placeholder.h"

/* The vendor writes CallManager and ITLRecovery. */
static bool kind_to_renew(struct span word, enum plan_kind *out)
{
	static const enum plan_kind kinds[] = { PLAN_KIND_CALLMANAGER, PLAN_KIND_ECDSA,
						PLAN_KIND_CAPF, PLAN_KIND_TVS,
						PLAN_KIND_ITLRECOVERY };

	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct span known = span_str(plan_kind_word(kinds[i]));

		if (word.n == known.n &&
		    strncasecmp((const char *)word.p, (const char *)known.p, known.n) == 0) {
			*out = kinds[i];
			return true;
		}
	}
	return false;
}

/* [IMPACT_OTHERS] */
static bool is_in_no_list(const char *what)
{
	static const char *const others[] = { "tomcat", "ipsec" };

	for (size_t i = 0; i < COUNT(others); i++)
		if (strncasecmp(what, others[i], strlen(others[i])) == 0)
			return true;
	return false;
}

static enum status no_kind(const char *what, struct tlv_err *e)
{
	if (is_in_no_list(what))
		return err_set(
			e, ST_USAGE,
			"option '--renew %s': Tomcat and IPsec certificates are in no list, so phones need no new one: leave the option out",
			what);
	if (strchr(what, ',') != NULL)
		return err_set(
			e, ST_USAGE,
			"option '--renew': '%s' is more than one: give the option once for each",
			what);
	return err_set(
		e, ST_USAGE,
		"option '--renew': '%s' is none of callmanager, capf, tvs, itlrecovery, callmanager-ecdsa, or one of these with '@NODE'",
		what);
}

static enum status no_node(const struct cluster *c, const char *name, struct tlv_err *e)
{
	struct buf known = BUF_INIT;

	for (size_t i = 0; i < c->nnodes; i++) {
		buf_str(&known, i > 0 ? ", " : "");
		buf_put(&known, c->nodes[i].name);
	}
	buf_u8(&known, 0);
	(void)err_set(e, ST_NO_MATCH,
		      "option '--renew': no node of the lists is called '%s': they show %s", name,
		      known.failed == ST_OK ? (const char *)known.p : "others");
	buf_free(&known);
	return ST_NO_MATCH;
}

static enum status ask_one(struct cluster_cert *x, struct tlv_err *e)
{
	enum status st;

	if (x->asked)
		return ST_OK;
	x->asked = true;
	st = placeholder_of(x->known, &x->successor, e);
	return st == ST_OK ? tlv_cert_walk(buf_span(&x->successor), &x->successor_parts, e) : st;
}

static enum status ask_matching(struct cluster *c, enum plan_kind kind, size_t node,
				const char *what, struct tlv_err *e)
{
	enum status st = ST_OK;
	size_t found = 0;

	for (size_t i = 0; st == ST_OK && i < c->ncerts; i++) {
		bool wanted = c->certs[i].kind == kind &&
			      (node == CLUSTER_NONE || c->certs[i].node == node ||
			       c->nodes[node].callmanager == i || c->nodes[node].ecdsa == i);

		found += wanted;
		st = wanted ? ask_one(&c->certs[i], e) : ST_OK;
	}
	if (st == ST_OK && found == 0)
		return err_set(e, ST_NO_MATCH,
			       "option '--renew': the lists show no certificate for '%s'", what);
	return st;
}

enum status cluster_ask(struct cluster *c, const char *what, struct tlv_err *e)
{
	const char *at = strchr(what, '@');
	struct span word = at != NULL ? span_of(what, (size_t)(at - what)) : span_str(what);
	size_t node = CLUSTER_NONE;
	enum plan_kind kind;

	if (!kind_to_renew(word, &kind))
		return no_kind(what, e);
	if (at != NULL) {
		node = cluster_find_node(c, span_str(at + 1));
		if (node == CLUSTER_NONE)
			return no_node(c, at + 1, e);
	}
	return ask_matching(c, kind, node, what, e);
}

enum status cluster_blank(struct cluster *c, struct tlv_err *e)
{
	c->blanks = true;
	if (c->ctl == NULL)
		return ST_OK;
	return err_set(
		e, ST_USAGE,
		"option '--blank-itl': the rollback parameter does not blank the CTL, so it helps no cluster that has one: leave the option out");
}
