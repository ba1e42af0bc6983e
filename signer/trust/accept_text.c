/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "signer/trust/accept.h"
#include "tlv/kind.h"
#include "tlv/safe.h"

/* "cucm-pub or cucm-sub2", escaped for a terminal. */
static void put_nodes(const struct acceptance *a, struct buf *out)
{
	size_t n = a->tvs.nodes < TVS_NODES_SHOWN ? a->tvs.nodes : TVS_NODES_SHOWN;

	for (size_t i = 0; i < n; i++) {
		buf_str(out, i == 0 ? "" : " or ");
		safe_text(out, a->tvs.node[i]);
	}
	if (a->tvs.nodes > n)
		buf_printf(out, " or %zu more", a->tvs.nodes - n);
}

void accept_assumption_text(const struct acceptance *a, enum tvs_assumption which, struct buf *out)
{
	const char *text = accept_assumption(which)->text, *at = strstr(text, "%s");

	if (at == NULL) {
		buf_str(out, text);
		return;
	}
	buf_put(out, span_of(text, (size_t)(at - text)));
	put_nodes(a, out);
	buf_str(out, at + 2);
}

static bool assumes(const struct acceptance *a, int which)
{
	return (a->assumptions >> which & 1U) != 0;
}

void accept_heard_text(const struct tvs_heard *heard, struct buf *out)
{
	safe_text(out, span_str(heard->host));
	buf_str(out, ": ");
	safe_text(out, heard->signer);
	buf_str(out, ": ");
	tvs_put_reply(out, heard->reply);
	if (heard->own != NULL && !tvs_reply_is_sast(heard->own)) {
		buf_str(out, "; about the certificate in the list: ");
		tvs_put_reply(out, heard->own);
	}
}

/* [ASKS_TVS] */
const char *accept_others_text(const struct acceptance *a)
{
	return a->tvs.others ?
		       "the ITL names other TVS too, and a phone asks a node of its own CallManager group: ask each of them with '--tvs'" :
		       NULL;
}

void accept_reason_text(const struct acceptance *a, struct buf *out)
{
	const char *before = " (assumes ";
	bool heard = a->tvs.heard;

	buf_str(out, accept_row(a->reason)->word);
	for (const struct tvs_heard *h = heard ? a->answers : NULL; h != NULL; h = h->next) {
		buf_str(out, h == a->answers ? " (asked: " : ", ");
		safe_text(out, span_str(h->host));
		before = "; assumes ";
	}
	for (int i = 0; i < TVS_ASSUMPTIONS; i++) {
		if (!assumes(a, i))
			continue;
		buf_str(out, before);
		accept_assumption_text(a, (enum tvs_assumption)i, out);
		before = "; ";
	}
	buf_str(out, heard || a->assumptions != 0 ? ")" : "");
}

/* Both spellings stand there, as the reader has to find the difference. */
static void put_spellings(struct buf *out, struct span there, struct span here)
{
	buf_str(out, ": '");
	safe_text(out, tlv_text(there));
	buf_str(out, "' there, '");
	safe_text(out, tlv_text(here));
	buf_str(out, "' here");
}

static void explain_near(const struct acceptance *a, struct buf *out)
{
	const struct accept_near *near = &a->near;

	if (!near->found)
		return;
	buf_printf(
		out,
		"the signer would match SAST record %zu of the installed %s if it were spelled as there, in style %s:%s%s%s",
		near->record, tlv_kind_text(near->in_itl ? TLV_LIST_ITL : TLV_LIST_CTL),
		tlv_style_text(near->style),
		near->serial_reversed ? " the serial number is written back to front" : "",
		near->serial_reversed && near->name_respelled ? " and" : "",
		near->name_respelled ? " the issuer's name is in another dialect" : "");
	if (near->name_respelled)
		put_spellings(out, near->issuer, a->issuer);
	buf_str(out, "\n");
}

/* TVS looks for its own rendering of the issuer, and for no other. */
static void explain_tvs_near(const struct acceptance *a, struct buf *out)
{
	struct buf issuer = BUF_INIT;

	if (!a->tvs.near ||
	    tlv_name_write(&issuer, a->tvs.near_issuer, TLV_NAME_SERVER, ',', NULL) != ST_OK) {
		buf_free(&issuer);
		return;
	}
	buf_str(out,
		"TVS has the certificate and would find it if it were spelled as CUCM does, in style cucm");
	if (span_eq(buf_span(&issuer), tlv_text(a->issuer)))
		buf_str(out, ": the serial number is written back to front");
	else
		put_spellings(out, buf_span(&issuer), a->issuer);
	fact_put_sources(out, FACT_LOOKS_UP_TEXT);
	buf_str(out, "\n");
	buf_free(&issuer);
}

/* Why a phone was not helped, by whether there is a TVS that it believes. */
static const struct {
	const char *text;
	enum fact_id fact;
} why_not[] = {
	[TVS_REACHED] = { "TVS does not vouch for it: it would if the signer's certificate were uploaded as Phone-SAST-trust and the TVS node served the new list",
			  FACT_KNOWS_UPLOADS },
	[TVS_NOT_ASKED] = { "the phone has no TVS to ask: it has no Security by Default",
			    FACT_NO_SBD },
	[TVS_BLANKED] = { "the phone has no TVS to ask: its ITL was blanked", FACT_BLANK_ITL },
	[TVS_NO_RECORD] = { "the phone has no TVS to ask: its ITL names none",
			    FACT_TVS_CERT_IN_ITL },
	[TVS_RENEWED] = { "the phone cannot ask TVS: none of the certificates that TVS has today is a TVS record of the installed ITL",
			  FACT_TVS_CERT_IN_ITL },
};

