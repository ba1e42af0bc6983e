/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/sign.h"

#include <stdio.h>
#include <string.h>

#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/trust/signature.h"
#include "signer/trust/verify.h"
#include "tlv/list.h"

enum status sign_check_digest(unsigned key_bits, enum tlv_digest digest, struct tlv_err *e)
{
	size_t need = digest_key_bytes(digest);

	if (need <= key_bits / 8)
		return ST_OK;
	return err_set(e, ST_INPUT, "%s needs a key of at least %zu bytes: this one has %u bits",
		       tlv_digest_find((uint8_t)digest)->text, need, key_bits);
}

static enum status header_spec(struct tlv_header_spec *h, const struct sign_spec *s,
			       const struct key *key, struct tlv_err *e)
{
	struct tlv_record signer;
	int code = tlv_modulus_code(key_bits(key));
	enum status st = tlv_record_decode(
		&signer, span_slice(s->records, s->signer_at, s->records.n), s->signer_at, e);

	if (st != ST_OK || code < 0)
		return err_set(e, ST_BUG, "the signer's record or key cannot be used");
	*h = (struct tlv_header_spec){
		.version = { 1, 2 },
		.signer_name = signer.subject,
		.signer_serial = signer.serial,
		.signer_issuer = signer.issuer,
		.digest = (uint8_t)s->digest,
		.modulus = (uint8_t)code,
		.signature_bytes = key_bits(key) / 8,
		.filename = span_str(s->filename),
		.has_timestamp = true,
		.timestamp = s->timestamp,
		.has_signer_version = s->has_signer_version,
		.signer_version = { s->signer_version[0], s->signer_version[1] },
	};
	return ST_OK;
}

/* What is signed: all but field 12, its head and the hole that its value will fill. */
static void signed_parts(const struct signing *s, struct span parts[2])
{
	struct span all = buf_span(&s->list);

	parts[0] = span_slice(all, 0, s->hole - TLV_HEAD);
	parts[1] = span_slice(all, s->hole + s->header.signature_bytes, all.n);
}

static bool same_header(const struct tlv_header *h, const struct tlv_header_spec *spec)
{
	return tlv_header_is(h, spec) && h->timestamp == spec->timestamp &&
	       tlv_header_has(h, TLV_H_SIGNER_VERSION) == spec->has_signer_version;
}

static enum status refuse(const struct tlv_findings *f, struct tlv_err *e)
{
	const struct tlv_finding *first = tlv_findings_first_error(f);
	const char *text = first != NULL ? first->text : "it has an error";
	char record[32] = "";

	if (first != NULL && first->record > 0)
		(void)snprintf(record, sizeof record, "record %zu: ", first->record);
	return err_set(
		e, ST_NO,
		"the list would not be good, so it is not signed: %s%s (errors in all: %zu)%s",
		record, text, f->errors,
		first != NULL && tlv_finding_is_weak(first->code) ? ": --allow-weak-keys insists" :
								    "");
}

/*
 * Whether the list is good once it is signed, by the verdict of verify. The signature is
 * looked at apart: with --allow-weak-keys it may be one that proves nothing.
 */
static enum status check_worth(struct signing *s, struct tlv_err *e)
{
	const struct sign_spec *spec = s->spec;
	const struct verify_ask ask = { .now = env_now(),
					.served = spec->served,
					.unsigned_yet = true,
					.lenience = { .weak_keys = spec->weak_keys } };
	struct verification v;
	enum status st = verify_list(&v, &s->judged, &ask, e);

	if (st == ST_OK && !verdict_is_good(verdict_make(&v.findings, true, true)))
		st = refuse(&v.findings, e);
	s->findings = v.findings;
	v.findings = TLV_FINDINGS_INIT;
	verification_free(&v);
	return st;
}

/*
 * Whether all but the signature is byte for byte what was judged: the header is written once more,
 * and the records are still there. So nothing has to be judged twice.
 */
