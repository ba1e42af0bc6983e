/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/served.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signer/io/env.h"
#include "signer/net/address.h"
#include "signer/text/list_file.h"
#include "tlv/kind.h"
#include "tlv/text.h"

enum { NAMES_MAX = 4 };

/* What an admin calls a node by, and where its lists are. Source: vendor's port usage guides. */
static const struct service {
	const char *scheme;
	const char *port;
} services[] = { { "http", "6970" }, { "https", "6971" }, { "tftp", "69" } };

static const struct service *service_of(struct span scheme)
{
	for (size_t i = 0; i < COUNT(services); i++)
		if (span_eq(scheme, span_str(services[i].scheme)))
			return &services[i];
	return NULL;
}

/* A node as it was named: spans of that text. */
struct named {
	const struct service *service;
	struct net_address at; /* without a port: the service's */
};

static bool parse(const char *node, bool tftp, struct named *out)
{
	const char *scheme = strstr(node, "://");
	struct span rest = span_str(scheme != NULL ? scheme + 3 : node);

	*out = (struct named){ .service = &services[tftp ? 2 : 0] };
	if (scheme != NULL)
		out->service = service_of(span_of(node, (size_t)(scheme - node)));
	if (rest.n > 0 && span_at(rest, rest.n - 1) == '/')
		rest = span_slice(rest, 0, rest.n - 1);
	return out->service != NULL && net_address_read(rest, &out->at);
}

static char *text_of(struct buf *b, struct tlv_err *e)
{
	char *copy = buf_failed(b, e) == ST_OK ? span_dup(buf_span(b)) : NULL;

	if (copy == NULL)
		(void)err_nomem(e);
	buf_free(b);
	return copy;
}

static char *base_of(const struct named *n, struct tlv_err *e)
{
	struct buf b = BUF_INIT;

	buf_printf(&b, "%s://", n->service->scheme);
	net_address_put(&b, &n->at, n->at.port.n > 0 ? n->at.port : span_str(n->service->port));
	return text_of(&b, e);
}

/* Hosts are the same in any case. */
static bool has(char *const *texts, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(texts[i], text) == 0)
			return true;
	return false;
}

/* As it was named; if another service of the host is called so already, what it is asked at. */
static char *shown_of(const struct served *s, const struct named *n, const char *base,
		      struct tlv_err *e)
{
	struct buf b = BUF_INIT;

	net_address_put(&b, &n->at, n->at.port);
	if (b.failed == ST_OK && has(s->nodes, s->nnodes, buf_cstr(&b))) {
		buf_truncate(&b, 0);
		buf_str(&b, base);
	}
	return text_of(&b, e);
}

enum status served_add(struct served *s, const char *node, bool tftp, struct tlv_err *e)
{
	struct named n;
	char *base, *shown;

	if (!parse(node, tftp, &n))
		return err_set(
			e, ST_USAGE,
			"'%s' is no node: give HOST, HOST:PORT, or one with http://, https:// or tftp:// in front",
			node);
	base = base_of(&n, e);
	if (base == NULL)
		return ST_NOMEM;
	if (has(s->bases, s->nnodes, base)) {
		free(base);
		return ST_OK;
	}
	shown = shown_of(s, &n, base, e);
	if (shown == NULL || !ARRAY_ROOM(s->nodes, s->nnodes, s->nodes_cap) ||
	    !ARRAY_ROOM(s->bases, s->nnodes, s->bases_cap)) {
		free(base);
		free(shown);
		return err_nomem(e);
	}
	s->nodes[s->nnodes] = shown;
	s->bases[s->nnodes++] = base;
	return ST_OK;
}

/* The address, or the name of a record that has none. */
static enum status add_record(struct served *s, const struct tlv_record *r, bool tftp,
			      struct tlv_err *e)
{
	struct buf b = BUF_INIT;
	enum status st;

	if (r->address.n == 4 && span_be(r->address) != 0)
		buf_ipv4(&b, r->address);
	else
		buf_put(&b, tlv_text(r->dns_name));
	st = buf_failed(&b, e);
	if (st == ST_OK && b.n > 0)
		st = served_add(s, buf_cstr(&b), tftp, e);
	buf_free(&b);
	return st;
}

enum status served_add_list(struct served *s, const struct tlv_list *l, bool tftp,
			    struct tlv_err *e)
{
	size_t before = s->nnodes;
	enum status st = ST_OK;

