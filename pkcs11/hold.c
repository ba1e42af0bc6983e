/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/hold.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11/login.h"
#include "pkcs11/rsa.h"

/* libp11 picks sessions of its own and says nothing of threads: what signs below it looks here. */
static _Thread_local struct tok_lane *mine;

enum status tok_hold_scan(struct tok_hold *h, struct tok_pulse *pulse, struct tlv_err *e)
{
	const struct tok_search *s = h->search;
	enum status st = tok_modules_load(&h->modules, s->module_path, s->module_name, pulse, e);

	if (st == ST_OK)
		st = tok_slots_scan(&h->scan, &h->modules, s->uri, s->skip, &h->warn, e);
	return st;
}

/* The URIs of the tokens that match, or of all. */
static enum status refuse(const struct tok_scan *scan, bool all, enum status st, const char *first,
			  struct tlv_err *e)
{
	char **uris = calloc(scan->n + 1, sizeof *uris);
	size_t n = 0;

	if (uris == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < scan->n; i++)
		if (all || scan->list[i].matches)
			uris[n++] = scan->list[i].uri;
	st = tok_candidates(e, st, first, uris, n);
	free(uris);
	return st;
}

static bool is_initialised(const struct tok_found *f)
{
	return (f->info.flags & CKF_TOKEN_INITIALIZED) != 0;
}

static enum status no_token(const struct tok_hold *h, bool bare, struct tlv_err *e)
{
	if (bare)
		return refuse(&h->scan, false, ST_NO_MATCH,
			      "the token that matches is not initialised", e);
	if (h->scan.faults && h->scan.n == 0)
		return err_set(
			e, ST_TOKEN,
			"no token matches, but a slot or module did not answer: 'ctlsign doctor' says which");
	if (h->scan.faults)
		return refuse(&h->scan, true, ST_TOKEN,
			      "no token matches, but a slot or module did not answer; there is", e);
	if (h->scan.n == 0)
		return err_set(
			e, ST_NO_MATCH,
			"no token is there: plug it in, or name its module with --module; 'ctlsign doctor' looks for the cause");
	return refuse(&h->scan, true, ST_NO_MATCH, "no token matches; there is", e);
}

static size_t matching(const struct tok_hold *h, const struct tok_found **out)
{
	size_t n = 0;

	for (size_t i = 0; i < h->scan.n; i++) {
		if (!h->scan.list[i].matches)
			continue;
		*out = &h->scan.list[i];
		n++;
	}
	return n;
}

static bool any_is_named(const struct tok_hold *h, const struct tok_objects *objects)
{
	for (size_t i = 0; i < objects->n; i++)
		if (tok_uri_matches_object(h->search->uri, objects->list[i].id,
					   objects->list[i].label))
			return true;
	return false;
}

static bool has_named_key(const struct tok_hold *h, CK_OBJECT_CLASS class)
{
	struct tok_objects keys = { .n = 0 };
	struct tlv_err e = TLV_ERR_INIT;
	bool named = tok_objects_find(&keys, h->at.token->m, h->at.session, class, &e) == ST_OK &&
		     any_is_named(h, &keys);

	tok_objects_free(&keys);
	return named;
}

/* Whether a certificate or a key that shows has the id and object of the URI. */
static bool holds_the_named(struct tok_hold *h, const struct tok_found *f)
{
	struct tlv_err e = TLV_ERR_INIT;
	bool named = tok_hold_visit(h, f, &e) == ST_OK &&
		     (any_is_named(h, &h->certs) || has_named_key(h, CKO_PUBLIC_KEY) ||
		      has_named_key(h, CKO_PRIVATE_KEY));

	tok_hold_leave(h);
	h->at = (struct tok_place){ .token = NULL };
	return named;
}

/*
 * Of several tokens the one that holds what the URI names. Where none seems to
 * (a key may show after the login only), or more than one, all stay.
 */
static void narrow_by_object(struct tok_hold *h)
{
	struct tok_found *only = NULL;
	size_t n = 0;

	for (size_t i = 0; i < h->scan.n; i++) {
		if (!h->scan.list[i].matches || !holds_the_named(h, &h->scan.list[i]))
			continue;
		only = &h->scan.list[i];
		n++;
	}
	for (size_t i = 0; n == 1 && i < h->scan.n; i++)
		h->scan.list[i].matches = &h->scan.list[i] == only;
}

static enum status pick(struct tok_hold *h, const struct tok_found **out, struct tlv_err *e)
{
	const struct tok_uri *uri = h->search->uri;
	bool bare = false;
	size_t n;

	for (size_t i = 0; i < h->scan.n; i++) {
		struct tok_found *f = &h->scan.list[i];

		bare = bare || (f->matches && !is_initialised(f));
		f->matches = f->matches && is_initialised(f);
	}
	n = matching(h, out);
	if (n > 1 && uri != NULL && (uri->has_id || uri->has_object)) {
		narrow_by_object(h);
		n = matching(h, out);
	}
	if (n > 1)
		return refuse(&h->scan, false, ST_AMBIGUOUS, "more than one token matches", e);
	if (n == 1)
		return ST_OK;
	for (size_t i = 0; bare && i < h->scan.n; i++)
		h->scan.list[i].matches = !is_initialised(&h->scan.list[i]);
	return no_token(h, bare, e);
}

