/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tables as spreadsheets and phone systems export them: RFC 4180, and what is
 * met besides (semicolons, tabs, a byte order mark, "sep=;", any line end).
 */
#ifndef CTL_TEXT_CSV_H
#define CTL_TEXT_CSV_H

#include "tlv/bytes.h"
#include "tlv/err.h"

struct csv {
	struct span rest; /* borrowed */
	uint8_t separator;
	size_t line; /* of the row that was read last, from 1 */
	size_t next; /* line at the front of rest */
};

/* ST_INPUT if it is no text of bytes: UTF-16, or NULs in it. */
enum status csv_open(struct csv *c, struct span text, struct tlv_err *e);
/*
 * Reads the next row that is not empty, and of it the first n fields; those that are
 * missing are empty. false at the end. *whole is false if a quote is never closed: that
 * row takes the rest of the text. Buffers are the caller's, and are emptied first.
 */
bool csv_next(struct csv *c, struct buf *fields, size_t n, bool *whole);

#endif
