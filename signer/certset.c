/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/certset.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum status certset_add(struct certset *s, struct span der, const char *file, struct tlv_err *e)
{
	struct certset_item item = { .file = NULL };

	for (size_t i = 0; i < s->n; i++)
		if (span_eq(buf_span(&s->v[i].cert.der), der))
			return ST_OK;
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 8 : s->cap * 2;
		struct certset_item *grown = reallocarray(s->v, cap, sizeof *grown);

		if (grown == NULL)
			return err_nomem(e);
		s->v = grown;
		s->cap = cap;
	}
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

static int may_be_certificate(const struct dirent *d)
{
	static const char *const others[] = { ".proof", "SHA256SUMS", ".yaml", ".yml", ".tlv",
					      ".sgn",	".txt",	      ".html", ".key" };

	if (d->d_name[0] == '.')
		return 0;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (ends_in(d->d_name, others[i]))
			return 0;
	return 1;
}

static enum status add_file(struct certset *s, const char *folder, const char *name,
			    const struct tlv_warn *warn, struct tlv_err *e)
{
	static const struct tok_options no_tokens = { .uri = NULL };
	struct tlv_err own = TLV_ERR_INIT;
	struct buf path = BUF_INIT;
	struct cert c = CERT_INIT;
	enum status st;

	buf_printf(&path, "%s/%s", folder, name);
	st = cert_load(&c, buf_cstr(&path), &no_tokens, warn, &own);
	if (st == ST_OK)
		st = certset_add(s, buf_span(&c.der), name, &own);
	if (st == ST_BUG)
		(void)err_nomem(e);
	else if (st != ST_OK)
		warn_put(warn, "%s", own.text);
	cert_free(&c);
	buf_free(&path);
	return st == ST_BUG ? ST_BUG : ST_OK;
}

enum status certset_add_folder(struct certset *s, const char *path, const struct tlv_warn *warn,
			       struct tlv_err *e)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, may_be_certificate, alphasort);
	enum status st = ST_OK;

	if (n < 0)
		return err_set(e, ST_INPUT, "%s: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (st == ST_OK)
			st = add_file(s, path, names[i]->d_name, warn, e);
		free(names[i]);
	}
	free(names);
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
