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
/* Takes away what was not committed. */
void publish_free(struct publication **p);

/* All of it in one. */
enum status publish(const char *path, struct span bytes, const struct publish_options *opt,
		    struct tlv_err *e);

/* Makes the folder where it is missing (not its parents). *made says whether. */
enum status publish_folder(const char *path, bool *made, struct tlv_err *e);

/* Whether publish could begin: the folder is there and can be written, the target is no folder or link. */
enum status publish_check(const char *path, const struct publish_options *opt, struct tlv_err *e);

/* The same for these bytes: with no_replace a file that is there must hold them already. */
enum status publish_check_bytes(const char *path, struct span bytes,
				const struct publish_options *opt, struct tlv_err *e);

#endif
