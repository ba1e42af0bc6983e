/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "signer/cli/common.h"
#include "signer/cli/deliver.h"
#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/plan/forecast/forecast.h"
#include "signer/plan/plan.h"
#include "signer/publish/publish.h"
#include "signer/cli/verb.h"

struct request {
	const struct opts *o;
	struct list_file old_list, new_list, tvs_ctl;
	struct certset vouched;
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

static enum status prepare(struct request *q, struct tlv_err *e)
{
	enum status st = list_file_read(&q->old_list, q->o->args[0], LIST_PRINTED, e);

	if (st == ST_OK)
		st = list_file_read(&q->new_list, q->o->args[1], LIST_PRINTED, e);
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

static enum status print_text(const struct plan *p, struct tlv_err *e)
{
	struct buf text = BUF_INIT;
	enum status st;

	plan_text(p, &text);
	st = buf_failed(&text, e);
	if (st == ST_OK)
		out_text(buf_span(&text));
	buf_free(&text);
	return st;
}

/* The first class that refuses and is not named by --accept-lockout; LOCKOUT_CLASSES: none. */
static enum lockout_class locked_out(const struct request *q)
{
	for (int c = 0; c < LOCKOUT_CLASSES; c++)
		if (plan_refuses(&q->plan, (enum lockout_class)c) && !q->lockout.allowed[c])
			return (enum lockout_class)c;
	return LOCKOUT_CLASSES;
}

static enum status print_plan(const void *plan, struct tlv_err *e)
{
	const struct request *q = plan;
	enum status st = opt_given(q->o, OPT_JSON) ? out_json(plan_json(&q->plan), e) :
						     print_text(&q->plan, e);

	return st == ST_OK ? out_flush(e) : st;
}

static enum status make_page(const void *plan, struct buf *out, struct tlv_err *e)
{
	return plan_html(&((const struct request *)plan)->plan, out, e);
}

/* A plan of either kind, to be printed and written as a page. */
struct outlet {
	const struct opts *o;
	const void *plan;
	enum status (*print)(const void *plan, struct tlv_err *e);
	enum status (*page)(const void *plan, struct buf *out, struct tlv_err *e);
};

/* A page must not be in its place when the plan cannot be printed. */
static enum status print_and_publish(const struct outlet *x, const char *path, struct tlv_err *e)
{
	struct publish_options opt;
	struct publication *p = NULL;
	struct buf page = BUF_INIT;
	enum status st = common_publish_options(x->o, KIND_PAGE, &opt, e);

	opt.stream = true;
	if (st == ST_OK)
		st = x->page(x->plan, &page, e);
	if (st == ST_OK)
		st = publish_begin(&p, path, buf_span(&page), &opt, e);
	if (st == ST_OK)
		st = x->print(x->plan, e);
	if (st == ST_OK)
		st = publish_commit(p, e);
	publish_free(&p);
	buf_free(&page);
	return st;
}

static enum status put_out(const struct outlet *x, struct tlv_err *e)
{
	const char *path = opt_value(x->o, OPT_HTML);

	return path != NULL ? print_and_publish(x, path, e) : x->print(x->plan, e);
}

/* Plan and page are the answer whatever they say: a refused one is headed REFUSED. */
static enum status answer(const struct request *q, struct tlv_err *e)
{
	const struct outlet x = { .o = q->o, .plan = q, .print = print_plan, .page = make_page };
	enum status st = put_out(&x, e);

	return st == ST_OK && locked_out(q) != LOCKOUT_CLASSES ? ST_NO : st;
}

/* What is to be renewed in a cluster whose lists are there. */
struct renewal {
	const struct opts *o;
	struct list_file *files; /* one for each argument */
	const struct tlv_list **lists;
	struct release release;
	struct cluster cluster;
	struct crowd_groups groups;
	struct forecast forecast;
	struct lockout lockout; /* what --accept-lockout allows */
};

static enum status read_lists(struct renewal *r, struct tlv_err *e)
{
	size_t n = r->o->nargs;
	enum status st = ST_OK;

