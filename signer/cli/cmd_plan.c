/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "signer/cli/cluster_lists.h"
#include "signer/cli/common.h"
#include "signer/cli/confine.h"
#include "signer/cli/network.h"
#include "signer/cli/deliver.h"
#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/cli/plan_outlet.h"
#include "signer/cli/plan_recovery.h"
#include "signer/plan/forecast/cluster_ask.h"
#include "signer/plan/forecast/cluster_read.h"
#include "signer/plan/forecast/forecast.h"
#include "signer/plan/plan.h"
#include "signer/publish/publish.h"
#include "signer/cli/verb.h"

struct request {
	const struct opts *o;
	struct list_file old_list, new_list, tvs_ctl;
	struct certset vouched;
	struct heard heard;
	struct release release;
	struct lockout lockout; /* what --accept-lockout allows */
	struct plan_input in;
	struct plan plan;
};

/* The folder that the steps name; of several it is not known which one has the file. */
static const char *only_folder(const struct opts *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++)
		n += o->items[i].row->id == OPT_SAST_TRUST;
	return n == 1 ? opt_value(o, OPT_SAST_TRUST) : NULL;
}

/* --tvs: says what TVS knows today, so nothing else says it. */
static enum status begin_to_ask(struct request *q, struct tlv_err *e)
{
	static const enum opt_id others[] = { OPT_SAST_TRUST, OPT_TVS_CTL };

	return network_tvs(q->o, &q->heard, others, COUNT(others), e);
}

static enum status prepare(struct request *q, struct tlv_err *e)
{
	enum status st = list_file_read(&q->old_list, q->o->args[0], LIST_PRINTED, e);

	if (st == ST_OK)
		st = list_file_read(&q->new_list, q->o->args[1], LIST_PRINTED, e);
	if (st == ST_OK)
		st = heard_about(&q->heard, &q->new_list, e);
	if (st == ST_OK)
		st = common_alike((struct list_file *const[]){ &q->old_list, &q->new_list }, 2, e);
	if (st == ST_OK)
		st = common_tvs_options(q->o, &q->in.tvs, &q->vouched, &q->tvs_ctl, e);
	lockout_options(&q->lockout, q->o);
	if (st == ST_OK)
		st = release_choose(opt_value(q->o, OPT_RELEASE), &q->old_list.list, &q->release,
				    e);
	q->in.old_list = &q->old_list.list;
	q->in.new_list = &q->new_list.list;
	q->in.old_name = q->old_list.name;
	q->in.new_name = q->new_list.name;
	q->in.release = &q->release;
	q->in.uploads = only_folder(q->o);
	q->in.now = env_now();
	return st;
}

/* TVS is asked only if some verdict hangs on what it says: then the plan is made again. */
static enum status make(struct request *q, struct tlv_err *e)
{
	enum status st = plan_make(&q->plan, &q->in, e);

	if (st != ST_OK || q->heard.n == 0)
		return st;
	if (!plan_hangs_on_tvs(&q->plan)) {
		q->in.not_asked = &q->heard;
	} else {
		st = heard_ask(&q->heard, e);
		heard_let(&q->heard, &q->in.tvs);
	}
	plan_free(&q->plan);
	return st == ST_OK ? plan_make(&q->plan, &q->in, e) : st;
}

/* The first class that refuses and is not named by --accept-lockout; LOCKOUT_CLASSES: none. */
static enum lockout_class locked_out(const struct request *q)
{
	for (int c = 0; c < LOCKOUT_CLASSES; c++)
		if (plan_refuses(&q->plan, (enum lockout_class)c) && !q->lockout.allowed[c])
			return (enum lockout_class)c;
	return LOCKOUT_CLASSES;
}

static void make_text(const void *request, struct buf *out)
{
	plan_text(&((const struct request *)request)->plan, out);
}

static json_t *make_json(const void *request)
{
	return plan_json(&((const struct request *)request)->plan);
}

static enum status make_page(const void *request, struct buf *out, struct tlv_err *e)
{
	return plan_html(&((const struct request *)request)->plan, out, e);
}

/* Plan and page are the answer whatever they say: a refused one is headed REFUSED. */
static enum status answer(const struct request *q, struct tlv_err *e)
{
	const struct plan_outlet x = {
		.o = q->o, .plan = q, .text = make_text, .json = make_json, .page = make_page
	};
	enum status st = plan_outlet_put(&x, e);

	return st == ST_OK && locked_out(q) != LOCKOUT_CLASSES ? ST_NO : st;
}

/* What is to be renewed in a cluster whose lists are there. */
struct renewal {
	const struct opts *o;
	struct cluster_lists lists;
	struct release release;
	struct cluster cluster;
	struct crowd_groups groups;
	struct forecast forecast;
	struct lockout lockout; /* what --accept-lockout allows */
};

static enum status read_wishes(struct renewal *r, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < r->o->n; i++) {
		const struct opt_item *x = &r->o->items[i];

		if (x->row->id == OPT_RENEW)
			st = cluster_ask(&r->cluster, x->value, e);
		else if (x->row->id == OPT_GROUP)
			st = crowd_group(&r->groups, &r->cluster, x->value, e);
	}
	return st;
}

