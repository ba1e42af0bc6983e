/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/crypto/certfile.h"
#include "signer/trust/accept.h"
#include "signer/cli/common.h"
#include "signer/cli/deliver.h"
#include "signer/cli/network.h"
#include "signer/io/folder.h"
#include "signer/io/out.h"
#include "signer/list/json.h"
#include "signer/cli/verb.h"
#include "tlv/kind.h"
#include "tlv/safe.h"

/* What is asked: the new list, and phones that hold this and that. */
struct question {
	const struct opts *o;
	struct list_file new_list, ctl, itl, tvs_ctl;
	struct certset vouched, tvs_now;
	struct heard heard;
	struct release release;
	struct phone phone;
};

/* NEW is the last argument, whatever stands in front of it. */
static const char *new_path(const struct opts *o)
{
	return o->args[o->nargs - 1];
}

static enum status add_installed(struct question *q, const char *path, struct tlv_err *e)
{
	struct list_file f;
	bool itl;
	enum status st;

	if (strcmp(path, "none") == 0) {
		q->phone.no_lists = true;
		return ST_OK;
	}
	st = list_file_read(&f, path, LIST_PRINTED, e);
	itl = tlv_list_is_itl(&f.list);
	if (st == ST_OK && (itl ? q->phone.itl : q->phone.ctl) != NULL)
		st = err_set(e, ST_USAGE, "%s is named twice: a phone holds one CTL and one ITL",
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

/* The lists before NEW say the same as --installed. */
static enum status check_arguments(const struct opts *o, struct tlv_err *e)
{
	bool option = opt_given(o, OPT_INSTALLED), folder = opt_given(o, OPT_INSTALLED_DIR);

	if (o->nargs > 1 && (option || folder))
		return err_set(
			e, ST_USAGE,
			"what the phone holds is named twice: by '%s' and by an option; leave one out",
			o->args[0]);
	if ((option || o->nargs > 1) == folder)
		return err_set(
			e, ST_USAGE,
			"what does the phone hold? name it in front of NEW ('none' is nothing), or all lists ever published with '--installed-dir'");
	return ST_OK;
}

static enum status read_installed(struct question *q, struct tlv_err *e)
{
	enum status st = check_arguments(q->o, e);

	for (size_t i = 0; i + 1 < q->o->nargs && st == ST_OK; i++)
		st = add_installed(q, q->o->args[i], e);
	for (size_t i = 0; i < q->o->n && st == ST_OK; i++)
		if (q->o->items[i].row->id == OPT_INSTALLED)
			st = add_installed(q, q->o->items[i].value, e);
	if (st == ST_OK && q->phone.no_lists && (q->phone.ctl != NULL || q->phone.itl != NULL))
		st = err_set(
			e, ST_USAGE,
			"'none' is a phone without lists: leave it out, or leave out the lists");
	return st;
}

static enum status add_today(void *arg, struct span der, struct tlv_err *e)
{
	return certset_add(arg, der, NULL, e);
}

/* --new-itl: the TVS certificates that an ITL of today names. */
static enum status add_new_itl(struct question *q, const char *path, struct tlv_err *e)
{
	struct list_file f;
	enum status st = list_file_read(&f, path, 0, e);

	if (st == ST_OK && !tvs_list_says_now(&f.list))
		st = err_set(
			e, ST_INPUT,
			"%s: no ITL that names a TVS, so it does not say which certificate TVS has today",
			path);
	for (size_t i = 0; st == ST_OK && i < f.list.nrecords; i++) {
		struct tlv_record r = tlv_list_record(&f.list, i);

		if (tlv_record_is(&r, TLV_ROLE_TVS) && r.certificate.n > 0)
			st = add_today(&q->tvs_now, r.certificate, e);
	}
	list_file_free(&f);
	return st;
}

/* --tvs-cert: every certificate of the file. */
static enum status add_tvs_cert(struct question *q, const char *path, struct tlv_err *e)
{
	struct blob file;
	size_t n = 0;
	enum status st = slurp(path, SLURP_CERT_MAX, SLURP_ANY, &file, e);

	if (st != ST_OK)
		return st;
	st = cert_each(blob_span(&file), add_today, &q->tvs_now, &n, e);
	if (st == ST_OK && n == 0)
		st = err_set(e, ST_INPUT, "no certificate in this file");
	blob_free(&file);
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}

/* Which certificates TVS presents today. */
static enum status read_today(struct question *q, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < q->o->n && st == ST_OK; i++) {
		const struct opt_item *x = &q->o->items[i];

		if (x->row->id == OPT_NEW_ITL)
			st = add_new_itl(q, x->value, e);
		else if (x->row->id == OPT_TVS_CERT)
			st = add_tvs_cert(q, x->value, e);
	}
	q->phone.tvs_now = &q->tvs_now;
	return st;
}

static void warn_of_no_tvs(const struct question *q)
{
	static const struct {
		enum opt_id id;
		const char *name;
	} useless[] = {
		{ OPT_SAST_TRUST, "--sast-trust" },
		{ OPT_TVS_CTL, "--tvs-ctl" },
		{ OPT_NEW_ITL, "--new-itl" },
		{ OPT_TVS_CERT, "--tvs-cert" },
	};

	for (size_t i = 0; i < COUNT(useless); i++)
		if (opt_given(q->o, useless[i].id))
			msg_warn(
				"a phone without Security by Default asks no TVS: '%s' changes nothing",
				useless[i].name);
}

static enum status read_tvs(struct question *q, struct tlv_err *e)
{
	const char *release = opt_value(q->o, OPT_RELEASE);
	enum status st = read_today(q, e);

