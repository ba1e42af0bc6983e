/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/search.h"

#include <stdlib.h>

#include "signer/plan/forecast/rehearse.h"
#include "signer/plan/forecast/sample.h"
#include "signer/plan/forecast/straggler.h"

/* [ONE_TYPE]: TVS last; the others as the vendor's documents list them. */
static const enum plan_kind vendor_order[] = { PLAN_KIND_CAPF, PLAN_KIND_CALLMANAGER,
					       PLAN_KIND_ECDSA, PLAN_KIND_ITLRECOVERY,
					       PLAN_KIND_TVS };

const struct search_act_row *search_act_row(enum search_act a)
{
	static const struct search_act_row rows[] = {
#define FORECAST_ACT(NAME, word, text, hits, fact) { word, text, hits, FACT_##fact },
#include "signer/plan/forecast/forecast_rules.def"
#undef FORECAST_ACT
	};

	return &rows[a];
}

/* What an order costs; less is better, the first that differs decides. */
struct cost {
	unsigned locked;     /* bit n: class n */
	size_t tvs, against; /* stages that rest on TVS; pairs against the vendor's order */
};

static int classes_in(unsigned bits)
{
	int n = 0;

	for (int p = 0; p < CROWD_CLASSES; p++)
		n += (int)(bits >> p & 1U);
	return n;
}

static bool is_cheaper(const struct cost *a, const struct cost *b)
{
	int x = classes_in(a->locked), y = classes_in(b->locked);

	if (x != y)
		return x < y;
	return a->tvs != b->tvs ? a->tvs < b->tvs : a->against < b->against;
}

static void add_stage(struct cost *cost, const struct search_stage *x)
{
	bool tvs = false;

	for (int p = 0; p < CROWD_CLASSES; p++) {
		if (x->verdict[p].refused && !crowd_row((enum crowd_class)p)->gated)
			cost->locked |= 1U << p;
		tvs |= x->verdict[p].by_tvs;
	}
	cost->tvs += tvs;
}

static size_t rank(enum plan_kind k)
{
	for (size_t i = 0; i < COUNT(vendor_order); i++)
		if (vendor_order[i] == k)
			return i;
	return COUNT(vendor_order);
}

/* The best way to one set of phases: bit n of the set is phase n. */
struct way {
	bool known;
	struct cost cost;
	size_t last; /* phase */
	struct scene scene;
	size_t from, to; /* the lists of its last phase: indices of the search's own */
};

enum { SETS_MAX = 1 << SEARCH_RENEWALS_MAX };

struct table {
	const struct search_phase *phases;
	size_t n;
	struct way ways[SETS_MAX];
};

/* The publisher comes before the others: equal ranks do not count. */
static size_t against_order(const struct table *t, size_t set, size_t next)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if ((set >> i & 1U) != 0)
			n += rank(t->phases[i].kind) > rank(t->phases[next].kind) ||
			     (i > next && t->phases[i].kind == t->phases[next].kind);
	return n;
}

/* Lists that no way leads to any more: those of a large cluster take their room. */
static void drop_some(struct search *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (s->owned[i] != NULL)
			stage_served_free(s->owned[i]);
		free(s->owned[i]);
		s->owned[i] = NULL;
	}
}

/* The lists of a set are the same, whatever way led to it: so its best way is enough. */
static enum status step(struct search *s, struct table *t, size_t set, size_t next,
			struct tlv_err *e)
{
	struct way *from = &t->ways[set], *to = &t->ways[set | (size_t)1 << next];
	struct search_stage stages[STAGES_MAX];
	struct scene scene = from->scene;
	struct cost cost = from->cost;
	size_t n, first = s->nowned;
	/* A class that lacks a list at first is gated, and costs nothing. */
	enum status st = rehearse_phase(s, &scene, &t->phases[next], false, stages, &n, e);

	if (st != ST_OK)
		return st;
	s->steps++;
	for (size_t i = 0; i < n; i++)
		add_stage(&cost, &stages[i]);
	cost.against += against_order(t, set, next);
	if (to->known && !is_cheaper(&cost, &to->cost)) {
		drop_some(s, first, s->nowned);
		return ST_OK;
	}
	drop_some(s, to->from, to->to);
	*to = (struct way){ .known = true,
			    .cost = cost,
			    .last = next,
			    .scene = scene,
			    .from = first,
			    .to = s->nowned };
	return ST_OK;
}

