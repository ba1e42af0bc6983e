/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The diff engine against a table: two lists in, what became of each record out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

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
#define END \
	{ \
		.role = -1 \
	}

static void put_der(struct buf *b, uint8_t tag, struct span value)
{
	buf_u8(b, tag);
	buf_u8(b, 0x82);
	buf_u16(b, (uint16_t)value.n);
	buf_put(b, value);
}

static void put_der_buf(struct buf *b, uint8_t tag, struct buf *value)
{
	put_der(b, tag, buf_span(value));
	buf_free(value);
}

static void put_name(struct buf *b, const char *cn)
{
	struct buf attribute = BUF_INIT, set = BUF_INIT, sequence = BUF_INIT;

	put_der(&attribute, 0x06, SPAN_LIT("\x55\x04\x03"));
	put_der(&attribute, 0x0c, span_str(cn));
	put_der_buf(&set, 0x30, &attribute);
	put_der_buf(&sequence, 0x31, &set);
	put_der_buf(b, 0x30, &sequence);
}

/* Upper-case identities have keys of 1024 bits, lower-case ones of 2048; nobody signs with them. */
static void put_key(struct buf *b, char id)
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

static void put_bits(struct buf *b, struct buf *value)
{
	struct buf inside = BUF_INIT;

	buf_u8(&inside, 0);
	buf_put(&inside, buf_span(value));
	buf_free(value);
	put_der_buf(b, 0x03, &inside);
}

static bool is_token(const struct rec *r)
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

static void put_serial(struct buf *b, const struct rec *r, bool reversed)
{
	const uint8_t serial[] = { 0x70, 0x01, (uint8_t)r->cert };

	if (reversed)
		buf_put_reversed(b, span_of(serial, sizeof serial));
	else
		buf_put(b, span_of(serial, sizeof serial));
}

static void put_key_info(struct buf *b, char id)
{
	static const uint8_t rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
	struct buf info = BUF_INIT, algorithm = BUF_INIT, key = BUF_INIT;

	put_der(&algorithm, 0x06, span_of(rsa, sizeof rsa));
	put_der_buf(&info, 0x30, &algorithm);
	put_key(&key, id);
	put_bits(&info, &key);
	put_der_buf(b, 0x30, &info);
}

static void put_certificate(struct buf *b, const struct rec *r)
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

static void put_string(struct buf *b, uint8_t tag, const char *prefix, const char *text)
{
	buf_u8(b, tag);
	buf_u16(b, (uint16_t)(strlen(prefix) + strlen(text) + 1));
	buf_str(b, prefix);
	buf_str(b, text);
	buf_u8(b, 0);
}

static void put_field(struct buf *b, uint8_t tag, struct buf *value)
{
	buf_u8(b, tag);
	buf_u16(b, (uint16_t)value->n);
	buf_put(b, buf_span(value));
	buf_free(value);
}

static void put_address(struct buf *b, const struct rec *r)
{
	buf_u8(b, TLV_R_IP_ADDRESS);
	buf_u16(b, r->form == LONG_ADDRESS ? 16 : 4);
	buf_u32(b, r->node == 0 ? 0 : 0x0a302f00U + (uint32_t)r->node);
	for (int i = 0; r->form == LONG_ADDRESS && i < 12; i++)
		buf_u8(b, 0);
}

static void put_issuer(struct buf *b, const struct rec *r, const char *prefix)
{
	put_string(b, TLV_R_ISSUER_NAME, prefix, issuer_of(r));
}

static void put_certificate_fields(struct buf *b, const struct rec *r)
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

static void put_record(struct buf *b, const struct rec *r)
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

static void start(struct made *m, const struct tlv_header_spec *spec)
{
	struct tlv_err e = TLV_ERR_INIT;
	size_t hole;

	*m = (struct made){ .bytes = BUF_INIT };
	assert_int_equal(tlv_header_write(&m->bytes, spec, &hole, &e), ST_OK);
}

static void finish(struct made *m)
{
	struct tlv_err e = TLV_ERR_INIT;

	assert_int_equal(buf_failed(&m->bytes, &e), ST_OK);
	if (tlv_list_decode(&m->list, buf_span(&m->bytes), &e) != ST_OK)
		fail_msg("%s", err_text(&e));
}

static void make(struct made *m, const struct tlv_header_spec *spec, const struct rec *records)
{
	start(m, spec);
	for (size_t i = 0; i < MOST && records[i].role >= 0; i++)
		put_record(&m->bytes, &records[i]);
	finish(m);
}

static void made_free(struct made *m)
{
	tlv_list_free(&m->list);
	buf_free(&m->bytes);
}

static const char *const field_keys[] = {
#define DIFF_FIELD(NAME, key, label, differs, put, respelled) key,
#include "signer/list/diff.def"
#undef DIFF_FIELD
};

