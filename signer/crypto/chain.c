/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/chain.h"

#include <stdbool.h>

#include <openssl/err.h>
#include <openssl/x509.h>

struct chain {
	bool issued[CHAIN_MAX][CHAIN_MAX]; /* [a][b]: a's key has signed b */
	size_t n;
};

static bool has_issued(X509 *issuer, X509 *subject)
{
	return issuer != NULL && subject != NULL &&
	       X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(subject)) == 0 &&
	       X509_verify(subject, X509_get0_pubkey(issuer)) == 1;
}

/* Each pair is verified once: with hostile keys that takes long. */
static void read_all(struct chain *c, const struct span *certs, size_t n)
{
	X509 *v[CHAIN_MAX] = { NULL };

	c->n = n;
	for (size_t i = 0; i < n; i++) {
		const unsigned char *p = certs[i].p;

		v[i] = d2i_X509(NULL, &p, (long)certs[i].n);
	}
	for (size_t a = 0; a < n; a++)
		for (size_t b = 0; b < n; b++)
			c->issued[a][b] = a != b && has_issued(v[a], v[b]);
	for (size_t i = 0; i < n; i++)
		X509_free(v[i]);
	ERR_clear_error();
}

/* Marks those that stand above a marked one; true if there was a new one. */
static bool climb(const struct chain *c, bool *above)
{
	bool more = false;

	for (size_t a = 0; a < c->n; a++)
		for (size_t b = 0; b < c->n && !above[a]; b++)
			more |= above[a] = above[b] && c->issued[a][b];
	return more;
}

/* It is no CA of another one here, and every other one is a CA of it. */
static bool is_leaf(const struct chain *c, size_t i)
{
	bool above[CHAIN_MAX] = { false };

	for (size_t b = 0; b < c->n; b++)
		if (c->issued[i][b])
			return false;
	above[i] = true;
	while (climb(c, above))
		;
	for (size_t a = 0; a < c->n; a++)
		if (!above[a])
			return false;
	return true;
}

long chain_leaf(const struct span *certs, size_t n)
{
	struct chain c = { .n = 0 };
	long leaf = -1;

	if (n > CHAIN_MAX)
		return -1;
	read_all(&c, certs, n);
	for (size_t i = 0; i < c.n && leaf < 0; i++)
		if (is_leaf(&c, i))
			leaf = (long)i;
	return leaf;
}
