/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plan as data: text, JSON and HTML are made from it and from nothing else,
 * so that they cannot drift. All texts are escaped for a terminal already, as
 * names in certificates may say anything; HTML escapes once more for itself.
 */
#ifndef CTL_PLAN_MODEL_H
#define CTL_PLAN_MODEL_H

#include "signer/list/diff.h"
#include "signer/trust/lockout.h"
#include "signer/plan/plan.h"
#include "signer/trust/facts.h"
#include "tlv/certs.h"

/* The lists that a plan speaks of. */
enum plan_list_id {
	PLAN_OLD,
	PLAN_BRIDGE,
	PLAN_NEW,
	PLAN_WAY_BACK,
	PLAN_LISTS,
	PLAN_NOTHING = PLAN_LISTS /* what a phone without lists holds */
};

enum plan_kind {
#define PLAN_KIND(NAME, word, text) PLAN_KIND_##NAME,
#include "signer/plan/plan_rules.def"
#undef PLAN_KIND
	PLAN_KINDS
};

enum plan_event {
#define PLAN_EVENT(NAME, word, text) PLAN_EVENT_##NAME,
#include "signer/plan/plan_rules.def"
#undef PLAN_EVENT
	PLAN_EVENTS
};

enum plan_part {
#define PLAN_PART(NAME, word, heading) PLAN_PART_##NAME,
#include "signer/plan/plan_steps.def"
#undef PLAN_PART
	PLAN_PARTS
};

enum plan_procedure {
#define PLAN_PROCEDURE(NAME) PLAN_PROCEDURE_##NAME,
#include "signer/plan/plan_steps.def"
#undef PLAN_PROCEDURE
	PLAN_PROCEDURES
};

/* What rows of the tables ask of a change or a cluster: bit n of a uint64_t. */
enum plan_when {
#define PLAN_WHEN(NAME) PLAN_WHEN_##NAME,
#include "signer/plan/plan_steps.def"
#undef PLAN_WHEN
	PLAN_WHENS
};

enum plan_fill {
#define PLAN_FILL(NAME) PLAN_FILL_##NAME,
#include "signer/plan/plan_steps.def"
#undef PLAN_FILL
	PLAN_FILLS
};

enum plan_warning {
#define PLAN_WARNING(NAME, code, kind, text, fact) PLAN_WARNING_##NAME,
#include "signer/plan/plan_warnings.def"
#undef PLAN_WARNING
	PLAN_WARNINGS
};

/* In the place of a fact_id: the line is about this program, or says its reason itself. */
enum { FACT_OWN = FACTS };

enum plan_impact { PLAN_IMPACT_NO, PLAN_IMPACT_LOW, PLAN_IMPACT_MEDIUM, PLAN_IMPACT_HIGH };
struct plan_rule {
	enum plan_kind kind;
	enum plan_event event;
	enum plan_impact impact;
	const char *hits; /* what users feel */
	enum plan_procedure procedure;
	const char *advice; /* NULL: none */
	unsigned fact;
};

const struct plan_rule *plan_rules(size_t *n);
/*
 * The next rule, from number *i on, about what has happened and users feel; *i is moved behind it.
 * NULL: there is none.
 */
const struct plan_rule *plan_next_impact(const struct plan_model *m, size_t *i);
/* NULL if no rule is about it. */
const struct plan_rule *plan_rule_of(enum plan_kind k, enum plan_event v);
const char *plan_kind_word(enum plan_kind k);
const char *plan_kind_text(enum plan_kind k);
const char *plan_event_word(enum plan_event v);
const char *plan_event_text(enum plan_event v);
const char *plan_impact_word(enum plan_impact i);
const char *plan_part_word(enum plan_part p);
const char *plan_part_heading(enum plan_part p);
/* "old", "bridge", "new", "way-back", "nothing" in JSON; "the old list", … in sentences. */
const char *plan_list_word(enum plan_list_id id);
const char *plan_list_text(enum plan_list_id id);

