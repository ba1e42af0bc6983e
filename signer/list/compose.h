/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Records from certificates: what each is called, where it is, which of them
 * is the signer's.
 */
#ifndef CTL_COMPOSE_H
#define CTL_COMPOSE_H

#include "pkcs11/token.h"
#include "signer/crypto/cert.h"
#include "tlv/list.h"

/* One record to be made. */
struct entry {
	uint16_t role;
	struct cert cert; /* empty: a record without certificate (non-secure mode) */
	char *name;	  /* owned; NULL: by default */
	bool has_address;
	uint8_t address[4];
	bool token;	 /* a hardware token's record, whoever issued its certificate */
	long source;	 /* index in the list that it was kept from, -1: none */
	struct span raw; /* a record that is kept as it is; borrowed; the rest describes it */
	struct buf own;	 /* raw's bytes, if they are the entry's own */
	char *origin;	 /* owned; "cluster.yaml:7", "--capf capf.pem": where an error is */
	/* What an option of update has changed: another option may not change it again. */
	bool replaced, renamed, moved;
};

struct entries {
	struct entry *v;
	size_t n, cap;
};

#define ENTRIES_INIT ((struct entries){ .n = 0 })

/* Appends an empty entry at position at (n: the end); NULL if memory runs out. */
struct entry *entries_insert(struct entries *es, size_t at);
/* Drops a name that is an IPv4 address, as the CTL Client writes it. */
void entry_forget_address_name(struct entry *x);
void entries_remove(struct entries *es, size_t at);
void entries_free(struct entries *es);

/*
 * Appends what a record option names, "CERT[,name=NAME][,address=IP]", which
 * is split at ",name=" and ",address=" only. option is its name for messages.
 */
enum status entries_add_option(struct entries *es, uint16_t role, const char *text,
			       const char *option, const struct tok_options *tok,
			       struct tlv_err *e);

/* Takes the settings off the end of text, which is cut there. ST_USAGE. */
enum status entry_settings(struct entry *x, char *text, const char *option, struct tlv_err *e);

/*
 * Makes the entry one of these bytes, a whole record that is written as it is. ST_INPUT if
 * they are none, or have a certificate (the record is made from that), or are an anchor.
 */
enum status entry_take_record(struct entry *x, struct span bytes, struct tlv_err *e);

/*
 * ST_USAGE if the text ends in an unknown setting, such as ',adress=…', and no file has that name.
 */
enum status entry_check_settings(const char *text, const char *option, struct tlv_err *e);

/*
 * Appends record i of a list, or all of them, to be kept byte for byte. The list must outlive the
 * entries.
 */
enum status entries_keep_one(struct entries *es, const struct tlv_list *l, size_t i,
			     struct tlv_err *e);
enum status entries_keep(struct entries *es, const struct tlv_list *l, struct tlv_err *e);

/* The first entry of a role; NULL: none. */
const struct entry *entries_find(const struct entries *es, uint16_t role);
/* ST_NO: a TVS record in what is no ITL by its FILENAME. */
enum status entries_check_kind(const struct entries *es, const char *filename, struct tlv_err *e);

struct compose_options {
	struct tlv_dialect dialect;
	bool non_secure;     /* CCM+TFTP records keep name, role and address only */
	enum status missing; /* status of an entry that lacks what the style wants */
};

/*
 * Appends the records in order. A SAST record for the signer comes first
 * unless an entry is one; *signer_at is its offset in out. Entries may be
 * added and their defaults filled in. Errors name the entry's origin.
 */
enum status compose(struct buf *out, struct entries *es, const struct cert *signer,
		    const struct compose_options *opt, size_t *signer_at, struct tlv_err *e);

#endif
