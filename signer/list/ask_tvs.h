/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Asks a node's TVS what a phone would ask it, about the signers of lists and about
 * certificates. All questions go at once, each over a connection of its own.
 */
#ifndef CTL_ASK_TVS_H
#define CTL_ASK_TVS_H

#include "signer/net/net.h"
#include "signer/text/list_file.h"
#include "signer/trust/tvs_message.h"

/* How we call ourselves: phones have such names, and no phone has this one. */
#define ASK_TVS_DEVICE "CP-8861-SEP000000000000"

enum asked_state {
	ASKED_SAST,    /* known, with the role SAST */
	ASKED_KNOWN,   /* known, without it */
	ASKED_UNKNOWN, /* not known */
	ASKED_SILENT   /* no answer, or none that can be read */
};

/* Of an answer that could be read. */
enum asked_state asked_state_of(const struct tvs_reply *r);
/* "sast", "known", "unknown", "no answer" */
const char *asked_state_text(enum asked_state s);

struct asked {
	const char *arg; /* the list or certificate; borrowed */
	enum tvs_question what;
	struct list_file file;	/* what it was read from, if we read it */
	struct buf certificate; /* of the signer, owned */
	struct buf names; /* owned: subject, issuer as CUCM spells them; a list's serial number */
	struct tvs_signer signer; /* borrows the two above */
	enum asked_state state;
	struct tvs_reply reply; /* of an answer that could be read */
	struct tlv_err fault;	/* of one that could not */
	struct buf message;
	struct net_question answer;
};

struct ask_tvs {
	char *at;		/* "HOST:PORT", owned */
	enum tvs_question what; /* of ask_tvs_about() */
	struct asked *asked;	/* owned */
	size_t n, cap;
	struct span
		presented; /* TVS's certificate, DER; empty: none came; borrowed from an answer */
	struct net_question chain;
};

#define ASK_TVS_INIT ((struct ask_tvs){ .what = TVS_VERIFY })

/* "HOST" or "HOST:PORT"; ST_USAGE if it is none. */
enum status ask_tvs_at(struct ask_tvs *a, const char *host, struct tlv_err *e);
/* Adds the signer of a list, or a certificate. ST_INPUT if it lacks what is asked about. */
enum status ask_tvs_about(struct ask_tvs *a, const char *arg, struct tlv_err *e);
/*
 * Adds the signer of a list that is read already. What it says of the signer is copied; the
 * list's name is borrowed. ST_INPUT as above.
 */
enum status ask_tvs_about_list(struct ask_tvs *a, enum tvs_question what, struct list_file *f,
			       struct tlv_err *e);
/* What does not come is the state and the fault of its question. */
enum status ask_tvs(struct ask_tvs *a, struct tlv_err *e);
/* The same of several TVS, side by side. */
enum status ask_tvs_each(struct ask_tvs *const *v, size_t n, struct tlv_err *e);
size_t ask_tvs_count(const struct ask_tvs *a, enum asked_state s);
void ask_tvs_free(struct ask_tvs *a);

#endif
