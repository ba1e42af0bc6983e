/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both sides of the wall: what ctlsign and ctlsign-net say to each other, over the
 * socket of pkcs11/shared/line.h. A request is one message and has a number; its answer is
 * any number of messages with that number, the last of them NET_DONE. Answers to several
 * requests come in any order. What comes back is hostile: the program looks at every field.
 *
 * A new kind of request is a value of enum net_what; all have the same fields.
 */
#ifndef CTL_NET_WIRE_H
#define CTL_NET_WIRE_H

#include "tlv/bytes.h"

enum {
	NET_TARGET_MAX = 1024,		       /* bytes of a URL, or of HOST:PORT */
	NET_SEND_MAX = 66 * 1024,	       /* bytes that are sent: a message of TVS has fewer */
	NET_REQUEST_MAX = NET_SEND_MAX + 2048, /* bytes of a whole request */
	NET_TEXT_MAX = 300,		       /* bytes of a text beside a fault */
	NET_BYTES_MAX = 64 * 1024	       /* bytes of one NET_BYTES */
};

enum net_what {
	NET_GET = 1, /* target: a URL */
	/*
	 * target: HOST:PORT. The answer is the certificates that the server presents over TLS, DER
	 * one behind the other, its own first: also if it ends the session for want of ours.
	 */
	NET_CHAIN,
	NET_CHAIN_RSA, /* the same, of a service that has several: the one with an RSA key */
	NET_CHAIN_EC,  /* ... with a key on a curve */
	/*
	 * target: HOST:PORT. The bytes are sent over TLS. The answer is net_put_chain()'s, and
	 * behind it the one message that comes back, as long as net_talk_length() says.
	 */
	NET_TALK
};

enum net_fault {
#define FAULT(NAME, kind, sentence) NET_##NAME,
#include "signer/net/shared/faults.def"
#undef FAULT
	NET_FAULTS
};

struct net_request {
	enum net_what what;
	uint16_t number;
	uint32_t ms;	    /* milliseconds until an answer is worth nothing; at least 1 */
	uint32_t max;	    /* bytes of an answer at most */
	struct span target; /* of printable ASCII without blanks */
	struct span bytes;  /* to be sent: NET_TALK; else empty */
};

enum net_answer {
	NET_BYTES = 64, /* a piece of the answer, in order */
	NET_DONE	/* the end of it */
};

struct net_done {
	enum net_fault fault;
	uint32_t code;	  /* the fault's '#' */
	int64_t modified; /* seconds since 1970 UTC, as the server says of the file; 0: it does not */
	struct span text; /* the fault's '@' */
};

/* Appends a request. Its fields must be within the limits: net_read_request() looks. */
void net_put_request(struct buf *b, const struct net_request *r);
/* False if it is malformed; spans are borrowed from the message. */
bool net_read_request(struct span msg, struct net_request *r);

/*
 * How long the whole message is that begins with these bytes: bytes 8 and 9 have the length of
 * what follows them [docs/TVS.md, "A message"]. 0: it takes more of them to say.
 */
size_t net_talk_length(struct span begun);
/* What a NET_TALK is answered with: certificates in front of a message. */
void net_put_chain(struct buf *b, struct span chain);
/* False if it is malformed; both are borrowed. */
bool net_read_chain(struct span bytes, struct span *chain, struct span *message);

void net_put_bytes(struct buf *b, uint16_t number, struct span bytes);
void net_put_done(struct buf *b, uint16_t number, const struct net_done *d);
/* The type of an answer and its number, and what follows, for the two below; -1 if it is none. */
int net_read_answer(struct span msg, uint16_t *number, struct span *rest);
/* False if it is malformed. */
bool net_read_done(struct span rest, struct net_done *d);

#endif
