/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/publish/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signer/publish/beneath.h"
#include "signer/publish/place.h"

struct folders {
	pthread_mutex_t lock;
	char *base; /* owned, or NULL */
	int base_fd;
	struct shared_folder **v; /* every folder so far, owned */
	size_t n, cap, last;
};

static enum status open_base(struct folders *f, const char *base, struct tlv_err *e)
{
	f->base = strdup(base);
	if (f->base == NULL)
		return err_nomem(e);
	f->base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->base_fd >= 0)
		return ST_OK;
	(void)place_failed(e, "cannot be opened");
	return err_in(e, "%s", base);
}

enum status folders_new(struct folders **out, const char *base, struct tlv_err *e)
{
	struct folders *f = calloc(1, sizeof *f);
	enum status st;

	*out = f;
	if (f == NULL)
		return err_nomem(e);
	f->base_fd = -1;
	(void)pthread_mutex_init(&f->lock, NULL);
	st = base != NULL ? open_base(f, base, e) : ST_OK;
	if (st != ST_OK)
		folders_free(out);
	return st;
}

void folders_free(struct folders **f)
{
	if (*f == NULL)
		return;
	for (size_t i = 0; i < (*f)->n; i++) {
		free((*f)->v[i]->path);
		free((*f)->v[i]);
	}
	free((*f)->v);
	if ((*f)->base_fd >= 0)
		(void)close((*f)->base_fd);
	free((*f)->base);
	(void)pthread_mutex_destroy(&(*f)->lock);
	free(*f);
	*f = NULL;
}

static struct shared_folder *add(struct folders *f, const char *path)
{
	struct shared_folder *folder;

	if (!ARRAY_ROOM(f->v, f->n, f->cap))
		return NULL;
	folder = calloc(1, sizeof *folder);
	if (folder == NULL || (folder->path = strdup(path)) == NULL) {
		free(folder);
		return NULL;
	}
	folder->fd = -1;
	f->v[f->n++] = folder;
	return folder;
}

/* Neighbours mostly share their folder: the last one is looked at first. */
static struct shared_folder *find(struct folders *f, const char *path)
{
	if (f->last < f->n && strcmp(f->v[f->last]->path, path) == 0)
		return f->v[f->last];
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i]->path, path) == 0) {
			f->last = i;
			return f->v[i];
		}
	return NULL;
}

/* What of path stands below base; NULL: it does not. */
static const char *below(const struct folders *f, const char *path)
{
	size_t n = strlen(f->base);

	if (strncmp(path, f->base, n) != 0)
		return NULL;
	path += n;
	if (*path != '\0' && *path != '/' && (n == 0 || f->base[n - 1] != '/'))
		return NULL;
	return path + strspn(path, "/");
}

static enum status open_below(const struct folders *f, const char *path, int *fd, struct tlv_err *e)
{
	const char *rest = below(f, path);
	size_t link;

	if (rest == NULL)
		return err_set(e, ST_OUTPUT, "is not below '%s'", f->base);
	*fd = beneath_folder(f->base_fd, rest, true);
	if (*fd >= 0)
		return ST_OK;
	if (errno != ELOOP)
		return place_failed(e, "its folder cannot be opened");
	link = (size_t)(rest - path) + beneath_link(f->base_fd, rest);
	return err_set(e, ST_OUTPUT,
		       "'%.*s' is a symbolic link: nothing below '%s' is written through a link",
		       (int)link, path, f->base);
}

static enum status open_folder(const struct folders *f, const char *path, int *fd,
			       struct tlv_err *e)
{
	if (f->base != NULL)
		return open_below(f, path, fd, e);
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd >= 0 ? ST_OK : place_failed(e, "its folder cannot be opened");
}

/* With the lock held. */
static enum status get(struct folders *f, const char *path, struct shared_folder **out,
		       struct tlv_err *e)
{
	struct shared_folder *folder = find(f, path);
	bool is_new = folder == NULL;
	enum status st;

	if (is_new)
		folder = add(f, path);
	if (folder == NULL)
		return err_nomem(e);
	if (folder->users == 0) {
		st = open_folder(f, path, &folder->fd, e);
		if (st != ST_OK)
			return st;
	}
	if (is_new)
		place_sweep(folder->fd, NULL);
	folder->users++;
	*out = folder;
	return ST_OK;
}

enum status folders_get(struct folders *f, const char *path, struct shared_folder **out,
			struct tlv_err *e)
{
	enum status st;

	*out = NULL;
	(void)pthread_mutex_lock(&f->lock);
	st = get(f, path, out, e);
	(void)pthread_mutex_unlock(&f->lock);
	return st;
}

void folders_put(struct folders *f, struct shared_folder *folder)
{
	(void)pthread_mutex_lock(&f->lock);
	if (--folder->users == 0) {
		(void)close(folder->fd);
		folder->fd = -1;
	}
	(void)pthread_mutex_unlock(&f->lock);
}
