/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The sandbox of verbs that sign, and of those that write one file. Those that sign start every
 * other program before they read a list. After that they can only ask the token's process, ask at
 * the terminal, and write where the output goes. Verbs that write nothing, or a folder, enter with
 * common_read_only() and common_write_beneath().
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
/* As key_open, with the key that is open already, if there is one. */
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

/* Enters for good. With more_tokens it does not: those processes are started later. */
void confine(const struct confine *c);

/*
 * For verbs that read files, print, and write at most one file, before the first is read. They may
 * write in the folder of output, or into it if it is a pipe or a terminal. follow: output may be a
 * link, and the folder is the one of what it leads to. output NULL: as common_read_only().
 */
void confine_to_file(const char *output, bool follow);

#endif
