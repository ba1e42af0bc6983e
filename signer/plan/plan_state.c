/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/plan_model.h"

#define W(name) (UINT64_C(1) << PLAN_WHEN_##name)

static bool happened(const struct plan_model *m, enum plan_kind k, enum plan_event v)
{
	return m->counts[k][v] > 0;
}

bool plan_recovery_signs(const struct plan_model *m)
{
	const struct plan_facts *f = &m->facts[PLAN_NEW];
	struct tlv_record r;

	if (m->in.release != NULL)
		return m->in.release->signer == RELEASE_ITLRECOVERY;
	if (f->signs < 0)
		return false;
	r = tlv_list_record(f->list, (size_t)f->signs);
	return plan_kind_of(&r) == PLAN_KIND_ITLRECOVERY;
}

static bool is_mixed(const struct plan_model *m)
{
	return !m->itl || m->in.mode != PLAN_MODE_NOT_MIXED;
}

/* In mixed mode the first phase is that of the CTL, so the ITL alone has none. */
bool plan_is_two_phase(const struct plan_model *m)
{
	return !(m->itl && is_mixed(m)) && happened(m, PLAN_KIND_ITLRECOVERY, PLAN_EVENT_RENEWED) &&
	       plan_recovery_signs(m) && m->facts[PLAN_BRIDGE].list == NULL &&
	       !m->facts[PLAN_NEW].token_signs;
}

bool plan_phases_help(const struct plan_model *m)
{
	return !m->itl && plan_is_two_phase(m) && plan_shares_callmanager(m);
}

static bool changes_mode(const struct plan_model *m)
{
	return happened(m, PLAN_KIND_CALLMANAGER, PLAN_EVENT_EMPTIED) ||
	       happened(m, PLAN_KIND_CALLMANAGER, PLAN_EVENT_REFILLED);
}

/*
 * The key that signs after 'reset localkey', as CUCM's other anchor. Before 12.0 it signs ITLs
 * alone: the command for the CTL comes with ITLRecovery as its signer.
 */
static bool is_spare(const struct plan_model *m, enum plan_kind k)
{
	const struct release *r = m->in.release;

	if (r == NULL || changes_mode(m))
		return false;
	if (plan_recovery_signs(m))
		return k == PLAN_KIND_ANCHOR;
	return m->itl && r->tokenless && k == PLAN_KIND_ITLRECOVERY;
}

/* Before 10.0 CUCM signs ITLs alone, and has no 'utils ctl'. */
static bool has_tokenless(const struct plan_model *m)
{
	return m->itl || m->in.release == NULL || m->in.release->tokenless;
}

/* That of the release's own lists, or of 'reset localkey'. */
static bool has_signer(const struct plan_model *m, bool spare)
{
	const struct plan_facts *f = &m->facts[PLAN_NEW];
	struct tlv_record r;
	enum plan_kind k;

	if (f->signs < 0 || !has_tokenless(m))
		return false;
	r = tlv_list_record(f->list, (size_t)f->signs);
	k = plan_kind_of(&r);
	if (spare)
		return is_spare(m, k);
	return k == (plan_recovery_signs(m) ? PLAN_KIND_ITLRECOVERY : PLAN_KIND_ANCHOR);
}

bool plan_cucm_writes(const struct plan_model *m)
{
	const struct plan_facts *f = &m->facts[PLAN_NEW];

	if (plan_is_two_phase(m))
		return true;
	return (f->is_signed || m->in.foreseen) && m->facts[PLAN_BRIDGE].list == NULL &&
	       tlv_list_dialect(f->list).style == TLV_STYLE_CUCM && m->own_records &&
	       (has_signer(m, false) || has_signer(m, true));
}

/* Whether each class that holds the new list takes this one. */
static bool takes_back(const struct plan_model *m, enum plan_list_id offered)
{
	for (int c = 0; c < LOCKOUT_CLASSES; c++) {
		const struct plan_verdict *v =
			plan_verdict(m, PLAN_NEW, offered, (enum lockout_class)c);

		if (v == NULL ? c == LOCKOUT_SBD || !m->itl : !plan_accepts(v))
			return false;
	}
	return true;
}

static size_t count_kind(const struct tlv_list *l, enum plan_kind k)
{
	size_t n = 0;

	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		n += plan_kind_of(&r) == k;
	}
	return n;
}

static uint64_t either(bool yes, uint64_t then, uint64_t otherwise)
{
	return yes ? then : otherwise;
}

