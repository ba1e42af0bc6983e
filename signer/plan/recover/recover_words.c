/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "signer/plan/forecast/cluster_say.h"
#include "signer/plan/recover/recover.h"
#include "signer/text/list_file.h"
#include "tlv/kind.h"
#include "tlv/label.h"
#include "tlv/safe.h"
#include "tlv/text.h"

#define W(name) (1U << RECOVER_WHEN_##name)
#define N(name) (1U << RECOVER_NEED_##name)

static const struct recover_row rows[] = {
#define RECOVER_WAY(NAME, word, cost, when, ctl, itl, key, needs, text, fact) \
	{ word,		 text,		RECOVER_COST_##cost, when, \
	  RECOVER_##ctl, RECOVER_##itl, RECOVER_KEYS_##key,  needs, \
	  FACT_##fact },
#include "signer/plan/recover/recover_ways.def"
#undef RECOVER_WAY
};

const struct recover_row *recover_row(enum recover_way_id id)
{
	return &rows[id];
}

static const struct {
	const char *word, *text;
} costs[] = {
#define RECOVER_COST(NAME, word, text) { word, text },
#include "signer/plan/recover/recover_ways.def"
#undef RECOVER_COST
};

const char *recover_cost_text(enum recover_cost c)
{
	return costs[c].text;
}

const char *recover_cost_word(enum recover_cost c)
{
	return costs[c].word;
}

static const struct {
	const char *word, *text;
} needs[] = {
#define RECOVER_NEED(NAME, word, text) { word, text },
#include "signer/plan/recover/recover_ways.def"
#undef RECOVER_NEED
};

const char *recover_need_word(enum recover_need n)
{
	return needs[n].word;
}

const char *recover_need_text(enum recover_need n)
{
	return needs[n].text;
}

static const struct {
	const char *word, *text;
} places[] = {
	[RECOVER_KEY_CLUSTER] = { "cluster", "the cluster has it today" },
	[RECOVER_KEY_TOKEN] = { "token", "on the token" },
	[RECOVER_KEY_SAVED] = { "saved",
				"gone from the cluster, unless its ITLRecovery.p12 was saved" },
	[RECOVER_KEY_BACKUP] = { "backup", "gone from the cluster, but for a DRS backup" },
};

const char *recover_key_text(enum recover_key_place p)
{
	return places[p].text;
}

const char *recover_key_word(enum recover_key_place p)
{
	return places[p].word;
}

void recover_put_holder(struct buf *b, const struct recovery *r, size_t holder)
{
	const struct recover_holder *h = &r->holders[holder];

	buf_str(b, crowd_row(h->phones)->sbd ? "phones with Security by Default" :
					       "phones without Security by Default");
	buf_str(b, " that hold ");
	if (h->ctl_path != NULL)
		safe_text(b, span_str(h->ctl_path));
	if (h->itl_path != NULL) {
		buf_str(b, h->ctl_path != NULL ? " and " : "");
		safe_text(b, span_str(h->itl_path));
	}
}

void recover_put_key(struct buf *b, const struct recovery *r, const struct tlv_record *key)
{
	uint8_t sha1[20];

	tlv_label_record(b, key);
	if (standins_sha1(r->in.standins, key->certificate, sha1, NULL) != ST_OK)
		return;
	buf_str(b, " (SHA-1 ");
	buf_hex(b, span_of(sha1, sizeof sha1), HEX_LOWER, "");
	buf_str(b, ")");
}

static bool differ(const char *a, const char *b)
{
	return a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0;
}

/*
 * A printed list is known by the checksums that stand there. Its bytes are made of what is printed,
 * so two lists may share them. They tell only what the checksums leave open.
 */
static bool is_same_printed(const struct tlv_list *a, const struct tlv_list *b)
{
	char md5[2][33], sha1[2][41];

	if (list_checksums(a, md5[0], sha1[0], NULL) != ST_OK ||
	    list_checksums(b, md5[1], sha1[1], NULL) != ST_OK || differ(md5[0], md5[1]) ||
	    differ(sha1[0], sha1[1]))
		return false;
	if (md5[0][0] == '\0' || md5[1][0] == '\0' || sha1[0][0] == '\0' || sha1[1][0] == '\0')
		return span_eq(a->bytes, b->bytes);
	return true;
}

bool recover_is_same(const struct tlv_list *a, const struct tlv_list *b)
{
	if (a == b || a == NULL || b == NULL)
		return a == b;
	return a->stand_in || b->stand_in ? is_same_printed(a, b) : span_eq(a->bytes, b->bytes);
}

bool recover_is_of_a_former_node(const struct recovery *r, const struct recover_holder *h)
{
	return h->itl != NULL && h->node >= r->in.c->nnodes;
}

void recover_put_backup(struct buf *b, const struct recovery *r, const struct recover_way *w)
{
	const struct recover_holder *h = &r->holders[w->holder];
	size_t n = 0;

	if (h->ctl_path != NULL) {
		safe_text(b, span_str(h->ctl_path));
		n++;
	}
	if (recover_is_of_a_former_node(r, h)) {
		buf_str(b, n++ > 0 ? " and " : "");
		safe_text(b, span_str(h->itl_path));
	}
	for (size_t i = 0; i < r->in.c->nnodes; i++) {
		if (w->back[i] == RECOVER_HOLDERS_MAX)
			continue;
		buf_str(b, n++ > 0 ? " and " : "");
		safe_text(b, span_str(r->holders[w->back[i]].itl_path));
	}
}

void recover_put_way(struct buf *b, const struct recovery *r, const struct recover_way *w)
{
	buf_str(b, recover_row(w->id)->text);
	if (recover_row(w->id)->keys != RECOVER_KEYS_NONE) {
		buf_str(b, ": ");
		recover_put_key(b, r, &w->key);
	}
	if (w->id != RECOVER_WAY_BACKUP)
		return;
	buf_str(b, " of the time when the cluster served ");
	recover_put_backup(b, r, w);
}

bool recover_refused(const struct recovery *r)
{
	for (size_t i = 0; i < r->nchosen; i++)
		if (recover_row(r->ways[r->chosen[i]].id)->cost == RECOVER_COST_HAND)
			return true;
	return false;
}

static size_t count_refusing(const struct recovery *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nholders; i++)
		n += !r->holders[i].takes_today;
	return n;
}

