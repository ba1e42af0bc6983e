/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What two lists can differ in, a row for each fact: how it is compared, and how its
 * value reads. The rows are diff.def's.
 */
#ifndef CTL_DIFF_FACT_H
#define CTL_DIFF_FACT_H

#include "signer/list/diff.h"

/*
 * A record and its certificate. They are parsed when they are looked at: lists may have millions.
 */
struct diff_record {
	struct tlv_record r;
	struct tlv_cert cert;
	bool has_cert;
	bool printed; /* of a printed list: keys and addresses are not known */
};

struct diff_record diff_record_of(const struct tlv_list *l, size_t index);

/* For whom a value is: people get colons and units, as show prints them. */
enum diff_reader { DIFF_FOR_PEOPLE, DIFF_FOR_JSON };

/*
 * Any of the functions may be NULL (diff.def). put appends; false if the list or record says
 * nothing.
 */
struct diff_header_row {
	const char *key, *label;
	bool (*differs)(const struct tlv_list *old, const struct tlv_list *new);
	bool (*put)(const struct tlv_list *l, enum diff_reader who, struct buf *b);
	bool (*respelled)(const struct tlv_list *old, const struct tlv_list *new);
};

struct diff_field_row {
	const char *key, *label;
	bool (*differs)(const struct diff_record *old, const struct diff_record *new);
	bool (*put)(const struct diff_record *x, enum diff_reader who, struct buf *b);
	bool (*respelled)(const struct diff_record *old, const struct diff_record *new);
};

const struct diff_header_row *diff_header_row(enum diff_header h);
const struct diff_field_row *diff_field_row(enum diff_field f);

/* Whether the record has the tag. */
bool diff_record_has(const struct diff_record *x, enum tlv_tag tag);

#endif
