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
	bool stands_in;		       /* for other lists too: all certificates are to be known */
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
/* Remembers the certificates of a list that is read, and those that its log or --certs show. */
enum status cluster_list_know(struct standins *s, struct list_file *f, const char *arg,
			      struct tlv_err *e);
/*
 * Fills the gaps of a printed list. Its time of signing is that of its file, or 0 if that is not
 * printed.
 */
enum status cluster_list_fill(struct standins *s, const struct list_file *f,
			      struct cluster_filled *to, struct tlv_err *e);

#endif
