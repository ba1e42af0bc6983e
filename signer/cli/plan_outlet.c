/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/plan_outlet.h"

#include "signer/cli/common.h"
#include "signer/io/out.h"
#include "signer/publish/publish.h"

static enum status print(const struct plan_outlet *x, struct tlv_err *e)
{
	struct buf text = BUF_INIT;
	enum status st;

	if (opt_given(x->o, OPT_JSON)) {
		st = out_json(x->json(x->plan), e);
	} else {
		x->text(x->plan, &text);
		st = buf_failed(&text, e);
		if (st == ST_OK)
			out_text(buf_span(&text));
		buf_free(&text);
	}
	return st == ST_OK ? out_flush(e) : st;
}

static enum status print_and_publish(const struct plan_outlet *x, const char *path,
				     struct tlv_err *e)
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
		st = print(x, e);
	if (st == ST_OK)
		st = publish_commit(p, e);
	publish_free(&p);
	buf_free(&page);
	return st;
}

enum status plan_outlet_put(const struct plan_outlet *x, struct tlv_err *e)
{
	const char *path = opt_value(x->o, OPT_HTML);

	return path != NULL ? print_and_publish(x, path, e) : print(x, e);
}