/* The holders that the plan frees by hand. */
static size_t count_by_hand(const struct recovery *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nchosen; i++)
		for (size_t k = 0; k < r->nholders; k++)
			n += r->freed[i][k] && r->ways[r->chosen[i]].id == RECOVER_WAY_HAND;
	return n;
}

unsigned recover_way_needs(const struct recovery *r, const struct recover_way *w)
{
	const struct recover_row *row = recover_row(w->id);
	unsigned all = row->needs;

	if (row->keys != RECOVER_KEYS_NONE && w->place == RECOVER_KEY_CLUSTER)
		all &= ~N(SAVED_KEY);
	/* [LOST_TRUST] */
	if (row->itl != RECOVER_KEPT && (r->when & W(MIXED)) != 0)
		all |= N(ITL_COMMAND);
	return all;
}

unsigned recover_needs(const struct recovery *r)
{
	unsigned all = cluster_doubts_release(r->in.c) ? N(RELEASE) : 0;

	for (size_t i = 0; i < r->nchosen; i++)
		all |= recover_way_needs(r, &r->ways[r->chosen[i]]);
	return all;
}

/* The verdict is worth no more than what it takes, which somebody may not have. */
static void put_needs(struct buf *b, const char *who, unsigned all)
{
	const char *before = who;

	for (int i = 0; i < RECOVER_NEEDS; i++)
		if (i != RECOVER_NEED_RELEASE && (all >> i & 1U) != 0) {
			buf_printf(b, "%s if %s", before, needs[i].text);
			before = ", and";
		}
}

static void put_verdict(struct buf *b, const struct recovery *r)
{
	size_t hand = count_by_hand(r), refusing = count_refusing(r);

	if (hand > 0) {
		buf_printf(b, "REFUSED: %zu of %zu kinds of phones can only be cleared by hand",
			   hand, r->nholders);
		put_needs(b, "; others are freed", recover_needs(r));
	} else if (refusing > 0) {
		buf_printf(
			b,
			"%zu of %zu kinds of phones refuse today, and all are freed without hands on them",
			refusing, r->nholders);
		put_needs(b, ",", recover_needs(r));
	} else
		buf_printf(b, "All phones take the lists of today%s",
			   r->writes_ctl || r->writes_itl ?
				   ", which CUCM has not written anew since a change" :
				   "");
}

/* The release is a condition of the refusals too. */
void recover_put_summary(struct buf *b, const struct recovery *r)
{
	put_verdict(b, r);
	if ((recover_needs(r) & N(RELEASE)) != 0)
		buf_printf(b, " (if CUCM %s is the right release)", r->in.c->release->name);
}

const char *recover_proof_text(void)
{
	return "Each list of each way was judged for each kind of phones, as 'ctlsign accept' does. The last of them are the lists that CUCM writes in the end. No chosen way makes phones refuse that were freed before.";
}
