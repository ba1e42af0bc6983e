/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signer/io/slurp.h"
#include "tlv/list.h"

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_regular(const FTSENT *f)
{
	struct stat st;

	if (f->fts_info == FTS_F)
		return true;
	return f->fts_info == FTS_SL && stat(f->fts_accpath, &st) == 0 && S_ISREG(st.st_mode);
}

size_t folder_copy_of(const char *name)
{
	enum { DIGITS_MAX = 9 };
	size_t n = strlen(name), digits = 0;

	if (n < 5 || name[n - 1] != '~')
		return 0;
	while (digits < n - 1 && strchr("0123456789", name[n - 2 - digits]) != NULL)
		digits++;
	if (digits == 0 || digits > DIGITS_MAX || n < digits + 4 || name[n - 1 - digits] == '0')
		return 0;
	n -= digits + 3;
	return strncmp(name + n, ".~", 2) == 0 ? n : 0;
}

static bool is_left_out(const char *name)
{
	return name[0] == '.' || folder_copy_of(name) > 0;
}

enum depth { THIS_FOLDER, FOLDERS_BELOW };

static enum status visit(FTS *fts, FTSENT *f, enum depth depth, folder_fn *fn, void *arg,
			 struct tlv_err *e)
{
	if (depth == THIS_FOLDER && f->fts_info == FTS_D && f->fts_level > FTS_ROOTLEVEL) {
		(void)fts_set(fts, f, FTS_SKIP);
		return ST_OK;
	}
	if (f->fts_info == FTS_DNR || f->fts_info == FTS_ERR || f->fts_info == FTS_NS)
		return err_set(e, ST_INPUT, "%s: %s", f->fts_path, strerror(f->fts_errno));
	if (f->fts_level > FTS_ROOTLEVEL && is_left_out(f->fts_name)) {
		(void)fts_set(fts, f, FTS_SKIP);
		return ST_OK;
	}
	return is_regular(f) ? fn(arg, f->fts_path, false, e) : ST_OK;
}

static enum status walk(const char *path, enum depth depth, folder_fn *fn, void *arg,
			struct tlv_err *e)
{
	char *root = strdup(path);
	char *const roots[] = { root, NULL };
	FTS *fts = root != NULL ?
			   fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name) :
			   NULL;
	enum status st = fts != NULL ? ST_OK : err_nomem(e);

	while (st == ST_OK) {
		FTSENT *f;

		errno = 0;
		f = fts_read(fts);
		if (f == NULL && errno != 0)
			st = err_set(e, ST_INPUT, "%s: %s", path, strerror(errno));
		if (f == NULL)
			break;
		st = visit(fts, f, depth, fn, arg, e);
	}
	if (fts != NULL)
		(void)fts_close(fts);
	free(root);
	return st;
}

bool folder_is(const char *path)
{
	struct stat st;

	return !path_is_url(path) && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

enum status folder_each(const char *path, folder_fn *fn, void *arg, struct tlv_err *e)
{
	if (folder_is(path))
		return walk(path, FOLDERS_BELOW, fn, arg, e);
	return fn(arg, path, true, e);
}

enum status folder_files(const char *path, folder_fn *fn, void *arg, struct tlv_err *e)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return err_set(e, ST_INPUT, "%s: %s", path, strerror(ENOTDIR));
	return walk(path, THIS_FOLDER, fn, arg, e);
}

enum folder_file folder_file_begins(const char *path)
{
	uint8_t first[8];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = -1;
	bool regular;

	if (fd < 0)
		return FOLDER_FILE_UNREAD;
	/* What is read of a pipe is gone. */
	regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	if (regular)
		n = read(fd, first, sizeof first);
	(void)close(fd);
	if (!regular)
		return FOLDER_FILE_OTHER;
	if (n < 0)
		return FOLDER_FILE_UNREAD;
	return tlv_list_begins(span_of(first, (size_t)n)) ? FOLDER_FILE_LIST : FOLDER_FILE_OTHER;
}
