/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/text/printed.h"

#include <stdlib.h>
#include <string.h>

#include "signer/crypto/cert.h"
#include "signer/text/log.h"
#include "signer/text/row.h"
#include "tlv/text.h"

/* What is read at the moment. */
enum part { PART_NONE, PART_SUMMARY, PART_HEADER, PART_RECORD };

struct parser {
	struct printed_lists *out;
	struct printed *p; /* the list that is being read; NULL: none */
	enum part part;
	size_t header_length; /* as printed */
	bool has_version;
	struct row row; /* the last one, whose value may go on */
	bool has_row;
	struct buf value;     /* of that row, as printed */
	size_t record_at;     /* where the record began, in the bytes */
	size_t record_length; /* as printed; 0: not yet */
	size_t record_line;
	size_t nrecords;
	size_t whole; /* so many bytes stand in front of what the first fault is in */
};

/* The first fault counts; of the list what stands in front of it is kept. */
static void fault(struct parser *x, size_t line, const char *what)
{
	if (x->p->fault.status != ST_OK)
		return;
	(void)err_set(&x->p->fault, ST_INPUT, "line %zu: %s", line, what);
	x->whole = x->part == PART_RECORD ? x->record_at : 0;
}

/* A gap of n zero bytes. Out of memory sticks in the bytes. */
static struct printed_gap *add_gap(struct parser *x, size_t n)
{
	struct printed *p = x->p;

	if (!ARRAY_ROOM(p->gaps, p->ngaps, p->cap)) {
		p->bytes.failed = err_nomem(NULL);
		return NULL;
	}
	p->gaps[p->ngaps] = (struct printed_gap){
		.at = p->bytes.n,
		.n = n,
		.scope = x->part == PART_RECORD ? TLV_SCOPE_RECORD : TLV_SCOPE_HEADER,
		.tag = x->row.tag,
		.record = x->nrecords,
	};
	(void)buf_hole(&p->bytes, n);
	return &p->gaps[p->ngaps++];
}

/* Not printed, but said by the words around: 'show itl' shows ITLFile.tlv. */
static bool implied(const struct parser *x, struct buf *bytes)
{
	if (x->part == PART_RECORD)
		return false;
	if (x->row.tag == TLV_H_FILENAME)
		buf_put(bytes, x->p->itl ? SPAN_LIT("ITLFile.tlv\0") : SPAN_LIT("CTLFile.tlv\0"));
	else if (x->row.tag == TLV_H_SIGNATURE_ALGORITHM)
		buf_u8(bytes, 0); /* the only one there is */
	return bytes->n > 0;
}

/* Whether the field's value is printed, so that one that does not fit is a fault. */
static bool is_shown(enum tlv_kind kind)
{
	return kind == TLV_KIND_TEXT || kind == TLV_KIND_SERIAL || kind == TLV_KIND_SIGNATURE ||
	       kind == TLV_KIND_HASH || kind == TLV_KIND_ROLE || kind == TLV_KIND_VERSION;
}

static void put_known_or_gap(struct parser *x, const struct buf *bytes, bool known)
{
	if (known && bytes->n == x->row.length) {
		buf_put(&x->p->bytes, buf_span(bytes));
		return;
	}
	if (is_shown(x->row.kind))
		fault(x, x->row.line,
		      x->row.kind == TLV_KIND_ROLE ?
			      "no such function is known: a part of it is lost" :
			      "the value has not the printed length: a part of it is lost, or there twice");
	(void)add_gap(x, x->row.length);
}

static void put_certificate(struct parser *x)
{
	struct buf sha1 = BUF_INIT;
	bool known = row_hash(buf_span(&x->value), &sha1);
	struct printed_gap *gap = add_gap(x, x->row.length);

	if (gap != NULL && known && gap->n >= sizeof gap->sha1) {
		gap->has_sha1 = span_copy(buf_span(&sha1), gap->sha1, sizeof gap->sha1);
		buf_fill(&x->p->bytes, gap->at, buf_span(&sha1));
	}
	if (!known && x->value.n > 0)
		fault(x, x->row.line, "a part of the certificate's SHA-1 is lost");
	buf_free(&sha1);
}

/* The bytes of a field's value, from what is printed of it. */
static void put_value(struct parser *x)
{
	struct span value = buf_span(&x->value);
	struct buf bytes = BUF_INIT;
	bool known = false;

	switch (x->row.kind) {
	case TLV_KIND_CERTIFICATE:
		put_certificate(x);
		return;
	case TLV_KIND_TEXT:
		known = row_text(&x->row, value, &bytes);
		break;
	case TLV_KIND_SERIAL:
	case TLV_KIND_SIGNATURE:
	case TLV_KIND_HASH:
		known = row_hex(value, x->row.length, &bytes);
		break;
	case TLV_KIND_ROLE:
		known = row_role(value, &bytes);
		break;
	case TLV_KIND_VERSION:
		known = row_version(value, &bytes);
		break;
	default:
		known = implied(x, &bytes);
		break;
	}
	put_known_or_gap(x, &bytes, known);
	buf_free(&bytes);
}

