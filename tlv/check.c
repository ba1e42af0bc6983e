/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/check.h"

#include <stdlib.h>

#include "tlv/kind.h"
#include "tlv/text.h"

#define BIT(tag) (1U << (unsigned)(tag))

static void check_text(const struct tlv_field *f, size_t record, struct tlv_findings *out)
{
	struct span text = tlv_text(f->value);
	int64_t at = (int64_t)f->at;
	const char *name = f->row->text;

	if (f->value.n == text.n)
		tlv_find(out, TLV_FIND_TEXT_END, record, at, "%s: does not end in a NUL", name);
	if (span_has(text, 0))
		tlv_find(out, TLV_FIND_TEXT_NUL, record, at, "%s: a NUL inside", name);
	if (!span_is_utf8(text))
		tlv_find(out, TLV_FIND_TEXT_UTF8, record, at, "%s: not UTF-8", name);
	if (span_has_control(text))
		tlv_find(out, TLV_FIND_TEXT_CONTROL, record, at, "%s: control characters inside",
			 name);
}

/* What every field of a scope is asked, whatever it says. */
static void check_fields(enum tlv_scope scope, struct span raw, size_t at, size_t record,
			 struct tlv_findings *out)
{
	struct tlv_walk w = tlv_walk_of(scope, raw, at);
	struct tlv_field f;
	uint32_t seen = 0;

	while (tlv_walk_next(&w, &f, NULL)) {
		int64_t where = (int64_t)f.at;

		if (f.row == NULL) {
			tlv_find(out, TLV_FIND_UNKNOWN_TAG, record, where,
				 "tag %u: unknown, %zu byte%s", (unsigned)f.tag, f.value.n,
				 plural(f.value.n));
			continue;
		}
		if (f.row->kind == TLV_KIND_PADDING)
			continue;
		if ((seen & BIT(f.tag)) != 0)
			tlv_find(out, TLV_FIND_REPEATED, record, where, "%s: there twice",
				 f.row->text);
		seen |= BIT(f.tag);
		if (f.parent != f.row->parent)
			tlv_find(out, TLV_FIND_CONTAINER, record, where, "%s: not where it belongs",
				 f.row->text);
		if (f.row->kind == TLV_KIND_TEXT || f.tag == TLV_H_FILENAME)
			check_text(&f, record, out);
	}
}

static void check_present(enum tlv_scope scope, uint32_t present, const uint8_t *tags, size_t n,
			  size_t record, size_t at, struct tlv_findings *out)
{
	for (size_t i = 0; i < n; i++)
		if ((present & BIT(tags[i])) == 0)
			tlv_find(out, TLV_FIND_MISSING, record, (int64_t)at, "%s: missing",
				 tlv_tag_find(scope, tags[i])->text);
}

static void check_codes(const struct tlv_header *h, struct tlv_findings *out)
{
	unsigned bits = tlv_modulus_bits(h->modulus);

	if (h->version[0] != 1 && !(tlv_header_is_encrypted(h) && h->version[0] == 2))
		tlv_find(out, TLV_FIND_VERSION, 0, 0,
			 "version %u.%u: only 1.x is known, and 2.x if the content is encrypted",
			 (unsigned)h->version[0], (unsigned)h->version[1]);
	if (tlv_header_has(h, TLV_H_DIGEST_ALGORITHM) && tlv_digest_find(h->digest) == NULL)
		tlv_find(out, TLV_FIND_DIGEST, 0, TLV_NO_OFFSET, "digest algorithm %u: unknown",
			 (unsigned)h->digest);
	if (h->algorithm != 0)
		tlv_find(out, TLV_FIND_ALGORITHM, 0, TLV_NO_OFFSET,
			 "signature algorithm %u: only 0, RSA PKCS#1 v1.5, is known",
			 (unsigned)h->algorithm);
	if (tlv_header_has(h, TLV_H_SIGNATURE_MODULUS) && bits != h->signature.n * 8)
		tlv_find(out, TLV_FIND_MODULUS, 0, (int64_t)h->signature_at,
			 "signature modulus: code %u stands for %u bits, the signature has %zu",
			 (unsigned)h->modulus, bits, h->signature.n * 8);
}

