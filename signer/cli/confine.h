/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The sandbox of verbs that sign: before they read a list, all that needs
 * another program has been started, and what is left is to ask the token's
 * process, to ask at the terminal, and to write where the output goes.
 */
#ifndef CTL_CONFINE_H
#define CTL_CONFINE_H

#include "signer/cli/opt.h"
#include "signer/crypto/key.h"

/* A key that is opened before the list is read; how that went is told in its time. */
struct early_key {
	struct key *key; /* owned until it is taken */
	struct tlv_err err;
	bool tried, answered;
};

#define EARLY_KEY_INIT ((struct early_key){ .err = TLV_ERR_INIT })

/*
 * Starts the token's process if the key or its certificate is a token's. Its answer is awaited
 * here only if another process might have to be started, which the sandbox forbids.
 */
void early_key_open(struct early_key *k, const struct key_options *opt);
/* As key_open, with the key that is open already where there is one. */
enum status early_key_take(struct early_key *k, struct key **out, const struct key_options *opt,
			   struct tlv_err *e);
void early_key_free(struct early_key *k);

struct confine {
	const char *output; /* NULL: nothing is written */
	bool follow;	    /* through a link */
	bool tree;	    /* output is a folder that is made */
	struct early_key *keys[2];
	bool more_tokens; /* a certificate comes from a token whose process is not started yet */
};

/* Whether an option but those of the keys names a token. */
bool confine_names_tokens(const struct opts *o);

/* Enters for good, but with more_tokens: those processes are started later. */
void confine(const struct confine *c);

#endif
