/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/diff.h"

#include <stdlib.h>

#include "signer/list/diff_fact.h"

#include "tlv/kind.h"
#include "tlv/text.h"

#define BIT(n) (1U << (unsigned)(n))

/* What records are matched by. PART_NONE ends a pass. */
enum part {
	PART_NONE,
	PART_RAW,
	PART_CERT,
	PART_ROLE,
	PART_CLASS, /* role, and whether token, ITLRecovery or neither */
	PART_ADDRESS,
	PART_SUBJECT, /* the certificate's */
	PART_SUBJECT_TEXT,
	PART_ISSUER_TEXT,
	PART_SERIAL,
	PART_NAME,
	PARTS
};

enum { PASS_PARTS = 3 };

/*
 * One after the other; what a pass has matched is out of the next ones. The
 * publisher's CallManager and ITLRecovery certificates are both SAST at one
 * address, so if subjects match too they go first. A key of parts that a
 * record lacks matches nothing.
 */
static const enum part passes[][PASS_PARTS] = {
	{ PART_RAW },
	{ PART_CERT, PART_ROLE, PART_ADDRESS },
	{ PART_CERT, PART_ROLE },
	{ PART_SERIAL, PART_ISSUER_TEXT, PART_ROLE }, /* a hash in place of the certificate */
	{ PART_CLASS, PART_ADDRESS, PART_SUBJECT },
	{ PART_CLASS, PART_ADDRESS },
	{ PART_CLASS, PART_SUBJECT },
	{ PART_CLASS, PART_SUBJECT_TEXT },
	{ PART_CLASS, PART_NAME },
	{ PART_CERT }, /* of another role now */
};

/*
 * For each record: what became of it, and its keys in this pass. The keys may point into the
 * struct.
 */
struct place {
	size_t index, partner; /* partner: DIFF_NO_RECORD if it has none */
	bool stays;	       /* its partner is where the order of the others puts it */
	uint8_t role_class[3];
	uint8_t address[4];
	struct span key[PASS_PARTS]; /* p NULL: the record has none */
};

struct side {
	const struct tlv_list *l;
	struct place *v;
	size_t n;
	struct place **sorted; /* those that take part in the pass */
	size_t nsorted;
};

enum record_class { CLASS_PLAIN, CLASS_TOKEN, CLASS_ITLRECOVERY };

static enum record_class class_of(const struct diff_record *x)
{
	if (tlv_record_is_token(&x->r))
		return CLASS_TOKEN;
	return tlv_record_is_itlrecovery(&x->r) ? CLASS_ITLRECOVERY : CLASS_PLAIN;
}

/* A span that is there, or none: an empty field is no key. */
static struct span key(struct span s)
{
	return s.n > 0 ? s : SPAN_NONE;
}

/* The CTL Client also writes the address as DNSNAME, which a wrong IPADDRESS leaves whole. */
static struct span address_key(const struct diff_record *x, uint8_t room[4])
{
	bool usable = x->r.address.n == 4 && span_be(x->r.address) != 0;

	if (usable)
		return x->r.address;
	if (span_ipv4(tlv_text(x->r.dns_name), room))
		return span_of(room, 4);
	return x->r.address.n == 4 ? SPAN_NONE : key(x->r.address);
}

static struct span role_class(struct place *p, const struct diff_record *x)
{
	p->role_class[0] = (uint8_t)(x->r.role >> 8);
	p->role_class[1] = (uint8_t)(x->r.role & 0xffU);
	p->role_class[2] = (uint8_t)class_of(x);
	return span_of(p->role_class, sizeof p->role_class);
}

static struct span part_of(enum part part, struct place *p, const struct diff_record *x)
{
	switch (part) {
	case PART_RAW:
		return x->r.raw;
	case PART_CERT:
		return key(x->r.certificate);
	case PART_ROLE:
		return span_slice(role_class(p, x), 0, 2);
	case PART_CLASS:
		return role_class(p, x);
	case PART_ADDRESS:
		/* Two tokens are never one another's successor because of where they are. */
		return class_of(x) == CLASS_TOKEN ? SPAN_NONE : address_key(x, p->address);
	case PART_SUBJECT:
		return x->has_cert ? key(x->cert.subject) : SPAN_NONE;
	case PART_SUBJECT_TEXT:
		return key(tlv_text(x->r.subject));
	case PART_ISSUER_TEXT:
		return key(tlv_text(x->r.issuer));
	case PART_SERIAL:
		return key(x->r.serial);
	case PART_NAME:
		return key(tlv_text(x->r.dns_name));
	case PART_NONE:
	case PARTS:
		break;
	}
	return SPAN_NONE;
}