static const char *const header_keys[] = {
#define DIFF_HEADER(NAME, key, label, differs, put, respelled) key,
#include "signer/list/diff.def"
#undef DIFF_HEADER
};

static void put_bits_text(struct buf *b, uint32_t bits, const char *const *keys, size_t n)
{
	const char *between = "";

	for (size_t i = 0; i < n; i++)
		if ((bits >> i & 1U) != 0) {
			buf_printf(b, "%s%s", between, keys[i]);
			between = ",";
		}
}

/* "same 1>1; renewed 2>2 serial,key; added 3; removed 4" */
static void describe(struct buf *b, const struct diff *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diff_entry *x = &d->v[i];

		buf_printf(b, "%s%s ", i > 0 ? "; " : "", diff_kind_text(x->kind));
		if (x->old != DIFF_NO_RECORD)
			buf_printf(b, "%zu", x->old + 1);
		if (x->new != DIFF_NO_RECORD)
			buf_printf(b, ">%zu", x->new + 1);
		if (x->moved)
			buf_str(b, "!");
		if (x->fields != 0)
			buf_str(b, " ");
		put_bits_text(b, x->fields, field_keys, COUNT(field_keys));
	}
}

/* What another certificate of the same name and size changes. */
#define RENEWAL "serial,key,certificate"
#define NEW_NAME "subject,issuer," RENEWAL

