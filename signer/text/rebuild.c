/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/text/rebuild.h"

#include <stdlib.h>
#include <string.h>

#include "signer/crypto/digest.h"
#include "signer/text/when.h"
#include "tlv/safe.h"
#include "tlv/text.h"

enum {
	NODES_MAX = 256,	 /* different names in one list */
	CANDIDATES_MAX = 16,	 /* addresses that a node may have */
	COMBINATIONS_MAX = 4096, /* of all nodes' addresses */
};

enum { HASH_COST = 4096 /* what a hash costs besides its bytes, in bytes */ };

/* Bytes that are hashed at most: ten seconds and more, then something is asked for. */
static const uint64_t HASH_MAX = UINT64_C(20) << 30;

/* Records of one DNSNAME have one address. */
struct node {
	struct span name;
	uint8_t candidates[CANDIDATES_MAX][4];
	size_t n, chosen;
};

struct rebuild {
	const struct printed *p;
	const struct rebuild_hints *hints;
	struct buf bytes;   /* the list so far */
	struct buf missing; /* sentences, a line each */
	struct node nodes[NODES_MAX];
	size_t nnodes;
	size_t timestamp_at, digest_at; /* SIZE_MAX: known or not there */
	uint64_t hashed;
	uint8_t (*sha1s)[20]; /* owned: of each certificate */
};

static void lacks(struct rebuild *x, const char *what, size_t record)
{
	buf_printf(&x->missing, "record %zu: %s\n", record + 1, what);
}

/* Certificates ---------------------------------------------------------------------------- */

/* The printed SHA-1 of a record's certificate; NULL if it has none. */
static const uint8_t *printed_sha1(const struct rebuild *x, const struct printed_gap *g)
{
	const struct printed_gap *first = x->p->gaps, *end = first + x->p->ngaps;

	/* The gaps of a record stand side by side. */
	while (g > first && g[-1].scope == TLV_SCOPE_RECORD && g[-1].record == g->record)
		g--;
	for (size_t record = g->record; g < end && g->record == record; g++)
		if (g->has_sha1)
			return g->sha1;
	return NULL;
}

static const struct cert *find_cert(const struct rebuild *x, const uint8_t sha1[20])
{
	const struct certset *set = x->hints->certs;

	for (size_t i = 0; i < set->n; i++)
		if (memcmp(x->sha1s[i], sha1, sizeof x->sha1s[i]) == 0)
			return &set->v[i].cert;
	return NULL;
}

/* A record without a printed SHA-1, one that has a hash only: by serial number. */
static const struct cert *find_by_serial(const struct rebuild *x, const struct tlv_record *r)
{
	const struct certset *set = x->hints->certs;

	for (size_t i = 0; i < set->n; i++)
		if (r->serial.n > 0 && span_eq(set->v[i].cert.parts.serial, r->serial))
			return &set->v[i].cert;
	return NULL;
}

static const struct cert *cert_of(const struct rebuild *x, const struct tlv_record *r,
				  const uint8_t *sha1)
{
	return sha1 != NULL ? find_cert(x, sha1) : find_by_serial(x, r);
}

static void fill(struct rebuild *x, const struct printed_gap *g, struct span value,
		 const char *what)
{
	if (value.n == g->n)
		buf_fill(&x->bytes, g->at, value);
	else
		lacks(x, what, g->record);
}

static void lacks_certificate(struct rebuild *x, const struct tlv_record *r, size_t record,
			      const uint8_t *sha1)
{
	buf_printf(&x->missing, "record %zu: its certificate: ", record + 1);
	safe_text(&x->missing, tlv_text(r->subject));
	if (sha1 != NULL) {
		buf_str(&x->missing, ", SHA-1 ");
		buf_hex(&x->missing, span_of(sha1, 20), HEX_UPPER, "");
	}
	buf_u8(&x->missing, '\n');
}

/* Addresses ------------------------------------------------------------------------------- */

static struct node *node_of(struct rebuild *x, struct span name)
{
	for (size_t i = 0; i < x->nnodes; i++)
		if (span_eq(x->nodes[i].name, name))
			return &x->nodes[i];
	if (x->nnodes == NODES_MAX)
		return NULL;
	x->nodes[x->nnodes] = (struct node){ .name = name };
	return &x->nodes[x->nnodes++];
}

