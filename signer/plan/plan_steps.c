/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "signer/crypto/certset.h"
#include "signer/plan/plan_model.h"
#include "tlv/kind.h"

/* One list that phones take before the next one comes. */
struct stage {
	const char *word;	 /* in JSON */
	const char *prefix;	 /* of titles */
	enum plan_list_id holds; /* what phones hold before */
	enum plan_list_id offers;
	bool cucm_writes; /* a command writes the list, none of ours is put there */
	bool taken;	  /* … which phones without TVS take, too */
	const char *command;
	unsigned services;
	bool last;
};

static struct plan_step *add_step(struct plan_model *m, const struct stage *s, const char *code,
				  const char *title)
{
	struct plan_step *x = &m->spill;

	if (!ARRAY_ROOM(m->steps, m->nsteps, m->steps_cap)) {
		m->failed = true;
		return x;
	}
	x = &m->steps[m->nsteps++];
	*x = (struct plan_step){ .code = code, .stage = s != NULL ? s->word : NULL };
	buf_printf(&x->title, "%s%s", s != NULL ? s->prefix : "", title);
	return x;
}

static void say(struct plan_step *x, const char *text)
{
	plan_say(&x->lines, PLAN_LINE_TEXT, NULL, "%s", text);
}

static void note(struct plan_step *x, const char *text)
{
	plan_say(&x->lines, PLAN_LINE_NOTE, NULL, "%s", text);
}

static void command(struct plan_step *x, const char *text)
{
	plan_say(&x->lines, PLAN_LINE_COMMAND, NULL, "%s", text);
}

static void say_sums(struct plan_step *x, const struct plan_model *m, enum plan_list_id id)
{
	const struct plan_facts *f = &m->facts[id];

	if (!f->is_signed) {
		note(x, "the checksums are known once the list is signed");
		return;
	}
	plan_say(&x->lines, PLAN_LINE_SUM, "md5", "%s (MD5)", f->md5);
	plan_say(&x->lines, PLAN_LINE_SUM, "sha1", "%s (SHA1)", f->sha1);
}

static void check_old(struct plan_model *m)
{
	struct plan_step *x = add_step(m, NULL, "check-old", "Check that cluster and phones have ");

	buf_put(&x->title, buf_span(&m->facts[PLAN_OLD].name));
	command(x, m->itl ? "show itl" : "show ctl");
	say(x,
	    m->itl ?
		    "prints these on the TFTP node whose ITL it is, and a phone of each model that loads from there shows one of them:" :
		    "prints these on every TFTP node, and a phone of each model shows one of them:");
	say_sums(x, m, PLAN_OLD);
	say(x, "keep this list: it says later what phones held");
}

static bool takes_back(const struct plan_model *m, enum plan_list_id offered)
{
	for (int c = 0; c < LOCKOUT_CLASSES; c++) {
		const struct plan_verdict *v =
			plan_verdict(m, PLAN_NEW, offered, (enum lockout_class)c);

		if (v == NULL || !accept_row(v->a.reason)->accepted)
			return false;
	}
	return true;
}

/* Once the new list is out, phones take back only what one of its own anchors signs. */
static void make_way_back(struct plan_model *m)
{
	struct plan_step *x;

	if (m->facts[PLAN_WAY_BACK].list != NULL || takes_back(m, PLAN_OLD) || m->itl ||
	    plan_is_two_phase(m))
		return;
	x = add_step(m, NULL, "make-way-back", "Make a way-back list before anything is published");
	say(x, "phones that have taken the new list refuse the old one");
	note(x,
	     "it has the old records and is signed by an anchor of the new list: 'ctlsign migrate' writes it in the same login");
}

/* Whether what TVS holds has it already: then its file is in the folder. */
static bool is_at_hand(const struct plan_model *m, const struct tlv_record *r)
{
	const struct certset *s = m->in.tvs.vouched;

	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (span_eq(buf_span(&s->v[i].cert.der), r->certificate))
			return true;
	return false;
}

/* Tokens that phones do not know yet, and a signer that is no node's own. */
static bool needs_upload(const struct plan_model *m, const struct tlv_record *r, bool signs)
{
	enum plan_kind k = plan_kind_of(r);

	if (!tlv_record_is(r, TLV_ROLE_SAST) || r->certificate.n == 0 ||
	    (k != PLAN_KIND_TOKEN && (!signs || k == PLAN_KIND_ITLRECOVERY)))
		return false;
	return !tlv_list_has(m->in.old_list, TLV_ROLE_SAST, r->certificate) &&
	       (k == PLAN_KIND_TOKEN || !tlv_list_has_tftp(m->in.new_list, r->certificate));
}