static bool is_as_judged(const struct signing *s, const struct tlv_list *l)
{
	size_t behind = s->hole + s->header.signature_bytes, hole = 0;
	struct buf again = BUF_INIT;
	bool same = tlv_header_write(&again, &s->header, &hole, NULL) == ST_OK && hole == s->hole;
	struct span meant = buf_span(&again), is = l->header.raw;

	same = same && is.n == meant.n &&
	       span_eq(span_slice(is, 0, hole), span_slice(meant, 0, hole)) &&
	       span_eq(span_slice(is, behind, is.n), span_slice(meant, behind, is.n)) &&
	       span_eq(span_slice(l->bytes, is.n, l->bytes.n), s->spec->records);
	buf_free(&again);
	return same;
}

/*
 * A list that is worth its signature. And not two records that answer to the signer's
 * name with different keys: a phone would take either.
 */
static enum status check_signer(struct signing *s, struct tlv_err *e)
{
	enum status st = tlv_list_decode(&s->judged, buf_span(&s->list), NULL);
	long signer = st == ST_OK ? tlv_list_signer(&s->judged) : TLV_SIGNER_NONE;

	if (signer >= 0)
		return check_worth(s, e);
	if (signer == TLV_SIGNER_AMBIGUOUS)
		return err_set(
			e, ST_INPUT,
			"two SAST records have the signer's serial number and issuer, but different keys: remove one, because a phone may take either");
	return err_set(e, ST_BUG, "the list that was made reads back differently");
}

enum status sign_prepare(struct signing *out, const struct sign_spec *spec, const struct key *key,
			 struct tlv_err *e)
{
	enum status st = sign_check_digest(key_bits(key), spec->digest, e);

	*out = (struct signing){ .spec = spec };
	if (st == ST_OK)
		st = header_spec(&out->header, spec, key, e);
	if (st == ST_OK)
		st = tlv_header_write(&out->list, &out->header, &out->hole, e);
	if (st != ST_OK)
		return st;
	buf_put(&out->list, spec->records);
	st = buf_failed(&out->list, e);
	return st == ST_OK ? check_signer(out, e) : st;
}

enum status sign_fill(struct signing *s, struct key *key, struct tlv_err *e)
{
	uint8_t sig[TOK_SIG_MAX];
	struct span parts[2];
	size_t n = 0;
	enum status st;

	signed_parts(s, parts);
	st = digest_parts(s->spec->digest, parts, 2, &s->digest, e);
	if (st == ST_OK)
		st = key_sign(key, s->spec->digest, digest_span(&s->digest), sig, &n, e);
	if (st != ST_OK)
		return st;
	if (n != s->header.signature_bytes)
		return err_set(e, ST_TOKEN, "a signature of %zu bytes from a key of %u bits", n,
			       key_bits(key));
	buf_fill(&s->list, s->hole, span_of(sig, n));
	return buf_failed(&s->list, e);
}

/* What was written, read by the eyes of anybody else. */
enum status sign_check(const struct signing *s, struct tlv_err *e)
{
	struct span parts[2];
	struct tlv_list l;
	enum status st = tlv_list_decode(&l, buf_span(&s->list), NULL);

	signed_parts(s, parts);
	if (st != ST_OK || !same_header(&l.header, &s->header) || !is_as_judged(s, &l))
		st = err_set(e, ST_BUG, "the list that was made reads back differently");
	else if (!signature_was_made(&l, parts, digest_span(&s->digest)))
		st = err_set(e, ST_TOKEN, "the signature in the list does not verify");
	tlv_list_free(&l);
	if (st == ST_OK)
		msg_step("signed, read back and verified: %zu bytes, %s", s->list.n,
			 tlv_digest_find((uint8_t)s->spec->digest)->text);
	return st;
}

void signing_free(struct signing *s)
{
	tlv_findings_free(&s->findings);
	tlv_list_free(&s->judged);
	buf_free(&s->list);
}
