/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>

#include "signer/io/env.h"
#include "signer/list/heard.h"
#include "signer/plan/plan_model.h"
#include "tlv/kind.h"
#include "signer/trust/signature.h"
#include "signer/trust/verify.h"

/* The texts are in plan_warnings.def; here it is decided when they are true. */
static const struct {
	const char *code;
	enum plan_line_kind kind;
	const char *text;
	unsigned fact;
} rows[] = {
#define PLAN_WARNING(NAME, code, kind, text, fact) { code, PLAN_LINE_##kind, text, FACT_##fact },
#include "signer/plan/plan_warnings.def"
#undef PLAN_WARNING
};

enum {
	EXPIRES_SOON = 90 * 86400, /* seconds: a change is not planned in a week */
	SAST_READ = 2		   /* records that phones are said to look at */
};

/* The words, for {1} and {2}, are shown as they are: names in them are escaped already. */
static void say(struct plan_lines *l, enum plan_warning w, const char *one, const char *two)
{
	const struct plan_word words[] = { { "1", span_str(one) }, { "2", span_str(two) } };

	plan_expand(plan_fact_line(l, rows[w].kind, rows[w].code, rows[w].fact), rows[w].text,
		    words, COUNT(words));
}

static void warn(struct plan_model *m, enum plan_warning w)
{
	say(&m->warnings, w, "", "");
}

static void warn_number(struct plan_model *m, enum plan_warning w, size_t one, size_t two)
{
	char a[24], b[24];

	(void)snprintf(a, sizeof a, "%zu", one);
	(void)snprintf(b, sizeof b, "%zu", two);
	say(&m->warnings, w, a, b);
}

static bool any(const struct plan_model *m, enum plan_kind k, enum plan_event v)
{
	return m->counts[k][v] > 0;
}

static bool renewed(const struct plan_model *m, enum plan_kind k)
{
	return any(m, k, PLAN_EVENT_RENEWED);
}

static void warn_anchors(struct plan_model *m)
{
	size_t had = plan_anchor_keys(m, PLAN_OLD), has = plan_anchor_keys(m, PLAN_NEW);
	bool bridged = m->facts[PLAN_BRIDGE].list != NULL;

	if (had > 0 && plan_common_anchors(m, PLAN_OLD, PLAN_NEW) == 0)
		warn(m, bridged ? PLAN_WARNING_ANCHORS_BRIDGED : PLAN_WARNING_ANCHORS_CHANGE);
	if (has < 2)
		warn(m, has == 0 ? PLAN_WARNING_NO_SAST : PLAN_WARNING_LONE_SAST);
	for (size_t i = 0; i < m->nanchors; i++)
		if (m->anchors[i].respelled && m->anchors[i].in[PLAN_NEW])
			say(&m->warnings, PLAN_WARNING_ANCHOR_RESPELLED,
			    buf_cstr(&m->anchors[i].name), "");
}

/* A key that phones know, and that is there still: the publisher's CallManager, or a token. */
static bool keeps_a_key(const struct plan_model *m)
{
	return plan_shares_callmanager(m) ||
	       (m->facts[PLAN_NEW].token_signs && plan_has_signer(m, PLAN_OLD, PLAN_NEW));
}

/* Renewed in one go, by how bad that is. */
static void warn_renewals(struct plan_model *m)
{
	bool callmanager = renewed(m, PLAN_KIND_CALLMANAGER), tvs = renewed(m, PLAN_KIND_TVS),
	     recovery = renewed(m, PLAN_KIND_ITLRECOVERY), capf = renewed(m, PLAN_KIND_CAPF);
	bool by_recovery = plan_recovery_signs(m);
	bool with_recovery = callmanager && recovery && !keeps_a_key(m);
	bool with_tvs = tvs && (by_recovery ? recovery : callmanager);

	if (with_tvs)
		say(&m->warnings, PLAN_WARNING_RENEWED_WITH_TVS,
		    by_recovery ? "ITLRecovery" : "CallManager", "");
	if (with_recovery)
		warn(m, PLAN_WARNING_RENEWED_WITH_ITLRECOVERY);
	if (!with_tvs && !with_recovery && callmanager + tvs + recovery + capf > 1)
		warn(m, PLAN_WARNING_RENEWED_TOGETHER);
}

