/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/accept.h"

#include "signer/trust/signature.h"
#include "tlv/kind.h"

static const struct accept_reason_row reason_rows[] = {
#define REASON(name, word, accepted, explanation, cure) { word, accepted, explanation, cure },
#include "signer/trust/reasons.def"
#undef REASON
};

const struct accept_reason_row *accept_row(enum accept_reason r)
{
	return &reason_rows[r];
}

/* The list in question; key is empty where its signature is there to be looked at. */
struct candidate {
	const struct tlv_list *list;
	struct span key;
};

/* Whether the new list's signature is, or will be, made by this key. */
static bool signed_with(const struct candidate *new_list, struct span public_key)
{
	if (new_list->key.n > 0)
		return span_eq(new_list->key, public_key);
	return signature_is_by(new_list->list, public_key);
}

/* What the installed lists know of the signer. */
struct matches {
	long sast, tftp, other; /* record indices, -1: none */
	bool sast_in_itl, tftp_in_itl, other_in_itl;
	struct span key; /* of the first match that gives one */
	bool ambiguous;
};

static void note_match(struct matches *m, const struct tlv_record *r, size_t i, bool itl)
{
	/* A record that gives a certificate's hash only has no key to differ by. */
	if (m->key.n > 0 && r->public_key.n > 0 && !span_eq(m->key, r->public_key))
		m->ambiguous = true;
	if (m->key.n == 0)
		m->key = r->public_key;
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

static bool has_tvs_record(const struct tlv_list *itl)
{
	for (size_t i = 0; i < itl->nrecords; i++)
		if (tlv_list_record(itl, i).role == TLV_ROLE_TVS)
			return true;
	return false;
}

/* Whether the phone can ask TVS at all; an ITL that we are not shown is taken to name one. */
static bool can_ask(const struct phone *p, unsigned *assumptions)
{
	if (p->no_tvs || p->blank_itl)
		return false;
	if (p->itl != NULL)
		return has_tvs_record(p->itl);
	*assumptions |= ACCEPT_ASSUMES_ITL;
	return true;
}

/* TVS looks its certificates up as CUCM itself spells them. */
static bool spelled_by_cucm(const struct cert *c, const struct tlv_header *h)
{
	struct buf issuer = BUF_INIT;
	bool same = tlv_header_serial(h, c->parts.serial) == TLV_SERIAL_SAME &&
		    tlv_name_write(&issuer, c->parts.issuer, TLV_NAME_SERVER, ',', NULL) == ST_OK &&
		    span_eq(buf_span(&issuer), tlv_text(h->signer_issuer));

	buf_free(&issuer);
	return same;
}

/* The server's own CTL lends TVS its spelling, of a certificate that was uploaded. */
static bool spelled_by_ctl(const struct cert *c, const struct tlv_list *ctl,
			   const struct tlv_header *h)
{
	for (size_t i = 0; ctl != NULL && i < ctl->nrecords; i++) {
		struct tlv_record r = tlv_list_record(ctl, i);

		if (tlv_record_is(&r, TLV_ROLE_SAST) && tlv_record_signs(&r, h) &&
		    span_eq(r.certificate, buf_span(&c->der)))
			return true;
	}
	return false;
}

/* The certificate that TVS answers for, NULL where it does not know the signer. */
static const struct cert *ask_tvs(const struct phone *p, const struct tlv_list *new_list,
				  unsigned *assumptions)
{
	const struct tlv_header *h = &new_list->header;
	const struct tlv_list *ctl = p->tvs_ctl_is_new ? new_list : p->tvs_ctl;

	for (size_t i = 0; p->vouched != NULL && i < p->vouched->n; i++)
		if (spelled_by_cucm(&p->vouched->v[i].cert, h))
			return &p->vouched->v[i].cert;
	for (size_t i = 0; p->vouched != NULL && i < p->vouched->n; i++)
		if (spelled_by_ctl(&p->vouched->v[i].cert, ctl, h)) {
			*assumptions |= p->tvs_ctl_is_new ? ACCEPT_ASSUMES_CTL : 0U;
			return &p->vouched->v[i].cert;
		}
	return NULL;
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
					      .style = style_of(installed, &r) };
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
				enum accept_reason good, long record, bool in_itl)
{
	bool signs = signed_with(new_list, key);
	struct acceptance a = decided(signs ? good : ACCEPT_BAD_SIGNATURE, record, in_itl);

	a.anybody_signs = signs && tlv_key_proves_nothing(key);
	return a;
}

static struct acceptance first_list(const struct candidate *new_list)
{
	struct acceptance a = decided(ACCEPT_LEAP_OF_FAITH, -1, false);
	long signer;

	a.new_is_bad = new_list->key.n == 0 && !signature_is_own(new_list->list, &signer);
	return a;
}