	q->phone.no_tvs = opt_given(q->o, OPT_NO_TVS);
	q->phone.blank_itl = opt_given(q->o, OPT_BLANK_ITL);
	if (q->phone.no_tvs)
		warn_of_no_tvs(q);
	if (st == ST_OK && release != NULL) {
		st = release_parse(release, &q->release, e);
		q->phone.release = &q->release;
	}
	return st == ST_OK ? common_tvs_options(q->o, &q->phone, &q->vouched, &q->tvs_ctl, e) : st;
}

/* --tvs: says what TVS knows and presents today, so nothing else says it. */
static enum status begin_to_ask(struct question *q, struct tlv_err *e)
{
	static const enum opt_id others[] = { OPT_NO_TVS,  OPT_BLANK_ITL, OPT_SAST_TRUST,
					      OPT_TVS_CTL, OPT_NEW_ITL,	  OPT_TVS_CERT };

	return network_tvs(q->o, &q->heard, others, COUNT(others), e);
}

/*
 * TVS is asked when the first verdict hangs on it. A verdict that is there without TVS needs no
 * answer, and no TVS that is there.
 */
static enum status decide(struct question *q, struct acceptance *a, struct tlv_err *e)
{
	enum status st;

	*a = accept_decide(&q->phone, &q->new_list.list);
	if (!a->hangs_on_tvs || q->heard.n == 0 || q->heard.answered)
		return ST_OK;
	st = heard_ask(&q->heard, e);
	if (st != ST_OK)
		return st;
	heard_let(&q->heard, &q->phone);
	*a = accept_decide(&q->phone, &q->new_list.list);
	return ST_OK;
}

/* --tvs named TVS that this verdict does not hang on. */
static bool names_for_nothing(const struct question *q, const struct acceptance *a)
{
	return q->heard.n > 0 && a->answers == NULL;
}

/*
 * A verdict that hangs on an assumption is no acceptance for those who said --strict. Nor is one
 * that a TVS which nobody asked may turn round.
 */
static bool accepted(const struct question *q, const struct acceptance *a)
{
	bool sure = a->assumptions == 0 && !a->tvs.others;

	return accept_row(a->reason)->accepted && (sure || !opt_given(q->o, OPT_STRICT));
}

static void explain(const struct question *q, const struct acceptance *a, struct buf *out)
{
	accept_explain(a, out);
	if (names_for_nothing(q, a)) {
		buf_str(out, "not asked for this verdict: ");
		heard_put_hosts(&q->heard, out);
		buf_str(out, ": it does not hang on what TVS says\n");
	}
	if (accept_row(a->reason)->accepted && !accepted(q, a))
		buf_str(out,
			"--strict: what rests on an assumption, or on TVS that were not asked, counts as refused\n");
}

static void set_explanation(json_t *o, const struct question *q, const struct acceptance *a)
{
	const char *cure = accept_cure(a);
	struct buf text = BUF_INIT;

	explain(q, a, &text);
	out_json_set_text(o, "explanation", buf_span(&text));
	(void)json_object_set_new(o, "cure", cure != NULL ? json_string(cure) : json_null());
	buf_free(&text);
}

/* The nodes whose TVS has a certificate that the phone believes, if not all nodes have one. */
static void set_nodes(json_t *o, const struct acceptance *a)
{
	json_t *names = json_array();

	for (size_t i = 0; i < a->tvs.nodes && i < TVS_NODES_SHOWN; i++) {
		struct buf name = BUF_INIT;

		safe_text(&name, a->tvs.node[i]);
		(void)json_array_append_new(names, json_string(buf_cstr(&name)));
		buf_free(&name);
	}
	(void)json_object_set_new(o, "tvs_nodes", names);
	(void)json_object_set_new(o, "tvs_nodes_total", json_integer((json_int_t)a->tvs.nodes));
}

static json_t *acceptance_json(const struct question *q, const struct acceptance *a)
{
	json_t *o = json_object(), *list = json_array();

	(void)json_object_set_new(o, "accepted", json_boolean(accepted(q, a)));
	(void)json_object_set_new(o, "reason", json_string(accept_row(a->reason)->word));
	for (int i = 0; i < TVS_ASSUMPTIONS; i++)
		if ((a->assumptions >> i & 1U) != 0)
			(void)json_array_append_new(
				list, json_string(accept_assumption((enum tvs_assumption)i)->word));
	(void)json_object_set_new(o, "assumptions", list);
	set_nodes(o, a);
	(void)json_object_set_new(o, "record",
				  a->record >= 0 ? json_integer(a->record + 1) : json_null());
	(void)json_object_set_new(
		o, "record_in",
		a->record < 0 ?
			json_null() :
			json_string(tlv_kind_text(a->in_itl ? TLV_LIST_ITL : TLV_LIST_CTL)));
	(void)json_object_set_new(o, "sources", list_json_sources(accept_fact(a)));
	(void)json_object_set_new(o, "asked", heard_json(a->heard));
	(void)json_object_set_new(o, "answers", heard_all_json(a->answers));
	(void)json_object_set_new(o, "not_asked",
				  heard_hosts_json(names_for_nothing(q, a) ? &q->heard : NULL));
	(void)json_object_set_new(o, "other_tvs", json_boolean(a->tvs.others));
	set_explanation(o, q, a);
	return o;
}

static void add_name(json_t *names, const char *path)
{
	json_t *o = json_object();

	out_json_set_text(o, "file", span_str(path));
	(void)json_array_append_new(names, o);
}

/* What the phone holds: nothing, one list, or a CTL and an ITL. */
static json_t *installed_names(const struct opts *o)
{
	json_t *names = json_array();

	for (size_t i = 0; i + 1 < o->nargs; i++)
		if (strcmp(o->args[i], "none") != 0)
			add_name(names, o->args[i]);
	for (size_t i = 0; i < o->n; i++)
		if (o->items[i].row->id == OPT_INSTALLED && strcmp(o->items[i].value, "none") != 0)
			add_name(names, o->items[i].value);
	return names;
}

/* One verdict or many, it has the same shape: that which decides, and then all. */
static enum status print_verdicts(json_t *all, json_t *decides, struct tlv_err *e)
{
	json_t *o = json_copy(decides);