static bool side_make(struct side *s, const struct tlv_list *l)
{
	*s = (struct side){ .l = l, .n = l->nrecords };
	if (s->n == 0)
		return true;
	s->v = calloc(s->n, sizeof *s->v);
	s->sorted = calloc(s->n, sizeof(struct place *));
	if (s->v == NULL || s->sorted == NULL)
		return false;
	for (size_t i = 0; i < s->n; i++) {
		s->v[i].index = i;
		s->v[i].partner = DIFF_NO_RECORD;
	}
	return true;
}

static void side_free(struct side *s)
{
	free(s->v);
	free((void *)s->sorted);
}

static int compare_keys(const struct place *a, const struct place *b)
{
	for (size_t i = 0; i < PASS_PARTS; i++) {
		int r = span_cmp(a->key[i], b->key[i]);

		if (r != 0)
			return r;
	}
	return 0;
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = *(struct place *const *)a, *y = *(struct place *const *)b;
	int r = compare_keys(x, y);

	return r != 0 ? r : (x->index > y->index) - (x->index < y->index);
}

/* Sets the keys of the pass; false if the record has a partner, or lacks one of them. */
static bool takes_part(struct place *p, const struct tlv_list *l, const enum part *pass)
{
	struct diff_record x;

	if (p->partner != DIFF_NO_RECORD)
		return false;
	x = diff_record_of(l, p->index);
	for (size_t i = 0; i < PASS_PARTS; i++) {
		p->key[i] = part_of(pass[i], p, &x);
		if (pass[i] != PART_NONE && p->key[i].p == NULL)
			return false;
	}
	return true;
}

static void side_sort(struct side *s, const enum part *pass)
{
	s->nsorted = 0;
	for (size_t i = 0; i < s->n; i++)
		if (takes_part(&s->v[i], s->l, pass))
			s->sorted[s->nsorted++] = &s->v[i];
	if (s->nsorted > 1)
		qsort((void *)s->sorted, s->nsorted, sizeof(struct place *), compare_places);
}

/* Both sides sorted by the pass's key: of equal keys the first goes with the first. */
static void match(struct side *old, struct side *new, const enum part *pass)
{
	size_t i = 0, j = 0;

	side_sort(old, pass);
	side_sort(new, pass);
	while (i < old->nsorted && j < new->nsorted) {
		int r = compare_keys(old->sorted[i], new->sorted[j]);

		if (r == 0) {
			old->sorted[i]->partner = new->sorted[j]->index;
			new->sorted[j]->partner = old->sorted[i]->index;
		}
		i += r <= 0;
		j += r >= 0;
	}
}

/* The number of tails whose old index is below; tails are ascending. */
static size_t place_of(const struct side *new, const size_t *tails, size_t n, size_t old_index)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (new->v[tails[middle]].partner < old_index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The longest run of pairs whose order both lists share (patience sorting)
 * stays; the others have moved. So one record put in front moves nothing.
 * tails and before have room for each record, and one more.
 */
static void mark_longest_run(struct side *new, size_t *tails, size_t *before)
{
	size_t n = 0;

	for (size_t j = 0; j < new->n; j++) {
		size_t k;

		if (new->v[j].partner == DIFF_NO_RECORD)
			continue;
		k = place_of(new, tails, n, new->v[j].partner);
		before[j] = k > 0 ? tails[k - 1] : DIFF_NO_RECORD;
		tails[k] = j;
		n += k == n;
	}
	for (size_t j = n > 0 ? tails[n - 1] : DIFF_NO_RECORD; j != DIFF_NO_RECORD; j = before[j])
		new->v[j].stays = true;
}

static bool find_moves(struct side *new)
{
	size_t *tails = calloc(new->n + 1, sizeof *tails);
	size_t *before = calloc(new->n + 1, sizeof *before);
	bool ok = tails != NULL && before != NULL;

	if (ok)
		mark_longest_run(new, tails, before);
	free(tails);
	free(before);
	return ok;
}

/*
 * What no field of ours holds: unknown and repeated tags with their values,
 * and, if asked for, the order of the tags that both sides have.
 */
static void put_rest(struct buf *b, enum tlv_scope scope, struct span raw, uint32_t both,
		     bool order)
{
	struct tlv_walk w = tlv_walk_of(scope, raw, 0);
	struct tlv_field f;
	uint32_t seen = 0;

	while (tlv_walk_next(&w, &f, NULL)) {
		bool known = f.row != NULL;
		bool first = known && (seen & BIT(f.tag)) == 0;

		if (known && f.row->kind == TLV_KIND_PADDING)
			continue;
		if (known)
			seen |= BIT(f.tag);
		if (known && first && (!order || (both & BIT(f.tag)) == 0))
			continue;
		buf_u8(b, f.tag);
		if (!first) {
			buf_u32(b, (uint32_t)f.value.n);
			buf_put(b, f.value);
		}
	}
}

static bool rest_differs(enum tlv_scope scope, struct span old, struct span new, uint32_t both,
			 bool order, bool *nomem)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	bool differs;

	put_rest(&a, scope, old, both, order);
	put_rest(&b, scope, new, both, order);
	*nomem |= a.failed != ST_OK || b.failed != ST_OK;
	differs = !span_eq(buf_span(&a), buf_span(&b));
	buf_free(&a);
	buf_free(&b);
	return differs;
}

