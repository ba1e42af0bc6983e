/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "signer/cli/config_run.h"
#include "signer/cli/verb.h"
#include "signer/io/out.h"

static bool feed(void *arg, size_t slot)
{
	struct config_run *r = arg;
	struct config_file *f = &r->files[slot];
	enum status st = ST_OK;

	for (;;) {
		if (batch_signal() != 0 || atomic_load(&r->c.key_failed) || err_nomem_seen())
			return false;
		f->path = names_next(&r->names, &st);
		r->nomem = r->nomem || st != ST_OK;
		if (f->path == NULL)
			return false;
		config_name(&r->c, f);
		if (!config_is_named_twice(r, f))
			return true;
		config_file_free(f);
		r->names.total--;
	}
}

static void prepare(void *arg, size_t slot)
{
	struct config_run *r = arg;

	config_prepare(&r->c, &r->files[slot]);
}

static void sign(void *arg, size_t slot)
{
	struct config_run *r = arg;

	config_sign(&r->c, &r->files[slot]);
}

static void finish(void *arg, size_t slot)
{
	struct config_run *r = arg;

	config_finish(&r->c, &r->files[slot]);
}

/* The companion first: a phone that finds it alone asks for the other one, and again. */
static size_t add_items(struct publish_item *items, size_t count, struct config_file *f)
{
	if (f->companion != NULL && f->companion->publication != NULL)
		items[count++] =
			(struct publish_item){ .p = f->companion->publication, .e = &f->err };
	items[count] = (struct publish_item){ .p = f->publication,
					      .e = &f->err,
					      .pair = f->companion != NULL };
	return count + 1;
}

static void commit(void *arg, size_t first, size_t n)
{
	struct config_run *r = arg;
	struct publish_item items[2 * BATCH_GROUP];
	size_t count = 0, slots = batch_slots(r->batch);

	for (size_t i = first; i < first + n; i++) {
		struct config_file *f = &r->files[i % slots];

		if (f->publication != NULL && f->err.status == ST_OK)
			count = add_items(items, count, f);
	}
	publish_commit_group(items, count);
	for (size_t i = first; i < first + n; i++) {
		struct config_file *f = &r->files[i % slots];

		publish_free(&f->publication);
		if (f->companion != NULL)
			publish_free(&f->companion->publication);
	}
}

static bool token_signs(const struct config_run *r)
{
	return r->c.key != NULL && key_token(r->c.key) != NULL;
}

/* At a token one more waits, so that each session goes from one signature to the next. */
static unsigned signers(const struct config_run *r)
{
	return token_signs(r) ? r->jobs + 1 : r->jobs;
}

/*
 * Who waits for a token does nothing else: as many as --jobs says work beside those. A key file's
 * signature keeps a processor busy, and one beside them is enough.
 */
static unsigned workers(const struct config_run *r)
{
	if (!config_signs(r->c.action))
		return r->jobs;
	return token_signs(r) ? r->jobs + signers(r) : r->jobs + 1;
}

static enum status begin_batch(struct config_run *r, struct tlv_err *e)
{
	bool signs = config_signs(r->c.action);
	/* Nothing is held back for a group if nothing is written. */
	const struct batch_ops ops = { .feed = feed,
				       .prepare = prepare,
				       .sign = signs ? sign : NULL,
				       .finish = signs ? finish : NULL,
				       .commit = r->c.action == CONFIG_VERIFY ? NULL : commit,
				       .report = config_report_file,
				       .idle = config_report_idle };
	enum status st = publish_group_new(&r->c.group, r->c.dir, e);

	if (st == ST_OK)
		st = batch_new(&r->batch, &ops, r, workers(r), signers(r), e);
	if (st != ST_OK)
		return st;
	r->files = calloc(batch_slots(r->batch), sizeof *r->files);
	return r->files != NULL ? ST_OK : err_nomem(e);
}

static enum status run_batch(struct config_run *r, struct tlv_err *e)
{
	enum status st;

	config_report_begin(r);
	batch_catch_signals();
	st = batch_run(r->batch, e);
	config_report_end(r, st == ST_OK);
	return st;
}

/* 8 if the token failed, else 3 if a file failed; 1 if all were read and any is not good. */
static enum status verdict(const struct config_run *r)
{
	if (r->token)
		return ST_TOKEN;
	if (r->nomem)
		return ST_NOMEM;
	if (r->counts[CONFIG_FAILED] > 0)
		return ST_INPUT;
	return r->counts[CONFIG_BAD] + r->counts[CONFIG_UNVERIFIED] > 0 ? ST_NO : ST_OK;
}

static void free_run(struct config_run *r)
{
	batch_free(&r->batch);
	free(r->files);
	publish_group_free(&r->c.group);
	key_free(&r->c.key);
	cert_free(&r->c.phone);
	config_trust_free(&r->c.trust);
	inputs_free(&r->c.inputs);
	names_free(&r->names);
	buf_free(&r->record);
	config_results_free(r);
	free(r->root);
}

enum status cmd_config(const struct opts *o, struct tlv_err *e)
{
	struct config_run r = { .o = o };
	enum status st = config_read_options(&r, e);

	if (st == ST_OK)
		st = begin_batch(&r, e);
	if (st == ST_OK && config_signs(r.c.action) && r.names.total > 0)
		st = key_login(r.c.key, e);
	if (st == ST_OK)
		st = run_batch(&r, e);
	if (st == ST_OK)
		st = verdict(&r);
	free_run(&r);
	if (batch_signal() != 0) {
		(void)out_flush(NULL);
		batch_end_by_signal();
	}
	return st;
}
