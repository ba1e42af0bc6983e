/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/accept.h"

#include "signer/trust/signature.h"
#include "tlv/kind.h"

static const struct accept_reason_row reason_rows[] = {
#define REASON(name, word, accepted, fact, explanation, cure) \
	{ word, accepted, FACT_##fact, explanation, cure },
#include "signer/trust/reasons.def"
#undef REASON
};

const struct accept_reason_row *accept_row(enum accept_reason r)
{
	return &reason_rows[r];
}

static const struct accept_assumption_row assumption_rows[] = {
#define ASSUMPTION(name, word, text, how, fact) { word, text, how, FACT_##fact },
#include "signer/trust/assumptions.def"
#undef ASSUMPTION
};

const struct accept_assumption_row *accept_assumption(enum tvs_assumption a)
{
	return &assumption_rows[a];
}

/* The list in question; key is empty if its signature is there to be looked at. */
struct candidate {
	const struct tlv_list *list;
	struct span key;
	struct signature_memo *memo; /* NULL: each answer is worked out */
};

/*
 * Whether a printed list shows this certificate as its signer's, by the SHA-1. Another
 * one has another key. A list without a record of its signer contradicts nothing.
 */
static bool shows(const struct tlv_list *l, struct span certificate)
{
	long signer = tlv_list_signer(l);
	struct span own;
	uint8_t sha1[20];

	if (signer < 0)
		return signer == TLV_SIGNER_NONE;
	own = tlv_list_record(l, (size_t)signer).certificate;
	return certificate.n == 0 || span_eq(own, certificate) ||
	       (cert_sha1(certificate, sha1, NULL) == ST_OK &&
		span_starts(own, span_of(sha1, sizeof sha1)));
}

/*
 * Whether the new list's signature is, or will be, made by this key, which the certificate is of.
 */
static bool signed_with(const struct candidate *new_list, struct span public_key,
			struct span certificate)
{
	if (new_list->key.n > 0)
		return span_eq(new_list->key, public_key);
	/* Without keys it is an assumption, which by_key() says; what contradicts it is known. */
	if (new_list->list->printed)
		return !new_list->list->known_bad && shows(new_list->list, certificate);
	return new_list->memo != NULL ?
		       signature_is_by_again(new_list->memo, new_list->list, public_key) :
		       signature_is_by(new_list->list, public_key);
}

/* What the installed lists know of the signer. */
struct matches {
	long sast, tftp, other; /* record indices, -1: none */
	bool sast_in_itl, tftp_in_itl, other_in_itl;
	struct span key;	 /* of the first match that gives one */
	struct span certificate; /* of the first match that has one */
	bool ambiguous;
};

static void note_match(struct matches *m, const struct tlv_record *r, size_t i, bool itl)
{
	/* A record that gives a certificate's hash only has no key to differ by. */
	if (m->key.n > 0 && r->public_key.n > 0 && !span_eq(m->key, r->public_key))
		m->ambiguous = true;
	if (m->key.n == 0)
		m->key = r->public_key;
	if (m->certificate.n == 0)
		m->certificate = r->certificate;
	if (tlv_record_is(r, TLV_ROLE_SAST) && m->sast < 0) {
		m->sast = (long)i;
		m->sast_in_itl = itl;
	} else if (tlv_record_is_tftp(r) && m->tftp < 0) {
		m->tftp = (long)i;
		m->tftp_in_itl = itl;
	} else if (m->other < 0) {
		m->other = (long)i;
		m->other_in_itl = itl;
	}
}

/* Serial number and issuer, byte for byte: what a phone compares. */
static void match_list(struct matches *m, const struct tlv_list *installed,
		       const struct tlv_header *h, bool itl)
{
	for (size_t i = 0; installed != NULL && i < installed->nrecords; i++) {
		struct tlv_record r = tlv_list_record(installed, i);

		if (tlv_record_has(&r, TLV_R_FUNCTION) && tlv_record_signs(&r, h))
			note_match(m, &r, i, itl);
	}
}

/* Whether the text is the record's issuer, as it stands there or in another dialect. */
static bool same_issuer(const struct tlv_record *r, struct span issuer)
{
	struct tlv_cert c;

	return span_eq(r->issuer, issuer) || (tlv_cert_walk(r->certificate, &c, NULL) == ST_OK &&
					      tlv_name_match(tlv_text(issuer), c.issuer).matches);
}

static enum tlv_style style_of(const struct tlv_list *l, const struct tlv_record *r)
{
	return tlv_record_is_nameless(r) ? TLV_STYLE_CTL_CLIENT : tlv_list_dialect(l).style;
}

static void near_in_list(struct accept_near *near, const struct tlv_list *installed,
			 const struct tlv_header *h, bool itl)
{
	for (size_t i = 0; installed != NULL && !near->found && i < installed->nrecords; i++) {
		struct tlv_record r = tlv_list_record(installed, i);
		enum tlv_serial_match serial = tlv_header_serial(h, r.serial);

		if (!tlv_record_is(&r, TLV_ROLE_SAST) || serial == TLV_SERIAL_OTHER ||
		    !same_issuer(&r, h->signer_issuer))
			continue;
		*near = (struct accept_near){ .found = true,
					      .in_itl = itl,
					      .record = i + 1,
					      .serial_reversed = serial == TLV_SERIAL_REVERSED,
					      .name_respelled =
						      !span_eq(r.issuer, h->signer_issuer),
					      .style = style_of(installed, &r),
					      .issuer = r.issuer };
	}
}

static struct accept_near find_near(const struct phone *p, const struct tlv_header *h)
{
	struct accept_near near = { .found = false };

	near_in_list(&near, p->ctl, h, false);
	near_in_list(&near, p->itl, h, true);
	return near;
}

static struct acceptance decided(enum accept_reason reason, long record, bool in_itl)
{
	return (struct acceptance){ .reason = reason, .record = record, .in_itl = in_itl };
}

static struct acceptance by_key(const struct candidate *new_list, struct span key,
				struct span certificate, enum accept_reason good, long record,
				bool in_itl)
{
	bool signs = signed_with(new_list, key, certificate);
	struct acceptance a = decided(signs ? good : ACCEPT_BAD_SIGNATURE, record, in_itl);

	a.anybody_signs = signs && tlv_key_proves_nothing(key);
	if (new_list->list->printed && new_list->key.n == 0)
		a.assumptions |= 1U << TVS_ASSUMES_SIGNATURE;
	return a;
}

/* [LEAP_OF_FAITH], [BLANK_TAKES_ANY]: the latter is known of ITLs alone. */
static bool takes_any(const struct phone *p, const struct tlv_list *new_list)
{
	if (p->no_lists || (p->ctl == NULL && p->itl == NULL))
		return true;
	return p->ctl == NULL && p->blank_itl && tlv_list_is_itl(new_list);
}

static struct acceptance first_list(const struct candidate *new_list, bool blank)
{
	struct acceptance a = decided(ACCEPT_LEAP_OF_FAITH, -1, false);
	long signer;

	a.blank = blank;
	a.new_is_bad = new_list->list->known_bad;
	if (!new_list->list->printed)
		a.new_is_bad = new_list->key.n == 0 && !signature_is_own(new_list->list, &signer);
	return a;
}

/* TVS knows the signer's names, but not with the certificate of the new list. */
static bool knows_another(const struct tvs_answer *tvs, const struct tvs_heard *heard)
{
	return tvs->heard && heard->own != NULL && !tvs_reply_is_sast(heard->own);
}

/* Of those that were asked, the first one answers. */
static struct acceptance ask_one(const struct phone *p, const struct candidate *new_list,
				 const struct matches *m)
{
	struct acceptance a = decided(ACCEPT_SIGNER_UNKNOWN, -1, false);
	struct tvs_answer tvs = tvs_ask(p, new_list->list);

	if (tvs.knows && knows_another(&tvs, p->heard)) {
		/* by_key() would take the signature of a printed list to be good. */
		a = decided(ACCEPT_BAD_SIGNATURE, -1, false);
	} else if (tvs.knows) {
		a = by_key(new_list, tvs.key, tvs.certificate, ACCEPT_TVS, -1, false);
		a.assumptions |= tvs.assumptions;
	} else if (m->tftp >= 0) {
		a = decided(ACCEPT_SIGNER_NOT_SAST, m->tftp, m->tftp_in_itl);
	} else if (m->other >= 0) {
		a = decided(ACCEPT_SIGNER_NOT_SAST, m->other, m->other_in_itl);
	} else {
		a.near = find_near(p, &new_list->list->header);
	}
	a.asked = true;
	a.tvs = tvs;
	a.hangs_on_tvs = tvs.reach == TVS_REACHED || tvs.reach == TVS_RENEWED;
	a.heard = p->heard;
	return a;
}

/* [ASKS_TVS]: nobody knows the phones' groups, so the worst answer that they believe counts. */
static unsigned weight(const struct acceptance *a)
{
	if (!a->tvs.believed)
		return 0;
	return accept_row(a->reason)->accepted ? 1 : 2;
}

static struct acceptance through_tvs(const struct phone *p, const struct candidate *new_list,
				     const struct matches *m)
{
	struct acceptance worst = ask_one(p, new_list, m);
	struct phone other = *p;

	while (other.heard != NULL && other.heard->next != NULL) {
		struct acceptance a;

		other.heard = other.heard->next;
		a = ask_one(&other, new_list, m);
		if (weight(&a) > weight(&worst))
			worst = a;
	}
	return worst;
}

/* An ITL by a TFTP certificate: nobody says that phones take it. What TVS says for certain does. */
static struct acceptance by_tftp(const struct phone *p, const struct candidate *c,
				 const struct matches *m)
{
	struct acceptance a =
		by_key(c, m->key, m->certificate, ACCEPT_SIGNER_IS_TFTP, m->tftp, m->tftp_in_itl);
	struct acceptance tvs = through_tvs(p, c, m);

	if (a.reason == ACCEPT_SIGNER_IS_TFTP)
		a.assumptions |= 1U << TVS_ASSUMES_TFTP;
	a.tvs_too = tvs.reason == ACCEPT_TVS;
	a.hangs_on_tvs = tvs.hangs_on_tvs;
	a.heard = tvs.heard;
	if (tvs.reason == ACCEPT_TVS &&
	    (a.reason != ACCEPT_SIGNER_IS_TFTP || (tvs.assumptions & ~a.assumptions) == 0))
		return tvs;
	return a;
}

static struct acceptance decide(const struct phone *p, const struct candidate *c)
{
	struct matches m = { .sast = -1, .tftp = -1, .other = -1 };

	if (c->list->bytes.n > TLV_PHONE_LIMIT)
		return decided(ACCEPT_TOO_LARGE, -1, false);
	if (p->asked != NULL && tlv_list_is_other_kind(c->list, span_str(p->asked)))
		return decided(ACCEPT_WRONG_KIND, -1, false);
	if (takes_any(p, c->list))
		return first_list(c, p->itl != NULL);
	match_list(&m, p->ctl, &c->list->header, false);
	match_list(&m, p->itl, &c->list->header, true);
	if (m.ambiguous)
		return decided(ACCEPT_AMBIGUOUS_SIGNER, -1, false);
	if (m.sast >= 0)
		return by_key(c, m.key, m.certificate, ACCEPT_SIGNER_IS_SAST, m.sast,
			      m.sast_in_itl);
	if (m.tftp >= 0 && tlv_list_is_itl(c->list))
		return by_tftp(p, c, &m);
	return through_tvs(p, c, &m);
}

static struct acceptance answer(const struct phone *p, const struct candidate *c)
{
	struct acceptance a = decide(p, c);

	a.issuer = c->list->header.signer_issuer;
	if (a.hangs_on_tvs)
		a.answers = p->heard;
	else
		a.heard = NULL;
	return a;
}

struct acceptance accept_decide(const struct phone *p, const struct tlv_list *new_list)
{
	return answer(p,
		      &(struct candidate){ .list = new_list, .key = SPAN_NONE, .memo = p->memo });
}

struct acceptance accept_foresee(const struct phone *p, const struct tlv_list *new_list,
				 struct span signing_key)
{
	return answer(p, &(struct candidate){ .list = new_list, .key = signing_key });
}
