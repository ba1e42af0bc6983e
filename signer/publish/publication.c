/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/publish/publication.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signer/io/slurp.h"
#include "signer/publish/backup.h"
#include "signer/publish/place.h"

enum { NEW_MODE = 0644, SECRET_MODE = 0600 };

void publication_release(struct publication *p)
{
	bool has_temp = p->fd >= 0 && !p->is_stream;

	if (has_temp && (!p->placed || p->exchanged))
		(void)unlinkat(p->dir_fd, p->temp, 0);
	if (p->fd >= 0)
		(void)close(p->fd);
	if (p->folders != NULL)
		folders_put(p->folders, p->shared);
	else if (p->dir_fd >= 0)
		(void)close(p->dir_fd);
	buf_free(&p->stream);
	free(p->folder);
	free(p->path);
}

void publish_free(struct publication **p)
{
	if (*p == NULL)
		return;
	publication_release(*p);
	free(*p);
	*p = NULL;
}

enum status publication_name(struct publication *p, const char *path,
			     const struct publish_options *opt, struct tlv_err *e)
{
	const char *slash;

	*p = (struct publication){ .dir_fd = -1, .fd = -1, .opt = opt, .shown = path };
	/*
	 * With --follow the file behind the link is the target, and its folder holds the temporary
	 * file.
	 */
	p->path = opt->follow ? realpath(path, NULL) : NULL;
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
	if (p->name[0] == '\0' || strlen(p->name) > PLACE_NAME_MAX)
		return err_set(e, ST_OUTPUT, "the name of the file is empty or too long");
	return ST_OK;
}

