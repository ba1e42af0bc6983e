/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * tlv/record.c: a record of any fields, and what is asked of it.
 */
#include "tlv/record.h"

#include "any.h"

static void decoded(struct span bytes)
{
	struct tlv_record r;
	struct tlv_err e = TLV_ERR_INIT;

	(void)tlv_record_decode(&r, bytes, any_size(0, UINT32_MAX), &e);
	is_span(r.raw);
	(void)tlv_record_decode(&r, bytes, any_size(0, UINT32_MAX), NULL);
	is_span(r.raw);
	(void)tlv_record_is(&r, TLV_ROLE_SAST);
}

/* RECORDLENGTH is what a record begins with, or nothing else is read. */
static void begun(size_t n)
{
	struct span bytes = any_other_span_of(n);
	uint8_t *p = (uint8_t *)(uintptr_t)bytes.p;
	static const uint8_t head[] = { TLV_R_RECORD_LENGTH, 0, 2 };

	for (size_t i = 0; i < n && i < sizeof head; i++)
		p[i] = head[i];
	decoded(bytes);
}

int main(void)
{
	decoded(SPAN_NONE);
	for (size_t n = 0; n <= ANY_MAX; n++) {
		decoded(any_other_span_of(n));
		begun(n);
		is_span(tlv_text(any_span_of(n)));
	}
	return 0;
}
