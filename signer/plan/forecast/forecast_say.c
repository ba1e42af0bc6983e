/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "signer/plan/forecast/cluster_say.h"
#include "signer/plan/forecast/forecast.h"
#include "tlv/kind.h"

static void note_named(struct forecast *f, const unsigned *facts, size_t n)
{
	for (size_t i = 0; i < n && f->nnamed < FORECAST_NAMED_MAX; i++)
		f->named[f->nnamed++] = facts[i];
}

static void say_refusal(struct forecast *f, const struct search_stage *x, enum crowd_class p)
{
	const struct search_verdict *v = &x->verdict[p];
	struct buf *b = plan_fact_line(&f->dangers, PLAN_LINE_DANGER, "lock-out", FACT_OWN);
	unsigned facts[CROWD_FACTS_MAX];

	buf_printf(b, "Phase %zu, %s refuse the %s of ", x->phase + 1, crowd_row(p)->text,
		   tlv_kind_text(v->is_itl ? TLV_LIST_ITL : TLV_LIST_CTL));
	forecast_put_node(b, f, v->is_itl ? v->node : f->c->publisher);
	buf_str(b, ": ");
	crowd_why(&v->answer, b);
	note_named(f, facts, crowd_facts(&v->answer, facts));
}

static void say_verdict(struct forecast *f, struct buf *b, const struct search_stage *x,
			enum crowd_class p)
{
	static const unsigned any = FACT_BLANK_TAKES_ANY;
	const struct search_verdict *v = &x->verdict[p];
	unsigned all = v->reasons | (v->by_tvs ? 1U << ACCEPT_TVS : 0U);

	buf_printf(b, "Phase %zu, list %zu, %s: %s: %s", x->phase + 1, x->rule_at + 1,
		   crowd_row(p)->text, v->refused ? "refused" : "accepted",
		   v->answer.offered ? accept_row(crowd_reason(&v->answer))->word :
				       "no list of theirs is written");
	if (v->answer.offered && v->answer.a.reason == ACCEPT_LEAP_OF_FAITH && f->c->blanks) {
		buf_str(b, ", as the ITL that they hold is blank");
		plan_put_sources(b, &any, 1);
		note_named(f, &any, 1);
	}
	for (int i = 0; i < ACCEPT_REASONS && !v->refused; i++)
		if (i != (int)v->answer.a.reason && (all >> i & 1U) != 0)
			buf_printf(b, ", and another list by %s",
				   accept_row((enum accept_reason)i)->word);
	if ((v->assumptions >> TVS_ASSUMES_TFTP & 1U) != 0)
		buf_printf(b, " (assumes that %s)", accept_assumption(TVS_ASSUMES_TFTP)->text);
}

static void say_stage(struct forecast *f, const struct search_stage *x)
{
	for (int p = 0; p < CROWD_CLASSES; p++) {
		if (!x->verdict[p].exists || crowd_row((enum crowd_class)p)->gated)
			continue;
		say_verdict(f, plan_fact_line(&f->why, PLAN_LINE_TEXT, NULL, x->rule->fact), x,
			    (enum crowd_class)p);
		if (x->verdict[p].refused)
			say_refusal(f, x, (enum crowd_class)p);
	}
}

static bool is_gate(const struct search_stage *x)
{
	for (int p = 0; p < CROWD_CLASSES; p++)
		if (x->gate[p])
			return true;
	return false;
}

/* Between two phases, so that the last one has none. */
static void say_gate(struct forecast *f, size_t phase)
{
	bool gate = false;

	for (size_t i = 0; i < f->search.nstages; i++)
		if (f->search.stages[i].phase == phase)
			gate = is_gate(&f->search.stages[i]);
	if (phase + 1 == f->search.nphases)
		return;
	if (gate)
		buf_str(plan_fact_line(&f->gates[phase], PLAN_LINE_WARNING, "must-not-miss",
				       FACT_SIGNER_IS_SAST),
			"Continue only when every phone has registered and shows the checksums that CUCM prints on the phone's own TFTP node. On each TFTP node 'show itl' prints another checksum than before this phase. A phone that lags behind will refuse a later list.");
	else
		buf_str(plan_fact_line(&f->gates[phase], PLAN_LINE_TEXT, "wait", FACT_ONE_TYPE),
			"Wait until all phones have registered. A phone that misses this phase takes the next lists too.");
}

static void say_printed(struct forecast *f)
{
	struct cluster_printed p = { .any = false };

	if (f->c->ctl != NULL)
		cluster_note_printed(&p, f->c->ctl);
	for (size_t i = 0; i < f->c->nitls; i++)
		cluster_note_printed(&p, f->c->itls[i]);
	cluster_say_printed(&f->assumed, &p);
}

/* The lines above name the phones; this is the one that scripts look for. */
static void say_tftp(struct forecast *f)
{
	const struct accept_assumption_row *row = accept_assumption(TVS_ASSUMES_TFTP);
	bool any = false;

	for (size_t i = 0; i < f->search.nstages; i++)
		for (int p = 0; p < CROWD_CLASSES; p++)
			any |= !crowd_row((enum crowd_class)p)->gated &&
			       f->search.stages[i].verdict[p].assumptions != 0;
	if (any)
		buf_printf(plan_fact_line(&f->assumed, PLAN_LINE_ASSUMED, row->word, row->fact),
			   "Some lists are taken by this alone: %s.", row->text);
}

