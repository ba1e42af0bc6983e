/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/plan/plan_model.h"
#include "signer/trust/signature.h"
#include "signer/trust/verify.h"
#include "tlv/kind.h"

enum { EXPIRES_SOON = 90 * 86400 /* seconds: a change is not planned in a week */ };

static struct plan_anchor *find_anchor(struct plan_model *m, const struct tlv_record *r)
{
	for (size_t i = 0; i < m->nanchors; i++) {
		struct plan_anchor *a = &m->anchors[i];

		if (span_eq(a->key, r->public_key) && span_eq(a->serial, r->serial) &&
		    span_eq(a->issuer, r->issuer))
			return a;
	}
	return NULL;
}

static void note_anchor(struct plan_model *m, const struct tlv_record *r, enum plan_list_id id)
{
	struct plan_anchor *a = find_anchor(m, r);

	if (a == NULL && m->nanchors == PLAN_ANCHORS_MAX) {
		m->anchors_left_out++;
		return;
	}
	if (m->anchors == NULL)
		m->anchors = calloc(PLAN_ANCHORS_MAX, sizeof *m->anchors);
	if (m->anchors == NULL) {
		m->failed = true;
		return;
	}
	if (a == NULL) {
		a = &m->anchors[m->nanchors++];
		*a = (struct plan_anchor){ .serial = r->serial,
					   .issuer = r->issuer,
					   .key = r->public_key };
		plan_put_cn(&a->name, r);
		m->failed |= a->name.failed != ST_OK;
	}
	a->in[id] = true;
}

/* The same key under a new spelling is another anchor for a phone, which compares bytes. */
static void note_respelled(struct plan_model *m)
{
	for (size_t i = 0; i < m->nanchors; i++)
		for (size_t j = 0; j < m->nanchors; j++) {
			struct plan_anchor *a = &m->anchors[i], *b = &m->anchors[j];

			if (a->in[PLAN_OLD] && !a->in[PLAN_NEW] && b->in[PLAN_NEW] &&
			    !b->in[PLAN_OLD] && span_eq(a->key, b->key))
				a->respelled = b->respelled = true;
		}
}

void plan_note_anchors(struct plan_model *m)
{
	for (int id = 0; id < PLAN_LISTS; id++) {
		const struct tlv_list *l = m->facts[id].list;

		for (size_t i = 0; l != NULL && i < l->nrecords; i++) {
			struct tlv_record r = tlv_list_record(l, i);

			if (tlv_record_is(&r, TLV_ROLE_SAST))
				note_anchor(m, &r, (enum plan_list_id)id);
		}
	}
	note_respelled(m);
}

const char *plan_anchor_fate(const struct plan_anchor *a)
{
	if (a->respelled)
		return "respelled";
	if (a->in[PLAN_OLD])
		return a->in[PLAN_NEW] ? "kept" : "lost";
	return a->in[PLAN_NEW] ? "added" : "aside";
}

size_t plan_common_anchors(const struct plan_model *m, enum plan_list_id a, enum plan_list_id b)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nanchors; i++)
		n += m->anchors[i].in[a] && m->anchors[i].in[b];
	return n;
}

/* Different keys: one that is there under two spellings is one anchor. */
size_t plan_anchor_keys(const struct plan_model *m, enum plan_list_id id)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nanchors; i++) {
		bool seen = !m->anchors[i].in[id];

		for (size_t j = 0; j < i && !seen; j++)
			seen = m->anchors[j].in[id] &&
			       span_eq(m->anchors[i].key, m->anchors[j].key);
		n += !seen;
	}
	return n;
}

bool plan_has_signer(const struct plan_model *m, enum plan_list_id holder, enum plan_list_id of)
{
	const struct tlv_header *h = &m->facts[of].list->header;

	for (size_t i = 0; i < m->nanchors; i++)
		if (m->anchors[i].in[holder] &&
		    tlv_header_names(h, m->anchors[i].serial, m->anchors[i].issuer))
			return true;
	return false;
}

