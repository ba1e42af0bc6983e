/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/token.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11/module.h"
#include "pkcs11/serve.h"
#include "pkcs11/tok.h"

enum { CERTS_MAX = 4096, BYTES_MAX = 64 << 20 };

/* What a child sends while it opens or scans. */
struct harvest {
	struct tok_info *list;
	size_t n;
	struct tok_module_info *modules;
	size_t nmodules;
};

static void harvest_free_tokens(struct harvest *h)
{
	for (size_t i = 0; i < h->n; i++)
		tok_info_free(&h->list[i]);
	free(h->list);
	h->list = NULL;
	h->n = 0;
}

static void harvest_free(struct harvest *h)
{
	harvest_free_tokens(h);
	for (size_t i = 0; i < h->nmodules; i++)
		tok_module_info_free(&h->modules[i]);
	free(h->modules);
	*h = (struct harvest){ .list = NULL };
}

static enum status nonsense(struct tlv_err *e)
{
	return err_set(
		e, ST_TOKEN,
		"the token's process answers nonsense, as a module gone wrong makes it: name another with --module");
}

static enum status add_token(struct harvest *h, struct span msg, struct tlv_err *e)
{
	struct tok_info *list = reallocarray(h->list, h->n + 1, sizeof *list);

	if (list == NULL)
		return err_nomem(e);
	h->list = list;
	if (h->n == TOK_SLOTS_MAX || !wire_read_token(msg, &list[h->n]))
		return nonsense(e);
	h->n++;
	return ST_OK;
}

static enum status add_cert(struct harvest *h, struct span msg, struct tlv_err *e)
{
	struct tok_info *i = h->n == 0 ? NULL : &h->list[h->n - 1];
	struct tok_cert *certs;

	if (i == NULL || i->ncerts == CERTS_MAX)
		return nonsense(e);
	certs = reallocarray(i->certs, i->ncerts + 1, sizeof *certs);
	if (certs == NULL)
		return err_nomem(e);
	i->certs = certs;
	if (!wire_read_cert(msg, &certs[i->ncerts]))
		return nonsense(e);
	i->ncerts++;
	return ST_OK;
}

/* What was found wrong with a module stays: it is left out, and tells no more. */
static void set_module(struct tok_module_info *at, struct tok_module_info *now)
{
	struct tok_module_info last = *at;

	if (last.fault != NULL && *last.fault != '\0') {
		tok_module_info_free(now);
		return;
	}
	*at = *now;
	tok_module_info_free(&last);
}

static enum status add_module(struct harvest *h, struct span msg, struct tlv_err *e)
{
	struct tok_module_info *list, now;
	size_t i;

	if (!wire_read_module(msg, &i, &now))
		return nonsense(e);
	if (i > h->nmodules || i >= TOK_MODULES_MAX) {
		tok_module_info_free(&now);
		return nonsense(e);
	}
	if (i == h->nmodules) {
		list = reallocarray(h->modules, i + 1, sizeof *list);
		if (list == NULL) {
			tok_module_info_free(&now);
			return err_nomem(e);
		}
		h->modules = list;
		list[h->nmodules++] = (struct tok_module_info){ .name = NULL };
	}
	set_module(&h->modules[i], &now);
	return ST_OK;
}

static enum status set_chosen(struct tok *t, struct span msg, struct tlv_err *e)
{
	struct span der = wire_read_bytes(msg);

	if (t == NULL || t->cert.p != NULL || der.n == 0)
		return nonsense(e);
	t->cert = span_of(span_dup(der), der.n);
	return t->cert.p == NULL ? err_nomem(e) : ST_OK;
}

static enum status set_flags(struct tok *t, struct span msg, struct tlv_err *e)
{
	if (t == NULL || !wire_read_flags(msg, &t->info.flags))
		return nonsense(e);
	t->info.pin = tok_pin_state_of(t->info.flags);
	return ST_OK;
}