static void warn_header(struct plan_model *m)
{
	const struct tlv_header *a = &m->in.old_list->header, *b = &m->in.new_list->header;
	const struct plan_facts *old = &m->facts[PLAN_OLD], *new = &m->facts[PLAN_NEW];

	if (m->diff.timestamp_backwards)
		say(&m->warnings, PLAN_WARNING_OLDER_TIMESTAMP, new->time, old->time);
	if (b->digest < a->digest)
		say(&m->warnings, PLAN_WARNING_WEAKER_DIGEST, new->digest, old->digest);
	if (b->digest == TLV_SHA512)
		warn(m, PLAN_WARNING_SHA512);
	if (m->in.new_list->bytes.n > TLV_PHONE_LIMIT)
		warn_number(m, PLAN_WARNING_TOO_LARGE, m->in.new_list->bytes.n, 0);
	if (!span_eq(a->filename, b->filename))
		warn(m, PLAN_WARNING_OTHER_FILENAME);
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

/* What the new list has of each kind, and the sizes of keys. */
struct tally {
	size_t tokens, recovery, others, sast;
	unsigned recovery_bits, server_bits; /* 0: none */
};

static struct tally count_records(const struct tlv_list *l)
{
	struct tally t = { .tokens = 0 };

	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);
		enum plan_kind k = plan_kind_of(&r);
		enum tlv_key_type type;
		unsigned bits = tlv_key_bits(r.public_key, &type);

		t.tokens += k == PLAN_KIND_TOKEN;
		t.recovery += k == PLAN_KIND_ITLRECOVERY;
		t.others += k == PLAN_KIND_ANCHOR;
		t.sast += r.role == TLV_ROLE_SAST;
		if (k == PLAN_KIND_ITLRECOVERY)
			t.recovery_bits = bits;
		else if (tlv_record_is_tftp(&r) && type == TLV_KEY_RSA && bits > t.server_bits)
			t.server_bits = bits;
	}
	return t;
}

static void warn_tokens(struct plan_model *m, const struct tally *t)
{
	const struct release *rel = m->in.release;

	if (t->tokens == 1)
		warn(m, PLAN_WARNING_ONE_TOKEN);
	if (t->tokens == 0 || rel == NULL)
		return;
	if (!rel->tokens)
		say(&m->warnings, PLAN_WARNING_TOKENS_NOT_DRIVEN, rel->name, "");
	else if (!rel->ctl_client)
		say(&m->warnings, PLAN_WARNING_TOKENS_UNSUPPORTED, rel->name, "");
}

/* What the release's own lists would hold. */
static void warn_release(struct plan_model *m)
{
	const struct release *rel = m->in.release;
	struct tally t = count_records(m->in.new_list);

	warn_tokens(m, &t);
	if (tlv_list_dialect(m->in.new_list).style == TLV_STYLE_RFC4514 && t.sast > SAST_READ)
		warn_number(m, PLAN_WARNING_MANY_SAST, t.sast, 0);
	if (t.recovery_bits > 0 && t.recovery_bits < 2048 && t.server_bits >= 2048)
		warn_number(m, PLAN_WARNING_SMALL_ITLRECOVERY, t.recovery_bits, t.server_bits);
	if (rel == NULL || m->itl)
		return;
	if (t.recovery == 0 && rel->signer == RELEASE_ITLRECOVERY)
		warn(m, PLAN_WARNING_ITLRECOVERY_MISSING);
	else if (t.tokens > 0 && rel->token_anchors && (t.recovery == 0 || t.others == 0))
		say(&m->warnings, PLAN_WARNING_TOKEN_ANCHORS_MISSING, rel->name, "");
}

static void warn_cluster(struct plan_model *m)
{
	if (has_filled_tftp(m->in.old_list) && !has_filled_tftp(m->in.new_list))
		warn(m, PLAN_WARNING_UNSIGNED_CONFIGURATION);
	if (m->foreign)
		warn(m, PLAN_WARNING_ANOTHER_CLUSTER);
	if (m->in.release == NULL)
		warn(m, PLAN_WARNING_RELEASE_UNKNOWN);
	if (!m->itl && !plan_cucm_writes(m))
		warn(m, PLAN_WARNING_OVERWRITTEN);
}