	for (size_t i = 0; i < l->nrecords && st == ST_OK; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (tlv_record_is_tftp(&r))
			st = add_record(s, &r, tftp, e);
		if (st == ST_OK && s->nnodes - before > SERVED_MAX)
			st = err_set(
				e, ST_INPUT,
				"its TFTP records name more than %d nodes: name those that you mean",
				SERVED_MAX);
	}
	if (st == ST_USAGE)
		e->status = st = ST_INPUT; /* the list says it, not the command line */
	if (st == ST_OK && s->nnodes == before)
		st = err_set(e, ST_INPUT,
			     "no record of a TFTP server says where it is: name the nodes");
	return st;
}

/* The files' names, in the order of the answers. */
static enum status name_files(struct served *s, const char *device, const char *names[NAMES_MAX],
			      size_t *n, struct tlv_err *e)
{
	static const enum tlv_list_kind kinds[] = { TLV_LIST_CTL, TLV_LIST_ITL };

	*n = 0;
	names[(*n)++] = "CTLFile.tlv";
	names[(*n)++] = "ITLFile.tlv";
	for (size_t i = 0; device != NULL && i < COUNT(kinds); i++) {
		struct buf b = BUF_INIT;

		buf_printf(&b, "%s%s.tlv", tlv_kind_text(kinds[i]), device);
		s->device_names[i] = text_of(&b, e);
		if (s->device_names[i] == NULL)
			return ST_NOMEM;
		names[(*n)++] = s->device_names[i];
	}
	return ST_OK;
}

static enum status set_up_file(struct served *s, struct served_file *f, size_t node,
			       const char *name, struct tlv_err *e)
{
	struct buf b = BUF_INIT;

	*f = (struct served_file){ .node = node, .name = name, .fault = TLV_ERR_INIT };
	buf_printf(&b, "%s/%s", s->bases[node], name);
	f->url = text_of(&b, e);
	return f->url == NULL ? ST_NOMEM : ST_OK;
}

static enum status set_up(struct served *s, const char *device, struct tlv_err *e)
{
	const char *names[NAMES_MAX];
	size_t n = 0;
	enum status st = name_files(s, device, names, &n, e);

	if (st != ST_OK)
		return st;
	s->files = calloc(s->nnodes * n + 1, sizeof *s->files);
	if (s->files == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->nnodes * n && st == ST_OK; i++)
		st = set_up_file(s, &s->files[s->nfiles++], i / n, names[i % n], e);
	return st;
}

/* All at once; the answers go to their files. */
static enum status ask(struct served *s, struct tlv_err *e)
{
	struct net_question *q = calloc(s->nfiles + 1, sizeof *q);
	enum status st;

	if (q == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->nfiles; i++)
		q[i] = (struct net_question){ .what = NET_GET,
					      .target = s->files[i].url,
					      .max = NET_LIST_MAX };
	st = net_ask_all(q, s->nfiles, e);
	for (size_t i = 0; i < s->nfiles; i++)
		s->files[i].answer = q[i];
	free(q);
	return st;
}

/* The fault of what is no list; the URL is in it already, or is put there. */
static enum status read_list(struct served_file *f, const struct trust *trust, struct tlv_err *e)
{
	static const struct trust self = { .self = true };
	const struct verify_ask ask = { .trust = trust != NULL ? trust : &self,
					.now = env_now(),
					.served = f->url };
	enum status st = tlv_list_decode(&f->list, buf_span(&f->answer.bytes), &f->fault);

	if (st == ST_NOMEM)
		return err_nomem(e);
	if (st != ST_OK) {
		f->state = SERVED_UNREADABLE;
		(void)err_in(&f->fault, "%s", f->url);
		return ST_OK;
	}
	st = verify_list(&f->v, &f->list, &ask, e);
	return st == ST_OK ? checksums(f->list.bytes, f->md5, f->sha1, e) : st;
}

static enum status judge(struct served_file *f, const struct trust *trust, struct tlv_err *e)
{
	static const enum served_state states[] = { [NET_KIND_CAME] = SERVED_LIST,
						    [NET_KIND_ABSENT] = SERVED_MISSING,
						    [NET_KIND_UNREACHED] = SERVED_UNREACHED,
						    [NET_KIND_BROKEN] = SERVED_UNREADABLE };

	f->v = (struct verification){ .findings = TLV_FINDINGS_INIT };
	f->state = states[net_kind(&f->answer)];
	if (f->state == SERVED_LIST)
		return read_list(f, trust, e);
	return net_question_err(&f->answer, &f->fault) == ST_NOMEM ? err_nomem(e) : ST_OK;
}

