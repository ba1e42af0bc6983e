/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which records of a list an option means: '#3', 'role=CAPF',
 * 'role=CCM+TFTP,address=10.48.47.154', 'cn=…', 'name=…', 'serial=…', 'sha1=…'.
 */
#ifndef CTL_SELECTOR_H
#define CTL_SELECTOR_H

#include "tlv/bytes.h"
#include "tlv/err.h"
#include "tlv/list.h"

/* Whether the text begins as a selector does. */
bool selector_is(const char *text);

/*
 * Bytes of the selector at the front of text: it ends at the end, before
 * ",name=" or ",address=" if stop_at_settings, or before a '=' behind a
 * value (what follows is an argument). Conditions are joined by ','.
 */
size_t selector_length(const char *text, bool stop_at_settings);

/*
 * The records of the list that match, as indices in a malloc'd array, in
 * order. ST_USAGE: no selector; ST_NO_MATCH; ST_AMBIGUOUS for several unless all.
 */
enum status selector_resolve(struct span selector, const struct tlv_list *l, bool all, size_t **out,
			     size_t *n, struct tlv_err *e);

#endif
