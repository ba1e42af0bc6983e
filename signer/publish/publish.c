/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/publish/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signer/publish/disk.h"
#include "signer/io/out.h"

enum { NEW_MODE = 0644 };

/* A folder that several files are written into: open as long as one of them is under way. */
struct folder {
	char *path; /* owned */
	int fd;	    /* -1: closed */
	size_t users;
	bool unsynced; /* names in it have changed */
};

struct publish_batch {
	pthread_mutex_t lock;
	struct folder **v; /* every folder so far, owned */
	size_t n, cap, last;
};

/* A file under way: the folder, the target's name in it, the temporary name and its descriptor. */
struct publication {
	struct publish_batch *batch; /* or NULL: the folder's descriptor is our own */
	struct folder *shared;
	dev_t device; /* where the temporary file is */
	mode_t mode;  /* that it was made with */
	uint64_t at;  /* bytes written */
	char *folder;
	const char *name;
	char *path; /* owned; name points into it */
	int dir_fd, fd;
	char temp[NAME_MAX + 1], backup[NAME_MAX + 1];
	bool exists;
	struct stat old;
	const struct publish_options *opt;
	const char *shown; /* the path as it was given, for messages */
	bool done;	   /* nothing is left to commit */
	bool placed;	   /* it stands under its own name */
};

static void folder_put(struct publish_batch *b, struct folder *f)
{
	(void)pthread_mutex_lock(&b->lock);
	if (--f->users == 0) {
		(void)close(f->fd);
		f->fd = -1;
	}
	(void)pthread_mutex_unlock(&b->lock);
}

static void release(struct publication *p)
{
	if (p->fd >= 0 && !p->placed)
		(void)unlinkat(p->dir_fd, p->temp, 0);
	if (p->fd >= 0)
		(void)close(p->fd);
	if (p->shared != NULL)
		folder_put(p->batch, p->shared);
	else if (p->dir_fd >= 0)
		(void)close(p->dir_fd);
	free(p->folder);
	free(p->path);
}

static enum status split(struct publication *p, const char *path, bool follow, struct tlv_err *e)
{
	const char *slash;

	/* With --follow the file behind the link is the target, and its folder holds the temporary file. */
	p->path = follow ? realpath(path, NULL) : NULL;
	if (p->path == NULL)
		p->path = strdup(path);
	if (p->path == NULL)
		return err_nomem(e);
	slash = strrchr(p->path, '/');
	p->name = slash != NULL ? slash + 1 : p->path;
	p->folder = slash == NULL ?
			    strdup(".") :
			    strndup(p->path, slash == p->path ? 1 : (size_t)(slash - p->path));
	if (p->folder == NULL)
		return err_nomem(e);
	if (p->name[0] == '\0' || strlen(p->name) > DISK_NAME_MAX) {
		(void)err_set(e, ST_OUTPUT, "no name for a file, or too long a one");
		return ST_OUTPUT;
	}
	return ST_OK;
}

static enum status look_at_target(struct publication *p, const struct publish_options *opt,
				  struct tlv_err *e)
{
	struct stat now;

