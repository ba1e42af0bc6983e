/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/recover/recover.h"

#include <stdlib.h>

#include "signer/crypto/digest.h"
#include "tlv/certs.h"
#include "tlv/kind.h"

/* The row's list that comes first, of one kind: the CTL, or the ITL of a node. */
struct order {
	enum recover_signer signer;
	bool is_ctl;
	size_t node;
};

/* Whether the cluster shows the certificate that is to sign; else the way is not for it. */
static bool has_signer(const struct cluster *c, const struct order *o)
{
	if (o->signer == RECOVER_ITLRECOVERY)
		return cluster_cert_of(c, PLAN_KIND_ITLRECOVERY, CLUSTER_NONE) < c->ncerts;
	return o->signer != RECOVER_CALLMANAGER || c->nodes[o->node].callmanager < c->ncerts;
}

/* time: between the lists of today and those that come last. */
static enum status write_first(struct stage_list *out, const struct recovery *r,
			       const struct order *o, const struct tlv_record *key,
			       struct tlv_err *e)
{
	const struct stage_list *wanted = o->is_ctl ? &r->wanted.ctl : &r->wanted.itl[o->node];
	enum stage_writes how =
		o->signer == RECOVER_CALLMANAGER ? STAGE_CALLMANAGER : STAGE_ITLRECOVERY;

	if (o->signer == RECOVER_KEY)
		return stage_sign_by(out, wanted->list, key, o->is_ctl, 1, e);
	if (o->is_ctl)
		return stage_write_ctl(out, r->in.c, r->in.now, how, 1, e);
	return stage_write_itl(out, r->in.c, r->in.now, o->node, how, 1, e);
}

/* *made stays false if the cluster has no such signer. */
static enum status write_lists(struct recover_way *w, const struct recovery *r, bool *made,
			       struct tlv_err *e)
{
	const struct recover_row *row = recover_row(w->id);
	struct order o = { .signer = row->ctl, .is_ctl = true, .node = r->in.c->publisher };
	enum status st = ST_OK;

	*made = true;
	if (row->ctl != RECOVER_KEPT)
		*made = r->wanted.ctl.list != NULL && has_signer(r->in.c, &o);
	if (row->ctl != RECOVER_KEPT && *made)
		st = write_first(&w->lists.ctl, r, &o, &w->key, e);
	for (o.node = 0; row->itl != RECOVER_KEPT && o.node < r->in.c->nnodes; o.node++) {
		o.signer = row->itl;
		o.is_ctl = false;
		if (st != ST_OK || !r->in.c->nodes[o.node].tftp)
			continue;
		*made &= has_signer(r->in.c, &o);
		st = *made ? write_first(&w->lists.itl[o.node], r, &o, &w->key, e) : st;
	}
	return st;
}

static enum status add_way(struct recovery *r, const struct recover_way *from, struct tlv_err *e)
{
	struct recover_way *w = &r->ways[r->nways];
	bool made;
	enum status st;

	if (r->nways == RECOVER_WAYS_MAX)
		return err_set(
			e, ST_USAGE,
			"option '--installed-dir': phones hold more than %d different keys: plan for a part of them at a time",
			RECOVER_WAYS_MAX);
	*w = *from;
	if ((recover_way_needs(r, w) & r->in.missing) != 0)
		return ST_OK;
	st = write_lists(w, r, &made, e);
	r->nways += st == ST_OK && made;
	if (st != ST_OK || !made)
		stage_served_free(&w->lists);
	return st;
}

static bool has_way(const struct recovery *r, enum recover_way_id id, const struct tlv_record *key)
{
	for (size_t i = 0; i < r->nways; i++)
		if (r->ways[i].id == id && span_eq(r->ways[i].key.certificate, key->certificate))
			return true;
	return false;
}

static bool is_for(enum recover_keys keys, const struct recover_key *k)
{
	if (keys == RECOVER_KEYS_TOKEN)
		return k->place == RECOVER_KEY_TOKEN;
	return k->place == RECOVER_KEY_SAVED ||
	       (keys == RECOVER_KEYS_ITLRECOVERY && tlv_record_is_itlrecovery(&k->record));
}

/* A way with each key that phones hold and that somebody may have. */
static enum status add_keys(struct recovery *r, enum recover_way_id id, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < r->nholders; i++) {
		struct recover_key keys[RECOVER_KEYS_MAX];
		size_t n = recover_keys(r, i, keys);

		for (size_t k = 0; st == ST_OK && k < n; k++)
			if (is_for(recover_row(id)->keys, &keys[k]) &&
			    !has_way(r, id, &keys[k].record))
				st = add_way(r,
					     &(struct recover_way){ .id = id,
								    .key = keys[k].record,
								    .place = keys[k].place },
					     e);
	}
	return st;
}

/*
 * [ITL_RECORDS]: what the ITLs of all nodes have in common at one time. It is digested once for
 * each ITL, as each is compared with each.
 */
struct shared {
	bool known;
	struct digest certs[2]; /* of TVS and of CAPF */
};

static enum status digest_certs(const struct tlv_certs *c, struct digest *out, struct tlv_err *e)
{
	struct buf all = BUF_INIT;
	struct span bytes;
	enum status st;

