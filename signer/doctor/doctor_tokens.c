/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/doctor/doctor.h"
#include "signer/io/env.h"
#include "signer/trust/token_judge.h"
#include "tlv/label.h"

static bool one_answers(const struct tok_survey *s)
{
	for (size_t i = 0; i < s->nmodules; i++)
		if (*s->modules[i].library != '\0' && *s->modules[i].fault == '\0')
			return true;
	return false;
}

/* A registered module that this user may not load is no fault, as long as another one answers. */
static void say_fault(struct doctor *d, const struct tok_module_info *m)
{
	bool minor = m->refuses && d->tok.module == NULL && one_answers(&d->tokens);

	doctor_say(
		d, minor ? DOCTOR_WARNING : DOCTOR_ERROR, m->name,
		m->refuses && strstr(m->name, "softhsm") != NULL ?
			"SoftHSM's tokens are those of the group 'softhsm': join it, or have your own with SOFTHSM2_CONF" :
			"see 'p11-kit list-modules'; install or repair what it belongs to, or name another module with --module",
		"%s", m->fault);
}

/* Nothing is asked twice: this hears the tokens too. */
void doctor_modules(struct doctor *d)
{
	(void)tok_survey(&d->tokens, &d->tok, &d->survey);
	d->check = "module"; /* a warning may have come between */
	for (size_t i = 0; i < d->tokens.nmodules; i++) {
		const struct tok_module_info *m = &d->tokens.modules[i];

		if (*m->fault != '\0')
			say_fault(d, m);
		else if (*m->library != '\0')
			doctor_say(d, DOCTOR_OK, m->name, NULL, "%s; %u with a token", m->library,
				   m->slots);
		if (m->logs)
			doctor_say(d, DOCTOR_WARNING, m->name,
				   "take out 'log-calls', or pkcs11-spy",
				   "its calls are logged, and every PIN with them");
	}
	if (d->survey.status != ST_OK)
		doctor_say(d, DOCTOR_ERROR, NULL,
			   "name a module that works with --module; see 'p11-kit list-modules'",
			   "%s", err_text(&d->survey));
	else if (d->tokens.nmodules == 0)
		doctor_say(
			d, DOCTOR_WARNING, NULL,
			"install the token's own, or OpenSC ('apt install opensc-pkcs11'), or name one with --module",
			"p11-kit has none registered; key files need none");
}

/* What is said of a PIN's state, and what to do. */
static const struct {
	enum doctor_level level;
	const char *found, *mend;
} pins[] = {
	[TOK_PIN_OK] = { DOCTOR_OK, "its PIN is ready", NULL },
	[TOK_PIN_COUNT_LOW] = { DOCTOR_WARNING,
				"a wrong PIN was given, so a PIN that is not typed is not tried",
				"log in once by hand, with the right one" },
	[TOK_PIN_FINAL_TRY] = { DOCTOR_ERROR,
				"its PIN has one attempt left, which is not spent here",
				"log in with the vendor's own tool, with the right one" },
	[TOK_PIN_LOCKED] = { DOCTOR_ERROR, "its PIN is locked",
			     "sign with another token of the list: a locked Cisco token cannot be enabled again, others only with an administrator's PIN" },
	[TOK_PIN_TO_BE_CHANGED] = { DOCTOR_ERROR, "its PIN must be changed before it signs",
				    "change it with the vendor's tool or 'pkcs11-tool --change-pin'" },
	[TOK_PIN_NOT_INITIALISED] = { DOCTOR_ERROR, "its PIN was never set",
				      "set it with 'pkcs11-tool --init-pin'" },
};

static bool is_empty(const struct tok_info *t)
{
	return t->pin == TOK_PIN_NOT_INITIALISED && *t->label == '\0';
}

static void check_dates(struct doctor *d, const char *uri, const struct cert_facts *f)
{
	int64_t now = env_now();
	char date[32];

	if (now > f->not_after) {
		time_iso(f->not_after, date);
		doctor_say(d, DOCTOR_WARNING, uri, "no phone is known to mind; plan a successor",
			   "expired on %s", date);
	} else if (now < f->not_before) {
		time_iso(f->not_before, date);
		doctor_say(d, DOCTOR_ERROR, uri,
			   "set the clock: a list cannot be dated before its signer",
			   "is valid from %s on only", date);
	}
}