/* Of one certificate the copied signature is one too. */
static bool other_signature(const struct diff_record *a, const struct diff_record *b)
{
	return diff_record_has(a, TLV_R_CERT_SIGNATURE) &&
	       diff_record_has(b, TLV_R_CERT_SIGNATURE) && !span_eq(a->r.signature, b->r.signature);
}

static void compare_fields(struct diff_entry *x, const struct diff_record *a,
			   const struct diff_record *b, bool *nomem)
{
	bool dialect, rest;

	for (int f = 0; f < DIFF_FIELDS; f++) {
		const struct diff_field_row *row = diff_field_row((enum diff_field)f);

		if (row->differs == NULL || !row->differs(a, b))
			continue;
		x->fields |= BIT(f);
		if (row->respelled != NULL && row->respelled(a, b))
			x->respelled |= BIT(f);
	}
	if (x->respelled != 0)
		x->fields |= BIT(DIFF_F_DIALECT);
	dialect = (x->fields & BIT(DIFF_F_DIALECT)) != 0;
	rest = rest_differs(TLV_SCOPE_RECORD, a->r.raw, b->r.raw, a->r.present & b->r.present,
			    !dialect, nomem);
	if ((x->fields & BIT(DIFF_F_CERTIFICATE)) == 0)
		rest |= other_signature(a, b);
	if (rest || x->fields == 0)
		x->fields |= BIT(DIFF_F_OTHER);
}

/* Without two certificates to compare, serial, issuer, key and hash tell, if both have them. */
static bool is_renewed(const struct diff_record *a, uint32_t fields, const struct diff_record *b)
{
	uint32_t identity = BIT(DIFF_F_SERIAL) | BIT(DIFF_F_KEY);

	if (diff_record_has(a, TLV_R_CERTIFICATE) && diff_record_has(b, TLV_R_CERTIFICATE))
		return (fields & BIT(DIFF_F_CERTIFICATE)) != 0;
	if (diff_record_has(a, TLV_R_CERT_HASH) && diff_record_has(b, TLV_R_CERT_HASH))
		identity |= BIT(DIFF_F_HASH);
	/* Either byte order is the same serial. */
	if (span_eq_reversed(a->r.serial, b->r.serial))
		identity &= ~BIT(DIFF_F_SERIAL);
	return (fields & identity) != 0;
}

static struct diff_entry pair_entry(const struct side *old, const struct side *new,
				    const struct place *to, bool *nomem)
{
	struct diff_record a = diff_record_of(old->l, to->partner),
			   b = diff_record_of(new->l, to->index);
	struct diff_entry x = { .old = to->partner, .new = to->index, .moved = !to->stays };

	if (span_eq(a.r.raw, b.r.raw)) {
		x.kind = x.moved ? DIFF_MOVED : DIFF_SAME;
		return x;
	}
	compare_fields(&x, &a, &b, nomem);
	x.kind = is_renewed(&a, x.fields, &b) ? DIFF_RENEWED : DIFF_CHANGED;
	return x;
}

