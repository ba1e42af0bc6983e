/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signer/io/slurp.h"
#include "tlv/list.h"

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

struct walk {
	enum depth depth;
	folder_fn *fn;
	void *arg;
};

static int is_wanted(const struct dirent *d)
{
	return !is_left_out(d->d_name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static enum status cannot_read(const char *path, struct tlv_err *e)
{
	return errno == ENOMEM ? err_nomem(e) :
				 err_set(e, ST_INPUT, "%s: %s", path, strerror(errno));
}

/* A link to a file is that file. The type is one of DT_*, DT_UNKNOWN on some file systems. */
static enum status find_type(const char *path, unsigned char *type, struct tlv_err *e)
{
	struct stat st;

	if (*type == DT_UNKNOWN) {
		if (lstat(path, &st) != 0)
			return cannot_read(path, e);
		*type = (unsigned char)IFTODT(st.st_mode);
	}
	if (*type == DT_LNK && stat(path, &st) == 0 && S_ISREG(st.st_mode))
		*type = DT_REG;
	return ST_OK;
}

static enum status walk_folder(const struct walk *w, const char *path, struct tlv_err *e);

static enum status visit(const struct walk *w, const char *folder, const struct dirent *d,
			 struct tlv_err *e)
{
	size_t n = strlen(folder);
	unsigned char type = d->d_type;
	struct buf b = BUF_INIT;
	enum status st;

	buf_printf(&b, "%s%s%s", folder, n > 0 && folder[n - 1] == '/' ? "" : "/", d->d_name);
	st = buf_failed(&b, e);
	if (st == ST_OK)
		st = find_type(buf_cstr(&b), &type, e);
	if (st == ST_OK && type == DT_REG)
		st = w->fn(w->arg, buf_cstr(&b), false, e);
	else if (st == ST_OK && type == DT_DIR && w->depth == FOLDERS_BELOW)
		st = walk_folder(w, buf_cstr(&b), e);
	buf_free(&b);
	return st;
}

/* Not fts: it takes a folder for whole whose reading has failed. */
static enum status walk_folder(const struct walk *w, const char *path, struct tlv_err *e)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, is_wanted, by_name);
	enum status st = n < 0 ? cannot_read(path, e) : ST_OK;

	for (int i = 0; i < n; i++) {
		if (st == ST_OK)
			st = visit(w, path, names[i], e);
		free(names[i]);
	}
	free(names);
	return st;
}

bool folder_is(const char *path)
{
	struct stat st;

	return !path_is_url(path) && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

enum status folder_each(const char *path, folder_fn *fn, void *arg, struct tlv_err *e)
{
	const struct walk below = { FOLDERS_BELOW, fn, arg };

	if (folder_is(path))
		return walk_folder(&below, path, e);
	return fn(arg, path, true, e);
}

enum status folder_files(const char *path, folder_fn *fn, void *arg, struct tlv_err *e)
{
	const struct walk here = { THIS_FOLDER, fn, arg };
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return err_set(e, ST_INPUT, "%s: %s", path, strerror(ENOTDIR));
	return walk_folder(&here, path, e);
}

enum folder_file folder_file_begins(const char *path)
{
	uint8_t first[8];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = -1;
	bool known, regular;

	if (fd < 0)
		return FOLDER_FILE_UNREAD;
	known = fstat(fd, &st) == 0;
	/* What is read of a pipe is gone. */
	regular = known && S_ISREG(st.st_mode);
	if (regular)
		n = read(fd, first, sizeof first);
	(void)close(fd);
	if (known && !regular)
		return FOLDER_FILE_OTHER;
	if (n < 0)
		return FOLDER_FILE_UNREAD;
	return tlv_list_begins(span_of(first, (size_t)n)) ? FOLDER_FILE_LIST : FOLDER_FILE_OTHER;
}
