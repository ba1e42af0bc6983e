/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The only way in which files come to be: written whole under a temporary
 * name in the target's folder, synced, renamed, the folder synced. After a
 * failure the old file is as it was and no new one is there.
 *
 * A file that is there is replaced only if it is empty or of the kind that
 * is written. One that has these very bytes already is left alone.
 */
#ifndef CTL_PUBLISH_H
#define CTL_PUBLISH_H

#include <stdbool.h>
#include <sys/stat.h>

#include "signer/publish/kind.h"
#include "tlv/bytes.h"
#include "tlv/err.h"

enum { PUBLISH_KEEP = 10 }; /* copies of replaced lists, unless somebody says how many */

struct publish_options {
	struct tlv_warn warn;
	enum kind kind;	 /* what is written; KIND_OTHER replaces nothing but an empty file */
	bool overwrite;	 /* whatever the file there is */
	bool secret;	 /* the file is ours alone: mode 0600, whatever was there */
	bool follow;	 /* write through a symbolic link */
	bool may_follow; /* --follow can be advised */
	bool stream;	 /* the target may be a pipe or a terminal: it is written to as it is */
	unsigned keep;	 /* copies FILE.~N~ of replaced lists that stay; 0: none is made */
	/* What was read of the target, or NULL; a change since is refused. */
	const struct stat *replaces;
	/* What publish_check() saw there; a file that appears since then is refused too. */
	struct publish_seen {
		bool looked, existed;
		struct stat st;
	} seen;
};

/* A file that is written and on the disk, but not in its place yet. */
struct publication;

/*
 * Writes bytes under a temporary name. A new file has mode 0644 whatever the
 * umask; an existing one keeps mode and owner. Temporary files that nobody
 * holds, left by a run that was killed, are taken away. What a list replaces
 * and every list that is replaced is kept as FILE.~N~. Every failure is
 * ST_OUTPUT; opt is borrowed.
 */
enum status publish_begin(struct publication **out, const char *path, struct span bytes,
			  const struct publish_options *opt, struct tlv_err *e);
enum status publish_commit(struct publication *p, struct tlv_err *e);
/* Takes away what was not committed. */
void publish_free(struct publication **p);

/* All of it in one. */
enum status publish(const char *path, struct span bytes, const struct publish_options *opt,
		    struct tlv_err *e);

/* Makes the folder if it is missing (not its parents). *made says whether. */
enum status publish_folder(const char *path, bool *made, struct tlv_err *e);
/* Takes away a folder that was made, and is empty again. */
void publish_folder_undo(const char *path);

/*
 * Whether publish could begin: the folder can be written, and what is there may be replaced.
 * What is there is remembered in opt->seen.
 */
enum status publish_check(const char *path, struct publish_options *opt, struct tlv_err *e);
/* The same for these bytes: a file that holds them already is left alone. */
enum status publish_check_bytes(const char *path, struct span bytes,
				const struct publish_options *opt, struct tlv_err *e);

#endif
