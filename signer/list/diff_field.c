/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/diff_fact.h"

#include "signer/crypto/cert.h"
#include "signer/io/env.h"
#include "tlv/label.h"
#include "tlv/text.h"

/* A field that is there on one side only differs, whatever it says. */
static bool other(const struct diff_record *a, const struct diff_record *b, enum tlv_tag tag,
		  struct span x, struct span y)
{
	return diff_record_has(a, tag) != diff_record_has(b, tag) || !span_eq(x, y);
}

/* What a certificate brings along is compared if both sides have it. */
static bool other_of_both(const struct diff_record *a, const struct diff_record *b,
			  enum tlv_tag tag, struct span x, struct span y)
{
	return diff_record_has(a, tag) && diff_record_has(b, tag) && !span_eq(x, y);
}

static bool role_differs(const struct diff_record *a, const struct diff_record *b)
{
	return diff_record_has(a, TLV_R_FUNCTION) != diff_record_has(b, TLV_R_FUNCTION) ||
	       a->r.role != b->r.role;
}

static bool role_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	(void)who;
	tlv_label_role(b, x->r.role);
	return diff_record_has(x, TLV_R_FUNCTION);
}

static bool name_differs(const struct diff_record *a, const struct diff_record *b)
{
	return other(a, b, TLV_R_DNS_NAME, a->r.dns_name, b->r.dns_name);
}

static bool name_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	(void)who;
	return diff_put_text(b, diff_record_has(x, TLV_R_DNS_NAME), x->r.dns_name);
}

static bool address_differs(const struct diff_record *a, const struct diff_record *b)
{
	return other(a, b, TLV_R_IP_ADDRESS, a->r.address, b->r.address);
}

static bool address_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	if (x->printed && diff_record_has(x, TLV_R_IP_ADDRESS)) {
		if (who == DIFF_FOR_PEOPLE)
			buf_str(b, "not printed");
		return who == DIFF_FOR_PEOPLE;
	}
	tlv_label_address(b, x->r.address);
	return diff_record_has(x, TLV_R_IP_ADDRESS);
}

static bool subject_differs(const struct diff_record *a, const struct diff_record *b)
{
	return other_of_both(a, b, TLV_R_SUBJECT_NAME, a->r.subject, b->r.subject);
}

static bool subject_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	(void)who;
	return diff_put_text(b, diff_record_has(x, TLV_R_SUBJECT_NAME), x->r.subject);
}

static bool subject_respelled(const struct diff_record *a, const struct diff_record *b)
{
	return diff_same_name(a->r.subject, b->r.subject, a->cert.subject, b->cert.subject);
}

static bool issuer_differs(const struct diff_record *a, const struct diff_record *b)
{
	return other_of_both(a, b, TLV_R_ISSUER_NAME, a->r.issuer, b->r.issuer);
}

static bool issuer_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	(void)who;
	return diff_put_text(b, diff_record_has(x, TLV_R_ISSUER_NAME), x->r.issuer);
}

static bool issuer_respelled(const struct diff_record *a, const struct diff_record *b)
{
	return diff_same_name(a->r.issuer, b->r.issuer, a->cert.issuer, b->cert.issuer);
}

static bool serial_differs(const struct diff_record *a, const struct diff_record *b)
{
	return other_of_both(a, b, TLV_R_SERIAL, a->r.serial, b->r.serial);
}

static bool serial_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	return diff_put_serial(b, diff_record_has(x, TLV_R_SERIAL), x->r.serial, who);
}

static bool serial_respelled(const struct diff_record *a, const struct diff_record *b)
{
	return span_eq_reversed(a->r.serial, b->r.serial);
}

/* Empty if it is not known. */
static struct span public_key(const struct diff_record *x)
{
	if (x->printed)
		return SPAN_NONE;
	return x->r.public_key.n > 0 || !x->has_cert ? x->r.public_key : x->cert.public_key;
}

static bool have_keys(const struct diff_record *a, const struct diff_record *b)
{
	return public_key(a).n > 0 && public_key(b).n > 0;
}

static bool key_differs(const struct diff_record *a, const struct diff_record *b)
{
	return have_keys(a, b) && !span_eq(public_key(a), public_key(b));
}

static bool key_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	(void)who;
	diff_put_key(b, public_key(x));
	return public_key(x).n > 0;
}

static bool key_size_differs(const struct diff_record *a, const struct diff_record *b)
{
	enum tlv_key_type old, new;
	unsigned old_bits = tlv_key_bits(public_key(a), &old);
	unsigned new_bits = tlv_key_bits(public_key(b), &new);

	return have_keys(a, b) && (old != new || old_bits != new_bits);
}

static bool key_size_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	enum tlv_key_type type;

	(void)who;
	buf_printf(b, "%u", tlv_key_bits(public_key(x), &type));
	return public_key(x).n > 0;
}

static bool certificate_differs(const struct diff_record *a, const struct diff_record *b)
{
	return other(a, b, TLV_R_CERTIFICATE, a->r.certificate, b->r.certificate);
}

/* Of a printed list a certificate is its SHA-1, and zeros behind it (tlv_list.printed). */
static bool sha1_of(const struct diff_record *x, uint8_t sha1[20])
{
	struct span der = x->r.certificate;

	if (x->printed)
		return der.n >= 20 && span_copy(span_slice(der, 0, 20), sha1, 20);
	return cert_sha1(der, sha1, NULL) == ST_OK;
}

/* SHA-1 and the date: what tells two certificates of one name apart. */
static bool certificate_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	int64_t before, after;
	uint8_t sha1[20];
	char when[32];

	(void)who;
	if (sha1_of(x, sha1)) {
		buf_str(b, "SHA-1 ");
		buf_hex(b, span_of(sha1, sizeof sha1), HEX_UPPER, "");
	}
	if (cert_validity(x->r.certificate, &before, &after, NULL) == ST_OK) {
		time_iso(after, when);
		buf_printf(b, ", valid until %s", when);
	}
	return diff_record_has(x, TLV_R_CERTIFICATE);
}

static bool hash_differs(const struct diff_record *a, const struct diff_record *b)
{
	return other(a, b, TLV_R_CERT_HASH, a->r.hash, b->r.hash) ||
	       other(a, b, TLV_R_HASH_ALGORITHM, a->r.hash_algorithm, b->r.hash_algorithm);
}

static bool hash_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	(void)who;
	buf_hex(b, x->r.hash, HEX_UPPER, "");
	return diff_record_has(x, TLV_R_CERT_HASH);
}

static bool dialect_differs(const struct diff_record *a, const struct diff_record *b)
{
	struct tlv_dialect x, y;

	(void)tlv_record_dialect(&a->r, &x);
	(void)tlv_record_dialect(&b->r, &y);
	return !diff_same_dialect(x, y);
}

static bool dialect_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	struct tlv_dialect d;

	(void)who;
	(void)tlv_record_dialect(&x->r, &d);
	return diff_put_dialect(b, d);
}

static const struct diff_field_row field_rows[] = {
#define DIFF_FIELD(NAME, key, label, differs, put, respelled) \
	[DIFF_F_##NAME] = { key, label, differs, put, respelled },
#include "signer/list/diff.def"
#undef DIFF_FIELD
};

const struct diff_field_row *diff_field_row(enum diff_field f)
{
	return &field_rows[f];
}