static enum status warn_of(const struct tok_options *opt, struct span msg)
{
	struct span text = wire_read_bytes(msg);

	warn_put(&opt->warn, "%.*s", (int)text.n, (const char *)text.p);
	return ST_OK;
}

/* One whole answer. t is NULL for a scan, h for a request to an open token. */
struct answer {
	const struct tok_options *opt;
	struct tok *t;
	struct harvest *h;
	enum wire_hint hint;
	bool done;
};

static enum status take_done(struct answer *a, struct span msg, struct tlv_err *e)
{
	struct wire_done done;

	if (!wire_read_done(msg, &done))
		return nonsense(e);
	a->done = true;
	a->hint = done.hint;
	if (done.status == ST_OK)
		return ST_OK;
	return err_set(e, done.status, "%.*s", (int)done.text.n, (const char *)done.text.p);
}

static enum status take(struct answer *a, struct span msg, struct tlv_err *e)
{
	switch (wire_type(msg)) {
	case WIRE_DONE:
		return take_done(a, msg, e);
	case WIRE_WARNING:
		return warn_of(a->opt, msg);
	case WIRE_TOKEN:
		return a->h == NULL ? nonsense(e) : add_token(a->h, msg, e);
	case WIRE_CERT:
		return a->h == NULL ? nonsense(e) : add_cert(a->h, msg, e);
	case WIRE_MODULE:
		return a->h == NULL ? nonsense(e) : add_module(a->h, msg, e);
	case WIRE_CHOSEN:
		return set_chosen(a->t, msg, e);
	case WIRE_TOKEN_FLAGS:
		return set_flags(a->t, msg, e);
	default:
		return nonsense(e);
	}
}

static enum status take_answer(struct tok_child *c, struct answer *a, struct tlv_err *e)
{
	bool pad = a->t != NULL && a->t->info.pin_pad;
	enum status st = ST_OK;
	size_t bytes = 0;

	while (st == ST_OK && !a->done) {
		struct span msg;

		st = tok_child_next(c, &msg, pad, e);
		if (st != ST_OK)
			return st;
		bytes += msg.n;
		st = bytes > BYTES_MAX ? nonsense(e) : take(a, msg, e);
	}
	return st;
}

enum status tok_request(struct tok *t, enum wire_request type, uint8_t flag, struct span payload,
			enum wire_hint *hint, struct tlv_err *e)
{
	struct answer a = { .opt = &t->opt, .t = t };
	enum status st = tok_child_send(t->child, (uint8_t)type, flag, payload, e);

	if (st == ST_OK)
		st = take_answer(t->child, &a, e);
	if (st != ST_OK && !a.done)
		tok_child_kill(t->child);
	if (hint != NULL)
		*hint = a.hint;
	return st;
}

/* Everything that the options alone can be wrong about, before any process is started. */
static enum status search_init(struct tok_search *s, const struct tok_options *opt,
			       struct tlv_err *e)
{
	enum status st = ST_OK;

	*s = (struct tok_search){ .opt = opt, .module_path = opt->module };
	if (opt->uri != NULL)
		st = tok_uri_parse(opt->uri, &s->uri, e);
	if (st != ST_OK)
		return st;
	if (s->module_path == NULL)
		s->module_path = tok_uri_module_path(s->uri);
	if (s->module_path == NULL)
		s->module_name = tok_uri_module_name(s->uri);
	else
		st = tok_path_check(s->module_path, e);
	if (st != ST_OK)
		return st;
	if (opt->pin_source != NULL)
		return tok_pin_source_parse(opt->pin_source, &s->pin, e);
	return tok_pin_source_parse_uri(tok_uri_pin_source(s->uri), &s->pin, e);
}

/*
 * A registered module at which the child died or hung is left out and the
 * search begun again: another vendor's broken module must not stop this one.
 */
