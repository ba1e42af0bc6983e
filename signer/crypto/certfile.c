/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/certfile.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "signer/crypto/chain.h"
#include "signer/io/out.h"
#include "signer/io/slurp.h"
#include "tlv/der.h"
#include "tlv/name.h"

/* What a walk over a file is told, and what it counts. */
struct walk {
	cert_fn *fn;
	void *arg;
	size_t certificates, blocks;
	char skipped[32]; /* the name of the first block that is no certificate; empty: none */
};

static enum status hand_over(struct walk *w, struct span der, struct tlv_err *e)
{
	w->certificates++;
	return w->fn(w->arg, der, e);
}

/* PKCS#7 ------------------------------------------------------------------------------------ */

static PKCS7 *parse_pkcs7(struct span der)
{
	const unsigned char *p = der.p;
	PKCS7 *p7 = der.n <= INT32_MAX ? d2i_PKCS7(NULL, &p, (long)der.n) : NULL;

	if (p7 == NULL || p != der.p + der.n || !PKCS7_type_is_signed(p7)) {
		PKCS7_free(p7);
		p7 = NULL;
	}
	ERR_clear_error();
	return p7;
}

static enum status hand_over_x509(struct walk *w, const X509 *x, struct tlv_err *e)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	enum status st = n > 0 ? hand_over(w, span_of(der, (size_t)n), e) : err_nomem(e);

	OPENSSL_free(der);
	return st;
}

/* False if the bytes are no PKCS#7. */
static bool each_in_pkcs7(struct walk *w, struct span der, enum status *st, struct tlv_err *e)
{
	PKCS7 *p7 = parse_pkcs7(der);
	const STACK_OF(X509) * list;

	if (p7 == NULL)
		return false;
	list = p7->d.sign->cert;
	*st = ST_OK;
	for (int i = 0; *st == ST_OK && i < sk_X509_num(list); i++)
		*st = hand_over_x509(w, sk_X509_value(list, i), e);
	PKCS7_free(p7);
	return true;
}

/* PKCS#7 names its kind first (RFC 2315, 7); the first part of a certificate is no name. */
static bool names_its_kind(struct span der)
{
	int length = span_at(der, 1);
	size_t inside = length > 0x80 ? 2 + (size_t)(length & 0x7f) : 2;

	return span_at(der, 0) == DER_SEQUENCE && span_at(der, inside) == DER_OID;
}

/* Windows writes PKCS#7 under the name of a certificate, too. */
static enum status each_in_der(struct walk *w, struct span der, struct tlv_err *e)
{
	enum status st;

	if (names_its_kind(der) && each_in_pkcs7(w, der, &st, e))
		return st;
	return hand_over(w, der, e);
}

/* PEM --------------------------------------------------------------------------------------- */

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"

/* Where the text stands in s; s.n if it does not. */
static size_t find(struct span s, struct span text)
{
	const uint8_t *at = s.n == 0 ? NULL : memmem(s.p, s.n, text.p, text.n);

	return at == NULL ? s.n : (size_t)(at - s.p);
}

struct block {
	struct span name, body;
};

/*
 * The next block, wherever in a line it begins: a terminal prints certificates
 * behind other columns. False behind the last one; ST_INPUT if it does not end.
 */
