/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The lists that a cluster serves today, one for each argument. What a printed list lacks, a
 * stand-in has (signer/plan/forecast/standin.h).
 */
#ifndef CTL_CLUSTER_LISTS_H
#define CTL_CLUSTER_LISTS_H

#include "signer/cli/verb.h"
#include "signer/plan/forecast/standin.h"
#include "signer/text/list_file.h"
#include "signer/trust/release.h"

struct cluster_filled {
	struct buf bytes; /* empty: the list is not a printed one */
	struct tlv_list list;
};

struct cluster_lists {
	struct list_file *files; /* owned */
	const struct tlv_list **v;
	size_t n;
	struct standins standins;
	struct cluster_filled *filled; /* owned, one for each list */
};

/*
 * Reads all arguments, and finds the release: '--release', else what the CTL tells. flags are
 * those of list_file_read(). Errors are its own, and those of standins_fill() and
 * release_choose(). Free it after a failure, too.
 */
enum status cluster_lists_read(struct cluster_lists *x, const struct opts *o, unsigned flags,
			       struct release *release, struct tlv_err *e);
void cluster_lists_free(struct cluster_lists *x);

#endif
