/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "signer/cli/common.h"
#include "signer/cli/network.h"
#include "signer/cli/verb.h"
#include "signer/io/env.h"
#include "signer/io/filename.h"
#include "signer/io/out.h"
#include "signer/list/served.h"
#include "signer/net/net.h"
#include "signer/publish/fileset.h"
#include "tlv/kind.h"
#include "tlv/label.h"

struct fetch {
	const struct opts *o;
	const char *dir; /* NULL: nothing is written */
	bool tftp;
	struct trust trust;
	bool trusts; /* --trust was given */
	struct served served;
	struct fileset files;
	struct filenames names;
	struct publish_options publish;
};

/* What is written of a file: its name below the folder; "" if it is none. */
static enum status put_target(struct fetch *x, const struct served_file *f, struct buf *out,
			      struct tlv_err *e)
{
	struct buf prefix = BUF_INIT;
	enum status st;

	if (x->dir == NULL || f->state != SERVED_LIST)
		return ST_OK;
	buf_put(&prefix, span_of(f->name, strcspn(f->name, ".")));
	st = buf_failed(&prefix, e);
	if (st == ST_OK)
		st = filename_make(&x->names, buf_cstr(&prefix), span_str(x->served.nodes[f->node]),
				   f->list.header.signer_serial, f->list.bytes, ".tlv", out, e);
	buf_free(&prefix);
	return st;
}

static const char *verdict_word(const struct fetch *x, const struct served_file *f)
{
	if (verdict_is_good(f->v.verdict))
		return x->trusts ? "good" : "consistent";
	return verdict_is_bad(f->v.verdict) ? "BAD" : "UNTRUSTED";
}

/* Which of several contents, for those that differ. */
static void print_compared(const struct fetch *x, const struct served_file *f)
{
	const char *word = served_compared(&x->served, f);
	size_t n = served_versions(&x->served, f->name);

	if (*word == '\0')
		return;
	out_colour(strcmp(word, "same") == 0 ? OUT_GOOD : OUT_BAD);
	out_printf("%s", word);
	out_colour(OUT_PLAIN);
	if (n > 1 && f->version > 0)
		out_printf(" (%zu of %zu)", f->version, n);
	out_printf(", ");
}

static void print_list(const struct fetch *x, const struct served_file *f)
{
	struct tlv_record signer = tlv_list_signer_record(&f->list);
	struct buf name = BUF_INIT;
	char when[32];

	tlv_label_record(&name, &signer);
	out_colour(verdict_is_good(f->v.verdict) ? OUT_GOOD : OUT_BAD);
	out_printf("%s", verdict_word(x, f));
	out_colour(OUT_PLAIN);
	time_iso(f->list.header.timestamp, when);
	if (tlv_header_has(&f->list.header, TLV_H_TIMESTAMP))
		out_printf(", signed %s by ", when);
	else
		out_printf(", signed by ");
	out_text(buf_span(&name));
	out_printf(", MD5 %s, SHA-1 %s\n", f->md5, f->sha1);
	buf_free(&name);
}

static void print_file(const struct fetch *x, const struct served_file *f)
{
	out_safe(span_str(x->served.nodes[f->node]));
	out_printf(": %s: ", f->name);
	print_compared(x, f);
	switch (f->state) {
	case SERVED_LIST:
		print_list(x, f);
		break;
	case SERVED_MISSING:
		out_printf("missing\n");
		break;
	case SERVED_UNREADABLE:
		out_printf("unreadable: ");
		out_text(span_str(net_question_why(&f->answer, &f->fault)));
		out_printf("\n");
		break;
	case SERVED_UNREACHED:
		out_printf("not reached: ");
		out_text(span_str(net_question_why(&f->answer, &f->fault)));
		out_printf("\n");
		break;
	}
}

/* A TFTP node of CUCM has an ITL at least: one without any list is another server. */
static bool is_well(const struct served_sum *sum)
{
	return !sum->is_different && sum->silent == 0 && sum->bad == 0 && sum->lists > 0;
}