static struct span key_for(const struct plan_model *m, enum plan_list_id offered)
{
	if (offered == PLAN_BRIDGE)
		return m->in.bridge_key;
	return offered == PLAN_NEW || offered == PLAN_WAY_BACK ? m->in.new_key : SPAN_NONE;
}

/* The name that it is published under; NULL: any. */
static const char *name_of(const struct plan_model *m, enum plan_list_id offered)
{
	switch (offered) {
	case PLAN_OLD:
		return m->in.old_name;
	case PLAN_NEW:
		return m->in.new_name;
	case PLAN_BRIDGE:
		return m->in.bridge_name;
	case PLAN_WAY_BACK:
		return m->in.way_back_name;
	default:
		return NULL;
	}
}

static struct acceptance judge(const struct plan_model *m, const struct plan_verdict *v)
{
	const struct tlv_list *holds = v->holds == PLAN_NOTHING ? NULL : m->facts[v->holds].list;
	const struct tlv_list *offered = m->facts[v->offered].list;
	struct span key = key_for(m, v->offered);
	struct phone p = m->in.tvs;

	p.asked = name_of(m, v->offered);
	p.ctl = m->itl ? NULL : holds;
	p.itl = m->itl ? holds : NULL;
	p.no_lists = holds == NULL;
	p.no_tvs = v->phones == LOCKOUT_NO_SBD;
	return key.n > 0 ? accept_foresee(&p, offered, key) : accept_decide(&p, offered);
}

static void note_assumptions(struct plan_model *m)
{
	unsigned all = 0;

	for (size_t i = 0; i < m->nverdicts; i++)
		if (accept_row(m->verdicts[i].a.reason)->accepted)
			all |= m->verdicts[i].a.assumptions;
	plan_say(&m->assumptions, PLAN_LINE_TEXT, "phones-hold-old",
		 "phones that are said to hold a list hold exactly that one");
	if ((all & ACCEPT_ASSUMES_ITL) != 0)
		plan_say(
			&m->assumptions, PLAN_LINE_TEXT, "itl-has-tvs-record",
			"the ITL of phones with Security by Default has a TVS record, and TVS answers");
	if ((all & ACCEPT_ASSUMES_CTL) != 0)
		plan_say(&m->assumptions, PLAN_LINE_TEXT, "tvs-serves-new-list",
			 "the TVS node serves the list that is offered when phones ask it");
	if (m->in.tvs.vouched != NULL && m->in.tvs.vouched->n > 0)
		plan_say(&m->assumptions, PLAN_LINE_TEXT, "sast-trust",
			 "TVS holds the %zu certificates that this plan was given for it",
			 m->in.tvs.vouched->n);
}

void plan_note_verdicts(struct plan_model *m)
{
	static const struct {
		enum plan_list_id holds, offered;
	} asked[] = {
		{ PLAN_OLD, PLAN_BRIDGE },   { PLAN_BRIDGE, PLAN_NEW }, { PLAN_OLD, PLAN_NEW },
		{ PLAN_NOTHING, PLAN_NEW },  { PLAN_NEW, PLAN_OLD },	{ PLAN_NEW, PLAN_WAY_BACK },
		{ PLAN_OLD, PLAN_WAY_BACK },
	};
	bool bridged = m->facts[PLAN_BRIDGE].list != NULL;

	for (size_t i = 0; i < COUNT(asked); i++)
		for (int c = 0; c < LOCKOUT_CLASSES; c++) {
			struct plan_verdict *v = &m->verdicts[m->nverdicts];
			bool back = asked[i].holds == PLAN_NEW || asked[i].offered == PLAN_WAY_BACK;
			bool missed = asked[i].holds == PLAN_OLD && asked[i].offered == PLAN_NEW &&
				      bridged;

			if (asked[i].holds != PLAN_NOTHING && m->facts[asked[i].holds].list == NULL)
				continue;
			if (m->facts[asked[i].offered].list == NULL)
				continue;
			*v = (struct plan_verdict){ .holds = asked[i].holds,
						    .offered = asked[i].offered,
						    .phones = (enum lockout_class)c,
						    .counts = !back && !missed };
			v->a = judge(m, v);
			m->refuses[c] |= v->counts && !accept_row(v->a.reason)->accepted;
			m->nverdicts++;
		}
	note_assumptions(m);
}

