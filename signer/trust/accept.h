/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Would a phone take a new list? Bytes decide, as they do on the phone;
 * dialects only explain. Whatever is assumed is part of the answer.
 */
#ifndef CTL_ACCEPT_H
#define CTL_ACCEPT_H

#include "signer/crypto/certset.h"
#include "tlv/list.h"

enum accept_reason {
#define REASON(name, word, accepted, explanation, cure) ACCEPT_##name,
#include "signer/trust/reasons.def"
#undef REASON
};

struct accept_reason_row {
	const char *word;
	bool accepted;
	const char *explanation, *cure; /* cure: NULL where none is needed */
};

const struct accept_reason_row *accept_row(enum accept_reason r);

/* A phone, and the cluster behind it. Everything is borrowed. */
struct phone {
	const struct tlv_list *ctl, *itl; /* what it holds; NULL: none, or not shown */
	bool no_lists;			  /* it holds none at all */
	bool no_tvs;			  /* it has no Security by Default */
	bool blank_itl;		       /* its ITL was blanked (rollback parameter): nobody to ask */
	const struct certset *vouched; /* what TVS holds: uploads and own certificates */
	const struct tlv_list *tvs_ctl; /* the CTL that the TVS node serves; NULL: none */
	const char *asked;   /* path or URL of what it asked for and gets; NULL: not judged */
	bool tvs_ctl_is_new; /* … which is taken to be the new one */
};

enum accept_assumption {
	ACCEPT_ASSUMES_ITL = 1 << 0, /* the ITL that is not shown has a TVS record */
	ACCEPT_ASSUMES_CTL = 1 << 1  /* the TVS node serves the new list */
};

/* How the signer would match a record if it were spelled otherwise. */
struct accept_near {
	bool found;
	bool in_itl;
	size_t record;	      /* number from 1 */
	bool serial_reversed; /* the serial number is that record's back to front */
	bool name_respelled;  /* the issuer is that record's in another dialect */
	enum tlv_style style; /* … the record's own, which would match */
};

struct acceptance {
	enum accept_reason reason;
	unsigned assumptions;	 /* bits of accept_assumption */
	long record;		 /* index of the record that decided, -1: none */
	bool in_itl;		 /* … which is in the ITL */
	bool could_ask;		 /* the phone has a TVS to ask, as far as we are shown */
	bool new_is_bad;	 /* leap of faith in a list whose own signature is bad */
	bool anybody_signs;	 /* accepted for a key that proves nothing (tlv/cert.h) */
	struct accept_near near; /* of a refusal */
};

/* Pure: the same arguments, the same answer. */
struct acceptance accept_decide(const struct phone *p, const struct tlv_list *new_list);

/*
 * The same before anything is signed: the new list's signature is taken to be
 * one that this key (a PKCS#1 RSAPublicKey) will make.
 */
struct acceptance accept_foresee(const struct phone *p, const struct tlv_list *new_list,
				 struct span signing_key);

/* Appends "tvs (assumes the ITL has a TVS record)". */
void accept_reason_text(const struct acceptance *a, struct buf *out);
/* Appends the explanation, the spelling that would match, and the cure, a line each. */
void accept_explain(const struct acceptance *a, struct buf *out);

#endif