/* "the certificate of SAST-ADN008580ef, in Phone-SAST-trust" */
static void say_upload(struct plan_step *x, const struct plan_model *m, const struct tlv_record *r)
{
	struct buf text = BUF_INIT;

	buf_str(&text, "the certificate of ");
	plan_put_cn(&text, r);
	if (m->in.uploads != NULL && is_at_hand(m, r))
		buf_printf(&text, ", in %s", m->in.uploads);
	plan_say(&x->lines, PLAN_LINE_TEXT, "certificate", "%s", buf_cstr(&text));
	x->lines.failed |= text.failed != ST_OK;
	buf_free(&text);
}

static void upload(struct plan_model *m)
{
	const struct tlv_list *l = m->in.new_list;
	long signer = tlv_list_signer(l);
	struct plan_step *x = NULL;

	for (size_t i = 0; i < l->nrecords && i < PLAN_LABELS_TRIED && !m->itl; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (!needs_upload(m, &r, (long)i == signer))
			continue;
		if (x == NULL)
			x = add_step(m, NULL, "upload",
				     "Upload as Phone-SAST-trust, on the publisher");
		say_upload(x, m, &r);
	}
	if (x == NULL)
		return;
	say(x,
	    "where: Cisco Unified OS Administration, Security > Certificate Management > Upload Certificate/Certificate chain, purpose Phone-SAST-trust");
	note(x,
	     m->facts[PLAN_BRIDGE].list == NULL ?
		     "TVS then vouches for their signatures to phones with Security by Default; 'ctlsign export' writes the files" :
		     "TVS then vouches for their signatures to phones with Security by Default that miss the bridge");
}

static void say_nodes(struct plan_step *x, const struct tlv_list *l, bool tftp_only)
{
	struct plan_lines labels = { .n = 0 };

	for (size_t i = 0; i < l->nrecords && i < PLAN_LABELS_TRIED; i++) {
		struct tlv_record r = tlv_list_record(l, i);
		struct buf label = BUF_INIT;

		if (!tlv_record_is_tftp(&r) && (tftp_only || r.role != TLV_ROLE_CCM))
			continue;
		plan_put_label(&label, l, &r);
		plan_label(&labels, &label);
		buf_free(&label);
	}
	for (size_t i = 0; i < labels.n; i++)
		plan_say(&x->lines, PLAN_LINE_TEXT, "node", "%s", buf_cstr(&labels.v[i].text));
	if (labels.n == PLAN_LABELS_MAX || l->nrecords > PLAN_LABELS_TRIED)
		note(x, "and all others: the list names more");
	if (labels.n == 0)
		note(x, "the list names none of them");
	x->lines.failed |= labels.failed;
	plan_lines_free(&labels);
}

/* CUCM wants no present list where the signing token is not in it. */
static void delete_old(struct plan_model *m, const struct stage *s)
{
	struct plan_step *x;

	if (m->itl || s->cucm_writes || !m->facts[s->offers].token_signs ||
	    plan_has_signer(m, s->holds, s->offers))
		return;
	x = add_step(m, s, "delete", "Delete the present list on every TFTP node");
	command(x, "file delete tftp CTLFile.tlv");
	say_nodes(x, m->in.old_list, true);
	note(x,
	     "CUCM takes no list from a token that the present one does not name; phones keep the list that they hold");
}

static const char *own_way(const struct plan_model *m, enum plan_list_id id)
{
	if (m->facts[id].token_signs)
		return "CUCM's own way to a list that a token signs is the CTL Client";
	if (id == PLAN_BRIDGE && m->counts[PLAN_KIND_TOKEN][PLAN_EVENT_ADDED] > 0)
		return "CUCM's own way to a bridge is 'utils ctl update CTLFile' on the publisher, after the upload: documented for cluster moves, open for tokens; 'show ctl' must then list them as SAST";
	if ((m->extras & PLAN_EXTRA_MODE) != 0)
		return m->counts[PLAN_KIND_CALLMANAGER][PLAN_EVENT_EMPTIED] > 0 ?
			       "where CUCM signs the list itself, its own way is 'utils ctl set-cluster non-secure-mode' on the publisher, which also sets the cluster's mode" :
			       "where CUCM signs the list itself, its own way is 'utils ctl set-cluster mixed-mode' on the publisher, which also sets the cluster's mode";
	return "where CUCM signs the list itself, its own way to these records is 'utils ctl update CTLFile' on the publisher";
}

static void put_itl(struct plan_model *m, const struct stage *s)
{
	struct plan_step *x = add_step(m, s, "publish",
				       "Each TFTP node writes its ITL itself, when TFTP restarts");

	x->open = true;
	note(x, "open: no source says how an ITL made outside CUCM gets there, or that it stays");
}