static void put_head(struct buf *b, uint8_t tag, size_t length)
{
	buf_u8(b, tag);
	buf_u16(b, (uint16_t)length);
}

/* The field of the last row is whole: its bytes. */
static void finish_row(struct parser *x)
{
	uint64_t number = 0;

	if (!x->has_row)
		return;
	x->has_row = false;
	if (x->row.kind == TLV_KIND_CONTAINER || x->row.is_record_length) {
		if (!row_number(buf_span(&x->value), TLV_FIELD_MAX, &number))
			fault(x, x->row.line, "a number is missing behind this field's length");
		put_head(&x->p->bytes, x->row.tag, x->row.is_record_length ? 2 : (size_t)number);
		if (x->row.is_record_length) {
			buf_u16(&x->p->bytes, (uint16_t)number);
			/* Of two the first counts, as for whoever reads the list. */
			x->record_length =
				x->record_length == 0 ? (size_t)number : x->record_length;
		}
		return;
	}
	put_head(&x->p->bytes, x->row.tag, x->row.length);
	put_value(x);
}

/* Behind the header's fields: padding up to the length that is printed. */
static void finish_header(struct parser *x)
{
	struct buf *b = &x->p->bytes;

	finish_row(x);
	if (x->header_length < b->n) {
		fault(x, x->row.line, "the header's fields are longer than HeaderLength says");
		return;
	}
	while (b->n < x->header_length && b->failed == ST_OK)
		buf_u8(b, TLV_H_PADDING);
}

/* Rows that are missing, cut or there twice show in the sum. */
static void finish_record(struct parser *x)
{
	struct printed *p = x->p;
	size_t n;

	finish_row(x);
	n = p->bytes.n - x->record_at;
	if (n == x->record_length || p->fault.status != ST_OK)
		return;
	(void)err_set(
		&p->fault, ST_INPUT,
		"line %zu: the rows of record %zu make %zu bytes, not the %zu of its RECORDLENGTH: a row is missing, cut, or there twice",
		x->record_line, x->nrecords + 1, n, x->record_length);
	x->whole = x->record_at;
}

static void finish_part(struct parser *x)
{
	if (x->part == PART_HEADER && x->has_version)
		finish_header(x);
	else if (x->part == PART_RECORD)
		finish_record(x);
	else
		finish_row(x);
}

/* "CTL Record #:2" of an ITL, or behind the first record's 1. */
static void begin_record(struct parser *x, bool itl, struct span number, size_t line)
{
	uint64_t n = 0;

	finish_part(x);
	if (x->part == PART_RECORD)
		x->nrecords++;
	x->part = PART_RECORD;
	x->record_at = x->p->bytes.n;
	x->record_length = 0;
	x->record_line = line;
	if (itl != x->p->itl)
		fault(x, line,
		      "a record of the other kind of list: another list begins in this one");
	else if (!row_number(number, PRINTED_LIST_MAX, &n) || n != x->nrecords + 1)
		fault(x, line, "another record was to come: one is missing, or there twice");
}

static void finish_list(struct parser *x, size_t line)
{
	struct printed *p = x->p;
	struct tlv_err e = TLV_ERR_INIT;
	struct span bytes;

	if (p == NULL)
		return;
	finish_part(x);
	if (!x->has_version)
		fault(x, line, "the list ends before its header");
	if (p->fault.status == ST_OK && p->has_length && p->bytes.n != p->length)
		(void)err_set(
			&p->fault, ST_INPUT,
			"line %zu: the list ends here, and its fields are %zu bytes, not the %zu of its printed length: copy all of what was printed",
			line, p->bytes.n, p->length);
	x->out->bytes += p->bytes.n;
	bytes = span_slice(buf_span(&p->bytes), 0, x->whole);
	if (tlv_list_decode(&p->list, bytes, &e) != ST_OK && p->fault.status == ST_OK)
		p->fault = e;
	p->list.printed = true;
	if (p->has_md5)
		(void)hex_text(span_of(p->md5, sizeof p->md5), p->list.md5, sizeof p->list.md5);
	if (p->has_sha1)
		(void)hex_text(span_of(p->sha1, sizeof p->sha1), p->list.sha1, sizeof p->list.sha1);
	x->p = NULL;
	x->part = PART_NONE;
}

static enum status begin_list(struct parser *x, bool itl, size_t line, struct tlv_err *e)
{
	struct printed_lists *out = x->out;

