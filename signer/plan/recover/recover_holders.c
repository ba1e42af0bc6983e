/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/plan/recover/recover.h"
#include "tlv/kind.h"

/* "2024/" of "2024/CTLFile.tlv". */
static struct span folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return span_of(path, slash != NULL ? (size_t)(slash - path) : 0);
}

/* A folder comes before those below it, and its files stand together. */
static int by_path(const void *a, const void *b)
{
	const char *x = ((const struct recover_held *)a)->path;
	const char *y = ((const struct recover_held *)b)->path;
	struct span in_x = folder_of(x), in_y = folder_of(y);
	int folders = strncmp(x, y, in_x.n < in_y.n ? in_x.n : in_y.n);

	if (folders == 0 && in_x.n != in_y.n)
		return in_x.n < in_y.n ? -1 : 1;
	return folders != 0 ? folders : strcmp(x, y);
}

void recover_sort_held(struct recover_held *held, size_t n)
{
	if (n > 1)
		qsort(held, n, sizeof *held, by_path);
}

/* The list that is served today, if it is the same. */
static const struct tlv_list *as_served(const struct recovery *r, const struct tlv_list *l)
{
	if (recover_is_same(l, r->given.ctl.list))
		return r->given.ctl.list;
	for (size_t i = 0; l != NULL && i < r->in.c->nnodes; i++)
		if (recover_is_same(l, r->given.itl[i].list))
			return r->given.itl[i].list;
	return l;
}

/* The TFTP node that an ITL is of; phones that hold a CTL alone may ask any. */
static size_t node_of(const struct cluster *c, const struct tlv_list *itl)
{
	size_t node = cluster_owner(c, itl);

	return node != CLUSTER_NONE && c->nodes[node].tftp ? node : CLUSTER_NONE;
}

static bool is_there(const struct recovery *r, const struct recover_holder *h)
{
	for (size_t i = 0; i < r->nholders; i++)
		if (r->holders[i].phones == h->phones &&
		    recover_is_same(r->holders[i].ctl, h->ctl) &&
		    recover_is_same(r->holders[i].itl, h->itl))
			return true;
	return false;
}

static enum status add_holder(struct recovery *r, enum crowd_class phones,
			      const struct recover_held *ctl, const struct recover_held *itl,
			      struct tlv_err *e)
{
	struct recover_holder h = { .phones = phones,
				    .ctl = ctl != NULL ? as_served(r, ctl->list) : NULL,
				    .itl = itl != NULL ? as_served(r, itl->list) : NULL,
				    .ctl_path = ctl != NULL ? ctl->path : NULL,
				    .itl_path = itl != NULL ? itl->path : NULL };

	h.node = node_of(r->in.c, h.itl);
	if (is_there(r, &h))
		return ST_OK;
	if (r->nholders == RECOVER_HOLDERS_MAX)
		return err_set(
			e, ST_USAGE,
			"option '--installed-dir': phones hold more than %d different lists: plan for a part of them at a time",
			RECOVER_HOLDERS_MAX);
	r->holders[r->nholders++] = h;
	return ST_OK;
}

/* The classes of phones that may hold these lists. */
static enum status add_holders(struct recovery *r, const struct recover_held *ctl,
			       const struct recover_held *itl, struct tlv_err *e)
{
	enum crowd_class with = ctl == NULL ? CROWD_ITL_ONLY :
				itl == NULL ? CROWD_CTL_ONLY :
					      CROWD_BOTH;
	enum status st = add_holder(r, with, ctl, itl, e);

	return st == ST_OK && ctl != NULL ? add_holder(r, CROWD_PLAIN, ctl, NULL, e) : st;
}

/* One CTL and one ITL in a folder are held together; of several each is held alone. */
static enum status note_folder(struct recovery *r, const struct recover_held *held, size_t n,
			       struct tlv_err *e)
{
	const struct recover_held *ctl = NULL, *itl = NULL;
	size_t ctls = 0, itls = 0;
	enum status st = ST_OK;

	for (size_t i = 0; i < n; i++) {
		bool is_itl = tlv_list_is_itl(held[i].list);

		*(is_itl ? &itl : &ctl) = &held[i];
		*(is_itl ? &itls : &ctls) += 1;
	}
	if (ctls <= 1 && itls <= 1)
		return add_holders(r, ctl, itl, e);
	for (size_t i = 0; st == ST_OK && i < n; i++)
		st = tlv_list_is_itl(held[i].list) ? add_holders(r, NULL, &held[i], e) :
						     add_holders(r, &held[i], NULL, e);
	return st;
}

enum status recover_note_holders(struct recovery *r, struct tlv_err *e)
{
	size_t from = 0, to;
	enum status st = ST_OK;

	for (; st == ST_OK && from < r->in.nheld; from = to) {
		struct span folder = folder_of(r->in.held[from].path);

		for (to = from + 1; to < r->in.nheld; to++)
			if (!span_eq(folder_of(r->in.held[to].path), folder))
				break;
		st = note_folder(r, &r->in.held[from], to - from, e);
	}
	return st;
}

/* The record's place among the keys; n: it is not there yet. */
static size_t find_key(const struct recover_key *keys, size_t n, const struct tlv_record *x)
{
	size_t i = 0;

	while (i < n && !span_eq(keys[i].record.certificate, x->certificate))
		i++;
	return i;
}

static enum recover_key_place place_of(const struct recovery *r, const struct tlv_record *x)
{
	size_t cert = cluster_find_cert(r->in.c, x->certificate);

	if (tlv_record_is_token(x))
		return RECOVER_KEY_TOKEN;
	if (cert < r->in.c->ncerts && !cluster_is_renewed(r->in.now, cert))
		return RECOVER_KEY_CLUSTER;
	return tlv_record_is_itlrecovery(x) ? RECOVER_KEY_SAVED : RECOVER_KEY_BACKUP;
}

static size_t note_keys(const struct recovery *r, const struct tlv_list *l, size_t n,
			struct recover_key keys[RECOVER_KEYS_MAX])
{
	bool itl = l != NULL && tlv_list_is_itl(l);

	for (size_t i = 0; l != NULL && i < l->nrecords; i++) {
		struct tlv_record x = tlv_list_record(l, i);
		size_t at = find_key(keys, n, &x);

		if (!tlv_record_is(&x, TLV_ROLE_SAST) || x.certificate.n == 0 ||
		    tlv_record_is_ec(&x) || at == RECOVER_KEYS_MAX)
			continue;
		if (at == n) {
			keys[n++] = (struct recover_key){ .record = x, .place = place_of(r, &x) };
		}
		*(itl ? &keys[at].in_itl : &keys[at].in_ctl) = true;
	}
	return n;
}

size_t recover_keys(const struct recovery *r, size_t holder,
		    struct recover_key keys[RECOVER_KEYS_MAX])
{
	const struct recover_holder *h = &r->holders[holder];
	size_t n = note_keys(r, h->ctl, 0, keys);

	return note_keys(r, h->itl, n, keys);
}