const char *accept_tvs_why(const struct acceptance *a, enum fact_id *fact)
{
	if (!a->asked ||
	    (a->reason != ACCEPT_SIGNER_UNKNOWN && a->reason != ACCEPT_SIGNER_NOT_SAST))
		return NULL;
	*fact = why_not[a->tvs.reach].fact;
	if (a->tvs.later)
		return "the phone cannot ask TVS after its restart: none of the TVS certificates of the new ITL is a TVS record of the installed one";
	if (a->tvs.heard && a->tvs.reach == TVS_RENEWED)
		return "the phone does not believe the TVS that was asked: the certificate that it presents is no TVS record of the installed ITL";
	return why_not[a->tvs.reach].text;
}

static void explain_foreign(const struct acceptance *a, struct buf *out)
{
	if (!a->tvs.foreign)
		return;
	buf_str(out,
		"the new list has none of the nodes that the phone's lists have: it is taken to be another cluster's, and TVS knows only what was uploaded of it");
	fact_put_sources(out, FACT_MOVE_CLUSTER);
	buf_str(out, "\n");
}

static void explain_tvs(const struct acceptance *a, struct buf *out)
{
	enum fact_id fact;
	const char *why = accept_tvs_why(a, &fact);

	if (why == NULL)
		return;
	buf_str(out, why);
	fact_put_sources(out, fact);
	buf_str(out, "\n");
	explain_foreign(a, out);
	explain_tvs_near(a, out);
}

/* What stands in the place of an assumption. */
static void explain_heard(const struct acceptance *a, struct buf *out)
{
	for (const struct tvs_heard *h = a->answers; h != NULL; h = h->next) {
		buf_str(out, "asked: ");
		accept_heard_text(h, out);
		fact_put_sources(out, FACT_ASKS_TVS);
		buf_str(out, "\n");
	}
	if (accept_others_text(a) == NULL)
		return;
	buf_str(out, accept_others_text(a));
	fact_put_sources(out, FACT_ASKS_TVS);
	buf_str(out, "\n");
}

/* Whoever has asked TVS misses nothing but the ITL. */
static const char *how_to_be_sure(const struct acceptance *a, enum tvs_assumption which)
{
	bool asked = a->tvs.heard && which == TVS_ASSUMES_TVS_CERT;

	return accept_assumption(asked ? TVS_ASSUMES_ITL : which)->how;
}

/* The facts behind what is assumed, and how to be sure. */
static void explain_assumptions(const struct acceptance *a, struct buf *out)
{
	for (int i = 0; i < TVS_ASSUMPTIONS; i++) {
		const char *how = how_to_be_sure(a, (enum tvs_assumption)i);

		if (!assumes(a, i))
			continue;
		buf_str(out, "assumed: ");
		accept_assumption_text(a, (enum tvs_assumption)i, out);
		if (how != NULL)
			buf_printf(out, ": %s", how);
		fact_put_sources(out, accept_assumption((enum tvs_assumption)i)->fact);
		buf_str(out, "\n");
	}
}

/* [TVS_ORDER]: a restart of TVS is what makes it present a renewed certificate. */
static void explain_restart(const struct acceptance *a, struct buf *out)
{
	if (a->reason != ACCEPT_TVS || !a->tvs.until_restart)
		return;
	buf_str(out,
		"until TVS restarts: then it presents the TVS certificates of the new ITL, and not all of them are TVS records of the installed one");
	fact_put_sources(out, FACT_TVS_CERT_IN_ITL);
	buf_str(out, "\n");
}

static void explain_warnings(const struct acceptance *a, struct buf *out)
{
	if (a->new_is_bad)
		buf_str(out, "warning: the new list's own signature does not verify\n");
	if (a->anybody_signs)
		buf_str(out,
			"warning: the signer's public exponent is 1 or even, so its signatures prove nothing; no source says that phones check it\n");
}

const char *accept_explanation(const struct acceptance *a)
{
	return a->blank ?
		       "the ITL that the phone holds was blanked: it takes any new one without a check" :
		       accept_row(a->reason)->explanation;
}

enum fact_id accept_fact(const struct acceptance *a)
{
	return a->blank ? FACT_BLANK_TAKES_ANY : accept_row(a->reason)->fact;
}

void accept_explain(const struct acceptance *a, struct buf *out)
{
	enum fact_id fact = accept_fact(a);

	buf_str(out, accept_explanation(a));
	if (assumes(a, TVS_ASSUMES_SIGNATURE))
		buf_str(out, ", as far as printed texts tell");
	if (a->record >= 0)
		buf_printf(out, " (record %ld of the installed %s)", a->record + 1,
			   tlv_kind_text(a->in_itl ? TLV_LIST_ITL : TLV_LIST_CTL));
	fact_put_sources(out, fact);
	buf_str(out, "\n");
	if (fact_row(fact).open && a->assumptions == 0) {
		fact_put(out, fact);
		buf_str(out, "\n");
	}
	explain_warnings(a, out);
	explain_heard(a, out);
	explain_restart(a, out);
	explain_assumptions(a, out);
	explain_near(a, out);
	explain_tvs(a, out);
}

const char *accept_cure(const struct acceptance *a)
{
	return accept_row(a->reason)->cure;
}
