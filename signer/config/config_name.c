/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signer/config/config.h"
#include "signer/publish/publish.h"

#define SUFFIX ".sgn"
#define PHONE_SUFFIX ".cnf.xml"
#define LIST_SUFFIX ".tlv"

static bool ends_with(struct span text, const char *suffix)
{
	size_t n = strlen(suffix);

	return text.n >= n && strncasecmp((const char *)text.p + text.n - n, suffix, n) == 0;
}

/* Some servers and file systems leave out dots and blanks at a name's end. */
static struct span without_end(struct span name)
{
	while (name.n > 0 && (span_at(name, name.n - 1) == '.' || span_at(name, name.n - 1) <= ' '))
		name = span_slice(name, 0, name.n - 1);
	return name;
}

bool config_names_list(struct span name)
{
	return ends_with(without_end(name), LIST_SUFFIX);
}

/* The folder of path, with links resolved, below root: "", or "English_United_States/". */
static enum status below_root(const char *root, const char *path, struct buf *out,
			      struct tlv_err *e)
{
	size_t n = (size_t)(base_name(path) - path);
	char *folder = n > 0 ? strndup(path, n) : strdup(".");
	char *real = folder != NULL ? realpath(folder, NULL) : NULL;
	size_t nroot = strlen(root);
	enum status st = ST_OK;

	/* root is "/" or without a slash at its end */
	nroot = nroot == 1 ? 0 : nroot;
	if (real == NULL && errno == ENOMEM)
		st = err_nomem(e);
	else if (real == NULL)
		st = err_set(e, ST_INPUT, "its folder is not there");
	else if (strncmp(real, root, nroot) != 0 || (real[nroot] != '/' && real[nroot] != '\0'))
		st = err_set(e, ST_INPUT, "is not below '%s', the folder of --root", root);
	else if (real[nroot] == '/' && real[nroot + 1] != '\0')
		buf_printf(out, "%s/", real + nroot + 1);
	free(folder);
	free(real);
	return st;
}

/* What an action puts behind a name, or takes away from it. */
static const struct {
	const char *adds, *takes, *missing;
} endings[] = {
#define CONFIG_ACTION(NAME, word, outcome, adds, takes, missing) \
	[CONFIG_##NAME] = { adds, takes, missing },
#include "signer/config/config_actions.def"
#undef CONFIG_ACTION
};

static void put_folder(const struct config *c, const struct config_file *f, struct span below,
		       struct buf *out)
{
	if (c->dir != NULL)
		buf_printf(out, "%s/", c->dir);
	if (c->dir == NULL)
		buf_put(out, span_of(f->path, (size_t)(base_name(f->path) - f->path)));
	else
		buf_put(out, below);
}

/* "SEP001122334455.cnf.xml" and "….sgn": sign adds what strip takes away. */
static enum status put_output(const struct config *c, struct config_file *f, struct span below,
			      struct tlv_err *e)
{
	const char *takes = endings[c->action].takes, *adds = endings[c->action].adds;
	struct span base = span_str(base_name(f->path));

	put_folder(c, f, below, &f->output);
	if (takes != NULL && ends_with(base, takes))
		base = span_slice(base, 0, base.n - strlen(takes));
	else if (takes != NULL && c->dir == NULL)
		return err_set(e, ST_INPUT, "%s", endings[c->action].missing);
	buf_put(&f->output, base);
	buf_str(&f->output, adds != NULL ? adds : "");
	return buf_failed(&f->output, e);
}

static void put_filename(const struct config *c, struct config_file *f, struct span below)
{
	const char *adds = endings[c->action].adds;

	if (c->filename != NULL) {
		buf_str(&f->filename, c->filename);
		return;
	}
	buf_put(&f->filename, below);
	buf_str(&f->filename, base_name(f->path));
	buf_str(&f->filename, adds != NULL ? adds : "");
}

/* The plain signed file that stands beside an encrypted one. */
static enum status name_companion(const struct config *c, struct config_file *f, struct span below,
				  struct tlv_err *e)
{
	struct config_file *x;

	if (c->action != CONFIG_ENCRYPT)
		return ST_OK;
	if (!ends_with(span_str(f->path), PHONE_SUFFIX))
		return err_set(
			e, ST_INPUT,
			"its name does not end in .cnf.xml: only a phone's configuration is encrypted");
	x = f->companion = calloc(1, sizeof *x);
	if (x == NULL || (x->path = strdup(f->path)) == NULL)
		return err_nomem(e);
	put_folder(c, f, below, &x->output);
	buf_printf(&x->output, "%s" SUFFIX, base_name(f->path));
	buf_put(&x->filename, below);
	buf_printf(&x->filename, "%s" SUFFIX, base_name(f->path));
	(void)buf_failed(&x->filename, e);
	return buf_failed(&x->output, e);
}

/* What is named like a list would be taken for one: header and signed span are the same. */
static enum status check_names(const struct config *c, struct config_file *f, struct tlv_err *e)
{
	if (base_name(f->path)[0] == '\0')
		return err_set(e, ST_INPUT, "is a folder");
	if (c->action != CONFIG_STRIP && config_names_list(span_str(f->path)))
		return err_set(e, ST_INPUT,
			       "its name is a trust list's: lists are signed with 'ctlsign build'");
	if (config_signs(c->action) && config_names_list(buf_span(&f->filename)))
		return err_set(e, ST_INPUT, "FILENAME '%s' is a trust list's",
			       buf_cstr(&f->filename));
	return ST_OK;
}

void config_name(const struct config *c, struct config_file *f)
{
	struct buf below = BUF_INIT;
	enum status st = ST_OK;

	if (c->root != NULL)
		st = below_root(c->root, f->path, &below, &f->err);
	put_filename(c, f, buf_span(&below));
	if (st == ST_OK)
		st = check_names(c, f, &f->err);
	if (st == ST_OK && c->action != CONFIG_VERIFY)
		st = put_output(c, f, buf_span(&below), &f->err);
	if (st == ST_OK)
		st = name_companion(c, f, buf_span(&below), &f->err);
	if (st == ST_OK)
		(void)buf_failed(&f->filename, &f->err);
	buf_free(&below);
	if (f->err.status != ST_OK && f->err.status != ST_OUTPUT)
		(void)err_in(&f->err, "%s", f->path);
}
