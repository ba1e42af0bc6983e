/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/migration.h"
#include "signer/io/env.h"
#include "signer/io/filename.h"
#include "signer/io/out.h"

enum status migration_plan(struct migration *m, bool is_signed, struct tlv_err *e)
{
	struct migration_part *bridge = &m->parts[PART_BRIDGE];
	struct plan_input in = {
		.old_list = &m->old.list,
		.new_list = &m->parts[PART_FINAL].list,
		.bridge = bridge->name != NULL ? &bridge->list : NULL,
		.way_back = &m->parts[PART_WAY_BACK].list,
		.new_name = m->parts[PART_FINAL].name,
		.bridge_name = bridge->name,
		.way_back_name = m->parts[PART_WAY_BACK].name,
		.tvs = m->tvs,
		.release = &m->release,
		.uploads = "Phone-SAST-trust",
		.now = env_now(),
	};

	if (!is_signed) {
		in.new_key = migration_part_key(&m->parts[PART_FINAL]);
		in.bridge_key = bridge->name != NULL ? migration_part_key(bridge) : SPAN_NONE;
	}
	plan_free(&m->plan);
	return plan_make(&m->plan, &in, e);
}

/* New anchors, as CUCM's certificate upload takes them. */
static enum status add_uploads(const struct migration *m, struct tree *t, struct tlv_err *e)
{
	const struct entries *es = &m->parts[PART_FINAL].records.entries;
	struct filenames names = FILENAMES_INIT;
	enum status st = ST_OK;

	for (size_t i = 0; i < es->n && st == ST_OK; i++) {
		struct span der = buf_span(&es->v[i].cert.der);
		struct buf cn = BUF_INIT, file = BUF_INIT, path = BUF_INIT;

		if (es->v[i].role == TLV_ROLE_SAST &&
		    !tlv_list_has(&m->old.list, TLV_ROLE_SAST, der)) {
			(void)tlv_name_cn(es->v[i].cert.parts.subject, &cn);
			st = filename_make(&names, NULL, buf_span(&cn), es->v[i].cert.parts.serial,
					   der, ".cer", &file, e);
			buf_printf(&path, "Phone-SAST-trust/%s", buf_cstr(&file));
			if (st == ST_OK)
				st = tree_add(t, buf_cstr(&path), der, e);
		}
		buf_free(&cn);
		buf_free(&file);
		buf_free(&path);
	}
	filenames_free(&names);
	return st;
}

static enum status add_plan(struct migration *m, struct tree *t, struct tlv_err *e)
{
	struct buf text = BUF_INIT, html = BUF_INIT;
	enum status st = migration_plan(m, true, e);

	if (st == ST_OK) {
		plan_text(&m->plan, &text);
		st = buf_failed(&text, e);
	}
	if (st == ST_OK)
		st = plan_html(&m->plan, &html, e);
	if (st == ST_OK)
		st = tree_add(t, "plan.txt", buf_span(&text), e);
	if (st == ST_OK)
		st = tree_add(t, "plan.html", buf_span(&html), e);
	buf_free(&text);
	buf_free(&html);
	return st;
}

static enum status report_json(const struct migration *m, struct tlv_err *e)
{
	json_t *o = json_object(), *lists = json_array();

	for (int i = 0; i < PARTS; i++)
		if (m->parts[i].name != NULL)
			(void)json_array_append_new(
				lists, deliver_json(m->parts[i].name,
						    buf_span(&m->parts[i].signing.list)));
	out_json_set_text(o, "folder", span_str(m->folder));
	(void)json_object_set_new(o, "lists", lists);
	(void)json_object_set_new(o, "plan", out_json_answer(plan_json(&m->plan)));
	return out_json(o, e);
}

static enum status report(const struct migration *m, struct tlv_err *e)
{
	enum status st = ST_OK;

	if (opt_given(m->o, OPT_JSON))
		st = report_json(m, e);
	else
		out_printf("\n");
	for (int i = 0; i < PARTS && st == ST_OK && !opt_given(m->o, OPT_JSON); i++) {
		struct buf name = BUF_INIT;

		if (m->parts[i].name == NULL)
			continue;
		buf_printf(&name, "%s/%s", m->folder, m->parts[i].name);
		st = deliver_report(buf_cstr(&name), buf_span(&m->parts[i].signing.list), e);
		buf_free(&name);
	}
	return st == ST_OK ? out_flush(e) : st;
}

enum status migration_write(struct migration *m, struct tlv_err *e)
{
	struct tree *t = NULL;
	enum status st = tree_begin(&t, m->folder, &m->tree, e);

	for (int i = 0; i < PARTS && st == ST_OK; i++)
		if (m->parts[i].name != NULL)
			st = tree_add(t, m->parts[i].name, buf_span(&m->parts[i].signing.list), e);
	if (st == ST_OK)
		st = tree_add(t, "present/CTLFile.tlv", blob_span(&m->old.file), e);
	if (st == ST_OK)
		st = add_uploads(m, t, e);
	if (st == ST_OK)
		st = add_plan(m, t, e);
	if (st == ST_OK)
		st = tree_add_sums(t, e);
	/* The folder must not be in its place when its checksums cannot be said. */
	if (st == ST_OK)
		st = report(m, e);
	if (st == ST_OK)
		st = tree_commit(t, e);
	tree_free(&t);
	return st;
}
