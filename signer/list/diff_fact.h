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

/*
 * Values that facts of the header and of records share. Each function appends the value. Those
 * that take there return it, so that they can end a put.
 */
bool diff_put_text(struct buf *b, bool there, struct span value);
bool diff_put_serial(struct buf *b, bool there, struct span s, enum diff_reader who);
bool diff_put_version(struct buf *b, bool there, const uint8_t v[2]);
void diff_put_key(struct buf *b, struct span key);
bool diff_put_dialect(struct buf *b, struct tlv_dialect d); /* always true */

bool diff_same_dialect(struct tlv_dialect x, struct tlv_dialect y);
/* a and b as the lists spell them; name_a and name_b: the certificates' own in DER, or empty. */
bool diff_same_name(struct span a, struct span b, struct span name_a, struct span name_b);

#endif