/* What the lines come to, the worst first. */
static void print_sum(const struct fetch *x, const struct served_sum *sum)
{
	size_t n = x->served.nnodes;
	bool well = is_well(sum);

	out_colour(well ? OUT_GOOD : OUT_BAD);
	if (sum->is_different)
		out_printf("different: the nodes do not serve the same CTL");
	else if (sum->silent > 0)
		out_printf("not known: %zu of %zu nodes did not answer", sum->silent, n);
	else if (sum->bad > 0)
		out_printf("not good: files that are no good lists: %zu", sum->bad);
	else if (sum->lists == 0)
		out_printf("no lists: no node serves a CTL or an ITL: do these nodes run TFTP?");
	else if (sum->ctls == 0)
		out_printf("not mixed: no node serves a CTL");
	else
		out_printf("same: all nodes serve one CTL (nodes: %zu)", n);
	out_colour(OUT_PLAIN);
	out_printf("\n");
}

static json_t *text_or_null(const char *text)
{
	return *text != '\0' ? json_string(text) : json_null();
}

static void set_list(json_t *o, const struct fetch *x, const struct served_file *f)
{
	bool is = f->state == SERVED_LIST;
	bool timed = is && tlv_header_has(&f->list.header, TLV_H_TIMESTAMP);
	char when[32];

	time_iso(timed ? f->list.header.timestamp : 0, when);
	out_json_set(o, "verdict",
		     !is ? json_null() :
		     verdict_is_good(f->v.verdict) && !x->trusts ?
			   json_string("consistent") :
			   json_string(verdict_text(f->v.verdict)));
	out_json_set(o, "errors", json_integer(is ? (json_int_t)f->v.findings.errors : 0));
	out_json_set(o, "length", is ? json_integer((json_int_t)f->list.bytes.n) : json_null());
	out_json_set(o, "md5", text_or_null(f->md5));
	out_json_set(o, "sha1", text_or_null(f->sha1));
	out_json_set(o, "timestamp", timed ? json_integer(f->list.header.timestamp) : json_null());
	out_json_set(o, "time", timed ? json_string(when) : json_null());
	if (is)
		out_json_set_text(o, "signer", tlv_text(f->list.header.signer_name));
	else
		out_json_set(o, "signer", json_null());
}

static json_t *file_json(struct fetch *x, const struct served_file *f, struct tlv_err *e)
{
	static const char *const states[] = { [SERVED_LIST] = "list",
					      [SERVED_MISSING] = "missing",
					      [SERVED_UNREADABLE] = "unreadable",
					      [SERVED_UNREACHED] = "unreached" };
	struct buf target = BUF_INIT;
	json_t *o = json_object();

	(void)put_target(x, f, &target, e);
	out_json_set(o, "node", json_string(x->served.nodes[f->node]));
	out_json_set(o, "name", json_string(f->name));
	out_json_set(o, "url", json_string(f->url));
	out_json_set(o, "state", json_string(states[f->state]));
	out_json_set(o, "compared", text_or_null(served_compared(&x->served, f)));
	out_json_set(o, "content",
		     f->version > 0 ? json_integer((json_int_t)f->version) : json_null());
	set_list(o, x, f);
	if (f->fault.status != ST_OK)
		out_json_set_text(o, "fault", span_str(err_text(&f->fault)));
	else
		out_json_set(o, "fault", json_null());
	out_json_set(o, "written", text_or_null(buf_cstr(&target)));
	buf_free(&target);
	return o;
}

static enum status report_json(struct fetch *x, const struct served_sum *sum, struct tlv_err *e)
{
	json_t *o = json_object(), *files = json_array();

	for (size_t i = 0; i < x->served.nfiles; i++)
		(void)json_array_append_new(files, file_json(x, &x->served.files[i], e));
	out_json_set(o, "nodes", json_integer((json_int_t)x->served.nnodes));
	out_json_set(o, "silent", json_integer((json_int_t)sum->silent));
	out_json_set(o, "bad", json_integer((json_int_t)sum->bad));
	out_json_set(o, "ctl",
		     json_string(sum->is_different ? "different" :
				 sum->is_open	   ? "unknown" :
				 sum->ctls == 0	   ? "none" :
						     "same"));
	out_json_set(o, "files", files);
	return e->status != ST_OK ? (json_decref(o), e->status) : out_json(o, e);
}

