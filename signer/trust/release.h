/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * CUCM releases, as far as trust lists differ between them.
 */
#ifndef CTL_RELEASE_H
#define CTL_RELEASE_H

#include "tlv/list.h"

enum release_signer { RELEASE_NOBODY, RELEASE_CALLMANAGER, RELEASE_ITLRECOVERY };

struct release {
	unsigned version; /* ordered, a later release's is greater */
	const char *name; /* as it was given (borrowed), or of the table's row, "10.5(2)" */
	bool ctl_client, tokens, tokenless, itlrecovery;
	enum release_signer signer, itl_signer; /* of a tokenless CTL, and of an ITL */
	bool token_anchors;
};

/*
 * Every form that CUCM and its documents print: "10.5", "10.5(2)", "10.5.2", "14", "14SU3",
 * "12.5(1)SU8a", "12.5.1.11900-146", with "System version:" in front. ST_USAGE for anything
 * else, or before 9.1.
 */
enum status release_parse(const char *text, struct release *out, struct tlv_err *e);

/* Whether all nodes have the same ITLRecovery, as from 12.5 on. Source: docs/CLUSTER.md. */
bool release_has_one_itlrecovery(const struct release *r);

/* Who signs a list of this kind in the release, unless a token does. */
enum release_signer release_signer_of(const struct release *r, const struct tlv_list *l);
/*
 * Whether another key signed the list than the release has sign it: the release may be mistyped.
 * 'reset localkey' leaves such lists as well. A token may sign in any release. False for a list
 * whose signer is not in it.
 */
bool release_is_unlike(const struct release *r, const struct tlv_list *l);

/*
 * What a list's signer and SAST records tell: true with the first release of
 * which all is so; false if several rows of the table would differ.
 */
bool release_derive(const struct tlv_list *l, struct release *out);

/* --release if given, else what the list tells, else ST_USAGE that asks for it. */
enum status release_choose(const char *option, const struct tlv_list *l, struct release *out,
			   struct tlv_err *e);

#endif
