/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child/serve.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "pkcs11/child/hold.h"
#include "pkcs11/child/login.h"
#include "pkcs11/child/registry.h"
#include "pkcs11/child/sign.h"
#include "pkcs11/shared/line.h"
#include "pkcs11/shared/secret.h"
#include "pkcs11/shared/wire.h"

static void send_warning(void *arg, const char *text)
{
	const int *line = arg;

	(void)wire_send_bytes(*line, WIRE_WARNING, span_str(text));
}

/* Out of memory, "no certificate" and the like would be no answers. */
static bool send_done(int line, struct tlv_err *e, enum wire_hint hint, uint8_t number)
{
	if (err_nomem_seen() && e->status != ST_NOMEM) {
		*e = TLV_ERR_INIT;
		(void)err_nomem(e);
	}
	if (wire_send_done(line, e, hint, number))
		return true;
	/* Nobody must wait for what will not come: the line ends for every thread. */
	(void)shutdown(line, SHUT_RDWR);
	return false;
}

static char *padded(const CK_UTF8CHAR *text, size_t cap)
{
	return span_dup(span_of(text, p11_kit_space_strlen(text, cap)));
}

static bool send_token(int line, const struct tok_found *f)
{
	const CK_TOKEN_INFO *t = &f->info;
	struct tok_info info = {
		.uri = f->uri,
		.label = padded(t->label, sizeof t->label),
		.manufacturer = padded(t->manufacturerID, sizeof t->manufacturerID),
		.model = padded(t->model, sizeof t->model),
		.serial = padded(t->serialNumber, sizeof t->serialNumber),
		.module = f->m->name,
		.flags = t->flags,
	};
	bool ok = wire_send_token(line, &info);

	info.uri = info.module = NULL; /* not its own */
	tok_info_free(&info);
	return ok;
}

static bool send_cert(int line, const struct tok_place *at, const struct tok_object *o, bool seen)
{
	struct tok_cert cert = {
		.uri = tok_uri_of_cert(&at->token->info, o->id, o->label),
		.label = span_dup(o->label),
		.id = o->id,
		.der = o->value,
		.key_seen = seen,
	};
	bool ok = wire_send_cert(line, &cert);

	free(cert.uri);
	free(cert.label);
	return ok;
}

static void send_certs(int line, const struct tok_hold *h, const bool *seen)
{
	for (size_t i = 0; i < h->certs.n; i++)
		(void)send_cert(line, &h->at, &h->certs.list[i], seen != NULL && seen[i]);
	(void)wire_send_bytes(line, WIRE_ALL_CERTS, SPAN_NONE);
}

static enum status open_token(int line, struct tok_hold *h, struct tok_pulse *pulse,
			      struct tlv_err *e)
{
	struct span cert = SPAN_NONE;
	enum status st = tok_hold_scan(h, pulse, e);

	if (st == ST_OK)
		st = tok_hold_open(h, &cert, e);
	if (st != ST_OK)
		return st;
	(void)send_token(line, h->at.token);
	send_certs(line, h, NULL);
	(void)wire_send_bytes(line, WIRE_CHOSEN, cert);
	return ST_OK;
}

static enum status serve_flags(int line, struct tok_hold *h, struct tlv_err *e)
{
	CK_FLAGS flags;
	enum status st = tok_hold_flags(h, &flags, e);

	if (st == ST_OK)
		(void)wire_send_number(line, WIRE_TOKEN_FLAGS, flags);
	return st;
}

/* The PIN is gone when this returns, unless every signature needs it. */
static enum status serve_login(int line, struct tok_lane *l, uint8_t how, struct tlv_err *e)
{
	struct tok_hold *h = l->hold;
	enum status st = tok_hold_can_sign(h, e);

	h->how = how;
	if (st == ST_OK && how != WIRE_NONE)
		st = tok_login_user(h, l->request, e);
	if (st == ST_OK)
		st = tok_hold_key(h, e);
	if (st == ST_OK && how == WIRE_NONE && h->always_authenticate) {
		h->hint = WIRE_LOGIN_AGAIN;
		st = err_set(e, ST_PIN, "the key wants a PIN for each signature");
	}
	if (st == ST_OK) {
		tok_hold_widen(h);
		(void)wire_send_number(line, WIRE_SESSIONS, h->nlanes);
	}
	if (st == ST_OK && (h->always_authenticate || h->authenticate_once)) {
		tok_pin_free(&h->pin);
		h->pin = l->request;
		l->request = tok_secret_new();
		return l->request == NULL ? err_nomem(e) : ST_OK;
	}
	return st;
}

static enum status serve_sign(int line, struct tok_lane *l, uint8_t number, size_t n,
			      struct tlv_err *e)
{
	uint8_t sig[TOK_SIG_MAX];
	size_t nsig = 0;
	enum status st = tok_hold_sign(l, span_of(tok_secret_room(l->request), n), sig, &nsig, e);

