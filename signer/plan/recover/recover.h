/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Phones refuse already: which key, command or backup would they accept again. Every way is
 * gone through by the trust engine, up to the lists that CUCM writes in the end.
 */
#ifndef CTL_RECOVER_H
#define CTL_RECOVER_H

#include <jansson.h>

#include "signer/plan/forecast/crowd.h"
#include "signer/plan/forecast/standin.h"
#include "signer/plan/plan_model.h"

enum recover_cost {
#define RECOVER_COST(NAME, word, text) RECOVER_COST_##NAME,
#include "signer/plan/recover/recover_ways.def"
#undef RECOVER_COST
	RECOVER_COSTS
};

enum recover_when {
#define RECOVER_WHEN(NAME) RECOVER_WHEN_##NAME,
#include "signer/plan/recover/recover_ways.def"
#undef RECOVER_WHEN
	RECOVER_WHENS
};

enum recover_need {
#define RECOVER_NEED(NAME, word, text) RECOVER_NEED_##NAME,
#include "signer/plan/recover/recover_ways.def"
#undef RECOVER_NEED
	RECOVER_NEEDS
};

enum recover_way_id {
#define RECOVER_WAY(NAME, word, cost, when, ctl, itl, key, needs, text, fact) RECOVER_WAY_##NAME,
#include "signer/plan/recover/recover_ways.def"
#undef RECOVER_WAY
	RECOVER_WAY_IDS,
	RECOVER_WAY_EVERY = RECOVER_WAY_IDS, /* of steps that belong to no way alone */
	RECOVER_WAY_LAST
};

enum recover_signer { RECOVER_KEPT, RECOVER_CALLMANAGER, RECOVER_ITLRECOVERY, RECOVER_KEY };
enum recover_keys {
	RECOVER_KEYS_NONE,
	RECOVER_KEYS_TOKEN,
	RECOVER_KEYS_LOST,
	RECOVER_KEYS_ITLRECOVERY,
	RECOVER_KEYS_SIGNER
};

struct recover_row {
	const char *word, *text;
	enum recover_cost cost;
	unsigned when; /* bit n: recover_when n */
	enum recover_signer ctl, itl;
	enum recover_keys keys;
	unsigned needs; /* bit n: recover_need n */
	enum fact_id fact;
};

const struct recover_row *recover_row(enum recover_way_id id);
/* "nothing but a reset"; the word is that of JSON. */
const char *recover_cost_text(enum recover_cost c);
const char *recover_cost_word(enum recover_cost c);
/* That of JSON. */
const char *recover_need_word(enum recover_need n);
/* "the token is at hand" */
const char *recover_need_text(enum recover_need n);

/* Kinds of phones beyond this many, and ways, are ST_USAGE. */
enum { RECOVER_HOLDERS_MAX = 64, RECOVER_WAYS_MAX = 64, RECOVER_KEYS_MAX = 24 };

/* A list that phones hold; borrowed. Those of one folder follow each other. */
struct recover_held {
	const struct tlv_list *list;
	const char *path;
};

/* Phones of one class that hold the same lists. */
struct recover_holder {
	enum crowd_class phones;
	const struct tlv_list *ctl, *itl; /* NULL: none */
	const char *ctl_path, *itl_path;
	size_t node; /* whose ITL they hold; CLUSTER_NONE: any TFTP node */
	/* What they do with the lists of today, at the node where the most is refused. */
	struct crowd_answers today;
	bool takes_today;
	bool has_way; /* without hands on each phone */
	/* For people: what they do today, the keys that they know, and what helps. Owned. */
	struct plan_lines does, knows, helps;
};

/* What phones hold at a node on their way. */
struct recover_state {
	const struct tlv_list *ctl[RECOVER_HOLDERS_MAX][CLUSTER_NODES_MAX];
	const struct tlv_list *itl[RECOVER_HOLDERS_MAX][CLUSTER_NODES_MAX];
};

/* The lists that a cluster serves at one time; borrowed. */
struct recover_served {
	const struct stage_list *ctl, *itl[CLUSTER_NODES_MAX]; /* NULL: none */
};

enum recover_key_place {
	RECOVER_KEY_CLUSTER, /* the cluster has it today */
	RECOVER_KEY_TOKEN,
	RECOVER_KEY_SAVED, /* ITLRecovery, which can be exported */
	RECOVER_KEY_BACKUP /* gone, but for a backup */
};

struct recover_way {
	enum recover_way_id id;
	struct tlv_record key;	      /* of KEY ways: the record of the signer */
	enum recover_key_place place; /* of its key */
	size_t holder;		      /* of BACKUP: whose lists come back */
	/* … and the holder whose ITL comes back at each TFTP node; RECOVER_HOLDERS_MAX: nobody's */
	size_t back[CLUSTER_NODES_MAX];
	struct stage_served lists; /* that are written first; owned */
	bool helps[RECOVER_HOLDERS_MAX];
	unsigned assumptions[RECOVER_HOLDERS_MAX];	/* bit n: tvs_assumption n */
	struct acceptance verdict[RECOVER_HOLDERS_MAX]; /* the first list that they take */
	bool opens[RECOVER_HOLDERS_MAX];		/* … if there is one */
};