static bool is_ctl(const struct served_file *f)
{
	return tlv_kind_of_name(span_str(f->name)) == TLV_LIST_CTL;
}

static bool is_compared(const struct served_file *f)
{
	return f->state == SERVED_LIST && is_ctl(f);
}

static void number_versions(struct served *s)
{
	for (size_t i = 0; i < s->nfiles; i++) {
		struct served_file *f = &s->files[i];

		for (size_t k = 0; k < i && is_compared(f) && f->version == 0; k++)
			if (is_compared(&s->files[k]) && strcmp(s->files[k].name, f->name) == 0 &&
			    span_eq(s->files[k].list.bytes, f->list.bytes))
				f->version = s->files[k].version;
		if (is_compared(f) && f->version == 0)
			f->version = served_versions(s, f->name) + 1;
	}
}

size_t served_versions(const struct served *s, const char *name)
{
	size_t most = 0;

	for (size_t i = 0; i < s->nfiles; i++)
		if (strcmp(s->files[i].name, name) == 0 && s->files[i].version > most)
			most = s->files[i].version;
	return most;
}

static bool has_answered(const struct served *s)
{
	for (size_t i = 0; i < s->nfiles; i++)
		if (s->files[i].state == SERVED_LIST || s->files[i].state == SERVED_MISSING ||
		    net_kind(&s->files[i].answer) == NET_KIND_CAME)
			return true;
	return false;
}

/* Of each node the first reason. */
static enum status nobody_answered(const struct served *s, struct tlv_err *e)
{
	size_t last = s->nnodes;

	(void)err_set(e, ST_INPUT, "no list came from any of %zu node%s", s->nnodes,
		      plural(s->nnodes));
	for (size_t i = 0; i < s->nfiles; i++)
		if (s->files[i].node != last) {
			last = s->files[i].node;
			err_line(e, "%s", err_text(&s->files[i].fault));
		}
	return ST_INPUT;
}

enum status served_fetch(struct served *s, const char *device, const struct trust *trust,
			 struct tlv_err *e)
{
	enum status st = set_up(s, device, e);

	if (st == ST_OK)
		st = ask(s, e);
	for (size_t i = 0; i < s->nfiles && st == ST_OK; i++)
		st = judge(&s->files[i], trust, e);
	if (st != ST_OK)
		return st;
	number_versions(s);
	return has_answered(s) ? ST_OK : nobody_answered(s, e);
}

/* Whether a CTL of that name is on one of the nodes, and this one has none. */
static bool is_missed(const struct served *s, const struct served_file *f)
{
	return f->state == SERVED_MISSING && served_versions(s, f->name) > 0;
}

const char *served_compared(const struct served *s, const struct served_file *f)
{
	if (!is_compared(f))
		return is_missed(s, f) ? "different" : "";
	if (served_versions(s, f->name) > 1)
		return "different";
	for (size_t i = 0; i < s->nfiles; i++)
		if (strcmp(s->files[i].name, f->name) == 0 && is_missed(s, &s->files[i]))
			return "different";
	return "same";
}

struct served_sum served_sum(const struct served *s)
{
	struct served_sum sum = { .lists = 0 };
	size_t silent = s->nnodes; /* the last one that was counted */

	for (size_t i = 0; i < s->nfiles; i++) {
		const struct served_file *f = &s->files[i];

		sum.lists += f->state == SERVED_LIST;
		sum.ctls += f->version > 0;
		sum.bad += f->state == SERVED_UNREADABLE ||
			   (f->state == SERVED_LIST && !verdict_is_good(f->v.verdict));
		sum.is_open = sum.is_open || f->state == SERVED_UNREACHED ||
			      (f->state == SERVED_UNREADABLE && is_ctl(f));
		if (f->state == SERVED_UNREACHED && f->node != silent) {
			silent = f->node;
			sum.silent++;
		}
		if (strcmp(served_compared(s, f), "different") == 0)
			sum.is_different = true;
	}
	return sum;
}

void served_free(struct served *s)
{
	for (size_t i = 0; i < s->nfiles; i++) {
		struct served_file *f = &s->files[i];

		verification_free(&f->v);
		tlv_list_free(&f->list);
		net_question_free(&f->answer);
		free(f->url);
	}
	for (size_t i = 0; i < s->nnodes; i++) {
		free(s->nodes[i]);
		free(s->bases[i]);
	}
	for (size_t i = 0; i < COUNT(s->device_names); i++)
		free(s->device_names[i]);
	free(s->nodes);
	free(s->bases);
	free(s->files);
	*s = SERVED_INIT;
}
