/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/verify.h"

#include "signer/crypto/cert.h"
#include "signer/io/env.h"
#include "signer/trust/facts.h"
#include "signer/trust/signature.h"
#include "tlv/kind.h"
#include "tlv/text.h"

enum { DAY = 86400 }; /* seconds */

/* The key that verified must be the certificate's, or the certificate says nothing. */
static bool vouched(const struct trust *t, const struct tlv_record *signer)
{
	struct tlv_cert c;

	if (t->self)
		return true;
	return tlv_cert_walk(signer->certificate, &c, NULL) == ST_OK &&
	       span_eq(c.public_key, signer->public_key) && trust_has(t, signer->certificate);
}

static void judge_signature(struct verification *v, const struct tlv_list *l, const struct trust *t)
{
	struct tlv_record r;

	v->verified = signature_is_own(l, &v->signer);
	if (!v->verified || t == NULL)
		return;
	r = tlv_list_record(l, (size_t)v->signer);
	v->trusted = vouched(t, &r);
}

/* Why no record is the signer's: somebody at a console wants to know which it is. */
static void explain_missing(struct tlv_findings *f, const struct tlv_list *l)
{
	bool by_serial = false;

	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (tlv_header_serial(&l->header, r.serial) != TLV_SERIAL_SAME)
			continue;
		if (tlv_record_signs(&r, &l->header) && !tlv_record_is(&r, TLV_ROLE_SAST)) {
			tlv_find(f, TLV_FIND_SIGNER_NOT_SAST, i + 1, (int64_t)r.at,
				 "the signer's certificate is here, but not as SAST");
			return;
		}
		by_serial = true;
	}
	tlv_find(
		f, TLV_FIND_SIGNER_MISSING, 0, TLV_NO_OFFSET,
		by_serial ?
			"no SAST record is the signer's: one has its serial number, with another issuer" :
			"no SAST record has the signer's serial number and issuer");
}

static void find_bad_signature(struct tlv_findings *f, const struct tlv_list *l, struct span key,
			       long record)
{
	int64_t at = (int64_t)l->header.signature_at;
	struct tlv_rsa rsa;

	if (tlv_key_proves_nothing(key))
		tlv_find(
			f, TLV_FIND_BAD_SIGNATURE, 0, at,
			"signature: proves nothing: the public exponent of record %ld is 1 or even",
			record);
	else if (tlv_rsa_walk(key, &rsa) && !tlv_rsa_verifies(&rsa))
		tlv_find(
			f, TLV_FIND_BAD_SIGNATURE, 0, at,
			"signature: cannot be checked: the public exponent of record %ld is too large",
			record);
	else
		tlv_find(f, TLV_FIND_BAD_SIGNATURE, 0, at,
			 "signature: does not verify with the key of record %ld", record);
}

static void find_signer(struct verification *v, const struct tlv_list *l, bool unsigned_yet)
{
	struct tlv_record r;

	if (v->signer == TLV_SIGNER_AMBIGUOUS)
		tlv_find(
			&v->findings, TLV_FIND_SIGNER_AMBIGUOUS, 0, TLV_NO_OFFSET,
			"two SAST records have the signer's serial number and issuer, but other keys");
	if (v->signer == TLV_SIGNER_NONE)
		explain_missing(&v->findings, l);
	if (v->signer < 0)
		return;
	r = tlv_list_record(l, (size_t)v->signer);
	if (!span_eq(r.subject, l->header.signer_name))
		tlv_find(&v->findings, TLV_FIND_SIGNER_NAME, 0, TLV_NO_OFFSET,
			 "signer name: is not the subject of the signer's record");
	if (!v->verified && !unsigned_yet)
		find_bad_signature(&v->findings, l, r.public_key, v->signer + 1);
}

/* What a key is worth that has signed, or will be asked to. */
static void find_weakness(struct tlv_findings *f, const struct tlv_rsa *rsa, size_t record,
			  int64_t at)
{
	if (rsa->bits < 1024)
		tlv_find(f, TLV_FIND_WEAK_KEY, record, at, "weak key: %u bits can be factored",
			 rsa->bits);
	if (tlv_rsa_proves_nothing(rsa))
		tlv_find(f, TLV_FIND_WEAK_EXPONENT, record, at,
			 span_eq(rsa->exponent, SPAN_LIT("\x01")) ?
				 "weak key: with a public exponent of 1 anybody can sign" :
				 "weak key: with an even public exponent nobody can sign");
}

static void find_key(struct tlv_findings *f, const struct tlv_record *r, size_t record,
		     size_t *short_keys)
{
	struct tlv_cert c;
	struct tlv_rsa rsa;

	if (tlv_cert_walk(r->certificate, &c, NULL) != ST_OK || c.key_type != TLV_KEY_RSA)
		return;
	if (!tlv_rsa_walk(r->public_key, &rsa)) {
		tlv_find(f, TLV_FIND_KEY_UNUSABLE, record, (int64_t)r->at,
			 "public key: not an RSA key that can be used");
		return;
	}
	*short_keys += rsa.bits == 1024;
	find_weakness(f, &rsa, record, (int64_t)r->at);
}