static void add_candidate(struct node *n, const uint8_t ip[4])
{
	for (size_t i = 0; i < n->n; i++)
		if (memcmp(n->candidates[i], ip, 4) == 0)
			return;
	if (n->n < CANDIDATES_MAX)
		(void)span_copy(span_of(ip, 4), n->candidates[n->n++], 4);
}

static void add_candidates(const struct rebuild *x, struct node *n)
{
	static const uint8_t zero[4] = { 0 };
	const struct rebuild_hints *h = x->hints;
	uint8_t ip[4];

	if (addresses_parse(n->name, ip)) {
		add_candidate(n, ip); /* the CTL Client's way of naming a server */
		return;
	}
	for (size_t i = 0; i < h->naddresses; i++)
		if (h->addresses[i].name.n > 0 && addresses_name_is(h->addresses[i].name, n->name))
			add_candidate(n, h->addresses[i].ip);
	if (n->n > 0)
		return;
	if (n->name.n == 0)
		add_candidate(n, zero); /* a token's */
	for (size_t i = 0; i < h->naddresses; i++)
		if (h->addresses[i].name.n == 0)
			add_candidate(n, h->addresses[i].ip);
}

static void note_address(struct rebuild *x, const struct printed_gap *g, const struct tlv_record *r)
{
	size_t before = x->nnodes;
	struct node *n = g->n == 4 ? node_of(x, tlv_text(r->dns_name)) : NULL;

	if (n == NULL) {
		lacks(x, "its address, which is not of four bytes", g->record);
		return;
	}
	if (x->nnodes == before)
		return; /* another record of this node has asked already */
	add_candidates(x, n);
	if (n->n == 0) {
		buf_printf(&x->missing, "record %zu: the address of '", g->record + 1);
		safe_text(&x->missing, n->name);
		buf_str(&x->missing, "': give --address NAME=IP\n");
	}
}

static void put_addresses(struct rebuild *x)
{
	for (size_t i = 0; i < x->p->ngaps; i++) {
		const struct printed_gap *g = &x->p->gaps[i];
		struct tlv_record r;
		const struct node *n;

		if (g->scope != TLV_SCOPE_RECORD || g->tag != TLV_R_IP_ADDRESS)
			continue;
		r = tlv_list_record(&x->p->list, g->record);
		n = node_of(x, tlv_text(r.dns_name));
		if (n != NULL && n->n > 0)
			buf_fill(&x->bytes, g->at, span_of(n->candidates[n->chosen], 4));
	}
}

/* The next combination of addresses, as a counter counts; false behind the last. */
static bool next_addresses(struct rebuild *x)
{
	for (size_t i = 0; i < x->nnodes; i++) {
		if (++x->nodes[i].chosen < x->nodes[i].n)
			return true;
		x->nodes[i].chosen = 0;
	}
	return false;
}

static size_t combinations(const struct rebuild *x)
{
	size_t n = 1;

	for (size_t i = 0; i < x->nnodes && n <= COMBINATIONS_MAX; i++)
		n *= x->nodes[i].n == 0 ? 1 : x->nodes[i].n;
	return n;
}

/* What certificates and the text itself tell ---------------------------------------------- */

static void fill_record(struct rebuild *x, const struct printed_gap *g)
{
	struct tlv_record r = tlv_list_record(&x->p->list, g->record);
	const uint8_t *sha1 = printed_sha1(x, g);
	const struct cert *c = cert_of(x, &r, sha1);

	if (g->tag == TLV_R_IP_ADDRESS) {
		note_address(x, g, &r);
		return;
	}
	if (g->tag == TLV_R_PUBLIC_KEY || g->tag == TLV_R_CERT_SIGNATURE ||
	    g->tag == TLV_R_CERTIFICATE) {
		if (c == NULL && (g->tag == TLV_R_CERTIFICATE || sha1 == NULL))
			lacks_certificate(x, &r, g->record, sha1);
		if (c == NULL)
			return;
		if (g->tag == TLV_R_PUBLIC_KEY)
			fill(x, g, c->parts.public_key, "its key has not the printed length");
		else if (g->tag == TLV_R_CERT_SIGNATURE)
			fill(x, g, c->parts.signature, "its signature has not the printed length");
		else
			fill(x, g, c->parts.der, "its certificate has not the printed length");
		return;
	}
	if (g->n > 0)
		lacks(x, "a field whose value is not printed", g->record);
}

