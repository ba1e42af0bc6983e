/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/common.h"
#include "signer/cli/confine.h"
#include "signer/cli/verb.h"
#include "signer/io/out.h"
#include "signer/text/hints.h"

static enum status check_options(const struct opts *o, struct tlv_err *e)
{
	uint64_t timestamp = 0;

	if (opt_value(o, OPT_OUTPUT) == NULL)
		return err_set(e, ST_USAGE, "where does the list go? name a file with '-o'");
	if (!opt_given(o, OPT_LIST_CERTS))
		return err_set(
			e, ST_USAGE,
			"where are the list's certificates? name a log, a file or a folder with '--certs'");
	if (!opt_given(o, OPT_SIGNED_AT))
		return ST_OK;
	if (opt_number(o, OPT_SIGNED_AT, UINT32_MAX, &timestamp, e) != ST_OK)
		return e->status;
	hints_set_timestamp((uint32_t)timestamp);
	return ST_OK;
}

/* ST_NO with what is missing, or ST_INPUT if the file is no log with a list. */
static enum status rebuilt(const struct list_file *f, const char *arg, struct tlv_err *e)
{
	if (f->rebuilt)
		return ST_OK;
	if (f->not_rebuilt.status != ST_OK) {
		(void)err_copy(e, &f->not_rebuilt);
		return err_in(e, "%s", arg);
	}
	return err_set(e, ST_INPUT, "%s: is the list itself already: there is nothing to rebuild",
		       arg);
}

static json_t *answer(const struct opts *o, const struct list_file *f, const char *md5,
		      const char *sha1)
{
	json_t *a = json_object();

	out_json_set_text(a, "file", span_str(opt_value(o, OPT_OUTPUT)));
	(void)json_object_set_new(a, "rebuilt", json_true());
	(void)json_object_set_new(a, "length", json_integer((json_int_t)f->file.n));
	(void)json_object_set_new(a, "md5", json_string(md5));
	(void)json_object_set_new(a, "sha1", json_string(sha1));
	(void)json_object_set_new(a, "timestamp", json_integer(f->list.header.timestamp));
	return a;
}

static enum status report(const struct opts *o, const struct list_file *f, struct tlv_err *e)
{
	char md5[33], sha1[41];
	enum status st = checksums(blob_span(&f->file), md5, sha1, e);

	if (st != ST_OK)
		return st;
	if (opt_given(o, OPT_JSON)) {
		st = out_json(answer(o, f, md5, sha1), e);
	} else {
		out_safe(span_str(opt_value(o, OPT_OUTPUT)));
		out_printf(": %zu bytes\n%s(MD5)\n%s(SHA1)\nrebuilt: MD5 and SHA-1 as printed\n",
			   f->file.n, md5, sha1);
	}
	return st == ST_OK ? out_flush(e) : st;
}

enum status cmd_rebuild(const struct opts *o, struct tlv_err *e)
{
	struct list_file f = { .fault = TLV_ERR_INIT };
	struct publish_options options = { .follow = false };
	struct publication *p = NULL;
	enum status st = check_options(o, e);

	if (st == ST_OK)
		st = common_publish_options(o, KIND_LIST, &options, e);
	options.stream = true;
	confine_to_file(opt_value(o, OPT_OUTPUT), options.follow);
	if (st == ST_OK)
		st = list_file_read(&f, o->args[0], LIST_PRINTED | LIST_QUIET, e);
	if (st == ST_OK)
		st = rebuilt(&f, o->args[0], e);
	if (st == ST_OK)
		st = publish_begin(&p, opt_value(o, OPT_OUTPUT), blob_span(&f.file), &options, e);
	if (st == ST_OK)
		st = report(o, &f, e);
	if (st == ST_OK)
		st = publish_commit(p, e);
	publish_free(&p);
	list_file_free(&f);
	return st;
}