static void put_list(struct plan_model *m, const struct stage *s)
{
	struct plan_step *x = add_step(m, s, "publish", "Put ");

	buf_put(&x->title, buf_span(&m->facts[s->offers].name));
	buf_str(&x->title, " on every TFTP node, as CTLFile.tlv");
	x->open = true;
	say_nodes(x, m->facts[s->offers].list, true);
	note(x,
	     "open: no source says how a list made outside CUCM gets onto its TFTP nodes; find the way in a lab, or with the vendor, before the change begins");
	note(x, own_way(m, s->offers));
	command(x, "show ctl");
	say(x, "must then print on every TFTP node:");
	say_sums(x, m, s->offers);
}

static void write_list(struct plan_model *m, const struct stage *s)
{
	struct plan_step *x = add_step(m, s, "write", "Let CUCM write the list, on the publisher");

	command(x, s->command);
	note(x,
	     s->last ?
		     "ITLRecovery signs again; 'ctlsign diff' says whether these are the records of the new list" :
		     "CallManager signs this list, and the new ITLRecovery is in it");
	if (!s->last && m->itl)
		note(x, "in a cluster without CTL it is 'utils itl reset localkey'");
	if (!s->last && s->taken)
		note(x, "phones take it: the old list has CallManager as SAST");
	else if (!s->last)
		plan_say(
			&x->lines, PLAN_LINE_DANGER, "no-callmanager-anchor",
			"the old list has no CallManager certificate as SAST: phones without Security by Default refuse this one, the others take it through TVS alone");
	command(x, m->itl ? "show itl" : "show ctl");
	say(x, "prints its checksums: write them down");
}

static void publish_list(struct plan_model *m, const struct stage *s)
{
	if (s->cucm_writes)
		write_list(m, s);
	else if (m->itl)
		put_itl(m, s);
	else
		put_list(m, s);
}

/* The nodes whose TVS the change is about. */
static void say_tvs_nodes(const struct plan_model *m, struct plan_step *x)
{
	for (int v = 0; v < PLAN_EVENTS; v++) {
		const struct plan_lines *here = &m->events[PLAN_KIND_TVS][v];

		for (size_t i = 0; i < here->n; i++)
			plan_say(&x->lines, PLAN_LINE_TEXT, "node", "%s",
				 buf_cstr(&here->v[i].text));
	}
}

/* Which nodes the change itself names; the others are known to the cluster alone. */
static void say_service_nodes(struct plan_model *m, struct plan_step *x, enum plan_service v)
{
	const struct tlv_list *l = m->in.new_list;

	if (v == PLAN_SERVICE_CALLMANAGER || v == PLAN_SERVICE_TFTP)
		say_nodes(x, l, v == PLAN_SERVICE_TFTP);
	if (v == PLAN_SERVICE_TVS_HERE)
		say_tvs_nodes(m, x);
	for (size_t i = 0; v == PLAN_SERVICE_CAPF && i < l->nrecords && i < PLAN_LABELS_TRIED;
	     i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (r.role == TLV_ROLE_CAPF)
			plan_put_label(plan_line(&x->lines, PLAN_LINE_TEXT, "node"), l, &r);
	}
}

static void restart(struct plan_model *m, const struct stage *s)
{
	for (int v = 0; v < PLAN_SERVICES; v++) {
		const char *name = plan_service_text((enum plan_service)v);
		struct plan_step *x;

		if ((s->services & 1U << (unsigned)v) == 0)
			continue;
		x = add_step(m, s, "restart", "Restart ");
		buf_printf(&x->title, "%s %s", name, plan_service_where((enum plan_service)v));
		plan_say(&x->lines, PLAN_LINE_COMMAND, NULL, "utils service restart %s", name);
		say_service_nodes(m, x, (enum plan_service)v);
	}
}

static void reset_phones(struct plan_model *m, const struct stage *s)
{
	struct plan_step *x;

	if (m->phones == PLAN_PHONES_SOME && !s->cucm_writes) {
		x = add_step(m, s, "reset", "Reset the phones that load from or ask these nodes");
		say_tvs_nodes(m, x);
		note(x, "the others take their list at their next restart");
		return;
	}
	x = add_step(m, s, "reset", "Reset all phones");
	say(x, "in groups: a phone asks for the list when it starts");
}

