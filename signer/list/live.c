/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/live.h"

#include <stdlib.h>
#include <string.h>

#include "signer/crypto/cert.h"
#include "signer/net/address.h"
#include "tlv/kind.h"
#include "tlv/name.h"
#include "tlv/safe.h"
#include "tlv/tables.h"
#include "tlv/text.h"

enum { PORT_MAX = 65535 };

static const struct service {
	uint16_t role, port;
	const char *name, *shown; /* on any port, and on this one */
} services[] = {
#define SERVICE(ROLE, port, name, shown) { TLV_ROLE_##ROLE, port, name, shown },
#include "signer/list/services.def"
#undef SERVICE
};

const char *live_state_text(enum live_state s)
{
	static const char *const text[] = { [LIVE_SAME] = "same",
					    [LIVE_RENEWED] = "renewed",
					    [LIVE_OTHER] = "other",
					    [LIVE_SILENT] = "no answer" };

	return text[s];
}

static bool role_of(struct span name, uint16_t *role)
{
	for (size_t i = 0; i < COUNT(services); i++) {
		const char *known = tlv_role_find(services[i].role)->text;

		if (strlen(known) == name.n && span_starts_nocase(name, span_str(known))) {
			*role = services[i].role;
			return true;
		}
	}
	return false;
}

/* The two sides of "A=B"; false if one is empty. */
static bool split(const char *text, struct span *left, struct span *right)
{
	size_t n = strcspn(text, "=");

	*left = span_of(text, n);
	*right = text[n] == '=' ? span_str(text + n + 1) : SPAN_NONE;
	return left->n > 0 && right->n > 0;
}

enum status live_add_port(struct live *l, const char *text, struct tlv_err *e)
{
	struct span role, port;
	struct live_port p;
	uint64_t n = 0;

	if (!split(text, &role, &port) || !role_of(role, &p.role) ||
	    !parse_number((const char *)port.p, PORT_MAX, &n) || n == 0)
		return err_set(
			e, ST_USAGE,
			"option '--port': '%s' is no service: give CCM, TFTP, CAPF or TVS, '=' and a port",
			text);
	if (!ARRAY_ROOM(l->ports, l->nports, l->ports_cap))
		return err_nomem(e);
	p.port = (uint16_t)n;
	l->ports[l->nports++] = p;
	return ST_OK;
}

enum status live_add_node(struct live *l, const char *text, struct tlv_err *e)
{
	struct net_address a;
	struct live_node n;

	if (!split(text, &n.name, &n.address) || !net_address_read(n.address, &a) || a.port.n > 0)
		return err_set(
			e, ST_USAGE,
			"option '--node': '%s' is no NAME=ADDRESS: give the name that the list has, '=' and a host without a port",
			text);
	for (size_t i = 0; i < l->nnodes; i++)
		if (span_eq(l->nodes[i].name, n.name))
			return err_set(
				e, ST_USAGE,
				"option '--node': '%.*s' is named twice: give one address for it",
				(int)n.name.n, (const char *)n.name.p);
	if (!ARRAY_ROOM(l->nodes, l->nnodes, l->nodes_cap))
		return err_nomem(e);
	l->nodes[l->nnodes++] = n;
	return ST_OK;
}

static struct span name_of(const struct tlv_record *r)
{
	return tlv_text(r->dns_name);
}

/* Where the record's node is: as it was said, the record's address, or its name. */
static void put_host(struct buf *b, const struct live *l, const struct tlv_record *r)
{
	for (size_t i = 0; i < l->nnodes; i++)
		if (span_eq(l->nodes[i].name, name_of(r))) {
			buf_put(b, l->nodes[i].address);
			return;
		}
	for (size_t i = 0; i < r->address.n; i++)
		if (span_at(r->address, i) != 0 && buf_address(b, r->address))
			return;
	buf_put(b, name_of(r));
}

static bool stands_for(const struct tlv_record *r, const struct service *s)
{
	if (!tlv_record_has(r, TLV_R_FUNCTION) || r->certificate.n == 0)
		return false;
	if (tlv_role_is_tftp(s->role))
		return tlv_record_is_tftp(r);
	return r->role == s->role ||
	       (s->role == TLV_ROLE_CCM && tlv_record_is(r, TLV_ROLE_CCM_TFTP));
}

