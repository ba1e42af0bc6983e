/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/crowd.h"

#include <string.h>

static const struct crowd_row rows[] = {
#define FORECAST_PHONES(NAME, word, text, sbd, ctl, itl, gated) \
	{ word, text, sbd, ctl, itl, gated },
#include "signer/plan/forecast/forecast_rules.def"
#undef FORECAST_PHONES
};

const struct crowd_row *crowd_row(enum crowd_class p)
{
	return &rows[p];
}

bool crowd_exists(const struct cluster *c, enum crowd_class p)
{
	return rows[p].ctl ? c->ctl != NULL : c->ctl == NULL;
}

static enum status group_node(struct crowd_groups *g, const struct cluster *c, struct span name,
			      const char *text, struct tlv_err *e)
{
	size_t node = cluster_find_node(c, name);

	if (node == CLUSTER_NONE)
		return err_set(e, ST_NO_MATCH,
			       "option '--group': '%s' names a node that the lists do not show",
			       text);
	g->nodes[g->n] |= UINT64_C(1) << node;
	return ST_OK;
}

enum status crowd_group(struct crowd_groups *g, const struct cluster *c, const char *text,
			struct tlv_err *e)
{
	const char *p = strchr(text, '=');
	enum status st = ST_OK;

	if (p == NULL || p == text || p[1] == '\0')
		return err_set(e, ST_USAGE, "option '--group': '%s' is not NAME=NODE,NODE", text);
	if (g->n == CROWD_GROUPS_MAX)
		return err_set(e, ST_USAGE, "option '--group': more than %d groups",
			       CROWD_GROUPS_MAX);
	g->name[g->n] = text;
	g->name_n[g->n] = (size_t)(p - text);
	while (st == ST_OK && p != NULL) {
		const char *start = p + 1;

		p = strchr(start, ',');
		st = group_node(g, c,
				p != NULL ? span_of(start, (size_t)(p - start)) : span_str(start),
				text, e);
	}
	g->n += st == ST_OK;
	return st;
}

/* Whether the phone believes the TVS of this node: its certificate of now is in the ITL. */
static bool believes(const struct crowd_question *q, const struct tlv_list *itl, size_t node)
{
	size_t cert = cluster_cert_of(q->c, PLAN_KIND_TVS, node);

	return cert < q->c->ncerts &&
	       tlv_list_has(itl, TLV_ROLE_TVS, cluster_cert_now(q->c, q->tvs, cert)->der);
}

static bool group_believes(const struct crowd_question *q, const struct tlv_list *itl,
			   uint64_t nodes)
{
	for (size_t i = 0; i < q->c->nnodes; i++)
		if ((nodes >> i & 1U) != 0 && believes(q, itl, i))
			return true;
	return false;
}

/* The first group without a TVS that its phones believe; SIZE_MAX: none. */
static size_t deserted_group(const struct crowd_question *q, const struct tlv_list *itl)
{
	for (size_t i = 0; i < q->groups->n; i++)
		if (!group_believes(q, itl, q->groups->nodes[i]))
			return i;
	for (size_t i = 0; q->groups->n == 0 && i < q->c->nnodes; i++)
		if (cluster_cert_of(q->c, PLAN_KIND_TVS, i) < q->c->ncerts && !believes(q, itl, i))
			return i;
	return SIZE_MAX;
}

/* If groups are not known, each node may be one, and the trust engine has found one of them. */
static bool any_group_believes(const struct crowd_question *q, const struct tlv_list *itl)
{
	for (size_t i = 0; i < q->groups->n; i++)
		if (group_believes(q, itl, q->groups->nodes[i]))
			return true;
	return q->groups->n == 0;
}

/*
 * Nobody says that phones take what a TFTP certificate signed. Here it is known which TVS of the
 * cluster a phone believes, so that is what counts; the rest is left to phones of other groups.
 */
static void prefer_tvs(struct crowd_answer *x, const struct crowd_question *q,
		       const struct tlv_list *itl)
{
	x->by_tvs = any_group_believes(q, itl);
	if (deserted_group(q, itl) != SIZE_MAX)
		return;
	x->a.reason = ACCEPT_TVS;
	x->a.assumptions &= ~(1U << TVS_ASSUMES_TFTP);
}

