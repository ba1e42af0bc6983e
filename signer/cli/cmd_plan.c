/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/common.h"
#include "signer/cli/deliver.h"
#include "signer/io/env.h"
#include "signer/io/out.h"
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
	enum status st = list_file_read(&q->old_list, q->o->args[0], 0, e);

	if (st == ST_OK)
		st = list_file_read(&q->new_list, q->o->args[1], 0, e);
	if (st == ST_OK)
		st = common_tvs_options(q->o, &q->in.tvs, &q->vouched, &q->tvs_ctl, e);
	lockout_options(&q->lockout, q->o);
	if (st == ST_OK)
		st = release_choose(opt_value(q->o, OPT_RELEASE), &q->old_list.list, &q->release,
				    e);
	q->in.old_list = &q->old_list.list;
	q->in.new_list = &q->new_list.list;
	q->in.old_name = q->o->args[0];
	q->in.new_name = q->o->args[1];
	q->in.release = &q->release;
	q->in.uploads = only_folder(q->o);
	q->in.now = env_now();
	return st;
}

static enum status begin_page(const struct request *q, const char *path,
			      const struct publish_options *opt, struct publication **out,
			      struct tlv_err *e)
{
	struct buf page = BUF_INIT;
	enum status st = plan_html(&q->plan, &page, e);

	if (st == ST_OK)
		st = publish_begin(out, path, buf_span(&page), opt, e);
	buf_free(&page);
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

static enum status print_plan(const struct request *q, struct tlv_err *e)
{
	enum status st = opt_given(q->o, OPT_JSON) ? out_json(plan_json(&q->plan), e) :
						     print_text(&q->plan, e);

	return st == ST_OK ? out_flush(e) : st;
}

/* A page must not be in its place when the plan cannot be printed. */
static enum status print_and_publish(const struct request *q, const char *page, struct tlv_err *e)
{
	struct publish_options opt;
	struct publication *p = NULL;
	enum status st = common_publish_options(q->o, KIND_PAGE, &opt, e);

	opt.stream = true;
	if (st == ST_OK)
		st = begin_page(q, page, &opt, &p, e);

	if (st == ST_OK)
		st = print_plan(q, e);
	if (st == ST_OK)
		st = publish_commit(p, e);
	publish_free(&p);
	return st;
}

/* Plan and page are the answer whatever they say: a refused one is headed REFUSED. */
static enum status answer(const struct request *q, struct tlv_err *e)
{
	const char *page = opt_value(q->o, OPT_HTML);
	enum status st = page != NULL ? print_and_publish(q, page, e) : print_plan(q, e);

	return st == ST_OK && locked_out(q) != LOCKOUT_CLASSES ? ST_NO : st;
}

/* Status 0 if every class of phone takes the new list, or may be locked out; else 1. */
enum status cmd_plan(const struct opts *o, struct tlv_err *e)
{
	struct request q = { .o = o, .vouched = CERTSET_INIT };
	enum status st;

	if (!opt_given(o, OPT_HTML))
		common_read_only();
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