/* TLV_KEY_OTHER: not known, as in a printed list. */
static enum tlv_key_type key_of(const struct tlv_record *r)
{
	struct tlv_cert c;

	return tlv_cert_walk(r->certificate, &c, NULL) == ST_OK ? c.key_type : TLV_KEY_OTHER;
}

static void service_free(struct live_service *s)
{
	free(s->records);
	buf_free(&s->node);
	buf_free(&s->at);
	net_question_free(&s->answer);
}

/* Appends "host:port"; false if the record's node is nothing that can be asked. */
static bool put_target(struct buf *out, const struct live *l, const struct tlv_record *r,
		       uint16_t port)
{
	struct buf host = BUF_INIT, digits = BUF_INIT;
	struct net_address a;
	bool ok;

	put_host(&host, l, r);
	buf_printf(&digits, "%u", (unsigned)port);
	ok = host.failed == ST_OK && net_address_read(buf_span(&host), &a) && a.port.n == 0;
	if (ok)
		net_address_put(out, &a, buf_span(&digits));
	else
		safe_text(out, buf_span(&host));
	buf_free(&host);
	buf_free(&digits);
	return ok;
}

/* The same service at this place, with a key of this type, or a new one. NULL: no room. */
static struct live_service *service_at(struct live *l, const struct live_service *wanted)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->services[i].key == wanted->key && l->services[i].role == wanted->role &&
		    span_eq(buf_span(&l->services[i].at), buf_span(&wanted->at)))
			return &l->services[i];
	if (!ARRAY_ROOM(l->services, l->n, l->cap))
		return NULL;
	l->services[l->n] = *wanted;
	l->services[l->n].at = l->services[l->n].node = BUF_INIT;
	buf_put(&l->services[l->n].at, buf_span(&wanted->at));
	buf_put(&l->services[l->n].node, buf_span(&wanted->node));
	return &l->services[l->n++];
}

static enum status add(struct live *l, const struct tlv_record *r, size_t record,
		       const struct service *s, uint16_t port, struct tlv_err *e)
{
	struct live_service x = { .role = s->role,
				  .name = port == s->port ? s->shown : s->name,
				  .key = key_of(r),
				  .state = LIVE_SILENT };
	struct live_service *there;
	enum status st;

	if (!put_target(&x.at, l, r, port))
		(void)err_set(
			&x.fault, ST_INPUT,
			"the record says no place that can be asked: give it with '--node NAME=ADDRESS'");
	safe_text(&x.node, name_of(r));
	st = buf_failed(&x.at, e);
	there = st == ST_OK ? service_at(l, &x) : NULL;
	if (there != NULL && ARRAY_ROOM(there->records, there->nrecords, there->records_cap))
		there->records[there->nrecords++] = record;
	else
		st = err_nomem(e);
	service_free(&x);
	if (st == ST_OK && l->n > LIVE_MAX)
		st = err_set(e, ST_INPUT, "its records stand for more than %d services", LIVE_MAX);
	return st;
}

/* On the ports that were given for the role; else on the usual one. */
static enum status add_service(struct live *l, const struct tlv_record *r, size_t record,
			       const struct service *s, struct tlv_err *e)
{
	enum status st = ST_OK;
	bool given = false;

	for (size_t i = 0; i < l->nports && st == ST_OK; i++)
		if (l->ports[i].role == s->role) {
			given = true;
			st = add(l, r, record, s, l->ports[i].port, e);
		}
	return given || st != ST_OK ? st : add(l, r, record, s, s->port, e);
}

static enum status add_all(struct live *l, const struct tlv_list *list, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < list->nrecords; i++) {
		struct tlv_record r = tlv_list_record(list, i);

		for (size_t k = 0; k < COUNT(services) && st == ST_OK; k++)
			if (stands_for(&r, &services[k]))
				st = add_service(l, &r, i, &services[k], e);
	}
	if (st == ST_OK && l->n == 0)
		st = err_set(
			e, ST_INPUT,
			"no record stands for a service that could be asked: such records have the role CCM, TFTP, CCM+TFTP, CAPF or TVS, and a certificate");
	return st;
}