static enum status fill_table(struct search *s, struct table *t, struct tlv_err *e)
{
	size_t sets = (size_t)1 << t->n;
	enum status st = ST_OK;

	for (size_t set = 0; set < sets; set++)
		for (size_t i = 0; st == ST_OK && i < t->n; i++)
			if ((set >> i & 1U) == 0)
				st = step(s, t, set, i, e);
	return st;
}

static bool is_publisher(const struct cluster *c, size_t cert)
{
	return c->certs[cert].node == c->publisher || c->nodes[c->publisher].callmanager == cert ||
	       c->nodes[c->publisher].ecdsa == cert;
}

/* The certificates of a phase; false if there are none. */
static bool renewed_by(const struct cluster *c, struct search_phase *x)
{
	bool any = false;

	x->renews = (struct cluster_state){ .renewed = { 0 } };
	for (size_t i = 0; i < c->ncerts; i++) {
		if (!c->certs[i].asked || c->certs[i].kind != x->kind ||
		    (x->part == SEARCH_PUBLISHER && !is_publisher(c, i)) ||
		    (x->part == SEARCH_OTHERS && is_publisher(c, i)))
			continue;
		cluster_renew(&x->renews, i);
		any = true;
	}
	return any;
}

static bool can_split(const struct cluster *c, enum plan_kind k)
{
	struct search_phase a = { .kind = k, .part = SEARCH_PUBLISHER },
			    b = { .kind = k, .part = SEARCH_OTHERS };

	return (k == PLAN_KIND_CALLMANAGER || k == PLAN_KIND_TVS) && renewed_by(c, &a) &&
	       renewed_by(c, &b);
}

static size_t phases_of(const struct cluster *c, bool split, struct search_phase *out)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT(vendor_order); i++) {
		bool apart = split && can_split(c, vendor_order[i]);
		int from = apart ? SEARCH_PUBLISHER : SEARCH_ALL;
		int to = apart ? SEARCH_OTHERS : SEARCH_ALL;

		for (int part = from; part <= to; part++) {
			out[n] = (struct search_phase){ .kind = vendor_order[i],
							.part = (enum search_part)part };
			n += renewed_by(c, &out[n]);
		}
	}
	return n;
}

static enum status begin(struct search *s, struct scene *scene, const bool *nodes,
			 struct tlv_err *e)
{
	struct stage_served *x = rehearse_served(s, e);

	if (x == NULL)
		return ST_NOMEM;
	*scene = (struct scene){ .nodes = nodes, .served = x };
	return stage_given(x, s->c, nodes, e);
}

static struct search_phase with_itls(enum search_act act)
{
	return (struct search_phase){ .act = act, .kind = PLAN_KIND_ITL };
}

/* Phones hold blank ITLs then, whatever the order of what follows. */
static enum status blank_first(struct search *s, struct scene *scene, struct tlv_err *e)
{
	const struct search_phase blank = with_itls(SEARCH_BLANK);
	struct search_stage stages[STAGES_MAX];
	size_t n;

	return s->c->blanks ? rehearse_phase(s, scene, &blank, true, stages, &n, e) : ST_OK;
}

static size_t factorial(size_t n)
{
	return n < 2 ? 1 : n * factorial(n - 1);
}

/* Reads the order backwards out of the table. */
static void take_order(const struct table *t, struct search_phase *out)
{
	size_t set = ((size_t)1 << t->n) - 1;

	for (size_t i = t->n; i > 0; i--) {
		out[i - 1] = t->phases[t->ways[set].last];
		set &= ~((size_t)1 << t->ways[set].last);
	}
}

static enum status try_phases(struct search *s, bool split, struct search_phase *out, size_t *n,
			      struct cost *cost, struct tlv_err *e)
{
	struct search_phase phases[SEARCH_RENEWALS_MAX];
	struct table *t = calloc(1, sizeof *t);
	bool nodes[CLUSTER_NODES_MAX] = { false };
	enum status st;

