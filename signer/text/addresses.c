/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/text/addresses.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "signer/text/log.h"
#include "signer/text/pem.h"
#include "tlv/text.h"

enum {
	ADDRESSES_MAX = 1024,	/* that are taken from a log */
	COMPARED_MAX = 5000000, /* words of a log with records of a list: a second or two */
};

bool addresses_name_is(struct span name, struct span of_record)
{
	size_t dot = 0;

	while (dot < name.n && span_at(name, dot) != '.')
		dot++;
	return span_eq(name, of_record) || span_eq(span_slice(name, 0, dot), of_record);
}

bool addresses_parse(struct span name, uint8_t ip[4])
{
	char *text = span_dup(name);
	bool is = text != NULL && parse_ipv4(text, ip);

	free(text);
	return is;
}

struct address_list {
	struct rebuild_address *v;
	size_t n, cap;
	void *known; /* a tree of copies: a log has one address in millions of lines */
	const struct printed *p;
	uint64_t compared; /* words with records, so far */
};

static int by_value(const void *a, const void *b)
{
	const struct rebuild_address *x = a, *y = b;
	int order = memcmp(x->ip, y->ip, sizeof x->ip);

	if (order != 0 || x->name.n != y->name.n)
		return order != 0 ? order : (x->name.n > y->name.n) - (x->name.n < y->name.n);
	return x->name.n > 0 ? memcmp(x->name.p, y->name.p, x->name.n) : 0;
}

static enum status know(struct address_list *l, const struct rebuild_address *x, struct tlv_err *e)
{
	struct rebuild_address *copy = malloc(sizeof *copy), **found = NULL;

	if (copy != NULL) {
		*copy = *x;
		found = tsearch(copy, &l->known, by_value);
	}
	/* One that --address says twice is there already. */
	if (found == NULL || *found != copy)
		free(copy);
	return found != NULL ? ST_OK : err_nomem(e);
}

static enum status add_address(struct address_list *l, struct span name, const uint8_t ip[4],
			       struct tlv_err *e)
{
	struct rebuild_address x = { .name = name };

	(void)span_copy(span_of(ip, 4), x.ip, 4);
	if (tfind(&x, &l->known, by_value) != NULL)
		return ST_OK;
	if (!ARRAY_ROOM(l->v, l->n, l->cap))
		return err_nomem(e);
	l->v[l->n++] = x;
	return know(l, &x, e);
}

/* What can stand in a host name or an address. */
static bool is_word(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '.' || c == '-' || c == '_';
}

static struct span next_word(struct span *s)
{
	size_t n = 0;
	struct span word;

	while (s->n > 0 && !is_word(span_at(*s, 0)))
		*s = span_slice(*s, 1, s->n);
	while (n < s->n && is_word(span_at(*s, n)))
		n++;
	word = span_slice(*s, 0, n);
	*s = span_slice(*s, n, s->n);
	return word;
}

/* The DNSNAME of a record that the word names; empty if there is none. */
static struct span name_in_list(const struct printed *p, struct span word)
{
	for (size_t i = 0; i < p->list.nrecords; i++) {
		struct tlv_record r = tlv_list_record(&p->list, i);
		struct span name = tlv_text(r.dns_name);

		if (name.n > 0 && addresses_name_is(word, name))
			return name;
	}
	return SPAN_NONE;
}

static bool has_address(struct span line)
{
	uint8_t ip[4];
	struct span word;

	while ((word = next_word(&line)).n > 0)
		if (word.n >= sizeof "1.1.1.1" - 1 && word.n <= sizeof "255.255.255.255" - 1 &&
		    addresses_parse(word, ip))
			return true;
	return false;
}

static enum status take_addresses(struct address_list *l, struct span line, struct tlv_err *e)
{
	enum status st = ST_OK;
	struct span all = line, word, name = SPAN_NONE;
	uint8_t ip[4];

	if (l->n >= ADDRESSES_MAX || !has_address(line))
		return ST_OK;
	while (name.n == 0 && l->compared < COMPARED_MAX && (word = next_word(&all)).n > 0) {
		l->compared += l->p->list.nrecords;
		name = name_in_list(l->p, word);
	}
	while (st == ST_OK && (word = next_word(&line)).n > 0)
		if (addresses_parse(word, ip))
			st = add_address(l, name, ip, e);
	return st;
}

static enum status take_row(void *arg, struct span row, struct tlv_err *e)
{
	return take_addresses(arg, row, e);
}

enum status rebuild_addresses(const struct printed *p, struct span log,
			      struct rebuild_address **list, size_t *n, struct tlv_err *e)
{
	struct address_list l = { .v = *list, .n = *n, .cap = *n, .p = p };
	struct log lines = { .next = 1 };
	struct span line;
	enum status st = ST_OK;

	for (size_t i = 0; i < l.n && st == ST_OK; i++)
		st = know(&l, &l.v[i], e);
	if (st == ST_OK)
		st = query_each(log, take_row, &l, e);
	if (st == ST_OK)
		st = log_open(&lines, log, e);
	while (st == ST_OK && log_next(&lines, &line))
		st = take_addresses(&l, line, e);
	if (log_close(&lines, e) != ST_OK)
		st = e->status;
	tdestroy(l.known, free);
	*list = l.v;
	*n = l.n;
	return st;
}