/* Whether this one signs lists. */
static bool check_cert(struct doctor *d, const struct tok_cert *c)
{
	struct token_judged j;
	bool signs;

	token_judge(&j, c->der, c->key_seen);
	signs = j.signs;
	if (signs) {
		struct buf label = BUF_INIT;

		tlv_label_cert(&label, &j.parts);
		doctor_say(d, DOCTOR_OK, c->uri, NULL, "signs lists: %s, %s of %u bits",
			   buf_cstr(&label), j.facts.key_type, j.facts.key_bits);
		buf_free(&label);
		check_dates(d, c->uri, &j.facts);
	} else {
		doctor_say(d, DOCTOR_NOTE, c->uri,
			   j.signs_weakly ? "--allow-weak-keys insists" : NULL, "%s: %s",
			   j.unknown ? "may sign lists" : "signs no lists", err_text(&j.why));
	}
	cert_facts_free(&j.facts);
	return signs;
}

static void check_token(struct doctor *d, const struct tok_info *t)
{
	bool signs = false;

	if (is_empty(t)) {
		doctor_say(d, DOCTOR_NOTE, t->uri, NULL, "is empty and not initialised");
		return;
	}
	doctor_say(d, pins[t->pin].level, t->uri, pins[t->pin].mend, "%s", pins[t->pin].found);
	for (size_t i = 0; i < t->ncerts; i++)
		signs = check_cert(d, &t->certs[i]) || signs;
	if (!t->certs_read)
		doctor_say(d, DOCTOR_ERROR, t->uri,
			   "plug it in anew, and run 'ctlsign doctor' again",
			   "failed before its certificates were read");
	else if (!signs)
		doctor_say(
			d, DOCTOR_WARNING, t->uri,
			"write it to the token ('pkcs11-tool --write-object'), or bring it with --cert",
			"holds no certificate that is known to sign lists");
}

void doctor_tokens(struct doctor *d)
{
	for (size_t i = 0; i < d->tokens.ntokens; i++)
		check_token(d, &d->tokens.tokens[i]);
	if (d->tokens.ntokens > 0)
		return;
	if (d->uri != NULL)
		doctor_say(d, DOCTOR_ERROR, d->uri,
			   "'ctlsign tokens' shows those that are there; is it plugged in?",
			   "no token matches");
	else if (d->survey.status == ST_OK)
		doctor_say(d, DOCTOR_NOTE, NULL, "plug it in; 'pcsc_scan' tells whether it is seen",
			   "none is there; key files need none");
}

static size_t anchor_of(const struct tlv_list *l, const struct tok_cert *c)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_cert parts;

	if (tlv_cert_walk(c->der, &parts, &e) != ST_OK)
		return 0;
	for (size_t i = 0; i < l->nrecords; i++)
		if (token_is_sast(l, i, &parts))
			return i + 1;
	return 0;
}

void doctor_list(struct doctor *d)
{
	bool any = false, all_read = true;

	if (d->list_path == NULL)
		return;
	for (size_t i = 0; i < d->tokens.ntokens; i++) {
		const struct tok_info *t = &d->tokens.tokens[i];

		all_read = all_read && t->certs_read;
		for (size_t k = 0; k < t->ncerts; k++) {
			size_t n = anchor_of(&d->list.list, &t->certs[k]);

			if (n != 0)
				doctor_say(d, DOCTOR_OK, d->list_path, NULL,
					   "'%s' is its SAST record %zu", t->certs[k].uri, n);
			any = any || n != 0;
		}
	}
	if (!any)
		doctor_say(
			d, DOCTOR_ERROR, d->list_path,
			"plug in a token that the list names, as phones refuse the others; 'ctlsign migrate to-tokens' brings in new ones",
			all_read ? "no token that is here is a SAST record of it" :
				   "no token that was read is a SAST record of it");
}
