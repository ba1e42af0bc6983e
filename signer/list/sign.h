/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From records to a signed list: header, digest, signature into its hole,
 * then read again and verified before anybody sees the bytes.
 */
#ifndef CTL_SIGN_H
#define CTL_SIGN_H

#include "signer/crypto/digest.h"
#include "signer/crypto/key.h"
#include "tlv/bytes.h"
#include "tlv/err.h"
#include "tlv/findings.h"
#include "tlv/header.h"
#include "tlv/list.h"

struct sign_spec {
	struct span records; /* all of them, as they will stand in the file */
	size_t signer_at;    /* offset in records of the signer's SAST record */
	enum tlv_digest digest;
	const char *filename;
	const char *served; /* path that it will be published under; NULL: not judged */
	bool weak_keys;	    /* --allow-weak-keys: what is weak about keys does not stop */
	uint32_t timestamp; /* seconds since 1970 UTC */
	bool has_signer_version;
	uint8_t signer_version[2];
};

/* Whether the key can make a signature with this digest; ST_INPUT with the reason if not. */
enum status sign_check_digest(unsigned key_bits, enum tlv_digest digest, struct tlv_err *e);

/* A list under way: everything is there but the signature. */
struct signing {
	const struct sign_spec *spec;
	struct tlv_header_spec header;
	struct buf list; /* owned */
	size_t hole;	 /* position of the signature in it */
	/* list as it reads, judged by sign_prepare(); it borrows list, and owns the rest. */
	struct tlv_list judged;
	struct tlv_findings findings; /* of that judgement; owned */
	struct digest digest;	      /* of all but field 12, when it was signed */
};

/*
 * Header and records, before anybody is asked for a PIN. Header fields 4, 5, 6
 * are byte copies of the signer's record. ST_INPUT: a header over 65535 bytes,
 * or a digest that the key is too short for. ST_NO: verify would find an error in
 * the list (verify_list()), a record taken over or not. spec is borrowed.
 */
enum status sign_prepare(struct signing *out, const struct sign_spec *spec, const struct key *key,
			 struct tlv_err *e);

/* Fills in the signature with the key, which must be logged in. ST_TOKEN: it is a bad one. */
enum status sign_fill(struct signing *s, struct key *key, struct tlv_err *e);
/*
 * Reads the whole again and verifies the signature. All other bytes must be those that
 * sign_prepare() judged. ST_TOKEN: a bad signature; ST_BUG: what was written does not read back as
 * what was meant. Only ST_OK is for publishing. The key is not needed any more.
 */
enum status sign_check(const struct signing *s, struct tlv_err *e);
void signing_free(struct signing *s);

#endif
