/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/recover/recover.h"

#include <stdlib.h>

#define N(name) (1U << RECOVER_NEED_##name)

/*
 * Each way is gone through by phones as they are: they ask for the CTL first, then for the ITL,
 * at each reset, and hold afterwards what they took. Nothing counts as helped before a phone
 * holds the last list of each kind.
 */

/* A phone needs so many resets at most: what it takes of one kind opens the other. */
enum { RESETS_MAX = 3 };

struct walker {
	const struct recovery *r;
	const struct recover_holder *h;
	size_t node;
	const struct tlv_list *ctl, *itl; /* what the phone holds */
	const struct certset *uploads;	  /* that TVS was told of; NULL: none */
	struct acceptance first;	  /* the first list that it took */
	bool took;
	unsigned assumptions;
};

static struct recover_served served(const struct stage_served *s, size_t nodes)
{
	struct recover_served x = { .ctl = &s->ctl };

	for (size_t i = 0; i < nodes; i++)
		x.itl[i] = &s->itl[i];
	return x;
}

/* What is written comes in the place of what was served. */
static void put_over(struct recover_served *x, const struct stage_served *written, size_t nodes)
{
	if (written->ctl.list != NULL)
		x->ctl = &written->ctl;
	for (size_t i = 0; i < nodes; i++)
		if (written->itl[i].list != NULL)
			x->itl[i] = &written->itl[i];
}

/* Each way is gone through again and again, and phones answer the same to the same. */
struct asked {
	enum crowd_class phones;
	size_t node;
	const struct certset *uploads;
	const struct tlv_list *lists[4]; /* held CTL and ITL, offered CTL and ITL */
};

enum { MEMO_SLOTS = 16384 }; /* a power of two; beyond three quarters nothing is added */

struct recover_memo {
	struct {
		bool used;
		struct asked asked;
		struct crowd_answers answers;
	} v[MEMO_SLOTS];
	size_t n;
};

static bool same_question(const struct asked *a, const struct asked *b)
{
	return a->phones == b->phones && a->node == b->node && a->uploads == b->uploads &&
	       a->lists[0] == b->lists[0] && a->lists[1] == b->lists[1] &&
	       a->lists[2] == b->lists[2] && a->lists[3] == b->lists[3];
}

/* The slot of this question, or the free one where it belongs. */
static size_t find_slot(const struct recover_memo *m, const struct asked *q)
{
	uint64_t hash = (uint64_t)q->node * 31 + (uint64_t)q->phones * 2 + (q->uploads != NULL);

	for (size_t i = 0; i < COUNT(q->lists); i++)
		hash = (hash ^ (uint64_t)(uintptr_t)q->lists[i]) * UINT64_C(0x9e3779b97f4a7c15);
	hash >>= 40;
	while (m->v[hash % MEMO_SLOTS].used && !same_question(&m->v[hash % MEMO_SLOTS].asked, q))
		hash++;
	return hash % MEMO_SLOTS;
}

static const struct tlv_list *list_of(const struct stage_list *l)
{
	return l != NULL ? l->list : NULL;
}

static struct crowd_answers ask_anew(const struct walker *k, const struct recover_served *x)
{
	struct crowd_answers a;

	crowd_ask(&a, k->h->phones,
		  &(struct crowd_question){ .c = k->r->in.c,
					    .groups = k->r->in.groups,
					    .tvs = k->r->in.now,
					    .holds_ctl = k->ctl,
					    .holds_itl = k->itl,
					    .uploads = k->uploads,
					    .ctl = x->ctl,
					    .itl = x->itl[k->node] });
	return a;
}

static struct crowd_answers ask(const struct walker *k, const struct recover_served *x)
{
	const struct asked q = { .phones = k->h->phones,
				 .node = k->node,
				 .uploads = k->uploads,
				 .lists = { k->ctl, k->itl, list_of(x->ctl),
					    list_of(x->itl[k->node]) } };
	struct recover_memo *m = k->r->memo;
	size_t at;

	if (m == NULL)
		return ask_anew(k, x);
	at = find_slot(m, &q);
	if (m->v[at].used)
		return m->v[at].answers;
	if (m->n >= MEMO_SLOTS / 4 * 3)
		return ask_anew(k, x);
	m->v[at].used = true;
	m->v[at].asked = q;
	m->v[at].answers = ask_anew(k, x);
	m->n++;
	return m->v[at].answers;
}