static uint64_t state_of_renewals(const struct plan_model *m)
{
	static const struct {
		enum plan_kind kind;
		uint64_t bit;
	} kinds[] = {
		{ PLAN_KIND_CAPF, W(CAPF_RENEWED) },
		{ PLAN_KIND_CALLMANAGER, W(CALLMANAGER_RENEWED) },
		{ PLAN_KIND_ECDSA, W(ECDSA_RENEWED) },
		{ PLAN_KIND_ITLRECOVERY, W(ITLRECOVERY_RENEWED) },
		{ PLAN_KIND_TVS, W(TVS_RENEWED) },
	};
	uint64_t s = 0;

	for (size_t i = 0; i < COUNT(kinds); i++)
		s |= either(happened(m, kinds[i].kind, PLAN_EVENT_RENEWED), kinds[i].bit, 0);
	s |= either(s != 0, W(RENEWED), W(NOT_RENEWED));
	return s | either((s & W(ITLRECOVERY_RENEWED)) != 0, 0, W(ITLRECOVERY_KEPT));
}

/* Of a printed list the texts alone are known. */
static bool is_self_signed(const struct tlv_record *r)
{
	struct tlv_cert c;

	if (tlv_cert_walk(r->certificate, &c, NULL) == ST_OK)
		return span_eq(c.subject, c.issuer);
	return span_eq(r->subject, r->issuer);
}

static bool is_regenerated(enum plan_kind k)
{
	return k == PLAN_KIND_CAPF || k == PLAN_KIND_CALLMANAGER || k == PLAN_KIND_ANCHOR ||
	       k == PLAN_KIND_ECDSA || k == PLAN_KIND_TVS || k == PLAN_KIND_ITLRECOVERY;
}

/* [CA_SIGNED] */
static uint64_t state_of_issuers(const struct plan_model *m)
{
	uint64_t s = 0;

	for (size_t i = 0; i < m->diff.n; i++) {
		struct tlv_record r;

		if (m->diff.v[i].kind != DIFF_RENEWED)
			continue;
		r = tlv_list_record(m->in.new_list, m->diff.v[i].new);
		if (is_regenerated(plan_kind_of(&r)))
			s |= either(is_self_signed(&r), W(SELF_SIGNED), W(CA_SIGNED));
	}
	return s;
}

static uint64_t state_of_mode(const struct plan_model *m)
{
	if (happened(m, PLAN_KIND_CALLMANAGER, PLAN_EVENT_EMPTIED))
		return W(TO_NON_SECURE);
	return either(happened(m, PLAN_KIND_CALLMANAGER, PLAN_EVENT_REFILLED), W(TO_MIXED),
		      W(SAME_MODE));
}

/* [LOST_TRUST]. No source says that the command for the CTL helps if tokens sign. */
static uint64_t state_of_cluster(const struct plan_model *m)
{
	bool resets = m->itl ? m->in.mode == PLAN_MODE_TOKENLESS : !m->facts[PLAN_NEW].token_signs;

	return either(is_mixed(m), 0, W(NOT_MIXED)) | either(resets, W(RESETS_CTL), 0);
}

/* [MUST_BE_LISTED]. A list that is given was made already, and its style does not say by whom. */
static bool client_writes(const struct plan_model *m)
{
	return m->in.foreseen && m->facts[PLAN_NEW].token_signs;
}

/* Who writes the new list, and by which command. */
static uint64_t state_of_writer(const struct plan_model *m)
{
	bool cucm = plan_cucm_writes(m), two = plan_is_two_phase(m);
	bool spare = cucm && has_signer(m, true), reset = spare && !two;
	uint64_t s = either(cucm, W(CUCM_WRITES),
			    either(client_writes(m), W(CLIENT_WRITES), W(OUTSIDE)));

	s |= either(has_tokenless(m), W(HAS_TOKENLESS), 0);
	s |= either(m->facts[PLAN_OLD].token_signs && !m->facts[PLAN_NEW].token_signs,
		    W(TOKEN_SIGNED), W(SIGNED_ALIKE));
	s |= either(m->own_records, W(OWN_RECORDS), W(MORE_RECORDS)) |
	     either(spare, W(SPARE_SIGNS), 0);
	s |= either(reset, W(RESET_WRITES), W(USUALLY_WRITTEN));
	s |= either(two, W(TWO_PHASES), 0) | either(two && spare, 0, W(NEW_COMES_LAST));
	return s | either(m->itl && (reset || (s & W(OUTSIDE)) != 0), 0, W(TFTP_WRITES));
}

static uint64_t state_of_release(const struct plan_model *m)
{
	const struct release *r = m->in.release;
	bool one = r == NULL || release_has_one_itlrecovery(r);

	return either(plan_recovery_signs(m), W(RECOVERY_SIGNS), W(CALLMANAGER_SIGNS)) |
	       either(r != NULL && r->tokenless, W(HAS_ITLRECOVERY), 0) |
	       either(one, W(ONE_ITLRECOVERY), W(EACH_ITLRECOVERY)) |
	       either(r == NULL || r->ctl_client, W(CLIENT_SUPPORTED), W(CLIENT_GONE));
}