static const struct {
	const char *what;
	struct rec old[MOST + 1], new[MOST + 1];
	const char *expected;
} cases[] = {
	{ "nothing in nothing", { END }, { END }, "" },
	{ "the same list",
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  "same 1>1; same 2>2" },
	{ "all new", { END }, { { CAPF, 'A', "x", "x", 1, CUCM }, END }, "added >1" },
	{ "all gone", { { CAPF, 'A', "x", "x", 1, CUCM }, END }, { END }, "removed 1" },

	/* Renewed: by role and address. */
	{ "CallManager renewed: both of its rows",
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { SAST, 'B', "pub", "pub", 1, CUCM }, { BOTH, 'B', "pub", "pub", 1, CUCM }, END },
	  "renewed 1>1 " RENEWAL "; renewed 2>2 " RENEWAL },
	{ "renewed with a longer key",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'b', "pub", "pub", 1, CUCM }, END },
	  "renewed 1>1 serial,key,key_size,certificate" },
	{ "CAPF renewed has a new subject",
	  { { CAPF, 'A', "CAPF-1111", "pub", 1, CUCM }, END },
	  { { CAPF, 'B', "CAPF-2222", "pub", 1, CUCM }, END },
	  "renewed 1>1 " NEW_NAME },
	{ "CAPF renewed, at another place in the list",
	  { { CAPF, 'A', "CAPF-1111", "pub", 1, CUCM },
	    { BOTH, 'B', "pub", "pub", 1, CUCM },
	    { BOTH, 'C', "sub", "sub", 2, CUCM },
	    END },
	  { { BOTH, 'B', "pub", "pub", 1, CUCM },
	    { BOTH, 'C', "sub", "sub", 2, CUCM },
	    { CAPF, 'D', "CAPF-2222", "pub", 1, CUCM },
	    END },
	  "same 2>1; same 3>2; renewed 1>3! " NEW_NAME },
	{ "a node renamed: name and certificate",
	  { { BOTH, 'A', "sub", "sub", 2, CUCM }, END },
	  { { BOTH, 'B', "west", "west", 2, CUCM }, END },
	  "renewed 1>1 name," NEW_NAME },
	{ "TVS renewed",
	  { { TVS, 'A', "pub", "pub", 1, CUCM }, { TVS, 'B', "sub", "sub", 2, CUCM }, END },
	  { { TVS, 'A', "pub", "pub", 1, CUCM }, { TVS, 'C', "sub", "sub", 2, CUCM }, END },
	  "same 1>1; renewed 2>2 " RENEWAL },
	{ "one certificate of two nodes renewed",
	  { { BOTH, 'A', "pub-ms", "pub", 1, CUCM }, { BOTH, 'A', "pub-ms", "sub", 2, CUCM }, END },
	  { { BOTH, 'B', "pub-ms", "sub", 2, CUCM }, { BOTH, 'B', "pub-ms", "pub", 1, CUCM }, END },
	  "renewed 2>1! " RENEWAL "; renewed 1>2 " RENEWAL },
	{ "IPADDRESS missing: the CTL Client's name is the address",
	  { { CAPF, 'A', "CAPF-1111", "10.48.47.1", -1, CLIENT }, END },
	  { { CAPF, 'B', "CAPF-2222", "pub", 1, CUCM }, END },
	  "renewed 1>1 name,address," NEW_NAME ",dialect" },
	{ "a wrong address length in both",
	  { { CAPF, 'A', "CAPF-1111", NULL, 1, LONG_ADDRESS }, END },
	  { { CAPF, 'B', "CAPF-2222", NULL, 1, LONG_ADDRESS }, END },
	  "renewed 1>1 " NEW_NAME },

	/* Renewed: by role and subject, or name. */
	{ "renewed and re-addressed",
	  { { BOTH, 'A', "sub", "sub", 2, CUCM }, END },
	  { { BOTH, 'B', "sub", "sub", 3, CUCM }, END },
	  "renewed 1>1 address," RENEWAL },
	{ "renewed without addresses",
	  { { BOTH, 'A', "pub", NULL, -1, RFC4514 }, { BOTH, 'B', "sub", NULL, -1, RFC4514 }, END },
	  { { BOTH, 'C', "sub", NULL, -1, RFC4514 }, { BOTH, 'A', "pub", NULL, -1, RFC4514 }, END },
	  "renewed 2>1! " RENEWAL "; same 1>2" },
	{ "renewed, new subject, no address: by its node's name",
	  { { CAPF, 'A', "CAPF-1111", "pub", -1, CUCM }, END },
	  { { CAPF, 'B', "CAPF-2222", "pub", -1, CUCM }, END },
	  "renewed 1>1 " NEW_NAME },
	{ "new subject, no address, no name: nothing tells that it is the same",
	  { { CAPF, 'A', "CAPF-1111", NULL, -1, RFC4514 }, END },
	  { { CAPF, 'B', "CAPF-2222", NULL, -1, RFC4514 }, END },
	  "added >1; removed 1" },
	{ "another role: no renewal",
	  { { CCM, 'A', "pub", "pub", 1, CUCM }, END },
	  { { TFTP, 'B', "pub", "pub", 1, CUCM }, END },
	  "added >1; removed 1" },
	{ "a node replaced by another elsewhere",
	  { { BOTH, 'A', "sub1", "sub1", 2, CUCM }, END },
	  { { BOTH, 'B', "sub2", "sub2", 3, CUCM }, END },
	  "added >1; removed 1" },

	/* Anchors: several SAST records at one address. */
	{ "the old anchor kept one generation",
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { SAST, 'B', "pub", "pub", 1, CUCM },
	    { SAST, 'A', "pub", "pub", 1, CUCM },
	    { BOTH, 'B', "pub", "pub", 1, CUCM },
	    END },
	  "added >1; same 1>2; renewed 2>3 " RENEWAL },
	{ "CallManager and ITLRecovery renewed, exchanged",
	  { { SAST, 'A', "pub", "pub", 1, CUCM },
	    { SAST, 'B', "ITLRECOVERY_pub", "pub", 1, CUCM },
	    END },
	  { { SAST, 'C', "ITLRECOVERY_pub", "pub", 1, CUCM },
	    { SAST, 'D', "pub", "pub", 1, CUCM },
	    END },
	  "renewed 2>1! " RENEWAL "; renewed 1>2 " RENEWAL },
	{ "both renewed and renamed",
	  { { SAST, 'A', "pub", "pub", 1, CUCM },
	    { SAST, 'B', "ITLRECOVERY_pub", "pub", 1, CUCM },
	    END },
	  { { SAST, 'C', "ITLRECOVERY_w", "w", 1, CUCM }, { SAST, 'D', "w", "w", 1, CUCM }, END },
	  "renewed 2>1! name," NEW_NAME "; renewed 1>2 name," NEW_NAME },
	{ "ITLRecovery is no CallManager's successor",
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, END },
	  { { SAST, 'B', "ITLRECOVERY_pub", "pub", 1, CUCM }, END },
	  "added >1; removed 1" },
	{ "tokenless to tokens",
	  { { SAST, 'A', "pub", "pub", 1, CUCM },
	    { BOTH, 'A', "pub", "pub", 1, CUCM },
	    { CAPF, 'B', "CAPF-1111", "pub", 1, CUCM },
	    END },
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT },
	    { BOTH, 'A', "pub", "pub", 1, CUCM },
	    { CAPF, 'B', "CAPF-1111", "pub", 1, CUCM },
	    { SAST, 'U', "T:SAST-2", "", 0, CLIENT },
	    END },
	  "added >1; removed 1; same 2>2; same 3>3; added >4" },
	{ "tokens to tokenless",
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT },
	    { SAST, 'U', "T:SAST-2", "", 0, CLIENT },
	    { BOTH, 'A', "pub", "pub", 1, CUCM },
	    END },
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  "added >1; removed 1; removed 2; same 3>2" },
	{ "a lost token and its replacement",
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT },
	    { SAST, 'U', "T:SAST-2", "", 0, CLIENT },
	    END },
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT },
	    { SAST, 'V', "T:SAST-3", "", 0, CLIENT },
	    END },
	  "same 1>1; added >2; removed 2" },
	{ "an address of tokens says nothing",
	  { { SAST, 'T', "T:SAST-1", "", 1, CLIENT }, { SAST, 'A', "pub", "pub", 1, CUCM }, END },
	  { { SAST, 'U', "T:SAST-2", "", 1, CLIENT }, END },
	  "added >1; removed 1; removed 2" },
	{ "a token certified anew",
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT }, END },
	  { { SAST, 'U', "T:SAST-1", "", 0, CLIENT }, END },
	  "renewed 1>1 " RENEWAL },
	{ "one row of a certificate gone",
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  "removed 1; same 2>1" },

	/* Changed: the same certificate. */
	{ "re-addressed",
	  { { BOTH, 'A', "sub", "sub", 2, CUCM }, END },
	  { { BOTH, 'A', "sub", "sub", 9, CUCM }, END },
	  "changed 1>1 address" },
	{ "another name in the record alone",
	  { { BOTH, 'A', "sub", "sub", 2, CUCM }, END },
	  { { BOTH, 'A', "sub", "west", 2, CUCM }, END },
	  "changed 1>1 name" },
	{ "two nodes exchange their addresses",
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'B', "b", "b", 2, CUCM }, END },
	  { { BOTH, 'A', "a", "a", 2, CUCM }, { BOTH, 'B', "b", "b", 1, CUCM }, END },
	  "changed 1>1 address; changed 2>2 address" },
	{ "the certificate's role",
	  { { CCM, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  "changed 1>1 role" },
	{ "name, address and place",
	  { { CAPF, 'B', "c", "c", 1, CUCM },
	    { BOTH, 'A', "sub", "sub", 2, CUCM },
	    { TFTP, 'C', "t", "t", 3, CUCM },
	    END },
	  { { BOTH, 'A', "sub", "w", 9, CUCM },
	    { CAPF, 'B', "c", "c", 1, CUCM },
	    { TFTP, 'C', "t", "t", 3, CUCM },
	    END },
	  "changed 2>1! name,address; same 1>2; same 3>3" },
	{ "the dialect",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "10.48.47.1", 1, CLIENT }, END },
	  "changed 1>1 name,dialect" },
	{ "a token's serial read the other way round",
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT }, END },
	  { { SAST, 'T', "T:SAST-1", "", 0, CUCM }, END },
	  "changed 1>1 subject,issuer,serial,dialect" },
	{ "mixed to non-secure",
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, NOBODY, NULL, "pub", 1, CUCM }, END },
	  "same 1>1; changed 2>2 certificate" },
	{ "non-secure to mixed, with another certificate meanwhile",
	  { { BOTH, NOBODY, NULL, "pub", 1, CUCM }, END },
	  { { BOTH, 'B', "pub", "pub", 1, CUCM }, END },
	  "changed 1>1 certificate" },
	{ "non-secure without addresses",
	  { { BOTH, NOBODY, NULL, "pub", -1, CUCM }, { BOTH, NOBODY, NULL, "sub", -1, CUCM }, END },
	  { { BOTH, 'A', "sub", "sub", -1, CUCM }, { BOTH, 'B', "pub", "pub", -1, CUCM }, END },
	  "changed 2>1! certificate; changed 1>2 certificate" },
	{ "a hash in the certificate's place",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "pub", 1, HASHED }, END },
	  "changed 1>1 certificate,certificate_hash" },
	{ "another hash",
	  { { BOTH, 'A', "pub", "pub", 1, HASHED }, END },
	  { { BOTH, 'B', "pub", "pub", 1, HASHED }, END },
	  "renewed 1>1 serial,certificate_hash" },
	{ "another certificate's hash in the certificate's place",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'B', "pub", "pub", 1, HASHED }, END },
	  "renewed 1>1 serial,certificate,certificate_hash" },
	{ "an unknown tag",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "pub", 1, UNKNOWN_TAG }, END },
	  "changed 1>1 other" },
	{ "an unknown tag, renewed",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'B', "pub", "pub", 1, UNKNOWN_TAG }, END },
	  "renewed 1>1 " RENEWAL ",other" },
	{ "the order of fields",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "pub", 1, OTHER_ORDER }, END },
	  "changed 1>1 other" },
	{ "a name without its NUL",
	  { { BOTH, 'A', "pub", "", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "", 1, NO_NUL }, END },
	  "changed 1>1 name" },

	/* Order and duplicates. */
	{ "one put in front moves nothing",
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'B', "b", "b", 2, CUCM }, END },
	  { { CAPF, 'C', "c", "c", 3, CUCM },
	    { BOTH, 'A', "a", "a", 1, CUCM },
	    { BOTH, 'B', "b", "b", 2, CUCM },
	    END },
	  "added >1; same 1>2; same 2>3" },
	{ "one taken from the middle moves nothing",
	  { { BOTH, 'A', "a", "a", 1, CUCM },
	    { CAPF, 'C', "c", "c", 3, CUCM },
	    { BOTH, 'B', "b", "b", 2, CUCM },
	    END },
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'B', "b", "b", 2, CUCM }, END },
	  "same 1>1; removed 2; same 3>2" },
	{ "the last put in front: one has moved",
	  { { BOTH, 'A', "a", "a", 1, CUCM },
	    { BOTH, 'B', "b", "b", 2, CUCM },
	    { CAPF, 'C', "c", "c", 3, CUCM },
	    END },
	  { { CAPF, 'C', "c", "c", 3, CUCM },
	    { BOTH, 'A', "a", "a", 1, CUCM },
	    { BOTH, 'B', "b", "b", 2, CUCM },
	    END },
	  "moved 3>1!; same 1>2; same 2>3" },
	{ "one of two equal records gone",
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'A', "a", "a", 1, CUCM }, END },
	  { { BOTH, 'A', "a", "a", 1, CUCM }, END },
	  "same 1>1; removed 2" },
	{ "a record doubled",
	  { { BOTH, 'A', "a", "a", 1, CUCM }, END },
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'A', "a", "a", 1, CUCM }, END },
	  "same 1>1; added >2" },
	{ "equal records renewed: the first with the first",
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'A', "a", "a", 1, CUCM }, END },
	  { { BOTH, 'B', "a", "a", 1, CUCM }, { BOTH, 'B', "a", "a", 1, CUCM }, END },
	  "renewed 1>1 " RENEWAL "; renewed 2>2 " RENEWAL },
	{ "the unchanged one of two similar records",
	  { { BOTH, 'A', "a", "x", 1, CUCM }, { BOTH, 'A', "a", "y", 1, CUCM }, END },
	  { { BOTH, 'A', "a", "y", 1, CUCM }, END },
	  "removed 1; same 2>1" },
	{ "one certificate at two addresses: by address",
	  { { BOTH, 'A', "a", "x", 1, CUCM }, { BOTH, 'A', "a", "x", 2, CUCM }, END },
	  { { BOTH, 'A', "a", "y", 2, CUCM }, { BOTH, 'A', "a", "y", 1, CUCM }, END },
	  "changed 2>1! name; changed 1>2 name" },
	{ "two certificates of one serial number: by certificate",
	  { { SAST, 'T', "T:1", "x", 0, CUCM }, { SAST, 'T', "T:2", "x", 0, CUCM }, END },
	  { { SAST, 'T', "T:2", "y", 0, CUCM }, { SAST, 'T', "T:1", "y", 0, CUCM }, END },
	  "changed 2>1! name; changed 1>2 name" },
	{ "two of one subject, hashes now: by serial number",
	  { { BOTH, 'A', "pub", NULL, 1, CUCM }, { BOTH, 'B', "pub", NULL, 2, CUCM }, END },
	  { { BOTH, 'B', "pub", NULL, 3, HASHED }, { BOTH, 'A', "pub", NULL, 4, HASHED }, END },
	  "changed 2>1! address,certificate,certificate_hash; "
	  "changed 1>2 address,certificate,certificate_hash" },
	{ "a token certified anew, in another dialect",
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT }, END },
	  { { SAST, 'U', "T:SAST-1", "", 0, CUCM }, END },
	  "renewed 1>1 subject,issuer," RENEWAL ",dialect" },
	{ "a new certificate's hash, without address: by the subject as written",
	  { { BOTH, 'A', "pub", NULL, -1, RFC4514 }, END },
	  { { BOTH, 'B', "pub", NULL, -1, HASHED }, END },
	  "renewed 1>1 serial,certificate,certificate_hash" },
	{ "of two at one address that of the same subject",
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'B', "b", "b", 1, CUCM }, END },
	  { { BOTH, 'C', "b", "b", 1, CUCM }, { BOTH, 'D', "a", "a", 1, CUCM }, END },
	  "renewed 2>1! " RENEWAL "; renewed 1>2 " RENEWAL },
};

