/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The lists that a cluster serves today, one for each argument.
 */
#ifndef CTL_CLUSTER_LISTS_H
#define CTL_CLUSTER_LISTS_H

#include "signer/cli/verb.h"
#include "signer/text/list_file.h"
#include "signer/trust/release.h"

struct cluster_lists {
	struct list_file *files; /* owned */
	const struct tlv_list **v;
	size_t n;
};

/*
 * Reads all arguments, and finds the release: '--release', else what the CTL tells. Errors are
 * those of list_file_read() and release_choose(). Free it after a failure, too.
 */
enum status cluster_lists_read(struct cluster_lists *x, const struct opts *o,
			       struct release *release, struct tlv_err *e);
void cluster_lists_free(struct cluster_lists *x);

#endif