static struct crowd_answer judge(const struct crowd_question *q, const struct phone *phone,
				 const struct stage_list *offered)
{
	struct crowd_answer x = { .offered = true, .group = SIZE_MAX };

	x.a = accept_foresee(phone, offered->list, offered->key);
	x.accepted = accept_row(x.a.reason)->accepted;
	if (x.a.reason == ACCEPT_TVS) {
		x.by_tvs = true;
		x.group = deserted_group(q, phone->itl);
	} else if (x.a.reason == ACCEPT_SIGNER_IS_TFTP && x.a.tvs_too) {
		prefer_tvs(&x, q, phone->itl);
	}
	if (x.group != SIZE_MAX)
		x.accepted = false;
	return x;
}

/*
 * A phone without an ITL has no TVS that it may believe, so it is like one without
 * Security by Default. One with a blank ITL, and no CTL, checks nothing.
 */
static struct phone phone_that_holds(const struct crowd_question *q, enum crowd_class p,
				     const struct crowd_answers *now)
{
	const struct tlv_list *itl = now->holds_itl;

	if (itl != NULL && stage_is_blank(itl))
		itl = NULL;
	return (struct phone){ .ctl = now->holds_ctl,
			       .itl = itl,
			       .no_lists = now->holds_ctl == NULL && itl == NULL,
			       .no_tvs = !rows[p].sbd || itl == NULL,
			       .vouched = q->uploads,
			       .tvs_ctl = q->ctl != NULL ? q->ctl->list : NULL,
			       .release = q->c->release };
}

/* What it holds once it was offered this; nothing is judged if nothing new comes. */
static const struct tlv_list *offer(struct crowd_answer *a, const struct crowd_question *q,
				    const struct phone *phone, const struct stage_list *offered,
				    const struct tlv_list *held)
{
	*a = (struct crowd_answer){ .group = SIZE_MAX };
	if (offered == NULL || offered->list == NULL || offered->list == held)
		return held;
	*a = judge(q, phone, offered);
	return a->accepted ? offered->list : held;
}

void crowd_ask(struct crowd_answers *out, enum crowd_class p, const struct crowd_question *q)
{
	struct phone phone;

	*out = (struct crowd_answers){ .holds_ctl = q->holds_ctl, .holds_itl = q->holds_itl };
	phone = phone_that_holds(q, p, out);
	out->holds_ctl = offer(&out->ctl, q, &phone, q->ctl, q->holds_ctl);
	phone = phone_that_holds(q, p, out);
	out->holds_itl = offer(&out->itl, q, &phone, rows[p].sbd ? q->itl : NULL, q->holds_itl);
}

enum accept_reason crowd_reason(const struct crowd_answer *a)
{
	return a->group != SIZE_MAX ? ACCEPT_SIGNER_UNKNOWN : a->a.reason;
}

size_t crowd_facts(const struct crowd_answer *a, unsigned facts[CROWD_FACTS_MAX])
{
	enum fact_id fact = accept_row(a->a.reason)->fact;
	size_t n = 0;

	facts[n++] = a->group != SIZE_MAX ? FACT_TVS_CERT_IN_ITL : fact;
	if (a->group == SIZE_MAX && accept_tvs_why(&a->a, &fact) != NULL)
		facts[n++] = fact;
	return n;
}

void crowd_why(const struct crowd_answer *a, struct buf *out)
{
	const struct accept_reason_row *row = accept_row(a->a.reason);
	enum fact_id fact = row->fact;
	const char *why = accept_tvs_why(&a->a, &fact);

	if (a->group != SIZE_MAX) {
		buf_str(out,
			"no node of the group has a TVS whose certificate is in the ITL that the phone holds");
		fact_put_sources(out, FACT_TVS_CERT_IN_ITL);
		return;
	}
	buf_str(out, row->explanation);
	fact_put_sources(out, row->fact);
	if (why == NULL)
		return;
	buf_str(out, "; ");
	buf_str(out, why);
	fact_put_sources(out, fact);
}