enum status tok_hold_visit(struct tok_hold *h, const struct tok_found *f, struct tlv_err *e)
{
	CK_RV rv;

	h->at = (struct tok_place){ .token = f, .uri = h->search->uri };
	rv = tok_c_open_session(f->m, f->slot, &h->at.session);
	if (rv != CKR_OK)
		return tok_rv_failed(e, ST_TOKEN, TOK_CALL_C_OpenSession, rv);
	h->in_session = true;
	return tok_objects_find(&h->certs, f->m, h->at.session, CKO_CERTIFICATE, e);
}

void tok_hold_leave(struct tok_hold *h)
{
	tok_objects_free(&h->certs);
	for (; h->nlanes > 1; h->nlanes--)
		(void)tok_c_close_session(h->at.token->m, h->lanes[h->nlanes - 1].session);
	if (h->logged_in)
		(void)tok_c_logout(h->at.token->m, h->at.session);
	if (h->in_session)
		(void)tok_c_close_session(h->at.token->m, h->at.session);
	h->in_session = h->logged_in = false;
}

enum status tok_hold_open(struct tok_hold *h, struct span *cert, struct tlv_err *e)
{
	const struct tok_object *chosen = NULL;
	const struct tok_found *f = NULL;
	enum status st = pick(h, &f, e);

	if (st == ST_OK && f != NULL)
		st = tok_hold_visit(h, f, e);
	*cert = h->search->opt->cert;
	if (st == ST_OK && cert->n == 0) {
		st = tok_choose_cert(&h->at, &h->certs, &chosen, e);
		if (st == ST_OK)
			*cert = chosen->value;
	}
	if (st == ST_OK) {
		st = tok_public_read(&h->public, *cert, e);
		err_in(st == ST_OK ? NULL : e, "certificate");
	}
	return st;
}

/* CKR_USER_NOT_LOGGED_IN from a token that wants a login for the signature itself: in the first session. */
static CK_RV sign_once(struct tok_lane *l, struct span data, bool authenticate, uint8_t *sig,
		       CK_ULONG *n)
{
	struct tok_hold *h = l->hold;
	CK_SESSION_HANDLE session = authenticate ? h->at.session : l->session;
	CK_RV rv;

	if (authenticate && tok_login_allowed(h, l->why) != ST_OK)
		return CKR_FUNCTION_REJECTED;
	rv = tok_c_sign_init(&l->m, session, h->key);
	if (rv != CKR_OK) {
		tok_rv_failed(l->why, ST_TOKEN, TOK_CALL_C_SignInit, rv);
		return rv;
	}
	if (authenticate) {
		rv = tok_login_for_signature(h, l->why);
		if (rv != CKR_OK)
			return rv;
	}
	rv = tok_c_sign(&l->m, session, data.p, data.n, sig, n);
	if (rv != CKR_OK)
		tok_rv_failed(l->why, ST_TOKEN, TOK_CALL_C_Sign, rv);
	return rv;
}

/*
 * SafeNet's 5110 says so once to a login that it then accepts. A token that
 * did not announce that it wants one gets its PIN from the parent again.
 */
static CK_RV sign_again(struct tok_lane *l, struct span data, uint8_t *sig, CK_ULONG *n)
{
	if (!l->hold->always_authenticate) {
		l->hint = l->hold->authenticate_once ? WIRE_FINAL : WIRE_LOGIN_AGAIN;
		return CKR_USER_NOT_LOGGED_IN;
	}
	*l->why = TLV_ERR_INIT;
	return sign_once(l, data, true, sig, n);
}

/* A short answer lost its leading zeros, a long one is no signature of this key. */
static CK_RV fit(const struct tok_lane *l, const uint8_t *raw, size_t n, uint8_t *sig)
{
	size_t want = l->hold->public.modulus.n;

	if (n == 0 || n > want) {
		err_set(l->why, ST_TOKEN, "C_Sign: a signature of %zu bytes for a key of %zu bytes",
			n, want);
		return CKR_FUNCTION_FAILED;
	}
	memset(sig, 0, want);
	(void)span_copy(span_of(raw, n), sig + want - n, n);
	return CKR_OK;
}

/*
 * A login for one signature is asked for, and given, when nothing else is
 * under way: the parent sees to that.
 */
static CK_RV sign(void *arg, struct span data, uint8_t *sig)
{
	struct tok_hold *h = arg;
	struct tok_lane *l = mine;
	uint8_t raw[TOK_SIG_MAX * 2]; /* a module that writes too much does it here */
	CK_ULONG n = sizeof raw;
	CK_RV rv;

	if (l == NULL)
		return CKR_FUNCTION_FAILED;
	rv = sign_once(l, data, h->always_authenticate || h->authenticate_once, raw, &n);
	if (rv == CKR_USER_NOT_LOGGED_IN) {
		n = sizeof raw;
		rv = sign_again(l, data, raw, &n);
	}
	if (h->authenticate_once) {
		h->authenticate_once = false;
		if (!h->always_authenticate)
			tok_pin_free(&h->pin);
	}
	return rv == CKR_OK ? fit(l, raw, n, sig) : rv;
}

