/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/publish/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signer/publish/disk.h"
#include "signer/io/out.h"
#include "signer/publish/sums.h"

struct tree {
	char *path; /* where it will stand; owned */
	const char *name;
	int parent_fd, fd; /* fd: the temporary folder, held under a lock */
	char temp[NAME_MAX + 1];
	struct buf sums;
	bool committed;
};

static enum status split(struct tree *t, const char *path, struct tlv_err *e)
{
	struct stat st;
	char *slash;
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	t->path = strndup(path, n);
	if (t->path == NULL)
		return err_nomem(e);
	if (lstat(t->path, &st) == 0)
		return err_set(e, ST_OUTPUT, "is there already: name a new folder");
	slash = strrchr(t->path, '/');
	t->name = slash != NULL ? slash + 1 : t->path;
	if (*t->name == '\0' || strlen(t->name) > DISK_NAME_MAX)
		return err_set(e, ST_OUTPUT, "no name for a folder, or too long a one");
	if (slash == NULL) {
		t->parent_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} else {
		*slash = '\0';
		t->parent_fd =
			open(slash == t->path ? "/" : t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		*slash = '/';
	}
	return t->parent_fd >= 0 ? ST_OK : disk_failed(e, "its folder cannot be opened");
}

enum status tree_begin(struct tree **out, const char *path, struct tlv_err *e)
{
	struct tree *t = calloc(1, sizeof *t);
	enum status st;

	*out = t;
	if (t == NULL)
		return err_nomem(e);
	t->parent_fd = t->fd = -1;
	st = split(t, path, e);
	if (st == ST_OK) {
		disk_sweep(t->parent_fd, t->name);
		st = disk_temp(t->parent_fd, t->name, S_IFDIR, t->temp, &t->fd, e);
	}
	if (st == ST_OK)
		return ST_OK;
	tree_free(out);
	return err_in(e, "%s", path);
}

enum status tree_check(const char *path, struct tlv_err *e)
{
	struct tree t = { .parent_fd = -1, .fd = -1 };
	enum status st = split(&t, path, e);

	if (st == ST_OK && faccessat(t.parent_fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
		st = disk_failed(e, "cannot be made in its folder");
	if (t.parent_fd >= 0)
		(void)close(t.parent_fd);
	free(t.path);
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}

/* Whole, for everybody to read, and on the disk. */
static enum status fill(int fd, struct span bytes, struct tlv_err *e)
{
	enum status st = disk_write(fd, bytes, e);

	if (st == ST_OK && fchmod(fd, 0644) != 0)
		st = disk_failed(e, "its mode cannot be set");
	return st == ST_OK ? disk_sync(fd, e) : st;
}

/* The folder of "folder/file", made where it is missing; the tree's own for "file". */
static int folder_fd(const struct tree *t, const char *name, const char **file)
{
	const char *slash = strchr(name, '/');
	char folder[NAME_MAX + 1];
	int fd;

	*file = slash != NULL ? slash + 1 : name;
	if (slash == NULL)
		return fcntl(t->fd, F_DUPFD_CLOEXEC, 0);
	(void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
	if (mkdirat(t->fd, folder, 0755) != 0 && errno != EEXIST)
		return -1;
	fd = openat(t->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fchmod(fd, 0755) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

enum status tree_add(struct tree *t, const char *name, struct span bytes, struct tlv_err *e)
{
	const char *file;
	int dir = folder_fd(t, name, &file);
	int fd = dir >= 0 ? openat(dir, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				   0644) :
			    -1;
	enum status st = fd >= 0 ? fill(fd, bytes, e) : disk_failed(e, "cannot be made");

	if (fd >= 0 && close(fd) != 0 && st == ST_OK)
		st = disk_failed(e, "cannot be written");
	if (st == ST_OK)
		st = disk_sync(dir, e);
	if (dir >= 0)
		(void)close(dir);
	if (st == ST_OK)
		st = sums_line(&t->sums, name, bytes, e);
	return st == ST_OK ? ST_OK : err_in(e, "%s/%s", t->path, name);
}

enum status tree_add_sums(struct tree *t, struct tlv_err *e)
{
	struct buf sums = t->sums;
	enum status st;

	t->sums = BUF_INIT;
	st = tree_add(t, "SHA256SUMS", buf_span(&sums), e);
	buf_free(&sums);
	return st;
}

enum status tree_commit(struct tree *t, const struct tlv_warn *warn, struct tlv_err *e)
{
	enum status st = err_nomem_seen() ? err_nomem(e) : ST_OK;

	if (st == ST_OK && fchmod(t->fd, 0755) != 0)
		st = disk_failed(e, "its mode cannot be set");
	if (st == ST_OK)
		st = disk_sync(t->fd, e);
	if (st == ST_OK &&
	    renameat2(t->parent_fd, t->temp, t->parent_fd, t->name, RENAME_NOREPLACE) != 0)
		st = disk_failed(e, "cannot be put in its place");
	if (st != ST_OK)
		return err_in(e, "%s", t->path);
	t->committed = true;
	msg_step("made folder %s", t->path);
	if (disk_sync(t->parent_fd, NULL) != ST_OK)
		warn_put(warn, "%s: is written, but its folder cannot be brought to the disk: %s",
			 t->path, strerror(errno));
	return ST_OK;
}

void tree_free(struct tree **t)
{
	if (*t == NULL)
		return;
	if ((*t)->fd >= 0 && !(*t)->committed)
		disk_remove_folder((*t)->parent_fd, (*t)->temp);
	if ((*t)->fd >= 0)
		(void)close((*t)->fd);
	if ((*t)->parent_fd >= 0)
		(void)close((*t)->parent_fd);
	buf_free(&(*t)->sums);
	free((*t)->path);
	free(*t);
	*t = NULL;
}
