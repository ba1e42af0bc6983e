/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child/hold.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11/child/sign.h"

enum status tok_hold_scan(struct tok_hold *h, struct tok_pulse *pulse, struct tlv_err *e)
{
	const struct tok_search *s = h->search;
	enum status st =
		tok_modules_load(&h->modules, s->module_path, s->module_name, pulse, &h->warn, e);

	if (st == ST_OK)
		st = tok_slots_scan(&h->scan, &h->modules, h->uri, s->skip, &h->warn, e);
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
		if (tok_uri_matches_object(h->uri, objects->list[i].id, objects->list[i].label))
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
 * Of several tokens the one that holds what the URI names. If none seems to
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
	const struct tok_uri *uri = h->uri;
	bool bare = false;
	size_t n;

	for (size_t i = 0; i < h->scan.n; i++) {
		struct tok_found *f = &h->scan.list[i];

		bare = bare || (f->matches && !is_initialised(f));
		f->matches = f->matches && is_initialised(f);
	}
	n = matching(h, out);
	if (n > 1 && uri != NULL && (uri->text.has_id || uri->text.has_object)) {
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

	h->at = (struct tok_place){ .token = f, .uri = h->uri };
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
	*cert = h->search->cert;
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

enum status tok_hold_can_sign(const struct tok_hold *h, struct tlv_err *e)
{
	if (h->public.modulus.n == 0)
		return err_set(e, ST_INPUT, "the certificate's key is not an RSA key");
	if (h->public.modulus.n > TOK_SIG_MAX)
		return err_set(e, ST_INPUT, "the certificate's key has more than %d bits",
			       TOK_SIG_MAX * 8);
	return ST_OK;
}

enum status tok_hold_libp11(struct tok_hold *h, struct tlv_err *e)
{
	if (h->p11 != NULL)
		return ST_OK;
	h->onekey = (struct tok_onekey){ .modulus = h->public.modulus,
					 .exponent = h->public.exponent,
					 .sign = tok_sign_digest_info,
					 .arg = h };
	return tok_key_open(&h->p11, &h->onekey, e);
}

enum status tok_hold_key(struct tok_hold *h, struct tlv_err *e)
{
	const struct tok_search *s = h->search;
	bool by_name = h->uri != NULL && (h->uri->text.type_private || s->cert.n != 0);
	enum status st;

	st = tok_choose_key(&h->at, h->public.modulus, by_name, &h->key, e);
	if (st != ST_OK || h->nlanes > 0)
		return st;
	h->always_authenticate =
		tok_object_flag(h->at.token->m, h->at.session, h->key, CKA_ALWAYS_AUTHENTICATE);
	return tok_hold_libp11(h, e);
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
	size_t n = h->search->sessions;

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
			"the token opened only %zu of %zu sessions (C_OpenSession: %s); continuing with that",
			h->nlanes, want,
			tok_rv_name(rv) == NULL ? "unknown reason" : tok_rv_name(rv));
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
	tok_uri_free(&h->uri);
	tok_modules_free(&h->modules);
}