static void note_answer(struct walker *k, const struct crowd_answer *a)
{
	if (!a->offered || !a->accepted)
		return;
	if (!k->took)
		k->first = a->a;
	k->took = true;
	k->assumptions |= a->a.assumptions;
}

static void offer(struct walker *k, const struct recover_served *x)
{
	bool changed = true;

	for (int i = 0; changed && i < RESETS_MAX; i++) {
		struct crowd_answers a = ask(k, x);

		note_answer(k, &a.ctl);
		note_answer(k, &a.itl);
		changed = a.holds_ctl != k->ctl || a.holds_itl != k->itl;
		k->ctl = a.holds_ctl;
		k->itl = a.holds_itl;
	}
}

/* Whether the phone holds all that it loads of what is served. */
static bool has_all(const struct walker *k, const struct recover_served *x)
{
	const struct tlv_list *itl = x->itl[k->node] != NULL ? x->itl[k->node]->list : NULL;

	return (x->ctl == NULL || x->ctl->list == NULL || k->ctl == x->ctl->list) &&
	       (!crowd_row(k->h->phones)->sbd || itl == NULL || k->itl == itl);
}

/* The key is that of a printed list, whose signature cannot be verified. */
static struct stage_list as_held(const struct tlv_list *l)
{
	return (struct stage_list){ .list = l, .key = l != NULL ? plan_assumed_key(l) : SPAN_NONE };
}

/*
 * The lists of a backup are whatever phones hold; their own signatures count. A node whose ITL
 * nobody holds is taken to serve that of the others.
 */
static void put_backup(struct recover_served *x, const struct recovery *r,
		       const struct recover_way *w, size_t node, struct stage_list lists[2])
{
	size_t at = w->back[node] < RECOVER_HOLDERS_MAX ? w->back[node] : w->holder;

	lists[0] = as_held(r->holders[w->holder].ctl);
	lists[1] = as_held(r->holders[at].itl);
	*x = (struct recover_served){ .ctl = &lists[0] };
	x->itl[node] = &lists[1];
}

/* A list that the phone holds is not offered to it again; what else holds it must believe it. */
static bool backup_is_good(const struct walker *k, const struct recover_served *x)
{
	const struct tlv_list *lists[2] = { x->ctl->list, x->itl[k->node]->list };

	for (int i = 0; i < 2; i++) {
		struct phone p = { .ctl = k->ctl, .itl = k->itl, .no_tvs = true };
		struct span key;

		if (lists[i] == NULL || (lists[i] != k->ctl && lists[i] != k->itl))
			continue;
		key = plan_assumed_key(lists[i]);
		if (!accept_row((key.n > 0 ? accept_foresee(&p, lists[i], key) :
					     accept_decide(&p, lists[i]))
					.reason)
			     ->accepted)
			return false;
	}
	return true;
}

/* later: another way was gone before, so that CUCM has written its lists by now. */
static bool go_through(struct walker *k, const struct recover_way *w, bool later)
{
	size_t nodes = k->r->in.c->nnodes;
	struct recover_served last = served(&k->r->wanted, nodes);
	struct recover_served x = later ? last : served(&k->r->given, nodes);
	struct stage_list back[2];

	if (w->id == RECOVER_WAY_BACKUP) {
		put_backup(&x, k->r, w, k->node, back);
		if (!backup_is_good(k, &x))
			return false;
		offer(k, &x);
		return has_all(k, &x);
	}
	if (w->id == RECOVER_WAY_UPLOAD)
		k->uploads = &k->r->signer;
	if (w->id == RECOVER_WAY_HAND)
		k->ctl = k->itl = NULL;
	put_over(&x, &w->lists, nodes);
	if (w->lists.ctl.list != NULL || recover_row(w->id)->itl != RECOVER_KEPT)
		offer(k, &x);
	offer(k, &last);
	return has_all(k, &last);
}

/* The nodes at which these phones ask: that of their ITL, else every TFTP node. */
static bool asks_at(const struct recovery *r, size_t holder, size_t node)
{
	const struct recover_holder *h = &r->holders[holder];

	if (!crowd_row(h->phones)->sbd)
		return node == r->in.c->publisher;
	return h->node == CLUSTER_NONE ? r->in.c->nodes[node].tftp : h->node == node;
}

