/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A folder that comes to be as a whole: filled under a temporary name beside
 * its place, synced, renamed. After a failure nothing of it is there.
 */
#ifndef CTL_TREE_H
#define CTL_TREE_H

#include <stdbool.h>

#include "tlv/bytes.h"
#include "tlv/err.h"

struct tree;

struct tree_options {
	struct tlv_warn warn;
	bool overwrite; /* a folder that is there makes room: it is kept as PATH.~N~ */
	unsigned
		keep; /* such folders that stay; one with files that its sums do not know is never taken */
};

/*
 * Without overwrite path must not exist. Folders of runs that were killed are
 * taken away. Every failure is ST_OUTPUT; opt is borrowed.
 */
enum status tree_begin(struct tree **out, const char *path, const struct tree_options *opt,
		       struct tlv_err *e);
/* Whether tree_begin could succeed: asked before a PIN is. */
enum status tree_check(const char *path, const struct tree_options *opt, struct tlv_err *e);
/* name is "file" or "folder/file"; files are 0644, folders 0755, whatever the umask. */
enum status tree_add(struct tree *t, const char *name, struct span bytes, struct tlv_err *e);
/* Adds SHA256SUMS of all that was added, as sha256sum -c reads it. */
enum status tree_add_sums(struct tree *t, struct tlv_err *e);
/* Once the folder is in its place, that the disk does not know yet is a warning only. */
enum status tree_commit(struct tree *t, struct tlv_err *e);
/* Takes away what was not committed. */
void tree_free(struct tree **t);

#endif
