/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/plan_recovery.h"

#include <stdlib.h>
#include <string.h>

#include "signer/cli/cluster_lists.h"
#include "signer/cli/common.h"
#include "signer/cli/confine.h"
#include "signer/cli/plan_outlet.h"
#include "signer/io/env.h"
#include "signer/io/folder.h"
#include "signer/io/out.h"
#include "signer/plan/forecast/cluster_read.h"
#include "signer/plan/recover/recover.h"
#include "signer/text/when.h"

/* A list that phones hold, as a folder has it. */
struct held {
	struct list_file file;
	struct cluster_filled filled; /* of a printed list */
	char *path;
};

struct job {
	const struct opts *o;
	struct cluster_lists lists;
	struct release release;
	struct cluster cluster;
	struct cluster_state now;
	struct crowd_groups groups;
	struct held **held; /* owned, each of them: a list stays where it is */
	size_t nheld, held_cap;
	struct recover_held *sorted;
	struct recovery recovery;
};

static void held_free(struct held *h)
{
	list_file_free(&h->file);
	tlv_list_free(&h->filled.list);
	buf_free(&h->filled.bytes);
	free(h->path);
	free(h);
}

/*
 * A damaged list was published once, as a file or as what a log shows: phones may hold it, and
 * nobody can say what it means. Anything else in the folder is no list.
 */
static enum status judge_fault(struct job *j, struct held *h, struct tlv_err *e)
{
	if (h->file.fault.status == ST_OK) {
		j->held[j->nheld++] = h;
		return ST_OK;
	}
	if (h->file.log != NULL || list_file_looks_like_list(&h->file, h->path)) {
		*e = h->file.fault;
		held_free(h);
		return e->status;
	}
	msg_warn("%s", err_text(&h->file.fault));
	held_free(h);
	return ST_OK;
}

enum { HELD = LIST_FOUND | LIST_PRINTED | LIST_DAMAGED };

/* A list of a log that was read is taken from `of`, if there is one. */
static enum status add_list(struct job *j, const char *path, const struct list_file *of,
			    size_t number, struct tlv_err *e)
{
	struct held *h = calloc(1, sizeof *h);
	enum status st;

	if (h == NULL || (h->path = strdup(path)) == NULL ||
	    !ARRAY_ROOM(j->held, j->nheld, j->held_cap)) {
		free(h != NULL ? h->path : NULL);
		free(h);
		return err_nomem(e);
	}
	st = of != NULL ? list_file_of_log(&h->file, of, number, h->path, HELD, e) :
			  list_file_read(&h->file, h->path, HELD, e);
	if (st != ST_OK) {
		held_free(h);
		return st;
	}
	return judge_fault(j, h, e);
}

/* LOG#1, LOG#2, … of a log that holds several lists. It is read with the first one. */
static enum status add_each(struct job *j, const char *path, struct tlv_err *e)
{
	const struct list_file *of = NULL;
	enum status st = ST_OK;
	size_t first = j->nheld;

	for (size_t i = 1; st == ST_OK && (of == NULL || i <= of->log->lists.n); i++) {
		struct buf name = BUF_INIT;

		buf_printf(&name, "%s#%zu", path, i);
		st = buf_failed(&name, e);
		if (st == ST_OK)
			st = add_list(j, buf_cstr(&name), of, i, e);
		if (st == ST_OK)
			of = &j->held[first]->file;
		buf_free(&name);
	}
	return st;
}

static enum status add_held(void *arg, const char *path, bool named, struct tlv_err *e)
{
	struct tlv_err own = TLV_ERR_INIT;
	enum status st = add_list(arg, path, NULL, 0, &own);

	(void)named;
	if (st == ST_AMBIGUOUS)
		return add_each(arg, path, e);
	return st == ST_OK ? ST_OK : err_copy(e, &own);
}

static enum status read_held(struct job *j, struct tlv_err *e)
{
	const char *folder = opt_value(j->o, OPT_INSTALLED_DIR);
	enum status st;

	if (folder == NULL)
		return err_set(
			e, ST_USAGE,
			"what do the phones hold? name the folder of their lists with '--installed-dir'");
	st = folder_each(folder, add_held, j, e);
	if (st != ST_OK)
		return st;
	if (j->nheld == 0)
		return err_set(e, ST_INPUT, "%s: no list in this folder", folder);
	j->sorted = calloc(j->nheld, sizeof *j->sorted);
	if (j->sorted == NULL)
		return err_nomem(e);
	for (size_t i = 0; st == ST_OK && i < j->nheld; i++) {
		j->lists.stands_in |= j->held[i]->file.list.printed;
		st = cluster_list_know(&j->lists.standins, &j->held[i]->file, j->held[i]->path, e);
	}
	return st;
}

