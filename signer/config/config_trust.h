/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Who may sign configuration files: a certificate that is named, or the TFTP
 * and CCM+TFTP records of trust lists, as a phone that holds them looks; and
 * whom TVS knows, which such a phone asks about any other signer.
 */
#ifndef CTL_CONFIG_TRUST_H
#define CTL_CONFIG_TRUST_H

#include "pkcs11/token.h"
#include "signer/crypto/certset.h"
#include "signer/crypto/digest.h"
#include "signer/text/list_file.h"
#include "signer/trust/tvs.h"
#include "tlv/header.h"

struct config_trust {
	struct cert cert; /* der.n 0: none */
	/* The key of cert, owned; NULL: none. To set it up costs as much as to verify. */
	struct digest_key *check;
	struct list_file *lists;
	const char **paths; /* borrowed */
	size_t nlists, lists_cap, paths_cap;
	struct certset vouched; /* what TVS holds, --sast-trust */
};

/* Whose key has to verify, and why. */
struct config_signer {
	struct span public_key; /* borrowed */
	bool asks_tvs;		/* no list has the signer; TVS knows it, as tvs says */
	struct tvs_answer tvs;
};

/* --cert with verify and strip. */
enum status config_trust_cert(struct config_trust *t, const char *arg,
			      const struct tok_options *tok, struct tlv_err *e);
/*
 * ST_INPUT if the list is malformed or its own signature does not verify. One by URL costs a
 * warning.
 */
enum status config_trust_list(struct config_trust *t, const char *path, struct tlv_err *e);
bool config_trust_any(const struct config_trust *t);
/* Whether the key, that of config_trust_signer(), verifies. Several threads may ask at once. */
bool config_trust_verifies(const struct config_trust *t, struct span public_key,
			   enum tlv_digest alg, struct span digest, struct span signature);

/*
 * The header's signer. ST_NO with the reason: no TFTP or CCM+TFTP record has the
 * header's serial and issuer byte for byte, or two have, with different keys; the
 * certificate is another's. TVS is asked last, and finds a signer as CUCM spells it.
 */
enum status config_trust_signer(const struct config_trust *t, const struct tlv_header *h,
				struct config_signer *out, struct tlv_err *e);

/* The TFTP or CCM+TFTP record of the signer's certificate; ST_NO if no list has it. */
enum status config_trust_record(const struct config_trust *t, const struct cert *signer,
				struct tlv_record *out, struct tlv_err *e);
void config_trust_free(struct config_trust *t);

#endif
