/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * When certificates end: of lists, of PEM and DER files, of folders of such.
 */
#ifndef CTL_EXPIRY_H
#define CTL_EXPIRY_H

#include <jansson.h>

#include "tlv/bytes.h"
#include "tlv/err.h"

/* One certificate at one place; all pointers are owned. */
struct expiry_item {
	char *file;
	size_t record; /* number from 1 in a list; in a file of several its place; 0: the only one */
	const char *role; /* "CAPF"; NULL if no table has it, or if the file is no list; static */
	bool in_list;
	char *place; /* "CAPF cucm-1051-a-pub 10.48.47.153", escaped; NULL if the file is no list */
	char *node;  /* DNSNAME of the record, or NULL */
	char *address;	    /* of the record, or NULL */
	char *host;	    /* node made harmless, or NULL */
	char *subject;	    /* RFC 2253 */
	char *label;	    /* what people call the certificate, escaped */
	char *name;	    /* CN made harmless: A-Za-z0-9._- */
	const char *unit;   /* CUCM's name for what the certificate is for; static */
	char *serial;	    /* upper-case digits */
	char *shown_serial; /* the same with colons, as show prints it */
	int64_t not_after;  /* seconds since 1970 UTC */
	bool within;	    /* ends within the time asked for, or has ended */
	bool urgent;	    /* ends in less than seven days, or has ended */
};

/* What could not be read, or not whole; both are owned. */
struct expiry_unread {
	char *file, *why;
};

struct expiry {
	int64_t now, within; /* seconds */
	struct tlv_warn warn;
	struct expiry_item *v;
	size_t n, cap;
	struct expiry_unread *unread;
	size_t nunread, unread_cap;
	bool partial; /* the last argument is a printed list that lacks certificates: the others stay */
};

/*
 * Adds a file's certificates, or those of all files in a folder and below. A
 * named file must be a list or hold certificates: ST_INPUT. In a folder, what
 * is neither is passed over. A damaged one is warned of and noted as unread, and the others count.
 * So is a file that cannot be opened, and one that is named as a certificate (".cer") and no key.
 * A printed list takes its certificates from its log and from --certs; ST_INPUT names those
 * that it lacks, and what was found stays.
 */
enum status expiry_add(struct expiry *x, const char *path, struct tlv_err *e);
/* The report says that the file is missing in it; why is the failure's sentence. */
enum status expiry_note_unread(struct expiry *x, const char *path, const struct tlv_err *why,
			       struct tlv_err *e);
/* Soonest first. Returns how many are within. */
size_t expiry_sort(struct expiry *x);
void expiry_free(struct expiry *x);

/* Appends the report in a format; memory's end sticks to the buffer. */
typedef void expiry_format_fn(const struct expiry *x, struct buf *b);
/* A line for each, soonest first, and one that sums up. */
expiry_format_fn expiry_text;
/*
 * For those within, each certificate once: CUCM's alarm CertValidfor7days if less
 * than seven days are left, else a line of plain text.
 */
expiry_format_fn expiry_syslog;
/* A text file for node_exporter, each series once. */
expiry_format_fn expiry_prometheus;
expiry_format_fn expiry_json;

/*
 * Reads the value of --within: "30d", "12h", "4w", or "30" for days. ST_USAGE, and *seconds
 * unchanged, if it is none.
 */
enum status expiry_within_parse(const char *text, int64_t *seconds, struct tlv_err *e);

#endif
