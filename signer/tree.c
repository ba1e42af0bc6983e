/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signer/digest.h"
#include "signer/out.h"

#define TEMP_MARK ".ctlsign-"

struct tree {
	char *path; /* where it will stand; owned */
	const char *name;
	int parent_fd, fd; /* fd: the temporary folder, held under a lock */
	char temp[NAME_MAX + 1];
	struct buf sums;
	bool committed;
};

static enum status failed(struct tlv_err *e, const char *what)
{
	return err_set(e, ST_OUTPUT, "%s: %s", what, strerror(errno));
}

/* Takes a folder's files and subfolders away, two levels deep as ours are, never through links. */
static void remove_folder(int parent_fd, const char *name, int depth)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, d->d_name, 0) != 0 && depth > 0)
			remove_folder(fd, d->d_name, depth - 1);
	}
	(void)closedir(dir);
	(void)unlinkat(parent_fd, name, AT_REMOVEDIR);
}

static void sweep_one(int parent_fd, const char *name)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		remove_folder(parent_fd, name, 1);
	(void)close(fd);
}

static void sweep(const struct tree *t)
{
	char prefix[NAME_MAX + 1];
	int fd = openat(t->parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	(void)snprintf(prefix, sizeof prefix, ".%s" TEMP_MARK, t->name);
	for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir))
		if (strncmp(d->d_name, prefix, strlen(prefix)) == 0 &&
		    strlen(d->d_name) == strlen(prefix) + 8)
			sweep_one(t->parent_fd, d->d_name);
	(void)closedir(dir);
}

static enum status make_temp(struct tree *t, struct tlv_err *e)
{
	struct stat st;

	for (unsigned i = 0; i < 64; i++) {
		(void)snprintf(t->temp, sizeof t->temp, ".%s" TEMP_MARK "%04x%04x", t->name,
			       (unsigned)getpid() & 0xffffU, i);
		if (mkdirat(t->parent_fd, t->temp, 0700) != 0) {
			if (errno == EEXIST)
				continue;
			return failed(e, "cannot be made in its folder");
		}
		t->fd = openat(t->parent_fd, t->temp,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		/* Another run's sweep may have come between: then once more. */
		if (t->fd >= 0 && flock(t->fd, LOCK_EX | LOCK_NB) == 0 && fstat(t->fd, &st) == 0 &&
		    st.st_nlink > 0)
			return ST_OK;
		if (t->fd >= 0)
			(void)close(t->fd);
		t->fd = -1;
	}
	return err_set(e, ST_OUTPUT, "no temporary name is free in its folder");
}

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
	if (*t->name == '\0' || strlen(t->name) > NAME_MAX - sizeof(TEMP_MARK) - 16)
		return err_set(e, ST_OUTPUT, "no name for a folder, or too long a one");
	if (slash == NULL) {
		t->parent_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} else {
		*slash = '\0';
		t->parent_fd =
			open(slash == t->path ? "/" : t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		*slash = '/';
	}
	return t->parent_fd >= 0 ? ST_OK : failed(e, "its folder cannot be opened");
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
		sweep(t);
		st = make_temp(t, e);
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
		st = failed(e, "cannot be made in its folder");
	if (t.parent_fd >= 0)
		(void)close(t.parent_fd);
	free(t.path);
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}

static enum status write_all(int fd, struct span bytes, struct tlv_err *e)
{
	while (bytes.n > 0) {
		ssize_t w = write(fd, bytes.p, bytes.n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return failed(e, "cannot be written");
		bytes = span_slice(bytes, (size_t)w, bytes.n);
	}
	if (fchmod(fd, 0644) != 0 || fsync(fd) != 0)
		return failed(e, "cannot be brought to the disk");
	return ST_OK;
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

static enum status note_sum(struct tree *t, const char *name, struct span bytes, struct tlv_err *e)
{
	struct digest d;
	enum status st = digest_parts(TLV_SHA256, &bytes, 1, &d, e);

	for (size_t i = 0; i < d.n && st == ST_OK; i++)
		buf_printf(&t->sums, "%02x", d.bytes[i]);
	buf_printf(&t->sums, "  %s\n", name);
	return st == ST_OK ? buf_failed(&t->sums, e) : st;
}

enum status tree_add(struct tree *t, const char *name, struct span bytes, struct tlv_err *e)
{
	const char *file;
	int dir = folder_fd(t, name, &file);
	int fd = dir >= 0 ? openat(dir, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				   0644) :
			    -1;
	enum status st = fd >= 0 ? write_all(fd, bytes, e) : failed(e, "cannot be made");

	if (fd >= 0 && close(fd) != 0 && st == ST_OK)
		st = failed(e, "cannot be written");
	if (dir >= 0 && fsync(dir) != 0 && st == ST_OK)
		st = failed(e, "cannot be brought to the disk");
	if (dir >= 0)
		(void)close(dir);
	if (st == ST_OK)
		st = note_sum(t, name, bytes, e);
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
	enum status st = ST_OK;

	if (fchmod(t->fd, 0755) != 0 || fsync(t->fd) != 0)
		st = failed(e, "cannot be brought to the disk");
	else if (renameat2(t->parent_fd, t->temp, t->parent_fd, t->name, RENAME_NOREPLACE) != 0)
		st = failed(e, "cannot be put in its place");
	if (st != ST_OK)
		return err_in(e, "%s", t->path);
	t->committed = true;
	msg_step("made folder %s", t->path);
	if (fsync(t->parent_fd) != 0)
		warn_put(warn, "%s: is written, but its folder cannot be brought to the disk: %s",
			 t->path, strerror(errno));
	return ST_OK;
}

void tree_free(struct tree **t)
{
	if (*t == NULL)
		return;
	if ((*t)->fd >= 0 && !(*t)->committed)
		remove_folder((*t)->parent_fd, (*t)->temp, 1);
	if ((*t)->fd >= 0)
		(void)close((*t)->fd);
	if ((*t)->parent_fd >= 0)
		(void)close((*t)->parent_fd);
	buf_free(&(*t)->sums);
	free((*t)->path);
	free(*t);
	*t = NULL;
}