static uint64_t state_of_tokens(const struct plan_model *m)
{
	uint64_t s = either(happened(m, PLAN_KIND_TOKEN, PLAN_EVENT_ADDED), W(TOKENS_COME), 0);

	if (happened(m, PLAN_KIND_TOKEN, PLAN_EVENT_REMOVED))
		s |= W(TOKENS_GO) | either(count_kind(m->in.new_list, PLAN_KIND_TOKEN) > 0,
					   W(TOKENS_STAY), W(NO_TOKENS_STAY));
	return s;
}

/* Once the new list is out, phones take back only what one of its own anchors signs. */
static uint64_t state_of_return(const struct plan_model *m)
{
	bool has = m->facts[PLAN_WAY_BACK].list != NULL, back = takes_back(m, PLAN_OLD);
	bool wants = !has && !back && !m->itl && !plan_cucm_writes(m) &&
		     (state_of_renewals(m) & W(NOT_RENEWED)) != 0;

	return either(has, W(HAS_BACK), 0) | either(wants, W(WANTS_BACK), 0) |
	       either(back, W(OLD_COMES_BACK), W(OLD_STAYS_AWAY));
}

/* In two phases the list of the first one comes in between, which has the last one's signer. */
static bool class_refuses(const struct plan_model *m, const struct plan_stage *s,
			  enum lockout_class c)
{
	const struct plan_verdict *v = plan_verdict(m, s->holds, s->offers, c);

	if (m->in.foreseen)
		return m->in.foreseen_refuses[c];
	if (plan_phases_help(m))
		return false;
	return v != NULL && !plan_accepts(v) && v->a.reason != ACCEPT_TOO_LARGE;
}

static uint64_t state_of_stage(const struct plan_model *m, const struct plan_stage *s)
{
	const struct plan_facts *f = &m->facts[s->offers];
	uint64_t x = either(f->token_signs, W(TOKEN_SIGNS), W(NO_TOKEN_SIGNS));

	if (f->token_signs && !plan_has_signer(m, s->holds, s->offers))
		x |= W(STRANGE_TOKEN);
	x |= either(class_refuses(m, s, LOCKOUT_NO_SBD), W(PLAIN_REFUSES), W(PLAIN_TAKES));
	x |= either(class_refuses(m, s, LOCKOUT_SBD), W(SBD_REFUSES), 0);
	return x | either(s->more, W(MORE_COMES), 0);
}

bool plan_needs_upload(const struct plan_model *m, size_t i)
{
	struct tlv_record r = tlv_list_record(m->in.new_list, i);
	bool signs = (long)i == m->facts[PLAN_NEW].signs;
	enum plan_kind k = plan_kind_of(&r);

	if (r.role != TLV_ROLE_SAST || r.certificate.n == 0 || m->itl ||
	    (k != PLAN_KIND_TOKEN && (!signs || k == PLAN_KIND_ITLRECOVERY)))
		return false;
	return !tlv_certs_have(&m->old_anchors, r.certificate) &&
	       (k == PLAN_KIND_TOKEN || !tlv_certs_have(&m->new_servers, r.certificate));
}

static bool needs_uploads(const struct plan_model *m)
{
	size_t n = m->in.new_list->nrecords;

	for (size_t i = 0; i < n && i < PLAN_LABELS_TRIED; i++)
		if (plan_needs_upload(m, i))
			return true;
	return false;
}

uint64_t plan_state(const struct plan_model *m, const struct plan_stage *s)
{
	bool bridged = m->facts[PLAN_BRIDGE].list != NULL;

	return either(m->itl, W(ITL), W(CTL)) | either(m->in.foreseen, W(FORESEEN), W(GIVEN)) |
	       state_of_release(m) | state_of_writer(m) |
	       either(plan_shares_callmanager(m), W(SHARES_CALLMANAGER), W(NO_CALLMANAGER)) |
	       either(bridged, W(BRIDGED), W(NO_BRIDGE)) |
	       either(m->in.parameter == PLAN_PARAMETER_KEPT, W(PARAMETER_KEPT), 0) |
	       either(needs_uploads(m), W(NEEDS_UPLOAD), 0) | state_of_mode(m) |
	       state_of_cluster(m) | state_of_tokens(m) | state_of_renewals(m) |
	       state_of_issuers(m) | state_of_return(m) | state_of_stage(m, s);
}