static void test_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct buf said = BUF_INIT;
		struct made old, new;
		struct diff d;

		make(&old, &plain_header, cases[i].old);
		make(&new, &plain_header, cases[i].new);
		assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
		describe(&said, &d);
		if (strcmp(buf_cstr(&said), cases[i].expected) != 0)
			fail_msg("%s:\n  got    %s\n  wanted %s", cases[i].what, buf_cstr(&said),
				 cases[i].expected);
		assert_int_equal(d.same, span_eq(old.list.bytes, new.list.bytes));
		diff_free(&d);
		buf_free(&said);
		made_free(&old);
		made_free(&new);
	}
}

/* Each old record and each new one appears once, whatever the lists. */
static void test_every_record_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases) * COUNT(cases); i++) {
		size_t seen_old[MOST] = { 0 }, seen_new[MOST] = { 0 }, total = 0;
		struct tlv_err e = TLV_ERR_INIT;
		struct made old, new;
		struct diff d;

		make(&old, &plain_header, cases[i / COUNT(cases)].old);
		make(&new, &plain_header, cases[i % COUNT(cases)].new);
		assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
		for (size_t k = 0; k < d.n; k++) {
			if (d.v[k].old != DIFF_NO_RECORD)
				seen_old[d.v[k].old]++;
			if (d.v[k].new != DIFF_NO_RECORD)
				seen_new[d.v[k].new]++;
		}
		for (size_t k = 0; k < MOST; k++) {
			assert_int_equal(seen_old[k], k < old.list.nrecords);
			assert_int_equal(seen_new[k], k < new.list.nrecords);
		}
		for (size_t k = 0; k < DIFF_KINDS; k++)
			total += d.count[k];
		assert_int_equal(total, d.n);
		diff_free(&d);
		made_free(&old);
		made_free(&new);
	}
}

