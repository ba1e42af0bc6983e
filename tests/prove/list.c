/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * tlv/list.c: a list of any records, and what is asked of it. Headers and records are as
 * prove/header.c and prove/record.c leave them: their bytes lie in what was given.
 */
#include "tlv/list.h"

#include "tlv/kind.h"

#include "any.h"
#include "records.h"

enum { FILE_MAX = 12, RECORDS_MAX = 2 };

static uint8_t file[FILE_MAX];

static struct span raw_of(struct span bytes)
{
	enum { LEAST = 5 /* the length's own field */ };
	size_t n = bytes.n < LEAST ? bytes.n : any_size(LEAST, bytes.n);

	/* Each length is followed by itself: the next record begins behind it. */
	/*@ split n; */
	is_span(bytes);
	return span_of(bytes.p, n);
}

enum status tlv_header_decode(struct tlv_header *h, struct span bytes, struct tlv_err *e)
{
	*h = (struct tlv_header){ .raw = raw_of(bytes),
				  .present = any_u32(),
				  .signer_serial = any_span(),
				  .signer_issuer = any_span(),
				  .filename = any_span() };
	return any_bool() ? ST_OK : err_set(e, ST_INPUT, "a fault");
}

enum status tlv_record_decode(struct tlv_record *r, struct span bytes, size_t at, struct tlv_err *e)
{
	*r = any_record();
	r->raw = raw_of(bytes);
	r->at = at;
	return any_bool() ? ST_OK : err_set(e, ST_INPUT, "a fault");
}

static void decoded(size_t n, size_t memory)
{
	struct tlv_list l;
	struct tlv_err e = TLV_ERR_INIT;
	struct span bytes = span_of(file + (FILE_MAX - n), n);

	any_bytes(file, sizeof file);
	any_memory(memory);
	(void)tlv_list_begins(bytes);
	(void)tlv_list_decode(&l, bytes, &e);
	tlv_list_free(&l);
}

enum tlv_list_kind tlv_kind_of_name(struct span name)
{
	is_span(name);
	return (enum tlv_list_kind)any_size(TLV_LIST_OTHER, TLV_LIST_ITL);
}

const char *tlv_kind_text(enum tlv_list_kind kind)
{
	(void)kind;
	return "a kind";
}

/* A decoded list: each record begins in the file. The first ones may be kept. */
static void asked(size_t nrecords, size_t nkept)
{
	static struct tlv_record kept[RECORDS_MAX];
	size_t at[RECORDS_MAX];
	struct tlv_list l = { .bytes = span_of(file, FILE_MAX),
			      .nrecords = nrecords,
			      .cap = RECORDS_MAX,
			      .record_at = at,
			      .kept = kept,
			      .nkept = nkept };
	struct tlv_dialect d;
	long signer;

	any_bytes(file, sizeof file);
	for (size_t i = 0; i < RECORDS_MAX; i++)
		at[i] = FILE_MAX - 2 - i;
	for (size_t i = 0; i < RECORDS_MAX; i++)
		(void)tlv_record_decode(&kept[i], span_of(file + at[i], 2 + i), at[i], NULL);
	l.header.signer_serial = any_span();
	l.header.signer_issuer = any_span();
	l.header.filename = any_span();
	signer = tlv_list_signer(&l);
	/*@ assert signer: TLV_SIGNER_AMBIGUOUS <= signer < (long)nrecords; */
	(void)tlv_list_has(&l, TLV_ROLE_SAST, any_span());
	(void)tlv_list_has_node(&l, any_span());
	(void)tlv_list_is_non_secure(&l);
	(void)tlv_list_is_other_kind(&l, any_span());
	(void)tlv_list_is_itl(&l);
	d = tlv_list_dialect(&l);
	/*@ assert style: TLV_STYLE_CUCM <= d.style <= TLV_STYLE_RFC4514; */
	(void)tlv_list_kind_text(&l);
	(void)tlv_list_signer_record(&l);
	(void)tlv_list_token_signs(&l);
}

int main(void)
{
	for (size_t n = 0; n <= FILE_MAX; n++) {
		decoded(n, 0);
		decoded(n, 1);
	}
	for (size_t n = 0; n <= RECORDS_MAX; n++) {
		asked(n, 0);
		asked(n, n);
	}
	return 0;
}
