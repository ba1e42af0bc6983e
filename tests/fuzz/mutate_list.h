/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Changes one field's value in a well-formed list and mends the lengths
 * around it: blind changes of lengths never get behind the reader.
 */
#ifndef TESTS_FUZZ_MUTATE_LIST_H
#define TESTS_FUZZ_MUTATE_LIST_H

#ifdef CTLSIGN_FUZZ

#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tlv/list.h"

/* Where a number stands that counts the changed field in. */
struct counts {
	size_t at[TLV_DEPTH_MAX + 1];
	size_t n;
};

static struct tlv_field pick_field(struct tlv_walk w, uint8_t length_tag, unsigned k)
{
	struct tlv_field f, found = { .tag = 0 };

	while (tlv_walk_next(&w, &f, NULL)) {
		if (f.tag == length_tag || (f.row != NULL && (f.row->kind == TLV_KIND_CONTAINER ||
							      f.row->kind == TLV_KIND_PADDING)))
			continue;
		found = f;
		if (k-- == 0)
			break;
	}
	return found;
}

static void find_counts(struct tlv_walk w, uint8_t length_tag, const struct tlv_field *changed,
			struct counts *c)
{
	struct tlv_field f;

	while (tlv_walk_next(&w, &f, NULL) && c->n <= TLV_DEPTH_MAX) {
		size_t behind = f.at + TLV_HEAD + f.value.n;
		bool around = f.row != NULL && f.row->kind == TLV_KIND_CONTAINER &&
			      f.at < changed->at && behind > changed->at;

		if (around)
			c->at[c->n++] = f.at + 1;
		if (f.tag == length_tag && f.value.n == 2)
			c->at[c->n++] = f.at + TLV_HEAD;
	}
}

static size_t put_changed(uint8_t *data, size_t size, size_t max, const struct tlv_field *f,
			  const struct counts *c)
{
	size_t room = max - size < 64 ? max - size : 64, behind = f->at + TLV_HEAD + f->value.n;
	size_t n = f->value.n < 4096 ? f->value.n : 4096, grown;
	uint8_t value[4096 + 64];

	memcpy(value, f->value.p, n);
	grown = LLVMFuzzerMutate(value, n, n + room);
	memmove(data + f->at + TLV_HEAD + grown, data + behind, size - behind);
	memcpy(data + f->at + TLV_HEAD, value, grown);
	data[f->at + 1] = (uint8_t)(grown >> 8);
	data[f->at + 2] = (uint8_t)grown;
	for (size_t i = 0; i < c->n; i++) {
		size_t at = c->at[i] > f->at ? c->at[i] + grown - f->value.n : c->at[i];
		size_t length = ((size_t)data[at] << 8 | data[at + 1]) + grown - f->value.n;

		data[at] = (uint8_t)(length >> 8);
		data[at + 1] = (uint8_t)length;
	}
	return size + grown - f->value.n;
}

static size_t mutate_list(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	struct tlv_list l;
	struct tlv_walk w;
	struct tlv_field f = { .tag = 0 };
	struct counts c = { .n = 0 };
	uint8_t length_tag = TLV_H_HEADER_LENGTH;

	if (seed % 3 != 0 && tlv_list_decode(&l, span_of(data, size), NULL) == ST_OK) {
		size_t which = seed / 3 % (l.nrecords + 1);
		struct tlv_record r = tlv_list_record(&l, which > 0 ? which - 1 : 0);

		w = tlv_walk_of(TLV_SCOPE_HEADER, l.header.raw, 0);
		if (which > 0) {
			w = tlv_walk_of(TLV_SCOPE_RECORD, r.raw, r.at);
			length_tag = TLV_R_RECORD_LENGTH;
		}
		f = pick_field(w, length_tag, seed >> 8 & 15);
		find_counts(w, length_tag, &f, &c);
		tlv_list_free(&l);
	} else if (seed % 3 != 0) {
		tlv_list_free(&l);
	}
	if (f.tag == 0 || f.value.p == NULL)
		return LLVMFuzzerMutate(data, size, max);
	return put_changed(data, size, max, &f, &c);
}

#endif
#endif
