/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "signer/cli/common.h"
#include "signer/cli/confine.h"
#include "signer/io/env.h"
#include "signer/list/expiry.h"
#include "signer/io/out.h"
#include "signer/publish/publish.h"
#include "signer/cli/verb.h"

enum { DEFAULT_DAYS = 30 };

static const struct format {
	const char *name;
	expiry_format_fn *put;
} formats[] = {
	{ "text", expiry_text },
	{ "syslog", expiry_syslog },
	{ "prometheus", expiry_prometheus },
	{ "json", expiry_json },
};

/*
 * --json is what every verb has; here it is short for --format json. *out stays if neither is
 * given.
 */
static enum status choose_format(const struct opts *o, const struct format **out, struct tlv_err *e)
{
	const char *name = opt_value(o, OPT_REPORT_FORMAT);
	bool json = opt_given(o, OPT_JSON);

	if (json && name != NULL && strcmp(name, "json") != 0)
		return err_set(e, ST_USAGE, "'--json' and '--format %s' contradict each other",
			       name);
	if (json)
		name = "json";
	if (name == NULL)
		return ST_OK;
	for (size_t i = 0; i < COUNT(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			*out = &formats[i];
	return ST_OK;
}

/* Written for both answers: a monitor wants the news most when it is bad. */
static enum status deliver(const struct opts *o, const struct format *format,
			   const struct expiry *x, struct tlv_err *e)
{
	struct publish_options opt;
	const char *path = opt_value(o, OPT_REPORT);
	struct buf b = BUF_INIT;
	enum status st;

	format->put(x, &b);
	st = buf_failed(&b, e);
	if (st == ST_OK)
		st = common_publish_options(o, KIND_REPORT, &opt, e);
	opt.stream = true;
	if (st == ST_OK && path != NULL)
		st = publish(path, buf_span(&b), &opt, e);
	else if (st == ST_OK)
		out_text(buf_span(&b));
	buf_free(&b);
	return st;
}

/* One that cannot be read hides no other: it is told, and counts at the end. */
static enum status add_all(const struct opts *o, struct expiry *x, struct tlv_err *e)
{
	for (size_t i = 0; i < o->nargs; i++) {
		struct tlv_err own = TLV_ERR_INIT;
		enum status st = expiry_add(x, o->args[i], &own);

		if (st == ST_OK)
			continue;
		if (st != ST_INPUT) {
			*e = own;
			return st;
		}
		msg_error(&own);
		if (expiry_note_unread(x, o->args[i], &own, e) != ST_OK)
			return e->status;
	}
	return ST_OK;
}

/* Options about a file, though none is written. */
static enum status check_file_options(const struct opts *o, struct tlv_err *e)
{
	static const enum opt_id ids[] = { OPT_FOLLOW, OPT_OVERWRITE, OPT_KEEP };

	for (size_t i = 0; i < o->n && !opt_given(o, OPT_REPORT); i++)
		for (size_t j = 0; j < COUNT(ids); j++)
			if (o->items[i].row->id == ids[j])
				return err_set(e, ST_USAGE, "'--%s' goes with '--output'",
					       o->items[i].row->name);
	return ST_OK;
}

/* A monitor that watches nothing is broken, however quiet it is. */
static enum status answer(const struct expiry *x, size_t within, struct tlv_err *e)
{
	if (x->nunread > 0)
		return ST_INPUT; /* it has been said of each */
	if (x->n == 0)
		return err_set(
			e, ST_INPUT,
			"no certificate in what was named, so nothing is watched: name lists, certificates, or folders of them");
	return within > 0 ? ST_NO : ST_OK;
}

enum status cmd_expiry(const struct opts *o, struct tlv_err *e)
{
	struct expiry x = { .now = env_now(),
			    .within = DEFAULT_DAYS * 86400,
			    .warn = msg_warnings };
	const struct format *format = &formats[0];
	enum status st = choose_format(o, &format, e);
	size_t within = 0;

	if (st == ST_OK && opt_given(o, OPT_WITHIN))
		st = expiry_within_parse(opt_value(o, OPT_WITHIN), &x.within, e);
	if (st == ST_OK)
		st = check_file_options(o, e);
	confine_to_file(opt_value(o, OPT_REPORT), opt_given(o, OPT_FOLLOW));
	if (st == ST_OK)
		st = add_all(o, &x, e);
	if (st == ST_OK)
		within = expiry_sort(&x);
	/*
	 * A monitor's file is written even if nothing could be read. An old file would look like
	 * good news.
	 */
	if (st == ST_OK && (x.n > 0 || opt_given(o, OPT_REPORT)))
		st = deliver(o, format, &x, e);
	if (st == ST_OK)
		st = answer(&x, within, e);
	expiry_free(&x);
	return st;
}
