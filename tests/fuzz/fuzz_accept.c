/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two lists, the installed one and a new one, and a phone: the same verdict
 * twice, and none that the bytes do not bear out.
 *
 * Input: a byte of flags, the length of the first list (16 bits), both lists.
 */
#include "signer/trust/accept.h"
#include "signer/trust/verify.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate_list.h"

enum { HEAD = 3, WITH_ITL = 1, NO_TVS = 2, BLANK = 4, NO_LISTS = 8, IS_NEW = 16, VOUCHED = 32 };

/* The certificates of the new list, as if they had been uploaded. */
static void upload(struct certset *s, const struct tlv_list *l)
{
	for (size_t i = 0; i < l->nrecords && i < 4; i++)
		(void)certset_add(s, tlv_list_record(l, i).certificate, NULL, NULL);
}

static void bears_out(const struct phone *p, const struct tlv_list *new_list,
		      const struct acceptance *a)
{
	const struct tlv_list *l = a->in_itl ? p->itl : p->ctl;
	struct tlv_record r;

	REQUIRE(a->record < 0 || (l != NULL && a->record < (long)l->nrecords));
	if (accept_row(a->reason)->accepted)
		REQUIRE(new_list->bytes.n <= TLV_PHONE_LIMIT);
	if (a->reason == ACCEPT_TVS)
		REQUIRE(!p->no_tvs && !p->blank_itl);
	if (a->reason != ACCEPT_SIGNER_IS_SAST)
		return;
	r = tlv_list_record(l, (size_t)a->record);
	REQUIRE(r.role == TLV_ROLE_SAST);
	REQUIRE(span_eq(r.serial, new_list->header.signer_serial));
	REQUIRE(span_eq(r.issuer, new_list->header.signer_issuer));
}

static void ask(const struct phone *p, const struct tlv_list *new_list)
{
	struct acceptance a = accept_decide(p, new_list), b = accept_decide(p, new_list);
	struct buf text = BUF_INIT;

	REQUIRE(a.reason == b.reason && a.assumptions == b.assumptions && a.record == b.record);
	bears_out(p, new_list, &a);
	accept_reason_text(&a, &text);
	accept_explain(&a, &text);
	REQUIRE(buf_failed(&text, NULL) == ST_OK && text.n > 0);
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct certset uploads = CERTSET_INIT;
	struct cursor c = cursor_of(span_of(data, size));
	struct tlv_list old_list, new_list;
	struct span first;
	uint8_t flags = 0;
	uint16_t n = 0;

	if (!cursor_u8(&c, &flags) || !cursor_u16(&c, &n) || !cursor_take(&c, n, &first))
		return 0;
	if (tlv_list_decode(&old_list, first, NULL) == ST_OK) {
		if (tlv_list_decode(&new_list, c.rest, NULL) == ST_OK) {
			struct phone p = {
				.ctl = (flags & WITH_ITL) == 0 ? &old_list : NULL,
				.itl = (flags & WITH_ITL) != 0 ? &old_list : NULL,
				.no_lists = (flags & NO_LISTS) != 0,
				.no_tvs = (flags & NO_TVS) != 0,
				.blank_itl = (flags & BLANK) != 0,
				.vouched = (flags & VOUCHED) != 0 ? &uploads : NULL,
				.tvs_ctl = &old_list,
				.tvs_ctl_is_new = (flags & IS_NEW) != 0,
			};

			upload(&uploads, &new_list);
			ask(&p, &new_list);
		}
		tlv_list_free(&new_list);
	}
	tlv_list_free(&old_list);
	certset_free(&uploads);
	return 0;
}

#ifdef CTLSIGN_FUZZ
/* One of the two lists is changed; the length of the first follows. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	size_t n = size < HEAD ? 0 : (size_t)data[1] << 8 | data[2], grown, room;

	if (size < HEAD || n > size - HEAD || seed % 8 == 0)
		return LLVMFuzzerMutate(data, size, max);
	if (seed % 2 == 0)
		return HEAD + n +
		       mutate_list(data + HEAD + n, size - HEAD - n, max - HEAD - n, seed / 8);
	room = n + (max - size);
	uint8_t *first = malloc(room + 1);

	REQUIRE(first != NULL);
	memcpy(first, data + HEAD, n);
	grown = mutate_list(first, n, room, seed / 8);
	if (grown > 65535)
		grown = n;
	memmove(data + HEAD + grown, data + HEAD + n, size - HEAD - n);
	memcpy(data + HEAD, first, grown);
	free(first);
	data[1] = (uint8_t)(grown >> 8);
	data[2] = (uint8_t)grown;
	return size + grown - n;
}
#endif
