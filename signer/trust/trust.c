/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/io/folder.h"
#include "signer/text/list_file.h"
#include "signer/trust/verify.h"
#include "signer/trust/witness.h"

bool trust_has(const struct trust *t, struct span der)
{
	for (size_t i = 0; i < t->n; i++)
		if (span_eq(span_of(t->v[i].der, t->v[i].n), der))
			return true;
	return false;
}

static void trust_entry_free(struct trust_entry *entry)
{
	free(entry->der);
	free(entry->ca);
}

/* ca: the argument's name if the certificate is a CA's, else NULL. */
static enum status add_der(struct trust *t, struct span der, const char *ca, struct tlv_err *e)
{
	struct trust_entry entry = { .n = der.n };

	if (trust_has(t, der))
		return ST_OK;
	if (!ARRAY_ROOM(t->v, t->n, t->cap))
		return err_nomem(e);
	entry.der = (uint8_t *)span_dup(der);
	entry.ca = ca != NULL ? strdup(ca) : NULL;
	if (entry.der == NULL || (ca != NULL && entry.ca == NULL)) {
		trust_entry_free(&entry);
		return err_nomem(e);
	}
	t->v[t->n++] = entry;
	return ST_OK;
}

struct adding {
	struct trust *t;
	const char *arg;
};

static enum status add_witness(void *arg, struct span der, bool is_ca, struct tlv_err *e)
{
	const struct adding *a = arg;

	return add_der(a->t, der, is_ca ? a->arg : NULL, e);
}

static enum status add_file(struct trust *t, const char *path, unsigned flags,
			    const struct tlv_warn *warn, struct tlv_err *e)
{
	struct adding adding = { .t = t, .arg = path };
	struct list_file f;
	enum status st = list_file_read(&f, path, flags | LIST_DAMAGED, e);

	if (st != ST_OK)
		return st;
	st = witness_each(&f, path, warn, add_witness, &adding, e);
	list_file_free(&f);
	return st;
}

struct folder_of_trust {
	struct trust *t;
	const struct tlv_warn *warn;
};

/* What cannot be read vouches for nobody, and does not silence the others. */
static enum status add_found(void *arg, const char *path, bool named, struct tlv_err *e)
{
	struct folder_of_trust *f = arg;
	struct tlv_err own = TLV_ERR_INIT;
	size_t before = f->t->n;
	enum status st = add_file(f->t, path, LIST_FOUND, f->warn, &own);

	(void)named;
	if (st == ST_NOMEM)
		return err_nomem(e);
	if (st != ST_OK)
		warn_put(f->warn, "%s", err_text(&own));
	for (size_t i = before; i < f->t->n; i++)
		f->t->v[i].found = true;
	return ST_OK;
}

void trust_warn_of_network(const struct tlv_warn *warn, const char *url)
{
	warn_put(
		warn,
		"%s: came over the network, which proves no sender: who can change the list on its way can change this as well; compare its checksum",
		url);
}

enum status trust_add(struct trust *t, const char *arg, const struct tlv_warn *warn,
		      struct tlv_err *e)
{
	struct folder_of_trust folder = { .t = t, .warn = warn };

	if (strcmp(arg, "self") == 0) {
		t->self = true;
		return ST_OK;
	}
	if (folder_is(arg))
		return folder_files(arg, add_found, &folder, e);
	if (path_is_url(arg))
		trust_warn_of_network(warn, arg);
	return add_file(t, arg, 0, warn, e);
}

/*
 * CUCM's self-signed certificates may call themselves a CA. That is no risk here: nobody is trusted
 * by issuer.
 */
enum status trust_check(const struct trust *t, const struct tlv_list *l,
			const struct tlv_warn *warn, struct tlv_err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct trust_entry *entry = &t->v[i];

		if (entry->ca == NULL ||
		    tlv_list_has(l, TLV_ROLE_SAST, span_of(entry->der, entry->n)))
			continue;
		if (!entry->found)
			return err_set(
				e, ST_INPUT,
				"%s: is a CA certificate, and the tokens' CA also issued every phone's own: name the signer's certificate",
				entry->ca);
		warn_put(warn, "%s: a CA certificate vouches for nobody", entry->ca);
	}
	return ST_OK;
}

void trust_free(struct trust *t)
{
	for (size_t i = 0; i < t->n; i++)
		trust_entry_free(&t->v[i]);
	free(t->v);
	*t = TRUST_INIT;
}