static struct walker walker_at(const struct recovery *r, const struct recover_state *s,
			       size_t holder, size_t node)
{
	return (struct walker){ .r = r,
				.h = &r->holders[holder],
				.node = node,
				.ctl = s->ctl[holder][node],
				.itl = s->itl[holder][node] };
}

/* The holder goes the way at each of its nodes; s changes with it, and w notes what was taken. */
static bool all_arrive(const struct recovery *r, struct recover_state *s, size_t holder,
		       struct recover_way *w, bool later)
{
	bool all = true;

	for (size_t i = 0; i < r->in.c->nnodes; i++) {
		struct walker k = walker_at(r, s, holder, i);

		if (!asks_at(r, holder, i))
			continue;
		all &= go_through(&k, w, later);
		s->ctl[holder][i] = k.ctl;
		s->itl[holder][i] = k.itl;
		w->opens[holder] |= k.took;
		if (k.took)
			w->verdict[holder] = k.first;
		w->assumptions[holder] |= k.assumptions;
	}
	return all;
}

static void begin(struct recover_state *s, const struct recovery *r)
{
	for (size_t i = 0; i < r->nholders; i++)
		for (size_t k = 0; k < CLUSTER_NODES_MAX; k++) {
			s->ctl[i][k] = r->holders[i].ctl;
			s->itl[i][k] = r->holders[i].itl;
		}
}

/* The answers at the node where the most is refused. */
void recover_note_today(struct recovery *r)
{
	struct recover_served x = served(&r->given, r->in.c->nnodes);

	r->memo = calloc(1, sizeof *r->memo);
	r->failed |= r->memo == NULL;
	for (size_t i = 0; i < r->nholders; i++) {
		struct recover_holder *h = &r->holders[i];

		h->takes_today = true;
		for (size_t n = 0; n < r->in.c->nnodes; n++) {
			struct walker k = {
				.r = r, .h = h, .node = n, .ctl = h->ctl, .itl = h->itl
			};
			struct crowd_answers a;

			if (!asks_at(r, i, n) || !h->takes_today)
				continue;
			a = ask(&k, &x);
			h->today = a;
			offer(&k, &x);
			h->takes_today = has_all(&k, &x);
		}
	}
}

/* What each way does for phones as they are today. */
static void judge_ways(struct recovery *r, struct recover_state *s)
{
	for (size_t w = 0; w < r->nways; w++) {
		struct recover_way *x = &r->ways[w];

		begin(s, r);
		for (size_t i = 0; i < r->nholders; i++) {
			x->helps[i] = all_arrive(r, s, i, x, false);
			r->holders[i].has_way |= x->helps[i] && x->id != RECOVER_WAY_HAND;
		}
	}
}

/* A plan that is being made: what phones hold by now, and who is through. */
struct attempt {
	struct recover_state *state, *trial; /* room for two */
	bool done[RECOVER_HOLDERS_MAX];
	size_t ways[RECOVER_WAYS_MAX];
	bool freed[RECOVER_WAYS_MAX][RECOVER_HOLDERS_MAX];
	size_t nways, by_hand; /* of holders */
};

/*
 * Tries a way on all phones; returns how many it frees. 0 also if one that is through would
 * be lost by it. after: who is through then; the trial state is what they hold.
 */
static size_t try_way(struct recovery *r, struct attempt *t, size_t way,
		      bool after[RECOVER_HOLDERS_MAX])
{
	struct recover_way w = r->ways[way];
	size_t freed = 0;

	*t->trial = *t->state;
	for (size_t i = 0; i < r->nholders; i++) {
		/* Hands touch those phones only that wait. */
		if (w.id == RECOVER_WAY_HAND && t->done[i]) {
			after[i] = true;
			continue;
		}
		after[i] = all_arrive(r, t->trial, i, &w, t->nways > 0);
		if (t->done[i] && !after[i])
			return 0;
		freed += after[i] && !t->done[i];
	}
	return freed;
}

static void take_way(struct recovery *r, struct attempt *t, size_t way)
{
	bool after[RECOVER_HOLDERS_MAX] = { false };
	bool hand = r->ways[way].id == RECOVER_WAY_HAND;
	struct recover_state *swap = t->state;

	if (try_way(r, t, way, after) == 0)
		return;
	for (size_t i = 0; i < r->nholders; i++) {
		t->freed[t->nways][i] = after[i] && !t->done[i];
		t->by_hand += hand && t->freed[t->nways][i];
		t->done[i] = after[i];
	}
	t->ways[t->nways++] = way;
	t->state = t->trial;
	t->trial = swap;
}

