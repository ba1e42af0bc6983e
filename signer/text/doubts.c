/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/text/doubts.h"

#include <stdlib.h>
#include <string.h>

/* As verify says it of a file. */
static void find_signer(struct tlv_findings *f, const struct tlv_list *l)
{
	long signer = tlv_list_signer(l);
	struct tlv_record r;

	if (signer == TLV_SIGNER_NONE)
		tlv_find(f, TLV_FIND_SIGNER_MISSING, 0, TLV_NO_OFFSET,
			 "no SAST record has the signer's serial number and issuer");
	if (signer < 0)
		return;
	r = tlv_list_record(l, (size_t)signer);
	if (!span_eq(r.subject, l->header.signer_name))
		tlv_find(f, TLV_FIND_SIGNER_NAME, 0, TLV_NO_OFFSET,
			 "signer name: is not the subject of the signer's record");
}

static int by_certificate(const void *a, const void *b)
{
	const struct printed_gap *x = *(const struct printed_gap *const *)a;
	const struct printed_gap *y = *(const struct printed_gap *const *)b;
	int order = memcmp(x->sha1, y->sha1, sizeof x->sha1);

	return order != 0 ? order : (x->record > y->record) - (x->record < y->record);
}

/* Lists of the CTL Client have a serial number back to front, which is the same one. */
static bool is_other_serial(const struct tlv_list *l, size_t a, size_t b)
{
	struct tlv_record x = tlv_list_record(l, a), y = tlv_list_record(l, b);
	const struct tlv_header h = { .signer_serial = x.serial };

	return tlv_header_serial(&h, y.serial) == TLV_SERIAL_OTHER;
}

static void compare(struct tlv_findings *f, const struct tlv_list *l, const struct printed_gap *a,
		    const struct printed_gap *b)
{
	if (memcmp(a->sha1, b->sha1, sizeof a->sha1) == 0 &&
	    is_other_serial(l, a->record, b->record))
		tlv_find(f, TLV_FIND_CERT_MISMATCH, b->record + 1, TLV_NO_OFFSET,
			 "certificate: is that of record %zu, which has another serial number",
			 a->record + 1);
}

/* Sorted, so that a hostile log with many records takes no time. */
static enum status find_serials(struct tlv_findings *f, const struct printed *p, struct tlv_err *e)
{
	const struct printed_gap **shown = calloc(p->ngaps + 1, sizeof *shown);
	size_t n = 0;

	if (shown == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < p->ngaps; i++)
		if (p->gaps[i].has_sha1 && p->gaps[i].record < p->list.nrecords)
			shown[n++] = &p->gaps[i];
	qsort(shown, n, sizeof *shown, by_certificate);
	for (size_t i = 1; i < n; i++)
		compare(f, &p->list, shown[i - 1], shown[i]);
	free(shown);
	return ST_OK;
}

enum status doubts_find(struct tlv_findings *f, const struct printed *p, struct tlv_err *e)
{
	if (p->fault.status != ST_OK)
		return ST_OK; /* which says more */
	find_signer(f, &p->list);
	if (p->list.known_bad)
		tlv_find(f, TLV_FIND_BAD_SIGNATURE, 0, TLV_NO_OFFSET,
			 "signature: CUCM could not verify it, as the text says");
	if (find_serials(f, p, e) != ST_OK)
		return ST_NOMEM;
	return f->nomem ? err_nomem(e) : ST_OK;
}
