/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Many files: their folders are opened once, and a group of files is brought
 * to the disk at once. Several threads may open, write and free; one commits.
 */
#ifndef CTL_GROUP_H
#define CTL_GROUP_H

#include "signer/publish/publish.h"

struct publish_group;

/*
 * base: where all of them are written, or below it; no link below it is
 * followed, and folders that are missing there are made. NULL: anywhere.
 */
enum status publish_group_new(struct publish_group **out, const char *base, struct tlv_err *e);
/* After the last of its publications. */
void publish_group_free(struct publish_group **g);

/*
 * Begins an empty file; opt and path are borrowed until publish_free. Every failure is ST_OUTPUT.
 */
enum status publish_open(struct publication **out, const char *path, struct publish_group *g,
			 const struct publish_options *opt, struct tlv_err *e);
enum status publish_write(struct publication *p, struct span bytes, struct tlv_err *e);
/* n bytes of zeros that take no room on the disk. */
enum status publish_hole(struct publication *p, size_t n, struct tlv_err *e);
/* Over bytes that are written already. */
enum status publish_fill(struct publication *p, uint64_t at, struct span bytes, struct tlv_err *e);

/* What stands at path now, opened for reading in the group's way; *fd is -1 if nothing does. */
enum status publish_peek(const char *path, struct publish_group *g, int *fd, struct tlv_err *e);

/* All of a file at once, as publish_begin. */
enum status publish_begin_in(struct publication **out, const char *path, struct span bytes,
			     struct publish_group *g, const struct publish_options *opt,
			     struct tlv_err *e);

struct publish_item {
	struct publication *p;
	struct tlv_err *e; /* how it went */
	bool pair;	   /* it goes with the one before, whose e it has: both or neither */
};

/*
 * One sync of the file system, then the renames, then one sync of each folder.
 * Each file for itself: what fails does not touch the others.
 */
void publish_commit_group(const struct publish_item *v, size_t n);

/*
 * All of them or none: when one fails, what stands in its place already is
 * taken away again, and what it replaced is put back. A signal ends the process
 * before or afterwards.
 */
enum status publish_commit_all(struct publication *const *v, size_t n, struct tlv_err *e);

#endif