static struct acceptance through_tvs(const struct phone *p, const struct candidate *new_list,
				     const struct matches *m)
{
	struct acceptance a = decided(ACCEPT_SIGNER_UNKNOWN, -1, false);
	unsigned assumptions = 0;
	bool asks = can_ask(p, &assumptions);
	const struct cert *c = asks ? ask_tvs(p, new_list->list, &assumptions) : NULL;

	if (c != NULL) {
		a = by_key(new_list, c->parts.public_key, ACCEPT_TVS, -1, false);
		a.assumptions = assumptions;
		return a;
	}
	if (m->tftp >= 0)
		a = decided(ACCEPT_SIGNER_NOT_SAST, m->tftp, m->tftp_in_itl);
	else if (m->other >= 0)
		a = decided(ACCEPT_SIGNER_NOT_SAST, m->other, m->other_in_itl);
	else
		a.near = find_near(p, &new_list->list->header);
	a.could_ask = asks;
	return a;
}

static struct acceptance decide(const struct phone *p, const struct candidate *c)
{
	struct matches m = { .sast = -1, .tftp = -1, .other = -1 };

	if (c->list->bytes.n > TLV_PHONE_LIMIT)
		return decided(ACCEPT_TOO_LARGE, -1, false);
	if (p->asked != NULL && tlv_list_is_other_kind(c->list, span_str(p->asked)))
		return decided(ACCEPT_WRONG_KIND, -1, false);
	if (p->no_lists || (p->ctl == NULL && p->itl == NULL))
		return first_list(c);
	match_list(&m, p->ctl, &c->list->header, false);
	match_list(&m, p->itl, &c->list->header, true);
	if (m.ambiguous)
		return decided(ACCEPT_AMBIGUOUS_SIGNER, -1, false);
	if (m.sast >= 0)
		return by_key(c, m.key, ACCEPT_SIGNER_IS_SAST, m.sast, m.sast_in_itl);
	if (m.tftp >= 0 && tlv_list_is_itl(c->list))
		return by_key(c, m.key, ACCEPT_SIGNER_IS_TFTP, m.tftp, m.tftp_in_itl);
	return through_tvs(p, c, &m);
}

struct acceptance accept_decide(const struct phone *p, const struct tlv_list *new_list)
{
	return decide(p, &(struct candidate){ .list = new_list, .key = SPAN_NONE });
}

struct acceptance accept_foresee(const struct phone *p, const struct tlv_list *new_list,
				 struct span signing_key)
{
	return decide(p, &(struct candidate){ .list = new_list, .key = signing_key });
}

void accept_reason_text(const struct acceptance *a, struct buf *out)
{
	static const struct {
		unsigned bit;
		const char *text;
	} assumptions[] = {
		{ ACCEPT_ASSUMES_ITL, "the ITL has a TVS record" },
		{ ACCEPT_ASSUMES_CTL, "the TVS node serves the new list" },
	};
	bool first = true;

	buf_str(out, reason_rows[a->reason].word);
	for (size_t i = 0; i < COUNT(assumptions); i++) {
		if ((a->assumptions & assumptions[i].bit) == 0)
			continue;
		buf_printf(out, "%s%s", first ? " (assumes " : "; ", assumptions[i].text);
		first = false;
	}
	buf_str(out, first ? "" : ")");
}

static void explain_near(const struct accept_near *near, struct buf *out)
{
	if (!near->found)
		return;
	buf_printf(
		out,
		"the signer would match SAST record %zu of the installed %s if it were spelled as there, in style %s:%s%s%s\n",
		near->record, tlv_kind_text(near->in_itl ? TLV_LIST_ITL : TLV_LIST_CTL),
		tlv_style_text(near->style),
		near->serial_reversed ? " the serial number is written back to front" : "",
		near->serial_reversed && near->name_respelled ? " and" : "",
		near->name_respelled ? " the issuer's name is in another dialect" : "");
}

static void explain_tvs(const struct acceptance *a, struct buf *out)
{
	if (a->reason != ACCEPT_SIGNER_UNKNOWN && a->reason != ACCEPT_SIGNER_NOT_SAST)
		return;
	if (a->could_ask)
		buf_str(out,
			"TVS does not vouch for it: it would if the signer's certificate were uploaded as Phone-SAST-trust and the TVS node served the new list\n");
	else
		buf_str(out,
			"the phone has no TVS to ask: it has no Security by Default, or its ITL names none\n");
}

void accept_explain(const struct acceptance *a, struct buf *out)
{
	const struct accept_reason_row *row = &reason_rows[a->reason];

	buf_printf(out, "%s", row->explanation);
	if (a->record >= 0)
		buf_printf(out, " (record %ld of the installed %s)", a->record + 1,
			   tlv_kind_text(a->in_itl ? TLV_LIST_ITL : TLV_LIST_CTL));
	buf_str(out, "\n");
	if (a->new_is_bad)
		buf_str(out, "warning: the new list's own signature does not verify\n");
	if (a->anybody_signs)
		buf_str(out,
			"warning: the signer's public exponent is 1 or even: that is no proof of anything, but nothing says that phones look\n");
	explain_near(&a->near, out);
	explain_tvs(a, out);
	if (row->cure != NULL)
		buf_printf(out, "cure: %s\n", row->cure);
}