static void fill_byte(struct rebuild *x, size_t at, int value)
{
	uint8_t byte = (uint8_t)value;

	buf_fill(&x->bytes, at, span_of(&byte, 1));
}

static void fill_filename(struct rebuild *x, const struct printed_gap *g)
{
	struct span name = x->p->itl ? SPAN_LIT("ITLFile.tlv\0") : SPAN_LIT("CTLFile.tlv\0");

	if (g->n == name.n)
		buf_fill(&x->bytes, g->at, name);
	else
		buf_str(&x->missing, "header: its FILENAME is not that of a CTL or an ITL\n");
}

static void fill_header(struct rebuild *x, const struct printed_gap *g)
{
	int modulus = tlv_modulus_code((unsigned)x->p->list.header.signature.n * 8);

	if (g->tag == TLV_H_SIGNATURE_MODULUS && g->n == 1 && modulus >= 0)
		fill_byte(x, g->at, modulus);
	else if (g->tag == TLV_H_DIGEST_ALGORITHM && g->n == 1)
		x->digest_at = g->at;
	else if (g->tag == TLV_H_FILENAME)
		fill_filename(x, g);
	else if (g->tag == TLV_H_TIMESTAMP && g->n == 4)
		x->timestamp_at = g->at;
	else if (g->n > 0 && g->tag != TLV_H_SIGNATURE_ALGORITHM) /* whose only value is 0 */
		buf_printf(&x->missing, "header: field %u, whose value is not printed\n",
			   (unsigned)g->tag);
}

static void fill_gaps(struct rebuild *x)
{
	for (size_t i = 0; i < x->p->ngaps; i++)
		if (x->p->gaps[i].scope == TLV_SCOPE_HEADER)
			fill_header(x, &x->p->gaps[i]);
		else
			fill_record(x, &x->p->gaps[i]);
}

/* The search ------------------------------------------------------------------------------ */

static bool digest_is(struct span bytes, bool sha1, struct span printed)
{
	struct digest d;
	enum status st =
		sha1 ? digest_parts(TLV_SHA1, &bytes, 1, &d, NULL) : digest_md5(bytes, &d, NULL);

	return st == ST_OK && span_eq(digest_span(&d), printed);
}

/* SHA-1 first: processors have instructions for it. */
static bool is_it(struct rebuild *x)
{
	struct span bytes = buf_span(&x->bytes);

	x->hashed += bytes.n + HASH_COST;
	return digest_is(bytes, true, span_of(x->p->sha1, sizeof x->p->sha1)) &&
	       digest_is(bytes, false, span_of(x->p->md5, sizeof x->p->md5));
}

static bool try_time(struct rebuild *x, int64_t seconds)
{
	if (seconds < 0 || seconds > UINT32_MAX)
		return false;
	buf_fill_u16(&x->bytes, x->timestamp_at, (uint16_t)((uint64_t)seconds >> 16));
	buf_fill_u16(&x->bytes, x->timestamp_at + 2, (uint16_t)((uint64_t)seconds & 0xffff));
	return is_it(x);
}

/* The times from the first-th on, as many as n says. */
static bool try_times(struct rebuild *x, size_t first, size_t n)
{
	int64_t printed, seconds;

	if (x->timestamp_at == SIZE_MAX)
		return first == 0 && is_it(x);
	if (x->hints->has_timestamp)
		return first == 0 && try_time(x, x->hints->timestamp);
	if (!when_parse(x->p->modified, &printed))
		return false;
	for (size_t i = first; i - first < n && x->hashed < HASH_MAX; i++) {
		if (!when_try(printed, i, &seconds))
			return false;
		if (try_time(x, seconds))
			return true;
	}
	return false;
}