static bool skip_module(struct tok_search *s, const struct tok_child *c, const struct tlv_err *e)
{
	int at = c == NULL ? -1 : tok_child_died_at(c);

	if (at < 0 || at >= TOK_MODULES_MAX || (s->skip >> at & 1) != 0)
		return false;
	s->skip |= UINT64_C(1) << at;
	warn_put(&s->opt->warn, "a module of p11-kit's is left out: %s", e->text);
	return true;
}

static unsigned timeout_of(const struct tok_options *opt)
{
	return opt->timeout == 0 ? TOK_TIMEOUT_DEFAULT : opt->timeout;
}

static enum status search_once(struct tok_child **c, tok_child_main *run,
			       const struct tok_search *s, struct answer *a, struct tlv_err *e)
{
	enum status st = tok_child_start(c, run, s, timeout_of(s->opt), e);

	return st == ST_OK ? take_answer(*c, a, e) : st;
}

static void end_child(struct tok_child **c, const struct tok_options *opt)
{
	struct tlv_err e = TLV_ERR_INIT;

	if (tok_child_end(c, &e) != ST_OK)
		warn_put(&opt->warn, "when all was done: %s", e.text);
}

static enum status search(struct tok_child **c, tok_child_main *run, struct tok_search *s,
			  struct tok *t, struct harvest *h, struct tlv_err *e)
{
	for (;;) {
		struct answer a = { .opt = s->opt, .t = t, .h = h };
		struct tlv_err once = TLV_ERR_INIT;

		if (search_once(c, run, s, &a, &once) == ST_OK)
			return ST_OK;
		if (a.done || !skip_module(s, *c, &once))
			return err_set(e, once.status, "%s", once.text);
		end_child(c, s->opt);
		harvest_free(h);
	}
}

static int cert_by_uri(const void *a, const void *b)
{
	const struct tok_cert *l = a, *r = b;
	int c = strcmp(l->uri, r->uri);

	return c != 0 ? c : span_cmp(l->der, r->der);
}

static void sort_certs(struct tok_info *i)
{
	if (i->ncerts > 1)
		qsort(i->certs, i->ncerts, sizeof *i->certs, cert_by_uri);
}

enum status tok_open(struct tok **out, const struct tok_options *opt, struct tlv_err *e)
{
	struct harvest h = { .list = NULL };
	struct tok *t = calloc(1, sizeof *t);
	enum status st;

	*out = NULL;
	if (t == NULL)
		return err_nomem(e);
	t->opt = *opt;
	tok_flights_init(&t->flights);
	st = opt->uri == NULL ? err_set(e, ST_USAGE, "no token is named") :
				search_init(&t->search, &t->opt, e);
	t->pin_given = opt->pin_source != NULL || tok_uri_pin_source(t->search.uri) != NULL;
	if (st == ST_OK)
		st = search(&t->child, tok_serve, &t->search, t, &h, e);
	if (st == ST_OK && (h.n != 1 || t->cert.n == 0))
		st = nonsense(e);
	if (st == ST_OK) {
		t->info = h.list[0];
		h.n = 0;
		sort_certs(&t->info);
		*out = t;
		t = NULL;
	}
	harvest_free(&h);
	tok_free(&t);
	return st;
}

const struct tok_info *tok_info(const struct tok *t)
{
	return &t->info;
}

struct span tok_certificate(const struct tok *t)
{
	return t->opt.cert.n != 0 ? t->opt.cert : t->cert;
}

void tok_finish(struct tok *t)
{
	tok_child_finish(t->child);
}

void tok_free(struct tok **t)
{
	struct tok *k = t == NULL ? NULL : *t;

	if (k == NULL)
		return;
	end_child(&k->child, &k->opt);
	tok_uri_free(&k->search.uri);
	tok_info_free(&k->info);
	free((void *)(uintptr_t)k->cert.p);
	tok_flights_free(&k->flights);
	free(k);
	*t = NULL;
}

