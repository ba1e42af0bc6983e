/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child/choose.h"

#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tlv/cert.h"

enum status tok_public_read(struct tok_public *p, struct span der, struct tlv_err *e)
{
	struct tlv_cert c;
	struct tlv_rsa rsa;

	*p = (struct tok_public){ .modulus = SPAN_NONE };
	if (der.n > TOK_VALUE_MAX || tlv_cert_walk(der, &c, NULL) != ST_OK)
		return err_set(e, ST_INPUT, "not a certificate");
	if (c.key_type != TLV_KEY_RSA || !tlv_rsa_walk(c.public_key, &rsa))
		return ST_OK;
	p->own[0] = (uint8_t *)span_dup(rsa.modulus);
	p->own[1] = (uint8_t *)span_dup(rsa.exponent);
	if (p->own[0] == NULL || p->own[1] == NULL) {
		tok_public_free(p);
		return err_nomem(e);
	}
	p->modulus = span_of(p->own[0], rsa.modulus.n);
	p->exponent = span_of(p->own[1], rsa.exponent.n);
	return ST_OK;
}

void tok_public_free(struct tok_public *p)
{
	free(p->own[0]);
	free(p->own[1]);
	*p = (struct tok_public){ .modulus = SPAN_NONE };
}

/* "\n  and 4294967295 more" */
enum { ROOM_FOR_MORE = 32 };

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

enum status tok_candidates(struct tlv_err *e, enum status st, const char *first, char **uris,
			   size_t n)
{
	size_t left = n;

	st = err_set(e, st, "%s", first);
	qsort(uris, n, sizeof *uris, by_text);
	for (size_t i = 0; e != NULL && i < n; i++, left--) {
		if (i != 0 && strcmp(uris[i], uris[i - 1]) == 0)
			continue;
		if (strlen(err_text(e)) + strlen(uris[i]) + ROOM_FOR_MORE > ERR_TEXT_MAX)
			break;
		err_line(e, "%s", uris[i]);
	}
	if (left != 0)
		err_line(e, "and %zu more", left);
	return st;
}

/* One certificate object while candidates fall away. */
struct candidate {
	const struct tok_object *object;
	struct tok_public public;
	bool in;
};

struct choice {
	const struct tok_place *at;
	struct candidate *list;
	size_t n;
};

typedef bool candidate_fn(const struct candidate *c, const void *arg);

static size_t count(const struct choice *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->list[i].in ? 1 : 0;
	return n;
}

/* Keeps those that the test wants, unless it wants none of them. True if it wanted some. */
static bool narrow(struct choice *c, candidate_fn *wanted, const void *arg)
{
	bool some = false;

	for (size_t i = 0; i < c->n; i++)
		some = some || (c->list[i].in && wanted(&c->list[i], arg));
	for (size_t i = 0; some && i < c->n; i++)
		c->list[i].in = c->list[i].in && wanted(&c->list[i], arg);
	return some;
}

static bool is_named(const struct candidate *c, const void *arg)
{
	return tok_uri_matches_object(arg, c->object->id, c->object->label);
}

static bool is_rsa(const struct candidate *c, const void *arg)
{
	(void)arg;
	return c->public.modulus.n != 0;
}

/* OpenSSL judges, which takes it longer than all else that is done here. */
static bool is_no_ca(const struct candidate *c, const void *arg)
{
	const unsigned char *at = c->object->value.p;
	X509 *x = d2i_X509(NULL, &at, (long)c->object->value.n);
	bool ca = x != NULL && (X509_get_extension_flags(x) & EXFLAG_CA) != 0;

	(void)arg;
	X509_free(x);
	return !ca;
}

/* The keys that show without a PIN. */
struct keys {
	struct tok_objects public, private;
	const struct tok_uri *named; /* those of this name only; NULL: all */
};

static enum status keys_find(struct keys *k, const struct tok_place *at, struct tlv_err *e)
{
	const struct tok_module *m = at->token->m;
	enum status st;

	*k = (struct keys){ .named = NULL };
	st = tok_objects_find(&k->public, m, at->session, CKO_PUBLIC_KEY, e);
	if (st == ST_OK)
		st = tok_objects_find(&k->private, m, at->session, CKO_PRIVATE_KEY, e);
	return st;
}

static void keys_free(struct keys *k)
{
	tok_objects_free(&k->public);
	tok_objects_free(&k->private);
}

