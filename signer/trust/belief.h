/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whether a list that exists is believed, and why. A list is never its own
 * witness: whoever can write the TFTP folder can sign a list with a key of
 * their own. So the user names a key, and the list must be signed with it.
 */
#ifndef CTL_BELIEF_H
#define CTL_BELIEF_H

#include <sys/stat.h>

#include "signer/text/list_file.h"
#include "tlv/err.h"
#include "tlv/list.h"

enum belief_state {
	BELIEF_BAD, /* no signature of its own, or the signer's record is not its certificate's */
	BELIEF_UNKNOWN, /* signed, but with no key that the user named */
	BELIEF_GIVEN
};

struct belief_key {
	uint8_t *key; /* PKCS#1 RSAPublicKey, as field 7 has it; NULL: sha1 counts */
	size_t n;
	uint8_t sha1[20]; /* of the signer's certificate */
	char *why;	  /* "--trust old.pem" */
	bool is_ca;	  /* of a CA certificate, which vouches for nobody else */
	size_t witness;	  /* index + 1, 0: none */
};

struct belief_witness {
	char *path;
	struct stat file;
	uint8_t sha256[32]; /* of its bytes */
	bool named;	    /* by the argument itself, not found in a folder */
	bool is_list, is_itl, has_time;
	uint32_t time; /* seconds since 1970 UTC */
};

/* Who may have signed: what the user named. Owned. */
struct belief {
	struct belief_key *keys;
	size_t nkeys, keys_cap;
	struct belief_witness *witnesses;
	size_t nwitnesses, witnesses_cap;
};

#define BELIEF_INIT ((struct belief){ .nkeys = 0 })

/*
 * Adds what --trust names: a certificate, a list, or a folder of
 * such. Of a list the key inside each SAST certificate counts, never field 7.
 * Its own signature must verify. That proves only that the list is whole: a
 * stranger's verifies as well. The user's word is what makes it a witness.
 * ST_INPUT if it is none of these; in a folder that costs a warning.
 * ST_USAGE for "self". option is "--trust", for messages.
 */
enum status belief_trust(struct belief *b, const char *option, const char *arg,
			 const struct tlv_warn *warn, struct tlv_err *e);
/*
 * The same of a list that was read from arg already. Standard input cannot be read again, and a
 * server may answer with another list.
 */
enum status belief_trust_list(struct belief *b, const char *option, const char *arg,
			      const struct list_file *l, const struct tlv_warn *warn,
			      struct tlv_err *e);
/*
 * --accept-signer: SHA-1 of the signer's certificate, 40 digits, blanks and colons between.
 * ST_USAGE.
 */
enum status belief_accept_signer(struct belief *b, const char *text, struct tlv_err *e);
/* The public key of -k or --old-key; option is that name. */
enum status belief_key(struct belief *b, const char *option, struct span public_key,
		       struct tlv_err *e);

/* The list in question. */
struct belief_subject {
	const char *path;
	const struct stat *file; /* of the descriptor that was read */
	const struct tlv_list *list;
};

struct believed {
	enum belief_state state;
	long signer;	 /* record index, or TLV_SIGNER_* */
	const char *why; /* "--trust old.pem", borrowed from the belief; NULL unless BELIEF_GIVEN */
	bool by_key;	 /* the reason is a key that signs now */
};

/*
 * The one place that says whether a list is believed. It is where its signature
 * verifies with the key inside the signer's certificate, the signer's record
 * says what that certificate says, and the key was named.
 * ST_USAGE: a witness is the list itself. ST_NO: a witness of the same kind is
 * later, so that an older list was put back. ST_INPUT: a CA certificate was
 * named. A witness from the list's own folder costs a warning.
 */
enum status belief_judge(const struct belief *b, const struct belief_subject *s,
			 const struct tlv_warn *warn, struct believed *out, struct tlv_err *e);

/*
 * ST_NO with the reason and what to do, unless the state is BELIEF_GIVEN. what
 * is what does not happen: "nothing is signed".
 */
enum status belief_refuse(const struct believed *found, const struct belief_subject *s,
			  const char *what, struct tlv_err *e);

void belief_free(struct belief *b);

#endif
