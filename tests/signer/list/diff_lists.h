/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lists for the tests of diff, made of a row for each record.
 */
#ifndef TESTS_SIGNER_DIFF_LISTS_H
#define TESTS_SIGNER_DIFF_LISTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "signer/list/diff.h"
#include "tlv/writer.h"

enum { MOST = 6, NOBODY = 0 };

enum form {
	CUCM,
	CLIENT, /* names in ctl-client dialect, no certificate signature */
	RFC4514,
	HASHED,	     /* the certificate's hash in its place */
	UNKNOWN_TAG, /* CUCM and a tag that no table names */
	OTHER_ORDER, /* CUCM with serial and issuer exchanged */
	NO_NUL,	     /* CUCM with a name that lacks its NUL */
	LONG_ADDRESS /* CUCM with 16 bytes of address, a defect of 10.0 */
};

/* A record: cert is the certificate's identity (serial, key), cn its subject, 0 and NULL: none. */
struct rec {
	int role;
	char cert;
	const char *cn;	  /* "T:…": a hardware token's */
	const char *name; /* NULL: no DNSNAME */
	int node;	  /* last byte of the address, -1: no IPADDRESS, 0: four zeros */
	enum form form;
};

#define SAST TLV_ROLE_SAST
#define CCM TLV_ROLE_CCM
#define BOTH TLV_ROLE_CCM_TFTP
#define TFTP TLV_ROLE_TFTP
#define CAPF TLV_ROLE_CAPF
#define TVS TLV_ROLE_TVS
/* clang-format off */
#define END { .role = -1 }
/* clang-format on */

static inline void put_der(struct buf *b, uint8_t tag, struct span value)
{
	buf_u8(b, tag);
	buf_u8(b, 0x82);
	buf_u16(b, (uint16_t)value.n);
	buf_put(b, value);
}

static inline void put_der_buf(struct buf *b, uint8_t tag, struct buf *value)
{
	put_der(b, tag, buf_span(value));
	buf_free(value);
}

static inline void put_name(struct buf *b, const char *cn)
{
	struct buf attribute = BUF_INIT, set = BUF_INIT, sequence = BUF_INIT;

	put_der(&attribute, 0x06, SPAN_LIT("\x55\x04\x03"));
	put_der(&attribute, 0x0c, span_str(cn));
	put_der_buf(&set, 0x30, &attribute);
	put_der_buf(&sequence, 0x31, &set);
	put_der_buf(b, 0x30, &sequence);
}

/* Upper-case identities have keys of 1024 bits, lower-case ones of 2048; nobody signs with them. */
static inline void put_key(struct buf *b, char id)
{
	struct buf inside = BUF_INIT, modulus = BUF_INIT;
	size_t n = id >= 'a' ? 256 : 128;

	buf_u8(&modulus, 0);
	for (size_t i = 0; i < n; i++)
		buf_u8(&modulus, (uint8_t)(0x80 | id));
	put_der_buf(&inside, 0x02, &modulus);
	put_der(&inside, 0x02, SPAN_LIT("\x01\x00\x01"));
	put_der_buf(b, 0x30, &inside);
}

static inline void put_bits(struct buf *b, struct buf *value)
{
	struct buf inside = BUF_INIT;

	buf_u8(&inside, 0);
	buf_put(&inside, buf_span(value));
	buf_free(value);
	put_der_buf(b, 0x03, &inside);
}

static inline bool is_token(const struct rec *r)
{
	return r->cn != NULL && strncmp(r->cn, "T:", 2) == 0;
}

static const char *cn_of(const struct rec *r)
{
	return is_token(r) ? r->cn + 2 : r->cn;
}

static const char *issuer_of(const struct rec *r)
{
	return is_token(r) ? "Cisco Manufacturing CA" : r->cn;
}

static inline void put_serial(struct buf *b, const struct rec *r, bool reversed)
{
	const uint8_t serial[] = { 0x70, 0x01, (uint8_t)r->cert };

	if (reversed)
		buf_put_reversed(b, span_of(serial, sizeof serial));
	else
		buf_put(b, span_of(serial, sizeof serial));
}

static inline void put_key_info(struct buf *b, char id)
{
	static const uint8_t rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
	struct buf info = BUF_INIT, algorithm = BUF_INIT, key = BUF_INIT;

	put_der(&algorithm, 0x06, span_of(rsa, sizeof rsa));
	put_der_buf(&info, 0x30, &algorithm);
	put_key(&key, id);
	put_bits(&info, &key);
	put_der_buf(b, 0x30, &info);
}

static inline void put_certificate(struct buf *b, const struct rec *r)
{
	struct buf whole = BUF_INIT, tbs = BUF_INIT, serial = BUF_INIT, signature = BUF_INIT;
	struct buf validity = BUF_INIT;

	put_serial(&serial, r, false);
	put_der_buf(&tbs, 0x02, &serial);
	put_der(&tbs, 0x30, SPAN_LIT("\x06\x01\x2a"));
	put_name(&tbs, issuer_of(r));
	put_der(&validity, 0x17, SPAN_LIT("140605120000Z"));
	put_der(&validity, 0x17, SPAN_LIT("340604120000Z"));
	put_der_buf(&tbs, 0x30, &validity);
	put_name(&tbs, cn_of(r));
	put_key_info(&tbs, r->cert);
	put_der_buf(&whole, 0x30, &tbs);
	put_der(&whole, 0x30, SPAN_LIT("\x06\x01\x2a"));
	buf_u8(&signature, (uint8_t)r->cert);
	put_bits(&whole, &signature);
	put_der_buf(b, 0x30, &whole);
}

