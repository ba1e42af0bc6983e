/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/cluster_say.h"
#include "signer/plan/recover/recover.h"
#include "tlv/kind.h"
#include "tlv/safe.h"

/* Text and page say the same, so that the sentences are made once. */

static void say_answer(struct plan_lines *l, enum tlv_list_kind kind, const struct crowd_answer *a)
{
	struct buf *b;

	if (!a->offered)
		return;
	b = plan_fact_line(l, PLAN_LINE_TEXT, NULL,
			   a->accepted ? (unsigned)accept_row(a->a.reason)->fact : FACT_OWN);
	buf_printf(b, "today's %s: %s: ", tlv_kind_text(kind),
		   a->accepted ? "accepted" : "refused");
	if (a->accepted) {
		accept_reason_text(&a->a, b);
		return;
	}
	buf_printf(b, "%s: ", accept_row(crowd_reason(a))->word);
	crowd_why(a, b);
}

static void say_today(struct recover_holder *h)
{
	say_answer(&h->does, TLV_LIST_CTL, &h->today.ctl);
	say_answer(&h->does, TLV_LIST_ITL, &h->today.itl);
	if (h->takes_today)
		buf_str(plan_fact_line(&h->does, PLAN_LINE_TEXT, NULL, FACT_OWN),
			"They have, or take, all lists of today.");
}

static void say_keys(struct recovery *r, size_t holder)
{
	struct recover_key keys[RECOVER_KEYS_MAX];
	size_t n = recover_keys(r, holder, keys);

	for (size_t i = 0; i < n; i++) {
		struct buf *b = plan_fact_line(&r->holders[holder].knows, PLAN_LINE_TEXT, NULL,
					       FACT_SIGNER_IS_SAST);

		recover_put_key(b, r, &keys[i].record);
		buf_str(b, ", SAST in the ");
		if (keys[i].in_ctl)
			buf_str(b, tlv_kind_text(TLV_LIST_CTL));
		buf_str(b, keys[i].in_ctl && keys[i].in_itl ? " and the " : "");
		if (keys[i].in_itl)
			buf_str(b, tlv_kind_text(TLV_LIST_ITL));
		buf_printf(b, ": %s", recover_key_text(keys[i].place));
	}
}

static void put_assumptions(struct buf *b, const struct recovery *r, const struct recover_way *w,
			    size_t holder)
{
	if ((recover_way_needs(r, w) & 1U << RECOVER_NEED_ITL_COMMAND) != 0)
		buf_printf(b, "; assumes that %s", recover_need_text(RECOVER_NEED_ITL_COMMAND));
	for (int i = 0; i < TVS_ASSUMPTIONS; i++)
		if ((w->assumptions[holder] >> i & 1U) != 0) {
			buf_str(b, "; assumes that ");
			accept_assumption_text(&w->verdict[holder], (enum tvs_assumption)i, b);
		}
}

static void say_ways(struct recovery *r, size_t holder)
{
	for (size_t i = 0; i < r->nways; i++) {
		const struct recover_way *w = &r->ways[i];
		const struct recover_row *row = recover_row(w->id);
		struct buf *b;

		if (!w->helps[holder])
			continue;
		b = plan_fact_line(&r->holders[holder].helps, PLAN_LINE_TEXT, NULL, row->fact);
		recover_put_way(b, r, w);
		buf_printf(b, ". It takes %s", recover_cost_text(row->cost));
		if (w->opens[holder])
			buf_printf(b, "; the first list is taken: %s",
				   accept_row(w->verdict[holder].reason)->word);
		put_assumptions(b, r, w, holder);
		buf_str(b, ".");
	}
}

/* [ITL_RESET_WHERE] has the publisher's key alone, which phones of other nodes may not hold. */
static void say_reset(struct recovery *r)
{
	bool resets = false;

	for (size_t i = 0; i < r->nchosen; i++) {
		enum recover_signer itl = recover_row(r->ways[r->chosen[i]].id)->itl;

		resets |= itl == RECOVER_CALLMANAGER || itl == RECOVER_ITLRECOVERY;
	}
	if (resets && cluster_tftp_nodes(r->in.c) > 1)
		plan_put_fact(plan_fact_line(&r->assumed, PLAN_LINE_ASSUMED, "itl-reset-each",
					     FACT_ITL_RESET_EACH),
			      FACT_ITL_RESET_EACH);
}