static bool holds(const struct tok_objects *keys, const struct tok_uri *named, struct span modulus)
{
	for (size_t i = 0; i < keys->n; i++)
		if (tok_modulus_eq(keys->list[i].value, modulus) &&
		    tok_uri_matches_object(named, keys->list[i].id, keys->list[i].label))
			return true;
	return false;
}

static bool has_key(const struct candidate *c, const void *arg)
{
	const struct keys *k = arg;

	return holds(&k->public, k->named, c->public.modulus) ||
	       holds(&k->private, k->named, c->public.modulus);
}

static enum status narrow_by_key(struct choice *c, const struct tok_uri *named, bool *some,
				 struct tlv_err *e)
{
	struct keys keys;
	enum status st = keys_find(&keys, c->at, e);

	keys.named = named;
	if (st == ST_OK)
		*some = narrow(c, has_key, &keys);
	keys_free(&keys);
	return st;
}

/* Lists the URIs under the first line, and frees them. */
static enum status refuse_uris(char **uris, size_t n, enum status st, const char *first,
			       struct tlv_err *e)
{
	st = tok_candidates(e, st, first, uris, n);
	for (size_t i = 0; i < n; i++)
		free(uris[i]);
	free(uris);
	return st;
}

/* Every certificate that is still in, or all of them, as URIs under the first line. */
static enum status refuse(const struct choice *c, bool all, enum status st, const char *first,
			  struct tlv_err *e)
{
	char **uris = calloc(c->n + 1, sizeof *uris);
	size_t n = 0;

	if (uris == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < c->n; i++) {
		const struct tok_object *o = c->list[i].object;

		if (!all && !c->list[i].in)
			continue;
		uris[n] = tok_uri_of_cert(&c->at->token->info, o->id, o->label);
		n += uris[n] == NULL ? 0 : 1;
	}
	return refuse_uris(uris, n, st, first, e);
}

static bool names_object(const struct tok_uri *uri)
{
	return uri != NULL && (uri->text.has_id || uri->text.has_object);
}

/*
 * id and object are the certificate's, or else those of its key; with
 * type=private first a key's that shows, then, as a key and its certificate
 * mostly share them, the certificate's. The key's own name is seen after the
 * login.
 */
static enum status narrow_by_name(struct choice *c, struct tlv_err *e)
{
	const struct tok_uri *uri = c->at->uri;
	bool some = false;
	enum status st = ST_OK;

	if (!uri->text.type_private && narrow(c, is_named, uri))
		return ST_OK;
	if (!uri->text.type_cert)
		st = narrow_by_key(c, uri, &some, e);
	if (st != ST_OK || some)
		return st;
	if (uri->text.type_private) {
		(void)narrow(c, is_named, uri);
		return ST_OK;
	}
	return refuse(
		c, true, ST_NO_MATCH,
		"no certificate of the token has this id or object (for a private key's, add 'type=private'); it has",
		e);
}

static bool listed(const struct choice *c, struct span der)
{
	for (size_t i = 0; i < c->n; i++)
		if (span_eq(c->list[i].object->value, der))
			return true;
	return false;
}

/* What is no certificate, or is there twice, is no candidate. */
static void gather(struct choice *c, const struct tok_objects *certs)
{
	for (size_t i = 0; i < certs->n; i++) {
		struct candidate *next = &c->list[c->n];

		if (listed(c, certs->list[i].value))
			continue;
		if (tok_public_read(&next->public, certs->list[i].value, NULL) != ST_OK)
			continue;
		next->object = &certs->list[i];
		next->in = true;
		c->n++;
	}
}

static enum status choose(struct choice *c, const struct tok_object **chosen, struct tlv_err *e)
{
	enum status st = ST_OK;
	bool some;

	if (names_object(c->at->uri))
		st = narrow_by_name(c, e);
	(void)narrow(c, is_rsa, NULL);
	if (st == ST_OK && count(c) > 1)
		st = narrow_by_key(c, NULL, &some, e);
	if (st == ST_OK && count(c) > 1)
		(void)narrow(c, is_no_ca, NULL);
	if (st != ST_OK)
		return st;
	if (count(c) > 1)
		return refuse(
			c, false, ST_AMBIGUOUS,
			"more than one certificate matches; --cert decides, or 'id=' or 'object=' in the URI",
			e);
	for (size_t i = 0; i < c->n; i++)
		if (c->list[i].in)
			*chosen = c->list[i].object;
	return ST_OK;
}

