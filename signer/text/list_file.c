/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/text/list_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signer/crypto/cert.h"
#include "signer/crypto/digest.h"
#include "signer/io/folder.h"
#include "signer/io/out.h"
#include "signer/net/net.h"
#include "signer/text/doubts.h"
#include "signer/text/hints.h"
#include "tlv/guess.h"
#include "tlv/kind.h"
#include "tlv/safe.h"
#include "tlv/text.h"

enum { CHOICES_SHOWN = 8, DOUBTS_SHOWN = 10 };

/* "LOG#2": the path, and the number behind the last '#'; 0 if the whole argument is the path. */
static char *split(const char *arg, size_t *number)
{
	const char *hash = strrchr(arg, '#');
	uint64_t n = 0;
	bool picks = hash != NULL && access(arg, F_OK) != 0 &&
		     parse_number(hash + 1, PRINTED_LISTS_MAX, &n) && n > 0;

	*number = picks ? (size_t)n : 0;
	return strndup(arg, picks ? (size_t)(hash - arg) : strlen(arg));
}

static void say_choice(struct tlv_err *e, const char *path, const struct printed_lists *log,
		       size_t i)
{
	const struct printed *p = &log->v[i];
	struct span name = tlv_text(p->list.header.signer_name);

	err_line(e, "%s#%zu: %s, line %zu, %zu record%s, signed by %.*s", path, i + 1,
		 tlv_kind_text(p->itl ? TLV_LIST_ITL : TLV_LIST_CTL), p->line, p->list.nrecords,
		 plural(p->list.nrecords), (int)(name.n < 200 ? name.n : 200),
		 (const char *)name.p);
}

static enum status choose(const char *path, const struct printed_lists *log, size_t number,
			  const struct printed **out, struct tlv_err *e)
{
	if (number == 0 && log->n == 1)
		number = 1;
	if (number > log->n)
		return err_set(e, ST_INPUT, "list %zu of %zu in this log", number, log->n);
	if (number > 0) {
		*out = &log->v[number - 1];
		return ST_OK;
	}
	(void)err_set(e, ST_AMBIGUOUS, "%zu lists in this log: pick one with '#'", log->n);
	for (size_t i = 0; i < log->n && i < CHOICES_SHOWN; i++)
		say_choice(e, path, log, i);
	return ST_AMBIGUOUS;
}

/* The rebuilt bytes take the place of the log's. */
static enum status take_rebuilt(struct list_file *f, struct buf *bytes, struct tlv_err *e)
{
	blob_free(&f->file);
	f->file.p = bytes->p;
	f->file.n = bytes->n;
	f->printed = NULL;
	f->rebuilt = true;
	return tlv_list_decode(&f->list, blob_span(&f->file), e);
}

/* Of a log that was searched, and of no log, those that are known already. */
static enum status log_certs(struct list_log *log, const char *path, const struct certset **out,
			     struct tlv_err *e)
{
	bool searched = log == NULL || log->searched;
	enum status st = hints_certs(searched ? SPAN_NONE : blob_span(&log->file), path, out, e);

	if (log != NULL)
		log->searched = true;
	return st;
}

static enum status take_printed(struct list_file *f, const struct printed *p, const char *path,
				struct tlv_err *e)
{
	struct rebuild_address *addresses = NULL;
	const struct certset *certs = NULL;
	struct rebuild_hints hints;
	struct buf bytes = BUF_INIT;
	enum status st = ST_OK;

	f->printed = p;
	if (hints_given()) {
		st = log_certs(f->log, path, &certs, e);
		if (st == ST_OK)
			st = hints_for(p, certs, blob_span(&f->log->file), &hints, &addresses, e);
		if (st == ST_OK && rebuild_list(p, &hints, &bytes, &f->not_rebuilt) == ST_OK)
			st = take_rebuilt(f, &bytes, e);
		else
			buf_free(&bytes);
		free(addresses);
	}
	if (st != ST_OK || f->rebuilt)
		return st;
	f->list = p->list;
	(void)err_copy(&f->fault, &p->fault);
	return ST_OK;
}

static void drop_share(struct list_log *log)
{
	if (log == NULL || --log->shares > 0)
		return;
	printed_free(&log->lists);
	blob_free(&log->file);
	free(log);
}