/* Classes that refuse: nothing but a hand at the phone helps. */
static void clear_refusing(struct plan_model *m, const struct stage *s)
{
	for (int c = 0; c < LOCKOUT_CLASSES && !s->cucm_writes; c++) {
		const struct plan_verdict *v =
			plan_verdict(m, s->holds, s->offers, (enum lockout_class)c);
		struct plan_step *x;

		if (v == NULL || accept_row(v->a.reason)->accepted ||
		    v->a.reason == ACCEPT_TOO_LARGE)
			continue;
		x = add_step(m, s, "clear", "Delete the list by hand on ");
		buf_str(&x->title, lockout_class_text((enum lockout_class)c));
		plan_say(&x->lines, PLAN_LINE_WARNING, accept_row(v->a.reason)->word,
			 "they refuse this list: %s", accept_row(v->a.reason)->word);
		if (c == LOCKOUT_NO_SBD)
			say(x, "7940, 7960, Jabber and many TelePresence devices");
		say(x, "then each takes the list that it is given first, unchecked");
		if (m->facts[PLAN_BRIDGE].list == NULL)
			note(x,
			     "a bridge, signed by a key that the old list has as SAST, spares this: 'ctlsign migrate --old-key'");
	}
}

static void check_sums(struct plan_model *m, const struct stage *s)
{
	struct plan_step *x =
		add_step(m, s, "check", "Compare checksums, on a phone of each model");

	say(x, "the phone shows the MD5 or the SHA-1 of its list, by model:");
	if (s->cucm_writes)
		say(x, "those that CUCM printed for the list that it wrote");
	else
		say_sums(x, m, s->offers);
	note(x, "'ctlsign identify HEX FILE...' says which list another checksum is of");
	if (!s->last)
		plan_say(
			&x->lines, PLAN_LINE_WARNING, "wait",
			"go on when every phone has taken this list: those that have not refuse the next one");
}

/* They hold a list of their own, and have no TVS to ask. */
static void applications(struct plan_model *m, const struct stage *s)
{
	const struct plan_verdict *v =
		s->cucm_writes ? NULL : plan_verdict(m, s->holds, s->offers, LOCKOUT_NO_SBD);
	struct plan_step *x;

	if (m->itl)
		return;
	x = add_step(m, s, "applications",
		     "JTAPI and TSP applications, Unity Connection: check each");
	say(x, "they read the CTL too, without TVS");
	if (v != NULL ? accept_row(v->a.reason)->accepted : s->taken)
		note(x, "they should take this list, as phones without Security by Default do");
	else
		note(x,
		     "expect them to refuse this list, as phones without Security by Default may: delete the CTL that each holds, so that it loads the new one");
}

static void run_stage(struct plan_model *m, const struct stage *s)
{
	delete_old(m, s);
	publish_list(m, s);
	restart(m, s);
	reset_phones(m, s);
	clear_refusing(m, s);
	check_sums(m, s);
	applications(m, s);
}

static void new_lscs(struct plan_model *m)
{
	struct plan_step *x;

	if ((m->extras & PLAN_EXTRA_LSC) == 0)
		return;
	x = add_step(m, NULL, "lsc", "Renew the LSCs, when phones have taken the list");
	say(x, "phones with an LSC: Certificate Operation Install/Upgrade, one by one or in bulk");
	say(x, "then reset these phones once more");
	note(x, "secure profiles that use LSCs work again when the phone has its new one");
}

static void revoke(struct plan_model *m)
{
	const struct plan_lines *gone = &m->events[PLAN_KIND_TOKEN][PLAN_EVENT_REMOVED];
	struct plan_step *x;
	size_t left = 0;

	if ((m->extras & PLAN_EXTRA_REVOKE) == 0)
		return;
	for (size_t i = 0; i < m->in.new_list->nrecords; i++) {
		struct tlv_record r = tlv_list_record(m->in.new_list, i);

		left += plan_kind_of(&r) == PLAN_KIND_TOKEN;
	}
	x = add_step(m, NULL, "revoke", "Take away what still trusts the removed tokens");
	for (size_t i = 0; i < gone->n; i++)
		plan_say(&x->lines, PLAN_LINE_TEXT, "token", "%s", buf_cstr(&gone->v[i].text));
	say(x,
	    "delete their certificates from Phone-SAST-trust, on the publisher: TVS vouches for what is there");
	plan_say(
		&x->lines, PLAN_LINE_WARNING, "not-revoked",
		"removing a record revokes nothing: phones that hold an older list still take what a lost token signs%s",
		left > 0 ?
			"; rotate both: replace the tokens that are left too, when all phones have this list" :
			"; no phone may be left with an older list");
}

