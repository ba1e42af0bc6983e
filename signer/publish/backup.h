/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The lists that a new one has replaced: FILE.~N~ beside it, the highest N is
 * the youngest. A name that is taken is never written over.
 */
#ifndef CTL_BACKUP_H
#define CTL_BACKUP_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "tlv/err.h"

/*
 * What counts as a copy of ours; what else has such a name is somebody's, and
 * is neither counted nor touched. Both functions get a name in the folder, and
 * names can be exchanged between two calls: take_away() looks again.
 */
struct backup_kind {
	bool (*is_ours)(int dir_fd, const char *entry, uid_t owner);
	/* 0, also if it is not ours; or -1 with errno. */
	int (*take_away)(int dir_fd, const char *entry, uid_t owner);
};

/* Lists, as regular files of ours or of owner's. */
extern const struct backup_kind backup_lists;

/* The number above those of all copies of name's; 0: memory has run out. */
unsigned backup_next(int dir_fd, const char *name, uid_t owner, const struct backup_kind *kind,
		     struct tlv_err *e);
/* "CTLFile.tlv.~12~" */
void backup_name(char out[NAME_MAX + 1], const char *name, unsigned number);
/* Gives the file a second name by a link, so that it always has one. On ST_OUTPUT copy is empty. */
enum status backup_keep(int dir_fd, const char *name, uid_t owner, char copy[NAME_MAX + 1],
			struct tlv_err *e);
/* Takes the oldest away until no more than keep are left. ST_OUTPUT if one cannot be. */
enum status backup_prune(int dir_fd, const char *name, uid_t owner, const struct backup_kind *kind,
			 unsigned keep, struct tlv_err *e);

#endif
