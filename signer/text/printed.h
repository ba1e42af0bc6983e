/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Trust lists as 'show ctl' and 'show itl' print them, found in a terminal log.
 *
 * The text has every field's tag and length in their order, so it gives the
 * list's bytes, with gaps: no keys, no certificates (their SHA-1 only), no
 * addresses, no time. tlv_list.printed says what stands in their place.
 * Source of the text's form: the vendor's printed outputs (tests/data/samples).
 */
#ifndef CTL_TEXT_PRINTED_H
#define CTL_TEXT_PRINTED_H

#include "tlv/list.h"

enum {
	PRINTED_LISTS_MAX = 1000,	    /* in one log */
	PRINTED_LIST_MAX = 4 * 1024 * 1024, /* bytes of one list */
	PRINTED_ALL_MAX = 64 * 1024 * 1024  /* of all lists: a line can stand for 64 KiB */
};

/* A part of the list that is not printed. Its bytes stand there as zeros. */
struct printed_gap {
	size_t at, n; /* of the value, in the list's bytes */
	enum tlv_scope scope;
	uint8_t tag;
	size_t record; /* number from 0; 0 for a gap of the header */
	bool has_sha1; /* of a certificate: its SHA-1 is printed, and in the bytes too */
	uint8_t sha1[20];
};

struct printed {
	size_t line;		  /* where it begins in the log, from 1 */
	bool itl;		  /* printed by 'show itl' */
	struct buf bytes;	  /* owned */
	struct tlv_list list;	  /* of these bytes; printed is set */
	struct printed_gap *gaps; /* owned, in the bytes' order */
	size_t ngaps, cap;
	struct tlv_err
		fault; /* where the text or its bytes are malformed; list is whole up to there */
	bool has_md5, has_sha1, has_length;
	uint8_t md5[16], sha1[20];
	size_t length;	   /* of the file, as printed */
	char modified[64]; /* "Tue Mar 10 16:06:41 CET 2015"; empty: not printed */
};

struct printed_lists {
	struct printed *v;
	size_t n, cap;
	size_t bytes; /* of those that are read */
};

/*
 * Every list of the text, in its order; n is 0 if it holds none. ST_INPUT if it
 * holds too many, or one that is too large. A list that is cut off or does not
 * add up is found all the same, with a fault that names the line.
 */
enum status printed_find(struct printed_lists *out, struct span text, struct tlv_err *e);
/*
 * The bytes of a list as its text would give them: what 'show ctl' does not print
 * is forgotten. So a list that was read can be compared with one that was printed.
 */
enum status printed_forget(const struct tlv_list *l, struct buf *out, struct tlv_err *e);
void printed_free(struct printed_lists *lists);

#endif