/* The time of its file says which printed list is the latest. */
static enum status check_time(const struct list_file *f, const char *name, struct tlv_err *e)
{
	int64_t seconds;

	if (!f->list.printed || (f->printed != NULL && when_parse(f->printed->modified, &seconds)))
		return ST_OK;
	return err_set(
		e, ST_INPUT,
		"%s: the line 'last modified on' is missing, and it says which list is the latest: copy the whole output of 'show ctl' or 'show itl'",
		name);
}

/* After the lists of today: what stands for a certificate that is printed there stands here too. */
static enum status fill_held(struct job *j, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < j->lists.n; i++)
		st = check_time(&j->lists.files[i], j->o->args[i], e);
	for (size_t i = 0; st == ST_OK && i < j->nheld; i++) {
		struct held *h = j->held[i];
		bool printed = h->file.list.printed;

		st = check_time(&h->file, h->path, e);
		if (st == ST_OK && printed &&
		    cluster_list_fill(&j->lists.standins, &h->file, &h->filled, e) != ST_OK)
			st = err_in(e, "%s", h->path);
		j->sorted[i] =
			(struct recover_held){ .list = printed ? &h->filled.list : &h->file.list,
					       .path = h->path };
	}
	/* After a failure not all of them have a path. */
	if (st == ST_OK)
		recover_sort_held(j->sorted, j->nheld);
	return st;
}

static enum status read_groups(struct job *j, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < j->o->n; i++)
		if (j->o->items[i].row->id == OPT_GROUP)
			st = crowd_group(&j->groups, &j->cluster, j->o->items[i].value, e);
	return st;
}

/* Bit n: recover_need n, which is not there. */
static unsigned missing(const struct opts *o)
{
	unsigned all = 0;

	for (size_t i = 0; i < o->n; i++)
		for (int n = 0; n < RECOVER_NEEDS && o->items[i].row->id == OPT_WITHOUT; n++)
			if (strcmp(o->items[i].value, recover_need_word((enum recover_need)n)) == 0)
				all |= 1U << n;
	return all;
}

static enum status prepare(struct job *j, struct tlv_err *e)
{
	static const enum opt_id others[] = { OPT_RENEW,	  OPT_SAST_TRUST, OPT_TVS_CTL,
					      OPT_ACCEPT_LOCKOUT, OPT_BLANK_ITL,  OPT_ASK_TVS };
	enum status st = opt_refuse(j->o, others, COUNT(others), "--recover", e);

	if (st == ST_OK)
		st = read_held(j, e);
	if (st == ST_OK)
		st = cluster_lists_read(&j->lists, j->o, LIST_PRINTED, &j->release, e);
	if (st == ST_OK)
		st = fill_held(j, e);
	if (st == ST_OK)
		st = cluster_read_drifted(&j->cluster, j->lists.v, j->lists.n, &j->release, &j->now,
					  e);
	return st == ST_OK ? read_groups(j, e) : st;
}

static void make_text(const void *job, struct buf *out)
{
	recover_text(&((const struct job *)job)->recovery, out);
}

static json_t *make_json(const void *job)
{
	return recover_json(&((const struct job *)job)->recovery);
}

static enum status make_page(const void *job, struct buf *out, struct tlv_err *e)
{
	return recover_html(&((const struct job *)job)->recovery, out, e);
}

static void job_free(struct job *j)
{
	recover_free(&j->recovery);
	cluster_free(&j->cluster);
	cluster_lists_free(&j->lists);
	for (size_t i = 0; i < j->nheld; i++)
		held_free(j->held[i]);
	free(j->held);
	free(j->sorted);
	free(j);
}

enum status plan_recovery(const struct opts *o, struct tlv_err *e)
{
	struct job *j = calloc(1, sizeof *j); /* a cluster is large */
	enum status st;

	if (j == NULL)
		return err_nomem(e);
	j->o = o;
	confine_to_file(opt_value(o, OPT_HTML), opt_given(o, OPT_FOLLOW));
	st = prepare(j, e);
	if (st == ST_OK)
		st = recover_make(&j->recovery,
				  &(struct recover_input){ .c = &j->cluster,
							   .now = &j->now,
							   .groups = &j->groups,
							   .held = j->sorted,
							   .nheld = j->nheld,
							   .missing = missing(o),
							   .standins = &j->lists.standins,
							   .time = env_now() },
				  e);
	if (st == ST_OK)
		st = plan_outlet_put(&(struct plan_outlet){ .o = o,
							    .plan = j,
							    .text = make_text,
							    .json = make_json,
							    .page = make_page },
				     e);
	if (st == ST_OK && recover_refused(&j->recovery))
		st = ST_NO;
	job_free(j);
	return st;
}
