/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One run of migrate: what its options say, the lists that it makes, and the folder that they go
 * to.
 */
#ifndef CTL_MIGRATION_H
#define CTL_MIGRATION_H

#include "signer/cli/deliver.h"
#include "signer/list/migrate.h"
#include "signer/plan/plan.h"
#include "signer/publish/tree.h"

enum { PART_BRIDGE, PART_FINAL, PART_WAY_BACK, PARTS };

/* One list of the folder. */
struct migration_part {
	const char *name; /* in the folder; NULL: not made */
	struct migrate_records records;
	struct sign_spec spec;
	struct signing signing;
	struct tlv_list list; /* borrows signing */
	struct key *signer;   /* borrowed */
};

struct migration {
	const struct opts *o;
	const char *folder;
	struct tree_options tree;
	struct tok_options tok;
	struct list_file old;
	struct believing believing;
	struct release release;
	struct certset sasts, vouched;
	struct list_file tvs_ctl;
	struct phone tvs;
	const struct tlv_list *held; /* believed; what phones have now */
	struct lockout lockout;
	struct migrate_input in;
	struct key *key, *old_key; /* old_key: NULL without --old-key */
	struct early_key early[2]; /* of -k and --old-key */
	struct migration_part parts[PARTS];
	struct plan plan;
	struct buf filename;
};

/* Makes the lists of the old one's records, without signatures, so that they can be foreseen. */
enum status migration_compose(struct migration *m, struct tlv_err *e);
/* Each step is judged for phones that hold what the step before left. ST_NO on a lockout. */
enum status migration_check_steps(struct migration *m, struct tlv_err *e);
/* Logs in, and signs all lists. */
enum status migration_sign(struct migration *m, struct tlv_err *e);
/*
 * What was promised before signing must be true of the signed lists: bridge, new list, way back.
 * ST_BUG if it is not.
 */
enum status migration_check_promises(const struct migration *m, struct tlv_err *e);
/* The public key that signs it; borrowed. */
struct span migration_part_key(const struct migration_part *p);
void migration_parts_free(struct migration *m);

/* Makes m->plan anew, of lists with or without signatures. */
enum status migration_plan(struct migration *m, bool is_signed, struct tlv_err *e);
/* Reports, then puts the folder in its place: signed lists, uploads, plan, checksums. */
enum status migration_write(struct migration *m, struct tlv_err *e);

#endif