struct header_case {
	const char *what;
	void (*change)(struct tlv_header_spec *s);
	const char *expected;
};

static void no_change(struct tlv_header_spec *s)
{
	(void)s;
}

static void later(struct tlv_header_spec *s)
{
	s->timestamp++;
}

static void earlier(struct tlv_header_spec *s)
{
	s->timestamp--;
}

static void timeless(struct tlv_header_spec *s)
{
	s->has_timestamp = false;
}

static void other_digest(struct tlv_header_spec *s)
{
	s->digest = TLV_SHA512;
}

static void itl(struct tlv_header_spec *s)
{
	s->filename = SPAN_LIT("ITLFile.tlv");
}

static void older_version(struct tlv_header_spec *s)
{
	s->version[1] = 1;
}

static void signer_version(struct tlv_header_spec *s)
{
	s->has_signer_version = true;
}

static void other_serial(struct tlv_header_spec *s)
{
	s->signer_serial = SPAN_LIT("\x70\x01\x42");
}

static void unlisted_signer(struct tlv_header_spec *s)
{
	s->signer_name = s->signer_issuer = SPAN_LIT("CN=who\0");
}

static void longer_signature(struct tlv_header_spec *s)
{
	s->signature_bytes = 256;
	s->modulus = 2;
}

static const struct header_case header_cases[] = {
	{ "nothing", no_change, "" },
	{ "the time", later, "timestamp" },
	{ "the time, backwards", earlier, "timestamp" },
	{ "no time", timeless, "timestamp,size" },
	{ "the digest", other_digest, "digest" },
	{ "the kind", itl, "filename" },
	{ "the version", older_version, "version" },
	{ "a signer version of 0.0", signer_version, "signer_version,size" },
	{ "the other SAST signs", other_serial, "signer_serial,signer_key" },
	{ "a signer who is not in the list", unlisted_signer,
	  "signer_name,signer_issuer,signer_key" },
	{ "a longer signature", longer_signature, "signature_bits,signature,size" },
};

