/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/common.h"
#include "signer/list/diff.h"
#include "signer/io/out.h"
#include "signer/cli/verb.h"

static void print_line(void *arg, const char *line)
{
	(void)arg;
	out_printf("%s\n", line);
}

static void print_file(const char *label, const char *path)
{
	out_printf("%s: ", label);
	out_safe(span_str(path));
	out_printf("\n");
}

static enum status print_text(const struct opts *o, const struct diff *d, struct tlv_err *e)
{
	print_file("old", o->args[0]);
	print_file("new", o->args[1]);
	return diff_print(d, print_line, NULL, e);
}

static enum status print_json(const struct opts *o, const struct diff *d, struct tlv_err *e)
{
	json_t *all = json_object(), *rest = diff_json(d);

	out_json_set_text(all, "old", span_str(o->args[0]));
	out_json_set_text(all, "new", span_str(o->args[1]));
	if (json_object_update_new(all, rest) != 0) {
		json_decref(all);
		return err_nomem(e);
	}
	return out_json(all, e);
}

enum status cmd_diff(const struct opts *o, struct tlv_err *e)
{
	struct list_file old = { .fault = TLV_ERR_INIT }, new = { .fault = TLV_ERR_INIT };
	struct diff d = { .n = 0 };
	enum status st;

	common_read_only();
	st = list_file_read(&old, o->args[0], LIST_PRINTED, e);
	if (st == ST_OK)
		st = list_file_read(&new, o->args[1], LIST_PRINTED, e);
	if (st == ST_OK)
		st = common_alike((struct list_file *const[]){ &old, &new }, 2, e);
	if (st == ST_OK)
		st = diff_lists(&d, &old.list, &new.list, e);
	if (st == ST_OK)
		st = opt_given(o, OPT_JSON) ? print_json(o, &d, e) : print_text(o, &d, e);
	if (st == ST_OK && !d.same)
		st = ST_NO;
	diff_free(&d);
	list_file_free(&new);
	list_file_free(&old);
	return st;
}
