/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A list on one screen: who is in it, where, until when, who signed, whom phones believe.
 */
#ifndef CTL_SUMMARY_H
#define CTL_SUMMARY_H

#include <jansson.h>

#include "signer/text/list_file.h"

/*
 * Appends what is said of the list as a whole, and a table of at most 80 columns: a longer
 * name is cut there, and ends in '~'. What is not known is '-'. The list may be printed,
 * or damaged: then what is whole counts. signature: what it comes to, a sentence.
 * now: seconds since 1970 UTC; what has expired by then is named.
 */
enum status summary_text(struct buf *b, const char *path, const struct list_file *f,
			 const char *signature, int64_t now, struct tlv_err *e);

/* Record i, with its name uncut, and null for what is not known. NULL if memory runs out. */
json_t *summary_record_json(const struct tlv_list *l, size_t i);

#endif