	if (t == NULL)
		return err_nomem(e);
	*n = phases_of(s->c, split, phases);
	t->phases = phases;
	t->n = *n;
	sample_sorts(s->c, nodes);
	st = begin(s, &t->ways[0].scene, nodes, e);
	if (st == ST_OK)
		st = blank_first(s, &t->ways[0].scene, e);
	if (st == ST_OK)
		st = fill_table(s, t, e);
	if (st == ST_OK) {
		take_order(t, out);
		*cost = t->ways[((size_t)1 << t->n) - 1].cost;
		s->orders += factorial(t->n);
	}
	free(t);
	return st;
}

static bool any_can_split(const struct cluster *c)
{
	return can_split(c, PLAN_KIND_CALLMANAGER) || can_split(c, PLAN_KIND_TVS);
}

static void drop_lists(struct search *s)
{
	drop_some(s, 0, s->nowned);
	s->nowned = 0;
}

/* All lists of the search are gone then: those of the proof are written anew. */
static enum status find_order(struct search *s, struct search_phase *best, size_t *n,
			      struct tlv_err *e)
{
	struct search_phase other[SEARCH_RENEWALS_MAX];
	struct cost cost = { .locked = 0 }, second = { .locked = 0 };
	size_t m = 0;
	enum status st = try_phases(s, false, best, n, &cost, e);

	drop_lists(s);
	if (st != ST_OK || cost.locked == 0 || !any_can_split(s->c))
		return st;
	s->split = true;
	st = try_phases(s, true, other, &m, &second, e);
	drop_lists(s);
	if (st == ST_OK && classes_in(second.locked) < classes_in(cost.locked)) {
		for (size_t i = 0; i < m; i++)
			best[i] = other[i];
		*n = m;
	}
	return st;
}

static void note_refusals(struct search *s)
{
	for (size_t i = 0; i < s->nstages; i++)
		for (int p = 0; p < CROWD_CLASSES; p++) {
			const struct search_verdict *v = &s->stages[i].verdict[p];
			bool gated = crowd_row((enum crowd_class)p)->gated;

			*(gated ? &s->strays[p] : &s->locked[p]) |= v->refused;
			s->doubtful[p] |= gated && v->assumptions != 0;
		}
}

static enum status follow(struct search *s, struct tlv_err *e)
{
	bool nodes[CLUSTER_NODES_MAX] = { false };
	struct scene scene = { .served = NULL };
	enum status st;

	sample_all(s->c, nodes);
	st = begin(s, &scene, nodes, e);
	s->given = scene.served;
	for (size_t i = 0; st == ST_OK && i < s->nphases; i++) {
		struct search_stage *x = &s->stages[s->nstages];
		size_t n = 0;

		st = rehearse_phase(s, &scene, &s->phases[i], i == 0, x, &n, e);
		for (size_t k = 0; st == ST_OK && k < n; k++)
			x[k].phase = i;
		s->nstages += n;
	}
	if (st != ST_OK)
		return st;
	note_refusals(s);
	straggler_note_gates(s, nodes);
	return ST_OK;
}

enum status search_follow(struct search *s, const struct cluster *c,
			  const struct crowd_groups *groups, const struct search_phase *phases,
			  size_t n, struct tlv_err *e)
{
	*s = (struct search){ .c = c, .groups = groups, .nphases = n };
	for (size_t i = 0; i < n; i++)
		s->phases[i] = phases[i];
	return follow(s, e);
}

enum status search_run(struct search *s, const struct cluster *c, const struct crowd_groups *groups,
		       struct tlv_err *e)
{
	size_t n = 0, front = c->blanks;
	enum status st;

	*s = (struct search){ .c = c, .groups = groups };
	st = find_order(s, s->phases + front, &n, e);
	if (st == ST_OK && n == 0)
		return err_set(e, ST_USAGE, "nothing is to be renewed: say what with '--renew'");
	if (c->blanks) {
		s->phases[0] = with_itls(SEARCH_BLANK);
		s->phases[n + 1] = with_itls(SEARCH_RESTORE);
	}
	s->nphases = n + 2 * front;
	return st == ST_OK ? follow(s, e) : st;
}

bool search_refused(const struct search *s)
{
	for (int p = 0; p < CROWD_CLASSES; p++)
		if (s->locked[p])
			return true;
	return false;
}

void search_free(struct search *s)
{
	drop_lists(s);
	free(s->owned);
	s->owned = NULL;
	s->owned_cap = 0;
}