	(void)json_object_set_new(o, "verdicts", all);
	return out_json(o, e);
}

static enum status print_verdict(const struct question *q, const struct acceptance *a,
				 struct tlv_err *e)
{
	json_t *all = json_array(), *o = acceptance_json(q, a);

	(void)json_object_set_new(o, "installed", installed_names(q->o));
	(void)json_array_append_new(all, o);
	return print_verdicts(all, o, e);
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

static enum status answer_one(struct question *q, struct tlv_err *e)
{
	struct acceptance a;
	struct buf text = BUF_INIT;
	enum status st = decide(q, &a, e);

	if (st != ST_OK)
		return st;
	if (opt_given(q->o, OPT_JSON)) {
		st = print_verdict(q, &a, e);
	} else {
		print_line(q, &a);
		explain(q, &a, &text);
		if (accept_cure(&a) != NULL)
			buf_printf(&text, "cure: %s\n", accept_cure(&a));
		out_text(buf_span(&text));
	}
	buf_free(&text);
	return st != ST_OK ? st : accepted(q, &a) ? ST_OK : ST_NO;
}

/* Every list that was ever published, and what holds for all of them. */
struct history {
	struct question *q;
	json_t *all;	 /* NULL: lines of text */
	json_t *decides; /* of all: the first that is refused, or the first; borrowed */
	bool any, refused;
};

static void add_verdict(struct history *h, const char *path, const struct acceptance *a)
{
	json_t *o = acceptance_json(h->q, a), *names = json_array();

	add_name(names, path);
	(void)json_object_set_new(o, "installed", names);
	(void)json_array_append_new(h->all, o);
	if (!h->any || (!h->refused && !accepted(h->q, a)))
		h->decides = o;
}

static enum status answer_list(struct history *h, const char *path, struct list_file *f,
			       struct tlv_err *e)
{
	struct tlv_list *l = &f->list;
	struct question *q = h->q;
	struct acceptance a;
	enum status st;

