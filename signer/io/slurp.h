/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A whole file, read within bounds.
 */
#ifndef CTL_SLURP_H
#define CTL_SLURP_H

#include <sys/stat.h>

#include "tlv/bytes.h"
#include "tlv/err.h"

enum {
	SLURP_CERT_MAX = 1 << 20, /* bytes */
	SLURP_MANIFEST_MAX = 1 << 20
};

/* What was read and of which file; owned. */
struct blob {
	uint8_t *p;
	size_t n;
	struct stat st; /* of the descriptor that was read */
};

enum slurp_mode {
	SLURP_ANY,     /* pipes too, folders not */
	SLURP_REGULAR, /* a regular file */
	SLURP_PRIVATE  /* a regular file that neither group nor others can read */
};

/*
 * Bytes of a list at most: 4 MiB, sixty times what a phone loads; 1 GiB if
 * --allow-large was given, which slurp_allow_large() tells, once, before anything is read.
 */
size_t slurp_list_max(void);
void slurp_allow_large(void);

/* ST_INPUT, with the path in front, if it cannot be read, is no such file or longer than max. */
enum status slurp(const char *path, size_t max, enum slurp_mode mode, struct blob *out,
		  struct tlv_err *e);
struct span blob_span(const struct blob *b);
void blob_free(struct blob *b); /* wipes: it may have been a key */

/* "http://", "https://" or "tftp://" in front, in any case: no path, whatever is called so here. */
bool path_is_url(const char *arg);

/* The last part of a path. */
const char *base_name(const char *path);

#endif
