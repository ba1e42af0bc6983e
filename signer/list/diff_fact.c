/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/diff_fact.h"

#include <string.h>

#include "signer/crypto/cert.h"
#include "signer/io/env.h"
#include "tlv/kind.h"
#include "tlv/label.h"
#include "tlv/spelling.h"
#include "tlv/text.h"

struct diff_record diff_record_of(const struct tlv_list *l, size_t index)
{
	struct diff_record x = { .r = tlv_list_record(l, index), .printed = l->printed };

	x.has_cert = tlv_cert_walk(x.r.certificate, &x.cert, NULL) == ST_OK;
	if (!x.has_cert)
		x.cert = (struct tlv_cert){ .der = SPAN_NONE };
	return x;
}

bool diff_record_has(const struct diff_record *x, enum tlv_tag tag)
{
	return tlv_record_has(&x->r, tag);
}

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

/* Values that more than one fact has --------------------------------------------------------- */

static bool put_text(struct buf *b, bool there, struct span value)
{
	buf_put(b, tlv_text(value));
	return there;
}

static bool put_serial(struct buf *b, bool there, struct span s, enum diff_reader who)
{
	if (who == DIFF_FOR_PEOPLE)
		tlv_label_serial(b, s);
	else
		buf_hex(b, s, HEX_UPPER, "");
	return there;
}

static bool put_version(struct buf *b, bool there, const uint8_t v[2])
{
	buf_printf(b, "%u.%u", (unsigned)v[0], (unsigned)v[1]);
	return there;
}

static void put_key(struct buf *b, struct span key)
{
	enum tlv_key_type type;
	unsigned bits = tlv_key_bits(key, &type);

	if (bits > 0)
		buf_printf(b, "%s %u bits", type == TLV_KEY_RSA ? "RSA" : "EC", bits);
	else
		buf_str(b, "unknown kind");
}

static bool put_dialect(struct buf *b, struct tlv_dialect d)
{
	buf_str(b, tlv_style_text(d.style));
	if (d.style == TLV_STYLE_RFC4514 && d.separator != ',')
		buf_printf(b, " with '%c'", d.separator);
	return true;
}

static bool same_dialect(struct tlv_dialect x, struct tlv_dialect y)
{
	return x.style == y.style && x.separator == y.separator;
}

/* The certificates know what the CTL Client cuts off, and what CUCM leaves out. */
static bool same_name(struct span a, struct span b, struct span name_a, struct span name_b)
{
	if (name_a.n > 0 && span_eq(name_a, name_b))
		return tlv_name_match(tlv_text(a), name_a).matches &&
		       tlv_name_match(tlv_text(b), name_b).matches;
	return spelling_same(tlv_text(a), tlv_text(b));
}

/* The header -------------------------------------------------------------------------------- */

/* The signer's own record. */
static struct diff_record signer_of(const struct tlv_list *l)
{
	long i = tlv_list_signer(l);

	if (i < 0)
		return (struct diff_record){ .has_cert = false };
	return diff_record_of(l, (size_t)i);
}

static bool signer_name_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return !span_eq(a->header.signer_name, b->header.signer_name);
}

static bool signer_name_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	(void)who;
	return put_text(b, tlv_header_has(&l->header, TLV_H_SIGNER_NAME), l->header.signer_name);
}

static bool signer_name_respelled(const struct tlv_list *a, const struct tlv_list *b)
{
	struct diff_record x = signer_of(a), y = signer_of(b);

	return same_name(a->header.signer_name, b->header.signer_name, x.cert.subject,
			 y.cert.subject);
}

static bool signer_serial_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return !span_eq(a->header.signer_serial, b->header.signer_serial);
}

static bool signer_serial_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	return put_serial(b, tlv_header_has(&l->header, TLV_H_SERIAL_NUMBER),
			  l->header.signer_serial, who);
}