enum status tok_choose_cert(const struct tok_place *at, const struct tok_objects *certs,
			    const struct tok_object **chosen, struct tlv_err *e)
{
	struct choice c = { .at = at };
	enum status st;

	*chosen = NULL;
	c.list = calloc(certs->n + 1, sizeof *c.list);
	if (c.list == NULL)
		return err_nomem(e);
	gather(&c, certs);
	if (c.n == 0)
		st = err_set(e, ST_NO_MATCH, "token '%s' has no certificate; give it with --cert",
			     at->token->uri);
	else
		st = choose(&c, chosen, e);
	for (size_t i = 0; i < c.n; i++)
		tok_public_free(&c.list[i].public);
	free(c.list);
	return st;
}

/* The private keys that are left, as URIs. */
static enum status refuse_keys(const struct tok_place *at, const struct tok_objects *keys,
			       enum status st, const char *first, struct tlv_err *e)
{
	char **uris = calloc(keys->n + 1, sizeof *uris);
	size_t n = 0;

	if (uris == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < keys->n; i++) {
		uris[n] = tok_uri_of_key(&at->token->info, keys->list[i].id, keys->list[i].label);
		n += uris[n] == NULL ? 0 : 1;
	}
	return refuse_uris(uris, n, st, first, e);
}

struct key_test {
	const struct tok_place *at;
	struct span modulus;
};

typedef bool key_fn(const struct tok_object *o, const struct key_test *t);

static bool key_fits(const struct tok_object *o, const struct key_test *t)
{
	return tok_modulus_eq(o->value, t->modulus);
}

static bool key_named(const struct tok_object *o, const struct key_test *t)
{
	return tok_uri_matches_object(t->at->uri, o->id, o->label);
}

static bool key_signs(const struct tok_object *o, const struct key_test *t)
{
	return tok_object_flag(t->at->token->m, t->at->session, o->handle, CKA_SIGN);
}

/* Moves those that pass to the front. Returns how many. */
static size_t pass(struct tok_objects *keys, size_t n, key_fn *test, const struct key_test *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct tok_object o = keys->list[i];

		if (!test(&o, t))
			continue;
		keys->list[i] = keys->list[kept];
		keys->list[kept++] = o;
	}
	return kept;
}

static enum status choose_key(const struct tok_place *at, struct tok_objects *keys,
			      const struct key_test *t, bool by_name, struct tlv_err *e)
{
	size_t n = pass(keys, keys->n, key_fits, t), fewer;
	struct tok_objects rest;

	if (n != 0 && by_name)
		n = pass(keys, n, key_named, t);
	if (n == 0)
		return refuse_keys(
			at, keys, ST_NO_MATCH,
			keys->n == 0 ? "the token has no private RSA key that shows" :
				       "no private key of the token is the certificate's; it has",
			e);
	if (n > 1 && (fewer = pass(keys, n, key_named, t)) != 0)
		n = fewer;
	if (n > 1 && (fewer = pass(keys, n, key_signs, t)) != 0)
		n = fewer;
	if (n == 1)
		return ST_OK;
	rest = (struct tok_objects){ .list = keys->list, .n = n };
	return refuse_keys(
		at, &rest, ST_AMBIGUOUS,
		"more than one private key is the certificate's; id= or object= in the URI decides between",
		e);
}

enum status tok_choose_key(const struct tok_place *at, struct span modulus, bool by_name,
			   CK_OBJECT_HANDLE *key, struct tlv_err *e)
{
	const struct key_test t = { .at = at, .modulus = modulus };
	struct tok_objects keys;
	enum status st = tok_objects_find(&keys, at->token->m, at->session, CKO_PRIVATE_KEY, e);

	if (st != ST_OK)
		return st;
	st = choose_key(at, &keys, &t, by_name && names_object(at->uri), e);
	if (st == ST_OK)
		*key = keys.list[0].handle;
	tok_objects_free(&keys);
	return st;
}

enum status tok_keys_seen(const struct tok_place *at, const struct tok_objects *certs, bool *seen,
			  struct tlv_err *e)
{
	struct keys keys;
	enum status st = keys_find(&keys, at, e);

	for (size_t i = 0; st == ST_OK && i < certs->n; i++) {
		struct candidate c = { .object = &certs->list[i] };

		if (tok_public_read(&c.public, certs->list[i].value, NULL) == ST_OK)
			seen[i] = has_key(&c, &keys);
		tok_public_free(&c.public);
	}
	keys_free(&keys);
	return st;
}