/* Less comes first: what costs less, and of one cost what the vendor documents for this mode. */
static unsigned rank_of(const struct recovery *r, size_t way)
{
	unsigned needs = recover_way_needs(r, &r->ways[way]);

	return 2 * (unsigned)recover_row(r->ways[way].id)->cost + ((needs & N(ITL_COMMAND)) != 0);
}

/* The cheapest kind of way that frees somebody, and of its kind the one that frees most. */
static size_t next_way(struct recovery *r, struct attempt *t)
{
	size_t best = RECOVER_WAYS_MAX, most = 0;

	for (size_t i = 0; i < r->nways; i++) {
		bool after[RECOVER_HOLDERS_MAX] = { false };
		size_t freed;

		/* A backup takes the cluster elsewhere: it comes first, or not at all. */
		if (r->ways[i].id == RECOVER_WAY_BACKUP ||
		    (most > 0 && rank_of(r, i) > rank_of(r, best)))
			continue;
		freed = try_way(r, t, i, after);
		if (freed > most) {
			most = freed;
			best = i;
		}
	}
	return best;
}

/*
 * Before anything is done, phones take those of today's lists that they can. A phone that has all
 * of them needs no help.
 */
static void note_done(struct recovery *r, struct attempt *t)
{
	struct recover_served first = served(&r->given, r->in.c->nnodes);
	struct recover_served last = served(&r->wanted, r->in.c->nnodes);

	for (size_t i = 0; i < r->nholders; i++) {
		t->done[i] = true;
		for (size_t n = 0; n < r->in.c->nnodes; n++) {
			struct walker k = walker_at(r, t->state, i, n);

			if (!asks_at(r, i, n))
				continue;
			offer(&k, &first);
			t->state->ctl[i][n] = k.ctl;
			t->state->itl[i][n] = k.itl;
			t->done[i] &= has_all(&k, &last);
		}
	}
}

static void attempt(struct recovery *r, struct attempt *t)
{
	begin(t->state, r);
	note_done(r, t);
	for (size_t way = next_way(r, t); way < r->nways; way = next_way(r, t))
		take_way(r, t, way);
}

static size_t way_by_hand(const struct recovery *r)
{
	size_t i = 0;

	while (i < r->nways && r->ways[i].id != RECOVER_WAY_HAND)
		i++;
	return i;
}

/* The backup first, and hands for whoever refuses its lists: phones of today among them. */
static void attempt_backup(struct recovery *r, struct attempt *t, size_t backup)
{
	*t = (struct attempt){ .state = t->state, .trial = t->trial };
	begin(t->state, r);
	take_way(r, t, backup);
	for (size_t i = 0; i < r->nholders; i++) {
		t->freed[t->nways][i] = !t->done[i];
		t->by_hand += !t->done[i];
	}
	if (t->by_hand > 0)
		t->ways[t->nways++] = way_by_hand(r);
}

static void keep_attempt(struct recovery *r, const struct attempt *t)
{
	r->nchosen = t->nways;
	for (size_t i = 0; i < t->nways; i++) {
		r->chosen[i] = t->ways[i];
		for (size_t k = 0; k < r->nholders; k++)
			r->freed[i][k] = t->freed[i][k];
	}
}

/* All certificates of today go with it: a backup must spare somebody the hands. */
static void compare_backups(struct recovery *r, struct attempt *t)
{
	size_t fewest = t->by_hand;

	for (size_t i = 0; fewest > 0 && i < r->nways; i++) {
		if (r->ways[i].id != RECOVER_WAY_BACKUP)
			continue;
		attempt_backup(r, t, i);
		if (t->by_hand < fewest) {
			fewest = t->by_hand;
			keep_attempt(r, t);
		}
	}
}

void recover_choose(struct recovery *r)
{
	struct recover_state *states = calloc(2, sizeof *states);
	struct attempt *t = calloc(1, sizeof *t);

	if (states == NULL || t == NULL) {
		r->failed = true;
	} else {
		t->state = &states[0];
		t->trial = &states[1];
		judge_ways(r, t->state);
		attempt(r, t);
		keep_attempt(r, t);
		compare_backups(r, t);
	}
	free(t);
	free(states);
}
