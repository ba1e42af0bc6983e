/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One run of export: the certificates that it has found, and the files that come of them.
 */
#ifndef CTL_EXPORT_RUN_H
#define CTL_EXPORT_RUN_H

#include "signer/cli/believe.h"
#include "signer/cli/common.h"
#include "signer/crypto/cert.h"
#include "signer/io/filename.h"
#include "signer/publish/fileset.h"
#include "signer/publish/sums.h"

/* One certificate and the files that come of it. */
struct export_item {
	const char *uri; /* NULL: of a list's record, */
	size_t record;	 /* this one */
	struct cert cert;
	struct cert_facts facts;
	struct buf name, bytes;	      /* "SAST-ADN0054f509.cer" and what is in it */
	struct buf proof_name, proof; /* empty without --prove */
	int64_t proven;		      /* seconds since 1970 UTC */
};

/* Everything is gathered, judged and proven before the first file is written. */
struct export_run {
	const struct opts *o;
	struct tok_options tok;
	const char *dir;
	bool pem, any, prove, is_open; /* is_open: files */
	struct list_file from;
	struct believing believing;
	struct export_item *items; /* as many places as there are arguments or records */
	size_t n;
	struct filenames names;
	struct sums sums;
	struct fileset files;
	struct publish_options publish;
};

/* Makes the item's names and bytes; warns of a certificate that is not valid today. */
enum status export_fill(struct export_run *x, struct export_item *it, struct tlv_err *e);
/* Whether all files can be written, so that nobody is asked for a PIN in vain. */
enum status export_check_output(struct export_run *x, struct tlv_err *e);
/* Writes all of them to the disk before the first is in its place. */
enum status export_begin(struct export_run *x, struct tlv_err *e);
/* Says on standard output what is exported. */
enum status export_report(const struct export_run *x, struct tlv_err *e);

#endif
