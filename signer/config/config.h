/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Signed configuration files (.sgn): a header in front of the file's content.
 * The signature covers the header without field 12, and the content.
 */
#ifndef CTL_CONFIG_H
#define CTL_CONFIG_H

#include <stdatomic.h>

#include "signer/config/config_trust.h"
#include "signer/config/inputs.h"
#include "signer/crypto/digest.h"
#include "signer/crypto/key.h"
#include "signer/publish/group.h"

enum config_action {
#define CONFIG_ACTION(NAME, word, outcome, adds, takes, missing) CONFIG_##NAME,
#include "signer/config/config_actions.def"
#undef CONFIG_ACTION
};

/* Whether the action makes signatures: its files pass all stages. */
static inline bool config_signs(enum config_action a)
{
	return a == CONFIG_SIGN || a == CONFIG_ENCRYPT;
}

/* What all files of a batch share. */
struct config {
	enum config_action action;
	const char *root;     /* FILENAME is the path below it; NULL: the name alone */
	const char *dir;      /* where the results go; NULL: beside the files */
	const char *filename; /* FILENAME itself, of one file; NULL */
	bool skip_unchanged;
	bool weak_keys; /* --allow-weak-keys: what is weak about the key does not stop */
	bool has_timestamp;
	uint32_t timestamp; /* else the time of each signature */
	enum tlv_digest digest;
	struct tlv_header_spec header; /* but for FILENAME and time */
	struct key *key;	       /* that signs, or of decrypt the phone's */
	const char
		*phones; /* --for: a phone's certificate, or a folder of SEP<MAC>.pem, .der, .crt */
	bool phones_folder;
	struct cert phone; /* … the one certificate */
	struct config_trust trust;
	struct publish_group *group;
	struct publish_options publish;
	struct inputs inputs;	  /* with --overwrite: all files of the run */
	atomic_bool key_failed;	  /* nothing more is signed */
	atomic_flag key_failing;  /* somebody has said why */
	struct tlv_err key_fault; /* the first failure; read once key_failed is set */
};

/* One file under way. err.status ST_NO: its signature is bad, with the reason. */
struct config_file {
	char *path;	      /* owned */
	struct buf output;    /* path of the result */
	struct buf filename;  /* FILENAME, as it is written or has to be */
	struct buf signer;    /* of the header: the signer's name */
	struct buf header;    /* with a hole */
	size_t hole;	      /* where the signature's value stands in it */
	struct digest digest; /* what is signed */
	uint8_t signature[TOK_SIG_MAX];
	size_t nsignature;
	uint64_t size; /* bytes of content */
	bool unchanged, verified, dropped;
	bool firmware;	      /* nobody was named who may sign firmware: nothing was verified */
	bool asks_tvs;	      /* the phone asks TVS: nothing else knows the signer */
	bool encrypted;	      /* the content of a signed file */
	unsigned assumptions; /* of asks_tvs: bit n is tvs_assumption n */
	struct buf assumes;   /* … the same in words */
	struct publication *publication;
	const struct tlv_encryption
		*sealed;	       /* of a header that is made; NULL: the content is plain */
	struct config_file *companion; /* owned: the plain file beside an encrypted one */
	struct tlv_err err;
};

/* Output and FILENAME from the path: the caller's thread. ST_INPUT, ST_OUTPUT, in f->err. */
void config_name(const struct config *c, struct config_file *f);

/* Whether a name is a trust list's: it ends in .tlv, in any case; dots and blanks may follow. */
bool config_names_list(struct span name);

/*
 * The stages, in any thread: each does nothing if f->err is set already.
 * Only CONFIG_SIGN has the last two.
 */
void config_prepare(struct config *c, struct config_file *f);
void config_sign(struct config *c, struct config_file *f);
void config_finish(struct config *c, struct config_file *f);
void config_file_free(struct config_file *f);

/* The failure of a signature is the key's: nothing more is signed, and the other files say why. */
void config_key_failed(struct config *c, const struct tlv_err *why);

/*
 * The header's names as the signer's record has them: that of a list of
 * --trust, else a server's record rendered in the dialect.
 */
enum status config_signer(struct config *c, const struct tlv_dialect *dialect, struct buf *record,
			  struct tlv_err *e);

#endif
