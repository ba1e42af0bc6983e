/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Memory that ends inside a library. OpenSSL and jansson make of it an answer that looks like
 * another one: a signature that does not verify, an object without a member. In some places OpenSSL
 * 3.0 crashes. So they get what malloc refuses from a reserve, with which a run can be wound up.
 * err_nomem_seen() then knows that the run has no result. What they give away is theirs to free:
 * never free() it.
 */
#ifndef CTL_MEMORY_H
#define CTL_MEMORY_H

#include "tlv/err.h"

/* Before anything else is asked of OpenSSL or jansson. */
void memory_watch(void);

/* The status that a run ends with. If memory ran out anywhere, it is ST_NOMEM, and e says so. */
enum status memory_verdict(enum status st, struct tlv_err *e);

#endif