static void find_dates(struct tlv_findings *f, const struct tlv_record *r, size_t record,
		       int64_t now)
{
	struct tlv_err e;
	int64_t before, after;
	char when[32];

	err_begin(&e);
	if (cert_validity_judged(r->certificate, &before, &after, &e) != ST_OK) {
		tlv_find(f, TLV_FIND_CERT_MALFORMED, record, (int64_t)r->at, "certificate: %s",
			 err_text(&e));
		return;
	}
	if (now > after) {
		time_iso(after, when);
		tlv_find(f, TLV_FIND_EXPIRED, record, (int64_t)r->at, "certificate expired on %s",
			 when);
	}
	if (now < before) {
		time_iso(before, when);
		tlv_find(f, TLV_FIND_NOT_YET_VALID, record, (int64_t)r->at,
			 "certificate is not valid before %s", when);
	}
}

bool verify_is_ahead(uint32_t timestamp, int64_t now)
{
	return (int64_t)timestamp > now + DAY;
}

static void find_certificates(struct verification *v, const struct tlv_list *l, int64_t now)
{
	size_t short_keys = 0;

	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (!tlv_record_has(&r, TLV_R_CERTIFICATE))
			continue;
		find_key(&v->findings, &r, i + 1, &short_keys);
		find_dates(&v->findings, &r, i + 1, now);
	}
	if (short_keys > 0)
		tlv_find(&v->findings, TLV_FIND_SHORT_KEY, 0, TLV_NO_OFFSET,
			 "%zu of %zu record%s %s a key of 1024 bits, which is weak today",
			 short_keys, l->nrecords, plural(l->nrecords),
			 short_keys == 1 ? "has" : "have");
	if (tlv_header_has(&l->header, TLV_H_TIMESTAMP) &&
	    verify_is_ahead(l->header.timestamp, now))
		tlv_find(&v->findings, TLV_FIND_FUTURE, 0, TLV_NO_OFFSET,
			 "timestamp: more than a day in the future");
}

/* Phones ask for a list by its name, and FILENAME says what they got. */
static void find_kind(struct tlv_findings *f, const struct tlv_list *l, const char *served)
{
	if (served == NULL || !tlv_list_is_other_kind(l, span_str(served)))
		return;
	tlv_find(f, TLV_FIND_KIND, 0, TLV_NO_OFFSET,
		 "FILENAME is that of another kind of list than the name that it is served under");
}

/* A finding of what only some phones can read, and who says so. */
static void find_fact(struct tlv_findings *f, enum tlv_finding_code code, const char *what,
		      enum fact_id fact)
{
	struct buf b = BUF_INIT;

	fact_put(&b, fact);
	tlv_find(f, code, 0, TLV_NO_OFFSET, "%s: %s", what, buf_cstr(&b));
	buf_free(&b);
}

bool verify_has_ec_tftp(const struct tlv_list *l)
{
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (tlv_record_is_tftp(&r) && tlv_record_is_ec(&r))
			return true;
	}
	return false;
}

static void find_readers(struct tlv_findings *f, const struct tlv_list *l)
{
	const uint8_t *version = l->header.signer_version;

	if (l->header.digest == TLV_SHA512)
		find_fact(f, TLV_FIND_SHA512, "signed with SHA-512", FACT_SHA512_READERS);
	if ((version[0] < 1 || (version[0] == 1 && version[1] < 1)) && verify_has_ec_tftp(l))
		find_fact(f, TLV_FIND_EC_TFTP, "a TFTP server's certificate has an EC key",
			  FACT_EC_NEEDS_1_1);
}

enum status verify_list(struct verification *v, const struct tlv_list *l,
			const struct verify_ask *ask, struct tlv_err *e)
{
	*v = (struct verification){ .findings = TLV_FINDINGS_INIT };
	if (ask->unsigned_yet)
		v->signer = tlv_list_signer(l);
	else
		judge_signature(v, l, ask->trust);
	v->findings.lenience = ask->lenience;
	v->findings.lenience.signer = v->signer >= 0 ? (size_t)v->signer + 1 : 0;
	find_signer(v, l, ask->unsigned_yet);
	find_kind(&v->findings, l, ask->served);
	tlv_check_list(l, &v->findings);
	find_certificates(v, l, ask->now);
	find_readers(&v->findings, l);
	if (v->findings.nomem || err_nomem_seen())
		return err_nomem(e);
	v->verdict = verdict_make(&v->findings, v->verified, v->trusted);
	return ST_OK;
}

void verify_header(struct tlv_findings *f, const struct tlv_header *h, struct span public_key)
{
	struct tlv_rsa rsa;

	tlv_check_header(h, f);
	if (tlv_rsa_walk(public_key, &rsa))
		find_weakness(f, &rsa, 0, TLV_NO_OFFSET);
	else
		tlv_find(f, TLV_FIND_KEY_UNUSABLE, 0, TLV_NO_OFFSET,
			 "the signer's key is not an RSA key that can be used");
}

void verification_free(struct verification *v)
{
	tlv_findings_free(&v->findings);
}
