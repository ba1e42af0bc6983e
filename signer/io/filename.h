/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * File names from names in certificates, which may say anything.
 */
#ifndef CTL_FILENAME_H
#define CTL_FILENAME_H

#include "tlv/bytes.h"
#include "tlv/err.h"

/* The names given so far. */
struct filenames {
	void *tree; /* of tsearch(), owned; NULL: none yet */
};

#define FILENAMES_INIT ((struct filenames){ .tree = NULL })

/*
 * Appends "<prefix>-<label><suffix>" to out (without "<prefix>-" if prefix
 * is NULL): bytes outside A-Za-z0-9._- become '_', no dot comes first. The
 * same certificate gets the same name again; another one of that name gets
 * "-<serial>" behind it. der must outlive the struct.
 */
enum status filename_make(struct filenames *given, const char *prefix, struct span label,
			  struct span serial, struct span der, const char *suffix, struct buf *out,
			  struct tlv_err *e);
void filenames_free(struct filenames *given);

#endif