static bool next_block(struct span *text, struct block *b, size_t number, struct tlv_err *e)
{
	size_t at = find(*text, SPAN_LIT(BEGIN)), end, n;

	if (at == text->n)
		return false;
	*text = span_slice(*text, at + sizeof BEGIN - 1, text->n);
	n = find(*text, SPAN_LIT(DASHES));
	b->name = span_slice(*text, 0, n);
	*text = span_slice(*text, n + sizeof DASHES - 1, text->n);
	end = find(*text, SPAN_LIT(END));
	b->body = span_slice(*text, 0, end);
	*text = span_slice(*text, end + sizeof END - 1, text->n);
	if (n == 0 || n > 64 || !span_starts(*text, b->name) || span_has(b->body, '-'))
		(void)err_set(e, ST_INPUT, "PEM block %zu is damaged", number);
	return true;
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void put_words(struct buf *out, struct span line)
{
	while (line.n > 0) {
		size_t n = 0;

		while (n < line.n && !is_blank(span_at(line, n)))
			n++;
		buf_put(out, span_slice(line, 0, n));
		line = span_slice(line, n + 1, line.n);
	}
}

/* Base64 without its blanks and line breaks. Most texts have no blank: lines are copied whole. */
static void put_bare(struct buf *out, struct span text)
{
	bool blanks = span_has(text, ' ') || span_has(text, '\t') || span_has(text, '\r');

	while (text.n > 0) {
		size_t n = find(text, SPAN_LIT("\n"));
		struct span line = span_slice(text, 0, n);

		if (blanks)
			put_words(out, line);
		else
			buf_put(out, line);
		text = span_slice(text, n + 1, text.n);
	}
}

/* Groups of four characters, of which only the last may be filled up with one or two '='. */
static size_t whole_groups(struct span text)
{
	size_t fill = 0;

	while (fill < 2 && fill < text.n && span_at(text, text.n - 1 - fill) == '=')
		fill++;
	if (text.n == 0 || text.n % 4 != 0 || text.n > INT32_MAX ||
	    span_has(span_slice(text, 0, text.n - fill), '='))
		return 0;
	return text.n / 4 * 3 - fill;
}

/*
 * What a plain PEM block has: OpenSSL decodes it at once, three times as fast as line by line.
 * False: it is not that plain.
 */
static bool decode_plain(struct span body, struct buf *out)
{
	struct buf text = BUF_INIT;
	size_t at = out->n, n;
	bool ok;

	put_bare(&text, body);
	n = text.failed == ST_OK ? whole_groups(buf_span(&text)) : 0;
	if (n > 0)
		(void)buf_hole(out, text.n / 4 * 3);
	ok = n > 0 && out->failed == ST_OK &&
	     EVP_DecodeBlock(out->p + at, text.p, (int)text.n) >= (int)n;
	buf_truncate(out, ok ? at + n : at);
	buf_free(&text);
	return ok;
}

/* Base64 with blanks and line breaks in it. */
static bool decode(struct span body, struct buf *out)
{
	EVP_ENCODE_CTX *ctx;
	size_t at;
	int n = 0, last = 0;
	bool ok;

	if (decode_plain(body, out))
		return true;
	ctx = EVP_ENCODE_CTX_new();
	at = buf_hole(out, body.n + 64);
	ok = ctx != NULL && out->failed == ST_OK && body.n < INT32_MAX;
	if (ok) {
		EVP_DecodeInit(ctx);
		ok = EVP_DecodeUpdate(ctx, out->p + at, &n, body.p, (int)body.n) >= 0 &&
		     EVP_DecodeFinal(ctx, out->p + at + n, &last) >= 0;
	}
	EVP_ENCODE_CTX_free(ctx);
	buf_truncate(out, ok ? at + (size_t)n + (size_t)last : at);
	return ok;
}

static bool is_named(struct span name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (span_eq(name, span_str(*names)))
			return true;
	return false;
}

static enum status take_block(struct walk *w, const struct block *b, struct tlv_err *e)
{
	static const char *const names[] = { "CERTIFICATE", "X509 CERTIFICATE", "PKCS7",
					     "PKCS #7 SIGNED DATA", NULL };
	struct buf der = BUF_INIT;
	enum status st;

	if (!is_named(b->name, names)) {
		if (w->skipped[0] == '\0')
			(void)span_copy(b->name, (uint8_t *)w->skipped, sizeof w->skipped - 1);
		return ST_OK;
	}
	if (decode(b->body, &der) && der.n > 0)
		st = each_in_der(w, buf_span(&der), e);
	else if (der.failed != ST_OK)
		st = buf_failed(&der, e);
	else
		st = err_set(e, ST_INPUT, "PEM block %zu is damaged", w->blocks);
	buf_free(&der);
	return st;
}

static enum status each_in_pem(struct walk *w, struct span text, struct tlv_err *e)
{
	struct tlv_err own = TLV_ERR_INIT;
	enum status st = ST_OK;
	struct block b;

	while (st == ST_OK && next_block(&text, &b, w->blocks + 1, &own)) {
		w->blocks++;
		if (own.status != ST_OK)
			return err_copy(e, &own);
		st = take_block(w, &b, e);
	}
	return st;
}

static enum status walk_file(struct walk *w, struct span bytes, struct tlv_err *e)
{
	if (bytes.n == 0)
		return err_set(e, ST_INPUT, "empty");
	if (find(bytes, SPAN_LIT(BEGIN)) < bytes.n)
		return each_in_pem(w, bytes, e);
	return each_in_der(w, bytes, e);
}

enum status cert_each(struct span bytes, cert_fn *fn, void *arg, size_t *n, struct tlv_err *e)
{
	struct walk w = { .fn = fn, .arg = arg };
	enum status st = walk_file(&w, bytes, e);

	*n = w.certificates;
	return st;
}

/* One certificate ---------------------------------------------------------------------------- */

/* What a CERT argument finds in a file: each certificate once. */
struct found {
	struct buf v[CHAIN_MAX]; /* DER; owned */
	size_t n;		 /* of them, and of those beyond CHAIN_MAX */
};

static bool is_found(const struct found *f, struct span der)
{
	for (size_t i = 0; i < f->n && i < CHAIN_MAX; i++)
		if (span_eq(buf_span(&f->v[i]), der))
			return true;
	return false;
}

static enum status note_found(void *arg, struct span der, struct tlv_err *e)
{
	struct found *f = arg;
	struct cert c = CERT_INIT;
	/* A file that begins with something else is not one of certificates. */
	enum status st = f->n == 0 ? cert_from_der(&c, der, e) : ST_OK;

	cert_free(&c);
	if (st != ST_OK || is_found(f, der))
		return st;
	if (f->n < CHAIN_MAX)
		buf_put(&f->v[f->n], der);
	f->n++;
	return f->n <= CHAIN_MAX ? buf_failed(&f->v[f->n - 1], e) : ST_OK;
}

static void free_found(struct found *f)
{
	for (size_t i = 0; i < CHAIN_MAX; i++)
		buf_free(&f->v[i]);
}

static void name_found(const struct found *f, size_t i, struct tlv_err *e)
{
	struct buf name = BUF_INIT;
	struct cert c = CERT_INIT;

	if (cert_from_der(&c, buf_span(&f->v[i]), NULL) != ST_OK)
		buf_str(&name, "cannot be read");
	else if (!tlv_name_cn(c.parts.subject, &name) || name.n == 0)
		buf_str(&name, "a certificate without CN");
	err_line(e, "%zu: %s", i + 1, buf_cstr(&name));
	cert_free(&c);
	buf_free(&name);
}

/* One, or a certificate with its CAs: that is what it is exported with. Else nobody can say. */
static enum status choose(const struct found *f, struct cert *c, struct tlv_err *e)
{
	struct span all[CHAIN_MAX] = { { .p = NULL } };
	long leaf = 0;

	for (size_t i = 0; i < f->n && i < CHAIN_MAX; i++)
		all[i] = buf_span(&f->v[i]);
	if (f->n > 1)
		leaf = f->n <= CHAIN_MAX ? chain_leaf(all, f->n) : -1;
	if (leaf >= 0)
		return cert_from_der(c, all[leaf], e);
	(void)err_set(
		e, ST_AMBIGUOUS,
		"%zu different certificates in this file, which are not one and its CAs: give the one that is meant a file of its own",
		f->n);
	for (size_t i = 0; i < f->n && i < CHAIN_MAX; i++)
		name_found(f, i, e);
	return ST_AMBIGUOUS;
}

static void say_skipped(const struct walk *w, const struct tlv_warn *warn)
{
	if (w->skipped[0] != '\0')
		warn_put(warn, "a block '%s' is skipped: only the certificate is read", w->skipped);
}

enum status cert_parse(struct cert *c, struct span bytes, const struct tlv_warn *warn,
		       struct tlv_err *e)
{
	struct found found = { .n = 0 };
	struct walk w = { .fn = note_found, .arg = &found };
	struct tlv_err own = TLV_ERR_INIT;
	enum status st = walk_file(&w, bytes, &own);

	*c = CERT_INIT;
	/* What is damaged behind the first one stops nobody, but it may have been the one meant. */
	if (st != ST_OK && (found.n == 0 || st == ST_NOMEM))
		st = err_copy(e, &own);
	else if (found.n == 0)
		st = err_set(e, ST_INPUT, "no certificate in this PEM file");
	else
		st = choose(&found, c, e);
	free_found(&found);
	if (st == ST_OK)
		say_skipped(&w, warn);
	else
		cert_free(c);
	if (st == ST_OK && own.status != ST_OK)
		warn_put(warn, "not all of it can be read, and what is before that is taken: %s",
			 err_text(&own));
	return st;
}

struct named_warn {
	const struct tlv_warn *warn;
	const char *name;
};

static void warn_named(void *arg, const char *text)
{
	const struct named_warn *n = arg;

	warn_put(n->warn, "%s: %s", n->name, text);
}

static enum status load_token_cert(struct cert *c, const char *uri, const struct tok_options *opt,
				   struct tlv_err *e)
{
	struct tok_options o = *opt;
	struct tok *t = NULL;
	enum status st;

	o.uri = uri;
	o.cert = SPAN_NONE;
	st = tok_open(&t, &o, e);
	if (st == ST_OK) {
		cert_step_token(tok_info(t));
		st = cert_from_der(c, tok_certificate(t), e);
	}
	tok_free(&t);
	return st;
}

static enum status load_file(struct cert *c, const char *path, enum slurp_mode mode,
			     const struct tlv_warn *warn, struct tlv_err *e)
{
	struct named_warn named = { warn, path };
	struct tlv_warn w = { warn_named, &named };
	struct blob file;
	enum status st = slurp(path, SLURP_CERT_MAX, mode, &file, e);

	*c = CERT_INIT;
	if (st != ST_OK)
		return st;
	st = cert_parse(c, blob_span(&file), &w, e);
	blob_free(&file);
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}

enum status cert_load(struct cert *c, const char *arg, const struct tok_options *tok,
		      const struct tlv_warn *warn, struct tlv_err *e)
{
	*c = CERT_INIT;
	return tok_is_uri(arg) ? load_token_cert(c, arg, tok, e) :
				 load_file(c, arg, SLURP_ANY, warn, e);
}

enum status cert_load_found(struct cert *c, const char *path, const struct tlv_warn *warn,
			    struct tlv_err *e)
{
	return load_file(c, path, SLURP_REGULAR, warn, e);
}

void cert_step_token(const struct tok_info *t)
{
	msg_step("token %s, by module %s", t->uri, t->module);
}
