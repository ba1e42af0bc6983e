/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/publish/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signer/io/folder.h"
#include "signer/publish/kind.h"
#include "signer/publish/place.h"

enum { TRIES = 100000 };

/* Numbers of what is kept of one file. */
struct copies {
	const char *name;
	uid_t owner;
	const struct backup_kind *kind;
	unsigned *v; /* owned */
	size_t n, cap;
	bool nomem;
};

static bool is_kept_list(int dir_fd, const char *entry, uid_t owner)
{
	int fd = openat(dir_fd, entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	bool is;

	if (fd < 0)
		return false;
	is = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	     (st.st_uid == geteuid() || st.st_uid == owner) && kind_is_file(KIND_LIST, fd);
	(void)close(fd);
	return is;
}

/* Who exchanges the name in between could have taken the file away as well. */
static int unlink_list(int dir_fd, const char *entry, uid_t owner)
{
	return is_kept_list(dir_fd, entry, owner) ? unlinkat(dir_fd, entry, 0) : 0;
}

const struct backup_kind backup_lists = { is_kept_list, unlink_list };

static void add(struct copies *c, unsigned number)
{
	if (ARRAY_ROOM(c->v, c->n, c->cap))
		c->v[c->n++] = number;
	else
		c->nomem = true;
}

static void look_at(int dir_fd, const char *entry, void *arg)
{
	struct copies *c = arg;
	size_t stem = folder_copy_of(entry);

	if (stem == strlen(c->name) && strncmp(entry, c->name, stem) == 0 &&
	    c->kind->is_ours(dir_fd, entry, c->owner))
		add(c, (unsigned)strtoul(entry + stem + 2, NULL, 10));
}

static int by_number(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* All that there are, the oldest first. */
static enum status find(struct copies *c, int dir_fd, struct tlv_err *e)
{
	place_each(dir_fd, look_at, c);
	if (c->n > 1)
		qsort(c->v, c->n, sizeof *c->v, by_number);
	/* Not remembered as lack of memory: the new list is in its place, and whole. */
	return c->nomem ? err_set(e, ST_NOMEM, "out of memory") : ST_OK;
}

unsigned backup_next(int dir_fd, const char *name, uid_t owner, const struct backup_kind *kind,
		     struct tlv_err *e)
{
	struct copies c = { .name = name, .owner = owner, .kind = kind };
	enum status st = find(&c, dir_fd, e);
	unsigned last = c.n > 0 ? c.v[c.n - 1] : 0;

	free(c.v);
	return st == ST_OK ? last + 1 : 0;
}

void backup_name(char out[NAME_MAX + 1], const char *name, unsigned number)
{
	(void)snprintf(out, NAME_MAX + 1, "%s.~%u~", name, number);
}

enum status backup_keep(int dir_fd, const char *name, uid_t owner, char copy[NAME_MAX + 1],
			struct tlv_err *e)
{
	unsigned next = backup_next(dir_fd, name, owner, &backup_lists, e);

	copy[0] = '\0';
	if (next == 0)
		return ST_NOMEM;
	for (unsigned i = 0; i < TRIES; i++) {
		backup_name(copy, name, next + i);
		if (linkat(dir_fd, name, dir_fd, copy, 0) == 0)
			return ST_OK;
		if (errno != EEXIST)
			break;
	}
	copy[0] = '\0';
	return place_failed(e, "the old file cannot be kept beside it");
}

/* Another run may have done it meanwhile. */
static enum status take_away(int dir_fd, const struct copies *c, unsigned number, struct tlv_err *e)
{
	char entry[NAME_MAX + 1];

	backup_name(entry, c->name, number);
	if (c->kind->take_away(dir_fd, entry, c->owner) == 0 || errno == ENOENT)
		return ST_OK;
	(void)place_failed(e, "cannot be taken away");
	return err_in(e, "%s", entry);
}

enum status backup_prune(int dir_fd, const char *name, uid_t owner, const struct backup_kind *kind,
			 unsigned keep, struct tlv_err *e)
{
	struct copies c = { .name = name, .owner = owner, .kind = kind };
	enum status st = find(&c, dir_fd, e);

	for (size_t i = 0; st == ST_OK && i + keep < c.n; i++)
		st = take_away(dir_fd, &c, c.v[i], e);
	free(c.v);
	return st;
}
