/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One row of what 'show ctl' prints: "4	SIGNERNAME	62	CN=…", and the lines
 * on which its value goes on.
 */
#ifndef CTL_TEXT_ROW_H
#define CTL_TEXT_ROW_H

#include "tlv/bytes.h"
#include "tlv/tables.h"

struct row {
	uint8_t tag;
	enum tlv_kind kind; /* TLV_KIND_OPAQUE for a tag that no table names */
	bool is_record_length;
	size_t length; /* of the field's value in the list */
	size_t line;   /* where it stands in the log */
	size_t join;   /* of a value on several lines: where the second one begins in it */
	unsigned joins;
};

/*
 * False if the line is no row of this scope. rest: what stands in the VALUE column, maybe nothing.
 */
bool row_parse(struct row *row, struct span line, enum tlv_scope scope, struct span *rest);

/* Whether a line is the next part of the row's value, of which `value` is there already. */
bool row_goes_on(const struct row *row, struct span value, struct span line);
/* Whether a line that is not taken looks like one more of the value's. */
bool row_is_too_long(const struct row *row, struct span line);
void row_append(struct row *row, struct buf *value, struct span line);

/*
 * The bytes of a value, appended to out; false if the text does not have them.
 * Text: with its NUL; the \xNN of our own 'show' are taken back if the length says so.
 */
bool row_text(const struct row *row, struct span value, struct buf *out);
bool row_hex(struct span value, size_t n, struct buf *out); /* n bytes, with ' ' or ':' between */
/* The SHA-1 in front of "(SHA1 Hash HEX)". */
bool row_hash(struct span value, struct buf *out);
bool row_role(struct span value, struct buf *out);    /* two bytes */
bool row_version(struct span value, struct buf *out); /* "1.2": two bytes */
bool row_number(struct span value, uint64_t max, uint64_t *out);

/*
 * Whether the line begins, or ends, with the words; rest is the other part, without blanks around
 * it.
 */
bool row_after(struct span line, const char *words, struct span *rest);
bool row_ends(struct span line, const char *words, struct span *rest);

#endif