const struct plan_verdict *plan_verdict(const struct plan_model *m, enum plan_list_id holds,
					enum plan_list_id offered, enum lockout_class phones)
{
	for (size_t i = 0; i < m->nverdicts; i++) {
		const struct plan_verdict *v = &m->verdicts[i];

		if (v->holds == holds && v->offered == offered && v->phones == phones)
			return v;
	}
	return NULL;
}

void plan_put_verdict(struct buf *b, const struct plan_verdict *v)
{
	buf_printf(b, "%s %s: ", accept_row(v->a.reason)->accepted ? "take" : "REFUSE",
		   plan_list_text(v->offered));
	accept_reason_text(&v->a, b);
}

bool plan_is_two_phase(const struct plan_model *m)
{
	return (m->extras & PLAN_EXTRA_TWO_PHASE) != 0 && m->facts[PLAN_BRIDGE].list == NULL &&
	       !m->facts[PLAN_NEW].token_signs;
}

void plan_put_summary(struct buf *b, const struct plan_model *m)
{
	bool sbd = m->refuses[LOCKOUT_SBD], plain = m->refuses[LOCKOUT_NO_SBD];

	if (m->diff.same)
		buf_str(b, "nothing to do: both lists are the same, byte for byte");
	else if ((sbd || plain) && plan_is_two_phase(m))
		buf_str(b, "REFUSED, if published at once: ITLRecovery is renewed in two phases");
	else if (sbd && plain)
		buf_str(b, "REFUSED: no phone that holds the old list takes this way");
	else if (sbd || plain)
		buf_printf(b, "REFUSED by %s",
			   lockout_class_text(sbd ? LOCKOUT_SBD : LOCKOUT_NO_SBD));
	else
		buf_printf(b, "every class of phone takes the new list%s",
			   m->facts[PLAN_BRIDGE].list != NULL ? ", by way of the bridge" : "");
}

static bool any(const struct plan_model *m, enum plan_kind k, enum plan_event v)
{
	return m->counts[k][v] > 0;
}

static void warn_anchors(struct plan_model *m)
{
	size_t had = plan_anchor_keys(m, PLAN_OLD), has = plan_anchor_keys(m, PLAN_NEW);
	bool bridged = m->facts[PLAN_BRIDGE].list != NULL;

	if (had > 0 && plan_common_anchors(m, PLAN_OLD, PLAN_NEW) == 0)
		plan_say(&m->warnings, PLAN_LINE_DANGER, "anchors-change",
			 "%s: phones that have not updated will be locked out%s",
			 had > 1 ? "both anchors change" : "the only anchor changes",
			 bridged ? ": let every phone take the bridge before the new list" :
				   ", but for those to whom TVS vouches for the signer");
	if (has < 2)
		plan_say(&m->warnings, PLAN_LINE_WARNING, "lone-sast",
			 "the new list has %s: two independent ones are the recovery design",
			 has == 0 ? "no anchor (SAST key) at all" : "one anchor (SAST key) only");
	for (size_t i = 0; i < m->nanchors; i++)
		if (m->anchors[i].respelled && m->anchors[i].in[PLAN_NEW])
			plan_say(
				&m->warnings, PLAN_LINE_WARNING, "anchor-respelled",
				"%s is in both lists under other spellings: phones compare bytes, so it is no common anchor",
				buf_cstr(&m->anchors[i].name));
	if (any(m, PLAN_KIND_CALLMANAGER, PLAN_EVENT_RENEWED) &&
	    (any(m, PLAN_KIND_TVS, PLAN_EVENT_RENEWED) ||
	     any(m, PLAN_KIND_ITLRECOVERY, PLAN_EVENT_RENEWED)))
		plan_say(
			&m->warnings, PLAN_LINE_DANGER, "renewed-in-one-go",
			"CallManager and %s are renewed in one go: no anchor may be left; renew one, let every phone take that list, then the other",
			any(m, PLAN_KIND_TVS, PLAN_EVENT_RENEWED) ? "TVS" : "ITLRecovery");
}

