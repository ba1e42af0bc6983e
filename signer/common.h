/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What several verbs say and do alike.
 */
#ifndef CTL_COMMON_H
#define CTL_COMMON_H

#include "pkcs11/token.h"
#include "signer/opt.h"
#include "signer/slurp.h"
#include "signer/verify.h"
#include "tlv/list.h"

/* --module, --pin-source, --timeout, --insecure-file-mode. */
enum status common_token_options(const struct opts *o, struct tok_options *out, struct tlv_err *e);

/*
 * For verbs that read files and print, before the first is read: gives up all
 * else (signer/sandbox.h). Not for those that write, or whose arguments may be
 * a token's URI: modules run in a child, with sockets and memory of their own.
 */
void common_read_only(void);

/* For --verbose: the token that was found, and the module that drives it. */
void common_step_token(const struct tok_info *t);

/* A list in memory: the bytes, and what was decoded of them. */
struct list_file {
	struct blob file;
	struct tlv_list list;
	struct tlv_err fault; /* where it is malformed; list then holds what is whole */
};

/* ST_INPUT where the file cannot be read; a malformed one is ST_OK with fault set. */
enum status list_file_read(struct list_file *f, const char *path, struct tlv_err *e);
/* The same, and a malformed one is ST_INPUT too. */
enum status list_file_read_good(struct list_file *f, const char *path, struct tlv_err *e);
void list_file_free(struct list_file *f);

/* "cucm-1051-a-pub" of a text field that may lack its NUL, escaped for a terminal; malloc'd inside b. */
const char *field_text(struct buf *b, struct span value);

/* "<md5>(MD5)\n<sha1>(SHA1)\n": what phones show of the whole file. */
enum status checksums(struct span bytes, char md5[33], char sha1[41], struct tlv_err *e);

/* The last part of a path. */
const char *base_name(const char *path);

#endif
