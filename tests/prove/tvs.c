/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * signer/trust/tvs.c: what any TVS would answer any phone about any list. There are 0 to 2
 * certificates that TVS holds or presents. The first that it presents may be that of any of the
 * ITL's records, and another one is of none: Eva forgets which nodes are shown already.
 */
#include "signer/trust/tvs.h"

#include "signer/trust/own.h"

#include "any.h"
#include "lists.h"

/* The ITL has one TVS more than an answer shows. */
enum { CERTIFICATES = 2, RECORDS = TVS_NODES_SHOWN + 1 };

static uint8_t first[ANY_MAX];

/* The only certificate that may be that of a record; NULL: each may be. */
static const uint8_t *named;

bool tlv_record_signs(const struct tlv_record *r, const struct tlv_header *h)
{
	(void)r;
	(void)h;
	return any_bool();
}

bool cert_is_of_record(const struct tlv_list *l, const struct tlv_record *r, struct span der)
{
	(void)l;
	is_span(r->certificate);
	is_span(der);
	return (named == NULL || der.p == named) && any_bool();
}

bool own_is_known(const struct phone *p, const struct tlv_list *new_list,
		  const struct tlv_record *r)
{
	(void)p;
	(void)new_list;
	is_span(r->certificate);
	return any_bool();
}

bool own_is_phones(const struct phone *p, const struct tlv_list *new_list)
{
	(void)p;
	(void)new_list;
	return any_bool();
}

bool tvs_reply_is_sast(const struct tvs_reply *r)
{
	return r->known && any_bool();
}

static struct certset any_set(struct certset_item *items, size_t n)
{
	for (size_t i = 0; i < CERTIFICATES; i++) {
		struct span der = i == 0 ? span_of(first, any_size(0, ANY_MAX)) : any_span();

		items[i] = (struct certset_item){ .cert = CERT_INIT };
		items[i].cert.der.p = (uint8_t *)(uintptr_t)der.p;
		items[i].cert.der.n = der.n;
		items[i].cert.parts = any_cert(der);
	}
	return (struct certset){ .v = items, .n = n };
}

static struct tvs_heard any_heard(const struct tvs_reply *reply)
{
	return (struct tvs_heard){ .host = "10.0.0.1:2445",
				   .presented = any_span(),
				   .signer = any_span(),
				   .reply = reply,
				   .certificate = any_span() };
}

/* Who was heard was asked: others take their answer from there. */
static void is_answer(const struct tvs_answer *a, const struct phone *p)
{
	/*@ assert reach: TVS_REACHED <= a->reach <= TVS_RENEWED; */
	if (a->heard) {
		/*@ assert heard: \valid_read(p->heard); */
		(void)p->heard->own;
	}
}

static void asked(size_t records, size_t certificates, const struct tlv_list *itl,
		  const struct tlv_list *tvs_ctl, const struct tvs_heard *heard)
{
	static struct certset_item vouched_items[CERTIFICATES], now_items[CERTIFICATES];
	struct certset vouched = any_set(vouched_items, certificates),
		       now = any_set(now_items, certificates);
	struct tlv_list new_list = any_list(records);
	struct phone p = { .itl = itl,
			   .no_tvs = any_bool(),
			   .foreign = any_bool(),
			   .tvs_restarts = any_bool(),
			   .blank_itl = any_bool(),
			   .vouched = certificates > 0 ? &vouched : NULL,
			   .tvs_now = tvs_ctl != NULL ? &now : NULL,
			   .heard = heard,
			   .tvs_ctl = tvs_ctl,
			   .tvs_ctl_is_new = any_bool() };
	struct tvs_answer a = tvs_ask(&p, &new_list);

	is_answer(&a, &p);
	(void)tvs_list_says_now(&new_list);
}

static void all(size_t old, size_t newer, size_t certificates)
{
	struct tvs_reply reply = { .known = any_bool() };
	struct tvs_heard heard = any_heard(&reply);
	struct tlv_list itl = any_list(old), ctl = any_list(newer);

	named = newer <= 1 && certificates <= 1 ? NULL : first;
	asked(newer, certificates, NULL, NULL, NULL);
	asked(newer, certificates, &itl, &ctl, NULL);
	asked(newer, certificates, NULL, NULL, &heard);
	asked(newer, certificates, &itl, NULL, &heard);
	asked(newer, certificates, &itl, &ctl, &heard);
}

int main(void)
{
	any_memory(ANY_MEMORY);
	all(0, 0, 0);
	all(1, 1, 0);
	all(RECORDS, 1, 0);
	all(RECORDS, 1, 1);
	all(2, 2, 1);
	all(2, 2, 2);
	any_memory(0);
	all(1, 1, 1);
	return 0;
}