/* Every digest, with every combination of addresses, at these times. */
static bool try_all(struct rebuild *x, size_t first, size_t n)
{
	static const uint8_t digests[] = { TLV_SHA1, TLV_SHA512, TLV_SHA256 };

	for (size_t d = 0; d < sizeof digests; d++) {
		if (x->digest_at != SIZE_MAX)
			fill_byte(x, x->digest_at, digests[d]);
		do {
			put_addresses(x);
			x->hashed += (uint64_t)x->p->ngaps * 256; /* about as long as that */
			if (x->hashed >= HASH_MAX)
				return false;
			if (try_times(x, first, n))
				return true;
		} while (next_addresses(x));
		if (x->digest_at == SIZE_MAX)
			return false;
	}
	return false;
}

static enum status not_found(const struct rebuild *x, struct tlv_err *e)
{
	if (x->timestamp_at != SIZE_MAX && !x->hints->has_timestamp && x->p->modified[0] == '\0')
		return err_set(
			e, ST_NO,
			"not rebuilt: the time of signing is not known: the line 'last modified on' is missing in the log, and --timestamp was not given");
	if (x->hashed >= HASH_MAX)
		return err_set(
			e, ST_NO,
			"not rebuilt: too many combinations of addresses and times: give --address NAME=IP for every node, and --timestamp if the time of signing is known");
	return err_set(
		e, ST_NO,
		"not rebuilt: no time of signing around '%s' gives both printed checksums: check the addresses (--address NAME=IP), or give --timestamp",
		x->p->modified);
}

static enum status check_printed(const struct printed *p, struct tlv_err *e)
{
	if (p->fault.status != ST_OK) {
		*e = p->fault;
		return e->status;
	}
	if (!p->has_md5 || !p->has_sha1)
		return err_set(
			e, ST_INPUT,
			"line %zu: the list was printed without its checksums (MD5 and SHA1), which prove the result",
			p->line);
	return ST_OK;
}

/* A line of the error for each. */
static enum status say_missing(struct span lines, struct tlv_err *e)
{
	(void)err_set(e, ST_NO, "not rebuilt, this is missing:");
	while (lines.n > 0) {
		size_t n = 0;

		while (n < lines.n && span_at(lines, n) != '\n')
			n++;
		err_line(e, "%.*s", (int)n, (const char *)lines.p);
		lines = span_slice(lines, n + 1, lines.n);
	}
	return ST_NO;
}

static enum status search(struct rebuild *x, struct tlv_err *e)
{
	size_t likely = 8192; /* more than the likely times, less than all */

	if (buf_failed(&x->missing, e) != ST_OK)
		return e->status;
	if (x->missing.n > 0)
		return say_missing(buf_span(&x->missing), e);
	if (combinations(x) > COMBINATIONS_MAX)
		return err_set(
			e, ST_NO,
			"not rebuilt: more than %d combinations of addresses: give --address NAME=IP for every node",
			COMBINATIONS_MAX);
	if (try_all(x, 0, likely) || try_all(x, likely, SIZE_MAX))
		return ST_OK;
	return not_found(x, e);
}

enum status rebuild_list(const struct printed *p, const struct rebuild_hints *hints,
			 struct buf *out, struct tlv_err *e)
{
	struct rebuild *x = calloc(1, sizeof *x);
	enum status st;

	if (x == NULL)
		return err_nomem(e);
	st = check_printed(p, e);
	if (st == ST_OK) {
		x->p = p;
		x->hints = hints;
		x->timestamp_at = x->digest_at = SIZE_MAX;
		buf_put(&x->bytes, buf_span(&p->bytes));
		st = certset_sha1s(hints->certs, &x->sha1s, e);
		if (st == ST_OK)
			fill_gaps(x);
		if (st == ST_OK)
			st = buf_failed(&x->bytes, e) == ST_OK ? search(x, e) : e->status;
		if (st == ST_OK)
			buf_put(out, buf_span(&x->bytes));
		st = st == ST_OK ? buf_failed(out, e) : st;
		buf_free(&x->bytes);
		buf_free(&x->missing);
	}
	free(x->sha1s);
	free(x);
	return st;
}