static void say_back(struct plan_step *x, const struct plan_model *m, enum plan_list_id holds,
		     enum plan_list_id offered)
{
	for (int c = 0; c < LOCKOUT_CLASSES; c++) {
		const struct plan_verdict *v =
			plan_verdict(m, holds, offered, (enum lockout_class)c);
		struct buf text = BUF_INIT;

		if (v == NULL)
			continue;
		plan_put_verdict(&text, v);
		plan_say(&x->lines, PLAN_LINE_TEXT, NULL, "%s that hold %s %s",
			 lockout_class_text((enum lockout_class)c), plan_list_text(holds),
			 buf_cstr(&text));
		x->lines.failed |= text.failed != ST_OK;
		buf_free(&text);
	}
}

/* CUCM writes those lists itself: what it can go back to is its own matter. */
static void way_back_of_cucm(struct plan_model *m, struct plan_step *x)
{
	if (m->itl)
		say(x, "put the old certificates back: each TFTP node then writes its ITL anew");
	else
		say(x,
		    "phones that hold the list of phase 1 or 2 take one that CallManager signs, where it is SAST in both:");
	if (plan_is_two_phase(m))
		command(x, "utils ctl reset localkey");
}

static void way_back(struct plan_model *m)
{
	bool made = m->facts[PLAN_WAY_BACK].list != NULL;
	struct plan_step *x = add_step(m, NULL, "way-back", "The way back, if it must be");

	say_back(x, m, PLAN_NEW, PLAN_OLD);
	if (made) {
		plan_say(&x->lines, PLAN_LINE_TEXT, NULL,
			 "publish %s, the same way as the new list; restart and reset the same",
			 buf_cstr(&m->facts[PLAN_WAY_BACK].name));
		say_back(x, m, PLAN_NEW, PLAN_WAY_BACK);
		say_back(x, m, PLAN_OLD, PLAN_WAY_BACK);
		say_sums(x, m, PLAN_WAY_BACK);
	} else if (m->itl || plan_is_two_phase(m)) {
		way_back_of_cucm(m, x);
	} else if (takes_back(m, PLAN_OLD)) {
		say(x, "publish the old list again; restart and reset the same");
		say_sums(x, m, PLAN_OLD);
	} else {
		say(x,
		    "publish the way-back list, the same way as the new one; restart and reset the same");
	}
	if ((m->extras & PLAN_EXTRA_REVOKE) != 0)
		plan_say(
			&x->lines, PLAN_LINE_WARNING, "trusts-again",
			"the old records name the removed tokens: never go back to a list with a token that was lost");
}

static bool has_callmanager_anchor(const struct tlv_list *l)
{
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (plan_kind_of(&r) == PLAN_KIND_ANCHOR)
			return true;
	}
	return false;
}

static void two_phases(struct plan_model *m)
{
	const struct stage first = { .word = "phase-1",
				     .prefix = "Phase 1 of 2: ",
				     .holds = PLAN_OLD,
				     .offers = PLAN_NEW,
				     .cucm_writes = true,
				     .taken = has_callmanager_anchor(m->in.old_list),
				     .command = "utils ctl reset localkey",
				     .services = 1U << PLAN_SERVICE_TVS | 1U << PLAN_SERVICE_TFTP };
	const struct stage second = { .word = "phase-2",
				      .prefix = "Phase 2 of 2: ",
				      .holds = PLAN_OLD,
				      .offers = PLAN_NEW,
				      .cucm_writes = true,
				      .taken = true,
				      .command = "utils ctl update CTLFile",
				      .services = m->services,
				      .last = true };

	run_stage(m, &first);
	run_stage(m, &second);
}

static void publish_all(struct plan_model *m)
{
	bool bridged = m->facts[PLAN_BRIDGE].list != NULL;
	const struct stage bridge = { .word = "bridge",
				      .prefix = "Bridge: ",
				      .holds = PLAN_OLD,
				      .offers = PLAN_BRIDGE,
				      .services = 1U << PLAN_SERVICE_CALLMANAGER |
						  1U << PLAN_SERVICE_TFTP };
	const struct stage last = { .word = bridged ? "final" : "new",
				    .prefix = bridged ? "Final list: " : "",
				    .holds = bridged ? PLAN_BRIDGE : PLAN_OLD,
				    .offers = PLAN_NEW,
				    .services = m->services,
				    .last = true };

	if (bridged)
		run_stage(m, &bridge);
	run_stage(m, &last);
}

void plan_note_steps(struct plan_model *m)
{
	if (m->diff.same)
		return;
	check_old(m);
	make_way_back(m);
	upload(m);
	if (plan_is_two_phase(m))
		two_phases(m);
	else
		publish_all(m);
	new_lscs(m);
	revoke(m);
	way_back(m);
}
