/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/trust/accept.h"
#include "signer/cli/common.h"
#include "signer/cli/deliver.h"
#include "signer/io/folder.h"
#include "signer/io/out.h"
#include "signer/cli/verb.h"
#include "tlv/kind.h"

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
		return err_set(
			e, ST_USAGE,
			"what does the phone hold? name it with '--installed', or all lists ever published with '--installed-dir'");
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
		msg_warn(
			"a phone without Security by Default asks no TVS: '--sast-trust' and '--tvs-ctl' change nothing");
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
	(void)json_object_set_new(
		o, "record_in",
		a->record < 0 ?
			json_null() :
			json_string(tlv_kind_text(a->in_itl ? TLV_LIST_ITL : TLV_LIST_CTL)));
	explain(q, a, &text);
	out_json_set_text(o, "explanation", buf_span(&text));
	buf_free(&text);
	return o;
}

/* "accepted: tvs (assumes …)": the line of the contract. */
static void print_line(const struct question *q, const struct acceptance *a)
{
	struct buf text = BUF_INIT;

	accept_reason_text(a, &text);
	out_colour(accepted(q, a) ? OUT_GOOD : OUT_BAD);
	out_printf("%s: %s", accepted(q, a) ? "accepted" : "refused", buf_cstr(&text));
	out_colour(OUT_PLAIN);
	out_printf("\n");
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

/* Every list that was ever published, and what holds for all of them. */
struct history {
	struct question *q;
	json_t *all; /* NULL: lines of text */
	bool any, refused;
};

static void answer_list(struct history *h, const char *path, const struct tlv_list *l)
{
	struct question *q = h->q;
	struct acceptance a;

	q->phone.ctl = tlv_list_is_itl(l) ? NULL : l;
	q->phone.itl = tlv_list_is_itl(l) ? l : NULL;
	a = accept_decide(&q->phone, &q->new_list.list);
	q->phone.ctl = q->phone.itl = NULL;
	h->any = true;
	h->refused = h->refused || !accepted(q, &a);
	if (h->all != NULL) {
		json_t *o = acceptance_json(q, &a);

		out_json_set_text(o, "installed", span_str(path));
		(void)json_array_append_new(h->all, o);
	} else {
		out_safe(span_str(path));
		out_printf(": ");
		print_line(q, &a);
	}
}

/* A file that is no list is no verdict. */
static enum status answer_file(void *arg, const char *path, bool named, struct tlv_err *e)
{
	struct list_file f;
	enum status st = list_file_read(&f, path, e);

	(void)named;
	if (st == ST_OK && f.fault.status != ST_OK && looks_like_list(&f, path)) {
		*e = f.fault;
		st = e->status;
	} else if (st == ST_OK && f.fault.status != ST_OK) {
		msg_warn("%s", f.fault.text);
	} else if (st == ST_OK) {
		answer_list(arg, path, &f.list);
	}
	list_file_free(&f);
	return st;
}

static enum status answer_folder(struct question *q, const char *folder, struct tlv_err *e)
{
	struct history h = { .q = q };
	enum status st;

	if (opt_given(q->o, OPT_JSON) && (h.all = json_array()) == NULL)
		return err_nomem(e);
	st = folder_files(folder, answer_file, &h, e);
	if (st == ST_OK && !h.any)
		st = err_set(e, ST_INPUT, "%s: no list in this folder", folder);
	if (st == ST_OK && h.all != NULL)
		st = out_json(h.all, e);
	else
		json_decref(h.all);
	return st == ST_OK && h.refused ? ST_NO : st;
}

enum status cmd_accept(const struct opts *o, struct tlv_err *e)
{
	struct question q = { .o = o, .vouched = CERTSET_INIT };
	const char *folder = opt_value(o, OPT_INSTALLED_DIR);
	enum status st;

	q.phone.asked = o->args[0];
	common_read_only();
	st = list_file_read_good(&q.new_list, o->args[0], e);
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