/* Signed by a key that a node of the list has as its own: TVS knows it, the folder does not show it. */
static void warn_own_certificate(struct plan_model *m)
{
	const struct plan_verdict *v = plan_verdict(m, PLAN_OLD, PLAN_NEW, LOCKOUT_SBD);
	const struct tlv_list *l = m->in.new_list;

	if (m->facts[PLAN_BRIDGE].list != NULL ||
	    (v->a.reason != ACCEPT_SIGNER_UNKNOWN && v->a.reason != ACCEPT_SIGNER_NOT_SAST))
		return;
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (tlv_record_is_tftp(&r) && tlv_record_signs(&r, &l->header)) {
			plan_say(
				&m->warnings, PLAN_LINE_NOTE, "own-certificate",
				"the signer is a node's own CallManager certificate, which TVS knows without upload: put it into the folder of --sast-trust to count on that");
			return;
		}
	}
}

static void warn_header(struct plan_model *m)
{
	const struct tlv_header *a = &m->in.old_list->header, *b = &m->in.new_list->header;
	struct plan_lines *w = &m->warnings;

	if (m->diff.timestamp_backwards)
		plan_say(w, PLAN_LINE_WARNING, "older-timestamp",
			 "the new list's time %s is before the old one's, %s",
			 m->facts[PLAN_NEW].time, m->facts[PLAN_OLD].time);
	if (b->digest < a->digest)
		plan_say(w, PLAN_LINE_WARNING, "weaker-digest", "the digest is weaker: %s after %s",
			 m->facts[PLAN_NEW].digest, m->facts[PLAN_OLD].digest);
	if (m->in.new_list->bytes.n > TLV_PHONE_LIMIT)
		plan_say(w, PLAN_LINE_DANGER, "too-large",
			 "the new list has %zu bytes: phones do not load more than %d",
			 m->in.new_list->bytes.n, TLV_PHONE_LIMIT);
	if (!span_eq(a->filename, b->filename))
		plan_say(
			w, PLAN_LINE_WARNING, "other-filename",
			"the name inside the list changes: phones ask for CTLFile.tlv or ITLFile.tlv");
}

static bool has_filled_tftp(const struct tlv_list *l)
{
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (tlv_record_is_tftp(&r) && (r.certificate.n > 0 || r.hash.n > 0))
			return true;
	}
	return false;
}

/* What the release's own lists would hold. */
static void warn_release(struct plan_model *m)
{
	const struct release *rel = m->in.release;
	struct release since;
	size_t tokens = 0, recovery = 0, others = 0;

	for (size_t i = 0; i < m->in.new_list->nrecords; i++) {
		struct tlv_record r = tlv_list_record(m->in.new_list, i);
		enum plan_kind k = plan_kind_of(&r);

		tokens += k == PLAN_KIND_TOKEN;
		recovery += k == PLAN_KIND_ITLRECOVERY;
		others += k == PLAN_KIND_ANCHOR;
	}
	if (tokens == 1)
		plan_say(&m->warnings, PLAN_LINE_WARNING, "one-token",
			 "one token only: when it is lost, nobody can sign for it");
	if (rel == NULL || m->itl || release_parse("12.0", &since, NULL) != ST_OK)
		return;
	if (tokens > 0 && !rel->tokens)
		plan_say(&m->warnings, PLAN_LINE_WARNING, "tokens-not-driven",
			 "CUCM %s itself no longer drives tokens", rel->name);
	if (recovery == 0 && rel->version >= since.version)
		plan_say(
			&m->warnings, PLAN_LINE_DANGER, "itlrecovery-missing",
			"ITLRecovery is no anchor of the new list: CUCM signs with it from 12.0 on");
	else if (tokens > 0 && rel->token_anchors && (recovery == 0 || others == 0))
		plan_say(
			&m->warnings, PLAN_LINE_WARNING, "token-anchors-missing",
			"a list of CUCM %s with tokens has ITLRecovery and CallManager as SAST too",
			rel->name);
}