static bool signer_serial_respelled(const struct tlv_list *a, const struct tlv_list *b)
{
	return span_eq_reversed(a->header.signer_serial, b->header.signer_serial);
}

static bool signer_issuer_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return !span_eq(a->header.signer_issuer, b->header.signer_issuer);
}

static bool signer_issuer_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	(void)who;
	return put_text(b, tlv_header_has(&l->header, TLV_H_CA_NAME), l->header.signer_issuer);
}

static bool signer_issuer_respelled(const struct tlv_list *a, const struct tlv_list *b)
{
	struct diff_record x = signer_of(a), y = signer_of(b);

	return same_name(a->header.signer_issuer, b->header.signer_issuer, x.cert.issuer,
			 y.cert.issuer);
}

/* Of printed lists no key is known. */
static bool signer_key_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return !a->printed && !b->printed &&
	       !span_eq(signer_of(a).r.public_key, signer_of(b).r.public_key);
}

static bool signer_key_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	long i = tlv_list_signer(l);

	(void)who;
	if (i >= 0)
		put_key(b, tlv_list_record(l, (size_t)i).public_key);
	return i >= 0;
}

static bool signature_bits_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return a->header.modulus != b->header.modulus;
}

static bool signature_bits_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	unsigned bits = tlv_modulus_bits(l->header.modulus);

	(void)who;
	if (bits > 0)
		buf_printf(b, "%u", bits);
	else
		buf_printf(b, "code %u", (unsigned)l->header.modulus);
	return tlv_header_has(&l->header, TLV_H_SIGNATURE_MODULUS);
}

static bool digest_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return a->header.digest != b->header.digest;
}

static bool digest_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	const struct tlv_digest_row *digest = tlv_digest_find(l->header.digest);

	(void)who;
	if (digest != NULL)
		buf_str(b, digest->text);
	else
		buf_printf(b, "%u", (unsigned)l->header.digest);
	return tlv_header_has(&l->header, TLV_H_DIGEST_ALGORITHM);
}

static bool algorithm_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return a->header.algorithm != b->header.algorithm;
}

static bool algorithm_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	(void)who;
	buf_printf(b, "%u", (unsigned)l->header.algorithm);
	return tlv_header_has(&l->header, TLV_H_SIGNATURE_ALGORITHM);
}

static bool mode_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return tlv_list_is_non_secure(a) != tlv_list_is_non_secure(b);
}

static bool mode_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	(void)who;
	buf_str(b, tlv_list_is_non_secure(l) ? "non-secure" : "mixed");
	return true;
}

static bool style_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return !same_dialect(tlv_list_dialect(a), tlv_list_dialect(b));
}

static bool style_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	(void)who;
	return put_dialect(b, tlv_list_dialect(l));
}

static bool filename_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return !span_eq(a->header.filename, b->header.filename);
}

static bool filename_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	(void)who;
	return put_text(b, tlv_header_has(&l->header, TLV_H_FILENAME), l->header.filename);
}

static bool version_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return memcmp(a->header.version, b->header.version, 2) != 0;
}

static bool version_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	(void)who;
	return put_version(b, tlv_header_has(&l->header, TLV_H_VERSION), l->header.version);
}

static bool on_one_side(const struct tlv_list *a, const struct tlv_list *b, enum tlv_tag tag)
{
	return tlv_header_has(&a->header, tag) != tlv_header_has(&b->header, tag);
}

static bool signer_version_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return on_one_side(a, b, TLV_H_SIGNER_VERSION) ||
	       memcmp(a->header.signer_version, b->header.signer_version, 2) != 0;
}

static bool signer_version_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	(void)who;
	return put_version(b, tlv_header_has(&l->header, TLV_H_SIGNER_VERSION),
			   l->header.signer_version);
}

static bool timestamp_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return on_one_side(a, b, TLV_H_TIMESTAMP) || a->header.timestamp != b->header.timestamp;
}