static inline void put_string(struct buf *b, uint8_t tag, const char *prefix, const char *text)
{
	buf_u8(b, tag);
	buf_u16(b, (uint16_t)(strlen(prefix) + strlen(text) + 1));
	buf_str(b, prefix);
	buf_str(b, text);
	buf_u8(b, 0);
}

static inline void put_field(struct buf *b, uint8_t tag, struct buf *value)
{
	buf_u8(b, tag);
	buf_u16(b, (uint16_t)value->n);
	buf_put(b, buf_span(value));
	buf_free(value);
}

static inline void put_address(struct buf *b, const struct rec *r)
{
	buf_u8(b, TLV_R_IP_ADDRESS);
	buf_u16(b, r->form == LONG_ADDRESS ? 16 : 4);
	buf_u32(b, r->node == 0 ? 0 : 0x0a302f00U + (uint32_t)r->node);
	for (int i = 0; r->form == LONG_ADDRESS && i < 12; i++)
		buf_u8(b, 0);
}

static inline void put_issuer(struct buf *b, const struct rec *r, const char *prefix)
{
	put_string(b, TLV_R_ISSUER_NAME, prefix, issuer_of(r));
}

static inline void put_certificate_fields(struct buf *b, const struct rec *r)
{
	struct buf key = BUF_INIT, certificate = BUF_INIT, serial = BUF_INIT, signature = BUF_INIT;
	bool reversed = r->form == CLIENT && is_token(r);
	const char *prefix = reversed ? "cn=" : "CN=";

	if (r->form != OTHER_ORDER)
		put_issuer(b, r, prefix);
	put_serial(&serial, r, reversed);
	put_field(b, TLV_R_SERIAL, &serial);
	if (r->form == OTHER_ORDER)
		put_issuer(b, r, prefix);
	put_key(&key, r->cert);
	put_certificate(&certificate, r);
	if (r->form == HASHED) {
		buf_free(&key);
		buf_u8(b, TLV_R_CERT_HASH);
		buf_u16(b, 1);
		buf_u8(b, (uint8_t)r->cert);
		buf_free(&certificate);
		return;
	}
	put_field(b, TLV_R_PUBLIC_KEY, &key);
	if (r->form != CLIENT) {
		buf_u8(&signature, (uint8_t)r->cert);
		put_field(b, TLV_R_CERT_SIGNATURE, &signature);
	}
	put_field(b, TLV_R_CERTIFICATE, &certificate);
}

static inline void put_record(struct buf *b, const struct rec *r)
{
	struct buf inside = BUF_INIT;
	const char *prefix = r->form == CLIENT && is_token(r) ? "cn=" : "CN=";

	if (r->name != NULL && r->form == NO_NUL)
		put_field(&inside, TLV_R_DNS_NAME, &(struct buf){ .p = NULL });
	else if (r->name != NULL)
		put_string(&inside, TLV_R_DNS_NAME, "", r->name);
	if (r->cert != NOBODY)
		put_string(&inside, TLV_R_SUBJECT_NAME, prefix, cn_of(r));
	buf_u8(&inside, TLV_R_FUNCTION);
	buf_u16(&inside, 2);
	buf_u16(&inside, (uint16_t)r->role);
	if (r->cert != NOBODY)
		put_certificate_fields(&inside, r);
	if (r->node >= 0)
		put_address(&inside, r);
	if (r->form == UNKNOWN_TAG) {
		buf_u8(&inside, 99);
		buf_u16(&inside, 1);
		buf_u8(&inside, 1);
	}
	buf_u8(b, TLV_R_RECORD_LENGTH);
	buf_u16(b, 2);
	buf_u16(b, (uint16_t)(inside.n + 5));
	buf_put(b, buf_span(&inside));
	buf_free(&inside);
}

static const struct tlv_header_spec plain_header = {
	.version = { 1, 2 },
	.signer_name = { (const uint8_t *)"CN=pub", 7 },
	.signer_serial = { (const uint8_t *)"\x70\x01\x41", 3 },
	.signer_issuer = { (const uint8_t *)"CN=pub", 7 },
	.digest = TLV_SHA1,
	.modulus = 1,
	.signature_bytes = 128,
	.filename = { (const uint8_t *)"CTLFile.tlv", 11 },
	.has_timestamp = true,
	.timestamp = 1426000000,
};

/* A list in memory. */
struct made {
	struct buf bytes;
	struct tlv_list list;
};

static inline void start(struct made *m, const struct tlv_header_spec *spec)
{
	struct tlv_err e = TLV_ERR_INIT;
	size_t hole;

	*m = (struct made){ .bytes = BUF_INIT };
	assert_int_equal(tlv_header_write(&m->bytes, spec, &hole, &e), ST_OK);
}

static inline void finish(struct made *m)
{
	struct tlv_err e = TLV_ERR_INIT;

	assert_int_equal(buf_failed(&m->bytes, &e), ST_OK);
	if (tlv_list_decode(&m->list, buf_span(&m->bytes), &e) != ST_OK)
		fail_msg("%s", err_text(&e));
}

static inline void make(struct made *m, const struct tlv_header_spec *spec,
			const struct rec *records)
{
	start(m, spec);
	for (size_t i = 0; i < MOST && records[i].role >= 0; i++)
		put_record(&m->bytes, &records[i]);
	finish(m);
}

static inline void made_free(struct made *m)
{
	tlv_list_free(&m->list);
	buf_free(&m->bytes);
}

static inline void put_bits_text(struct buf *b, uint32_t bits, const char *const *keys, size_t n)
{
	const char *between = "";

	for (size_t i = 0; i < n; i++)
		if ((bits >> i & 1U) != 0) {
			buf_printf(b, "%s%s", between, keys[i]);
			between = ",";
		}
}

#endif
