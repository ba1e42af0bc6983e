/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/token.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11/ask.h"

/* How often a search may wait until its time is over, for modules that are then left out. */
enum { HANGS_MAX = 4 };

/* Everything that the options alone can be wrong about, before any process is started. */
static enum status quest_init(struct tok_quest *q, const struct tok_options *opt,
			      enum wire_request how, struct tlv_err *e)
{
	enum status st = ST_OK;

	*q = (struct tok_quest){ .opt = opt, .how = how };
	if (opt->uri != NULL)
		st = tok_uri_read(opt->uri, &q->uri, e);
	q->search = (struct tok_search){ .uri = opt->uri,
					 .module_path = opt->module != NULL ? opt->module :
									      q->uri.module_path,
					 .cert = opt->cert,
					 .sessions = opt->sessions };
	if (q->search.module_path == NULL)
		q->search.module_name = q->uri.module_name;
	if (st != ST_OK)
		return st;
	if (opt->pin_source != NULL)
		return tok_pin_source_parse(opt->pin_source, &q->pin, e);
	return tok_pin_source_parse_uri(q->uri.pin_source, &q->pin, e);
}

static unsigned timeout_of(const struct tok_options *opt)
{
	return opt->timeout == 0 ? TOK_TIMEOUT_DEFAULT : opt->timeout;
}

static void end_child(struct tok_child **c, const struct tok_options *opt)
{
	struct tlv_err e = TLV_ERR_INIT;

	if (tok_child_end(c, &e) != ST_OK)
		warn_put(&opt->warn, "after the work was done: %s", err_text(&e));
}

/* The module that is to be left out next; -1 if there is none, or it took too long already. */
static int module_to_skip(const struct tok_quest *q, const struct tok_child *c)
{
	int at = c == NULL ? -1 : tok_child_died_at(c);

	if (at < 0 || at >= TOK_MODULES_MAX || (q->search.skip >> at & 1) != 0)
		return -1;
	return process_now() >= q->give_up ? -1 : at;
}

/*
 * A registered module at which the child died or hung is left out and the
 * search begun again: another vendor's broken module must not stop this one.
 */
static bool skip_module(struct tok_quest *q, const struct tok_child *c, const struct tlv_err *e)
{
	int at = module_to_skip(q, c);

	if (at < 0)
		return false;
	q->search.skip |= UINT64_C(1) << at;
	warn_put(&q->opt->warn, "a module that p11-kit has registered is left out: %s",
		 err_text(e));
	return true;
}

static enum status start_search(struct tok_child **c, const struct tok_quest *q, struct tlv_err *e)
{
	return tok_child_start(c, q->how, &q->search, timeout_of(q->opt), e);
}

static int64_t search_end(const struct tok_child *c, const struct tok_quest *q)
{
	int64_t end = tok_child_deadline(c, 0);

	return end > q->give_up ? q->give_up : end;
}

static void search_begins(struct tok_quest *q)
{
	q->give_up = process_now() + (int64_t)timeout_of(q->opt) * 1000 * HANGS_MAX;
}

/* The child may have been started before. */
static enum status search_once(struct tok_child **c, const struct tok_quest *q,
			       struct tok_answer *a, struct tlv_err *e)
{
	enum status st = *c == NULL ? start_search(c, q, e) : ST_OK;

	return st == ST_OK ? tok_take_answer(*c, a, search_end(*c, q), e) : st;
}

