/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "signer/plan/plan_model.h"
#include "signer/trust/own.h"
#include "tlv/label.h"

/* The key; of a printed list, which has none, the certificate tells keys apart. */
static struct span key_of(const struct tlv_list *l, const struct tlv_record *r)
{
	return l->printed ? r->certificate : r->public_key;
}

static struct plan_anchor *find_anchor(struct plan_model *m, const struct tlv_record *r,
				       struct span key)
{
	for (size_t i = 0; i < m->nanchors; i++) {
		struct plan_anchor *a = &m->anchors[i];

		if (span_eq(a->key, key) && span_eq(a->serial, r->serial) &&
		    span_eq(a->issuer, r->issuer))
			return a;
	}
	return NULL;
}

/* Renewed certificates have the name of the old ones: the serial number tells them apart. */
static void put_anchor_name(struct buf *b, const struct tlv_record *r)
{
	static const char *const roles[PLAN_KINDS] = {
		[PLAN_KIND_TOKEN] = "token ",
		[PLAN_KIND_ITLRECOVERY] = "ITLRecovery ",
		[PLAN_KIND_ANCHOR] = "CallManager ",
	};

	buf_str(b, roles[plan_kind_of(r)]);
	tlv_label_record(b, r);
	buf_str(b, ", serial ");
	tlv_label_serial(b, r->serial);
}

static void note_anchor(struct plan_model *m, const struct tlv_record *r, enum plan_list_id id)
{
	struct span key = key_of(m->facts[id].list, r);
	struct plan_anchor *a = find_anchor(m, r, key);

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
		*a = (struct plan_anchor){ .kind = plan_kind_of(r),
					   .serial = r->serial,
					   .issuer = r->issuer,
					   .key = key,
					   .certificate = r->certificate };
		put_anchor_name(&a->name, r);
		m->failed |= a->name.failed != ST_OK;
	}
	a->reissued |= !span_eq(a->certificate, r->certificate);
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

struct span plan_assumed_key(const struct tlv_list *l)
{
	long signer = l->stand_in && !l->known_bad ? tlv_list_signer(l) : TLV_SIGNER_NONE;

	return signer >= 0 ? tlv_list_record(l, (size_t)signer).public_key : SPAN_NONE;
}

static struct span key_for(const struct plan_model *m, enum plan_list_id offered)
{
	if (offered == PLAN_BRIDGE)
		return m->in.bridge_key;
	if (offered == PLAN_OLD)
		return plan_assumed_key(m->in.old_list);
	return offered == PLAN_NEW || offered == PLAN_WAY_BACK ? m->in.new_key : SPAN_NONE;
}

static struct acceptance judge(const struct plan_model *m, const struct plan_verdict *v)
{
	const struct tlv_list *holds = v->holds == PLAN_NOTHING ? NULL : m->facts[v->holds].list;
	const struct tlv_list *offered = m->facts[v->offered].list;
	struct span key = key_for(m, v->offered);
	struct phone p = m->in.tvs;

	p.ctl = m->itl ? NULL : holds;
	p.itl = m->itl ? holds : NULL;
	p.no_lists = holds == NULL;
	p.release = m->in.release;
	p.foreign = m->foreign;
	p.goes_back = v->holds == PLAN_NEW && v->offered == PLAN_OLD;
	p.no_tvs = v->phones == LOCKOUT_NO_SBD;
	p.tvs_restarts = true; /* a step of the plan, which stands before the reset */
	/* It was asked about the new list's signer, and today. */
	if (v->offered != PLAN_NEW) {
		p.heard = NULL;
		p.tvs_now = NULL;
	}
	return key.n > 0 ? accept_foresee(&p, offered, key) : accept_decide(&p, offered);
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

	m->foreign = own_is_foreign(m->in.old_list, m->in.new_list);
	for (size_t i = 0; i < COUNT(asked); i++)
		for (int c = 0; c < LOCKOUT_CLASSES; c++) {
			struct plan_verdict *v = &m->verdicts[m->nverdicts];
			bool back = asked[i].holds == PLAN_NEW || asked[i].offered == PLAN_WAY_BACK;
			bool missed = asked[i].holds == PLAN_OLD && asked[i].offered == PLAN_NEW &&
				      bridged;

			/* [SBD_IS_ITL] */
			if (m->itl && c == LOCKOUT_NO_SBD)
				continue;
			if (asked[i].holds != PLAN_NOTHING && m->facts[asked[i].holds].list == NULL)
				continue;
			if (m->facts[asked[i].offered].list == NULL)
				continue;
			*v = (struct plan_verdict){ .holds = asked[i].holds,
						    .offered = asked[i].offered,
						    .phones = (enum lockout_class)c,
						    .counts = !back && !missed };
			v->a = judge(m, v);
			m->refuses[c] |= v->counts && !plan_accepts(v);
			m->nverdicts++;
		}
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

bool plan_accepts(const struct plan_verdict *v)
{
	return accept_row(v->a.reason)->accepted;
}

bool plan_missed_bridge(const struct plan_verdict *v)
{
	return !v->counts && v->holds == PLAN_OLD && v->offered == PLAN_NEW;
}

/* That phones without Security by Default have no TVS to ask is said of them already. */
static const char *why_not_tvs(const struct plan_verdict *v, enum fact_id *fact)
{
	return v->phones == LOCKOUT_NO_SBD ? NULL : accept_tvs_why(&v->a, fact);
}

/* "Phones with Security by Default that hold the old list take the new list: the signer is …" */
void plan_put_verdict(struct buf *b, const struct plan_verdict *v)
{
	enum fact_id fact;
	const char *why = why_not_tvs(v, &fact);

	buf_printf(b, "%s Security by Default that %s %s %s %s: %s%s%s.",
		   v->phones == LOCKOUT_SBD ? "Phones with" : "Phones without",
		   v->holds == PLAN_NOTHING ? "have" : "hold", plan_list_text(v->holds),
		   plan_accepts(v) ? "take" : "REFUSE", plan_list_text(v->offered),
		   accept_row(v->a.reason)->explanation, why != NULL ? "; " : "",
		   why != NULL ? why : "");
}

size_t plan_verdict_facts(const struct plan_verdict *v, unsigned facts[PLAN_FACTS_MAX])
{
	enum fact_id fact;
	size_t n = 0;

	facts[n++] = accept_row(v->a.reason)->fact;
	if (why_not_tvs(v, &fact) != NULL)
		facts[n++] = fact;
	return n;
}

/* [OWN_GONE]: an old certificate that was kept as SAST has no key any more. */
static bool is_todays(const struct plan_model *m, const struct plan_anchor *a)
{
	return tlv_list_is_non_secure(m->in.new_list) ||
	       tlv_certs_have(&m->new_servers, a->certificate);
}

bool plan_shares_callmanager(const struct plan_model *m)
{
	for (size_t i = 0; i < m->nanchors; i++) {
		const struct plan_anchor *a = &m->anchors[i];

		if (a->kind == PLAN_KIND_ANCHOR && a->in[PLAN_OLD] && a->in[PLAN_NEW] &&
		    !a->reissued && is_todays(m, a))
			return true;
	}
	return false;
}