static enum status report(struct fetch *x, const struct served_sum *sum, struct tlv_err *e)
{
	if (opt_given(x->o, OPT_JSON))
		return report_json(x, sum, e);
	for (size_t i = 0; i < x->served.nfiles; i++)
		print_file(x, &x->served.files[i]);
	print_sum(x, sum);
	return ST_OK;
}

static enum status stage(struct fetch *x, const struct served_file *f, struct tlv_err *e)
{
	struct buf name = BUF_INIT;
	enum status st = put_target(x, f, &name, e);

	if (st == ST_OK && name.n > 0)
		st = fileset_add(&x->files, buf_cstr(&name), f->list.bytes, &x->publish, e);
	buf_free(&name);
	return st;
}

/* Also what is different or bad: somebody will want to look at it. */
static enum status write_all(struct fetch *x, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; x->dir != NULL && i < x->served.nfiles && st == ST_OK; i++)
		st = stage(x, &x->served.files[i], e);
	if (st == ST_OK)
		st = out_flush(e);
	/* Without a list there is no folder. */
	return st == ST_OK && x->files.n > 0 ? fileset_commit(&x->files, e) : st;
}

static enum status add_nodes(struct fetch *x, struct tlv_err *e)
{
	const char *list = opt_value(x->o, OPT_NODES);
	struct list_file f;
	enum status st = ST_OK;

	for (size_t i = 0; i < x->o->nargs && st == ST_OK; i++)
		st = served_add(&x->served, x->o->args[i], x->tftp, e);
	if (st != ST_OK || list == NULL)
		return st;
	st = list_file_read(&f, list, LIST_PRINTED, e);
	if (st == ST_OK && served_add_list(&x->served, &f.list, x->tftp, e) != ST_OK)
		st = err_in(e, "%s", list);
	list_file_free(&f);
	return st;
}

static enum status read_trust(struct fetch *x, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < x->o->n && st == ST_OK; i++)
		if (x->o->items[i].row->id == OPT_TRUST) {
			x->trusts = true;
			st = trust_add(&x->trust, x->o->items[i].value, &msg_warnings, e);
		}
	return st;
}

/* Before anything is read: the network's process, the folder, the sandbox. */
static enum status enter(struct fetch *x, struct tlv_err *e)
{
	unsigned seconds;
	enum status st = network_timeout(x->o, &seconds, e);

	if (st == ST_OK)
		st = common_publish_options(x->o, KIND_LIST, &x->publish, e);
	if (st == ST_OK)
		st = net_start(seconds, e);
	if (st != ST_OK)
		return st;
	if (x->dir == NULL) {
		common_read_only();
		return ST_OK;
	}
	st = fileset_open(&x->files, x->dir, e);
	return st == ST_OK ? common_write_beneath(x->dir, x->files.made, e) : st;
}

static enum status run(struct fetch *x, struct tlv_err *e)
{
	struct served_sum sum;
	enum status st = enter(x, e);

	if (st == ST_OK)
		st = add_nodes(x, e);
	if (st == ST_OK)
		st = read_trust(x, e);
	if (st == ST_OK)
		st = served_fetch(&x->served, opt_value(x->o, OPT_PHONE),
				  x->trusts ? &x->trust : NULL, e);
	if (st != ST_OK)
		return st;
	sum = served_sum(&x->served);
	st = report(x, &sum, e);
	if (st == ST_OK)
		st = write_all(x, e);
	if (st == ST_OK && !is_well(&sum))
		st = ST_NO;
	return st;
}

enum status cmd_fetch(const struct opts *o, struct tlv_err *e)
{
	struct fetch x = { .o = o,
			   .dir = opt_value(o, OPT_DIRECTORY),
			   .tftp = opt_given(o, OPT_TFTP_ONLY),
			   .trust = TRUST_INIT,
			   .served = SERVED_INIT,
			   .files = FILESET_INIT };
	const char *device = opt_value(o, OPT_PHONE);
	enum status st = ST_OK;

	if (o->nargs == 0 && opt_value(o, OPT_NODES) == NULL)
		st = err_set(e, ST_USAGE, "no node: name one or several, or a list with --nodes");
	if (st == ST_OK && device != NULL)
		st = common_device_check(device, e);
	if (st == ST_OK)
		st = run(&x, e);
	fileset_free(&x.files);
	filenames_free(&x.names);
	served_free(&x.served);
	trust_free(&x.trust);
	return st;
}
