/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/certfile.h"
#include "signer/config/config_trust.h"

#include <stdlib.h>

#include "signer/io/out.h"
#include "signer/trust/signature.h"
#include "signer/trust/verify.h"
#include "tlv/kind.h"

enum status config_trust_cert(struct config_trust *t, const char *arg,
			      const struct tok_options *tok, struct tlv_err *e)
{
	enum status st = cert_load(&t->cert, arg, tok, &msg_warnings, e);

	/* If the key cannot be used, the verdict on each file says so. */
	if (st == ST_OK && t->check == NULL)
		(void)digest_key_new(&t->check, t->cert.parts.public_key, NULL);
	return st;
}

static enum status add_room(struct config_trust *t, struct tlv_err *e)
{
	if (!ARRAY_ROOM(t->lists, t->nlists, t->lists_cap) ||
	    !ARRAY_ROOM(t->paths, t->nlists, t->paths_cap))
		return err_nomem(e);
	return ST_OK;
}

enum status config_trust_list(struct config_trust *t, const char *path, struct tlv_err *e)
{
	enum status st = add_room(t, e);
	struct list_file *f;
	long signer;

	if (st != ST_OK)
		return st;
	f = &t->lists[t->nlists];
	t->paths[t->nlists] = path;
	st = list_file_read(f, path, 0, e);
	t->nlists++;
	if (st == ST_OK && !signature_vouches(&f->list, &signer))
		st = err_set(e, ST_INPUT, "%s: %s: it vouches for nobody", path,
			     signature_why_not(&f->list, signer));
	if (st == ST_OK && path_is_url(path))
		trust_warn_of_network(&msg_warnings, path);
	return st;
}

bool config_trust_any(const struct config_trust *t)
{
	return t->cert.der.n > 0 || t->nlists > 0 || t->vouched.n > 0;
}

/* The key that verifies must be the certificate's, if there is one. */
static bool agrees(const struct tlv_record *r)
{
	struct tlv_cert c;

	if (r->certificate.n == 0)
		return r->public_key.n > 0;
	return tlv_cert_walk(r->certificate, &c, NULL) == ST_OK &&
	       span_eq(c.public_key, r->public_key);
}

/* What is found so far: a key, or another role. */
struct search {
	struct span key;
	const struct tlv_role_row *role;
	const char *path;
};

static enum status search_list(const struct tlv_list *l, const char *path,
			       const struct tlv_header *h, struct search *s, struct tlv_err *e)
{
	for (size_t i = 0; i < l->nrecords; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (!tlv_record_signs(&r, h))
			continue;
		s->role = tlv_role_find(r.role);
		s->path = path;
		if (!tlv_record_is_tftp(&r) || !agrees(&r))
			continue;
		if (s->key.n > 0 && !span_eq(s->key, r.public_key))
			return err_set(
				e, ST_NO,
				"two records have the signer's serial number and issuer, but other keys");
		s->key = r.public_key;
	}
	return ST_OK;
}

static enum status not_found(const struct search *s, struct tlv_err *e)
{
	if (s->role == NULL)
		return err_set(
			e, ST_NO,
			"neither --trust nor --sast-trust knows the signer: no certificate there has its serial number and issuer");
	return err_set(e, ST_NO,
		       "%s has the signer as %s: only TFTP and CCM+TFTP sign configuration files",
		       s->path, s->role->text);
}

/* A phone that holds the lists asks its TVS as it does about a list's signer. */
static bool ask_tvs(const struct config_trust *t, const struct tlv_header *h,
		    struct config_signer *out)
{
	const struct tlv_list file = { .header = *h };
	struct phone p = { .vouched = &t->vouched };

	if (t->vouched.n == 0)
		return false;
	for (size_t i = 0; i < t->nlists; i++)
		if (tlv_list_is_itl(&t->lists[i].list))
			p.itl = &t->lists[i].list;
	out->tvs = tvs_ask(&p, &file);
	out->asks_tvs = out->tvs.knows;
	out->public_key = out->tvs.key;
	return out->asks_tvs;
}

enum status config_trust_signer(const struct config_trust *t, const struct tlv_header *h,
				struct config_signer *out, struct tlv_err *e)
{
	struct search s = { .key = SPAN_NONE };
	enum status st = ST_OK;

	*out = (struct config_signer){ .asks_tvs = false };
	if (t->cert.der.n > 0) {
		out->public_key = t->cert.parts.public_key;
		return tlv_header_means(h, &t->cert.parts) ?
			       ST_OK :
			       err_set(e, ST_NO, "the header names another signer than --cert");
	}
	for (size_t i = 0; i < t->nlists && st == ST_OK; i++)
		st = search_list(&t->lists[i].list, t->paths[i], h, &s, e);
	out->public_key = s.key;
	if (st != ST_OK || s.key.n > 0 || ask_tvs(t, h, out))
		return st;
	return not_found(&s, e);
}

enum status config_trust_record(const struct config_trust *t, const struct cert *signer,
				struct tlv_record *out, struct tlv_err *e)
{
	for (size_t i = 0; i < t->nlists; i++)
		for (size_t j = 0; j < t->lists[i].list.nrecords; j++) {
			*out = tlv_list_record(&t->lists[i].list, j);
			if (tlv_record_is_tftp(out) && agrees(out) &&
			    span_eq(out->certificate, buf_span(&signer->der)))
				return ST_OK;
		}
	return err_set(
		e, ST_NO,
		"the signer's certificate is in no TFTP or CCM+TFTP record of the list: phones that hold it refuse what this key signs");
}

bool config_trust_verifies(const struct config_trust *t, struct span public_key,
			   enum tlv_digest alg, struct span digest, struct span signature)
{
	if (t->check != NULL && span_eq(public_key, t->cert.parts.public_key))
		return digest_key_verify(t->check, alg, digest, signature, NULL) == ST_OK;
	return digest_verify(public_key, alg, digest, signature, NULL) == ST_OK;
}

void config_trust_free(struct config_trust *t)
{
	digest_key_free(&t->check);
	for (size_t i = 0; i < t->nlists; i++)
		list_file_free(&t->lists[i]);
	free(t->lists);
	free(t->paths);
	cert_free(&t->cert);
	certset_free(&t->vouched);
	*t = (struct config_trust){ .nlists = 0 };
}
