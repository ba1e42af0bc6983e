/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/plan/plan_model.h"

/*
 * The tables of plan_steps.def are read here, and nothing of a step is written
 * here: which procedures apply follows from the changes, which of their rows
 * count from plan_state().
 */
#define W(name) (UINT64_C(1) << PLAN_WHEN_##name)

enum step_id {
#define PLAN_ID(NAME, code, part, stage) STEP_##NAME,
#include "signer/plan/plan_steps.def"
#undef PLAN_ID
	STEP_IDS
};

enum step_stage { STAGE_ALL, STAGE_PRIOR, STAGE_FIRST, STAGE_LAST };

static const struct {
	const char *code;
	enum plan_part part;
	enum step_stage stage;
} ids[] = {
#define PLAN_ID(NAME, code, part, stage) { code, PLAN_PART_##part, STAGE_##stage },
#include "signer/plan/plan_steps.def"
#undef PLAN_ID
};

struct step_row {
	enum plan_procedure procedure;
	enum step_id id;
	uint64_t when;
	const char *title;
	unsigned fact;
};

static const struct step_row rows[] = {
#define PLAN_STEP(procedure, ID, when, title, fact) \
	{ PLAN_PROCEDURE_##procedure, STEP_##ID, when, title, FACT_##fact },
#include "signer/plan/plan_steps.def"
#undef PLAN_STEP
};

enum service {
#define PLAN_SERVICE(NAME, text) SERVICE_##NAME,
#include "signer/plan/plan_steps.def"
#undef PLAN_SERVICE
};

static const char *const services[] = {
#define PLAN_SERVICE(NAME, text) text,
#include "signer/plan/plan_steps.def"
#undef PLAN_SERVICE
};

enum line_from { FROM_TEXT, FROM_FACT, FROM_FILL, FROM_SERVICE };

static const struct {
	enum step_id id;
	uint64_t when;
	enum line_from from;
	enum plan_line_kind kind;
	const char *text;
	unsigned fact, number; /* number: of a fill or a service */
} lines[] = {
#define PLAN_SAY(ID, when, kind, text, fact) \
	{ STEP_##ID, when, FROM_TEXT, PLAN_LINE_##kind, text, FACT_##fact, 0 },
#define PLAN_FACT(ID, when, kind, fact) \
	{ STEP_##ID, when, FROM_FACT, PLAN_LINE_##kind, NULL, FACT_##fact, 0 },
#define PLAN_PUT(ID, when, fill) \
	{ STEP_##ID, when, FROM_FILL, PLAN_LINE_TEXT, NULL, FACT_OWN, PLAN_FILL_##fill },
#define PLAN_RESTARTS(ID, service) \
	{ STEP_##ID, 0, FROM_SERVICE, PLAN_LINE_COMMAND, NULL, FACT_OWN, SERVICE_##service },
#include "signer/plan/plan_steps.def"
#undef PLAN_SAY
#undef PLAN_FACT
#undef PLAN_PUT
#undef PLAN_RESTARTS
};

/* A step that procedures agree upon: its title is the first one's, its reasons are all. */
struct chosen {
	enum step_id id;
	const char *title;
	unsigned facts[PLAN_FACTS_MAX];
	size_t nfacts;
};

struct order {
	struct chosen v[STEP_IDS];
	size_t n;
};

static void add_fact(struct chosen *c, unsigned fact)
{
	for (size_t i = 0; i < c->nfacts; i++)
		if (c->facts[i] == fact)
			return;
	if (c->nfacts < PLAN_FACTS_MAX)
		c->facts[c->nfacts++] = fact;
}

static size_t find_step(const struct order *o, enum step_id id)
{
	size_t i = 0;

	while (i < o->n && o->v[i].id != id)
		i++;
	return i;
}

/* Where the row's step goes if it is not there yet: behind those of its procedure before it. */
static void insert_step(struct order *o, size_t at, const struct step_row *r)
{
	for (size_t i = o->n; i > at; i--)
		o->v[i] = o->v[i - 1];
	o->v[at] = (struct chosen){ .id = r->id, .title = r->title };
	o->n++;
}

/*
 * Whether a later row of this procedure is there already, so that this one
 * must come in front of it; returns its place, else the end.
 */
static size_t place_before(const struct order *o, const struct step_row *r)
{
	for (size_t i = (size_t)(r - rows) + 1; i < COUNT(rows); i++) {
		size_t at = find_step(o, rows[i].id);

		if (rows[i].procedure == r->procedure && at < o->n)
			return at;
	}
	return o->n;
}

/* The vendor's order stays within each procedure; what comes first has the say. */
static void merge_procedure(struct order *o, enum plan_procedure p, uint64_t state)
{
	bool taken[STEP_IDS] = { false };

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct step_row *r = &rows[i];
		size_t at;

		if (r->procedure != p || (r->when & ~state) != 0 || taken[r->id])
			continue;
		taken[r->id] = true;
		at = find_step(o, r->id);
		if (at == o->n) {
			at = place_before(o, r);
			insert_step(o, at, r);
		}
		add_fact(&o->v[at], r->fact);
	}
}

static enum plan_procedure resolve(const struct plan_model *m, enum plan_procedure p)
{
	if (p != PLAN_PROCEDURE_ITLRECOVERY)
		return p;
	if (!plan_is_two_phase(m))
		return PLAN_PROCEDURE_ITLRECOVERY_SPARE;
	return m->itl ? PLAN_PROCEDURE_ITLRECOVERY_IN_ITL : PLAN_PROCEDURE_ITLRECOVERY_IN_CTL;
}

static void choose_steps(struct order *o, const struct plan_model *m, uint64_t state)
{
	size_t n;
	const struct plan_rule *r = plan_rules(&n);

	o->n = 0;
	merge_procedure(o, PLAN_PROCEDURE_EVERY, state);
	if (m->in.parameter == PLAN_PARAMETER_SET)
		merge_procedure(o, PLAN_PROCEDURE_BLANK, state);
	if (m->in.parameter == PLAN_PARAMETER_UNSET)
		merge_procedure(o, PLAN_PROCEDURE_RESTORE, state);
	/* What a blank list lacks was neither renewed nor removed. */
	for (size_t i = 0; m->in.parameter == PLAN_PARAMETER_KEPT && i < n; i++)
		if (m->counts[r[i].kind][r[i].event] > 0)
			merge_procedure(o, resolve(m, r[i].procedure), state);
}

static struct plan_step *add_step(struct plan_model *m)
{
	struct plan_step *x = &m->spill;

	/* The spill serves every step that finds no room: each begins with an empty one. */
	if (!ARRAY_ROOM(m->steps, m->nsteps, m->steps_cap)) {
		m->failed = true;
		buf_free(&x->title);
		plan_lines_free(&x->lines);
	} else {
		x = &m->steps[m->nsteps++];
	}
	*x = (struct plan_step){ .code = NULL };
	return x;
}

static void put_text(struct buf *b, const struct plan_model *m, const struct plan_stage *s,
		     const char *text)
{
	const struct plan_word words[] = {
		{ "old", buf_span(&m->facts[PLAN_OLD].name) },
		{ "new", buf_span(&m->facts[PLAN_NEW].name) },
		{ "offered", buf_span(&m->facts[s->offers].name) },
		{ "back", buf_span(&m->facts[PLAN_WAY_BACK].name) },
	};

	plan_expand(b, text, words, COUNT(words));
}

static void put_line(struct plan_model *m, const struct plan_stage *s, struct plan_step *x,
		     size_t i)
{
	enum plan_line_kind kind = lines[i].kind;
	struct buf *b;

	if (lines[i].from == FROM_FILL) {
		plan_fill(m, s, (enum plan_fill)lines[i].number, &x->lines);
		return;
	}
	b = plan_fact_line(&x->lines, kind, NULL, lines[i].fact);
	if (lines[i].from == FROM_SERVICE)
		buf_printf(b, "utils service restart %s", services[lines[i].number]);
	else if (lines[i].from == FROM_FACT)
		plan_put_fact(b, lines[i].fact);
	else
		put_text(b, m, s, lines[i].text);
}

static void put_step(struct plan_model *m, const struct plan_stage *s, const struct chosen *c,
		     enum plan_part part)
{
	struct plan_step *x = add_step(m);
	bool whole = ids[c->id].stage == STAGE_ALL || ids[c->id].stage == STAGE_PRIOR;

	x->code = ids[c->id].code;
	x->part = part;
	x->stage = whole ? NULL : s->word;
	for (size_t i = 0; i < c->nfacts; i++) {
		x->facts[x->nfacts++] = c->facts[i];
		x->open |= fact_row((enum fact_id)c->facts[i]).open;
	}
	if (!whole && part == PLAN_PART_STEPS)
		buf_str(&x->title, s->prefix);
	put_text(&x->title, m, s, c->title);
	m->resets += strcmp(x->code, "reset") == 0;
	for (size_t i = 0; i < COUNT(lines); i++)
		if (lines[i].id == c->id && (lines[i].when & ~s->state) == 0)
			put_line(m, s, x, i);
}

/* Puts the chosen steps of one part and of these stages. */
static void put_part(struct plan_model *m, const struct plan_stage *s, enum plan_part part,
		     unsigned stages)
{
	struct order o;

	choose_steps(&o, m, s->state);
	for (size_t i = 0; i < o.n; i++)
		if (ids[o.v[i].id].part == part && (stages & 1U << ids[o.v[i].id].stage) != 0)
			put_step(m, s, &o.v[i], s->more ? PLAN_PART_STEPS : part);
}

#define ONLY(stage) (1U << STAGE_##stage)

static void put_steps(struct plan_model *m, const struct plan_stage *last)
{
	struct plan_stage first = { .word = "phase-1",
				    .prefix = m->in.foreseen ? "First list: " : "Phase 1 of 2: ",
				    .holds = PLAN_OLD,
				    .offers = PLAN_NEW };
	struct plan_stage bridge = { .word = "bridge",
				     .prefix = "Bridge: ",
				     .holds = PLAN_OLD,
				     .offers = PLAN_BRIDGE,
				     .more = true };

	put_part(m, last, PLAN_PART_STEPS, ONLY(PRIOR));
	if (m->facts[PLAN_BRIDGE].list != NULL) {
		bridge.state = plan_state(m, &bridge);
		put_part(m, &bridge, PLAN_PART_STEPS, ONLY(LAST));
		put_part(m, &bridge, PLAN_PART_CHECKS, ONLY(LAST));
	}
	first.state = plan_state(m, &first);
	put_part(m, &first, PLAN_PART_STEPS, ONLY(FIRST));
	put_part(m, last, PLAN_PART_STEPS, ONLY(LAST) | ONLY(ALL));
}

void plan_note_steps(struct plan_model *m)
{
	const bool two = plan_is_two_phase(m), bridged = m->facts[PLAN_BRIDGE].list != NULL;
	struct plan_stage last = { .word = two	   ? "phase-2" :
					   bridged ? "final" :
						     "new",
				   .prefix = two && m->in.foreseen ? "Second list: " :
					     two		   ? "Phase 2 of 2: " :
					     bridged		   ? "Final list: " :
								     "",
				   .holds = bridged ? PLAN_BRIDGE : PLAN_OLD,
				   .offers = PLAN_NEW };
	const unsigned all = ONLY(ALL) | ONLY(LAST);

	if (m->diff.same)
		return;
	last.state = plan_state(m, &last);
	put_part(m, &last, PLAN_PART_BEFORE, all);
	put_steps(m, &last);
	put_part(m, &last, PLAN_PART_CHECKS, all);
	put_part(m, &last, PLAN_PART_ROLLBACK, all);
}