enum plan_line_kind {
	PLAN_LINE_TEXT,
	PLAN_LINE_COMMAND, /* to be typed at CUCM's command line */
	PLAN_LINE_SUM,	   /* a checksum to compare */
	PLAN_LINE_NOTE,	   /* worth knowing */
	PLAN_LINE_ASSUMED, /* no source says it */
	PLAN_LINE_WARNING,
	PLAN_LINE_DANGER /* phones are lost */
};

struct plan_line {
	enum plan_line_kind kind;
	const char *code; /* "lone-sast"; NULL if none is needed */
	unsigned fact;	  /* where it is from; FACT_OWN: nowhere */
	struct buf text;
};

/* Grows; what does not fit into memory goes to spill, and failed is set. */
struct plan_lines {
	struct plan_line *v;
	size_t n, cap;
	struct plan_line spill;
	bool failed;
};

/* Adds an empty line and returns its text to be filled. */
struct buf *plan_line(struct plan_lines *l, enum plan_line_kind kind, const char *code);
/* The same with the fact that the line rests on. */
struct buf *plan_fact_line(struct plan_lines *l, enum plan_line_kind kind, const char *code,
			   unsigned fact);
void plan_say(struct plan_lines *l, enum plan_line_kind kind, const char *code, const char *fmt,
	      ...) __attribute__((format(printf, 4, 5)));

/* What stands for a word in braces in a text of the tables. */
struct plan_word {
	const char *name; /* "new" of "{new}" */
	struct span text;
};

/* Appends a text of the tables, with its words filled in; an unknown one stays as it is. */
void plan_expand(struct buf *b, const char *text, const struct plan_word *words, size_t n);
/*
 * Says that the release is taken to be right, although another key signed this list than the
 * release has sign it (release_is_unlike()). 'which' names the list: "the old list".
 */
void plan_say_unlike(struct plan_lines *l, const struct release *r, const struct tlv_list *unlike,
		     const char *which);
/* Appends a fact as a sentence: a capital in front, a full stop behind. */
void plan_put_fact(struct buf *b, unsigned fact);

enum { PLAN_SOURCES_MAX = 32 };

/* The tags of the facts' sources, each once; returns how many. FACT_OWN has none. */
size_t plan_sources(const unsigned *facts, size_t n, struct span tags[PLAN_SOURCES_MAX]);
/* Adds them to those that are found already; returns how many there are then. */
size_t plan_add_sources(const unsigned *facts, size_t n, struct span tags[PLAN_SOURCES_MAX],
			size_t found);
/* Whether the others have all sources of this fact. */
bool plan_sources_within(unsigned fact, const unsigned *facts, size_t n);
/* What a tag stands for, "vendor: ..."; "" if it is not known. */
const char *plan_source_text(struct span tag);
/* Appends " [214231, SG-cert]", or nothing. */
void plan_put_sources(struct buf *b, const unsigned *facts, size_t n);
/* Adds the text unless it is there; beyond the limit nothing but the count grows. */
void plan_label(struct plan_lines *l, const struct buf *text);
/* Whether memory ended while they were written. */
bool plan_lines_failed(const struct plan_lines *l);
void plan_lines_free(struct plan_lines *l);

/*
 * Labels beyond this many are not listed: nobody reads them. A list that phones load has at most
 * PLAN_LABELS_TRIED records. No labels are made beyond that: each takes a look at all records.
 */
enum { PLAN_LABELS_MAX = 64, PLAN_LABELS_TRIED = 2000 };

/* The facts of one list. */
struct plan_facts {
	const struct tlv_list *list; /* NULL: there is none */
	struct buf name, signer;
	bool is_signed;		/* else checksums are not known yet */
	char md5[33], sha1[41]; /* of the whole file; "" if they were not printed with it */
	char time[32];		/* "" if it has none, or was printed */
	const char *digest, *style, *mode;
	long signs; /* index of the signer's record, -1: none */
	bool token_signs;
};

struct plan_verdict {
	enum plan_list_id holds, offered;
	enum lockout_class phones;
	struct acceptance a;
	bool counts; /* on the way from old to new: a refusal locks out */
};

enum { PLAN_VERDICTS_MAX = 32 };