enum status tok_hold_can_sign(const struct tok_hold *h, struct tlv_err *e)
{
	if (h->public.modulus.n == 0)
		return err_set(e, ST_INPUT, "the certificate's key is not an RSA key");
	if (h->public.modulus.n > TOK_SIG_MAX)
		return err_set(e, ST_INPUT, "the certificate's key has more than %d bits",
			       TOK_SIG_MAX * 8);
	return ST_OK;
}

enum status tok_hold_key(struct tok_hold *h, struct tlv_err *e)
{
	const struct tok_search *s = h->search;
	bool by_name = s->uri != NULL && (s->uri->type_private || s->opt->cert.n != 0);
	enum status st;

	st = tok_choose_key(&h->at, h->public.modulus, by_name, &h->key, e);
	if (st != ST_OK || h->p11 != NULL)
		return st;
	h->always_authenticate =
		tok_object_flag(h->at.token->m, h->at.session, h->key, CKA_ALWAYS_AUTHENTICATE);
	h->onekey = (struct tok_onekey){
		.modulus = h->public.modulus, .exponent = h->public.exponent, .sign = sign, .arg = h
	};
	return tok_key_open(&h->p11, &h->onekey, e);
}

static void lane_init(struct tok_hold *h, size_t i, CK_SESSION_HANDLE session)
{
	struct tok_lane *l = &h->lanes[i];

	l->hold = h;
	l->m = *h->at.token->m;
	l->m.pulse = tok_pulse_of(l->m.pulse, (unsigned)i);
	l->session = session;
}

static size_t sessions_wanted(const struct tok_hold *h)
{
	size_t n = h->search->opt->sessions;

	return n < 1 ? 1 : n > TOK_SESSIONS_MAX ? TOK_SESSIONS_MAX : n;
}

void tok_hold_widen(struct tok_hold *h)
{
	size_t want = sessions_wanted(h);
	CK_SESSION_HANDLE session = h->at.session;
	CK_RV rv = CKR_OK;

	if (h->nlanes > 0)
		return;
	if (want > 1 && h->always_authenticate) {
		warn_put(&h->warn,
			 "the key wants a login for each signature: it signs one at a time");
		want = 1;
	}
	lane_init(h, 0, session);
	for (h->nlanes = 1; h->nlanes < want; h->nlanes++) {
		rv = tok_c_open_session(h->at.token->m, h->at.token->slot, &session);
		if (rv != CKR_OK)
			break;
		lane_init(h, h->nlanes, session);
	}
	if (rv != CKR_OK)
		warn_put(
			&h->warn,
			"the token takes %zu of %zu sessions (C_OpenSession: %s): so many sign at a time",
			h->nlanes, want,
			tok_rv_name(rv) == NULL ? "unknown reason" : tok_rv_name(rv));
}

enum status tok_hold_sign(struct tok_lane *lane, struct span digest_info, uint8_t sig[TOK_SIG_MAX],
			  size_t *n, struct tlv_err *e)
{
	struct tlv_err why = TLV_ERR_INIT, outer = TLV_ERR_INIT;
	const struct tok_hold *h = lane->hold;
	enum status st;

	if (h == NULL || h->p11 == NULL)
		return err_set(e, ST_BUG, "signing without a login");
	lane->why = &why;
	lane->hint = WIRE_FINAL;
	mine = lane;
	st = rsa_sign_digest_info(tok_key_pkey(h->p11), digest_info, sig, TOK_SIG_MAX, n, &outer);
	mine = NULL;
	lane->why = NULL;
	if (why.status != ST_OK)
		return err_set(e, why.status, "%s", why.text);
	return st == ST_OK ? ST_OK : err_set(e, outer.status, "%s", outer.text);
}

/* A PIN must not go to a token that was plugged in instead. */
enum status tok_hold_flags(const struct tok_hold *h, CK_FLAGS *flags, struct tlv_err *e)
{
	const struct tok_found *f = h->at.token;
	CK_TOKEN_INFO info;
	CK_RV rv = tok_c_get_token_info(f->m, f->slot, &info);

	if (rv != CKR_OK)
		return tok_rv_failed(e, ST_TOKEN, TOK_CALL_C_GetTokenInfo, rv);
	if (memcmp(info.serialNumber, f->info.serialNumber, sizeof info.serialNumber) != 0 ||
	    memcmp(info.label, f->info.label, sizeof info.label) != 0)
		return err_set(
			e, ST_TOKEN,
			"another token is in the slot now: plug in the one that was chosen, and begin again");
	*flags = info.flags;
	return ST_OK;
}

void tok_hold_free(struct tok_hold *h)
{
	tok_key_free(&h->p11);
	tok_pin_free(&h->pin);
	for (size_t i = 0; i < TOK_SESSIONS_MAX; i++)
		tok_pin_free(&h->lanes[i].request);
	tok_hold_leave(h);
	tok_public_free(&h->public);
	tok_slots_free(&h->scan);
	tok_modules_free(&h->modules);
}
