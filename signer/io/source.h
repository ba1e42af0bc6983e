/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A file that is read in pieces, however long it is.
 */
#ifndef CTL_SOURCE_H
#define CTL_SOURCE_H

#include <sys/stat.h>

#include "tlv/bytes.h"
#include "tlv/err.h"

enum { SOURCE_CHUNK = 128 * 1024 }; /* bytes; holds the longest header and the longest record */

struct source {
	int fd;
	const char *path; /* borrowed */
	struct stat st;
	bool sparse; /* it has holes */
};

#define SOURCE_INIT ((struct source){ .fd = -1 })

/* A regular file; every failure is ST_INPUT with the path in front. */
enum status source_open(struct source *s, const char *path, struct tlv_err *e);
/*
 * The same for a file that is open. The source owns the descriptor from then on, also after a
 * failure.
 */
enum status source_take(struct source *s, int fd, const char *path, struct tlv_err *e);
/* As many bytes from at on as there are, at most cap; none at the end, wherever that is now. */
enum status source_read(const struct source *s, uint64_t at, uint8_t *room, size_t cap,
			struct span *out, struct tlv_err *e);
/* ST_INPUT if it was changed since it was opened. */
enum status source_check(const struct source *s, struct tlv_err *e);
void source_close(struct source *s);

#endif
