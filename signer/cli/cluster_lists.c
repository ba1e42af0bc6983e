/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/cluster_lists.h"

#include <stdlib.h>

#include "signer/text/when.h"

/* The CTL tells more of the release than an ITL does. */
static const struct tlv_list *telling_list(const struct cluster_lists *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (!tlv_list_is_itl(x->v[i]))
			return x->v[i];
	return x->v[0];
}

/* What other lists, logs and --certs show is genuine, also where a text shows its SHA-1 alone. */
enum status cluster_list_know(struct standins *s, struct list_file *f, const char *arg,
			      struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < f->list.nrecords; i++) {
		struct tlv_record r = tlv_list_record(&f->list, i);
		struct span der;

		st = list_file_certificate(f, &r, arg, &der, e);
		if (st == ST_OK && der.n > 0)
			st = standins_know(s, der, e);
	}
	return st;
}

/*
 * The printed time is that of the file: some seconds after the signature, and hours off, for the
 * zone's name does not tell its offset.
 */
static void put_time(struct buf *bytes, const struct printed *p)
{
	struct buf time = BUF_INIT;
	int64_t seconds;

	if (!when_parse(p->modified, &seconds) || seconds < 0 || seconds > UINT32_MAX)
		return;
	buf_u32(&time, (uint32_t)seconds);
	for (size_t i = 0; i < p->ngaps; i++)
		if (p->gaps[i].scope == TLV_SCOPE_HEADER && p->gaps[i].tag == TLV_H_TIMESTAMP &&
		    p->gaps[i].n == time.n)
			buf_fill(bytes, p->gaps[i].at, buf_span(&time));
	buf_free(&time);
}

enum status cluster_list_fill(struct standins *s, const struct list_file *f,
			      struct cluster_filled *to, struct tlv_err *e)
{
	const struct tlv_list *printed = &f->list;
	enum status st = standins_fill(s, printed, &to->bytes, e);

	if (st == ST_OK && f->printed != NULL)
		put_time(&to->bytes, f->printed);
	if (st == ST_OK)
		st = tlv_list_decode(&to->list, buf_span(&to->bytes), e);
	to->list.stand_in = true;
	to->list.known_bad = printed->known_bad;
	(void)span_copy(span_of(printed->md5, sizeof printed->md5), (uint8_t *)to->list.md5,
			sizeof to->list.md5);
	(void)span_copy(span_of(printed->sha1, sizeof printed->sha1), (uint8_t *)to->list.sha1,
			sizeof to->list.sha1);
	return st;
}

static enum status fill_printed(struct cluster_lists *x, const struct opts *o, struct tlv_err *e)
{
	enum status st = ST_OK;
	bool any = x->stands_in;

	for (size_t i = 0; i < x->n; i++)
		any = any || x->files[i].list.printed;
	if (!any)
		return ST_OK;
	for (size_t i = 0; st == ST_OK && i < x->n; i++)
		st = cluster_list_know(&x->standins, &x->files[i], o->args[i], e);
	for (size_t i = 0; st == ST_OK && i < x->n; i++) {
		if (!x->files[i].list.printed)
			continue;
		st = cluster_list_fill(&x->standins, &x->files[i], &x->filled[i], e);
		x->v[i] = &x->filled[i].list;
		if (st != ST_OK)
			st = err_in(e, "%s", o->args[i]);
	}
	return st;
}

enum status cluster_lists_read(struct cluster_lists *x, const struct opts *o, unsigned flags,
			       struct release *release, struct tlv_err *e)
{
	enum status st = ST_OK;

	x->files = calloc(o->nargs, sizeof *x->files);
	x->v = calloc(o->nargs, sizeof *x->v);
	x->filled = calloc(o->nargs, sizeof *x->filled);
	if (x->files == NULL || x->v == NULL || x->filled == NULL)
		return err_nomem(e);
	for (; st == ST_OK && x->n < o->nargs; x->n++) {
		st = list_file_read(&x->files[x->n], o->args[x->n], flags, e);
		x->v[x->n] = &x->files[x->n].list;
	}
	if (st == ST_OK)
		st = fill_printed(x, o, e);
	return st == ST_OK ?
		       release_choose(opt_value(o, OPT_RELEASE), telling_list(x), release, e) :
		       st;
}

void cluster_lists_free(struct cluster_lists *x)
{
	for (size_t i = 0; i < x->n; i++) {
		list_file_free(&x->files[i]);
		tlv_list_free(&x->filled[i].list);
		buf_free(&x->filled[i].bytes);
	}
	standins_free(&x->standins);
	free(x->files);
	free(x->filled);
	free(x->v);
}