	if (st == ST_OK && !wire_send_signature(line, number, span_of(sig, nsig)))
		st = err_set(e, ST_TOKEN, "the signature cannot be sent");
	return st;
}

static enum status serve_one(int line, struct tok_lane *l, const uint8_t head[TOK_HEAD], size_t n,
			     struct tlv_err *e)
{
	switch (head[0]) {
	case WIRE_FLAGS:
		return serve_flags(line, l->hold, e);
	case WIRE_LOGIN:
		return serve_login(line, l, head[1], e);
	case WIRE_SIGN:
		return serve_sign(line, l, head[1], n, e);
	default:
		return err_set(e, ST_BUG, "unknown request %d", head[0]);
	}
}

/* A signature is its own end: in a batch each message costs. */
static bool ends_itself(uint8_t request, const struct tlv_err *e)
{
	return request == WIRE_SIGN && e->status == ST_OK;
}

static bool answer(int line, struct tok_lane *l, const uint8_t head[TOK_HEAD], size_t n)
{
	bool signs = head[0] == WIRE_SIGN;
	struct tlv_err e = TLV_ERR_INIT;

	if (!signs)
		l->hold->hint = WIRE_FINAL;
	tok_secret_set_length(l->request, n);
	(void)serve_one(line, l, head, n, &e);
	if (l->request != NULL)
		tok_secret_wipe(l->request);
	return ends_itself(head[0], &e) ||
	       send_done(line, &e, signs ? l->hint : l->hold->hint, signs ? head[1] : 0);
}

/* One request; false if there will be no other. */
static bool serve_next(int line, struct tok_lane *l)
{
	uint8_t head[TOK_HEAD];
	size_t n;

	return l->request != NULL &&
	       tok_line_receive(line, head, tok_secret_room(l->request), TOK_SECRET_ROOM - 1, &n,
				NULL) &&
	       answer(line, l, head, n);
}

/* A thread beside the first: whoever is free takes the next request. */
struct beside {
	pthread_t thread;
	int line;
	struct tok_lane *lane;
};

static void *serve_beside(void *arg)
{
	const struct beside *b = arg;

	while (serve_next(b->line, b->lane))
		continue;
	return NULL;
}

static size_t start_beside(struct beside *list, int line, struct tok_hold *h)
{
	size_t n = 0;

	while (n + 1 < h->nlanes) {
		struct beside *b = &list[n];

		*b = (struct beside){ .line = line, .lane = &h->lanes[n + 1] };
		b->lane->request = tok_secret_new();
		if (b->lane->request == NULL ||
		    pthread_create(&b->thread, NULL, serve_beside, b) != 0)
			break; /* fewer then */
		n++;
	}
	return n;
}

static void serve_requests(int line, struct tok_hold *h)
{
	struct beside list[TOK_SESSIONS_MAX];
	size_t n = 0;

	while (serve_next(line, &h->lanes[0]))
		if (n == 0)
			n = start_beside(list, line, h);
	for (size_t i = 0; i < n; i++)
		(void)pthread_join(list[i].thread, NULL);
}

static void serve_open(int line, struct tok_hold *h, struct tok_pulse *pulse, struct tlv_err *e)
{
	h->lanes[0].hold = h;
	h->lanes[0].request = tok_secret_new();
	if (h->lanes[0].request == NULL)
		(void)err_nomem(e);
	else
		(void)open_token(line, h, pulse, e);
	if (!send_done(line, e, WIRE_FINAL, 0) || e->status != ST_OK)
		return;
	/* While the parent makes its list. What fails here is tried again at the login. */
	if (tok_hold_can_sign(h, NULL) == ST_OK)
		(void)tok_hold_libp11(h, NULL);
	serve_requests(line, h);
}

/* A token that cannot be opened is shown all the same, with a warning. */
static void look_inside(int line, struct tok_hold *h, const struct tok_found *f)
{
	struct tlv_err e = TLV_ERR_INIT;
	bool *seen = NULL;

	if (tok_hold_visit(h, f, &e) == ST_OK) {
		seen = calloc(h->certs.n + 1, sizeof *seen);
		if (seen != NULL && h->certs.n != 0)
			(void)tok_keys_seen(&h->at, &h->certs, seen, &e);
		send_certs(line, h, seen);
	}
	if (e.status != ST_OK)
		warn_put(&h->warn, "token '%s': %s", f->uri, err_text(&e));
	free(seen);
	tok_hold_leave(h);
}

static void scan_tokens(int line, struct tok_hold *h)
{
	for (size_t i = 0; i < h->scan.n; i++) {
		const struct tok_found *f = &h->scan.list[i];

		if (!f->matches)
			continue;
		(void)send_token(line, f);
		if ((f->info.flags & CKF_TOKEN_INITIALIZED) != 0)
			look_inside(line, h, f);
		else
			(void)wire_send_bytes(line, WIRE_ALL_CERTS, SPAN_NONE);
	}
}

static void serve_scan(int line, struct tok_hold *h, struct tok_pulse *pulse, struct tlv_err *e)
{
	if (tok_hold_scan(h, pulse, e) == ST_OK)
		scan_tokens(line, h);
	(void)send_done(line, e, WIRE_FINAL, 0);
}