	for (size_t i = 0; i < c->n; i++) {
		buf_u32(&all, (uint32_t)c->v[i].n);
		buf_put(&all, c->v[i]);
	}
	bytes = buf_span(&all);
	st = buf_failed(&all, e);
	if (st == ST_OK)
		st = digest_parts(TLV_SHA256, &bytes, 1, out, e);
	buf_free(&all);
	return st;
}

static enum status note_shared(struct shared *x, const struct tlv_list *itl, struct tlv_err *e)
{
	static const uint32_t roles[] = { TLV_CERTS_OF(TVS), TLV_CERTS_OF(CAPF) };
	enum status st = ST_OK;

	*x = (struct shared){ .known = itl != NULL };
	for (size_t i = 0; st == ST_OK && i < COUNT(roles); i++) {
		struct tlv_certs c;

		st = tlv_certs_of(&c, itl, roles[i], e);
		x->known &= c.complete;
		if (st == ST_OK)
			st = digest_certs(&c, &x->certs[i], e);
		tlv_certs_free(&c);
	}
	return st;
}

static bool is_of_one_time(const struct recovery *r, const struct shared *x, size_t a, size_t b)
{
	const struct recover_holder *h = &r->holders[a], *k = &r->holders[b];

	if (!x[a].known || !x[b].known ||
	    (h->ctl != NULL && k->ctl != NULL && !recover_is_same(h->ctl, k->ctl)))
		return false;
	for (size_t i = 0; i < COUNT(x[a].certs); i++)
		if (!span_eq(digest_span(&x[a].certs[i]), digest_span(&x[b].certs[i])))
			return false;
	return true;
}

/* A restore brings back the ITL of every node. */
static struct recover_way backup_of(const struct recovery *r, const struct shared *x, size_t holder)
{
	struct recover_way w = { .id = RECOVER_WAY_BACKUP, .holder = holder };
	const struct recover_holder *h = &r->holders[holder];

	for (size_t n = 0; n < COUNT(w.back); n++)
		w.back[n] = h->node == n ? holder : RECOVER_HOLDERS_MAX;
	for (size_t i = 0; i < r->nholders; i++) {
		size_t node = r->holders[i].node;

		if (node < COUNT(w.back) && w.back[node] == RECOVER_HOLDERS_MAX &&
		    is_of_one_time(r, x, holder, i))
			w.back[node] = i;
	}
	return w;
}

/* Whether a backup brings back these lists already: as those of another node, or with an ITL. */
static bool has_backup(const struct recovery *r, const struct recover_holder *h)
{
	for (size_t i = 0; i < r->nways; i++) {
		const struct recover_way *w = &r->ways[i];
		size_t at = h->node < COUNT(w->back) ? w->back[h->node] : RECOVER_HOLDERS_MAX;

		if (w->id != RECOVER_WAY_BACKUP ||
		    (h->ctl != NULL && !recover_is_same(r->holders[w->holder].ctl, h->ctl)))
			continue;
		if (h->itl == NULL ||
		    (at < RECOVER_HOLDERS_MAX && recover_is_same(r->holders[at].itl, h->itl)))
			return true;
	}
	return false;
}

/* A backup for each time of which phones hold lists that the cluster no longer serves. */
static enum status add_backups(struct recovery *r, struct tlv_err *e)
{
	struct shared shared[RECOVER_HOLDERS_MAX];
	enum status st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < r->nholders; i++)
		st = note_shared(&shared[i], r->holders[i].itl, e);
	for (size_t i = 0; st == ST_OK && i < r->nholders; i++) {
		struct recover_way w;

		if (r->holders[i].takes_today || has_backup(r, &r->holders[i]))
			continue;
		w = backup_of(r, shared, i);
		st = add_way(r, &w, e);
	}
	return st;
}

/* [KNOWS_UPLOADS]: TVS is told of the token whose CTL phones do not take. */
static enum status add_signer(struct recovery *r, enum recover_way_id id, struct tlv_err *e)
{
	const struct tlv_list *l = r->wanted.ctl.list;
	long at = l != NULL ? tlv_list_signer(l) : TLV_SIGNER_NONE;
	struct recover_way w = { .id = id, .place = RECOVER_KEY_TOKEN };
	enum status st;

	if (at < 0)
		return ST_OK;
	w.key = tlv_list_record(l, (size_t)at);
	if (w.key.certificate.n == 0)
		return ST_OK;
	st = certset_add(&r->signer, w.key.certificate, NULL, e);
	return st == ST_OK ? add_way(r, &w, e) : st;
}

static enum status add_ways(struct recovery *r, enum recover_way_id id, struct tlv_err *e)
{
	if ((recover_row(id)->when & ~r->when) != 0)
		return ST_OK;
	if (id == RECOVER_WAY_BACKUP)
		return add_backups(r, e);
	if (recover_row(id)->keys == RECOVER_KEYS_SIGNER)
		return add_signer(r, id, e);
	if (recover_row(id)->keys != RECOVER_KEYS_NONE)
		return add_keys(r, id, e);
	return add_way(r, &(struct recover_way){ .id = id }, e);
}

enum status recover_note_ways(struct recovery *r, struct tlv_err *e)
{
	enum status st = ST_OK;

	r->ways = calloc(RECOVER_WAYS_MAX + 1, sizeof *r->ways);
	if (r->ways == NULL)
		return err_nomem(e);
	for (int id = 0; st == ST_OK && id < RECOVER_WAY_IDS; id++)
		st = add_ways(r, (enum recover_way_id)id, e);
	return st;
}
