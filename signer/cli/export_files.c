/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/export_run.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/list/json.h"
#include "signer/publish/publish.h"
#include "tlv/label.h"
#include "tlv/name.h"

static void warn_dates(struct export_item *it)
{
	int64_t now = env_now();
	char when[32];

	if (now > it->facts.not_after) {
		time_iso(it->facts.not_after, when);
		msg_warn("%s: expired on %s", buf_cstr(&it->name), when);
	} else if (now < it->facts.not_before) {
		time_iso(it->facts.not_before, when);
		msg_warn("%s: not valid before %s", buf_cstr(&it->name), when);
	}
}

static enum status name_item(struct export_run *x, struct export_item *it, struct tlv_err *e)
{
	const struct tlv_cert *c = &it->cert.parts;
	struct buf label = BUF_INIT;
	enum status st;

	if (!tlv_name_cn(c->subject, &label) || label.n == 0)
		buf_str(&label, "certificate");
	st = filename_make(&x->names, NULL, buf_span(&label), c->serial, c->der, ".cer", &it->name,
			   e);
	if (st == ST_OK && x->prove) {
		buf_put(&it->proof_name, span_slice(buf_span(&it->name), 0, it->name.n - 4));
		buf_str(&it->proof_name, ".proof");
		st = buf_failed(&it->proof_name, e);
	}
	buf_free(&label);
	return st;
}

enum status export_fill(struct export_run *x, struct export_item *it, struct tlv_err *e)
{
	enum status st = name_item(x, it, e);

	if (st == ST_OK && x->pem)
		st = cert_to_pem(buf_span(&it->cert.der), &it->bytes, e);
	else if (st == ST_OK)
		buf_put(&it->bytes, buf_span(&it->cert.der));
	if (st == ST_OK)
		warn_dates(it);
	return st == ST_OK ? buf_failed(&it->bytes, e) : st;
}

/* "DIR/name"; the caller frees b. */
static const char *path_of(const struct export_run *x, const char *name, struct buf *b)
{
	buf_truncate(b, 0);
	buf_printf(b, "%s/%s", x->dir, name);
	return buf_cstr(b);
}

/* Whether the files can be written, before anybody is asked for a PIN. */
static enum status check_item(const struct export_run *x, struct export_item *it, struct tlv_err *e)
{
	struct buf path = BUF_INIT;
	enum status st = publish_check_bytes(path_of(x, buf_cstr(&it->name), &path),
					     buf_span(&it->bytes), &x->publish, e);

	if (st == ST_OK && x->prove)
		st = publish_check_bytes(path_of(x, buf_cstr(&it->proof_name), &path), SPAN_NONE,
					 &x->publish, e);
	buf_free(&path);
	return st;
}

/* Of a folder that is to be made: whether that can be. */
static enum status check_parent(const struct export_run *x, struct tlv_err *e)
{
	struct publish_options opt = x->publish;
	struct span dir = span_str(x->dir);
	enum status st;
	char *bare;

	while (dir.n > 1 && span_at(dir, dir.n - 1) == '/')
		dir = span_slice(dir, 0, dir.n - 1);
	bare = span_dup(dir);
	st = bare != NULL ? publish_check(bare, &opt, e) : err_nomem(e);
	free(bare);
	return st;
}

enum status export_check_output(struct export_run *x, struct tlv_err *e)
{
	struct buf path = BUF_INIT;
	struct stat there;
	enum status st = ST_OK;

	if (stat(x->dir, &there) != 0)
		return check_parent(x, e);
	for (size_t i = 0; i < x->n && st == ST_OK; i++)
		st = check_item(x, &x->items[i], e);
	if (st == ST_OK)
		st = sums_read(&x->sums, path_of(x, SUMS_NAME, &path), x->publish.overwrite, e);
	buf_free(&path);
	return st;
}

static enum status begin_file(struct export_run *x, struct buf *name, const struct buf *bytes,
			      struct tlv_err *e)
{
	enum status st = fileset_add(&x->files, buf_cstr(name), buf_span(bytes), &x->publish, e);

	return st == ST_OK ? sums_add(&x->sums, buf_cstr(name), buf_span(bytes), e) : st;
}

static enum status begin_item(struct export_run *x, struct export_item *it, struct tlv_err *e)
{
	enum status st = begin_file(x, &it->name, &it->bytes, e);

	if (st == ST_OK && x->prove)
		st = begin_file(x, &it->proof_name, &it->proof, e);
	return st;
}

static enum status begin_sums(struct export_run *x, struct tlv_err *e)
{
	struct buf text = BUF_INIT;
	enum status st = sums_text(&x->sums, &text, e);

	if (st == ST_OK)
		st = fileset_add(&x->files, SUMS_NAME, buf_span(&text), &x->sums.opt, e);
	buf_free(&text);
	return st;
}

enum status export_begin(struct export_run *x, struct tlv_err *e)
{
	enum status st = x->is_open ? ST_OK : fileset_open(&x->files, x->dir, e);

	for (size_t i = 0; i < x->n && st == ST_OK; i++)
		st = begin_item(x, &x->items[i], e);
	return st == ST_OK ? begin_sums(x, e) : st;
}

static void print_item(const struct export_run *x, struct export_item *it)
{
	struct buf path = BUF_INIT, label = BUF_INIT;
	char when[32];

	time_iso(it->facts.not_after, when);
	tlv_label_cert(&label, &it->cert.parts);
	out_safe(span_str(path_of(x, buf_cstr(&it->name), &path)));
	out_printf(": ");
	out_text(buf_span(&label));
	buf_free(&label);
	out_printf(", valid until %s, SHA-1 ", when);
	out_hex(span_of(it->facts.sha1, sizeof it->facts.sha1), HEX_LOWER, "");
	out_printf("\n");
	if (x->prove) {
		time_iso(it->proven, when);
		out_safe(span_str(path_of(x, buf_cstr(&it->proof_name), &path)));
		out_printf(": the token has the key, %s\n", when);
	}
	buf_free(&path);
}

static json_t *proof_json(const struct export_run *x, struct export_item *it)
{
	json_t *o;
	char when[32];

	if (!x->prove)
		return json_null();
	o = json_object();
	time_iso(it->proven, when);
	out_json_set_text(o, "file", buf_span(&it->proof_name));
	(void)json_object_set_new(o, "time", json_string(when));
	return o;
}

static json_t *item_json(const struct export_run *x, struct export_item *it)
{
	json_t *o = json_object();

	out_json_set_text(o, "file", buf_span(&it->name));
	if (it->uri != NULL)
		out_json_set_text(o, "uri", span_str(it->uri));
	else
		(void)json_object_set_new(o, "record", json_integer((json_int_t)it->record));
	(void)json_object_set_new(o, "certificate", list_json_certificate(buf_span(&it->cert.der)));
	(void)json_object_set_new(o, "proof", proof_json(x, it));
	return o;
}

enum status export_report(const struct export_run *x, struct tlv_err *e)
{
	json_t *o, *items;
	enum status st;

	if (!opt_given(x->o, OPT_JSON)) {
		for (size_t i = 0; i < x->n; i++)
			print_item(x, &x->items[i]);
		return out_flush(e);
	}
	o = json_object();
	items = json_array();
	for (size_t i = 0; i < x->n; i++)
		(void)json_array_append_new(items, item_json(x, &x->items[i]));
	out_json_set_text(o, "folder", span_str(x->dir));
	(void)json_object_set_new(o, "exported", items);
	st = out_json(o, e);
	return st == ST_OK ? out_flush(e) : st;
}
