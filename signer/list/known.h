/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lists by what phones show of them: MD5, SHA-1, the signer's serial number.
 * Millions of phones are looked up in thousands of lists.
 */
#ifndef CTL_KNOWN_H
#define CTL_KNOWN_H

#include "signer/text/list_file.h"
#include "tlv/kind.h"

/* What is remembered of a list. */
struct known_list {
	char *path;
	const char *kind;	/* "CTL", "ITL" */
	size_t length;		/* bytes */
	char md5[33], sha1[41]; /* "": a log does not show it, or nobody asks for this MD5 */
	struct buf signer, serial;
	bool timed;
	uint32_t timestamp; /* seconds since 1970 UTC, if timed */
};

/* A way to ask for a list; digits are lower case. */
struct known_key {
	struct buf digits;
	size_t list;
	const char *what; /* "MD5", "signer serial, reversed"; static */
};

struct known_keys {
	struct known_key *v;
	size_t n, cap;
};

struct known {
	struct known_list *lists;
	size_t n, cap;
	struct known_keys checksums, serials;
	/*
	 * The only digits that will be looked for, if they are known before lists are added;
	 * borrowed. If they are more than an MD5 has, only lists that match get their MD5.
	 */
	struct span wanted;
};

/* The shortest beginning of a checksum that is looked for. */
enum { KNOWN_PREFIX = 8 };

/* Remembers a list; the path is copied. */
enum status known_add(struct known *k, const char *path, const struct list_file *f,
		      struct tlv_err *e);
/* To be called once, when all are added. */
void known_sort(struct known *k);

/* The keys that match; those of equal lists stand side by side. Borrowed. */
struct known_range {
	const struct known_key *v;
	size_t n;
	bool exact;	/* else it is the beginning of checksums */
	bool ambiguous; /* they are of lists that differ */
};

/*
 * digits: lower case. What is exact wins; at least KNOWN_PREFIX digits may also be the
 * beginning of a checksum. Zeros in front of a serial number do not count.
 */
struct known_range known_find(const struct known *k, struct span digits);

/* Appends what was found by the key: "MD5"; or "MD5, its beginning", if not exact. */
void known_put_what(struct buf *b, const struct known_key *key, bool exact);

/*
 * Appends the digits, in lower case, of a checksum or serial number as people and screens
 * write it: any case, blanks, colons or dashes between bytes, "0x" in front, "(MD5)" or
 * "(SHA1)" behind. ST_USAGE if it is none, or too long for a SHA-1; an odd number of
 * digits is the beginning of a checksum.
 */
enum status known_digits(const char *text, struct buf *out, struct tlv_err *e);

void known_free(struct known *k);

#endif
