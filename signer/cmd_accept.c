/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signer/accept.h"
#include "signer/common.h"
#include "signer/deliver.h"
#include "signer/out.h"
#include "signer/verb.h"

/* What is asked: the new list, and phones that hold this and that. */
struct question {
	const struct opts *o;
	struct list_file new_list, ctl, itl, tvs_ctl;
	struct certset vouched;
	struct phone phone;
};

static enum status add_installed(struct question *q, const char *path, struct tlv_err *e)
{
	struct list_file f;
	bool itl;
	enum status st;

	if (strcmp(path, "none") == 0) {
		q->phone.no_lists = true;
		return ST_OK;
	}
	st = list_file_read_good(&f, path, e);
	itl = tlv_list_is_itl(&f.list);
	if (st == ST_OK && (itl ? q->phone.itl : q->phone.ctl) != NULL)
		st = err_set(
			e, ST_USAGE,
			"'--installed' is given twice for %s: a phone holds one CTL and one ITL",
			itl ? "an ITL" : "a CTL");
	if (st != ST_OK) {
		list_file_free(&f);
		return st;
	}
	if (itl) {
		q->itl = f;
		q->phone.itl = &q->itl.list;
	} else {
		q->ctl = f;
		q->phone.ctl = &q->ctl.list;
	}
	return ST_OK;
}

static enum status read_installed(struct question *q, struct tlv_err *e)
{
	enum status st = ST_OK;
	bool given = opt_given(q->o, OPT_INSTALLED);

	if (given == opt_given(q->o, OPT_INSTALLED_DIR))
		return err_set(e, ST_USAGE,
			       "what does the phone hold? name it with '--installed', or all lists "
			       "ever published with '--installed-dir'");
	for (size_t i = 0; i < q->o->n && st == ST_OK; i++)
		if (q->o->items[i].row->id == OPT_INSTALLED)
			st = add_installed(q, q->o->items[i].value, e);
	if (st == ST_OK && q->phone.no_lists && (q->phone.ctl != NULL || q->phone.itl != NULL))
		st = err_set(e, ST_USAGE,
			     "'--installed none' and '--installed FILE' contradict each other");
	return st;
}

static enum status read_tvs(struct question *q, struct tlv_err *e)
{
	q->phone.no_tvs = opt_given(q->o, OPT_NO_TVS);
	q->phone.blank_itl = opt_given(q->o, OPT_BLANK_ITL);
	if (q->phone.no_tvs && (opt_given(q->o, OPT_SAST_TRUST) || opt_given(q->o, OPT_TVS_CTL)))
		msg_warn("a phone without Security by Default asks no TVS: '--sast-trust' and "
			 "'--tvs-ctl' change nothing");
	return common_tvs_options(q->o, &q->phone, &q->vouched, &q->tvs_ctl, e);
}

/* A verdict that hangs on an assumption is no acceptance for those who said --strict. */
static bool accepted(const struct question *q, const struct acceptance *a)
{
	return accept_row(a->reason)->accepted &&
	       !(a->assumptions != 0 && opt_given(q->o, OPT_STRICT));
}

static void explain(const struct question *q, const struct acceptance *a, struct buf *out)
{
	accept_explain(a, out);
	if (accept_row(a->reason)->accepted && !accepted(q, a))
		buf_str(out, "--strict: what rests on an assumption counts as refused\n");
}

static json_t *acceptance_json(const struct question *q, const struct acceptance *a)
{
	json_t *o = json_object(), *list = json_array();
	struct buf text = BUF_INIT;

	(void)json_object_set_new(o, "accepted", json_boolean(accepted(q, a)));
	(void)json_object_set_new(o, "reason", json_string(accept_row(a->reason)->word));
	if ((a->assumptions & ACCEPT_ASSUMES_ITL) != 0)
		(void)json_array_append_new(list, json_string("itl-has-tvs-record"));
	if ((a->assumptions & ACCEPT_ASSUMES_CTL) != 0)
		(void)json_array_append_new(list, json_string("tvs-serves-new-list"));
	(void)json_object_set_new(o, "assumptions", list);
	(void)json_object_set_new(o, "record",
				  a->record >= 0 ? json_integer(a->record + 1) : json_null());
	(void)json_object_set_new(o, "record_in",
				  a->record < 0 ? json_null() :
						  json_string(a->in_itl ? "ITL" : "CTL"));
	explain(q, a, &text);
	json_set_text(o, "explanation", buf_span(&text));
	buf_free(&text);
	return o;
}

