/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A phone, and what the TVS behind it would answer about a new list's signer.
 * Source: docs/CLUSTER.md, "How a phone decides" and "What TVS knows".
 */
#ifndef CTL_TVS_H
#define CTL_TVS_H

#include "signer/crypto/certset.h"
#include "signer/trust/release.h"
#include "signer/trust/signature.h"
#include "signer/trust/tvs_message.h"
#include "tlv/list.h"

/* What a TVS answered that was asked about the new list's signer. Everything is borrowed. */
struct tvs_heard {
	const struct tvs_heard *next; /* of another TVS, which was asked too; NULL: no more */
	const char *host;	      /* "HOST:PORT" */
	struct span presented;	      /* its own certificate, DER: phone.tvs_now has it too */
	struct span signer;	      /* whom it was asked about: the subject, without a NUL */
	const struct tvs_reply *reply;
	struct span certificate; /* the signer's that it knows, DER; empty: it shows none */
	/* It shows none, and was asked about the one that the new list has; NULL: it was not */
	const struct tvs_reply *own;
};

/* A phone, and the cluster behind it. Everything is borrowed. */
struct phone {
	const struct tlv_list *ctl, *itl; /* what it holds; NULL: none, or not shown */
	bool no_lists;			  /* it holds none at all */
	bool no_tvs;			  /* it has no Security by Default */
	bool goes_back; /* the new list is one from before what it holds, whatever the times say */
	bool foreign;	/* the new list is another cluster's, whose TVS it does not ask */
	bool tvs_restarts; /* TVS does, before the phone asks: a new ITL counts beside tvs_now */
	bool blank_itl;	   /* its ITL was blanked (rollback parameter): nobody to ask */
	const struct certset *vouched; /* what TVS was given: uploads and own certificates */
	const struct certset
		*tvs_now; /* what TVS presents today; NULL or empty: what a new ITL says */
	const struct tvs_heard *heard; /* what TVS say of the signer; NULL: none was asked */
	const struct release *release; /* NULL: not known, so that ITLRecovery is not vouched for */
	const char *asked; /* path or URL of what it asked for and gets; NULL: not judged */
	const struct tlv_list *tvs_ctl; /* the CTL that the TVS node serves; NULL: none */
	bool tvs_ctl_is_new;		/* … which is taken to be the new one */
	struct signature_memo *memo;	/* what was verified for the phone before; NULL: nothing */
};

enum tvs_assumption {
#define ASSUMPTION(NAME, word, text, how, fact) TVS_ASSUMES_##NAME,
#include "signer/trust/assumptions.def"
#undef ASSUMPTION
	TVS_ASSUMPTIONS
};

/* Whether a phone has a TVS that it believes. */
enum tvs_reach {
	TVS_REACHED,
	TVS_NOT_ASKED, /* no Security by Default */
	TVS_BLANKED,   /* the ITL was blanked */
	TVS_NO_RECORD, /* the ITL names none */
	TVS_RENEWED    /* none of today's certificates is a TVS record of the ITL */
};

enum { TVS_NODES_SHOWN = 4 };

struct tvs_answer {
	enum tvs_reach reach;
	unsigned assumptions; /* bit n: tvs_assumption n */
	/* If some nodes' certificates were renewed: the others. */
	struct span node[TVS_NODES_SHOWN];
	size_t nodes;	    /* all of them */
	bool later;	    /* TVS_RENEWED not today, but as soon as TVS restarts */
	bool until_restart; /* reached today; after its restart fewer nodes are believed, or none */
	bool heard;	    /* it was asked, and the phone asks a TVS too */
	bool believed; /* … by the phone: the ITL names the one that was asked, or is not shown */
	bool others;   /* … and the ITL names other TVS, which were not asked */
	bool knows;    /* … the signer, whose key and DER issuer these are; borrowed */
	struct span key, certificate;
	bool foreign; /* it was taken not to know the new list's cluster */
	bool near;    /* it would know the signer under its own spelling of this DER issuer */
	struct span near_issuer;
};

/* Of those that were asked, the answer of the first counts. */
struct tvs_answer tvs_ask(const struct phone *p, const struct tlv_list *new_list);

/* The new list's own TVS certificates of today, which an ITL brings. */
bool tvs_list_says_now(const struct tlv_list *l);

#endif
