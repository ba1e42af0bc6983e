/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A cluster as its lists show it: nodes, certificates, and which of them are to be renewed. The
 * lists that it serves are the pattern of all that it will write. cluster_read.h makes it out of
 * lists. cluster_ask.h notes what is to be renewed. cluster_say.h says what is assumed of the
 * lists.
 */
#ifndef CTL_CLUSTER_H
#define CTL_CLUSTER_H

#include "signer/plan/plan_model.h"
#include "signer/trust/release.h"

/* Certificates beyond this many are ST_USAGE: 80 nodes and more. */
enum { CLUSTER_CERTS_MAX = 192, CLUSTER_NODES_MAX = 64, CLUSTER_NONE = CLUSTER_NODES_MAX };

struct cluster_node {
	struct span name;	    /* as a list spells it; borrowed */
	struct span address;	    /* 4 bytes, or empty; borrowed */
	bool tftp;		    /* it serves lists */
	const struct tlv_list *itl; /* its own, NULL: not given, taken to be like another's */
	size_t callmanager;	    /* index of its certificate, CLUSTER_CERTS_MAX: not known */
	size_t ecdsa;		    /* … of CallManager-ECDSA, which signs no list */
};

/* A certificate that some list shows, and the one that comes after it. */
struct cluster_cert {
	enum plan_kind kind;
	size_t node;	      /* CLUSTER_NONE: not known */
	struct span known;    /* DER, borrowed from a list */
	struct buf successor; /* DER of a placeholder; empty unless it is to be renewed */
	struct tlv_cert known_parts, successor_parts;
	bool asked;  /* it is to be renewed */
	size_t list; /* index of the first list that shows it, in the order that they were read */
};

/* What has changed by now. */
struct cluster_state {
	uint64_t renewed[CLUSTER_CERTS_MAX / 64]; /* bit n of the whole: certificate n */
	bool blank; /* the rollback parameter is set: ITLs that are written are blank */
};

struct cluster {
	const struct release *release; /* borrowed */
	const struct tlv_list *ctl;    /* NULL: none; borrowed */
	const struct tlv_list *itls[CLUSTER_NODES_MAX];
	size_t nitls;
	bool mixed;  /* CUCM writes a CTL */
	bool tokens; /* … and a token signs it */
	bool resets; /* 'utils itl reset localkey' comes before a restart of TFTP, if it helps */
	const struct tlv_cert
		*token; /* signs if it is not the CTL's signer; NULL: the signer does */
	bool blanks;	/* ITLs are blanked before the change, and full again behind it */
	struct cluster_node nodes[CLUSTER_NODES_MAX];
	size_t nnodes, publisher;
	struct cluster_cert certs[CLUSTER_CERTS_MAX];
	size_t ncerts;
};

bool cluster_is_renewed(const struct cluster_state *s, size_t cert);
void cluster_renew(struct cluster_state *s, size_t cert);
/* DER and parts of the certificate as it is in this state. */
const struct tlv_cert *cluster_cert_now(const struct cluster *c, const struct cluster_state *s,
					size_t cert);
/* The certificate of that DER, known or successor; CLUSTER_CERTS_MAX: none. */
size_t cluster_find_cert(const struct cluster *c, struct span der);
/* The first certificate of a kind on a node (CLUSTER_NONE: on any); CLUSTER_CERTS_MAX: none. */
size_t cluster_cert_of(const struct cluster *c, enum plan_kind kind, size_t node);
/* By name, or by its short form, in any case; CLUSTER_NONE: none. */
size_t cluster_find_node(const struct cluster *c, struct span name);
/* The node with these 4 bytes; CLUSTER_NONE: none, as with an empty address. */
size_t cluster_find_address(const struct cluster *c, struct span address);
/* The record's address, 4 bytes; empty if it is printed or says 0.0.0.0, which is no node's. */
struct span cluster_address_of(const struct tlv_record *r);
/* The node whose TFTP certificate an ITL has; CLUSTER_NONE: none, as in a blank ITL. */
size_t cluster_owner(const struct cluster *c, const struct tlv_list *itl);
size_t cluster_tftp_nodes(const struct cluster *c);
void cluster_free(struct cluster *c);

#endif
