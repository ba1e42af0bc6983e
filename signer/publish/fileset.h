/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files in one folder that come to be all or none of them, and with them the
 * folder if it was missing.
 */
#ifndef CTL_FILESET_H
#define CTL_FILESET_H

#include <stdbool.h>

#include "signer/publish/group.h"
#include "tlv/bytes.h"
#include "tlv/err.h"

struct fileset {
	const char *dir; /* borrowed */
	bool made;	 /* the folder, by us */
	bool committed;
	struct publish_group *group;
	struct buf *paths;
	struct publication **files;
	size_t n, paths_cap, files_cap;
};

#define FILESET_INIT ((struct fileset){ .n = 0 })

/* Makes the folder if it is missing (not its parents). */
enum status fileset_open(struct fileset *f, const char *dir, struct tlv_err *e);
/* Writes "DIR/name" under a temporary name; opt is borrowed until fileset_free. */
enum status fileset_add(struct fileset *f, const char *name, struct span bytes,
			const struct publish_options *opt, struct tlv_err *e);
/* All of them or none, as publish_commit_all. */
enum status fileset_commit(struct fileset *f, struct tlv_err *e);
/* Takes away what was not committed. */
void fileset_free(struct fileset *f);

#endif
