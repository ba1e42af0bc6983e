/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/publish/group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "signer/publish/folders.h"
#include "signer/publish/place.h"
#include "signer/publish/publication.h"

struct publish_group {
	struct folders *folders;
};

enum status publish_group_new(struct publish_group **out, const char *base, struct tlv_err *e)
{
	enum status st;

	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return err_nomem(e);
	st = folders_new(&(*out)->folders, base, e);
	if (st != ST_OK)
		publish_group_free(out);
	return st;
}

void publish_group_free(struct publish_group **g)
{
	if (*g == NULL)
		return;
	folders_free(&(*g)->folders);
	free(*g);
	*g = NULL;
}

static enum status begin(struct publication *p, const char *path, struct publish_group *g,
			 const struct publish_options *opt, struct tlv_err *e)
{
	enum status st = publication_name(p, path, opt, e);

	if (st == ST_OK)
		st = folders_get(g->folders, p->folder, &p->shared, e);
	if (st != ST_OK)
		return st;
	p->folders = g->folders;
	p->dir_fd = p->shared->fd;
	return publication_look(p, e);
}

/* All that can be said before the file is written. */
static enum status begin_empty(struct publication *p, const char *path, struct publish_group *g,
			       const struct publish_options *opt, struct tlv_err *e)
{
	enum status st = begin(p, path, g, opt, e);

	/* What replaces nothing may still turn out to be equal. */
	if (st == ST_OK && opt->kind != KIND_OTHER)
		st = publication_may_replace(p, e);
	if (st == ST_OK)
		st = publication_temp(p, e);
	return st == ST_OK ? publication_mode(p, e) : st;
}

static enum status finish_begin(struct publication **out, enum status st, const char *path,
				struct tlv_err *e)
{
	if (st == ST_OK)
		return ST_OK;
	publish_free(out);
	return err_in(e, "%s", path);
}

enum status publish_open(struct publication **out, const char *path, struct publish_group *g,
			 const struct publish_options *opt, struct tlv_err *e)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return err_nomem(e);
	return finish_begin(out, begin_empty(*out, path, g, opt, e), path, e);
}

static enum status begin_whole(struct publication *p, const char *path, struct span bytes,
			       struct publish_group *g, const struct publish_options *opt,
			       struct tlv_err *e)
{
	enum status st = begin(p, path, g, opt, e);

	return st == ST_OK ? publication_fill(p, bytes, e) : st;
}

enum status publish_begin_in(struct publication **out, const char *path, struct span bytes,
			     struct publish_group *g, const struct publish_options *opt,
			     struct tlv_err *e)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return err_nomem(e);
	return finish_begin(out, begin_whole(*out, path, bytes, g, opt, e), path, e);
}

enum status publish_peek(const char *path, struct publish_group *g, int *fd, struct tlv_err *e)
{
	const struct publish_options any = { .overwrite = true };
	struct publication p;
	enum status st = begin(&p, path, g, &any, e);

	*fd = -1;
	if (st == ST_OK && p.exists)
		*fd = openat(p.dir_fd, p.name,
			     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	publication_release(&p);
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}

enum status publish_write(struct publication *p, struct span bytes, struct tlv_err *e)
{
	if (place_write(p->fd, bytes, e) != ST_OK)
		return err_in(e, "%s", p->shown);
	p->at += bytes.n;
	return ST_OK;
}

enum status publish_hole(struct publication *p, size_t n, struct tlv_err *e)
{
	p->at += n;
	if (ftruncate(p->fd, (off_t)p->at) == 0 && lseek(p->fd, (off_t)p->at, SEEK_SET) >= 0)
		return ST_OK;
	(void)place_failed(e, "cannot be written");
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
	(void)place_failed(e, "cannot be written");
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
			(void)place_failed(v[i].e, "cannot be brought to the disk");
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

/* Each folder once. */
static void settle(struct publication *p)
{
	if (!p->placed)
		return;
	if (p->shared->unsynced)
		publication_sync_folder(p);
	p->shared->unsynced = false;
	publication_prune(p);
}

static enum status place(struct publication *p, struct tlv_err *e)
{
	enum status st = publication_place(p, e);

	if (st != ST_OK)
		return err_in(e, "%s", p->shown);
	p->shared->unsynced |= p->placed;
	return ST_OK;
}

/* The first is taken back if the second cannot be placed. */
static void place_pair(struct publication *first, struct publication *second, struct tlv_err *e)
{
	first->revocable = true;
	if (place(first, e) == ST_OK && place(second, e) != ST_OK)
		publication_take_back(first);
}

void publish_commit_group(const struct publish_item *v, size_t n)
{
	sync_files(v, n);
	for (size_t i = 0; i < n; i++) {
		if (v[i].pair || v[i].e->status != ST_OK)
			continue;
		if (err_nomem_seen())
			(void)err_nomem(v[i].e);
		else if (i + 1 < n && v[i + 1].pair)
			place_pair(v[i].p, v[i + 1].p, v[i].e);
		else
			(void)place(v[i].p, v[i].e);
	}
	for (size_t i = 0; i < n; i++)
		settle(v[i].p);
}

static enum status place_all(struct publication *const *v, size_t n, struct tlv_err *e)
{
	enum status st = ST_OK;
	size_t placed = 0;

	for (; placed < n && st == ST_OK; placed++) {
		struct publication *p = v[placed];

		p->revocable = placed + 1 < n;
		if (!p->done && publication_place(p, e) != ST_OK)
			st = err_in(e, "%s", p->shown);
		p->shared->unsynced |= p->placed;
	}
	for (size_t i = 0; i < placed && st != ST_OK; i++)
		publication_take_back(v[i]);
	return st;
}

enum status publish_commit_all(struct publication *const *v, size_t n, struct tlv_err *e)
{
	enum status st = err_nomem_seen() ? err_nomem(e) : ST_OK;
	sigset_t before;

	if (st != ST_OK)
		return st;
	place_signals_wait(&before);
	st = place_all(v, n, e);
	place_signals_go(&before);
	for (size_t i = 0; i < n && st == ST_OK; i++)
		settle(v[i]);
	return st;
}