/* A SAST key, by serial number, issuer and key as phones compare them. */
struct plan_anchor {
	struct buf name;
	enum plan_kind kind;
	struct span serial, issuer, key, certificate;
	bool in[PLAN_LISTS];
	bool respelled; /* the key is in both lists, under other spellings */
	bool reissued;	/* one key, but not one certificate */
};

enum { PLAN_ANCHORS_MAX = 256 };

struct plan_record {
	size_t number; /* from 1 */
	uint16_t role;
	struct buf role_text, name, subject, address, key;
	bool has_dates, signs;
	int64_t not_before, not_after;
};

enum { PLAN_FACTS_MAX = 6 };

struct plan_step {
	const char *code, *stage; /* stage NULL: of the whole plan */
	enum plan_part part;
	unsigned facts[PLAN_FACTS_MAX]; /* why it is there */
	size_t nfacts;
	bool open; /* no source says how: not numbered */
	struct buf title;
	struct plan_lines lines;
};

struct plan_model {
	struct plan_input in;
	struct plan_facts facts[PLAN_LISTS];
	struct diff diff;
	struct plan_lines events[PLAN_KINDS][PLAN_EVENTS]; /* labels of what it happened to */
	size_t counts[PLAN_KINDS][PLAN_EVENTS];
	struct plan_verdict verdicts[PLAN_VERDICTS_MAX];
	size_t nverdicts;
	struct plan_anchor *anchors;
	size_t nanchors, anchors_cap, anchors_left_out;
	struct plan_lines warnings, assumptions, asked;
	/* Owned: of the new list's TFTP servers, and of the old one's SAST records. */
	struct tlv_certs new_servers, old_anchors;
	bool own_records; /* all anchors of the new list are its servers' own */
	size_t nrecords;  /* of the new list */
	long signer;	  /* which of them signs, or below 0 */
	struct plan_step *steps;
	size_t nsteps, steps_cap;
	struct plan_step spill; /* takes what memory has no room for; failed is set */
	size_t resets;		/* how often all phones are reset */
	bool refuses[LOCKOUT_CLASSES];
	bool itl, failed;
	bool foreign; /* the new list is another cluster's */
};

/* One list that phones take before the next one comes. */
struct plan_stage {
	const char *word;	 /* in JSON */
	const char *prefix;	 /* of titles */
	enum plan_list_id holds; /* what phones hold before */
	enum plan_list_id offers;
	bool more;	/* another one comes */
	uint64_t state; /* plan_state() of this stage; each stage has several parts */
};

/*
 * Record i of the new list, made anew each time: lists may have a million. Out of
 * memory its texts are short, and err_nomem_seen says so.
 */
struct plan_record plan_record_at(const struct plan_model *m, size_t i);
void plan_record_free(struct plan_record *r);

/* The diff's lines, one after the other; they are not kept either. */
enum status plan_changes(const struct plan_model *m, diff_line_fn *line, void *arg,
			 struct tlv_err *e);

/* In this order; each looks at what is there already. */
enum status plan_note_facts(struct plan_model *m, struct tlv_err *e);
void plan_note_events(struct plan_model *m);
void plan_note_anchors(struct plan_model *m);
void plan_note_verdicts(struct plan_model *m);
void plan_note_records(struct plan_model *m);
enum status plan_note_warnings(struct plan_model *m, struct tlv_err *e);
void plan_note_steps(struct plan_model *m);

/* What a record stands for. */
enum plan_kind plan_kind_of(const struct tlv_record *r);
/*
 * Appends "cucm-1051-a-pub (10.48.47.153)", or a token's name; l finds the host name of an address.
 */
void plan_put_label(struct buf *b, const struct tlv_list *l, const struct tlv_record *r);
/* NULL if it was not asked. */
const struct plan_verdict *plan_verdict(const struct plan_model *m, enum plan_list_id holds,
					enum plan_list_id offered, enum lockout_class phones);
bool plan_accepts(const struct plan_verdict *v);
/*
 * A stand-in's signature is taken to be good: it is by the key that stands for the signer's, which
 * this is. Empty for other lists, and for one that was printed as bad.
 */