static void test_headers(void **state)
{
	static const struct rec records[] = { { SAST, 'A', "pub", "pub", 1, CUCM },
					      { SAST, 'B', "pub", "pub", 1, CUCM },
					      { BOTH, 'A', "pub", "pub", 1, CUCM },
					      END };

	(void)state;
	for (size_t i = 0; i < COUNT(header_cases); i++) {
		struct tlv_header_spec spec = plain_header;
		struct tlv_err e = TLV_ERR_INIT;
		struct buf said = BUF_INIT;
		struct made old, new;
		struct diff d;

		header_cases[i].change(&spec);
		make(&old, &plain_header, records);
		make(&new, &spec, records);
		assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
		put_bits_text(&said, d.header, header_keys, COUNT(header_keys));
		if (strcmp(buf_cstr(&said), header_cases[i].expected) != 0)
			fail_msg("%s:\n  got    %s\n  wanted %s", header_cases[i].what,
				 buf_cstr(&said), header_cases[i].expected);
		assert_int_equal(d.signed_again,
				 strcmp(header_cases[i].expected, "timestamp") == 0);
		assert_int_equal(d.timestamp_backwards, header_cases[i].change == earlier);
		assert_int_equal(d.same, header_cases[i].change == no_change);
		assert_int_equal(d.count[DIFF_SAME], 3);
		diff_free(&d);
		buf_free(&said);
		made_free(&old);
		made_free(&new);
	}
}