static enum status check_names(const struct live *l, const struct tlv_list *list, struct tlv_err *e)
{
	for (size_t i = 0; i < l->nnodes; i++) {
		bool found = false;

		for (size_t k = 0; k < list->nrecords && !found; k++) {
			struct tlv_record r = tlv_list_record(list, k);

			found = span_eq(l->nodes[i].name, name_of(&r));
		}
		if (!found)
			return err_set(
				e, ST_USAGE,
				"option '--node': no record has the name '%.*s': take it from 'show'",
				(int)l->nodes[i].name.n, (const char *)l->nodes[i].name.p);
	}
	return ST_OK;
}

static enum net_what question_for(enum tlv_key_type key)
{
	switch (key) {
	case TLV_KEY_RSA:
		return NET_CHAIN_RSA;
	case TLV_KEY_EC:
		return NET_CHAIN_EC;
	case TLV_KEY_OTHER:
		break;
	}
	return NET_CHAIN;
}

/* The services that have a place to be asked at, side by side. */
static enum status ask(struct live *l, struct tlv_err *e)
{
	struct net_question *q = calloc(l->n, sizeof *q);
	size_t n = 0;
	enum status st;

	if (q == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < l->n; i++)
		if (l->services[i].fault.status == ST_OK)
			q[n++] = (struct net_question){ .what = question_for(l->services[i].key),
							.target = buf_cstr(&l->services[i].at),
							.max = NET_CHAIN_MAX };
	st = net_ask_all(q, n, e);
	n = 0;
	for (size_t i = 0; i < l->n; i++)
		if (l->services[i].fault.status == ST_OK)
			l->services[i].answer = q[n++];
	free(q);
	return st;
}

/* Whether the certificate's subject is the record's, in whatever dialect. */
static bool same_name(const struct tlv_record *r, const struct tlv_cert *presented)
{
	struct tlv_cert own;

	if (tlv_cert_walk(r->certificate, &own, NULL) == ST_OK)
		return tlv_name_same(own.subject, presented->subject);
	return tlv_name_match(tlv_text(r->subject), presented->subject).matches;
}

/* Of the records that stand for this service the one that fits best. */
static enum live_state compare(const struct live_service *s, const struct tlv_list *list,
			       const struct tlv_cert *presented)
{
	enum live_state best = LIVE_OTHER;

	for (size_t i = 0; i < s->nrecords; i++) {
		struct tlv_record r = tlv_list_record(list, s->records[i]);

		if (cert_is_of_record(list, &r, presented->der))
			return LIVE_SAME;
		if (same_name(&r, presented))
			best = LIVE_RENEWED;
	}
	return best;
}

/* The server's own certificate stands first, and others may follow. */
static enum status judge(struct live_service *s, const struct tlv_list *list, struct tlv_err *e)
{
	struct tlv_cert presented;
	enum status st;

	if (s->fault.status == ST_OK && net_question_err(&s->answer, &s->fault) == ST_NOMEM)
		return err_nomem(e);
	if (s->fault.status != ST_OK)
		return ST_OK;
	s->certificate = cert_first(buf_span(&s->answer.bytes));
	st = tlv_cert_walk(s->certificate, &presented, &s->fault);
	if (st == ST_OK)
		s->state = compare(s, list, &presented);
	return st == ST_NOMEM ? err_nomem(e) : ST_OK;
}

static enum status nobody_answered(const struct live *l, struct tlv_err *e)
{
	(void)err_set(e, ST_INPUT, "no answer from any of %zu service%s", l->n, plural(l->n));
	for (size_t i = 0; i < l->n; i++)
		err_line(e, "%s", err_text(&l->services[i].fault));
	return ST_INPUT;
}

enum status live_ask(struct live *l, const struct tlv_list *list, struct tlv_err *e)
{
	enum status st = check_names(l, list, e);

	if (st == ST_OK)
		st = add_all(l, list, e);
	if (st == ST_OK)
		st = ask(l, e);
	for (size_t i = 0; i < l->n && st == ST_OK; i++)
		st = judge(&l->services[i], list, e);
	if (st == ST_OK && live_count(l, LIVE_SILENT) == l->n)
		st = nobody_answered(l, e);
	return st;
}

size_t live_count(const struct live *l, enum live_state s)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->services[i].state == s;
	return n;
}

void live_free(struct live *l)
{
	for (size_t i = 0; i < l->n; i++)
		service_free(&l->services[i]);
	free(l->services);
	free(l->ports);
	free(l->nodes);
	*l = LIVE_INIT;
}