static bool is_same_state(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/*
 * Nobody but root can have put a link there: /dev/stdout, and /dev/fd/63 of a shell. In
 * /dev/shm anybody can.
 */
static bool is_system_link(const char *path)
{
	static const char *const folders[] = { "/dev/", "/dev/fd/", "/proc/self/fd/" };
	size_t n = strlen(path) - strlen(base_name(path));

	for (size_t i = 0; i < COUNT(folders); i++)
		if (n == strlen(folders[i]) && strncmp(path, folders[i], n) == 0)
			return true;
	return false;
}

static bool is_pipe_or_terminal(mode_t mode)
{
	return S_ISFIFO(mode) || S_ISCHR(mode);
}

enum status publication_look(struct publication *p, struct tlv_err *e)
{
	const struct stat *expected = p->opt->replaces;
	const struct publish_seen *seen = &p->opt->seen;
	struct stat now;

	p->exists = p->is_stream = false;
	if (fstatat(p->dir_fd, p->name, &now, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? ST_OK : place_failed(e, "cannot look at it");
	if (S_ISLNK(now.st_mode) && p->opt->stream && is_system_link(p->shown))
		(void)stat(p->shown, &now);
	p->is_stream = p->opt->stream && expected == NULL && !seen->looked &&
		       is_pipe_or_terminal(now.st_mode);
	if (p->is_stream) {
		p->old = now;
		return ST_OK;
	}
	if (fstatat(p->dir_fd, p->name, &p->old, AT_SYMLINK_NOFOLLOW) != 0)
		return place_failed(e, "cannot look at it");
	p->exists = true;
	if (S_ISLNK(p->old.st_mode))
		return err_set(
			e, ST_OUTPUT,
			p->opt->may_follow ?
				"is a symbolic link: name the file itself, or write through it with --follow" :
				"is a symbolic link, and nothing is written through it: take it away");
	if (S_ISDIR(p->old.st_mode))
		return err_set(e, ST_OUTPUT, "is a folder");
	if (!S_ISREG(p->old.st_mode))
		return err_set(e, ST_OUTPUT, "is not a regular file");
	if (seen->looked && !seen->existed)
		return err_set(e, ST_OUTPUT,
			       "was put there by somebody else meanwhile: run this again");
	expected = expected == NULL && seen->looked ? &seen->st : expected;
	if (expected != NULL && !is_same_state(expected, &p->old))
		return err_set(e, ST_OUTPUT,
			       "was changed by somebody else meanwhile: run this again");
	return ST_OK;
}

static int open_target(const struct publication *p)
{
	return openat(p->dir_fd, p->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static bool target_is(const struct publication *p, enum kind kind)
{
	int fd = open_target(p);
	bool is = fd >= 0 && kind_is_file(kind, fd);

	if (fd >= 0)
		(void)close(fd);
	return is;
}

enum status publication_may_replace(const struct publication *p, struct tlv_err *e)
{
	enum kind kind = p->opt->kind;

	if (!p->exists || p->old.st_size == 0 || p->opt->overwrite || target_is(p, kind))
		return ST_OK;
	if (kind == KIND_OTHER)
		return err_set(
			e, ST_OUTPUT,
			"is there already, with other content: move it away, or replace it with --overwrite");
	return err_set(
		e, ST_OUTPUT,
		"is there already and is not %s: name another file, or replace it with --overwrite",
		kind_text(kind));
}

bool publication_has(const struct publication *p, struct span bytes)
{
	uint8_t chunk[8192];
	int fd = p->exists && (uint64_t)p->old.st_size == bytes.n ? open_target(p) : -1;
	bool same = fd >= 0;
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

static mode_t new_mode(const struct publication *p)
{
	return p->opt->secret ? SECRET_MODE : NEW_MODE;
}

enum status publication_temp(struct publication *p, struct tlv_err *e)
{
	struct stat st;

	if (place_temp(p->dir_fd, p->name, p->exists ? 0600 : new_mode(p), p->temp, &p->fd, e) !=
	    ST_OK)
		return ST_OUTPUT;
	if (fstat(p->fd, &st) != 0)
		return place_failed(e, "the state of its temporary file cannot be read");
	p->device = st.st_dev;
	p->mode = st.st_mode & 07777U;
	return ST_OK;
}

enum status publication_mode(const struct publication *p, struct tlv_err *e)
{
	/* What stands there may be another's file, put there to be given the secret. */
	bool keeps = p->exists && !p->opt->secret;
	mode_t mode = keeps ? p->old.st_mode & 07777U : new_mode(p);

	/* Owner first: changing it clears the set-id bits of the mode. */
	if (keeps && fchown(p->fd, p->old.st_uid, p->old.st_gid) != 0)
		return place_failed(e, "its owner cannot be kept");
	if ((keeps || mode != p->mode) && fchmod(p->fd, mode) != 0)
		return place_failed(e, "its mode cannot be set");
	return ST_OK;
}

enum status publication_fill(struct publication *p, struct span bytes, struct tlv_err *e)
{
	enum status st;

	p->done = publication_has(p, bytes);
	if (p->done)
		return ST_OK;
	st = publication_may_replace(p, e);
	if (st == ST_OK)
		st = publication_temp(p, e);
	if (st == ST_OK)
		st = place_write(p->fd, bytes, e);
	if (st == ST_OK)
		st = publication_mode(p, e);
	return st == ST_OK ? place_sync(p->fd, e) : st;
}

/* A list that goes is kept, and so is whatever a list takes the place of. */
static bool replaces_list(const struct publication *p)
{
	return p->exists && p->old.st_size > 0 &&
	       (p->opt->kind == KIND_LIST || target_is(p, KIND_LIST));
}

/* What is replaced gets the temporary name, so that it can come back. Not every file system can. */
static bool exchange(struct publication *p)
{
	p->exchanged = renameat2(p->dir_fd, p->temp, p->dir_fd, p->name, RENAME_EXCHANGE) == 0;
	return p->exchanged;
}

static enum status swap(struct publication *p, struct tlv_err *e)
{
	enum status st = ST_OK;

	p->replaced_list = replaces_list(p);
	if (p->replaced_list && p->opt->keep > 0)
		st = backup_keep(p->dir_fd, p->name, p->old.st_uid, p->copy, e);
	if (st != ST_OK)
		return st;
	if (p->exists && p->revocable && exchange(p))
		return ST_OK;
	if (renameat(p->dir_fd, p->temp, p->dir_fd, p->name) == 0)
		return ST_OK;
	(void)place_failed(e, "cannot be put in its place");
	if (p->copy[0] != '\0')
		(void)unlinkat(p->dir_fd, p->copy, 0);
	p->copy[0] = '\0';
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

/* What was written piece by piece is compared at the end only. */
static bool is_equal(const struct publication *p)
{
	struct stat ours;
	int fd = fstat(p->fd, &ours) == 0 && ours.st_size == p->old.st_size ? open_target(p) : -1;
	bool same = fd >= 0 && same_bytes(fd, p->fd);

	if (fd >= 0)
		(void)close(fd);
	return same;
}

/*
 * Under a name that was free. The look is in the same step: nothing can come between. False also if
 * the file system cannot do that.
 */
static bool place_new(struct publication *p, bool existed)
{
	p->placed = !existed &&
		    renameat2(p->dir_fd, p->temp, p->dir_fd, p->name, RENAME_NOREPLACE) == 0;
	return p->placed;
}

enum status publication_place(struct publication *p, struct tlv_err *e)
{
	bool existed = p->exists || p->opt->replaces != NULL || p->opt->seen.existed;
	enum status st;

	if (place_new(p, existed))
		return ST_OK;
	st = publication_look(p, e);
	if (st == ST_OK && existed && !p->exists)
		st = err_set(e, ST_OUTPUT,
			     "was removed by somebody else meanwhile: run this again");
	if (st == ST_OK && p->exists && is_equal(p))
		return ST_OK;
	if (st == ST_OK)
		st = publication_may_replace(p, e);
	if (st == ST_OK)
		st = swap(p, e);
	p->placed = st == ST_OK;
	return st;
}

void publication_sync_folder(const struct publication *p)
{
	if (place_sync(p->dir_fd, NULL) != ST_OK)
		warn_put(&p->opt->warn,
			 "%s: is written, but its folder cannot be synced to the disk: %s",
			 p->shown, strerror(errno));
}

void publication_prune(const struct publication *p)
{
	struct tlv_err own = TLV_ERR_INIT;

	if (p->replaced_list && backup_prune(p->dir_fd, p->name, p->old.st_uid, &backup_lists,
					     p->opt->keep, &own) != ST_OK)
		warn_put(&p->opt->warn, "%s: is written, but an old copy is left: %s", p->shown,
			 err_text(&own));
}

void publication_settle(const struct publication *p)
{
	publication_sync_folder(p);
	publication_prune(p);
}

/* Whether what stands under this name is what we have written. */
static bool is_still_ours(const struct publication *p)
{
	struct stat ours, now;

	return fstat(p->fd, &ours) == 0 &&
	       fstatat(p->dir_fd, p->name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == now.st_dev && ours.st_ino == now.st_ino;
}

void publication_take_back(struct publication *p)
{
	if (!p->placed || !is_still_ours(p))
		return;
	if (p->exchanged) {
		if (renameat2(p->dir_fd, p->temp, p->dir_fd, p->name, RENAME_EXCHANGE) == 0)
			p->exchanged = p->placed = false;
	} else if (!p->exists) {
		(void)unlinkat(p->dir_fd, p->name, 0);
	} else {
		return;
	}
	if (p->copy[0] != '\0')
		(void)unlinkat(p->dir_fd, p->copy, 0);
}
