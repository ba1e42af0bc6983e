/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The lists of made-up clusters, as each release writes them: names, certificates
 * and records are real, keys are counted bytes, and signatures are zeros.
 */
#ifndef MADE_LISTS_H
#define MADE_LISTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "signer/plan/forecast/cluster.h"
#include "signer/trust/release.h"
#include "tlv/der.h"
#include "tlv/header.h"
#include "tlv/record.h"

enum made_mode { NOT_MIXED, TOKENLESS, TOKENS };
enum { MADE_NODES_MAX = 24, MADE_LISTS_MAX = MADE_NODES_MAX + 1 };

struct made_cert {
	struct buf der;
	struct tlv_cert parts;
};

struct made {
	struct release release;
	struct made_cert callmanager[MADE_NODES_MAX], tvs[MADE_NODES_MAX], capf, recovery, token[2];
	size_t nnodes;
	struct buf bytes[MADE_LISTS_MAX];
	struct tlv_list lists[MADE_LISTS_MAX];
	const struct tlv_list *given[MADE_LISTS_MAX];
	size_t n;
	unsigned serial; /* of the last certificate */
};

static void put_der(struct buf *b, uint8_t tag, struct span value)
{
	buf_u8(b, tag);
	buf_u8(b, 0x82);
	buf_u16(b, (uint16_t)value.n);
	buf_put(b, value);
}

static void put_made_name(struct buf *b, const char *cn)
{
	struct buf value = BUF_INIT, pair = BUF_INIT, set = BUF_INIT, name = BUF_INIT;

	put_der(&value, DER_OID, SPAN_LIT("\x55\x04\x03"));
	put_der(&value, DER_UTF8_STRING, span_str(cn));
	put_der(&pair, DER_SEQUENCE, buf_span(&value));
	put_der(&set, DER_SET, buf_span(&pair));
	put_der(b, DER_SEQUENCE, buf_span(&set));
	buf_free(&value);
	buf_free(&pair);
	buf_free(&set);
	buf_free(&name);
}

static bool made_ec; /* certificates have EC keys */

/* A point that is none: nobody computes with it. */
static void put_made_point(struct buf *b, unsigned serial)
{
	struct buf key = BUF_INIT, bits = BUF_INIT;

	buf_put(&key, SPAN_LIT("\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48"
			       "\xce\x3d\x03\x01\x07"));
	buf_u8(&bits, 0);
	buf_u8(&bits, 4);
	buf_u32(&bits, serial);
	(void)buf_hole(&bits, 60);
	put_der(&key, DER_BIT_STRING, buf_span(&bits));
	put_der(b, DER_SEQUENCE, buf_span(&key));
	buf_free(&key);
	buf_free(&bits);
}