static void warn_date(struct plan_model *m, const struct plan_record *r, enum plan_warning w,
		      int64_t at)
{
	struct buf what = BUF_INIT;
	char when[32];

	time_iso(at, when);
	buf_printf(&what, "Record %zu, ", r->number);
	buf_put(&what, buf_span(&r->role_text));
	buf_u8(&what, ' ');
	buf_put(&what, buf_span(&r->subject));
	say(&m->warnings, w, buf_cstr(&what), when);
	m->failed |= what.failed != ST_OK;
	buf_free(&what);
}

static void warn_dates_of(struct plan_model *m, const struct plan_record *r)
{
	if (r->not_after < m->in.now)
		warn_date(m, r, PLAN_WARNING_EXPIRED, r->not_after);
	else if (r->not_before > m->in.now)
		warn_date(m, r, PLAN_WARNING_NOT_YET_VALID, r->not_before);
	else if (r->not_after - m->in.now < EXPIRES_SOON)
		warn_date(m, r, PLAN_WARNING_EXPIRING, r->not_after);
}

static void warn_dates(struct plan_model *m)
{
	for (size_t i = 0; i < m->nrecords; i++) {
		struct plan_record r = plan_record_at(m, i);

		if (r.has_dates)
			warn_dates_of(m, &r);
		plan_record_free(&r);
	}
}

/* Errors of verify, and a time in the future. */
static enum status warn_findings(struct plan_model *m, struct tlv_err *e)
{
	const struct trust self = { .self = true };
	const struct verify_ask ask = { .trust = &self,
					.now = m->in.now,
					.served = m->in.new_name,
					.unsigned_yet = !m->facts[PLAN_NEW].is_signed };
	struct verification v;
	enum status st;

	/* A printed list lacks the bytes that are looked at, as does what is foreseen of one. */
	if (m->in.new_list->printed || m->in.new_list->stand_in)
		return ST_OK;
	st = verify_list(&v, m->in.new_list, &ask, e);

	for (size_t i = 0; st == ST_OK && i < v.findings.n; i++) {
		const struct tlv_finding *f = &v.findings.v[i];
		bool wanted = f->error || f->code == TLV_FIND_FUTURE;

		if (!wanted)
			continue;
		if (f->record > 0)
			plan_say(&m->warnings, PLAN_LINE_DANGER, tlv_finding_text(f->code),
				 "The new list, record %zu: %s", f->record, f->text);
		else
			plan_say(&m->warnings, PLAN_LINE_DANGER, tlv_finding_text(f->code),
				 "The new list: %s", f->text);
	}
	verification_free(&v);
	return st;
}

static void warn_old(struct plan_model *m)
{
	bool text = m->in.old_list->printed || m->in.old_list->stand_in;
	long signer;

	if (text ? m->in.old_list->known_bad : !signature_is_own(m->in.old_list, &signer))
		warn(m, PLAN_WARNING_OLD_BAD_SIGNATURE);
}

/* Of printed lists it is the line that scripts look for, with what to do. */
static void put_sentence(struct buf *line, enum tvs_assumption which, struct span text)
{
	if (which == TVS_ASSUMES_SIGNATURE) {
		buf_put(line, text);
		buf_printf(line, ": %s.", accept_assumption(which)->how);
		return;
	}
	if (text.n > 0)
		buf_u8(line, (uint8_t)toupper(span_at(text, 0)));
	buf_put(line, span_slice(text, 1, text.n));
	buf_u8(line, '.');
}

/* As a sentence, from the first verdict that is good because of it. */
static void note_assumption(struct plan_model *m, enum tvs_assumption which)
{
	for (size_t i = 0; i < m->nverdicts; i++) {
		const struct acceptance *a = &m->verdicts[i].a;
		struct buf text = BUF_INIT, *line;

		if (!plan_accepts(&m->verdicts[i]) || (a->assumptions >> which & 1U) == 0)
			continue;
		accept_assumption_text(a, which, &text);
		line = plan_fact_line(&m->assumptions, PLAN_LINE_ASSUMED,
				      accept_assumption(which)->word,
				      accept_assumption(which)->fact);
		put_sentence(line, which, buf_span(&text));
		buf_free(&text);
		return;
	}
}

