/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A cluster as its lists show it: nodes, certificates, and which of them are to
 * be renewed. The lists that it serves are the pattern of all that it will write.
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
	bool resets; /* 'utils itl reset localkey' comes before a restart of TFTP, where it helps */
	const struct tlv_cert
		*token; /* signs if it is not the CTL's signer; NULL: the signer does */
	bool blanks;	/* ITLs are blanked before the change, and full again behind it */
	struct cluster_node nodes[CLUSTER_NODES_MAX];
	size_t nnodes, publisher;
	struct cluster_cert certs[CLUSTER_CERTS_MAX];
	size_t ncerts;
};

/*
 * Reads the cluster out of its present lists, which must outlive it: at most one
 * CTL, and one ITL or more. ST_USAGE with what to give instead, or if one is of another cluster;
 * ST_NO where the lists contradict each other, so that a renewal is on its way already.
 * The struct is to be freed all the same.
 */
enum status cluster_read(struct cluster *c, const struct tlv_list *const *lists, size_t n,
			 const struct release *release, struct tlv_err *e);

/*
 * The same of lists that may contradict each other, as they do after a renewal that CUCM has not
 * written into all of them. The latest list counts: what an earlier one shows in its place is
 * superseded. *now is then the state of today, in which that is renewed already.
 */
enum status cluster_read_drifted(struct cluster *c, const struct tlv_list *const *lists, size_t n,
				 const struct release *release, struct cluster_state *now,
				 struct tlv_err *e);

/*
 * Marks what is to be renewed: "tvs", "callmanager@sub1". ST_USAGE where it is
 * no such word, ST_NO_MATCH where the lists show no such certificate.
 */
enum status cluster_ask(struct cluster *c, const char *what, struct tlv_err *e);

/*
 * Asks for blank ITLs while certificates change. ST_USAGE if there is a CTL, which stays as it is.
 */
enum status cluster_blank(struct cluster *c, struct tlv_err *e);

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
/* The node whose TFTP certificate an ITL has; CLUSTER_NONE: none, as in a blank ITL. */
size_t cluster_owner(const struct cluster *c, const struct tlv_list *itl);
size_t cluster_tftp_nodes(const struct cluster *c);
/* Whether a list of today is not of the release: release_is_unlike(). */
bool cluster_doubts_release(const struct cluster *c);
/* Says what is assumed then, of the first such list; else nothing. */
void cluster_say_doubt(struct plan_lines *l, const struct cluster *c);
/* What is said of lists that were printed, each of which is noted first. */
struct cluster_printed {
	bool any, good; /* good: the signature of one is taken to be good */
};
void cluster_note_printed(struct cluster_printed *p, const struct tlv_list *l);
void cluster_say_printed(struct plan_lines *l, const struct cluster_printed *p);
void cluster_free(struct cluster *c);

#endif