	finish_list(x, line);
	if (out->n == PRINTED_LISTS_MAX)
		return err_set(e, ST_INPUT, "line %zu: more than %d lists in one log", line,
			       PRINTED_LISTS_MAX);
	if (out->bytes > PRINTED_ALL_MAX)
		return err_set(e, ST_INPUT, "line %zu: the lists in front have more than %d bytes",
			       line, PRINTED_ALL_MAX);
	if (!ARRAY_ROOM(out->v, out->n, out->cap))
		return err_nomem(e);
	x->p = &out->v[out->n++];
	*x->p = (struct printed){ .line = line, .itl = itl, .fault = TLV_ERR_INIT };
	x->p->bytes.max = PRINTED_LIST_MAX;
	x->part = PART_SUMMARY;
	x->has_version = x->has_row = false;
	x->header_length = x->nrecords = 0;
	x->whole = SIZE_MAX;
	return ST_OK;
}

/* "Version:	1.2": the header begins. */
static void take_version(struct parser *x, struct span rest, size_t line)
{
	struct buf version = BUF_INIT;

	x->part = PART_HEADER;
	x->has_version = row_version(rest, &version);
	if (!x->has_version)
		fault(x, line, "no version is printed here");
	put_head(&x->p->bytes, TLV_H_VERSION, 2);
	buf_put(&x->p->bytes, buf_span(&version));
	buf_free(&version);
}

static void take_header_length(struct parser *x, struct span rest, size_t line)
{
	uint64_t n = 0;

	(void)row_ends(rest, "(BYTES)", &rest);
	if (!row_number(rest, TLV_FIELD_MAX, &n))
		fault(x, line, "no header length is printed here");
	x->header_length = (size_t)n;
	put_head(&x->p->bytes, TLV_H_HEADER_LENGTH, 2);
	buf_u16(&x->p->bytes, (uint16_t)n);
}

static void take_checksum(struct parser *x, struct span hex, uint8_t *out, size_t n, bool *has,
			  size_t line)
{
	struct buf bytes = BUF_INIT;

	*has = row_hex(hex, n, &bytes) && span_copy(buf_span(&bytes), out, n);
	if (!*has)
		fault(x, line, "a part of this checksum is lost");
	buf_free(&bytes);
}

/* Lines between the checksums and the header. */
static void take_summary(struct parser *x, struct span line, size_t number)
{
	struct printed *p = x->p;
	struct span rest;
	uint64_t n;

	if (row_ends(line, "(MD5)", &rest)) {
		take_checksum(x, rest, p->md5, sizeof p->md5, &p->has_md5, number);
	} else if (row_ends(line, "(SHA1)", &rest)) {
		take_checksum(x, rest, p->sha1, sizeof p->sha1, &p->has_sha1, number);
	} else if (row_after(line, p->itl ? "Length of ITL file:" : "Length of CTL file:", &rest) &&
		   row_number(rest, PRINTED_LIST_MAX, &n)) {
		p->has_length = true;
		p->length = (size_t)n;
	} else if (row_after(line,
			     p->itl ? "The ITL File was last modified on" :
				      "The CTL File was last modified on",
			     &rest) &&
		   rest.n < sizeof p->modified) {
		(void)span_copy(rest, (uint8_t *)p->modified, sizeof p->modified - 1);
	}
}

/* Which kind of list begins with this line, if any. */
static bool begins(struct span line, bool *itl)
{
	struct span rest;

	*itl = row_after(line, "The checksum value of the ITL file:", &rest);
	return *itl || row_after(line, "The checksum value of the CTL file:", &rest);
}

/* The same for a text that was copied without its first lines. */
static bool begins_late(struct span line, bool *itl)
{
	struct span rest;

	*itl = row_after(line, "Parse ITL File", &rest);
	return *itl || row_after(line, "Parse CTL File", &rest);
}

/* Words that stand behind a list's last field. */
static bool ends(struct span line)
{
	struct span rest;

	return row_after(line, "The CTL file was verified", &rest) ||
	       row_after(line, "The ITL file was verified", &rest) ||
	       row_after(line, "The CTL file could not be verified", &rest) ||
	       row_after(line, "The ITL file could not be verified", &rest) ||
	       row_after(line, "Error parsing the CTL File", &rest) ||
	       row_after(line, "Error parsing the ITL File", &rest);
}

static bool begins_record(struct span line, bool *itl, struct span *number)
{
	*itl = row_after(line, "ITL Record #", number);
	if (!*itl && !row_after(line, "CTL Record #", number))
		return false;
	(void)row_after(*number, ":", number);
	return true;
}

/* A line inside a list that is no field: the rest of one, or something else. */
static void take_other(struct parser *x, struct span line, size_t number)
{
	if (!x->has_row)
		return;
	if (row_goes_on(&x->row, buf_span(&x->value), line))
		row_append(&x->row, &x->value, line);
	else if (row_is_too_long(&x->row, line))
		fault(x, number, "this goes on behind the printed length of its field");
}

