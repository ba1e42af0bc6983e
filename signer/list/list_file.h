/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A trust list that is read from a file, and what is said of it.
 */
#ifndef CTL_LIST_FILE_H
#define CTL_LIST_FILE_H

#include "signer/io/slurp.h"
#include "tlv/list.h"

/* A list in memory: the bytes, and what was decoded of them. */
struct list_file {
	struct blob file;
	struct tlv_list list;
	struct tlv_err fault; /* where it is malformed; list then holds what is whole */
};

/* ST_INPUT where the file cannot be read; a malformed one is ST_OK with fault set. */
enum status list_file_read(struct list_file *f, const char *path, struct tlv_err *e);
/* The same for a file that a folder holds: somebody may have exchanged it for a pipe since. */
enum status list_file_read_found(struct list_file *f, const char *path, struct tlv_err *e);
/* As list_file_read, and a malformed one is ST_INPUT too. */
enum status list_file_read_good(struct list_file *f, const char *path, struct tlv_err *e);
enum status list_file_read_found_good(struct list_file *f, const char *path, struct tlv_err *e);
void list_file_free(struct list_file *f);

/* "cucm-1051-a-pub" of a text field that may lack its NUL, escaped for a terminal; malloc'd inside b. */
const char *field_text(struct buf *b, struct span value);

/* "<md5>(MD5)\n<sha1>(SHA1)\n": what phones show of the whole file. */
enum status checksums(struct span bytes, char md5[33], char sha1[41], struct tlv_err *e);

#endif
