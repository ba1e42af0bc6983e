/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The lists that CUCM will serve: real bytes, in its own style, under a signature
 * that nobody can make yet.
 */
#ifndef CTL_STAGE_H
#define CTL_STAGE_H

#include "signer/plan/forecast/cluster.h"

/* Who signs a list that is written. */
enum stage_writes { STAGE_KEPT, STAGE_ORDINARY, STAGE_CALLMANAGER, STAGE_ITLRECOVERY };

/* What a row of the tables asks of a cluster: bit n. */
enum stage_when {
	STAGE_WHEN_NOT_MIXED,
	STAGE_WHEN_TOKENLESS,
	STAGE_WHEN_TOKENS,
	STAGE_WHEN_RECOVERY_SIGNS,
	STAGE_WHEN_CALLMANAGER_SIGNS,
	STAGE_WHEN_RESET /* tried by the remedy of that name, whose row says for which clusters */
};

/* All bits that are true of it. */
unsigned stage_conditions(const struct cluster *c);

struct stage_rule {
	enum plan_kind kind;
	unsigned when;
	enum stage_writes ctl, itl;
	enum fact_id fact;
};

enum { STAGES_MAX = 2 };

/* The rules of a kind for this cluster, in their order; returns how many. */
size_t stage_rules(const struct cluster *c, enum plan_kind kind,
		   const struct stage_rule *rules[STAGES_MAX]);

/* Whether the list has a record of any of these certificates. */
bool stage_shows(const struct cluster *c, const struct tlv_list *l,
		 const struct cluster_state *renews);
/*
 * The same for a kind of certificate. The CTL of some releases has no ITLRecovery, so it is not
 * written.
 */
bool stage_has_kind(const struct cluster *c, const struct tlv_list *l, enum plan_kind kind);

/* A list that is served: given, or foreseen. */
struct stage_list {
	struct buf bytes; /* owned; empty if the list was given */
	struct tlv_list foreseen;
	const struct tlv_list *list; /* NULL: none is served */
	struct span key;	     /* PKCS#1 key that will sign it; borrowed from the cluster */
	size_t signer;		     /* its certificate; CLUSTER_CERTS_MAX: a token's */
};

/* What a cluster serves to its phones. */
struct stage_served {
	struct stage_list ctl, itl[CLUSTER_NODES_MAX];
};

/*
 * Foresees the CTL (if the cluster is mixed) and the ITLs of these nodes as they are
 * in a state. time counts the writings from 1 and dates them behind the given lists.
 * ST_USAGE if the lists do not show who will sign.
 */
enum status stage_write_ctl(struct stage_list *out, const struct cluster *c,
			    const struct cluster_state *s, enum stage_writes how, uint32_t time,
			    struct tlv_err *e);
enum status stage_write_itl(struct stage_list *out, const struct cluster *c,
			    const struct cluster_state *s, size_t node, enum stage_writes how,
			    uint32_t time, struct tlv_err *e);
/*
 * The same records signed with another key: that of this record, which may be of any list. take_in:
 * the list then holds the record too, as one that is made outside CUCM does.
 */
enum status stage_sign_by(struct stage_list *out, const struct tlv_list *records,
			  const struct tlv_record *signer, bool take_in, uint32_t time,
			  struct tlv_err *e);
/* The present CTL with one SAST record more, signed as always. ST_USAGE as above. */
enum status stage_write_bridge(struct stage_list *out, const struct cluster *c,
			       const struct tlv_cert *anchor, struct tlv_err *e);
/* What is served now, as it was given; a node without an ITL has one that is foreseen. */
enum status stage_given(struct stage_served *out, const struct cluster *c, const bool *nodes,
			struct tlv_err *e);
/* Whether it is an ITL as the rollback parameter leaves it: without TVS and TFTP records. */
bool stage_is_blank(const struct tlv_list *l);
void stage_list_free(struct stage_list *l);
void stage_served_free(struct stage_served *s);

#endif
