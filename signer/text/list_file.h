/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A trust list, wherever it comes from: a file, standard input ("-"), or a
 * terminal log with what 'show ctl' or 'show itl' printed. "LOG#2" is the second
 * list of a log; a file of that very name wins.
 *
 * A printed list has no keys and no certificates. With certificates beside it
 * (signer/text/hints.h) it is rebuilt, byte for byte, and then as good as a file.
 * If that fails it stays a printed list, with a warning for those who can do with it.
 */
#ifndef CTL_LIST_FILE_H
#define CTL_LIST_FILE_H

#include "signer/io/slurp.h"
#include "signer/text/printed.h"
#include "tlv/list.h"

/* A log that was read once. Each list_file of one of its lists has a share. */
struct list_log {
	struct blob file;
	struct printed_lists lists;
	bool searched; /* its certificates are known to hints_certs() */
	size_t shares; /* the last one that goes frees it */
};

/* A list in memory: the bytes, and what was decoded of them. */
struct list_file {
	struct blob file; /* as it was read, or as it was rebuilt; none if printed */
	struct tlv_list list;
	struct tlv_err fault;	       /* where it is malformed; list then holds what is whole */
	struct list_log *log;	       /* a share; NULL: it comes from no log */
	const struct printed *printed; /* the list's text; NULL: every byte of the list is known */
	struct tlv_err not_rebuilt;    /* why, if certificates were given for it */
	bool rebuilt;		       /* from its text, proven by the printed checksums */
	/*
	 * How sentences call it: the argument, or "the list in LOG": a log is no file to publish.
	 */
	const char *name;
	char *owned_name; /* of a log's list; NULL: name is the argument's */

	/* What list_file_certificate() found when it was asked first; sha1s is owned. */
	const struct certset *certs;
	uint8_t (*sha1s)[20];
	size_t ncerts;
};

/* What is to be read, and what is taken. */
enum {
	LIST_FOUND = 1,	  /* a folder held it: somebody may have exchanged it for a pipe since */
	LIST_PRINTED = 2, /* a printed list will do (tlv_list.printed) */
	LIST_DAMAGED =
		4,     /* a malformed list will do: its fault is set, and it is whole up to there */
	LIST_QUIET = 8 /* no warnings of a printed list: the caller looks at not_rebuilt itself */
};

/*
 * Warns of a printed list that contradicts itself (signer/text/doubts.h).
 * ST_INPUT if it cannot be read, or is one that the flags do not take; ST_AMBIGUOUS,
 * with the choices, if a log holds several lists and none is picked.
 */
enum status list_file_read(struct list_file *f, const char *arg, unsigned flags, struct tlv_err *e);
/*
 * List `number`, from 1, of the log that `other` comes from. The log is not read again. arg is how
 * sentences call it: "LOG#2". The flags and failures are those of list_file_read().
 */
enum status list_file_of_log(struct list_file *f, const struct list_file *other, size_t number,
			     const char *arg, unsigned flags, struct tlv_err *e);
void list_file_free(struct list_file *f);

/*
 * Whether a file with a fault is a damaged list. Its first bytes or its name tell. If not, it is no
 * list at all.
 */
bool list_file_looks_like_list(const struct list_file *f, const char *path);
/*
 * The same of a folder's file that nobody has read yet. True also if it cannot be opened: nobody
 * knows then, and list_file_read() says why.
 */
bool list_file_is_meant(const char *path);

/*
 * The certificate of a record. Of a printed list it is one of those that its log or --certs
 * show, by the printed SHA-1; empty if there is none. Borrowed as long as the list.
 */
enum status list_file_certificate(struct list_file *f, const struct tlv_record *r, const char *arg,
				  struct span *der, struct tlv_err *e);

/*
 * If one of them is printed, all become so: compared is what 'show ctl' prints of
 * lists. NULL is passed over. is_good says whether a list's own signature verifies: it
 * is asked before the list forgets its keys (tlv_list.known_bad).
 */
enum status list_file_alike(struct list_file *const *files, size_t n,
			    bool (*is_good)(const struct tlv_list *l), struct tlv_err *e);

/*
 * A text field, such as "cucm-1051-a-pub", escaped for a terminal. Its NUL may be missing. The
 * answer stands in b.
 */
const char *field_text(struct buf *b, struct span value);

/* MD5 and SHA-1 of the whole file, in lower case: what phones show. */
enum status checksums(struct span bytes, char md5[33], char sha1[41], struct tlv_err *e);
/* The same of a list that may be printed: "" for one that was not printed with it. */
enum status list_checksums(const struct tlv_list *l, char md5[33], char sha1[41],
			   struct tlv_err *e);
/* One of them alone: each takes its time. */
enum status list_md5(const struct tlv_list *l, char md5[33], struct tlv_err *e);
enum status list_sha1(const struct tlv_list *l, char sha1[41], struct tlv_err *e);

#endif