static void describe(const CK_INFO *info, char *out, size_t cap)
{
	char *maker = padded(info->manufacturerID, sizeof info->manufacturerID);
	char *what = padded(info->libraryDescription, sizeof info->libraryDescription);

	(void)snprintf(out, cap, "%s, %s, %u.%u", maker == NULL ? "" : maker,
		       what == NULL ? "" : what, (unsigned)info->libraryVersion.major,
		       (unsigned)info->libraryVersion.minor);
	free(maker);
	free(what);
}

/* Whether it answers; what it says is sent. */
static bool ask_module(int line, struct tok_module *m, size_t number)
{
	struct tok_module_info info = { .name = m->name, .logs = tok_module_logs(m) };
	struct tlv_err e = TLV_ERR_INIT;
	char library[256] = "";
	CK_INFO said;
	CK_ULONG slots = 0;
	CK_RV rv = tok_c_initialize(m);

	if (rv != CKR_OK)
		tok_rv_failed(&e, ST_TOKEN, TOK_CALL_C_Initialize, rv);
	else if ((rv = tok_c_get_info(m, &said)) != CKR_OK)
		tok_rv_failed(&e, ST_TOKEN, TOK_CALL_C_GetInfo, rv);
	else if ((rv = tok_c_get_slot_list(m, NULL, &slots)) != CKR_OK)
		tok_rv_failed(&e, ST_TOKEN, TOK_CALL_C_GetSlotList, rv);
	else
		describe(&said, library, sizeof library);
	info.library = library;
	info.slots = slots > TOK_SLOTS_MAX ? TOK_SLOTS_MAX : (unsigned)slots;
	info.fault = (char *)(uintptr_t)err_text(&e); /* not its own */
	info.refuses = rv != CKR_OK;
	(void)wire_send_module(line, number, &info);
	return rv == CKR_OK;
}

struct unloaded {
	int line;
	size_t number; /* of the next one */
};

static void send_unloaded(void *arg, const char *file)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_module_info info = { .name = (char *)(uintptr_t)file };
	struct unloaded *u = arg;

	err_set(&e, ST_TOKEN, "is registered with p11-kit, which does not load it");
	info.fault = (char *)(uintptr_t)err_text(&e); /* not its own */
	(void)wire_send_module(u->line, u->number++, &info);
}

/* All names first: a module that then takes this process along is known by its number. */
static uint64_t ask_modules(int line, struct tok_hold *h, struct tok_pulse *pulse)
{
	struct tok_modules *ms = &h->modules;
	uint64_t skip = h->search->skip;
	struct unloaded u = { .line = line, .number = ms->n };

	for (size_t i = 0; i < ms->n; i++)
		(void)wire_send_module(line, i,
				       &(struct tok_module_info){ .name = ms->list[i].name });
	if (ms->registered != NULL)
		tok_registry_unloaded(ms->registered, send_unloaded, &u);
	for (size_t i = 0; i < ms->n; i++) {
		if ((skip >> i & 1) != 0)
			continue;
		tok_pulse_module(pulse, (int)i);
		if (!ask_module(line, &ms->list[i], i))
			skip |= UINT64_C(1) << i;
		tok_pulse_module(pulse, -1);
	}
	return skip;
}

static void serve_survey(int line, struct tok_hold *h, struct tok_pulse *pulse, struct tlv_err *e)
{
	const struct tok_search *s = h->search;
	uint64_t skip = 0;

	if (tok_modules_load(&h->modules, s->module_path, s->module_name, pulse, &h->warn, e) ==
	    ST_OK) {
		skip = ask_modules(line, h, pulse);
		(void)tok_slots_scan(&h->scan, &h->modules, h->uri, skip, &h->warn, e);
	}
	if (e->status == ST_OK)
		scan_tokens(line, h);
	(void)send_done(line, e, WIRE_FINAL, 0);
}

static const struct {
	enum wire_request how;
	void (*serve)(int line, struct tok_hold *h, struct tok_pulse *pulse, struct tlv_err *e);
} kinds[] = {
	{ WIRE_OPEN, serve_open },
	{ WIRE_SCAN, serve_scan },
	{ WIRE_SURVEY, serve_survey },
};

void tok_serve(int line, enum wire_request how, const struct tok_search *search,
	       struct tok_pulse *pulse)
{
	struct tok_hold h = { .search = search, .warn = { send_warning, &line } };
	struct tlv_err e = TLV_ERR_INIT;

	if (search->uri != NULL && tok_uri_parse(search->uri, &h.uri, &e) != ST_OK)
		(void)send_done(line, &e, WIRE_FINAL, 0);
	for (size_t i = 0; e.status == ST_OK && i < COUNT(kinds); i++)
		if (kinds[i].how == how) {
			kinds[i].serve(line, &h, pulse, &e);
			break;
		}
	tok_hold_free(&h);
}
