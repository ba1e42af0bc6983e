/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/proof.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "pkcs11/token.h"
#include "signer/crypto/cert.h"
#include "signer/crypto/digest.h"
#include "signer/io/env.h"
#include "signer/io/slurp.h"
#include "tlv/text.h"

enum {
	NONCE_BYTES = 32,
	HASH_DIGITS = 64,
	TIME_CHARS = 20,
	BASE64_MAX = (TOK_SIG_MAX + 2) / 3 * 4
};

#define TAG "ctlsign proof v1\n"

static enum status sha256(struct span s, struct digest *out, struct tlv_err *e)
{
	return digest_parts(TLV_SHA256, &s, 1, out, e);
}

enum status proof_statement(struct buf *out, struct span der, int64_t now, struct tlv_err *e)
{
	uint8_t nonce[NONCE_BYTES];
	struct digest hash;
	char when[32];
	enum status st = sha256(der, &hash, e);

	if (st == ST_OK && RAND_bytes(nonce, sizeof nonce) != 1)
		st = err_set(e, ST_MACHINE,
			     "OpenSSL gives no random numbers: 'openssl rand -hex 8' says more");
	if (st != ST_OK)
		return st;
	time_iso(now, when);
	buf_str(out, TAG "nonce: ");
	buf_hex(out, span_of(nonce, sizeof nonce), HEX_LOWER, "");
	buf_str(out, "\ncertificate-sha256: ");
	buf_hex(out, digest_span(&hash), HEX_LOWER, "");
	buf_printf(out, "\ntime: %s\n", when);
	return buf_failed(out, e);
}

enum status proof_seal(struct buf *statement, struct span signature, struct tlv_err *e)
{
	enum status st;

	buf_str(statement, "signature: ");
	st = cert_base64(signature, statement, e);
	buf_u8(statement, '\n');
	return st == ST_OK ? buf_failed(statement, e) : st;
}

/* Takes "<head><value>\n" from the front. */
static bool take_line(struct span *rest, struct span head, struct span *value)
{
	size_t n = head.n;

	if (!span_starts(*rest, head))
		return false;
	while (n < rest->n && span_at(*rest, n) != '\n')
		n++;
	if (n == rest->n)
		return false;
	*value = span_slice(*rest, head.n, n - head.n);
	*rest = span_slice(*rest, n + 1, rest->n);
	return true;
}

static bool read_time(struct span s, int64_t *when)
{
	char text[TIME_CHARS + 1] = "";

	return s.n == TIME_CHARS && !span_has(s, 0) &&
	       span_copy(s, (uint8_t *)text, sizeof text - 1) && time_parse_iso(text, when);
}

/* One text for each signature: what decodes must encode to the same again. */
static bool from_base64(struct span s, uint8_t out[TOK_SIG_MAX + 2], size_t *n)
{
	struct buf again = BUF_INIT;
	size_t padding = 0;
	int decoded;
	bool same;

	if (s.n == 0 || s.n > BASE64_MAX || s.n % 4 != 0)
		return false;
	while (padding < 2 && span_at(s, s.n - 1 - padding) == '=')
		padding++;
	decoded = EVP_DecodeBlock(out, s.p, (int)s.n);
	if (decoded < 0)
		return false;
	*n = (size_t)decoded - padding;
	same = cert_base64(span_of(out, *n), &again, NULL) == ST_OK && span_eq(s, buf_span(&again));
	buf_free(&again);
	return same;
}

/* What a proof says, taken apart. */
struct proof {
	struct span statement; /* what is signed */
	struct span hash;      /* of the certificate, as hex */
	uint8_t signature[TOK_SIG_MAX + 2];
	size_t nsignature;
};

static bool parse(struct span bytes, struct proof *p, int64_t *when)
{
	struct span rest = bytes, nonce, time, signature;

	if (bytes.n > PROOF_MAX || !span_starts(bytes, SPAN_LIT(TAG)))
		return false;
	rest = span_slice(rest, sizeof TAG - 1, rest.n);
	if (!take_line(&rest, SPAN_LIT("nonce: "), &nonce) ||
	    !take_line(&rest, SPAN_LIT("certificate-sha256: "), &p->hash) ||
	    !take_line(&rest, SPAN_LIT("time: "), &time))
		return false;
	p->statement = span_slice(bytes, 0, bytes.n - rest.n);
	return take_line(&rest, SPAN_LIT("signature: "), &signature) && rest.n == 0 &&
	       hex_is(nonce, (size_t)2 * NONCE_BYTES) && hex_is(p->hash, HASH_DIGITS) &&
	       read_time(time, when) && from_base64(signature, p->signature, &p->nsignature);
}

static enum status check_hash(const struct proof *p, struct span der, struct tlv_err *e)
{
	struct buf hex = BUF_INIT;
	struct digest hash;
	enum status st = sha256(der, &hash, e);

	if (st == ST_OK) {
		buf_hex(&hex, digest_span(&hash), HEX_LOWER, "");
		st = buf_failed(&hex, e);
	}
	if (st == ST_OK && !span_eq(buf_span(&hex), p->hash))
		st = err_set(e, ST_NO, "is the proof of another certificate");
	buf_free(&hex);
	return st;
}

enum status proof_check(struct span bytes, const struct tlv_cert *cert, int64_t *when,
			struct tlv_err *e)
{
	struct proof p = { .nsignature = 0 };
	struct digest digest;
	enum status st;

	if (!parse(bytes, &p, when))
		return err_set(e, ST_INPUT, "is no 'ctlsign proof v1'");
	st = check_hash(&p, cert->der, e);
	if (st == ST_OK)
		st = sha256(p.statement, &digest, e);
	if (st != ST_OK)
		return st;
	st = digest_verify(cert->public_key, TLV_SHA256, digest_span(&digest),
			   span_of(p.signature, p.nsignature), e);
	if (st == ST_OK && tlv_key_proves_nothing(cert->public_key))
		st = ST_NO;
	return st == ST_NO ? err_set(e, ST_NO, "the proof's signature does not verify") : st;
}

enum status proof_check_file(const char *path, const struct tlv_cert *cert, int64_t *when,
			     struct tlv_err *e)
{
	struct blob file;
	enum status st = slurp(path, PROOF_MAX, SLURP_REGULAR, &file, e);

	if (st != ST_OK)
		return st;
	st = proof_check(blob_span(&file), cert, when, e);
	blob_free(&file);
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}