static void say_missing(struct recovery *r)
{
	for (int i = 0; i < RECOVER_NEEDS; i++)
		if ((r->in.missing >> i & 1U) != 0)
			buf_printf(
				plan_fact_line(&r->assumed, PLAN_LINE_ASSUMED, "without", FACT_OWN),
				"Not counted on, as '--without' says: %s.",
				recover_need_text((enum recover_need)i));
}

/* What phones hold, and what they are served. */
static void say_printed(struct recovery *r)
{
	const struct cluster *c = r->in.c;
	struct cluster_printed p = { .any = false };

	if (c->ctl != NULL)
		cluster_note_printed(&p, c->ctl);
	for (size_t i = 0; i < c->nitls; i++)
		cluster_note_printed(&p, c->itls[i]);
	for (size_t i = 0; i < r->in.nheld; i++)
		cluster_note_printed(&p, r->in.held[i].list);
	cluster_say_printed(&r->assumed, &p);
	if (p.any)
		buf_str(plan_fact_line(&r->assumed, PLAN_LINE_ASSUMED, "printed-time", FACT_OWN),
			"The time of signing is not printed either: that of the file stands for it, as the node's own clock shows it.");
}

static void say_assumed(struct recovery *r)
{
	say_missing(r);
	say_printed(r);
	say_reset(r);
	cluster_say_doubt(&r->assumed, r->in.c);
	for (size_t i = 0; i < r->in.c->nnodes; i++) {
		struct buf *b;

		if (!r->in.c->nodes[i].tftp || r->in.c->nodes[i].itl != NULL)
			continue;
		b = plan_fact_line(&r->assumed, PLAN_LINE_ASSUMED, "itl-like-another", FACT_OWN);
		buf_str(b, "The ITL of ");
		safe_text(b, r->in.c->nodes[i].name);
		buf_str(b, " was not given: it is taken to be like that of another node.");
	}
	if (r->in.groups->n == 0)
		buf_str(plan_fact_line(&r->assumed, PLAN_LINE_ASSUMED, "groups-unknown",
				       FACT_ASKS_TVS),
			"The CallManager groups are not known: a phone's group may have any one node alone.");
	buf_str(plan_fact_line(&r->assumed, PLAN_LINE_ASSUMED, "phones-hold-these", FACT_OWN),
		"Phones hold no other lists than those in the folder.");
}

void recover_say(struct recovery *r)
{
	for (size_t i = 0; i < r->nholders; i++) {
		struct recover_holder *h = &r->holders[i];

		say_today(h);
		if (!h->takes_today) {
			say_keys(r, i);
			say_ways(r, i);
		}
		r->failed |= plan_lines_failed(&h->does) || plan_lines_failed(&h->knows) ||
			     plan_lines_failed(&h->helps);
	}
	say_assumed(r);
	r->failed |= plan_lines_failed(&r->assumed);
}

size_t recover_sources(const struct recovery *r, struct span tags[PLAN_SOURCES_MAX])
{
	unsigned facts[CROWD_FACTS_MAX];
	size_t found = 0;

	for (size_t i = 0; i < r->nholders; i++) {
		const struct recover_holder *h = &r->holders[i];
		const struct crowd_answer *a[] = { &h->today.ctl, &h->today.itl };

		for (size_t k = 0; k < COUNT(a); k++)
			if (a[k]->offered && !a[k]->accepted)
				found = plan_add_sources(facts, crowd_facts(a[k], facts), tags,
							 found);
		found = plan_add_lines_sources(&h->does, tags, found);
		found = plan_add_lines_sources(&h->knows, tags, found);
		found = plan_add_lines_sources(&h->helps, tags, found);
	}
	for (size_t i = 0; i < r->nsteps; i++)
		found = plan_add_step_sources(&r->steps[i], tags, found);
	return plan_add_lines_sources(&r->assumed, tags, found);
}