struct span plan_assumed_key(const struct tlv_list *l);
/* Whether these phones should have taken the bridge before. */
bool plan_missed_bridge(const struct plan_verdict *v);
/* Whether the list holds the signer of another as SAST, as phones compare. */
bool plan_has_signer(const struct plan_model *m, enum plan_list_id holder, enum plan_list_id of);
/* The number of keys that both lists have as SAST. */
size_t plan_common_anchors(const struct plan_model *m, enum plan_list_id a, enum plan_list_id b);
size_t plan_anchor_keys(const struct plan_model *m, enum plan_list_id id);
/* Whether both have the cluster's CallManager certificate of today as SAST, byte for byte. */
bool plan_shares_callmanager(const struct plan_model *m);
/* "kept", "added", "lost", "bridge", "respelled" */
const char *plan_anchor_fate(const struct plan_anchor *a);
/* ITLRecovery signs and is renewed, and CUCM writes the lists of both phases itself. */
bool plan_is_two_phase(const struct plan_model *m);
/*
 * Whether phones that take the list of the first phase take the new one after it. An ITL of the
 * first phase has the old records [ITL_RESET_LOCALKEY]: phones that hold it judge the new one as
 * those do that hold the old one.
 */
bool plan_phases_help(const struct plan_model *m);
/* Whether ITLRecovery signs this release's lists; without a release the new list says it. */
bool plan_recovery_signs(const struct plan_model *m);
/* Whether the new list is one of CUCM's own, as style and signer tell. */
bool plan_cucm_writes(const struct plan_model *m);
/* Whether this record of the new list is an anchor that TVS does not know by itself. */
bool plan_needs_upload(const struct plan_model *m, size_t i);
/* What is true of the change at this stage: bits of enum plan_when. */
uint64_t plan_state(const struct plan_model *m, const struct plan_stage *s);
/* Adds what the program itself knows: checksums, nodes, names, verdicts. */
void plan_fill(struct plan_model *m, const struct plan_stage *s, enum plan_fill what,
	       struct plan_lines *l);
/* The same of lines, and of a step with its lines. */
size_t plan_add_lines_sources(const struct plan_lines *l, struct span tags[PLAN_SOURCES_MAX],
			      size_t found);
size_t plan_add_step_sources(const struct plan_step *s, struct span tags[PLAN_SOURCES_MAX],
			     size_t found);
/* The tags of all that the plan says; returns how many. */
size_t plan_all_sources(const struct plan_model *m, struct span tags[PLAN_SOURCES_MAX]);
/* One sentence: what phones do in all. */
void plan_put_summary(struct buf *b, const struct plan_model *m);
/* Appends "All phones are reset once." */
void plan_put_resets(struct buf *b, const struct plan_model *m);
/* Appends "Phones with Security by Default that hold the old list take the new list: …". */
void plan_put_verdict(struct buf *b, const struct plan_verdict *v);
/* The facts behind that sentence; returns how many. */
size_t plan_verdict_facts(const struct plan_verdict *v, unsigned facts[PLAN_FACTS_MAX]);
/*
 * Appends text: the first line behind `first`, the others under it, and further to the right
 * than any other line begins: their words may be somebody else's. Words longer
 * than a line stay whole.
 */
void plan_put_wrapped(struct buf *b, const char *first, struct span text);
/* The same with what was collected, which is freed: a failure of its memory is b's. */
void plan_flush(struct buf *b, const char *first, struct buf *text);
/* Appends a line behind `first`, with its sources unless the step has them; s: NULL, of none. */
void plan_put_line(struct buf *b, const char *first, const struct plan_line *l,
		   const struct plan_step *s);
/* Appends what the tags stand for, under a heading; nothing if there are none. */
void plan_put_legend(struct buf *b, const struct span *tags, size_t n);
/* Appends a step with its lines; number is that of the step before, and counts on. */
void plan_put_step(struct buf *b, const struct plan_step *s, size_t *number);
/* The same for JSON. */
json_t *plan_step_json(const struct plan_step *s, size_t *number);
json_t *plan_lines_json(const struct plan_lines *l);
/* The texts alone. */
json_t *plan_texts_json(const struct plan_lines *l);
/* Whether a warning says that phones are lost. */
bool plan_is_dangerous(const struct plan_model *m);

#endif