/* A content that is encrypted otherwise than is known can be read by nobody who knows no more. */
static void check_encryption(const struct tlv_header *h, struct tlv_findings *out)
{
	static const uint8_t wanted[] = {
		TLV_H_CONTENT_CIPHER_INFO,
		TLV_H_CONTENT_IV,
		TLV_H_CONTENT_PADDING,
		TLV_H_KEY_INFO,
		TLV_H_KEY_BITS,
		TLV_H_KEY_CIPHER,
		TLV_H_CONTENT_KEY,
		TLV_H_PLAIN_DIGEST_ALGORITHM,
		TLV_H_PLAIN_DIGEST,
	};
	const struct tlv_encryption *n = &h->encryption;
	const struct tlv_digest_row *digest = tlv_digest_find(n->digest);

	if (!tlv_header_is_encrypted(h))
		return;
	check_present(TLV_SCOPE_HEADER, h->present, wanted, COUNT(wanted), 0, 0, out);
	if (tlv_header_has(h, TLV_H_KEY_CIPHER) && n->cipher != TLV_CIPHER_AES)
		tlv_find(out, TLV_FIND_ENCRYPTION, 0, TLV_NO_OFFSET,
			 "content cipher %u: only 1, AES, is known", (unsigned)n->cipher);
	if (tlv_header_has(h, TLV_H_KEY_BITS) && n->key_bits != n->key.n * 8 &&
	    n->key_bits != TLV_CONTENT_KEY_BITS)
		tlv_find(
			out, TLV_FIND_ENCRYPTION, 0, TLV_NO_OFFSET,
			"content key bits: %u, which is neither 128 nor the size of the encrypted key",
			(unsigned)n->key_bits);
	if (tlv_header_has(h, TLV_H_CONTENT_PADDING) &&
	    (n->padding < 1 || n->padding > TLV_CONTENT_BLOCK))
		tlv_find(out, TLV_FIND_ENCRYPTION, 0, TLV_NO_OFFSET,
			 "content padding: %u byte%s, it has 1 to 16", (unsigned)n->padding,
			 plural(n->padding));
	if (tlv_header_has(h, TLV_H_PLAIN_DIGEST) &&
	    (digest == NULL || digest->bytes != n->plain_digest.n))
		tlv_find(
			out, TLV_FIND_ENCRYPTION, 0, TLV_NO_OFFSET,
			"plain content's digest: algorithm %u with %zu byte%s, which is none that is known",
			(unsigned)n->digest, n->plain_digest.n, plural(n->plain_digest.n));
}

/*
 * Field 12 is cut out of what is signed, its head too: wherever somebody without
 * a key puts it, the signature still verifies. So one place is right, and that is
 * where all writers put it (docs/FORMAT.md).
 */
static void check_signature_place(const struct tlv_header *h, struct tlv_findings *out)
{
	struct tlv_walk w = tlv_walk_of(TLV_SCOPE_HEADER, h->raw, 0);
	struct tlv_field f;
	size_t behind = SIZE_MAX;

	while (tlv_walk_next(&w, &f, NULL)) {
		if (f.tag == TLV_H_SIGNATURE_INFO && behind == SIZE_MAX)
			behind = f.at + TLV_HEAD + f.value.n;
		if (f.tag == TLV_H_SIGNATURE && (f.at != behind || f.parent != 0))
			tlv_find(
				out, TLV_FIND_SIGNATURE_PLACE, 0, (int64_t)f.at,
				"signature: not right behind the signature info, so anybody can have moved it");
	}
}