static bool resets_itl(const struct forecast *f)
{
	for (size_t i = 0; i < f->search.nstages; i++)
		if (f->search.stages[i].rule->itl == STAGE_CALLMANAGER ||
		    f->search.stages[i].rule->itl == STAGE_ITLRECOVERY)
			return true;
	return false;
}

/* [ITL_RESET_WHERE] has the publisher's key alone, which phones of other nodes may not hold. */
static void say_reset(struct forecast *f)
{
	if (resets_itl(f) && cluster_tftp_nodes(f->c) > 1)
		plan_put_fact(plan_fact_line(&f->assumed, PLAN_LINE_ASSUMED, "itl-reset-each",
					     FACT_ITL_RESET_EACH),
			      FACT_ITL_RESET_EACH);
}

static void say_assumptions(struct forecast *f)
{
	say_printed(f);
	say_reset(f);
	say_tftp(f);
	/* A wrong release would turn the verdict round, so this stands beside it. */
	cluster_say_doubt(&f->doubts, f->c);
	for (size_t i = 0; i < f->c->nnodes; i++) {
		struct buf *b;

		if (!f->c->nodes[i].tftp || f->c->nodes[i].itl != NULL)
			continue;
		b = plan_fact_line(&f->assumed, PLAN_LINE_ASSUMED, "itl-like-another", FACT_OWN);
		buf_str(b, "The ITL of ");
		forecast_put_node(b, f, i);
		buf_str(b, " was not given: it is taken to be like that of another node.");
	}
	if (f->search.groups->n == 0)
		buf_str(plan_fact_line(&f->assumed, PLAN_LINE_ASSUMED, "groups-unknown",
				       FACT_ASKS_TVS),
			"The CallManager groups are not known: a phone's group may have any one node alone.");
	buf_str(plan_fact_line(&f->assumed, PLAN_LINE_ASSUMED, "up-to-date", FACT_OWN),
		"Each phone holds the present lists, and takes the lists of a phase before the next one begins.");
}

/* Two certificates of one node are easily taken for one. */
static void say_ecdsa(struct forecast *f)
{
	bool callmanager = false, stays = false;

	for (size_t i = 0; i < f->c->ncerts; i++) {
		const struct cluster_cert *x = &f->c->certs[i];

		callmanager |= x->kind == PLAN_KIND_CALLMANAGER && x->asked;
		stays |= x->kind == PLAN_KIND_ECDSA && !x->asked;
	}
	if (callmanager && stays)
		buf_str(plan_fact_line(&f->assumed, PLAN_LINE_ASSUMED, "ecdsa-stays",
				       FACT_ECDSA_APART),
			"Regenerating CallManager leaves CallManager-ECDSA as it is. If that is to be renewed too, add '--renew callmanager-ecdsa'.");
}

static const char restart[] = "utils service restart ";

/* The services that the steps of the phase restart, each once. */
static void say_restarts(struct plan_lines *out, const struct plan_model *m)
{
	for (size_t i = 0; i < m->nsteps; i++)
		for (size_t k = 0; k < m->steps[i].lines.n; k++) {
			struct span text = buf_span(&m->steps[i].lines.v[k].text);
			struct buf name = BUF_INIT;

			if (!span_starts(text, span_str(restart)) ||
			    strcmp(m->steps[i].code, "restart") != 0)
				continue;
			buf_put(&name, span_slice(text, sizeof restart - 1, text.n));
			plan_label(out, &name);
			buf_free(&name);
		}
}

static void say_strays(struct forecast *f)
{
	if (f->search.strays[CROWD_CTL_ONLY])
		buf_str(plan_fact_line(&f->strays, PLAN_LINE_WARNING, "itl-missing",
				       FACT_CTL_HAS_NO_TVS),
			"Check that each phone with Security by Default shows an ITL too: with a CTL alone it refuses a later list.");
	else if (f->search.doubtful[CROWD_CTL_ONLY])
		buf_str(plan_fact_line(&f->strays, PLAN_LINE_WARNING, "itl-missing",
				       FACT_CTL_HAS_NO_TVS),
			"Check that each phone with Security by Default shows an ITL too: no source says that it takes every later list with a CTL alone.");
}

void forecast_say(struct forecast *f)
{
	for (size_t i = 0; i < f->search.nstages; i++)
		say_stage(f, &f->search.stages[i]);
	if (f->remedy.text != NULL)
		buf_str(plan_fact_line(&f->helps, PLAN_LINE_NOTE, NULL, f->remedy.fact),
			f->remedy.text);
	else if (search_refused(&f->search))
		buf_str(plan_fact_line(&f->helps, PLAN_LINE_NOTE, NULL, FACT_OWN),
			"Nothing that the model can prove. Phones that refuse are cleared by hand, one by one.");
	say_strays(f);
	for (size_t i = 0; i < f->search.nphases; i++) {
		say_restarts(&f->restarts[i], f->plans[i].model);
		say_gate(f, i);
	}
	say_assumptions(f);
	say_ecdsa(f);
}