static void test_mode_and_style(void **state)
{
	static const struct rec mixed[] = { { BOTH, 'A', "pub", "pub", 1, CUCM }, END };
	static const struct rec bare[] = { { BOTH, NOBODY, NULL, "pub", 1, CUCM }, END };
	static const struct rec hashed[] = { { BOTH, 'A', "pub", "pub", 1, HASHED }, END };
	static const struct rec client[] = { { BOTH, 'A', "pub", "10.48.47.1", 1, CLIENT }, END };
	static const struct {
		const struct rec *old, *new;
		bool mode, style;
	} rows[] = { { mixed, bare, true, false },
		     { bare, mixed, true, false },
		     { mixed, hashed, false, false },
		     { mixed, client, false, true } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct made old, new;
		struct diff d;

		start(&old, &plain_header);
		put_record(&old.bytes, rows[i].old);
		finish(&old);
		start(&new, &plain_header);
		put_record(&new.bytes, rows[i].new);
		finish(&new);
		assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
		assert_int_equal(diff_header_differs(&d, DIFF_H_MODE), rows[i].mode);
		assert_int_equal(diff_header_differs(&d, DIFF_H_STYLE), rows[i].style);
		assert_false(d.signed_again);
		diff_free(&d);
		made_free(&old);
		made_free(&new);
	}
}

/* Bytes that no field holds still make a list another one. */
static void test_signature_and_odd_header_bytes(void **state)
{
	static const struct rec records[] = { { BOTH, 'A', "pub", "pub", 1, CUCM }, END };
	struct tlv_err e = TLV_ERR_INIT;
	struct made old, new;
	struct diff d;

	(void)state;
	make(&old, &plain_header, records);
	make(&new, &plain_header, records);
	/* In the signature. */
	new.bytes.p[new.list.header.signature_at + 3] ^= 1;
	assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
	assert_int_equal(d.header, 1U << DIFF_H_SIGNATURE);
	assert_true(d.signed_again && !d.same);
	diff_free(&d);
	/* The file name's NUL. */
	new.bytes.p[new.list.header.signature_at + 3] ^= 1;
	new.bytes.p[new.list.header.signature_at + 3 + 128 + 3 + 11] = 'x';
	assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
	assert_int_equal(d.header, 1U << DIFF_H_FILENAME);
	assert_true(!d.signed_again && !d.same);
	diff_free(&d);
	made_free(&old);
	made_free(&new);
}

/* All that thousands of records may do to the clock; a square of them would take minutes. */
static void compare_many(bool reversed, bool same_place, char new_cert)
{
#ifdef __SANITIZE_ADDRESS__
	enum { MANY = 2000 };
#else
	enum { MANY = 10000 };
#endif
	struct tlv_err e = TLV_ERR_INIT;
	struct made old, new;
	struct diff d;
	clock_t begun;

	start(&old, &plain_header);
	start(&new, &plain_header);
	for (int i = 0; i < MANY; i++) {
		char a[16], b[16];
		int k = reversed ? MANY - 1 - i : i;

		(void)snprintf(a, sizeof a, "n%d", i);
		(void)snprintf(b, sizeof b, "n%d", k);
		put_record(&old.bytes, &(struct rec){ BOTH, 'A', same_place ? "x" : a,
						      same_place ? "x" : a, 1, CUCM });
		put_record(&new.bytes, &(struct rec){ BOTH, new_cert, same_place ? "x" : b,
						      same_place ? "x" : b, 1, CUCM });
	}
	finish(&old);
	finish(&new);
	begun = clock();
	assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
	assert_true((clock() - begun) / CLOCKS_PER_SEC < 10);
	assert_int_equal(d.n, MANY);
	assert_int_equal(d.count[DIFF_ADDED] + d.count[DIFF_REMOVED], 0);
	if (new_cert != 'A')
		assert_int_equal(d.count[DIFF_RENEWED], MANY);
	else
		assert_int_equal(d.count[DIFF_SAME], reversed && !same_place ? 1 : MANY);
	diff_free(&d);
	made_free(&old);
	made_free(&new);
}

static void test_many(void **state)
{
	(void)state;
	compare_many(false, false, 'A');
	compare_many(true, false, 'A');
	compare_many(true, false, 'B');
	compare_many(false, true, 'A');
	compare_many(false, true, 'B');
}

static void collect(void *arg, const char *line)
{
	buf_printf(arg, "%s\n", line);
}

