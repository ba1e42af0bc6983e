/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the lists of a migration hold: which records stay, which anchors come
 * and go, by direction and release. No key is touched here.
 */
#ifndef CTL_MIGRATE_H
#define CTL_MIGRATE_H

#include "signer/list/compose.h"
#include "signer/trust/release.h"

enum migrate_direction { MIGRATE_TO_TOKENS, MIGRATE_TO_TOKENLESS };

struct migrate_input {
	enum migrate_direction direction;
	const struct tlv_list *old;
	const struct release *release;
	const struct cert *signer;   /* of the new list */
	const struct certset *sasts; /* --sast: other anchors that are to be in it */
	bool restyle;		     /* make the server records anew, in dialect */
	struct tlv_dialect dialect;
	bool one_token;
	const char *
		publisher; /* --publisher: its host name, or NULL: as the list and certificates tell */
};

/* The records of a list under way. */
struct migrate_records {
	struct entries entries;
	struct buf bytes;
	size_t signer_at; /* offset in bytes */
};

/*
 * The new list: the signer's SAST record, the other anchors, what the release
 * keeps of the old ones, then the server records, raw unless restyle. ST_NO:
 * refused by rule.
 */
enum status migrate_final(struct migrate_records *out, const struct migrate_input *in,
			  struct tlv_err *e);

/*
 * The bridge, and the way back: the old records, raw, and the new anchors.
 * signer is who signs it: a SAST of the old list, or the new list's signer.
 */
enum status migrate_union(struct migrate_records *out, const struct migrate_input *in,
			  const struct cert *signer, struct tlv_err *e);
void migrate_records_free(struct migrate_records *r);

/*
 * What is to be anchored on the way to tokens and is neither ITLRecovery nor a
 * node's certificate is a token's, whoever issued it.
 */
bool migrate_is_token(const struct migrate_input *in, const struct cert *c);

#endif