enum status tok_scan(struct tok_info **list, size_t *n, const struct tok_options *opt,
		     struct tlv_err *e)
{
	struct harvest h = { .list = NULL };
	struct tok_child *c = NULL;
	struct tok_search s;
	enum status st = search_init(&s, opt, e);

	*list = NULL;
	*n = 0;
	if (st == ST_OK)
		st = search(&c, tok_serve_scan, &s, NULL, &h, e);
	end_child(&c, opt);
	if (st == ST_OK && h.n == 0 && opt->uri != NULL)
		st = err_set(e, ST_NO_MATCH, "no token matches '%s'", opt->uri);
	for (size_t i = 0; i < h.n; i++)
		sort_certs(&h.list[i]);
	tok_uri_free(&s.uri);
	if (st == ST_OK) {
		*list = h.list;
		*n = h.n;
		return ST_OK;
	}
	harvest_free(&h);
	return st;
}

void tok_infos_free(struct tok_info **list, size_t n)
{
	struct harvest h = { .list = *list, .n = n };

	harvest_free(&h);
	*list = NULL;
}

/* The module at which the child died or hung is the one to be told of. */
static bool blame_module(struct harvest *h, struct tok_search *s, const struct tok_child *c,
			 const struct tlv_err *e)
{
	int at = c == NULL ? -1 : tok_child_died_at(c);
	char *fault;

	if (at < 0 || (size_t)at >= h->nmodules || (s->skip >> at & 1) != 0)
		return false;
	fault = strdup(e->text);
	if (fault == NULL)
		return false;
	free(h->modules[at].fault);
	h->modules[at].fault = fault;
	s->skip |= UINT64_C(1) << at;
	return true;
}

static enum status survey(struct harvest *h, struct tok_search *s, struct tlv_err *e)
{
	for (;;) {
		struct answer a = { .opt = s->opt, .h = h };
		struct tlv_err once = TLV_ERR_INIT;
		struct tok_child *c = NULL;
		enum status st = search_once(&c, tok_serve_survey, s, &a, &once);
		bool again = st != ST_OK && !a.done && blame_module(h, s, c, &once);

		end_child(&c, s->opt);
		if (st == ST_OK)
			return ST_OK;
		if (!again)
			return err_set(e, once.status, "%s", once.text);
		harvest_free_tokens(h);
	}
}

enum status tok_survey(struct tok_survey *out, const struct tok_options *opt, struct tlv_err *e)
{
	struct harvest h = { .list = NULL };
	struct tok_search s;
	enum status st = search_init(&s, opt, e);

	if (st == ST_OK)
		st = survey(&h, &s, e);
	tok_uri_free(&s.uri);
	for (size_t i = 0; i < h.n; i++)
		sort_certs(&h.list[i]);
	*out = (struct tok_survey){
		.modules = h.modules, .nmodules = h.nmodules, .tokens = h.list, .ntokens = h.n
	};
	return st;
}

void tok_survey_free(struct tok_survey *s)
{
	struct harvest h = {
		.list = s->tokens, .n = s->ntokens, .modules = s->modules, .nmodules = s->nmodules
	};

	harvest_free(&h);
	*s = (struct tok_survey){ .modules = NULL };
}

enum status tok_uri_check(const char *uri, bool command_line, struct tlv_err *e)
{
	struct tok_uri *u;
	enum status st = tok_uri_parse(uri, &u, e);

	if (st == ST_OK && !command_line &&
	    (tok_uri_module_path(u) != NULL || tok_uri_module_name(u) != NULL ||
	     tok_uri_pin_source(u) != NULL))
		st = err_set(
			e, ST_USAGE,
			"PKCS#11 URI: module-path, module-name and pin-source count on the command line only");
	tok_uri_free(&u);
	return st;
}

bool tok_uri_has_pin_source(const char *uri)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_uri *u;
	bool has = tok_uri_parse(uri, &u, &e) == ST_OK && tok_uri_pin_source(u) != NULL;

	tok_uri_free(&u);
	return has;
}