static void test_text(void **state)
{
	static const struct rec before[] = { { SAST, 'A', "pub", "pub", 1, CUCM },
					     { CAPF, 'C', "CAPF-1111", "pub", 1, CUCM },
					     { BOTH, 'D', "sub", "sub", 2, CUCM },
					     END };
	static const struct rec after[] = { { SAST, 'A', "pub", "pub", 1, CUCM },
					    { BOTH, 'D', "sub", "evil\x1b[2J\nname", 9, CUCM },
					    { SAST, 'T', "T:SAST-1   ", "", 0, CLIENT },
					    END };
	struct tlv_header_spec spec = plain_header;
	struct tlv_err e = TLV_ERR_INIT;
	struct buf said = BUF_INIT;
	struct made old, new;
	struct diff d;

	(void)state;
	spec.timestamp -= 60;
	spec.digest = TLV_SHA256;
	make(&old, &plain_header, before);
	make(&new, &spec, after);
	assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
	assert_int_equal(diff_print(&d, collect, &said, &e), ST_OK);
	assert_string_equal(
		buf_cstr(&said),
		"header digest: sha1 -> sha256\n"
		"header timestamp: 2015-03-10T15:06:40Z -> 2015-03-10T15:05:40Z (goes BACKWARDS)\n"
		"header size: 1733 bytes -> 1762 bytes\n"
		"old record 2 removed: CAPF pub 10.48.47.1 (CAPF-1111)\n"
		"record 2 changed: CCM+TFTP evil\\x1b[2J\\x0aname 10.48.47.9 (sub)\n"
		"    name: sub -> evil\\x1b[2J\\x0aname\n"
		"    address: 10.48.47.2 -> 10.48.47.9\n"
		"record 3 added: SAST (SAST-1)\n"
		"different: 1 changed, 1 added, 1 removed, 1 the same; header: digest, timestamp, "
		"size\n");
	buf_free(&said);
	diff_free(&d);
	made_free(&old);
	made_free(&new);
}

static void count_line(void *arg, const char *line)
{
	size_t *lines = arg;

	for (; *line != '\0'; line++)
		assert_true((unsigned char)*line >= ' ' && *line != 0x7f);
	++*lines;
}

/* A change that the reader takes is named: in the header, or in one record at least. */
static void expect_named(const struct tlv_list *old, const struct tlv_list *new)
{
	struct tlv_err e = TLV_ERR_INIT;
	size_t lines = 0;
	struct diff d;
	json_t *o;

	assert_int_equal(diff_lists(&d, old, new, &e), ST_OK);
	assert_false(d.same);
	assert_true(d.header != 0 || d.count[DIFF_SAME] < d.n);
	assert_int_equal(diff_print(&d, count_line, &lines, &e), ST_OK);
	assert_true(lines > 1 || d.header == 1U << DIFF_H_SIGNATURE);
	o = diff_json(&d);
	assert_non_null(o);
	json_decref(o);
	diff_free(&d);
}

static void test_any_bit_changed_is_named(void **state)
{
	static const struct rec records[] = {
		{ SAST, 'A', "pub", "pub", 1, CUCM },  { SAST, 'T', "T:SAST-1 ", "", 0, CLIENT },
		{ BOTH, 'A', "pub", "pub", 1, CUCM },  { BOTH, NOBODY, NULL, "sub", 2, CUCM },
		{ TVS, 'B', "pub", "pub", 1, HASHED }, END
	};
	struct made old, new;
	size_t read = 0;

	(void)state;
	make(&old, &plain_header, records);
	make(&new, &plain_header, records);
	for (size_t bit = 0; bit < 8 * old.bytes.n;
	     bit += 7) { /* one of each byte, in turn another */
		struct tlv_err e = TLV_ERR_INIT;
		struct tlv_list changed;

		new.bytes.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		if (tlv_list_decode(&changed, buf_span(&new.bytes), &e) == ST_OK) {
			expect_named(&old.list, &changed);
			expect_named(&changed, &old.list);
			read++;
		}
		tlv_list_free(&changed);
		new.bytes.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_true(read > old.bytes.n / 7);
	made_free(&old);
	made_free(&new);
}

static void test_json_has_every_record(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct made old, new;
		struct diff d;
		json_t *o;

		make(&old, &plain_header, cases[i].old);
		make(&new, &plain_header, cases[i].new);
		assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
		o = diff_json(&d);
		assert_non_null(o);
		assert_int_equal(json_array_size(json_object_get(o, "records")), d.n);
		for (size_t k = 0; k < d.n; k++) {
			json_t *x = json_array_get(json_object_get(o, "records"), k);
			json_t *changes = json_object_get(x, "changes");

			assert_string_equal(json_string_value(json_object_get(x, "kind")),
					    diff_kind_text(d.v[k].kind));
			assert_int_equal(
				json_array_size(changes),
				(size_t)__builtin_popcount(d.v[k].fields & ~d.v[k].respelled));
		}
		json_decref(o);
		diff_free(&d);
		made_free(&old);
		made_free(&new);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_every_record_once),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_mode_and_style),
		cmocka_unit_test(test_signature_and_odd_header_bytes),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_any_bit_changed_is_named),
		cmocka_unit_test(test_json_has_every_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