	if (fstatat(p->dir_fd, p->name, &now, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? ST_OK : disk_failed(e, "cannot look at it");
	p->old = now;
	p->exists = true;
	if (S_ISLNK(p->old.st_mode))
		return err_set(
			e, ST_OUTPUT,
			"is a symbolic link: name the file itself, or write through it with --follow");
	if (S_ISDIR(p->old.st_mode))
		return err_set(e, ST_OUTPUT, "is a folder");
	if (!S_ISREG(p->old.st_mode))
		return err_set(e, ST_OUTPUT, "is not a regular file");
	if (opt->replaces != NULL &&
	    (opt->replaces->st_dev != p->old.st_dev || opt->replaces->st_ino != p->old.st_ino ||
	     opt->replaces->st_size != p->old.st_size ||
	     opt->replaces->st_mtim.tv_sec != p->old.st_mtim.tv_sec ||
	     opt->replaces->st_mtim.tv_nsec != p->old.st_mtim.tv_nsec))
		return err_set(e, ST_OUTPUT,
			       "was changed by somebody else meanwhile: run this again");
	return ST_OK;
}

static enum status open_folder(struct publication *p, struct tlv_err *e)
{
	p->dir_fd = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->dir_fd >= 0 ? ST_OK : disk_failed(e, "its folder cannot be opened");
}

static enum status begin(struct publication *p, const char *path, const struct publish_options *opt,
			 struct tlv_err *e)
{
	enum status st;

	*p = (struct publication){ .dir_fd = -1, .fd = -1 };
	st = split(p, path, opt->follow, e);
	if (st == ST_OK)
		st = open_folder(p, e);
	return st == ST_OK ? look_at_target(p, opt, e) : st;
}

static enum status make_temp(struct publication *p, struct tlv_err *e)
{
	struct stat st;

	if (disk_temp(p->dir_fd, p->name, p->exists ? 0600 : NEW_MODE, p->temp, &p->fd, e) != ST_OK)
		return ST_OUTPUT;
	if (fstat(p->fd, &st) != 0)
		return disk_failed(e, "its temporary file cannot be looked at");
	p->device = st.st_dev;
	p->mode = st.st_mode & 07777U;
	return ST_OK;
}

static enum status set_mode(const struct publication *p, struct tlv_err *e)
{
	mode_t mode = p->exists ? p->old.st_mode & 07777U : NEW_MODE;

	/* Owner first: changing it clears the set-id bits of the mode. */
	if (p->exists && fchown(p->fd, p->old.st_uid, p->old.st_gid) != 0)
		return disk_failed(e, "its owner cannot be kept");
	if ((p->exists || mode != p->mode) && fchmod(p->fd, mode) != 0)
		return disk_failed(e, "its mode cannot be set");
	return ST_OK;
}

/* The old file under another name, by a link: it is never without one. N is the first that is free. */
static enum status keep_old(struct publication *p, struct tlv_err *e)
{
	for (unsigned n = 1; n < 100000; n++) {
		(void)snprintf(p->backup, sizeof p->backup, "%s.~%u~", p->name, n);
		if (linkat(p->dir_fd, p->name, p->dir_fd, p->backup, 0) == 0)
			return ST_OK;
		if (errno != EEXIST)
			break;
	}
	p->backup[0] = '\0';
	return disk_failed(e, "the old file cannot be kept beside it");
}

static enum status swap(struct publication *p, bool backup, struct tlv_err *e)
{
	if (backup && p->exists && keep_old(p, e) != ST_OK)
		return ST_OUTPUT;
	if (renameat(p->dir_fd, p->temp, p->dir_fd, p->name) == 0)
		return ST_OK;
	(void)disk_failed(e, "cannot be put in its place");
	if (p->backup[0] != '\0')
		(void)unlinkat(p->dir_fd, p->backup, 0);
	return ST_OUTPUT;
}

/* Two descriptors' bytes from their beginnings on. */
static bool same_bytes(int a, int b)
{
	uint8_t x[8192], y[8192];
	off_t at = 0;

	for (;;) {
		ssize_t n = pread(a, x, sizeof x, at);
		ssize_t m = pread(b, y, sizeof y, at);

		if (n < 0 || n != m || !span_eq(span_of(x, (size_t)n), span_of(y, (size_t)n)))
			return false;
		if (n == 0)
			return true;
		at += n;
	}
}

static int open_target(const struct publication *p)
{
	return openat(p->dir_fd, p->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

/* What was written piece by piece is compared at the end only. */
static enum status keep_equal(struct publication *p, struct tlv_err *e)
{
	int fd = open_target(p);
	bool same = fd >= 0 && same_bytes(fd, p->fd);

	if (fd >= 0)
		(void)close(fd);
	return same ? ST_OK : err_set(e, ST_OUTPUT, "is there already, with other content");
}

/* Under its own name; the disk does not know yet. */
static enum status put_in_place(struct publication *p, const struct publish_options *opt,
				struct tlv_err *e)
{
	bool existed = p->exists;
	enum status st;

	p->exists = false;
	st = look_at_target(p, opt, e);
	if (st == ST_OK && (existed || opt->replaces != NULL) && !p->exists)
		st = err_set(e, ST_OUTPUT,
			     "was taken away by somebody else meanwhile: run this again");
	if (st == ST_OK && opt->no_replace && p->exists)
		return keep_equal(p, e);
	if (st != ST_OK)
		return st;
	st = swap(p, opt->backup, e);
	p->placed = st == ST_OK;
	return st;
}

/* The file is in its place: what can still fail is only how soon the disk knows. */
static void sync_folder(const struct publication *p)
{
	if (disk_sync(p->dir_fd, NULL) != ST_OK)
		warn_put(&p->opt->warn,
			 "%s: is written, but its folder cannot be brought to the disk: %s",
			 p->name, strerror(errno));
}

static enum status commit(struct publication *p, const struct publish_options *opt,
			  struct tlv_err *e)
{
	enum status st = err_nomem_seen() ? err_nomem(e) : put_in_place(p, opt, e);

	if (st == ST_OK && p->placed)
		sync_folder(p);
	return st;
}

/* The file is there already, with these very bytes. */
static bool same_content(const struct publication *p, struct span bytes)
{
	uint8_t chunk[8192];
	int fd = open_target(p);
	bool same = fd >= 0 && (uint64_t)p->old.st_size == bytes.n;
	ssize_t r = 1;

	while (same && bytes.n > 0) {
		r = read(fd, chunk, sizeof chunk);
		same = r > 0 && span_starts(bytes, span_of(chunk, (size_t)r));
		bytes = same ? span_slice(bytes, (size_t)r, bytes.n) : bytes;
	}
	if (fd >= 0)
		(void)close(fd);
	return same;
}

static enum status write_temp(struct publication *p, struct span bytes, struct tlv_err *e)
{
	enum status st;

	disk_sweep(p->dir_fd, p->name);
	st = make_temp(p, e);
	if (st == ST_OK)
		st = disk_write(p->fd, bytes, e);
	if (st == ST_OK)
		st = set_mode(p, e);
	return st == ST_OK ? disk_sync(p->fd, e) : st;
}

enum status publish_begin(struct publication **out, const char *path, struct span bytes,
			  const struct publish_options *opt, struct tlv_err *e)
{
	struct publication *p = calloc(1, sizeof *p);
	enum status st;

	*out = p;
	if (p == NULL)
		return err_nomem(e);
	st = begin(p, path, opt, e);
	p->opt = opt;
	p->shown = path;
	p->done = st == ST_OK && opt->no_replace && p->exists;
	if (p->done && !same_content(p, bytes))
		st = err_set(e, ST_OUTPUT, "is there already, with other content");
	else if (st == ST_OK && !p->done)
		st = write_temp(p, bytes, e);
	if (st == ST_OK)
		return ST_OK;
	publish_free(out);
	(void)err_in(e, "%s", path);
	return st;
}

enum status publish_commit(struct publication *p, struct tlv_err *e)
{
	enum status st = p->done ? ST_OK : commit(p, p->opt, e);

	if (st == ST_OK)
		msg_step("%s %s", p->done ? "left as it is:" : "wrote", p->shown);
	p->done = p->done || st == ST_OK;
	return st == ST_OK ? ST_OK : err_in(e, "%s", p->shown);
}

/* A file that was not there before is taken away again, if it still is ours. */
static void take_back(struct publication *p)
{
	struct stat ours, now;

	if (!p->placed || p->exists || fstat(p->fd, &ours) != 0 ||
	    fstatat(p->dir_fd, p->name, &now, AT_SYMLINK_NOFOLLOW) != 0 ||
	    ours.st_dev != now.st_dev || ours.st_ino != now.st_ino)
		return;
	(void)unlinkat(p->dir_fd, p->name, 0);
}

/* Each folder once: neighbours share theirs. */
static void sync_places(struct publication *const *v, size_t n)
{
	const char *last = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!v[i]->placed || (last != NULL && strcmp(last, v[i]->folder) == 0))
			continue;
		last = v[i]->folder;
		sync_folder(v[i]);
	}
}

enum status publish_commit_all(struct publication *const *v, size_t n, struct tlv_err *e)
{
	enum status st = err_nomem_seen() ? err_nomem(e) : ST_OK;
	size_t placed = 0;

	for (; placed < n && st == ST_OK; placed++)
		if (!v[placed]->done && put_in_place(v[placed], v[placed]->opt, e) != ST_OK)
			st = err_in(e, "%s", v[placed]->shown);
	for (size_t i = 0; i < placed && st != ST_OK; i++)
		take_back(v[i]);
	sync_places(v, st == ST_OK ? n : 0);
	return st;
}

void publish_free(struct publication **p)
{
	if (*p == NULL)
		return;
	release(*p);
	free(*p);
	*p = NULL;
}

enum status publish(const char *path, struct span bytes, const struct publish_options *opt,
		    struct tlv_err *e)
{
	struct publication *p;
	enum status st = publish_begin(&p, path, bytes, opt, e);

	if (st == ST_OK && p != NULL)
		st = publish_commit(p, e);
	publish_free(&p);
	return st;
}

enum status publish_check(const char *path, const struct publish_options *opt, struct tlv_err *e)
{
	struct publication p;
	enum status st = begin(&p, path, opt, e);

	if (st == ST_OK && faccessat(p.dir_fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
		st = disk_failed(e, "cannot be written in its folder");
	release(&p);
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}

enum status publish_check_bytes(const char *path, struct span bytes,
				const struct publish_options *opt, struct tlv_err *e)
{
	enum status st = publish_check(path, opt, e);
	struct publication p;

	if (st != ST_OK)
		return st;
	st = begin(&p, path, opt, e);
	if (st == ST_OK && opt->no_replace && p.exists && !same_content(&p, bytes))
		st = err_set(e, ST_OUTPUT, "is there already, with other content");
	release(&p);
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}

enum status publish_folder(const char *path, bool *made, struct tlv_err *e)
{
	struct stat st;

	*made = mkdir(path, 0755) == 0;
	if (*made)
		return ST_OK;
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return ST_OK;
	errno = errno == EEXIST ? ENOTDIR : errno;
	return err_set(e, ST_OUTPUT, "%s: cannot make the folder: %s", path, strerror(errno));
}

void publish_folder_undo(const char *path)
{
	(void)rmdir(path);
}

enum status publish_batch_new(struct publish_batch **out, struct tlv_err *e)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return err_nomem(e);
	(void)pthread_mutex_init(&(*out)->lock, NULL);
	return ST_OK;
}

void publish_batch_free(struct publish_batch **b)
{
	if (*b == NULL)
		return;
	for (size_t i = 0; i < (*b)->n; i++) {
		free((*b)->v[i]->path);
		free((*b)->v[i]);
	}
	free((*b)->v);
	(void)pthread_mutex_destroy(&(*b)->lock);
	free(*b);
	*b = NULL;
}

static struct folder *folder_add(struct publish_batch *b, const char *path)
{
	struct folder *f;

	if (!ARRAY_ROOM(b->v, b->n, b->cap))
		return NULL;
	f = calloc(1, sizeof *f);
	if (f == NULL || (f->path = strdup(path)) == NULL) {
		free(f);
		return NULL;
	}
	f->fd = -1;
	b->v[b->n++] = f;
	return f;
}

/* Neighbours in a batch mostly share their folder: the last one is looked at first. */
static struct folder *folder_find(struct publish_batch *b, const char *path)
{
	if (b->last < b->n && strcmp(b->v[b->last]->path, path) == 0)
		return b->v[b->last];
	for (size_t i = 0; i < b->n; i++)
		if (strcmp(b->v[i]->path, path) == 0) {
			b->last = i;
			return b->v[i];
		}
	return NULL;
}

/* With the batch's lock held. Leftovers of killed runs are swept out where the folder is new to us. */
static enum status share_folder(struct publication *p, struct tlv_err *e)
{
	struct folder *f = folder_find(p->batch, p->folder);
	bool is_new = f == NULL;

	if (is_new)
		f = folder_add(p->batch, p->folder);
	if (f == NULL)
		return err_nomem(e);
	if (f->users == 0)
		f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return disk_failed(e, "its folder cannot be opened");
	if (is_new)
		disk_sweep(f->fd, NULL);
	f->users++;
	p->shared = f;
	p->dir_fd = f->fd;
	return ST_OK;
}

static enum status begin_shared(struct publication *p, const char *path,
				struct publish_batch *batch, const struct publish_options *opt,
				struct tlv_err *e)
{
	enum status st;

	*p = (struct publication){ .dir_fd = -1, .fd = -1, .batch = batch, .opt = opt };
	p->shown = path;
	st = split(p, path, opt->follow, e);
	if (st != ST_OK)
		return st;
	(void)pthread_mutex_lock(&batch->lock);
	st = share_folder(p, e);
	(void)pthread_mutex_unlock(&batch->lock);
	if (st == ST_OK)
		st = look_at_target(p, opt, e);
	if (st == ST_OK)
		st = make_temp(p, e);
	return st == ST_OK ? set_mode(p, e) : st;
}

enum status publish_open(struct publication **out, const char *path, struct publish_batch *batch,
			 const struct publish_options *opt, struct tlv_err *e)
{
	struct publication *p = calloc(1, sizeof *p);
	enum status st;

	*out = p;
	if (p == NULL)
		return err_nomem(e);
	st = begin_shared(p, path, batch, opt, e);
	if (st == ST_OK)
		return ST_OK;
	publish_free(out);
	return err_in(e, "%s", path);
}

enum status publish_write(struct publication *p, struct span bytes, struct tlv_err *e)
{
	if (disk_write(p->fd, bytes, e) != ST_OK)
		return err_in(e, "%s", p->shown);
	p->at += bytes.n;
	return ST_OK;
}

enum status publish_hole(struct publication *p, size_t n, struct tlv_err *e)
{
	p->at += n;
	if (ftruncate(p->fd, (off_t)p->at) == 0 && lseek(p->fd, (off_t)p->at, SEEK_SET) >= 0)
		return ST_OK;
	(void)disk_failed(e, "cannot be written");
	return err_in(e, "%s", p->shown);
}

enum status publish_fill(struct publication *p, uint64_t at, struct span bytes, struct tlv_err *e)
{
	while (bytes.n > 0 && at + bytes.n <= p->at) {
		ssize_t w = pwrite(p->fd, bytes.p, bytes.n, (off_t)at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			break;
		at += (uint64_t)w;
		bytes = span_slice(bytes, (size_t)w, bytes.n);
	}
	if (bytes.n == 0)
		return ST_OK;
	(void)disk_failed(e, "cannot be written");
	return err_in(e, "%s", p->shown);
}

/* One file is brought to the disk by itself; of many on one file system all at once. */
static int sync_group(int fd, bool alone)
{
	int r;

	do
		r = alone ? fsync(fd) : syncfs(fd);
	while (r != 0 && errno == EINTR);
	return r;
}

static void sync_device(const struct publish_item *v, size_t n, dev_t device)
{
	size_t mine = 0;
	int fd = -1;

	for (size_t i = 0; i < n; i++)
		if (v[i].p->device == device) {
			fd = v[i].p->fd;
			mine++;
		}
	if (fd < 0 || sync_group(fd, mine == 1) == 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (v[i].p->device == device) {
			(void)disk_failed(v[i].e, "cannot be brought to the disk");
			(void)err_in(v[i].e, "%s", v[i].p->shown);
		}
}

static void sync_files(const struct publish_item *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool done = false;

		for (size_t j = 0; j < i && !done; j++)
			done = v[j].p->device == v[i].p->device;
		if (!done)
			sync_device(v, n, v[i].p->device);
	}
}

static void sync_folders(const struct publish_item *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].e->status != ST_OK || !v[i].p->shared->unsynced)
			continue;
		v[i].p->shared->unsynced = false;
		sync_folder(v[i].p);
	}
}

void publish_commit_group(const struct publish_item *v, size_t n)
{
	sync_files(v, n);
	for (size_t i = 0; i < n; i++) {
		if (v[i].e->status != ST_OK)
			continue;
		if (err_nomem_seen())
			(void)err_nomem(v[i].e);
		else if (put_in_place(v[i].p, v[i].p->opt, v[i].e) == ST_OK)
			v[i].p->shared->unsynced |= v[i].p->placed;
		else
			(void)err_in(v[i].e, "%s", v[i].p->shown);
	}
	sync_folders(v, n);
}