static void take_line(struct parser *x, struct span line, size_t number)
{
	struct row row;
	struct span rest;
	bool itl;

	if (begins_record(line, &itl, &rest)) {
		begin_record(x, itl, rest, number);
	} else if (x->part == PART_SUMMARY && row_after(line, "Version:", &rest)) {
		take_version(x, rest, number);
	} else if (x->part == PART_HEADER && row_after(line, "HeaderLength:", &rest)) {
		take_header_length(x, rest, number);
	} else if (x->part == PART_SUMMARY) {
		take_summary(x, line, number);
	} else if (row_parse(&row, line,
			     x->part == PART_RECORD ? TLV_SCOPE_RECORD : TLV_SCOPE_HEADER, &rest)) {
		finish_row(x);
		x->row = row;
		x->row.line = number;
		x->has_row = true;
		buf_truncate(&x->value, 0);
		buf_put(&x->value, rest);
	} else {
		take_other(x, line, number);
	}
}

static enum status read_line(struct parser *x, struct span line, size_t number, struct tlv_err *e)
{
	struct span rest;
	bool itl;

	if (begins(line, &itl) || (x->p == NULL && begins_late(line, &itl)))
		return begin_list(x, itl, number, e);
	if (x->p == NULL)
		return ST_OK;
	if (ends(line)) {
		struct printed *p = x->p;

		finish_list(x, number);
		p->list.known_bad = row_after(line, "The CTL file could not be verified", &rest) ||
				    row_after(line, "The ITL file could not be verified", &rest);
	} else
		take_line(x, line, number);
	return ST_OK;
}

enum status printed_find(struct printed_lists *out, struct span text, struct tlv_err *e)
{
	struct parser x = { .out = out, .value = BUF_INIT };
	struct log log;
	struct span line;
	enum status st;

	*out = (struct printed_lists){ .n = 0 };
	st = log_open(&log, text, e);
	while (st == ST_OK && log_next(&log, &line))
		st = read_line(&x, line, log.number, e);
	finish_list(&x, log.number);
	if (log_close(&log, e) != ST_OK || buf_failed(&x.value, e) != ST_OK)
		st = e->status;
	for (size_t i = 0; i < out->n && st == ST_OK; i++)
		st = buf_failed(&out->v[i].bytes, e);
	buf_free(&x.value);
	if (st != ST_OK)
		printed_free(out);
	return st;
}

void printed_free(struct printed_lists *lists)
{
	for (size_t i = 0; i < lists->n; i++) {
		tlv_list_free(&lists->v[i].list);
		free(lists->v[i].gaps);
		buf_free(&lists->v[i].bytes);
	}
	free(lists->v);
	*lists = (struct printed_lists){ .n = 0 };
}

/* Forgetting --------------------------------------------------------------------------------- */

/* What the text has of a field's value: all, or nothing. */
static bool is_printed_whole(const struct tlv_field *f)
{
	if (f->row == NULL)
		return f->value.n == 0;
	switch (f->row->kind) {
	case TLV_KIND_TIME:
	case TLV_KIND_CERTIFICATE:
		return false;
	case TLV_KIND_OPAQUE:
		return f->row->scope == TLV_SCOPE_HEADER && f->tag == TLV_H_FILENAME;
	case TLV_KIND_NUMBER:
		return f->row->scope == TLV_SCOPE_RECORD || f->tag == TLV_H_HEADER_LENGTH;
	default:
		return true;
	}
}

static void forget_value(struct buf *out, const struct tlv_field *f)
{
	uint8_t sha1[20];

	for (size_t i = 0; i < f->value.n; i++)
		buf_fill(out, f->at + TLV_HEAD + i, span_of("", 1));
	if (f->row != NULL && f->row->kind == TLV_KIND_CERTIFICATE && f->value.n >= sizeof sha1 &&
	    cert_sha1(f->value, sha1, NULL) == ST_OK)
		buf_fill(out, f->at + TLV_HEAD, span_of(sha1, sizeof sha1));
}

static void forget_fields(struct buf *out, enum tlv_scope scope, struct span raw, size_t at)
{
	struct tlv_walk w = tlv_walk_of(scope, raw, at);
	struct tlv_field f;

	while (tlv_walk_next(&w, &f, NULL))
		if (f.row == NULL || (f.row->kind != TLV_KIND_CONTAINER &&
				      f.row->kind != TLV_KIND_PADDING && !is_printed_whole(&f)))
			forget_value(out, &f);
}

enum status printed_forget(const struct tlv_list *l, struct buf *out, struct tlv_err *e)
{
	buf_put(out, l->bytes);
	forget_fields(out, TLV_SCOPE_HEADER, l->header.raw, 0);
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		forget_fields(out, TLV_SCOPE_RECORD, r.raw, r.at);
	}
	return buf_failed(out, e);
}
