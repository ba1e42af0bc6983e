/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The only way in which files come to be: written whole under a temporary
 * name in the target's folder, synced, renamed, the folder synced. After a
 * failure the old file is as it was and no new one is there.
 */
#ifndef CTL_PUBLISH_H
#define CTL_PUBLISH_H

#include <stdbool.h>
#include <sys/stat.h>

#include "tlv/bytes.h"
#include "tlv/err.h"

struct publish_options {
	struct tlv_warn warn;
	bool follow;	 /* write through a symbolic link */
	bool backup;	 /* keep the old file as FILE.~N~, N the first that is free */
	bool no_replace; /* an existing file of other content is refused */
	const struct stat
		*replaces; /* what was read of the target, or NULL; a change since is refused */
};

/* A file that is written and on the disk, but not in its place yet. */
struct publication;

/*
 * Writes bytes under a temporary name. A new file has mode 0644 whatever the
 * umask; an existing one keeps mode and owner. Temporary files that nobody
 * holds, left by a run that was killed, are taken away. With no_replace an
 * equal file is left as it is. Every failure is ST_OUTPUT; opt is borrowed.
 */
enum status publish_begin(struct publication **out, const char *path, struct span bytes,
			  const struct publish_options *opt, struct tlv_err *e);
enum status publish_commit(struct publication *p, struct tlv_err *e);
/*
 * All of them or none: what stands in its place when one fails is taken away
 * again. Only the last may replace a file, which could not be brought back.
 */
enum status publish_commit_all(struct publication *const *v, size_t n, struct tlv_err *e);
/* Takes away what was not committed. */
void publish_free(struct publication **p);

/*
 * Many files, written piece by piece: their folders are opened, and swept,
 * once, and a group of them is brought to the disk at once. Several threads
 * may open, write and free; one commits.
 */
struct publish_batch;
enum status publish_batch_new(struct publish_batch **out, struct tlv_err *e);
/* After the last of its publications. */
void publish_batch_free(struct publish_batch **b);

/* Begins an empty file; opt and path are borrowed until publish_free. Every failure is ST_OUTPUT. */
enum status publish_open(struct publication **out, const char *path, struct publish_batch *batch,
			 const struct publish_options *opt, struct tlv_err *e);
enum status publish_write(struct publication *p, struct span bytes, struct tlv_err *e);
/* n bytes of zeros that take no room on the disk. */
enum status publish_hole(struct publication *p, size_t n, struct tlv_err *e);
/* Over bytes that are written already. */
enum status publish_fill(struct publication *p, uint64_t at, struct span bytes, struct tlv_err *e);

struct publish_item {
	struct publication *p;
	struct tlv_err *e; /* how it went */
};

/*
 * One sync of the file system, then the renames, then one sync of each folder.
 * Each file for itself: what fails does not touch the others.
 */
void publish_commit_group(const struct publish_item *v, size_t n);

/* All of it in one. */
enum status publish(const char *path, struct span bytes, const struct publish_options *opt,
		    struct tlv_err *e);

/* Makes the folder where it is missing (not its parents). *made says whether. */
enum status publish_folder(const char *path, bool *made, struct tlv_err *e);
/* Takes away a folder that was made, and is empty again. */
void publish_folder_undo(const char *path);

/* Whether publish could begin: the folder is there and can be written, the target is no folder or link. */
enum status publish_check(const char *path, const struct publish_options *opt, struct tlv_err *e);

/* The same for these bytes: with no_replace a file that is there must hold them already. */
enum status publish_check_bytes(const char *path, struct span bytes,
				const struct publish_options *opt, struct tlv_err *e);

#endif