static bool timestamp_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	char when[32];

	(void)who;
	if (!tlv_header_has(&l->header, TLV_H_TIMESTAMP) || l->printed)
		return false;
	time_iso(l->header.timestamp, when);
	buf_str(b, when);
	return true;
}

static bool signature_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return !span_eq(a->header.signature, b->header.signature);
}

static bool size_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return a->bytes.n != b->bytes.n;
}

static bool size_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	buf_printf(b, "%zu%s", l->bytes.n, who == DIFF_FOR_PEOPLE ? " bytes" : "");
	return true;
}

/* If the printed list lacks it, nothing is said. */
static bool contradicts(const char *a, const char *b)
{
	return a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0;
}

/* Of files the bytes are compared. Two texts may be alike, and their files not. */
static bool checksum_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return contradicts(a->sha1, b->sha1) && span_eq(a->bytes, b->bytes);
}

static bool checksum_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	buf_printf(b, "%s%s", who == DIFF_FOR_PEOPLE ? "SHA-1 " : "", l->sha1);
	return l->sha1[0] != '\0';
}

/* Phones show this one: a text in which it was changed is not that of the list. */
static bool md5_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return contradicts(a->md5, b->md5) && !contradicts(a->sha1, b->sha1) &&
	       span_eq(a->bytes, b->bytes);
}

static bool md5_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	(void)who;
	buf_str(b, l->md5);
	return l->md5[0] != '\0';
}

/* Records ----------------------------------------------------------------------------------- */

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
	return put_text(b, diff_record_has(x, TLV_R_DNS_NAME), x->r.dns_name);
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
	return put_text(b, diff_record_has(x, TLV_R_SUBJECT_NAME), x->r.subject);
}

static bool subject_respelled(const struct diff_record *a, const struct diff_record *b)
{
	return same_name(a->r.subject, b->r.subject, a->cert.subject, b->cert.subject);
}

static bool issuer_differs(const struct diff_record *a, const struct diff_record *b)
{
	return other_of_both(a, b, TLV_R_ISSUER_NAME, a->r.issuer, b->r.issuer);
}

static bool issuer_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	(void)who;
	return put_text(b, diff_record_has(x, TLV_R_ISSUER_NAME), x->r.issuer);
}

static bool issuer_respelled(const struct diff_record *a, const struct diff_record *b)
{
	return same_name(a->r.issuer, b->r.issuer, a->cert.issuer, b->cert.issuer);
}

static bool serial_differs(const struct diff_record *a, const struct diff_record *b)
{
	return other_of_both(a, b, TLV_R_SERIAL, a->r.serial, b->r.serial);
}

static bool serial_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	return put_serial(b, diff_record_has(x, TLV_R_SERIAL), x->r.serial, who);
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
	put_key(b, public_key(x));
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

	return tlv_record_dialect(&a->r, &x) != 0 && tlv_record_dialect(&b->r, &y) != 0 &&
	       !same_dialect(x, y);
}

static bool dialect_put(const struct diff_record *x, enum diff_reader who, struct buf *b)
{
	struct tlv_dialect d;

	(void)who;
	return tlv_record_dialect(&x->r, &d) != 0 && put_dialect(b, d);
}

/* The rows ---------------------------------------------------------------------------------- */

static const struct diff_header_row header_rows[] = {
#define DIFF_HEADER(NAME, key, label, differs, put, respelled) \
	[DIFF_H_##NAME] = { key, label, differs, put, respelled },
#include "signer/list/diff.def"
#undef DIFF_HEADER
};

static const struct diff_field_row field_rows[] = {
#define DIFF_FIELD(NAME, key, label, differs, put, respelled) \
	[DIFF_F_##NAME] = { key, label, differs, put, respelled },
#include "signer/list/diff.def"
#undef DIFF_FIELD
};

const struct diff_header_row *diff_header_row(enum diff_header h)
{
	return &header_rows[h];
}

const struct diff_field_row *diff_field_row(enum diff_field f)
{
	return &field_rows[f];
}
