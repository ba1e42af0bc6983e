/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/rounds.h"

#include <openssl/asn1.h>
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

/* OpenSSL checks the sum of a PKCS#12 file with no, an empty and the given passphrase, in two library contexts. */
enum { MAC_TRIES = 6 };

/*
 * The functions that derive keys get no argument of ours, and a part that is
 * encrypted itself shows its number of rounds to them only.
 */
static _Thread_local int64_t left = ROUNDS_MAX;
static _Thread_local bool refused;

/* A number that OpenSSL itself would not take is none to be afraid of: it counts as one round. */
static bool spend(const ASN1_INTEGER *rounds, int64_t times)
{
	int64_t n = 1;

	if (rounds != NULL && ASN1_INTEGER_get_int64(&n, rounds) != 1)
		n = ASN1_STRING_type(rounds) == V_ASN1_NEG_INTEGER ? 1 : INT64_MAX;
	if (n > left / times) {
		refused = true;
		return false;
	}
	left -= n > 0 ? n * times : times;
	return true;
}

static bool spend_pbe(const ASN1_TYPE *param)
{
	PBEPARAM *p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), param);
	bool ok = p == NULL || spend(p->iter, 1);

	PBEPARAM_free(p);
	return ok;
}

static bool spend_pbkdf2(const ASN1_TYPE *param)
{
	PBKDF2PARAM *p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), param);
	bool ok = p == NULL || spend(p->iter, 1);

	PBKDF2PARAM_free(p);
	return ok;
}

/* The other function here is scrypt, whose memory and with it time OpenSSL bounds itself. */
static bool spend_pbes2(const ASN1_TYPE *param)
{
	PBE2PARAM *p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), param);
	bool ok = p == NULL || OBJ_obj2nid(p->keyfunc->algorithm) != NID_id_pbkdf2 ||
		  spend_pbkdf2(p->keyfunc->parameter);

	PBE2PARAM_free(p);
	return ok;
}

/* OpenSSL's functions that derive a key, each behind one that counts. */
#define DERIVE(name, theirs, spend_them) \
	static int name(EVP_CIPHER_CTX *ctx, const char *pass, int n, ASN1_TYPE *param, \
			const EVP_CIPHER *cipher, const EVP_MD *md, int encrypt) \
	{ \
		return spend_them(param) ? theirs(ctx, pass, n, param, cipher, md, encrypt) : 0; \
	}

DERIVE(derive_pkcs5, PKCS5_PBE_keyivgen, spend_pbe)
DERIVE(derive_pkcs12, PKCS12_PBE_keyivgen, spend_pbe)
DERIVE(derive_pbes2, PKCS5_v2_PBE_keyivgen, spend_pbes2)

static const struct {
	EVP_PBE_KEYGEN *theirs, *ours;
} derivations[] = {
	{ PKCS5_PBE_keyivgen, derive_pkcs5 },
	{ PKCS12_PBE_keyivgen, derive_pkcs12 },
	{ PKCS5_v2_PBE_keyivgen, derive_pbes2 },
};

static bool wrap(int nid)
{
	EVP_PBE_KEYGEN *theirs;
	int cipher, md;

	if (EVP_PBE_find(EVP_PBE_TYPE_OUTER, nid, &cipher, &md, &theirs) != 1)
		return true;
	for (size_t i = 0; i < COUNT(derivations); i++)
		if (derivations[i].theirs == theirs)
			return EVP_PBE_alg_add_type(EVP_PBE_TYPE_OUTER, nid, cipher, md,
						    derivations[i].ours) == 1;
	/* Ours already; or PBKDF2 on its own, which OpenSSL refuses: it names no cipher. */
	return true;
}

/* Every way that OpenSSL knows from a passphrase to a cipher goes through us; again is no harm. */
static bool wrap_all(void)
{
	int type, nid;

	for (size_t i = 0; EVP_PBE_get(&type, &nid, i) == 1; i++)
		if (type == EVP_PBE_TYPE_OUTER && !wrap(nid))
			return false;
	return true;
}

/* Objects may stand one behind the other in a file. */
static void spend_macs(struct span file)
{
	const unsigned char *p = file.p, *end = file.p + file.n;

	while (p < end && !refused) {
		const unsigned char *at = p, *body = p;
		const ASN1_INTEGER *rounds = NULL;
		PKCS12 *store = d2i_PKCS12(NULL, &at, end - p);
		int tag, class;
		long n;

		if (store != NULL) {
			PKCS12_get0_mac(NULL, NULL, NULL, &rounds, store);
			if (PKCS12_mac_present(store))
				(void)spend(rounds, MAC_TRIES);
			PKCS12_free(store);
			p = at;
			continue;
		}
		/* What is no object at all is searched for the next one. */
		if ((ASN1_get_object(&body, &n, &tag, &class, end - p) & 0x80) != 0 || n <= 0)
			body = p + 1, n = 0;
		p = body + n;
	}
	ERR_clear_error();
}

enum status rounds_begin(struct span file, struct tlv_err *e)
{
	left = ROUNDS_MAX;
	refused = false;
	if (!wrap_all())
		return err_nomem(e);
	spend_macs(file);
	return rounds_exceeded(e) ? ST_INPUT : ST_OK;
}

bool rounds_exceeded(struct tlv_err *e)
{
	if (refused)
		(void)err_set(
			e, ST_INPUT,
			"wants its passphrase hashed more than %d times in all: write it again with fewer ('openssl pkcs12 -export -iter')",
			ROUNDS_MAX);
	return refused;
}
