/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/certfile.h"
#include "signer/crypto/certset.h"

#include <stdlib.h>
#include <string.h>

#include "signer/io/slurp.h"
#include "signer/io/folder.h"

enum status certset_add(struct certset *s, struct span der, const char *file, struct tlv_err *e)
{
	struct certset_item item = { .file = NULL };

	for (size_t i = 0; i < s->n; i++)
		if (span_eq(buf_span(&s->v[i].cert.der), der))
			return ST_OK;
	if (!ARRAY_ROOM(s->v, s->n, s->cap))
		return err_nomem(e);
	if (cert_from_der(&item.cert, der, e) != ST_OK) {
		cert_free(&item.cert);
		return e != NULL ? e->status : ST_INPUT;
	}
	if (file != NULL && (item.file = strdup(file)) == NULL) {
		cert_free(&item.cert);
		return err_nomem(e);
	}
	s->v[s->n++] = item;
	return ST_OK;
}

static bool ends_in(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);

	return n >= m && strcasecmp(name + n - m, ending) == 0;
}

static bool may_be_certificate(const char *name)
{
	static const char *const others[] = { ".proof", "SHA256SUMS", ".yaml", ".yml", ".tlv",
					      ".sgn",	".txt",	      ".html", ".key" };

	for (size_t i = 0; i < COUNT(others); i++)
		if (ends_in(name, others[i]))
			return false;
	return true;
}

struct folder_of_certificates {
	struct certset *s;
	const struct tlv_warn *warn;
};

static enum status add_found(void *arg, const char *path, bool named, struct tlv_err *e)
{
	struct folder_of_certificates *f = arg;
	const char *name = base_name(path);
	struct tlv_err own = TLV_ERR_INIT;
	struct cert c = CERT_INIT;
	enum status st;

	(void)named;
	if (!may_be_certificate(name))
		return ST_OK;
	st = cert_load_found(&c, path, f->warn, &own);
	if (st == ST_OK)
		st = certset_add(f->s, buf_span(&c.der), name, &own);
	cert_free(&c);
	if (st == ST_NOMEM)
		return err_nomem(e);
	if (st != ST_OK)
		warn_put(f->warn, "%s", err_text(&own));
	return ST_OK;
}

enum status certset_add_folder(struct certset *s, const char *path, const struct tlv_warn *warn,
			       struct tlv_err *e)
{
	struct folder_of_certificates f = { .s = s, .warn = warn };

	return folder_files(path, add_found, &f, e);
}

enum status certset_sha1s(const struct certset *s, uint8_t (**out)[20], struct tlv_err *e)
{
	enum status st = ST_OK;

	*out = calloc(s->n + 1, sizeof **out);
	if (*out == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->n && st == ST_OK; i++)
		st = cert_sha1(s->v[i].cert.parts.der, (*out)[i], e);
	return st;
}

void certset_free(struct certset *s)
{
	for (size_t i = 0; i < s->n; i++) {
		cert_free(&s->v[i].cert);
		free(s->v[i].file);
	}
	free(s->v);
	*s = CERTSET_INIT;
}
