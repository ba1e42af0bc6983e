/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the command line says about whom to believe, and the question itself. Every verb that signs
 * over a list, extends it or takes it apart asks it.
 */
#ifndef CTL_BELIEVE_H
#define CTL_BELIEVE_H

#include "signer/cli/confine.h"
#include "signer/cli/opt.h"
#include "signer/crypto/key.h"
#include "signer/text/list_file.h"
#include "signer/trust/belief.h"

struct believing {
	struct belief belief;
	struct list_file installed; /* --installed LIST */
	const char *installed_path; /* NULL: not given */
	bool no_forecast;	    /* --installed none */
	bool wrong_key; /* KEY is not that of the list's signer, which it was taken for */
};

/* --trust, --accept-signer, --installed. ST_USAGE, ST_INPUT. */
enum status believe_options(struct believing *b, const struct opts *o, struct tlv_err *e);

/*
 * Opens KEY for a verb that signs over f. Without a certificate of its own it is
 * taken to be that of f's signer. If it is another key, and f is not believed
 * for another reason, the answer is that f is not believed: ST_NO. option is
 * "-k" or "--old-key"; the key is a reason to believe afterwards.
 */
enum status believe_open_key(struct believing *b, struct early_key *early, struct key **out,
			     const struct key_options *k, const char *option, const char *path,
			     const struct list_file *f, struct tlv_err *e);

/* ST_NO unless the list is believed; what is what does not happen then: "nothing is signed". */
enum status believe_list(struct believing *b, const char *path, const struct list_file *f,
			 const char *what, struct tlv_err *e);

/* ST_USAGE if --trust or --installed names this very list, which is replaced but not asked. */
enum status believe_no_self(struct believing *b, const char *path, const struct list_file *f,
			    struct tlv_err *e);

/*
 * After a login that failed: an encrypted key file tells only then that it is
 * not the signer's. *e becomes the refusal if the list was believed for that.
 */
enum status believe_after_login(struct believing *b, enum status st, const char *path,
				const struct list_file *f, struct tlv_err *e);

void believing_free(struct believing *b);

#endif