static enum status search(struct tok_child **c, struct tok_quest *q, struct tok *t,
			  struct tok_harvest *h, struct tlv_err *e)
{
	search_begins(q);
	for (;;) {
		struct tok_answer a = { .opt = q->opt, .t = t, .h = h };
		struct tlv_err once = TLV_ERR_INIT;

		if (search_once(c, q, &a, &once) == ST_OK)
			return ST_OK;
		if (a.done || !skip_module(q, *c, &once))
			return err_copy(e, &once);
		end_child(c, q->opt);
		tok_harvest_free(h);
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

enum status tok_start(struct tok **out, const struct tok_options *opt, struct tlv_err *e)
{
	struct tok *t = calloc(1, sizeof *t);
	enum status st;

	*out = NULL;
	if (t == NULL)
		return err_nomem(e);
	t->opt = *opt;
	t->sessions = 1;
	tok_flights_init(&t->flights);
	st = opt->uri == NULL ? err_set(e, ST_USAGE, "no token is named") :
				quest_init(&t->quest, &t->opt, WIRE_OPEN, e);
	t->pin_given = opt->pin_source != NULL || t->quest.uri.pin_source != NULL;
	if (st == ST_OK)
		st = start_search(&t->child, &t->quest, e);
	if (st == ST_OK)
		*out = t;
	else
		tok_free(&t);
	return st;
}

enum status tok_started(struct tok *t, struct tlv_err *e)
{
	struct tok_harvest h = { .list = NULL };
	enum status st;

	if (t == NULL)
		return err_set(e, ST_BUG, "no token was started");
	st = search(&t->child, &t->quest, t, &h, e);
	if (st == ST_OK && h.list != NULL && h.n == 1 && t->cert.n > 0) {
		t->info = h.list[0];
		h.n = 0;
		sort_certs(&t->info);
	} else if (st == ST_OK) {
		st = tok_malformed(e);
	}
	tok_harvest_free(&h);
	return st;
}

enum status tok_open(struct tok **out, const struct tok_options *opt, struct tlv_err *e)
{
	enum status st = tok_start(out, opt, e);

	if (st == ST_OK)
		st = tok_started(*out, e);
	if (st != ST_OK)
		tok_free(out);
	return st;
}

const struct tok_info *tok_info(const struct tok *t)
{
	return &t->info;
}

bool tok_may_start_again(const struct tok *t)
{
	return t->quest.search.module_path == NULL;
}

pid_t tok_process(const struct tok *t)
{
	return t->child != NULL ? tok_child_process(t->child) : 0;
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
	tok_uri_text_free(&k->quest.uri);
	tok_info_free(&k->info);
	span_free(&k->cert);
	tok_flights_free(&k->flights);
	free(k);
	*t = NULL;
}

enum status tok_scan(struct tok_info **list, size_t *n, const struct tok_options *opt,
		     struct tlv_err *e)
{
	struct tok_harvest h = { .list = NULL };
	struct tok_child *c = NULL;
	struct tok_quest q;
	enum status st = quest_init(&q, opt, WIRE_SCAN, e);

	*list = NULL;
	*n = 0;
	if (st == ST_OK)
		st = search(&c, &q, NULL, &h, e);
	end_child(&c, opt);
	if (st == ST_OK && h.n == 0 && opt->uri != NULL)
		st = err_set(e, ST_NO_MATCH, "no token matches '%s'", opt->uri);
	for (size_t i = 0; i < h.n; i++)
		sort_certs(&h.list[i]);
	tok_uri_text_free(&q.uri);
	if (st == ST_OK) {
		*list = h.list;
		*n = h.n;
		return ST_OK;
	}
	tok_harvest_free(&h);
	return st;
}

void tok_infos_free(struct tok_info **list, size_t n)
{
	struct tok_harvest h = { .list = *list, .n = n };

	tok_harvest_free(&h);
	*list = NULL;
}

/* The module at which the child died or hung is the one to be told of. */
static bool blame_module(struct tok_harvest *h, struct tok_quest *q, const struct tok_child *c,
			 const struct tlv_err *e)
{
	int at = module_to_skip(q, c);
	char *fault;

	if (at < 0 || (size_t)at >= h->nmodules)
		return false;
	fault = strdup(err_text(e));
	if (fault == NULL)
		return false;
	free(h->modules[at].fault);
	h->modules[at].fault = fault;
	q->search.skip |= UINT64_C(1) << at;
	return true;
}

static enum status survey(struct tok_harvest *h, struct tok_quest *q, struct tlv_err *e)
{
	search_begins(q);
	for (;;) {
		struct tok_answer a = { .opt = q->opt, .h = h };
		struct tlv_err once = TLV_ERR_INIT;
		struct tok_child *c = NULL;
		enum status st = search_once(&c, q, &a, &once);
		bool again = st != ST_OK && !a.done && blame_module(h, q, c, &once);

		end_child(&c, q->opt);
		if (st == ST_OK)
			return ST_OK;
		if (!again)
			return err_copy(e, &once);
		tok_harvest_free_tokens(h);
	}
}

enum status tok_survey(struct tok_survey *out, const struct tok_options *opt, struct tlv_err *e)
{
	struct tok_harvest h = { .list = NULL };
	struct tok_quest q;
	enum status st = quest_init(&q, opt, WIRE_SURVEY, e);

	if (st == ST_OK)
		st = survey(&h, &q, e);
	tok_uri_text_free(&q.uri);
	for (size_t i = 0; i < h.n; i++)
		sort_certs(&h.list[i]);
	*out = (struct tok_survey){
		.modules = h.modules, .nmodules = h.nmodules, .tokens = h.list, .ntokens = h.n
	};
	return st;
}

void tok_survey_free(struct tok_survey *s)
{
	struct tok_harvest h = {
		.list = s->tokens, .n = s->ntokens, .modules = s->modules, .nmodules = s->nmodules
	};

	tok_harvest_free(&h);
	*s = (struct tok_survey){ .modules = NULL };
}

enum status tok_uri_check(const char *uri, bool command_line, struct tlv_err *e)
{
	struct tok_uri_text u;
	enum status st = tok_uri_read(uri, &u, e);

	if (st == ST_OK && !command_line &&
	    (u.module_path != NULL || u.module_name != NULL || u.pin_source != NULL))
		st = err_set(
			e, ST_USAGE,
			"PKCS#11 URI: module-path, module-name and pin-source count on the command line only");
	tok_uri_text_free(&u);
	return st;
}

bool tok_uri_has_pin_source(const char *uri)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_uri_text u;
	bool has = tok_uri_read(uri, &u, &e) == ST_OK && u.pin_source != NULL;

	tok_uri_text_free(&u);
	return has;
}
