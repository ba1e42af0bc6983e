/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A terminal log as lines of plain text. Terminals add carriage returns, escape
 * sequences, backspaces and the pager's prompt; none of that is left here.
 */
#ifndef CTL_TEXT_LOG_H
#define CTL_TEXT_LOG_H

#include "tlv/bytes.h"
#include "tlv/err.h"

enum { LOG_LINE_MAX = 65536 /* bytes; what is longer is cut */ };

/* Where reading is. Begin with log_open, end with log_close. */
struct log {
	struct span rest;
	size_t number;	 /* of the line that was returned last, from 1 */
	size_t next;	 /* of the one behind it */
	struct buf line; /* owned */
	struct buf utf8; /* owned: the whole text, if it came as UTF-16 */
};

/*
 * Borrows the text: UTF-8 or any other encoding that keeps ASCII, or UTF-16 with a byte order mark.
 */
enum status log_open(struct log *l, struct span text, struct tlv_err *e);
/* True with the next line, without blanks at its end; it is borrowed until the next call. */
bool log_next(struct log *l, struct span *line);
/* Out of memory on the way? Then lines are missing. */
enum status log_close(struct log *l, struct tlv_err *e);

#endif