/* RSA with sha256WithRSAEncryption, and a modulus that begins with a byte of 0xc1. */
static void put_made_modulus(struct buf *b, unsigned serial)
{
	struct buf numbers = BUF_INIT, key = BUF_INIT, bits = BUF_INIT, modulus = BUF_INIT;

	buf_u8(&modulus, 0);
	buf_u8(&modulus, 0xc1);
	buf_u32(&modulus, serial);
	(void)buf_hole(&modulus, 250);
	buf_u8(&modulus, 1);
	put_der(&numbers, DER_INTEGER, buf_span(&modulus));
	put_der(&numbers, DER_INTEGER, SPAN_LIT("\x01\x00\x01"));
	buf_u8(&key, 0);
	put_der(&key, DER_SEQUENCE, buf_span(&numbers));
	buf_put(&bits, SPAN_LIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"));
	put_der(&bits, DER_BIT_STRING, buf_span(&key));
	put_der(b, DER_SEQUENCE, buf_span(&bits));
	buf_free(&numbers);
	buf_free(&key);
	buf_free(&bits);
	buf_free(&modulus);
}

static const struct span sha256_rsa =
	SPAN_LIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00");

static struct span made_serial; /* the content of the next certificate's, if it is not counted */

static void make_cert(struct made *m, struct made_cert *out, const char *cn, const char *issuer)
{
	struct buf tbs = BUF_INIT, all = BUF_INIT, serial = BUF_INIT, bits = BUF_INIT;
	struct tlv_err e = TLV_ERR_INIT;

	buf_u32(&serial, 0x41000000U + ++m->serial);
	if (made_serial.n > 0)
		serial.n = 0;
	buf_put(&serial, made_serial);
	put_der(&tbs, DER_CONTEXT_0, SPAN_LIT("\x02\x01\x02"));
	put_der(&tbs, DER_INTEGER, buf_span(&serial));
	buf_put(&tbs, sha256_rsa);
	put_made_name(&tbs, issuer);
	put_der(&tbs, DER_SEQUENCE,
		SPAN_LIT("\x17\x0d"
			 "140605120000Z"
			 "\x17\x0d"
			 "340604120000Z"));
	put_made_name(&tbs, cn);
	if (made_ec)
		put_made_point(&tbs, m->serial);
	else
		put_made_modulus(&tbs, m->serial);
	put_der(&all, DER_SEQUENCE, buf_span(&tbs));
	buf_put(&all, sha256_rsa);
	(void)buf_hole(&bits, 257);
	put_der(&all, DER_BIT_STRING, buf_span(&bits));
	put_der(&out->der, DER_SEQUENCE, buf_span(&all));
	assert_int_equal(buf_failed(&out->der, &e), ST_OK);
	assert_int_equal(tlv_cert_walk(buf_span(&out->der), &out->parts, &e), ST_OK);
	buf_free(&tbs);
	buf_free(&all);
	buf_free(&serial);
	buf_free(&bits);
}

static void put_made_record(struct buf *b, uint16_t role, const struct made_cert *cert, size_t node)
{
	char name[24];
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_record_spec s = { .dialect = { TLV_STYLE_CUCM, ',' },
				     .role = role,
				     .cert = &cert->parts,
				     .has_address = true,
				     .address = { 10, 0, 0, (uint8_t)(node + 1) } };

	(void)snprintf(name, sizeof name, node == 0 ? "pub" : "sub%zu", node);
	s.name = span_str(name);
	s.token = node == MADE_NODES_MAX;
	if (s.token) {
		s.name = SPAN_NONE;
		memset(s.address, 0, sizeof s.address);
	}
	assert_int_equal(tlv_record_write(b, &s, &e), ST_OK);
}

static uint32_t made_time = 1426000000;

/* The signer's record is the one with its certificate. */
static void finish_list(struct made *m, const char *filename, const struct made_cert *signer,
			struct span records)
{
	struct tlv_record r;
	struct tlv_err e = TLV_ERR_INIT;
	struct span rest = records;
	size_t hole;
	struct tlv_header_spec h = { .version = { 1, 2 },
				     .digest = TLV_SHA1,
				     .modulus = (uint8_t)tlv_modulus_code(2048),
				     .signature_bytes = 256,
				     .filename = span_str(filename),
				     .has_timestamp = true,
				     .timestamp = made_time };

	do {
		assert_int_equal(tlv_record_decode(&r, rest, 0, &e), ST_OK);
		rest = span_slice(rest, r.raw.n, rest.n);
	} while (!span_eq(r.certificate, buf_span(&signer->der)));
	h.signer_name = r.subject;
	h.signer_serial = r.serial;
	h.signer_issuer = r.issuer;
	assert_int_equal(tlv_header_write(&m->bytes[m->n], &h, &hole, &e), ST_OK);
	buf_put(&m->bytes[m->n], records);
	assert_int_equal(tlv_list_decode(&m->lists[m->n], buf_span(&m->bytes[m->n]), &e), ST_OK);
	m->given[m->n] = &m->lists[m->n];
	m->n++;
}

static bool made_bare; /* the CTL was not written since the upgrade: its tokens are its anchors */

static void make_ctl(struct made *m, enum made_mode mode)
{
	struct buf b = BUF_INIT;
	const struct made_cert *signer = &m->token[0];
	bool anchors = mode == TOKENLESS || (m->release.token_anchors && !made_bare);

	for (int i = 0; mode == TOKENS && i < 2; i++)
		put_made_record(&b, TLV_ROLE_SAST, &m->token[i], MADE_NODES_MAX);
	if (mode == TOKENLESS)
		signer = m->release.signer == RELEASE_ITLRECOVERY ? &m->recovery :
								    &m->callmanager[0];
	if (anchors && m->release.itlrecovery)
		put_made_record(&b, TLV_ROLE_SAST, &m->recovery, 0);
	if (anchors)
		put_made_record(&b, TLV_ROLE_SAST, &m->callmanager[0], 0);
	for (size_t i = 0; i < m->nnodes; i++)
		put_made_record(&b, TLV_ROLE_CCM_TFTP, &m->callmanager[i], i);
	put_made_record(&b, TLV_ROLE_CAPF, &m->capf, 0);
	finish_list(m, "CTLFile.tlv", signer, buf_span(&b));
	buf_free(&b);
}

/* The node whose ITL was not written since the publisher has a TVS; SIZE_MAX: none. */
static size_t made_stale = SIZE_MAX;

static void make_itl(struct made *m, size_t node)
{
	struct buf b = BUF_INIT;

	put_made_record(&b, TLV_ROLE_SAST, &m->callmanager[node], node);
	put_made_record(&b, TLV_ROLE_SAST, &m->recovery, 0);
	put_made_record(&b, TLV_ROLE_CCM_TFTP, &m->callmanager[node], node);
	for (size_t i = node == made_stale ? 1 : 0; i < m->nnodes; i++)
		put_made_record(&b, TLV_ROLE_TVS, &m->tvs[i], i);
	put_made_record(&b, TLV_ROLE_CAPF, &m->capf, 0);
	finish_list(m, "ITLFile.tlv",
		    m->release.itl_signer == RELEASE_ITLRECOVERY ? &m->recovery :
								   &m->callmanager[node],
		    buf_span(&b));
	buf_free(&b);
}

/* nitls: how many nodes' ITLs are given; the publisher's is the first. */
static void make_lists(struct made *m, const char *release, enum made_mode mode, size_t nnodes,
		       size_t nitls)
{
	struct tlv_err e = TLV_ERR_INIT;
	char cn[32];

	*m = (struct made){ .nnodes = nnodes };
	assert_int_equal(release_parse(release, &m->release, &e), ST_OK);
	for (size_t i = 0; i < nnodes; i++) {
		(void)snprintf(cn, sizeof cn, i == 0 ? "pub" : "sub%zu", i);
		make_cert(m, &m->callmanager[i], cn, cn);
		make_cert(m, &m->tvs[i], cn, cn);
	}
	make_cert(m, &m->capf, "CAPF-0a1b2c3d", "CAPF-0a1b2c3d");
	make_cert(m, &m->recovery, "ITLRECOVERY_pub", "ITLRECOVERY_pub");
	make_cert(m, &m->token[0], "SAST-ADN1", "Cisco Manufacturing CA");
	make_cert(m, &m->token[1], "SAST-ADN2", "Cisco Manufacturing CA");
	if (mode != NOT_MIXED)
		make_ctl(m, mode);
	for (size_t i = 0; i < nitls; i++)
		make_itl(m, i);
}

static void free_lists(struct made *m)
{
	for (size_t i = 0; i < m->nnodes; i++) {
		buf_free(&m->callmanager[i].der);
		buf_free(&m->tvs[i].der);
	}
	buf_free(&m->capf.der);
	buf_free(&m->recovery.der);
	buf_free(&m->token[0].der);
	buf_free(&m->token[1].der);
	for (size_t i = 0; i < m->n; i++) {
		tlv_list_free(&m->lists[i]);
		buf_free(&m->bytes[i]);
	}
}

#endif
