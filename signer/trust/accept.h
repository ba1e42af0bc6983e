/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Would a phone take a new list? Bytes decide, as they do on the phone;
 * dialects only explain. Whatever is assumed is part of the answer.
 */
#ifndef CTL_ACCEPT_H
#define CTL_ACCEPT_H

#include "signer/trust/facts.h"
#include "signer/trust/tvs.h"

enum accept_reason {
#define REASON(name, word, accepted, fact, explanation, cure) ACCEPT_##name,
#include "signer/trust/reasons.def"
#undef REASON
	ACCEPT_REASONS
};

struct accept_reason_row {
	const char *word;
	bool accepted;
	enum fact_id fact;		/* what says so */
	const char *explanation, *cure; /* cure: NULL if none is needed */
};

const struct accept_reason_row *accept_row(enum accept_reason r);

struct accept_assumption_row {
	const char *word; /* in JSON */
	const char *text; /* "%s": the nodes' names */
	const char *how;  /* to be sure; NULL: nobody can */
	enum fact_id fact;
};

const struct accept_assumption_row *accept_assumption(enum tvs_assumption a);

/* How the signer would match a record if it were spelled otherwise. */
struct accept_near {
	bool found;
	bool in_itl;
	size_t record;	      /* number from 1 */
	bool serial_reversed; /* the serial number is that record's back to front */
	bool name_respelled;  /* the issuer is that record's in another dialect */
	enum tlv_style style; /* … the record's own, which would match */
	struct span issuer;   /* as the record spells it */
};

/* Borrows the lists and certificates that it speaks of. */
struct acceptance {
	enum accept_reason reason;
	unsigned assumptions;		 /* bit n: tvs_assumption n */
	long record;			 /* index of the record that decided, -1: none */
	bool in_itl;			 /* … which is in the ITL */
	bool tvs_too;			 /* signer is TFTP: TVS would have it taken as well */
	bool asked;			 /* no SAST record is the signer's, so that TVS counts */
	struct tvs_answer tvs;		 /* … and what it is taken to answer */
	bool hangs_on_tvs;		 /* another answer of TVS may change the verdict */
	const struct tvs_heard *answers; /* … of those that were asked; NULL: none was */
	const struct tvs_heard *heard;	 /* … the one that decides */
	struct span issuer;		 /* as the new list spells its signer's */
	bool blank;			 /* leap of faith, as the ITL that it holds is blank */
	bool new_is_bad;		 /* leap of faith in a list whose own signature is bad */
	bool anybody_signs;		 /* accepted for a key that proves nothing (tlv/cert.h) */
	struct accept_near near;	 /* of a refusal */
};

/* Pure: the same arguments, the same answer. */
struct acceptance accept_decide(const struct phone *p, const struct tlv_list *new_list);

/*
 * The same before anything is signed: the new list's signature is taken to be
 * one that this key (a PKCS#1 RSAPublicKey) will make.
 */
struct acceptance accept_foresee(const struct phone *p, const struct tlv_list *new_list,
				 struct span signing_key);

/*
 * Appends "tvs (assumes the ITL has a TVS record)", or if TVS were asked, and that counts,
 * "tvs (asked: HOST:PORT, HOST:PORT)".
 */
void accept_reason_text(const struct acceptance *a, struct buf *out);
/* Appends "HOST:PORT: CN=pub: known as SAST (SAST, CCM+TFTP), for 86400 s", escaped. */
void accept_heard_text(const struct tvs_heard *heard, struct buf *out);
/* That a phone may ask another TVS than the one that was asked. NULL: it cannot, or none was. */
const char *accept_others_text(const struct acceptance *a);
/* Appends one assumption, the nodes' names in it. */
void accept_assumption_text(const struct acceptance *a, enum tvs_assumption which, struct buf *out);
/*
 * Why TVS did not help a phone that refuses, and the fact behind it. NULL if TVS was not to be
 * asked.
 */
const char *accept_tvs_why(const struct acceptance *a, enum fact_id *fact);
/* Why, in a sentence, and the fact behind it. */
const char *accept_explanation(const struct acceptance *a);
enum fact_id accept_fact(const struct acceptance *a);

/* Appends the explanation with its sources and the spelling that would match, a line each. */
void accept_explain(const struct acceptance *a, struct buf *out);
/* What helps a phone that refuses, as a sentence; NULL: nothing is to be done. Static. */
const char *accept_cure(const struct acceptance *a);

#endif