void tlv_check_header(const struct tlv_header *h, struct tlv_findings *out)
{
	static const uint8_t wanted[] = {
		TLV_H_VERSION,
		TLV_H_SIGNER_ID,
		TLV_H_SIGNER_NAME,
		TLV_H_SERIAL_NUMBER,
		TLV_H_CA_NAME,
		TLV_H_SIGNATURE_INFO,
		TLV_H_DIGEST_ALGORITHM,
		TLV_H_SIGNATURE_ALGO_INFO,
		TLV_H_SIGNATURE_ALGORITHM,
		TLV_H_SIGNATURE_MODULUS,
		TLV_H_SIGNATURE,
		TLV_H_FILENAME,
	};

	check_fields(TLV_SCOPE_HEADER, h->raw, 0, 0, out);
	check_present(TLV_SCOPE_HEADER, h->present, wanted, COUNT(wanted), 0, 0, out);
	check_codes(h, out);
	check_encryption(h, out);
	check_signature_place(h, out);
	if (h->padding_astray || h->padding > 3 || h->raw.n % 4 != 0)
		tlv_find(out, TLV_FIND_PADDING, 0,
			 h->padding_astray ? (int64_t)h->padding_at : TLV_NO_OFFSET,
			 "padding: must fill the header's end up to a multiple of 4 bytes, once");
}

static void mismatch(struct tlv_findings *out, size_t record, const struct tlv_record *r,
		     struct span field, const char *what)
{
	size_t at = field.n > 0 ? r->at + span_offset(r->raw, field) - TLV_HEAD : r->at;

	tlv_find(out, TLV_FIND_CERT_MISMATCH, record, (int64_t)at, "%s: is not its certificate's",
		 what);
}

static void agree_name(struct tlv_findings *out, size_t record, const struct tlv_record *r,
		       struct span field, struct span name, const char *what)
{
	struct tlv_name_match m = tlv_name_match(tlv_text(field), name);

	if (m.matches && m.form == TLV_NAME_SERVER_0)
		tlv_find(
			out, TLV_FIND_NAME_UNUSUAL, record, (int64_t)r->at,
			"%s: has attributes of its certificate's that CUCM leaves out, so TVS does not find it",
			what);
	if (m.matches)
		return;
	if (tlv_name_is_open(name))
		tlv_find(
			out, TLV_FIND_NAME_UNUSUAL, record, (int64_t)r->at,
			"%s: no known rendering of its certificate's, which has unusual attributes",
			what);
	else
		mismatch(out, record, r, field, what);
}

static void check_agreement(const struct tlv_record *r, size_t record, struct tlv_findings *out)
{
	struct tlv_err e;
	struct tlv_cert c;

	err_begin(&e);
	if (tlv_cert_walk(r->certificate, &c, &e) != ST_OK) {
		size_t at = r->at + span_offset(r->raw, r->certificate) + (size_t)e.at;

		tlv_find(out, TLV_FIND_CERT_MALFORMED, record, (int64_t)at, "certificate: %s",
			 err_text(&e));
		return;
	}
	agree_name(out, record, r, r->subject, c.subject, "subject name");
	agree_name(out, record, r, r->issuer, c.issuer, "issuer name");
	if (!span_eq(r->serial, c.serial) && !span_eq_reversed(r->serial, c.serial))
		mismatch(out, record, r, r->serial, "serial number");
	if (tlv_record_has(r, TLV_R_PUBLIC_KEY) && !span_eq(r->public_key, c.public_key))
		mismatch(out, record, r, r->public_key, "public key");
	if (tlv_record_has(r, TLV_R_CERT_SIGNATURE) && !span_eq(r->signature, c.signature))
		mismatch(out, record, r, r->signature, "certificate signature");
}

bool tlv_record_agrees(const struct tlv_record *r)
{
	struct tlv_findings found = TLV_FINDINGS_INIT;
	bool agrees;

	check_agreement(r, 1, &found);
	agrees = !found.nomem && found.errors == 0;
	tlv_findings_free(&found);
	return agrees;
}

