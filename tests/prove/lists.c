/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of a list, and is no decision of trust, is answered by anything. prove/list.c shows
 * what these functions do.
 */
#include "lists.h"

#include "tlv/kind.h"

#include "any.h"

struct tlv_list any_list(size_t nrecords)
{
	struct tlv_list l = { .bytes = any_span(), .nrecords = nrecords };

	l.header.present = any_u32();
	l.header.signer_name = any_span();
	l.header.signer_serial = any_span();
	l.header.signer_issuer = any_span();
	l.header.signature = any_span();
	l.header.filename = any_span();
	l.header.digest = any_u8();
	l.header.algorithm = any_u8();
	l.header.timestamp = any_u32();
	l.printed = any_bool();
	l.known_bad = any_bool();
	return l;
}

long any_signer(const struct tlv_list *l)
{
	if (l->nrecords > 0 && any_bool())
		return (long)any_size(0, l->nrecords - 1);
	return any_bool() ? TLV_SIGNER_NONE : TLV_SIGNER_AMBIGUOUS;
}

long tlv_list_signer(const struct tlv_list *l)
{
	return any_signer(l);
}

bool tlv_list_is_itl(const struct tlv_list *l)
{
	(void)l;
	return any_bool();
}

bool tlv_list_is_other_kind(const struct tlv_list *l, struct span served)
{
	(void)l;
	is_span(served);
	return any_bool();
}

struct tlv_dialect tlv_list_dialect(const struct tlv_list *l)
{
	(void)l;
	return (struct tlv_dialect){ .style = (enum tlv_style)any_size(TLV_STYLE_CUCM,
								       TLV_STYLE_RFC4514) };
}