static void note_others(struct plan_model *m)
{
	for (size_t i = 0; i < m->nverdicts; i++) {
		const char *text = accept_others_text(&m->verdicts[i].a);

		if (text == NULL)
			continue;
		buf_str(plan_fact_line(&m->asked, PLAN_LINE_NOTE, NULL, FACT_ASKS_TVS), text);
		return;
	}
}

static void note_asked(struct plan_model *m)
{
	for (const struct tvs_heard *h = m->in.tvs.heard; h != NULL; h = h->next) {
		struct buf *line = plan_fact_line(&m->asked, PLAN_LINE_TEXT, NULL, FACT_ASKS_TVS);

		buf_str(line, "asked: ");
		accept_heard_text(h, line);
	}
	if (m->in.not_asked != NULL) {
		struct buf *line = plan_line(&m->asked, PLAN_LINE_NOTE, NULL);

		buf_str(line, "not asked: ");
		heard_put_hosts(m->in.not_asked, line);
		buf_str(line, ": no verdict hangs on what TVS says");
	}
	note_others(m);
}

static unsigned signer_fact(enum release_signer who, bool itl)
{
	if (who == RELEASE_NOBODY)
		return FACT_OWN;
	if (who == RELEASE_ITLRECOVERY)
		return itl ? FACT_ITL_BY_ITLRECOVERY : FACT_CTL_BY_ITLRECOVERY;
	return itl ? FACT_ITL_BY_CALLMANAGER : FACT_CTL_BY_CALLMANAGER;
}

void plan_say_unlike(struct plan_lines *l, const struct release *r, const struct tlv_list *unlike,
		     const char *which)
{
	static const char *const signers[] = { [RELEASE_NOBODY] = "a token alone",
					       [RELEASE_CALLMANAGER] = "CallManager",
					       [RELEASE_ITLRECOVERY] = "ITLRecovery" };
	enum release_signer who = release_signer_of(r, unlike);
	const struct plan_word words[] = { { "1", span_str(r->name) },
					   { "2", span_str(signers[who]) },
					   { "3", span_str(which) } };

	plan_expand(plan_fact_line(l, rows[PLAN_WARNING_RELEASE_UNLIKE].kind,
				   rows[PLAN_WARNING_RELEASE_UNLIKE].code,
				   signer_fact(who, tlv_list_is_itl(unlike))),
		    rows[PLAN_WARNING_RELEASE_UNLIKE].text, words, COUNT(words));
}

/* A mistyped release leads to commands of another one. */
static void note_release(struct plan_model *m)
{
	if (m->in.release != NULL && !m->in.foreseen &&
	    release_is_unlike(m->in.release, m->in.old_list))
		plan_say_unlike(&m->assumptions, m->in.release, m->in.old_list, "the old list");
}

static void note_assumptions(struct plan_model *m)
{
	struct plan_lines *l = &m->assumptions;
	char n[24];

	note_release(m);
	note_asked(m);
	say(l, PLAN_WARNING_PHONES_HOLD_OLD, "", "");
	for (int k = 0; k < TVS_ASSUMPTIONS; k++)
		note_assumption(m, (enum tvs_assumption)k);
	if (m->itl && !m->in.foreseen)
		say(l, PLAN_WARNING_NO_CTL, "", "");
	if (m->in.tvs.vouched == NULL || m->in.tvs.vouched->n == 0)
		return;
	(void)snprintf(n, sizeof n, "%zu", m->in.tvs.vouched->n);
	say(l, PLAN_WARNING_SAST_TRUST, n, "");
}

enum status plan_note_warnings(struct plan_model *m, struct tlv_err *e)
{
	warn_anchors(m);
	warn_renewals(m);
	warn_header(m);
	warn_old(m);
	warn_release(m);
	warn_cluster(m);
	warn_dates(m);
	note_assumptions(m);
	return warn_findings(m, e);
}
