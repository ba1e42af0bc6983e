/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/diff_fact.h"

#include <string.h>

#include "signer/io/env.h"

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
	return diff_put_text(b, tlv_header_has(&l->header, TLV_H_SIGNER_NAME),
			     l->header.signer_name);
}

static bool signer_name_respelled(const struct tlv_list *a, const struct tlv_list *b)
{
	struct diff_record x = signer_of(a), y = signer_of(b);

	return diff_same_name(a->header.signer_name, b->header.signer_name, x.cert.subject,
			      y.cert.subject);
}

static bool signer_serial_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return !span_eq(a->header.signer_serial, b->header.signer_serial);
}

static bool signer_serial_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	return diff_put_serial(b, tlv_header_has(&l->header, TLV_H_SERIAL_NUMBER),
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
	return diff_put_text(b, tlv_header_has(&l->header, TLV_H_CA_NAME), l->header.signer_issuer);
}

static bool signer_issuer_respelled(const struct tlv_list *a, const struct tlv_list *b)
{
	struct diff_record x = signer_of(a), y = signer_of(b);

	return diff_same_name(a->header.signer_issuer, b->header.signer_issuer, x.cert.issuer,
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
		diff_put_key(b, tlv_list_record(l, (size_t)i).public_key);
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
	return !diff_same_dialect(tlv_list_dialect(a), tlv_list_dialect(b));
}

static bool style_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	(void)who;
	return diff_put_dialect(b, tlv_list_dialect(l));
}

static bool filename_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return !span_eq(a->header.filename, b->header.filename);
}

static bool filename_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	(void)who;
	return diff_put_text(b, tlv_header_has(&l->header, TLV_H_FILENAME), l->header.filename);
}

static bool version_differs(const struct tlv_list *a, const struct tlv_list *b)
{
	return memcmp(a->header.version, b->header.version, 2) != 0;
}

static bool version_put(const struct tlv_list *l, enum diff_reader who, struct buf *b)
{
	(void)who;
	return diff_put_version(b, tlv_header_has(&l->header, TLV_H_VERSION), l->header.version);
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
	return diff_put_version(b, tlv_header_has(&l->header, TLV_H_SIGNER_VERSION),
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

static const struct diff_header_row header_rows[] = {
#define DIFF_HEADER(NAME, key, label, differs, put, respelled) \
	[DIFF_H_##NAME] = { key, label, differs, put, respelled },
#include "signer/list/diff.def"
#undef DIFF_HEADER
};

const struct diff_header_row *diff_header_row(enum diff_header h)
{
	return &header_rows[h];
}