static enum status take_of_log(struct list_file *f, const char *path, size_t number,
			       struct tlv_err *e)
{
	const struct printed *p = NULL;
	enum status st = choose(path, &f->log->lists, number, &p, e);

	return st == ST_OK && p != NULL ? take_printed(f, p, path, e) : st;
}

/* The bytes become the log's; which file they are of is still known. */
static enum status read_log(struct list_file *f, const char *path, size_t number, struct tlv_err *e)
{
	struct list_log *log = calloc(1, sizeof *log);
	enum status st;

	if (log == NULL)
		return err_nomem(e);
	log->shares = 1;
	st = printed_find(&log->lists, blob_span(&f->file), e);
	if (st != ST_OK || log->lists.n == 0) {
		drop_share(log);
		return st; /* without a list, the reader of lists says what it is instead */
	}
	log->file = f->file;
	f->file = (struct blob){ .st = log->file.st };
	f->log = log;
	return take_of_log(f, path, number, e);
}

static enum status decode(struct list_file *f, const char *arg, size_t number, struct tlv_err *e)
{
	if (number > 0)
		return err_set(e, ST_INPUT, "'#%zu' picks a list of a log, and this file is no log",
			       number);
	if (tlv_list_decode(&f->list, blob_span(&f->file), &f->fault) == ST_NOMEM)
		return err_nomem(e);
	if (f->fault.status != ST_OK && tlv_guess_text_mode(blob_span(&f->file)))
		(void)err_in(&f->fault,
			     "changed by a transfer in text mode, fetch it in binary mode");
	(void)err_in(&f->fault, "%s", arg);
	return ST_OK;
}

static enum status read_path(struct list_file *f, const char *path, const char *arg, size_t number,
			     enum slurp_mode mode, struct tlv_err *e)
{
	const char *from = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
	enum status st = net_slurp(from, slurp_list_max(), mode, &f->file, e);

	if (st != ST_OK)
		return st; /* it has named the path */
	if (!tlv_list_begins(blob_span(&f->file)))
		st = read_log(f, path, number, e);
	if (st == ST_OK && f->printed == NULL && !f->rebuilt)
		return decode(f, arg, number, e);
	(void)err_in(&f->fault, "%s", arg);
	return st == ST_OK ? ST_OK : err_in(e, "%s", arg);
}

static enum status read_any(struct list_file *f, const char *arg, enum slurp_mode mode,
			    struct tlv_err *e)
{
	size_t number = 0;
	char *path = split(arg, &number);
	enum status st;

	*f = (struct list_file){ .fault = TLV_ERR_INIT, .not_rebuilt = TLV_ERR_INIT };
	st = path == NULL ? err_nomem(e) : read_path(f, path, arg, number, mode, e);
	free(path);
	return st;
}

/* Why a printed list will not do. */
static enum status is_printed(struct list_file *f, const char *arg, struct tlv_err *e)
{
	if (f->not_rebuilt.status != ST_OK) {
		f->not_rebuilt.status = ST_INPUT;
		(void)err_copy(e, &f->not_rebuilt);
		return err_in(e, "%s", arg);
	}
	return err_set(
		e, ST_INPUT,
		"%s: a printed list has no keys and no certificates: give '--certs' with a log or folder that has the certificates, or make the file with 'ctlsign rebuild'",
		arg);
}

static void warn_not_rebuilt(struct list_file *f, const char *arg)
{
	const char *why;

	if (f->not_rebuilt.status == ST_OK)
		return;
	(void)err_in(&f->not_rebuilt, "%s", arg);
	why = err_text(&f->not_rebuilt);
	warn_receive(&msg_warnings, why, strlen(why));
}

static void warn_doubt(const char *arg, const struct tlv_finding *x)
{
	char record[32] = "";

	if (x->record > 0)
		(void)snprintf(record, sizeof record, "record %zu: ", x->record);
	msg_warn("%s: %s%s", arg, record, x->text);
}

/* Whoever compares checksums alone would take such a text for the list. */
static enum status warn_doubts(const struct list_file *f, const char *arg, struct tlv_err *e)
{
	struct tlv_findings doubts = TLV_FINDINGS_INIT;
	enum status st = f->printed != NULL ? doubts_find(&doubts, f->printed, e) : ST_OK;
	bool contradicts = false;

