/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A list, wherever it comes from: a file, standard input, a terminal log.
 *
 * "-" is standard input. "LOG#2" is the second list of a log; a file of that
 * very name wins. A log with certificates beside it gives the list itself,
 * byte for byte, which then is as good as a file.
 */
#ifndef CTL_TEXT_LISTING_H
#define CTL_TEXT_LISTING_H

#include "signer/list/list_file.h"
#include "signer/text/rebuild.h"

struct listing {
	struct list_file f;	    /* its list has gaps if it was printed and not rebuilt */
	struct printed_lists log;   /* owned: what the log holds */
	const struct printed *from; /* the list's own text; NULL: its bytes were read */
	bool rebuilt;
	char *path; /* owned: without "#2"; for messages, the argument itself is better */
};

struct listing_options {
	size_t max;			   /* bytes of the file */
	const struct rebuild_hints *hints; /* NULL: a printed list stays one */
};

/*
 * ST_INPUT if nothing can be read or nothing in it is a list; ST_AMBIGUOUS, with
 * the lists' lines and names, if a log holds several and none is picked. A
 * malformed list is ST_OK with f.fault set, as list_file_read() has it.
 */
enum status listing_read(struct listing *l, const char *arg, const struct listing_options *o,
			 struct tlv_err *e);
/* The same, and a malformed list is ST_INPUT too. */
enum status listing_read_good(struct listing *l, const char *arg, const struct listing_options *o,
			      struct tlv_err *e);
void listing_free(struct listing *l);

/* Whether the list is known by its text alone: no keys, no certificates. */
bool listing_is_printed(const struct listing *l);

/* Adds every certificate of a log or a certificate file to the set; *n is their number. */
enum status listing_certificates(struct span bytes, struct certset *set, size_t *n,
				 struct tlv_err *e);

#endif
