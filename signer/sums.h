/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A folder's SHA256SUMS, as sha256sum -c reads it. Lines for files that were
 * written before stay.
 */
#ifndef CTL_SUMS_H
#define CTL_SUMS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "signer/publish.h"
#include "tlv/bytes.h"
#include "tlv/err.h"

struct sums {
	struct buf old, add;
	bool exists;
	struct stat st; /* of what was read */
	struct publish_options opt;
};

#define SUMS_INIT ((struct sums){ .exists = false })

/*
 * What stands at path, nothing where there is no file. ST_OUTPUT for a file
 * that sha256sum did not write: it is somebody's, and stays.
 */
enum status sums_read(struct sums *s, const char *path, struct tlv_err *e);

/* A line for a file of this name in the folder; a name of A-Za-z0-9._- only. */
enum status sums_add(struct sums *s, const char *name, struct span bytes, struct tlv_err *e);

/*
 * Begins to publish all lines; new ones win over old ones of the same name.
 * path and s must outlive the publication.
 */
enum status sums_begin(struct sums *s, struct publication **out, const char *path,
		       struct tlv_err *e);
void sums_free(struct sums *s);

#endif
