/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The YAML manifest of build: settings and records. Relative paths in it are
 * relative to its folder.
 */
#ifndef CTL_MANIFEST_H
#define CTL_MANIFEST_H

#include <stddef.h>

#include "tlv/err.h"

struct manifest_record {
	char *role, *cert, *name, *address;
	char *record; /* a file of the record's own bytes; then there is no other key but role */
};

/* Strings are as written, NULL if absent. Owned by the manifest. */
struct manifest {
	char *file, *style, *mode, *digest, *key, *cert;
	char *name_separator, *signer_version;
	struct manifest_record *records;
	size_t records_count;
};

struct manifest_file;

/*
 * Reads a regular file of at most 1 MiB: one YAML document, no aliases, no
 * repeated or unknown keys, no empty values. ST_INPUT as "file:line: what".
 */
enum status manifest_read(struct manifest_file **out, const char *path, struct tlv_err *e);
const struct manifest *manifest_content(const struct manifest_file *m);
void manifest_free(struct manifest_file **m);

/*
 * The line that a value stands in. record -1: the top level. key NULL or absent: the record's own
 * line.
 */
unsigned manifest_line(const struct manifest_file *m, int record, const char *key);

/* ST_INPUT as "file:line: what". */
enum status manifest_error(const struct manifest_file *m, int record, const char *key,
			   struct tlv_err *e, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * A path of the manifest, relative to the working folder. URIs stay as they are. malloc'd; NULL if
 * memory runs out.
 */
char *manifest_resolve(const struct manifest_file *m, const char *path);

/* "cluster.yaml:7", malloc'd. */
char *manifest_origin(const struct manifest_file *m, int record);

#endif
