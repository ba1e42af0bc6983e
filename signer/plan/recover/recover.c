/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/recover/recover.h"

#include <stdlib.h>

#include "signer/trust/signature.h"

#define W(name) (1U << RECOVER_WHEN_##name)

/* Whether the list of today is what CUCM would write: the same records and signer. */
static bool is_as_written(const struct tlv_list *given, const struct tlv_list *written)
{
	bool same = given->nrecords == written->nrecords &&
		    tlv_list_signer(given) == tlv_list_signer(written);

	for (size_t i = 0; same && i < given->nrecords; i++)
		same = span_eq(tlv_list_record(given, i).raw, tlv_list_record(written, i).raw);
	return same;
}

/* What is wanted is the list of today, if it is that already and its signature is good. */
static bool keep(struct stage_list *wanted, const struct stage_list *given)
{
	long signer;

	if (wanted->list == NULL || given->list == NULL ||
	    !is_as_written(given->list, wanted->list) ||
	    (given->bytes.n == 0 && plan_assumed_key(given->list).n == 0 &&
	     !signature_is_own(given->list, &signer)))
		return false;
	stage_list_free(wanted);
	wanted->list = given->list;
	wanted->key = given->key;
	wanted->signer = given->signer;
	return true;
}

/* [PROVIDER_GONE]: nobody writes the CTL of today anew, so it stays. */
static bool tokens_are_gone(const struct cluster *c)
{
	return c->tokens && !c->release->tokens;
}

/* Dated behind what comes in between. */
static enum status note_wanted(struct recovery *r, struct tlv_err *e)
{
	const struct cluster *c = r->in.c;
	enum status st = ST_OK;

	if (c->ctl != NULL && c->mixed && !tokens_are_gone(c)) {
		st = stage_write_ctl(&r->wanted.ctl, c, r->in.now, STAGE_ORDINARY, 2, e);
		r->writes_ctl = st == ST_OK && !keep(&r->wanted.ctl, &r->given.ctl);
	} else {
		r->wanted.ctl.list = r->given.ctl.list;
	}
	for (size_t i = 0; st == ST_OK && i < c->nnodes; i++) {
		if (!c->nodes[i].tftp)
			continue;
		st = stage_write_itl(&r->wanted.itl[i], c, r->in.now, i, STAGE_ORDINARY, 2, e);
		if (st == ST_OK && !keep(&r->wanted.itl[i], &r->given.itl[i]))
			r->writes_itl = true;
	}
	return st;
}

static unsigned conditions(const struct cluster *c)
{
	unsigned w = c->release->signer == RELEASE_ITLRECOVERY ? W(RECOVERY_SIGNS) :
								 W(CALLMANAGER_SIGNS);

	w |= c->release->tokenless ? W(HAS_RESET) : 0;
	w |= release_has_one_itlrecovery(c->release) ? 0 : W(EACH_ITLRECOVERY);
	w |= c->release->ctl_client ? 0 : W(CLIENT_GONE);
	w |= c->release->tokens ? W(TOKENS_TAKEN) : W(TOKENS_GONE);
	if (!c->mixed)
		return w;
	return w | W(MIXED) | (c->tokens ? W(TOKENS) : W(TOKENLESS));
}

/*
 * Phones refuse, so nobody says that the signatures of today are good: they are verified, but for
 * those of printed lists.
 */
static void distrust(struct stage_list *given)
{
	if (given->bytes.n == 0 && given->list != NULL)
		given->key = plan_assumed_key(given->list);
}

static enum status note_given(struct recovery *r, struct tlv_err *e)
{
	bool tftp[CLUSTER_NODES_MAX] = { false }, any = false;
	enum status st;

	for (size_t i = 0; i < r->in.c->nnodes; i++)
		any |= tftp[i] = r->in.c->nodes[i].tftp;
	if (!any)
		return err_set(
			e, ST_USAGE,
			"the lists show no TFTP node: give the lists that the cluster serves today");
	st = stage_given(&r->given, r->in.c, tftp, e);
	distrust(&r->given.ctl);
	for (size_t i = 0; i < r->in.c->nnodes; i++)
		distrust(&r->given.itl[i]);
	return st;
}

enum status recover_make(struct recovery *r, const struct recover_input *in, struct tlv_err *e)
{
	enum status st;

	*r = (struct recovery){ .in = *in, .when = conditions(in->c) };
	st = note_given(r, e);
	if (st == ST_OK)
		st = note_wanted(r, e);
	if (st == ST_OK)
		st = recover_note_holders(r, e);
	if (st == ST_OK)
		recover_note_today(r);
	if (st == ST_OK)
		st = recover_note_ways(r, e);
	if (st == ST_OK)
		recover_choose(r);
	if (st == ST_OK)
		recover_note_steps(r);
	if (st == ST_OK)
		recover_say(r);
	return st == ST_OK && r->failed ? err_nomem(e) : st;
}

void recover_free(struct recovery *r)
{
	for (size_t i = 0; r->ways != NULL && i < r->nways; i++)
		stage_served_free(&r->ways[i].lists);
	free(r->ways);
	free(r->memo);
	for (size_t i = 0; i < r->nsteps; i++) {
		buf_free(&r->steps[i].title);
		plan_lines_free(&r->steps[i].lines);
	}
	free(r->steps);
	for (size_t i = 0; i < r->nholders; i++) {
		plan_lines_free(&r->holders[i].does);
		plan_lines_free(&r->holders[i].knows);
		plan_lines_free(&r->holders[i].helps);
	}
	plan_lines_free(&r->assumed);
	certset_free(&r->signer);
	stage_served_free(&r->given);
	stage_served_free(&r->wanted);
}