/* Non-secure mode leaves name, function and address of a CCM+TFTP record. */
static bool is_bare(const struct tlv_record *r)
{
	return r->role == TLV_ROLE_CCM_TFTP &&
	       (r->present &
		(BIT(TLV_R_SUBJECT_NAME) | BIT(TLV_R_PUBLIC_KEY) | BIT(TLV_R_CERTIFICATE))) == 0;
}

/* Nobody has shown an IPv6 address in a list, nor a phone that reads one. */
static void check_address(const struct tlv_record *r, size_t record, struct tlv_findings *out)
{
	struct buf text = BUF_INIT;

	if (!tlv_record_has(r, TLV_R_IP_ADDRESS) || r->address.n == 4)
		return;
	if (buf_address(&text, r->address))
		tlv_find(
			out, TLV_FIND_ADDRESS, record, (int64_t)r->at,
			"IP address: IPv6 address %s, and no source says whether phones read those",
			buf_cstr(&text));
	else
		tlv_find(out, TLV_FIND_ADDRESS, record, (int64_t)r->at,
			 "IP address: %zu byte%s, an IPv4 address has 4", r->address.n,
			 plural(r->address.n));
	buf_free(&text);
}

static void check_record(const struct tlv_record *r, size_t record, struct tlv_findings *out)
{
	static const uint8_t bare[] = { TLV_R_FUNCTION };
	static const uint8_t full[] = { TLV_R_FUNCTION, TLV_R_SUBJECT_NAME, TLV_R_ISSUER_NAME,
					TLV_R_SERIAL,	TLV_R_PUBLIC_KEY,   TLV_R_CERTIFICATE };
	static const uint8_t hashed[] = { TLV_R_FUNCTION, TLV_R_SUBJECT_NAME, TLV_R_ISSUER_NAME,
					  TLV_R_SERIAL };

	check_fields(TLV_SCOPE_RECORD, r->raw, r->at, record, out);
	if (is_bare(r))
		check_present(TLV_SCOPE_RECORD, r->present, bare, COUNT(bare), record, r->at, out);
	else if (tlv_record_has(r, TLV_R_CERT_HASH))
		check_present(TLV_SCOPE_RECORD, r->present, hashed, COUNT(hashed), record, r->at,
			      out);
	else
		check_present(TLV_SCOPE_RECORD, r->present, full, COUNT(full), record, r->at, out);
	if (tlv_record_has(r, TLV_R_FUNCTION) && tlv_role_find(r->role) == NULL)
		tlv_find(out, TLV_FIND_ROLE, record, (int64_t)r->at, "function %u: unknown",
			 (unsigned)r->role);
	check_address(r, record, out);
	if (tlv_record_has(r, TLV_R_CERTIFICATE))
		check_agreement(r, record, out);
}

struct twin {
	struct span raw;
	size_t record;
};

static int compare_twins(const void *a, const void *b)
{
	const struct twin *x = a, *y = b;
	int r = span_cmp(x->raw, y->raw);

	return r != 0 ? r : (x->record > y->record) - (x->record < y->record);
}

/* Records lie one behind the other, so only the last one has to say where it ends. */
static struct span raw_of(const struct tlv_list *l, size_t i)
{
	if (i + 1 == l->nrecords)
		return tlv_list_record(l, i).raw;
	return span_slice(l->bytes, l->record_at[i], l->record_at[i + 1] - l->record_at[i]);
}

/* Sorted, so that thousands of records cost no square. */
static void check_duplicates(const struct tlv_list *l, struct tlv_findings *out)
{
	struct twin *t = l->nrecords > 1 ? calloc(l->nrecords, sizeof *t) : NULL;

	if (t == NULL) {
		out->nomem |= l->nrecords > 1;
		return;
	}
	for (size_t i = 0; i < l->nrecords; i++)
		t[i] = (struct twin){ raw_of(l, i), i + 1 };
	qsort(t, l->nrecords, sizeof *t, compare_twins);
	for (size_t i = 1; i < l->nrecords; i++)
		if (span_eq(t[i].raw, t[i - 1].raw))
			tlv_find(out, TLV_FIND_DUPLICATE, t[i].record,
				 (int64_t)l->record_at[t[i].record - 1], "the same as record %zu",
				 t[i - 1].record);
	free(t);
}

