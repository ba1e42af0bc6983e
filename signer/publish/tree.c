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

#include "signer/io/out.h"
#include "signer/publish/backup.h"
#include "signer/publish/beneath.h"
#include "signer/publish/place.h"
#include "signer/publish/sums.h"

enum { SUMS_MAX = 1 << 20 };

struct tree {
	char *path; /* where it will stand; owned */
	const char *name;
	int parent_fd, fd; /* fd: the temporary folder, held under a lock */
	char temp[NAME_MAX + 1], copy[NAME_MAX + 1];
	const struct tree_options *opt;
	struct buf sums;
	bool committed;
};

/* Nothing, or a folder that may be put aside. */
static enum status look(const struct tree *t, struct tlv_err *e)
{
	struct stat st;

	if (lstat(t->path, &st) != 0)
		return errno == ENOENT ? ST_OK : place_failed(e, "cannot look at it");
	if (place_is_unfinished(&st))
		return ST_OK;
	if (!t->opt->overwrite)
		return err_set(
			e, ST_OUTPUT,
			"is there already: name a new folder, or put this one aside with --overwrite");
	return S_ISDIR(st.st_mode) ? ST_OK : err_set(e, ST_OUTPUT, "is no folder: name a new one");
}

static enum status split(struct tree *t, const char *path, struct tlv_err *e)
{
	char *slash;
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	t->path = strndup(path, n);
	if (t->path == NULL)
		return err_nomem(e);
	if (look(t, e) != ST_OK)
		return ST_OUTPUT;
	slash = strrchr(t->path, '/');
	t->name = slash != NULL ? slash + 1 : t->path;
	if (*t->name == '\0' || strlen(t->name) > PLACE_NAME_MAX)
		return err_set(e, ST_OUTPUT, "the name of the folder is empty or too long");
	if (slash == NULL) {
		t->parent_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} else {
		*slash = '\0';
		t->parent_fd =
			open(slash == t->path ? "/" : t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		*slash = '/';
	}
	return t->parent_fd >= 0 ? ST_OK : place_failed(e, "its folder cannot be opened");
}

enum status tree_begin(struct tree **out, const char *path, const struct tree_options *opt,
		       struct tlv_err *e)
{
	struct tree *t = calloc(1, sizeof *t);
	enum status st;

	*out = t;
	if (t == NULL)
		return err_nomem(e);
	t->parent_fd = t->fd = -1;
	t->opt = opt;
	st = split(t, path, e);
	if (st == ST_OK) {
		place_sweep(t->parent_fd, t->name);
		place_sweep_unfinished(t->parent_fd, t->name);
		st = place_temp(t->parent_fd, t->name, S_IFDIR, t->temp, &t->fd, e);
	}
	if (st == ST_OK)
		return ST_OK;
	tree_free(out);
	return err_in(e, "%s", path);
}

enum status tree_check(const char *path, const struct tree_options *opt, struct tlv_err *e)
{
	struct tree t = { .parent_fd = -1, .fd = -1, .opt = opt };
	enum status st = split(&t, path, e);

