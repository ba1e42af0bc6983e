/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What several verbs say and do alike.
 */
#ifndef CTL_COMMON_H
#define CTL_COMMON_H

#include "pkcs11/token.h"
#include "signer/cli/opt.h"
#include "signer/publish/publish.h"
#include "signer/text/list_file.h"
#include "signer/trust/lockout.h"
#include "signer/trust/verify.h"

/* --module, --pin-source, --timeout, --insecure-file-mode. */
enum status common_token_options(const struct opts *o, struct tok_options *out, struct tlv_err *e);

/* --overwrite, --keep, --follow, for what a verb writes. */
enum status common_publish_options(const struct opts *o, enum kind kind,
				   struct publish_options *out, struct tlv_err *e);

/*
 * For verbs that read files and print, before the first is read: gives up all
 * else (signer/io/sandbox.h). Not for those that write, or whose arguments may be
 * a token's URI: modules run in a child, with sockets and memory of their own.
 */
void common_read_only(void);

/*
 * The same for verbs that write their files into one folder, which is there
 * now; made: by us, and may be taken away again. ST_OUTPUT if it cannot be
 * opened.
 */
enum status common_write_beneath(const char *folder, bool made, struct tlv_err *e);

/* ST_USAGE if it is not SEP and a MAC address, as CUCM writes it. */
enum status common_device_check(const char *device, struct tlv_err *e);

/* --accept-lockout, repeatable. */
void lockout_options(struct lockout *l, const struct opts *o);

/*
 * list_file_alike(), with a warning of texts with one checksum that differ. The second one also
 * warns of what is not compared.
 */
enum status common_quietly_alike(struct list_file *const *files, size_t n, struct tlv_err *e);
enum status common_alike(struct list_file *const *files, size_t n, struct tlv_err *e);

#endif
