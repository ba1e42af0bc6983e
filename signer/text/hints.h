/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the command line gives to rebuild printed lists: --certs, --address,
 * --timestamp. It is told once, before anything is read; the files are read when
 * the first printed list needs them, inside the sandbox.
 */
#ifndef CTL_TEXT_HINTS_H
#define CTL_TEXT_HINTS_H

#include "signer/text/rebuild.h"

/* A log, a certificate file or a folder of such. Borrowed. */
enum status hints_add_certs(const char *path, struct tlv_err *e);
/* NAME=IP; borrowed. ST_USAGE if it is something else. */
enum status hints_add_address(const char *text, struct tlv_err *e);
void hints_set_timestamp(uint32_t timestamp);

/* Whether printed lists are to be rebuilt: some certificates were named. */
bool hints_given(void);

/*
 * The certificates of what was named, and those that the log shows itself; path is for
 * warnings. A log's are taken once: later calls may leave it out. Borrowed until hints_free().
 */
enum status hints_certs(struct span log, const char *path, const struct certset **out,
			struct tlv_err *e);
/*
 * What is known for this list: the certificates of hints_certs(), and the addresses that stand in
 * its log and in the logs named. *owned is the caller's to free. ST_NOMEM.
 */
enum status hints_for(const struct printed *p, const struct certset *certs, struct span log,
		      struct rebuild_hints *out, struct rebuild_address **owned, struct tlv_err *e);

/* At the end of the process. */
void hints_free(void);

#endif