	if (st == ST_OK && t.parent_fd >= 0 &&
	    faccessat(t.parent_fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
		st = place_failed(e, "cannot be made in its folder");
	if (t.parent_fd >= 0)
		(void)close(t.parent_fd);
	free(t.path);
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}

/* Whole, for everybody to read, and on the disk. */
static enum status fill(int fd, struct span bytes, struct tlv_err *e)
{
	enum status st = place_write(fd, bytes, e);

	if (st == ST_OK && fchmod(fd, 0644) != 0)
		st = place_failed(e, "its mode cannot be set");
	return st == ST_OK ? place_sync(fd, e) : st;
}

/* The folder of "folder/file", made if it is missing; the tree's own for "file". */
static int folder_fd(const struct tree *t, const char *name, const char **file)
{
	const char *slash = strchr(name, '/');
	char folder[NAME_MAX + 1] = "";
	int fd;

	*file = slash != NULL ? slash + 1 : name;
	if (slash != NULL)
		(void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
	fd = beneath_folder(t->fd, folder, true);
	if (fd >= 0 && slash != NULL && fchmod(fd, 0755) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

enum status tree_add(struct tree *t, const char *name, struct span bytes, struct tlv_err *e)
{
	const char *file;
	int dir = folder_fd(t, name, &file);
	int fd = dir >= 0 ? beneath_open(dir, file, O_WRONLY | O_CREAT | O_EXCL, 0644) : -1;
	enum status st = fd >= 0 ? fill(fd, bytes, e) : place_failed(e, "cannot be made");

	if (fd >= 0 && close(fd) != 0 && st == ST_OK)
		st = place_failed(e, "cannot be written");
	if (st == ST_OK)
		st = place_sync(dir, e);
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
	st = tree_add(t, SUMS_NAME, buf_span(&sums), e);
	buf_free(&sums);
	return st;
}

static int rename_new(const struct tree *t, const char *from, const char *to)
{
	return renameat2(t->parent_fd, from, t->parent_fd, to, RENAME_NOREPLACE);
}

/* What a kept folder holds, and whether its sums know all of it. */
struct contents {
	struct buf sums, inside; /* "" or "folder/" */
	bool known;
};

static void look_inside(int dir_fd, const char *entry, void *arg)
{
	struct contents *c = arg;
	struct buf name = BUF_INIT;
	int sub = c->inside.n == 0 ? beneath_folder(dir_fd, entry, false) : -1;

	buf_put(&name, buf_span(&c->inside));
	buf_str(&name, entry);
	if (sub >= 0) {
		buf_printf(&c->inside, "%s/", entry);
		place_each(sub, look_inside, c);
		buf_truncate(&c->inside, 0);
		(void)close(sub);
	} else if (strcmp(buf_cstr(&name), SUMS_NAME) != 0) {
		c->known = c->known && sums_has(buf_span(&c->sums), buf_span(&name));
	}
	c->known = c->known && name.failed == ST_OK && c->inside.failed == ST_OK;
	buf_free(&name);
}

static void read_sums(int fd, struct buf *out)
{
	int sums = beneath_open(fd, SUMS_NAME, O_RDONLY | O_NONBLOCK, 0);
	uint8_t room[4096];
	ssize_t n;

	while (sums >= 0 && out->n < SUMS_MAX && (n = read(sums, room, sizeof room)) > 0)
		buf_put(out, span_of(room, (size_t)n));
	if (sums >= 0)
		(void)close(sums);
}

/* A folder of ours to which nobody has added a file. */
static bool is_kept(int fd)
{
	struct contents c = { .known = true };
	struct stat st;

	read_sums(fd, &c.sums);
	c.known = c.sums.n > 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid();
	if (c.known)
		place_each(fd, look_inside, &c);
	buf_free(&c.sums);
	buf_free(&c.inside);
	return c.known;
}

static bool is_kept_folder(int dir_fd, const char *entry, uid_t owner)
{
	int fd = beneath_folder(dir_fd, entry, false);
	bool is = fd >= 0 && is_kept(fd);

	(void)owner;
	if (fd >= 0)
		(void)close(fd);
	return is;
}

/*
 * What is emptied is what was looked at. Others who may rename here cannot empty our folders, and
 * could give the name to any of them.
 */
static int remove_kept_folder(int dir_fd, const char *entry, uid_t owner)
{
	int fd = beneath_folder(dir_fd, entry, false);
	bool is;

	(void)owner;
	if (fd < 0)
		return -1;
	is = is_kept(fd);
	if (is)
		place_remove_folder(dir_fd, entry, fd);
	(void)close(fd);
	return is && faccessat(dir_fd, entry, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? -1 : 0;
}

static const struct backup_kind kept_folders = { is_kept_folder, remove_kept_folder };

/* The folder that is there gets the name of a copy. */
static enum status put_aside(struct tree *t, struct tlv_err *e)
{
	enum { TRIES = 100000 };
	struct stat st;
	unsigned next;

	if (!t->opt->overwrite || fstatat(t->parent_fd, t->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return ST_OK;
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ST_OUTPUT, "is no folder");
	next = backup_next(t->parent_fd, t->name, 0, &kept_folders, e);
	if (next == 0)
		return ST_NOMEM;
	for (unsigned i = 0; i < TRIES; i++) {
		backup_name(t->copy, t->name, next + i);
		if (rename_new(t, t->name, t->copy) == 0)
			return ST_OK;
		if (errno != EEXIST)
			break;
	}
	t->copy[0] = '\0';
	return place_failed(e, "the old folder cannot be kept beside it");
}

static void prune(const struct tree *t)
{
	struct tlv_err own = TLV_ERR_INIT;

	if (t->copy[0] != '\0' &&
	    backup_prune(t->parent_fd, t->name, 0, &kept_folders, t->opt->keep, &own) != ST_OK)
		warn_put(&t->opt->warn, "%s: is written, but an old copy is left: %s", t->path,
			 err_text(&own));
}

/*
 * The mark goes when the folder stands: one that a killed run has left under
 * its temporary name is known by it.
 */
static enum status put_in_place(const struct tree *t, struct tlv_err *e)
{
	if (rename_new(t, t->temp, t->name) != 0)
		return place_failed(e, "cannot be put in its place");
	if (fchmod(t->fd, 0755) == 0)
		return ST_OK;
	(void)place_failed(e, "its mode cannot be set");
	(void)rename_new(t, t->name, t->temp);
	return ST_OUTPUT;
}

static void sync_places(const struct tree *t)
{
	if (place_sync(t->fd, NULL) != ST_OK || place_sync(t->parent_fd, NULL) != ST_OK)
		warn_put(&t->opt->warn,
			 "%s: is written, but its folder cannot be synced to the disk: %s", t->path,
			 strerror(errno));
}

/* Between the two no folder stands there. */
static enum status take_place(struct tree *t, struct tlv_err *e)
{
	enum status st;
	sigset_t before;

	place_signals_wait(&before);
	st = put_aside(t, e);
	if (st == ST_OK)
		st = put_in_place(t, e);
	if (st != ST_OK && t->copy[0] != '\0')
		(void)rename_new(t, t->copy, t->name);
	place_signals_go(&before);
	return st;
}

enum status tree_commit(struct tree *t, struct tlv_err *e)
{
	enum status st = err_nomem_seen() ? err_nomem(e) : place_sync(t->fd, e);

	if (st == ST_OK)
		st = take_place(t, e);
	if (st != ST_OK)
		return err_in(e, "%s", t->path);
	t->committed = true;
	msg_step("made folder %s", t->path);
	sync_places(t);
	prune(t);
	return ST_OK;
}

void tree_free(struct tree **t)
{
	if (*t == NULL)
		return;
	if ((*t)->fd >= 0 && !(*t)->committed)
		place_remove_folder((*t)->parent_fd, (*t)->temp, (*t)->fd);
	if ((*t)->fd >= 0)
		(void)close((*t)->fd);
	if ((*t)->parent_fd >= 0)
		(void)close((*t)->parent_fd);
	buf_free(&(*t)->sums);
	free((*t)->path);
	free(*t);
	*t = NULL;
}
