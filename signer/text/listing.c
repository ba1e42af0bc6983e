/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/text/listing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signer/crypto/certfile.h"
#include "signer/text/log.h"
#include "tlv/der.h"
#include "tlv/kind.h"
#include "tlv/safe.h"
#include "tlv/text.h"

/* "LOG#2": the path, and the number behind the last '#'; 0 if the whole argument is the path. */
static enum status split(const char *arg, char **path, size_t *number, struct tlv_err *e)
{
	const char *hash = strrchr(arg, '#');
	uint64_t n = 0;
	bool picks = hash != NULL && access(arg, F_OK) != 0 &&
		     parse_number(hash + 1, PRINTED_LISTS_MAX, &n) && n > 0;

	*number = picks ? n : 0;
	*path = strndup(arg, picks ? (size_t)(hash - arg) : strlen(arg));
	return *path == NULL ? err_nomem(e) : ST_OK;
}

static void put_choice(struct buf *b, const char *path, const struct printed_lists *log, size_t i)
{
	const struct printed *p = &log->v[i];

	buf_printf(b, "\n  %s#%zu: %s, line %zu, %zu records", path, i + 1,
		   tlv_kind_text(p->itl ? TLV_LIST_ITL : TLV_LIST_CTL), p->line, p->list.nrecords);
	if (p->list.header.signer_name.n > 0) {
		buf_str(b, ", signed by ");
		safe_text(b, tlv_text(p->list.header.signer_name));
	}
}

enum { CHOICES_SHOWN = 8 };

static enum status choose(const char *path, const struct printed_lists *log, size_t number,
			  const struct printed **out, struct tlv_err *e)
{
	struct buf choices = BUF_INIT;

	if (number == 0 && log->n == 1)
		number = 1;
	if (number > log->n)
		return err_set(e, ST_INPUT, "list %zu of %zu in this log", number, log->n);
	if (number > 0) {
		*out = &log->v[number - 1];
		return ST_OK;
	}
	for (size_t i = 0; i < log->n && i < CHOICES_SHOWN; i++)
		put_choice(&choices, path, log, i);
	(void)err_set(e, ST_AMBIGUOUS, "%zu lists in this log, pick one with '#':%s", log->n,
		      buf_cstr(&choices));
	buf_free(&choices);
	return ST_AMBIGUOUS;
}

/* The rebuilt bytes take the place of the log's. */
static enum status take_rebuilt(struct listing *l, struct buf *bytes, struct tlv_err *e)
{
	blob_free(&l->f.file);
	l->f.file.p = bytes->p;
	l->f.file.n = bytes->n;
	l->from = NULL;
	l->rebuilt = true;
	return tlv_list_decode(&l->f.list, blob_span(&l->f.file), e);
}

static enum status take_printed(struct listing *l, const struct printed *p,
				const struct rebuild_hints *hints, struct tlv_err *e)
{
	struct tlv_err own = TLV_ERR_INIT;
	struct buf bytes = BUF_INIT;

	l->from = p;
	if (hints != NULL && rebuild_list(p, hints, &bytes, &own) == ST_OK)
		return take_rebuilt(l, &bytes, e);
	buf_free(&bytes);
	if (own.status != ST_OK && own.status != ST_NO && own.status != ST_INPUT)
		return err_copy(e, &own);
	l->f.list = p->list;
	l->f.fault = p->fault;
	return ST_OK;
}

static enum status read_log(struct listing *l, const char *path, size_t number,
			    const struct rebuild_hints *hints, struct tlv_err *e)
{
	const struct printed *p = NULL;
	enum status st = printed_find(&l->log, blob_span(&l->f.file), e);

	if (st == ST_OK && l->log.n == 0)
		return ST_OK; /* the reader of lists says what it is instead */
	if (st == ST_OK)
		st = choose(path, &l->log, number, &p, e);
	return st == ST_OK ? take_printed(l, p, hints, e) : st;
}

static enum status decode(struct listing *l, size_t number, struct tlv_err *e)
{
	if (number > 0)
		return err_set(e, ST_INPUT, "'#%zu' picks a list of a log, and this is none",
			       number);
	if (tlv_list_decode(&l->f.list, blob_span(&l->f.file), &l->f.fault) == ST_NOMEM)
		return err_nomem(e);
	return ST_OK;
}

static enum status read_any(struct listing *l, const char *arg, const struct listing_options *o,
			    struct tlv_err *e)
{
	size_t number = 0;
	enum status st = split(arg, &l->path, &number, e);
	bool is_stdin = st == ST_OK && strcmp(l->path, "-") == 0;

	if (st == ST_OK)
		st = slurp(is_stdin ? "/dev/stdin" : l->path, o->max, SLURP_ANY, &l->f.file, e);
	if (st != ST_OK)
		return st;
	if (!tlv_list_begins(blob_span(&l->f.file)))
		st = read_log(l, l->path, number, o->hints, e);
	if (st == ST_OK && l->from == NULL && !l->rebuilt)
		st = decode(l, number, e);
	(void)err_in(&l->f.fault, "%s", arg);
	return st == ST_OK ? ST_OK : err_in(e, "%s", arg);
}

enum status listing_read(struct listing *l, const char *arg, const struct listing_options *o,
			 struct tlv_err *e)
{
	enum status st;

	*l = (struct listing){ .f = { .fault = TLV_ERR_INIT } };
	st = read_any(l, arg, o, e);
	if (st != ST_OK)
		listing_free(l);
	return st;
}

enum status listing_read_good(struct listing *l, const char *arg, const struct listing_options *o,
			      struct tlv_err *e)
{
	enum status st = listing_read(l, arg, o, e);

	if (st != ST_OK || l->f.fault.status == ST_OK)
		return st;
	*e = l->f.fault;
	listing_free(l);
	return e->status;
}

void listing_free(struct listing *l)
{
	/* A printed list's own decoder's memory is the log's. */
	if (l->from != NULL)
		l->f.list = (struct tlv_list){ .nrecords = 0 };
	list_file_free(&l->f);
	printed_free(&l->log);
	free(l->path);
	*l = (struct listing){ .from = NULL };
}

bool listing_is_printed(const struct listing *l)
{
	return l->from != NULL;
}

static enum status add_certificate(void *arg, struct span der, struct tlv_err *e)
{
	struct tlv_err own = TLV_ERR_INIT;
	enum status st = certset_add(arg, der, NULL, &own);

	/* What is no certificate of ours is no reason to miss the others. */
	return st == ST_NOMEM ? err_nomem(e) : ST_OK;
}

enum status listing_certificates(struct span bytes, struct certset *set, size_t *n,
				 struct tlv_err *e)
{
	struct buf text = BUF_INIT;
	struct log log;
	struct span line;
	enum status st;

	if (span_at(bytes, 0) == DER_SEQUENCE)
		return cert_each(bytes, add_certificate, set, n, e);
	st = log_open(&log, bytes, e);
	while (st == ST_OK && log_next(&log, &line)) {
		buf_put(&text, line);
		buf_u8(&text, '\n');
	}
	if (log_close(&log, e) != ST_OK || buf_failed(&text, e) != ST_OK)
		st = e->status;
	if (st == ST_OK)
		st = cert_each(buf_span(&text), add_certificate, set, n, e);
	buf_free(&text);
	return st;
}
