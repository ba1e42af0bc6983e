/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the TFTP nodes of a cluster serve: their lists, fetched side by side, judged and compared.
 * Phones get theirs from any of them, so all must have the same CTL. Each node has its own ITL.
 */
#ifndef CTL_SERVED_H
#define CTL_SERVED_H

#include "signer/net/net.h"
#include "signer/trust/verify.h"
#include "tlv/list.h"

enum { SERVED_MAX = 128 }; /* nodes that one list may have us connect to */

enum served_state {
	SERVED_LIST,	   /* a whole list */
	SERVED_MISSING,	   /* the node is there, and has no such file */
	SERVED_UNREADABLE, /* something came, but no whole list */
	SERVED_UNREACHED   /* the node did not answer */
};

struct served_file {
	size_t node;	  /* number of its node */
	const char *name; /* "CTLFile.tlv", borrowed */
	char *url;	  /* owned */
	enum served_state state;
	struct tlv_err fault; /* why not, if it is no list */
	struct net_question answer;
	struct tlv_list list;	/* of the answer's bytes */
	struct verification v;	/* of a list */
	char md5[33], sha1[41]; /* of a list */
	/* Of a CTL: which content of this name it is, from 1 in the order of the nodes; else 0. */
	size_t version;
};

struct served {
	/* As shown, no two alike: HOST, HOST:PORT if a port was given, or its base; owned */
	char **nodes;
	char **bases; /* "http://10.0.0.1:6970"; owned */
	size_t nnodes, nodes_cap, bases_cap;
	struct served_file *files; /* node by node */
	size_t nfiles;
	char *device_names[2]; /* owned */
};

#define SERVED_INIT ((struct served){ .nnodes = 0 })

/*
 * Adds a node: "HOST", "HOST:PORT" or "SCHEME://HOST[:PORT]". Without a scheme it is asked over
 * HTTP, or over TFTP if tftp is true. A node that is there already is passed over. ST_USAGE if it
 * is none of these.
 */
enum status served_add(struct served *s, const char *node, bool tftp, struct tlv_err *e);
/* Adds the nodes of its TFTP records, by address, else by name. ST_INPUT if none, or too many. */
enum status served_add_list(struct served *s, const struct tlv_list *l, bool tftp,
			    struct tlv_err *e);

/*
 * Fetches the lists of all nodes, judges and compares them. device: "SEP<MAC>", to fetch its own
 * lists too; or NULL. With trust NULL a list is judged consistent or bad, never good. ST_INPUT,
 * with what each node said, if none answered.
 */
enum status served_fetch(struct served *s, const char *device, const struct trust *trust,
			 struct tlv_err *e);

/* What all of it comes to. */
struct served_sum {
	size_t lists;  /* whole lists of either kind */
	size_t ctls;   /* CTLs among them */
	size_t silent; /* nodes that did not answer for every file */
	size_t bad;    /* lists that are not good, and what was unreadable */
	bool is_open;  /* a node was silent, or what is in the place of its CTL is unreadable */
	bool is_different; /* a name has several contents, or is missing on one of the nodes that answered */
};
struct served_sum served_sum(const struct served *s);
/* Of the CTLs of this name, how many contents there are. */
size_t served_versions(const struct served *s, const char *name);
/* "same", "different"; "" for what is not compared: an ITL, or what is no list. */
const char *served_compared(const struct served *s, const struct served_file *f);

void served_free(struct served *s);

#endif