	for (size_t i = 0; i < doubts.n; i++) {
		contradicts = contradicts || doubts.v[i].code != TLV_FIND_BAD_SIGNATURE;
		if (i < DOUBTS_SHOWN)
			warn_doubt(arg, &doubts.v[i]);
	}
	if (doubts.n > DOUBTS_SHOWN)
		msg_warn("%s: %zu more of these", arg, doubts.n - DOUBTS_SHOWN);
	if (contradicts)
		msg_warn(
			"%s: the printed list contradicts itself, or is not good: print it once more and copy all of it",
			arg);
	tlv_findings_free(&doubts);
	return st;
}

static enum status set_name(struct list_file *f, const char *arg, struct tlv_err *e)
{
	struct buf name = BUF_INIT;

	f->name = arg;
	if (f->printed == NULL && !f->rebuilt)
		return ST_OK;
	buf_printf(&name, "the list in %s", arg);
	if (buf_failed(&name, e) == ST_OK)
		f->name = f->owned_name = span_dup(buf_span(&name));
	buf_free(&name);
	return f->owned_name != NULL ? ST_OK : err_nomem(e);
}

/* What the flags do not take is freed. */
static enum status accept(struct list_file *f, const char *arg, unsigned flags, enum status st,
			  struct tlv_err *e)
{
	if (st == ST_OK && f->printed != NULL && (flags & LIST_PRINTED) == 0)
		st = is_printed(f, arg, e);
	if (st == ST_OK && f->fault.status != ST_OK && (flags & LIST_DAMAGED) == 0)
		st = err_copy(e, &f->fault);
	if (st == ST_OK && (flags & LIST_QUIET) == 0)
		warn_not_rebuilt(f, arg);
	if (st == ST_OK && (flags & LIST_QUIET) == 0)
		st = warn_doubts(f, arg, e);
	if (st == ST_OK)
		st = set_name(f, arg, e);
	if (st != ST_OK)
		list_file_free(f);
	return st;
}

enum status list_file_read(struct list_file *f, const char *arg, unsigned flags, struct tlv_err *e)
{
	enum status st = read_any(f, arg, (flags & LIST_FOUND) != 0 ? SLURP_REGULAR : SLURP_ANY, e);

	return accept(f, arg, flags, st, e);
}

enum status list_file_of_log(struct list_file *f, const struct list_file *other, size_t number,
			     const char *arg, unsigned flags, struct tlv_err *e)
{
	enum status st;

	*f = (struct list_file){ .fault = TLV_ERR_INIT,
				 .not_rebuilt = TLV_ERR_INIT,
				 .log = other->log };
	f->log->shares++;
	f->file.st = f->log->file.st;
	st = take_of_log(f, arg, number, e);
	(void)err_in(&f->fault, "%s", arg);
	return accept(f, arg, flags, st == ST_OK ? ST_OK : err_in(e, "%s", arg), e);
}

static enum status forget(struct list_file *f, bool good, struct tlv_err *e)
{
	struct buf bytes = BUF_INIT;
	char md5[33], sha1[41];
	enum status st = checksums(f->list.bytes, md5, sha1, e);

	if (st == ST_OK)
		st = printed_forget(&f->list, &bytes, e);
	if (st != ST_OK) {
		buf_free(&bytes);
		return st;
	}
	tlv_list_free(&f->list);
	f->file.n = bytes.n;
	free(f->file.p);
	f->file.p = bytes.p;
	st = tlv_list_decode(&f->list, buf_span(&bytes), e);
	f->list.printed = true;
	f->list.known_bad = !good;
	(void)snprintf(f->list.md5, sizeof f->list.md5, "%s", md5);
	(void)snprintf(f->list.sha1, sizeof f->list.sha1, "%s", sha1);
	return st;
}

/* The log is searched, and its certificates are hashed, once for all records. */
static enum status find_certificates(struct list_file *f, const char *arg, struct tlv_err *e)
{
	enum status st;

	if (f->sha1s != NULL)
		return ST_OK;
	st = log_certs(f->log, arg, &f->certs, e);
	if (st == ST_OK)
		st = certset_sha1s(f->certs, &f->sha1s, e);
	f->ncerts = st == ST_OK ? f->certs->n : 0;
	return st;
}