/* A SAST key of what phones hold, each once. */
struct recover_key {
	struct tlv_record record;
	bool in_ctl, in_itl;
	enum recover_key_place place;
};

struct recover_input {
	const struct cluster *c;	 /* cluster_read_drifted() */
	const struct cluster_state *now; /* … and its state of today */
	const struct crowd_groups *groups;
	const struct recover_held *held;
	size_t nheld;
	unsigned missing;		 /* bit n: recover_need n is not there */
	const struct standins *standins; /* for what is printed alone; NULL: nothing is */
	int64_t time;			 /* seconds since 1970 UTC: when the page is made */
};

struct recover_memo;

struct recovery {
	struct recover_input in;
	struct recover_memo *memo; /* owned: what was asked before; NULL: nothing is remembered */
	unsigned when;
	struct recover_holder holders[RECOVER_HOLDERS_MAX];
	size_t nholders;
	struct stage_served given, wanted; /* served today, and as CUCM will write them; owned */
	struct certset signer;	     /* of today's CTL, for those whom TVS is told of; owned */
	bool writes_ctl, writes_itl; /* what is wanted is not what is given */
	struct recover_way *ways;    /* owned */
	size_t nways;
	size_t chosen[RECOVER_WAYS_MAX];		   /* ways of the plan, in their order */
	bool freed[RECOVER_WAYS_MAX][RECOVER_HOLDERS_MAX]; /* whom each of them frees */
	size_t nchosen;
	struct plan_step *steps; /* owned */
	size_t nsteps, steps_cap;
	struct plan_lines assumed; /* owned */
	bool failed;		   /* memory ended */
};

/* Brings those of one folder together, whatever order the folders were read in. */
void recover_sort_held(struct recover_held *held, size_t n);
/*
 * Everything is borrowed, and outlives the recovery. Held lists are sorted. ST_USAGE if too much is
 * held, or the cluster does not show who signs. To be freed all the same.
 */
enum status recover_make(struct recovery *r, const struct recover_input *in, struct tlv_err *e);
/* What must be there for the way, and nobody but the user knows: bit n is recover_need n. */
unsigned recover_way_needs(const struct recovery *r, const struct recover_way *w);
/* The same for the plan. */
unsigned recover_needs(const struct recovery *r);
/* Whether some phones can only be cleared by hand. */
bool recover_refused(const struct recovery *r);
/* The keys that these phones take a list of; returns how many. */
size_t recover_keys(const struct recovery *r, size_t holder,
		    struct recover_key keys[RECOVER_KEYS_MAX]);
/* "the cluster has this key today", "gone, unless …". */
const char *recover_key_text(enum recover_key_place p);
const char *recover_key_word(enum recover_key_place p);
/* Appends "phones with Security by Default that hold 2024/CTLFile.tlv, 2024/ITLFile.tlv". */
void recover_put_holder(struct buf *b, const struct recovery *r, size_t holder);
/* Appends the signer's name and SHA-1. */
void recover_put_key(struct buf *b, const struct recovery *r, const struct tlv_record *key);
/* The same bytes. If one is printed, the checksums decide, if both lists show both of them. */
bool recover_is_same(const struct tlv_list *a, const struct tlv_list *b);
/* Its ITL is of a node that the lists of today do not have, or blank: no node brings it back. */
bool recover_is_of_a_former_node(const struct recovery *r, const struct recover_holder *h);
/* Appends "2024/CTLFile.tlv and 2024/ITLFile.tlv": the lists that a backup brings back. */
void recover_put_backup(struct buf *b, const struct recovery *r, const struct recover_way *w);
/* Appends what is done, with the key or the backup in question. */
void recover_put_way(struct buf *b, const struct recovery *r, const struct recover_way *w);
/* Appends one sentence: whether phones must be cleared by hand, and on what that depends. */
void recover_put_summary(struct buf *b, const struct recovery *r);
/* What was done to prove it, in sentences. */
const char *recover_proof_text(void);
/* The recovery as text, escaped for a terminal; out's own failure says that memory ended. */
void recover_text(const struct recovery *r, struct buf *out);
/* NULL if memory ends. */
json_t *recover_json(const struct recovery *r);
/* Appends a page that needs nothing but itself. */
enum status recover_html(const struct recovery *r, struct buf *out, struct tlv_err *e);
void recover_free(struct recovery *r);

/* The parts of recover_make(), each of which looks at what is there already. */
enum status recover_note_holders(struct recovery *r, struct tlv_err *e);
enum status recover_note_ways(struct recovery *r, struct tlv_err *e);
void recover_note_today(struct recovery *r);
void recover_choose(struct recovery *r);
void recover_note_steps(struct recovery *r);
void recover_say(struct recovery *r);
/* The tags of all that it says; returns how many. */
size_t recover_sources(const struct recovery *r, struct span tags[PLAN_SOURCES_MAX]);

#endif