const char tlv_lone_sast_text[] =
	"only one SAST (signing key) in this list: if it is lost or renewed, phones reject every later list; add a second";

/* Two independent SAST records are the recovery design. */
bool tlv_list_is_lone_sast(const struct tlv_list *l)
{
	struct span first = SPAN_NONE;
	size_t keys = 0;

	for (size_t i = 0; i < l->nrecords && keys < 2; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (!tlv_record_is(&r, TLV_ROLE_SAST))
			continue;
		if (keys == 0 || !span_eq(first, r.public_key))
			keys++;
		first = keys == 1 ? r.public_key : first;
	}
	return keys == 1 && !tlv_list_is_itl(l);
}

static void check_anchors(const struct tlv_list *l, struct tlv_findings *out)
{
	size_t tvs = 0;

	for (size_t i = 0; i < l->nrecords && !tlv_list_is_itl(l) && tvs == 0; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		tvs += r.role == TLV_ROLE_TVS;
		if (tvs > 0)
			tlv_find(out, TLV_FIND_KIND, i + 1, (int64_t)r.at,
				 "a TVS record in a CTL: only an ITL has them");
	}
	if (tlv_list_is_lone_sast(l))
		tlv_find(out, TLV_FIND_LONE_SAST, 0, TLV_NO_OFFSET, "%s", tlv_lone_sast_text);
}

/*
 * The community reports that phones look at two; CUCM's own lists have up to four
 * (docs/CLUSTER.md).
 */
static void check_many_anchors(const struct tlv_list *l, struct tlv_findings *out)
{
	size_t n = 0;

	for (size_t i = 0; i < l->nrecords && n < 3; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		n += tlv_record_is(&r, TLV_ROLE_SAST);
		if (n == 3 && tlv_list_dialect(l).style == TLV_STYLE_RFC4514)
			tlv_find(
				out, TLV_FIND_MANY_SAST, i + 1, (int64_t)r.at,
				"a third SAST record: phones are reported to look at two only, so put those first that must count");
	}
}

/* The vendor's command to recover ITLs fails then (docs/CLUSTER.md). */
static void check_itlrecovery(const struct tlv_list *l, struct tlv_findings *out)
{
	enum { SMALL = 1024, LARGE = 2048 };
	size_t small = 0;
	bool large = false;

	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);
		enum tlv_key_type type;
		unsigned bits = tlv_key_bits(r.public_key, &type);

		if (type != TLV_KEY_RSA)
			continue;
		large = large || (tlv_record_is_tftp(&r) && bits >= LARGE);
		if (small == 0 && bits > 0 && bits <= SMALL && tlv_record_is(&r, TLV_ROLE_SAST) &&
		    tlv_record_is_itlrecovery(&r))
			small = i + 1;
	}
	if (small > 0 && large)
		tlv_find(
			out, TLV_FIND_SMALL_ITLRECOVERY, small, (int64_t)l->record_at[small - 1],
			"ITLRecovery has 1024 bits and a server 2048: CUCM's recovery command fails then; regenerate ITLRecovery");
}

void tlv_check_list(const struct tlv_list *l, struct tlv_findings *out)
{
	tlv_check_header(&l->header, out);
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		check_record(&r, i + 1, out);
	}
	if (l->nrecords == 0)
		tlv_find(out, TLV_FIND_EMPTY, 0, (int64_t)l->header.raw.n, "no records");
	if (l->bytes.n > TLV_PHONE_LIMIT)
		tlv_find(out, TLV_FIND_LARGE, 0, TLV_NO_OFFSET,
			 "%zu bytes: phones do not load a list over %d bytes", l->bytes.n,
			 TLV_PHONE_LIMIT);
	check_duplicates(l, out);
	check_anchors(l, out);
	check_many_anchors(l, out);
	check_itlrecovery(l, out);
}
