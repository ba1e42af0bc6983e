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

#include "signer/publish/publish.h"
#include "tlv/bytes.h"
#include "tlv/err.h"

#define SUMS_NAME "SHA256SUMS"

struct sums {
	struct buf old, add;
	bool exists, overwrite;
	struct stat st; /* of what was read */
	struct publish_options opt;
};

#define SUMS_INIT ((struct sums){ .exists = false })

/*
 * What stands at path, nothing if there is no file. ST_OUTPUT for a file
 * that sha256sum did not write: it is somebody's, and stays without overwrite.
 */
enum status sums_read(struct sums *s, const char *path, bool overwrite, struct tlv_err *e);

/* Whether a folder's SHA256SUMS has a line for this file. */
bool sums_has(struct span text, struct span name);

/* One line: the sum of a file of this name. */
enum status sums_line(struct buf *out, const char *name, struct span bytes, struct tlv_err *e);

/* The same, for a file of this name in the folder; a name of A-Za-z0-9._- only. */
enum status sums_add(struct sums *s, const char *name, struct span bytes, struct tlv_err *e);

/*
 * All lines; new ones win over old ones of the same name. They are to be
 * published with s->opt: a file that has changed since it was read is refused.
 */
enum status sums_text(struct sums *s, struct buf *out, struct tlv_err *e);
void sums_free(struct sums *s);

#endif
