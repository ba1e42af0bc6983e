/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/remedy.h"

#include <stdlib.h>

#include "signer/plan/forecast/cluster_ask.h"
#include "signer/plan/forecast/placeholder.h"

#define W(name) (1U << STAGE_WHEN_##name)

/* A copy of the cluster, to be changed; certificates and lists are the original's. */
struct trial {
	const struct search *refused;
	struct cluster cluster;
	struct search search;
	struct release release;
	struct stage_list bridge;
	struct buf token;
	struct tlv_cert token_parts;
};

/* Whether the changed cluster has an order. One that the model cannot go through has none. */
static enum status run(struct trial *t, bool *works, struct tlv_err *e)
{
	struct tlv_err unfit = TLV_ERR_INIT;
	enum status st = search_run(&t->search, &t->cluster, t->refused->groups, &unfit);

	*works = st == ST_OK && !search_refused(&t->search);
	return st == ST_NOMEM ? err_nomem(e) : ST_OK;
}

static enum status try_reset(struct trial *t, bool *works, struct tlv_err *e)
{
	/* [117598]: the command came with 10.0(1), as the CTL without tokens did. */
	if (!t->cluster.release->tokenless)
		return ST_OK;
	t->cluster.resets = true;
	return run(t, works, e);
}

static enum status try_blank(struct trial *t, bool *works, struct tlv_err *e)
{
	struct tlv_err unfit = TLV_ERR_INIT;

	if (t->cluster.blanks || cluster_blank(&t->cluster, &unfit) != ST_OK)
		return ST_OK;
	return run(t, works, e);
}

static enum status try_upgrade(struct trial *t, bool *works, struct tlv_err *e)
{
	struct tlv_err unfit = TLV_ERR_INIT;

	if (release_parse("12.0", &t->release, &unfit) != ST_OK)
		return ST_OK;
	t->cluster.release = &t->release;
	return run(t, works, e);
}

/* Whether all phones take a CTL in the place of the one that they hold. */
static bool all_take(const struct trial *t, const struct stage_list *ctl)
{
	const struct cluster_state today = { .blank = false };
	const struct crowd_question q = { .c = t->refused->c,
					  .groups = t->refused->groups,
					  .tvs = &today,
					  .holds_ctl = t->refused->given->ctl.list,
					  .ctl = ctl };

	for (int p = 0; p < CROWD_CLASSES; p++) {
		struct crowd_answers a;

		if (!crowd_exists(q.c, (enum crowd_class)p))
			continue;
		crowd_ask(&a, (enum crowd_class)p, &q);
		if (a.ctl.offered && !a.ctl.accepted)
			return false;
	}
	return true;
}

/*
 * The bridge: today's CTL with the token as SAST, signed as always. Then the token signs, if this
 * release takes tokens: [PROVIDER_GONE].
 */
static enum status try_token(struct trial *t, bool *works, struct tlv_err *e)
{
	struct cluster *c = &t->cluster;
	struct tlv_err unfit = TLV_ERR_INIT;
	size_t like = c->nodes[c->publisher].callmanager;

	if (like >= c->ncerts)
		return ST_OK;
	if (placeholder_beside(c->certs[like].known, &t->token, &unfit) != ST_OK ||
	    tlv_cert_walk(buf_span(&t->token), &t->token_parts, &unfit) != ST_OK ||
	    stage_write_bridge(&t->bridge, c, &t->token_parts, &unfit) != ST_OK)
		return unfit.status == ST_NOMEM ? err_nomem(e) : ST_OK;
	if (!all_take(t, &t->bridge))
		return ST_OK;
	c->ctl = t->bridge.list;
	c->tokens = true;
	c->token = &t->token_parts;
	return run(t, works, e);
}

enum attempt {
#define FORECAST_REMEDY(TRIAL, when, text, fact) ATTEMPT_##TRIAL,
#include "signer/plan/forecast/forecast_remedies.def"
#undef FORECAST_REMEDY
};

static enum status attempt(struct trial *t, enum attempt which, bool *works, struct tlv_err *e)
{
	switch (which) {
	case ATTEMPT_RESET:
		return try_reset(t, works, e);
	case ATTEMPT_BLANK:
		return try_blank(t, works, e);
	case ATTEMPT_TOKEN:
		return try_token(t, works, e);
	case ATTEMPT_UPGRADE:
		return try_upgrade(t, works, e);
	}
	return ST_OK;
}

static enum status prove(enum attempt which, const struct search *refused, bool *works,
			 struct tlv_err *e)
{
	struct trial *t = calloc(1, sizeof *t); /* a cluster is large */
	enum status st;

	*works = false;
	if (t == NULL)
		return err_nomem(e);
	t->refused = refused;
	t->cluster = *refused->c;
	st = attempt(t, which, works, e);
	search_free(&t->search);
	stage_list_free(&t->bridge);
	buf_free(&t->token);
	free(t);
	return st;
}

enum status remedy_find(struct remedy *out, const struct search *refused, struct tlv_err *e)
{
	static const struct {
		enum attempt which;
		unsigned when;
		struct remedy remedy;
	} rows[] = {
#define FORECAST_REMEDY(TRIAL, when, text, fact) { ATTEMPT_##TRIAL, when, { text, FACT_##fact } },
#include "signer/plan/forecast/forecast_remedies.def"
#undef FORECAST_REMEDY
	};
	unsigned conditions = stage_conditions(refused->c);
	enum status st = ST_OK;
	bool works = false;

	*out = (struct remedy){ .text = NULL };
	for (size_t i = 0; st == ST_OK && !works && i < COUNT(rows); i++) {
		if ((rows[i].when & ~conditions) != 0)
			continue;
		st = prove(rows[i].which, refused, &works, e);
		if (works)
			*out = rows[i].remedy;
	}
	return st;
}