	if (common_quietly_alike((struct list_file *const[]){ &q->new_list, f }, 2, e) != ST_OK)
		return e->status;
	q->phone.ctl = tlv_list_is_itl(l) ? NULL : l;
	q->phone.itl = tlv_list_is_itl(l) ? l : NULL;
	st = decide(q, &a, e);
	q->phone.ctl = q->phone.itl = NULL;
	if (st != ST_OK)
		return st;
	if (h->all != NULL) {
		add_verdict(h, path, &a);
	} else {
		out_safe(span_str(path));
		out_printf(": ");
		print_line(q, &a);
	}
	h->any = true;
	h->refused = h->refused || !accepted(q, &a);
	return ST_OK;
}

/*
 * A file that is no list is no verdict. A damaged list was published once, or phones hold what
 * nobody can read: no verdict is no yes.
 */
static enum status answer_file(void *arg, const char *path, bool named, struct tlv_err *e)
{
	struct list_file f;
	enum status st = list_file_read(&f, path, LIST_FOUND | LIST_DAMAGED, e);

	(void)named;
	if (st == ST_OK && f.fault.status != ST_OK && list_file_looks_like_list(&f, path)) {
		*e = f.fault;
		st = e->status;
	} else if (st == ST_OK && f.fault.status != ST_OK) {
		msg_warn("%s", err_text(&f.fault));
	} else if (st == ST_OK) {
		st = answer_list(arg, path, &f, e);
	}
	list_file_free(&f);
	return st;
}

static enum status answer_folder(struct question *q, const char *folder, struct tlv_err *e)
{
	struct signature_memo memo = SIGNATURE_MEMO_INIT;
	struct history h = { .q = q };
	enum status st, released;

	if (opt_given(q->o, OPT_JSON) && (h.all = json_array()) == NULL)
		return err_nomem(e);
	q->phone.memo = &memo; /* most lists of a history have the same signer */
	out_hold(); /* the next file may be damaged, or TVS silent: then there is no answer */
	st = folder_files(folder, answer_file, &h, e);
	q->phone.memo = NULL;
	signature_memo_free(&memo);
	if (st == ST_OK && !h.any)
		st = err_set(e, ST_INPUT, "%s: no list in this folder", folder);
	released = out_release(st == ST_OK, e);
	st = st == ST_OK ? released : st;
	if (st == ST_OK && h.all != NULL)
		st = print_verdicts(h.all, h.decides, e);
	else
		json_decref(h.all);
	return st == ST_OK && h.refused ? ST_NO : st;
}

enum status cmd_accept(const struct opts *o, struct tlv_err *e)
{
	struct question q = {
		.o = o, .vouched = CERTSET_INIT, .tvs_now = CERTSET_INIT, .heard = HEARD_INIT
	};
	const char *folder = opt_value(o, OPT_INSTALLED_DIR);
	enum status st = begin_to_ask(&q, e);

	q.phone.asked = new_path(o);
	if (st == ST_OK) {
		common_read_only();
		st = list_file_read(&q.new_list, new_path(o), LIST_PRINTED, e);
	}
	if (st == ST_OK)
		st = read_installed(&q, e);
	if (st == ST_OK)
		st = read_tvs(&q, e);
	if (st == ST_OK)
		st = heard_about(&q.heard, &q.new_list, e);
	if (q.new_list.printed != NULL)
		q.phone.asked = NULL; /* a log's name says nothing of the list's */
	if (st == ST_OK && folder == NULL)
		st = common_quietly_alike(
			(struct list_file *const[]){ &q.new_list, &q.ctl, &q.itl }, 3, e);
	if (st == ST_OK)
		st = folder != NULL ? answer_folder(&q, folder, e) : answer_one(&q, e);
	list_file_free(&q.new_list);
	list_file_free(&q.ctl);
	list_file_free(&q.itl);
	list_file_free(&q.tvs_ctl);
	certset_free(&q.vouched);
	certset_free(&q.tvs_now);
	heard_free(&q.heard);
	return st;
}