static void warn_cluster(struct plan_model *m)
{
	struct plan_lines *w = &m->warnings;

	if (has_filled_tftp(m->in.old_list) && !has_filled_tftp(m->in.new_list))
		plan_say(
			w, PLAN_LINE_WARNING, "unsigned-configuration",
			"no TFTP certificate is left in the list: phones will ask for unsigned configuration files");
	if (m->in.release == NULL)
		plan_say(w, PLAN_LINE_NOTE, "release-unknown",
			 "the CUCM release is not known: what its own lists hold was not compared");
	if (!m->itl)
		plan_say(
			w, PLAN_LINE_NOTE, "overwritten",
			"'utils ctl ...' and a refresh upgrade write CUCM's own list over one that was made outside: compare the checksum after each");
}

static void warn_dates(struct plan_model *m)
{
	char when[32];

	for (size_t i = 0; i < m->nrecords; i++) {
		struct plan_record *r = &m->records[i];
		const char *fault = NULL;
		int64_t at = r->not_after;

		if (r->has_dates && r->not_after < m->in.now)
			fault = "expired on";
		else if (r->has_dates && r->not_after - m->in.now < EXPIRES_SOON)
			fault = "expires on";
		else if (r->has_dates && r->not_before > m->in.now)
			fault = "is not valid before";
		if (fault == NULL)
			continue;
		time_iso(r->not_before > m->in.now ? r->not_before : at, when);
		plan_say(
			&m->warnings, PLAN_LINE_WARNING,
			r->not_after < m->in.now ? "expired" : "expiring",
			"record %zu, %s %s: the certificate %s %s (no source says that phones look; CUCM signs lists with expired ones too)",
			r->number, buf_cstr(&r->role_text), buf_cstr(&r->subject), fault, when);
	}
}

/* Errors of verify; what is warned of above, and a signature that is still to come, apart. */
static enum status warn_findings(struct plan_model *m, struct tlv_err *e)
{
	const struct trust self = { .self = true };
	const struct verify_ask ask = { .trust = &self,
					.now = m->in.now,
					.served = m->in.new_name,
					.unsigned_yet = !m->facts[PLAN_NEW].is_signed };
	struct verification v;
	enum status st = verify_list(&v, m->in.new_list, &ask, e);

	for (size_t i = 0; st == ST_OK && i < v.findings.n; i++) {
		const struct tlv_finding *f = &v.findings.v[i];
		bool wanted = f->error || f->code == TLV_FIND_FUTURE;

		if (!wanted)
			continue;
		if (f->record > 0)
			plan_say(&m->warnings, PLAN_LINE_DANGER, tlv_finding_text(f->code),
				 "the new list, record %zu: %s", f->record, f->text);
		else
			plan_say(&m->warnings, PLAN_LINE_DANGER, tlv_finding_text(f->code),
				 "the new list: %s", f->text);
	}
	verification_free(&v);
	return st;
}

static void warn_old(struct plan_model *m)
{
	long signer;

	if (!signature_is_own(m->in.old_list, &signer))
		plan_say(
			&m->warnings, PLAN_LINE_DANGER, "old-bad-signature",
			"the old list's own signature does not verify: it is not what phones took from CUCM");
}

enum status plan_note_warnings(struct plan_model *m, struct tlv_err *e)
{
	warn_anchors(m);
	warn_own_certificate(m);
	warn_header(m);
	warn_old(m);
	warn_release(m);
	warn_cluster(m);
	warn_dates(m);
	return warn_findings(m, e);
}