	r->files = calloc(n, sizeof *r->files);
	r->lists = calloc(n, sizeof *r->lists);
	if (r->files == NULL || r->lists == NULL)
		return err_nomem(e);
	for (size_t i = 0; st == ST_OK && i < n; i++) {
		st = list_file_read(&r->files[i], r->o->args[i], 0, e);
		r->lists[i] = &r->files[i].list;
	}
	return st;
}

/* The CTL tells more of the release than an ITL does. */
static const struct tlv_list *telling_list(const struct renewal *r)
{
	for (size_t i = 0; i < r->o->nargs; i++)
		if (!tlv_list_is_itl(r->lists[i]))
			return r->lists[i];
	return r->lists[0];
}

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

/* What TVS knows is a part of the model. */
static enum status refuse_others(const struct opts *o, struct tlv_err *e)
{
	static const enum opt_id others[] = { OPT_SAST_TRUST, OPT_TVS_CTL };
	static const char *const names[] = { "sast-trust", "tvs-ctl" };

	for (size_t i = 0; i < COUNT(others); i++)
		if (opt_given(o, others[i]))
			return err_set(e, ST_USAGE,
				       "option '--%s' does not go with '--renew': leave it out",
				       names[i]);
	return ST_OK;
}

static enum status prepare_renewal(struct renewal *r, struct tlv_err *e)
{
	enum status st = refuse_others(r->o, e);

	lockout_options(&r->lockout, r->o);
	if (st == ST_OK)
		st = read_lists(r, e);
	if (st == ST_OK)
		st = release_choose(opt_value(r->o, OPT_RELEASE), telling_list(r), &r->release, e);
	if (st == ST_OK)
		st = cluster_read(&r->cluster, r->lists, r->o->nargs, &r->release, e);
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

static enum status print_forecast(const void *plan, struct tlv_err *e)
{
	const struct renewal *r = plan;
	struct buf text = BUF_INIT;
	enum status st;

	if (opt_given(r->o, OPT_JSON)) {
		st = out_json(forecast_json(&r->forecast), e);
	} else {
		forecast_text(&r->forecast, &text);
		st = buf_failed(&text, e);
		if (st == ST_OK)
			out_text(buf_span(&text));
		buf_free(&text);
	}
	return st == ST_OK ? out_flush(e) : st;
}

static enum status make_forecast_page(const void *plan, struct buf *out, struct tlv_err *e)
{
	return forecast_html(&((const struct renewal *)plan)->forecast, out, e);
}

/* A class that is locked out in every order, unless --accept-lockout names it, is ST_NO. */
static enum status answer_forecast(const struct renewal *r, struct tlv_err *e)
{
	const struct outlet x = {
		.o = r->o, .plan = r, .print = print_forecast, .page = make_forecast_page
	};
	enum status st = put_out(&x, e);

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
	for (size_t i = 0; r->files != NULL && i < r->o->nargs; i++)
		list_file_free(&r->files[i]);
	free(r->files);
	free(r->lists);
	free(r);
}

static enum status plan_renewal(const struct opts *o, struct tlv_err *e)
{
	struct renewal *r = calloc(1, sizeof *r); /* a cluster is large */
	enum status st;

	if (r == NULL)
		return err_nomem(e);
	r->o = o;
	if (!opt_given(o, OPT_HTML))
		common_read_only();
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
		const char *name;
	} only[] = { { OPT_GROUP, "group" }, { OPT_BLANK_ITL, "blank-itl" } };

	for (size_t i = 0; i < COUNT(only); i++)
		if (opt_given(o, only[i].id))
			return err_set(e, ST_USAGE, "option '--%s' goes with '--renew' only",
				       only[i].name);
	if (o->nargs == 2)
		return ST_OK;
	return err_set(
		e, ST_USAGE,
		"plan takes an old and a new list, or with '--renew' the present lists of a cluster");
}

/* Status 0 if every class of phone takes what comes, or may be locked out; else 1. */
enum status cmd_plan(const struct opts *o, struct tlv_err *e)
{
	struct request q = { .o = o, .vouched = CERTSET_INIT };
	enum status st;

	if (opt_given(o, OPT_RENEW))
		return plan_renewal(o, e);
	if (!opt_given(o, OPT_HTML))
		common_read_only();
	st = check_arguments(o, e);
	if (st == ST_OK)
		st = prepare(&q, e);
	if (st == ST_OK)
		st = plan_make(&q.plan, &q.in, e);
	if (st == ST_OK)
		st = answer(&q, e);
	plan_free(&q.plan);
	list_file_free(&q.old_list);
	list_file_free(&q.new_list);
	list_file_free(&q.tvs_ctl);
	certset_free(&q.vouched);
	return st;
}