static enum status prepare_renewal(struct renewal *r, struct tlv_err *e)
{
	/* What TVS knows and what phones hold is a part of the model. */
	static const enum opt_id others[] = { OPT_SAST_TRUST, OPT_TVS_CTL, OPT_INSTALLED_DIR,
					      OPT_ASK_TVS, OPT_WITHOUT };
	enum status st = opt_refuse(r->o, others, COUNT(others), "--renew", e);

	lockout_options(&r->lockout, r->o);
	if (st == ST_OK)
		st = cluster_lists_read(&r->lists, r->o, LIST_PRINTED, &r->release, e);
	if (st == ST_OK)
		st = cluster_read(&r->cluster, r->lists.v, r->lists.n, &r->release, e);
	if (st == ST_OK)
		st = read_wishes(r, e);
	if (st == ST_OK && opt_given(r->o, OPT_BLANK_ITL))
		st = cluster_blank(&r->cluster, e);
	return st;
}

static bool is_allowed(const struct renewal *r, enum crowd_class p)
{
	return r->lockout.allowed[crowd_row(p)->sbd ? LOCKOUT_SBD : LOCKOUT_NO_SBD];
}

static void make_forecast_text(const void *renewal, struct buf *out)
{
	forecast_text(&((const struct renewal *)renewal)->forecast, out);
}

static json_t *make_forecast_json(const void *renewal)
{
	return forecast_json(&((const struct renewal *)renewal)->forecast);
}

static enum status make_forecast_page(const void *renewal, struct buf *out, struct tlv_err *e)
{
	return forecast_html(&((const struct renewal *)renewal)->forecast, out, e);
}

/* A class that is locked out in every order, unless --accept-lockout names it, is ST_NO. */
static enum status answer_forecast(const struct renewal *r, struct tlv_err *e)
{
	const struct plan_outlet x = { .o = r->o,
				       .plan = r,
				       .text = make_forecast_text,
				       .json = make_forecast_json,
				       .page = make_forecast_page };
	enum status st = plan_outlet_put(&x, e);

	for (int p = 0; st == ST_OK && p < CROWD_CLASSES; p++)
		if (forecast_refuses(&r->forecast, (enum crowd_class)p) &&
		    !is_allowed(r, (enum crowd_class)p))
			st = ST_NO;
	return st;
}

static void renewal_free(struct renewal *r)
{
	forecast_free(&r->forecast);
	cluster_free(&r->cluster);
	cluster_lists_free(&r->lists);
	free(r);
}

static enum status plan_renewal(const struct opts *o, struct tlv_err *e)
{
	struct renewal *r = calloc(1, sizeof *r); /* a cluster is large */
	enum status st;

	if (r == NULL)
		return err_nomem(e);
	r->o = o;
	confine_to_file(opt_value(o, OPT_HTML), opt_given(o, OPT_FOLLOW));
	st = prepare_renewal(r, e);
	if (st == ST_OK)
		st = forecast_make(&r->forecast, &r->cluster, &r->groups, env_now(), e);
	if (st == ST_OK)
		st = answer_forecast(r, e);
	renewal_free(r);
	return st;
}

static enum status check_arguments(const struct opts *o, struct tlv_err *e)
{
	static const struct {
		enum opt_id id;
		const char *name, *with;
	} only[] = { { OPT_GROUP, "group", "'--renew' or '--recover'" },
		     { OPT_BLANK_ITL, "blank-itl", "'--renew'" },
		     { OPT_INSTALLED_DIR, "installed-dir", "'--recover'" },
		     { OPT_WITHOUT, "without", "'--recover'" } };

	for (size_t i = 0; i < COUNT(only); i++)
		if (opt_given(o, only[i].id))
			return err_set(e, ST_USAGE, "option '--%s' goes with %s only", only[i].name,
				       only[i].with);
	if (o->nargs == 2)
		return ST_OK;
	return err_set(
		e, ST_USAGE,
		"plan takes an old and a new list, or with '--renew' or '--recover' the present lists of a cluster");
}

/* Status 0 if every class of phone takes what comes, or may be locked out; else 1. */
enum status cmd_plan(const struct opts *o, struct tlv_err *e)
{
	struct request q = { .o = o, .vouched = CERTSET_INIT, .heard = HEARD_INIT };
	enum status st;

	if (opt_given(o, OPT_RECOVER))
		return plan_recovery(o, e);
	if (opt_given(o, OPT_RENEW))
		return plan_renewal(o, e);
	st = check_arguments(o, e);
	if (st == ST_OK)
		st = begin_to_ask(&q, e);
	confine_to_file(opt_value(o, OPT_HTML), opt_given(o, OPT_FOLLOW));
	if (st == ST_OK)
		st = prepare(&q, e);
	if (st == ST_OK)
		st = make(&q, e);
	if (st == ST_OK)
		st = answer(&q, e);
	plan_free(&q.plan);
	list_file_free(&q.old_list);
	list_file_free(&q.new_list);
	list_file_free(&q.tvs_ctl);
	certset_free(&q.vouched);
	heard_free(&q.heard);
	return st;
}