enum status list_file_certificate(struct list_file *f, const struct tlv_record *r, const char *arg,
				  struct span *der, struct tlv_err *e)
{
	struct span sha1 = span_slice(r->certificate, 0, 20);
	enum status st;

	*der = f->list.printed ? SPAN_NONE : r->certificate;
	if (!f->list.printed || sha1.n < 20)
		return ST_OK;
	st = find_certificates(f, arg, e);
	for (size_t i = 0; st == ST_OK && i < f->ncerts && der->n == 0; i++)
		if (span_eq(sha1, span_of(f->sha1s[i], sizeof f->sha1s[i])))
			*der = f->certs->v[i].cert.parts.der;
	return st;
}

enum status list_file_alike(struct list_file *const *files, size_t n,
			    bool (*is_good)(const struct tlv_list *l), struct tlv_err *e)
{
	bool printed = false;
	enum status st = ST_OK;

	for (size_t i = 0; i < n; i++)
		printed = printed || (files[i] != NULL && files[i]->list.printed);
	for (size_t i = 0; printed && i < n && st == ST_OK; i++)
		if (files[i] != NULL && files[i]->list.bytes.n > 0 && !files[i]->list.printed)
			st = forget(files[i], is_good(&files[i]->list), e);
	return st;
}

void list_file_free(struct list_file *f)
{
	/* What was decoded of a printed list is the log's. */
	if (f->printed == NULL)
		tlv_list_free(&f->list);
	drop_share(f->log);
	blob_free(&f->file);
	free(f->owned_name);
	free(f->sha1s);
	*f = (struct list_file){ .fault = TLV_ERR_INIT };
}

static bool ends_in_tlv(const char *path)
{
	size_t n = strlen(path);

	return n > 4 && strcasecmp(path + n - 4, ".tlv") == 0;
}

bool list_file_looks_like_list(const struct list_file *f, const char *path)
{
	return span_starts(blob_span(&f->file), SPAN_LIT("\x01\x00\x02")) || ends_in_tlv(path);
}

bool list_file_is_meant(const char *path)
{
	return ends_in_tlv(path) || folder_file_begins(path) != FOLDER_FILE_OTHER;
}

const char *field_text(struct buf *b, struct span value)
{
	buf_truncate(b, 0);
	safe_text(b, tlv_text(value));
	return buf_cstr(b);
}

static enum status in_hex(const struct digest *d, char *out, size_t n, struct tlv_err *e)
{
	return hex_text(digest_span(d), out, n) ?
		       ST_OK :
		       err_set(e, ST_BUG, "a checksum of another length");
}

static enum status md5_of(struct span bytes, char md5[33], struct tlv_err *e)
{
	struct digest d;
	enum status st = digest_md5(bytes, &d, e);

	return st == ST_OK ? in_hex(&d, md5, 33, e) : st;
}

static enum status sha1_of(struct span bytes, char sha1[41], struct tlv_err *e)
{
	struct digest d;
	enum status st = digest_parts(TLV_SHA1, &bytes, 1, &d, e);

	return st == ST_OK ? in_hex(&d, sha1, 41, e) : st;
}

enum status checksums(struct span bytes, char md5[33], char sha1[41], struct tlv_err *e)
{
	enum status st = md5_of(bytes, md5, e);

	return st == ST_OK ? sha1_of(bytes, sha1, e) : st;
}

static bool shows_its_checksums(const struct tlv_list *l)
{
	return l->printed || l->stand_in;
}

enum status list_md5(const struct tlv_list *l, char md5[33], struct tlv_err *e)
{
	if (!shows_its_checksums(l))
		return md5_of(l->bytes, md5, e);
	(void)snprintf(md5, 33, "%s", l->md5);
	return ST_OK;
}

enum status list_sha1(const struct tlv_list *l, char sha1[41], struct tlv_err *e)
{
	if (!shows_its_checksums(l))
		return sha1_of(l->bytes, sha1, e);
	(void)snprintf(sha1, 41, "%s", l->sha1);
	return ST_OK;
}

enum status list_checksums(const struct tlv_list *l, char md5[33], char sha1[41], struct tlv_err *e)
{
	enum status st = list_md5(l, md5, e);

	return st == ST_OK ? list_sha1(l, sha1, e) : st;
}
