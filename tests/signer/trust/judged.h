/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lists that phones hold, a new one, and the verdict on it: for the tests of accept.
 */
#ifndef TESTS_SIGNER_TRUST_JUDGED_H
#define TESTS_SIGNER_TRUST_JUDGED_H

#include "signer/trust/accept.h"
#include "tests/signer/given.h"

#define CUCM "lists/cucm.tlv"
#define CUCM_2048 "lists/cucm-2048.tlv" /* signed by the renewed publisher */
#define TOKENS "lists/ctl-client.tlv"
#define ITL_1 "renewed-together/ITLFile-1.tlv"
#define ITL_2 "renewed-together/ITLFile-2.tlv" /* CallManager and the only TVS are renewed */

#define UNSEEN_ITL \
	"assumes the ITL has a TVS record; TVS still has the certificate that the ITL names"

struct row {
	const char *ctl, *itl; /* what the phone holds; NULL: none */
	const char *new_list;
	const char *verdict; /* "accepted: …", as accept prints it */
	const char *vouched; /* a certificate that TVS was given, or NULL */
	struct phone with;   /* the rest of the phone */
};

static inline struct acceptance decide(const struct row *row, struct phone *p,
				       struct given_list held[2], const struct given_list *new_list,
				       struct span key)
{
	*p = row->with;
	if (row->ctl != NULL)
		held[0] = given_list(row->ctl);
	if (row->itl != NULL)
		held[1] = given_list(row->itl);
	p->ctl = row->ctl != NULL ? &held[0].list : NULL;
	p->itl = row->itl != NULL ? &held[1].list : NULL;
	return key.n > 0 ? accept_foresee(p, &new_list->list, key) :
			   accept_decide(p, &new_list->list);
}

/* Judges the row as "accepted: tvs (assumes …)"; key: of the signature that is foreseen. */
static inline void judge(const struct row *row, struct span key, const char *verdict)
{
	struct given_list held[2] = { { .list = { .nrecords = 0 } } };
	struct given_list new_list = given_list(row->new_list);
	struct certset vouched = CERTSET_INIT;
	struct row own = *row;
	struct acceptance a;
	struct buf text = BUF_INIT;
	struct phone p;

	if (row->vouched != NULL) {
		struct cert c = given_cert(row->vouched);

		assert_int_equal(certset_add(&vouched, buf_span(&c.der), NULL, NULL), ST_OK);
		cert_free(&c);
	}
	own.with.vouched = &vouched;
	a = decide(&own, &p, held, &new_list, key);
	buf_str(&text, accept_row(a.reason)->accepted ? "accepted: " : "refused: ");
	accept_reason_text(&a, &text);
	assert_string_equal(buf_cstr(&text), verdict);
	buf_free(&text);
	certset_free(&vouched);
	given_list_free(&held[0]);
	given_list_free(&held[1]);
	given_list_free(&new_list);
}

/* One bit in a byte that the list borrows. */
static inline void flip(struct given_list *g, struct span part)
{
	g->bytes.p[(size_t)(part.p - g->bytes.p) + part.n / 2] ^= 1;
}

static inline void set_role(struct given_list *g, size_t i, uint8_t role)
{
	struct span raw = tlv_list_record(&g->list, i).raw;
	uint8_t *field = g->bytes.p + (raw.p - g->bytes.p);
	size_t n;

	for (size_t left = raw.n; left > 0; left -= n, field += n) {
		n = 3 + ((size_t)field[1] << 8 | field[2]);
		if (field[0] == 4) /* FUNCTION, two bytes */
			field[4] = role;
	}
	tlv_list_free(&g->list);
	assert_int_equal(tlv_list_decode(&g->list, buf_span(&g->bytes), NULL), ST_OK);
}

#endif