/* "accepted: tvs (assumes …)": the line of the contract. */
static void print_line(const struct question *q, const struct acceptance *a)
{
	struct buf text = BUF_INIT;

	accept_reason_text(a, &text);
	out_printf("%s: %s\n", accepted(q, a) ? "accepted" : "refused", buf_cstr(&text));
	buf_free(&text);
}

static enum status answer_one(const struct question *q, struct tlv_err *e)
{
	struct acceptance a = accept_decide(&q->phone, &q->new_list.list);
	struct buf text = BUF_INIT;
	enum status st = ST_OK;

	if (opt_given(q->o, OPT_JSON)) {
		st = out_json(acceptance_json(q, &a), e);
	} else {
		print_line(q, &a);
		explain(q, &a, &text);
		out_printf("%s", buf_cstr(&text));
	}
	buf_free(&text);
	return st != ST_OK ? st : accepted(q, &a) ? ST_OK : ST_NO;
}

/* A damaged list was published once, or phones hold what nobody can read: no verdict is no yes. */
static bool looks_like_list(const struct list_file *f, const char *path)
{
	size_t n = strlen(path);

	return span_starts(blob_span(&f->file), SPAN_LIT("\x01\x00\x02")) ||
	       (n > 4 && strcasecmp(path + n - 4, ".tlv") == 0);
}

/* One list of the history; a file that is no list is not a verdict. */
static enum status answer_file(struct question *q, const char *path, json_t *all, bool *any,
			       struct tlv_err *e)
{
	struct list_file f;
	struct acceptance a;
	json_t *o;
	enum status st = list_file_read(&f, path, e);

	if (st == ST_OK && f.fault.status != ST_OK && looks_like_list(&f, path)) {
		*e = f.fault;
		st = e->status;
	}
	if (st != ST_OK || f.fault.status != ST_OK) {
		if (st == ST_OK)
			msg_warn("%s", f.fault.text);
		list_file_free(&f);
		return st;
	}
	q->phone.ctl = tlv_list_is_itl(&f.list) ? NULL : &f.list;
	q->phone.itl = tlv_list_is_itl(&f.list) ? &f.list : NULL;
	a = accept_decide(&q->phone, &q->new_list.list);
	q->phone.ctl = q->phone.itl = NULL;
	*any = true;
	if (all != NULL) {
		o = acceptance_json(q, &a);
		json_set_text(o, "installed", span_str(path));
		(void)json_array_append_new(all, o);
	} else {
		out_safe(span_str(path));
		out_printf(": ");
		print_line(q, &a);
	}
	st = accepted(q, &a) ? ST_OK : ST_NO;
	list_file_free(&f);
	return st;
}

static int is_file(const struct dirent *d)
{
	return d->d_name[0] != '.' && d->d_type != DT_DIR;
}

static enum status answer_folder(struct question *q, const char *folder, struct tlv_err *e)
{
	struct dirent **names = NULL;
	int n = scandir(folder, &names, is_file, alphasort);
	json_t *all = opt_given(q->o, OPT_JSON) ? json_array() : NULL;
	enum status st = ST_OK, own = ST_OK;
	bool any = false;

	if (n < 0)
		st = err_set(e, ST_INPUT, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < n; i++) {
		struct buf path = BUF_INIT;

		buf_printf(&path, "%s/%s", folder, names[i]->d_name);
		own = st == ST_OK || st == ST_NO ? answer_file(q, buf_cstr(&path), all, &any, e) :
						   ST_OK;
		st = own != ST_OK ? own : st;
		buf_free(&path);
		free(names[i]);
	}
	free(names);
	if ((st == ST_OK || st == ST_NO) && !any)
		st = err_set(e, ST_INPUT, "%s: no list in this folder", folder);
	if (all == NULL || (st != ST_OK && st != ST_NO)) {
		json_decref(all);
		return st;
	}
	own = out_json(all, e);
	return own != ST_OK ? own : st;
}

enum status cmd_accept(const struct opts *o, struct tlv_err *e)
{
	struct question q = { .o = o, .vouched = CERTSET_INIT };
	const char *folder = opt_value(o, OPT_INSTALLED_DIR);
	enum status st = list_file_read_good(&q.new_list, o->args[0], e);

	if (st == ST_OK)
		st = read_installed(&q, e);
	if (st == ST_OK)
		st = read_tvs(&q, e);
	if (st == ST_OK)
		st = folder != NULL ? answer_folder(&q, folder, e) : answer_one(&q, e);
	list_file_free(&q.new_list);
	list_file_free(&q.ctl);
	list_file_free(&q.itl);
	list_file_free(&q.tvs_ctl);
	certset_free(&q.vouched);
	return st;
}