static void put(struct diff *d, struct diff_entry x)
{
	d->v[d->n++] = x;
	d->count[x.kind]++;
}

/* The old records without partner below index `end`, from *at on. */
static void put_removed(struct diff *d, const struct side *old, size_t *at, size_t end)
{
	for (; *at < end; ++*at)
		if (old->v[*at].partner == DIFF_NO_RECORD)
			put(d, (struct diff_entry){
				       .kind = DIFF_REMOVED, .old = *at, .new = DIFF_NO_RECORD });
}

static enum status put_entries(struct diff *d, const struct side *old, const struct side *new,
			       struct tlv_err *e)
{
	size_t at = 0;
	bool nomem = false;

	d->v = calloc(old->n + new->n + 1, sizeof *d->v);
	if (d->v == NULL)
		return err_nomem(e);
	for (size_t j = 0; j < new->n; j++) {
		const struct place *b = &new->v[j];

		if (b->stays)
			put_removed(d, old, &at, b->partner);
		if (b->partner == DIFF_NO_RECORD)
			put(d, (struct diff_entry){
				       .kind = DIFF_ADDED, .old = DIFF_NO_RECORD, .new = j });
		else
			put(d, pair_entry(old, new, b, &nomem));
	}
	put_removed(d, old, &at, old->n);
	return nomem ? err_nomem(e) : ST_OK;
}

static enum status compare_headers(struct diff *d, struct tlv_err *e)
{
	const struct tlv_header *a = &d->old->header, *b = &d->new->header;
	bool nomem = false;

	for (int h = 0; h < DIFF_HEADERS; h++) {
		const struct diff_header_row *row = diff_header_row((enum diff_header)h);

		if (row->differs == NULL || !row->differs(d->old, d->new))
			continue;
		d->header |= BIT(h);
		if (row->respelled != NULL && row->respelled(d->old, d->new))
			d->respelled |= BIT(h);
	}
	if (d->respelled != 0)
		d->header |= BIT(DIFF_H_STYLE);
	if (rest_differs(TLV_SCOPE_HEADER, a->raw, b->raw, a->present & b->present, true, &nomem) ||
	    (d->header == 0 && !span_eq(a->raw, b->raw)))
		d->header |= BIT(DIFF_H_OTHER);
	d->timestamp_backwards = tlv_header_has(a, TLV_H_TIMESTAMP) &&
				 tlv_header_has(b, TLV_H_TIMESTAMP) && b->timestamp < a->timestamp;
	return nomem ? err_nomem(e) : ST_OK;
}

/* How far two lists that show no difference are known to be the same. */
static enum diff_known known(const struct tlv_list *old, const struct tlv_list *new)
{
	if (!old->printed && !new->printed)
		return DIFF_KNOWN_BYTES;
	return old->sha1[0] != '\0' && new->sha1[0] != '\0' ? DIFF_KNOWN_CHECKSUM : DIFF_KNOWN_TEXT;
}

enum status diff_lists(struct diff *out, const struct tlv_list *old, const struct tlv_list *new,
		       struct tlv_err *e)
{
	uint32_t again = BIT(DIFF_H_TIMESTAMP) | BIT(DIFF_H_SIGNATURE);
	struct side a = { .n = 0 }, b = { .n = 0 };
	enum status st = ST_OK;

	*out = (struct diff){ .old = old, .new = new };
	if (!side_make(&a, old) || !side_make(&b, new))
		st = err_nomem(e);
	for (size_t i = 0; st == ST_OK && i < COUNT(passes); i++)
		match(&a, &b, passes[i]);
	if (st == ST_OK && !find_moves(&b))
		st = err_nomem(e);
	if (st == ST_OK)
		st = put_entries(out, &a, &b, e);
	if (st == ST_OK)
		st = compare_headers(out, e);
	out->same = span_eq(old->bytes, new->bytes) && !diff_header_differs(out, DIFF_H_CHECKSUM) &&
		    !diff_header_differs(out, DIFF_H_MD5);
	out->known = known(old, new);
	out->signed_again = !out->same && out->header != 0 && (out->header & ~again) == 0 &&
			    out->count[DIFF_SAME] == out->n;
	side_free(&a);
	side_free(&b);
	return st;
}

void diff_free(struct diff *d)
{
	free(d->v);
	*d = (struct diff){ .n = 0 };
}
