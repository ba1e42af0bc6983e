/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whether a list still has the certificates that the cluster presents: the services that its
 * records stand for are asked over TLS, all at once. No session is judged, and nothing is
 * believed for what is presented: it is compared.
 */
#ifndef CTL_LIVE_H
#define CTL_LIVE_H

#include "signer/net/net.h"
#include "tlv/list.h"

enum { LIVE_MAX = 512 }; /* services that one list may have us connect to */

enum live_state {
	LIVE_SAME,    /* a record has this certificate */
	LIVE_RENEWED, /* another certificate of the same name */
	LIVE_OTHER,   /* a certificate of another name */
	LIVE_SILENT   /* none came */
};

/* What a service is called in lines, and its state. */
const char *live_state_text(enum live_state s);

struct live_service {
	size_t *records; /* those that it is compared with, from 0; owned, one at least */
	size_t nrecords, records_cap;
	uint16_t role;	       /* a service's, such as CCM */
	const char *name;      /* "CallManager (SIP)"; static */
	struct buf node;       /* the record's name, escaped for a terminal */
	struct buf at;	       /* "10.48.47.153:5061" */
	enum tlv_key_type key; /* only a certificate with such a key is asked for */
	enum live_state state;
	struct span certificate; /* what was presented; borrowed from the answer */
	struct tlv_err fault;	 /* why none came */
	struct net_question answer;
};

struct live_port {
	uint16_t role, port;
};

struct live_node {
	struct span name; /* as the list's records have it; borrowed, as is the address */
	struct span address;
};

struct live {
	/* If a role has ports here, its usual ones are not asked. Owned, but not the texts. */
	struct live_port *ports;
	struct live_node *nodes;
	struct live_service *services; /* in the order of the records; owned */
	size_t nports, ports_cap, nnodes, nodes_cap, n, cap;
};

#define LIVE_INIT ((struct live){ .n = 0 })

/* Adds "ROLE=PORT"; ST_USAGE if it is none, or no service has that role. */
enum status live_add_port(struct live *l, const char *text, struct tlv_err *e);
/* Adds "NAME=ADDRESS"; ST_USAGE if it is none, or the name is there. The text must stay. */
enum status live_add_node(struct live *l, const char *text, struct tlv_err *e);
/*
 * Asks and compares. ST_INPUT if the list stands for no service or for too many, or if nothing
 * answers; ST_USAGE if a name of live_add_node() is in no record.
 */
enum status live_ask(struct live *l, const struct tlv_list *list, struct tlv_err *e);
size_t live_count(const struct live *l, enum live_state s);
void live_free(struct live *l);

#endif
