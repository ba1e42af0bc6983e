/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a new list changes in an old one. Bytes decide what is the same;
 * certificates, roles, addresses and subjects decide what belongs together.
 */
#ifndef CTL_DIFF_H
#define CTL_DIFF_H

#include <jansson.h>

#include "tlv/list.h"

enum diff_kind {
#define DIFF_KIND(NAME, text) DIFF_##NAME,
#include "signer/list/diff.def"
#undef DIFF_KIND
	DIFF_KINDS
};

enum diff_header {
#define DIFF_HEADER(NAME, key, label, differs, put, respelled) DIFF_H_##NAME,
#include "signer/list/diff.def"
#undef DIFF_HEADER
	DIFF_HEADERS
};

enum diff_field {
#define DIFF_FIELD(NAME, key, label, differs, put, respelled) DIFF_F_##NAME,
#include "signer/list/diff.def"
#undef DIFF_FIELD
	DIFF_FIELDS
};

#define DIFF_NO_RECORD SIZE_MAX

/*
 * One record's fate.
 *   SAME     equal bytes at a place that follows from the others
 *   MOVED    equal bytes, in another order
 *   CHANGED  the same certificate, other bytes; or one side has no certificate (non-secure mode)
 *   RENEWED  another certificate for the same thing
 */
struct diff_entry {
	enum diff_kind kind;
	bool moved; /* of MOVED, and of CHANGED and RENEWED if they stand in another order too */
	size_t old, new; /* record index from 0, or DIFF_NO_RECORD */
	uint32_t fields; /* bit n: diff_field n differs; of CHANGED and RENEWED */
	/* Those of them that differ in spelling only: order, separator, quotes, byte order. */
	uint32_t respelled;
};

/* What "the same" rests on: printed lists (tlv_list.printed) are not known byte for byte. */
enum diff_known { DIFF_KNOWN_BYTES, DIFF_KNOWN_CHECKSUM, DIFF_KNOWN_TEXT };

/* Owns v; borrows both lists and their bytes, which must outlive it. */
struct diff {
	const struct tlv_list *old, *new;
	struct diff_entry *v; /* in the new list's order, removed ones where they were */
	size_t n;
	size_t count[DIFF_KINDS];
	uint32_t header;    /* bit n: diff_header n differs */
	uint32_t respelled; /* those of them that differ in spelling only */
	bool same;	    /* every byte that is known */
	enum diff_known known;
	bool signed_again;	  /* nothing but timestamp and signature differ */
	bool timestamp_backwards; /* NEW's timestamp is before OLD's */
};

static inline bool diff_header_differs(const struct diff *d, enum diff_header h)
{
	return (d->header >> (unsigned)h & 1U) != 0;
}

static inline bool diff_field_differs(const struct diff_entry *x, enum diff_field f)
{
	return (x->fields >> (unsigned)f & 1U) != 0;
}

/*
 * Compares two decoded lists. Renewed is matched by role and address, then by
 * role and subject, then by role and name; of several that match,
 * the first goes with the first, and one of the same subject goes before.
 * A token's address says nothing, and neither tokens nor ITLRecovery go with
 * a CallManager certificate. Time n log n. ST_NOMEM only if memory runs out; the
 * struct is to be freed all the same.
 */
enum status diff_lists(struct diff *out, const struct tlv_list *old, const struct tlv_list *new,
		       struct tlv_err *e);
void diff_free(struct diff *d);

/* "every byte": how far lists that show no difference are the same. */
const char *diff_known_text(const struct diff *d);
/* "renewed" */
const char *diff_kind_text(enum diff_kind kind);

/* Takes one line without newline, escaped for a terminal; borrowed. */
typedef void diff_line_fn(void *arg, const char *line);

/*
 * The differences as text. First come the header's lines, then those of every record that is not
 * the same, with its facts indented below. The last line begins "same" or "different:" and sums up.
 * ST_NOMEM if memory runs out.
 */
enum status diff_print(const struct diff *d, diff_line_fn *line, void *arg, struct tlv_err *e);

/* The same as JSON, every record included; NULL if memory runs out. */
json_t *diff_json(const struct diff *d);

#endif
