/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/certfile.h"
#include "signer/list/edit.h"

#include <stdlib.h>
#include <string.h>

#include "signer/list/selector.h"
#include "tlv/kind.h"

enum status edit_begin(struct edit *x, const struct tlv_list *old, struct tlv_err *e)
{
	*x = (struct edit){ .old = old, .keep_old_sast = -1 };
	return entries_keep(&x->entries, old, e);
}

void edit_free(struct edit *x)
{
	entries_free(&x->entries);
}

/* Where the record of the input list stands now; NULL if it was removed. */
static struct entry *entry_of(struct edit *x, size_t source)
{
	for (size_t i = 0; i < x->entries.n; i++)
		if (x->entries.v[i].source == (long)source)
			return &x->entries.v[i];
	return NULL;
}

static size_t position_of(const struct edit *x, const struct entry *entry)
{
	return (size_t)(entry - x->entries.v);
}

enum status edit_add(struct edit *x, const char *arg, struct tlv_err *e)
{
	const char *equals = strchr(arg, '=');
	char *text = equals != NULL ? strndup(arg, (size_t)(equals - arg)) : NULL;
	const struct tlv_role_row *role = text != NULL ? tlv_role_by_text(text) : NULL;
	enum status st;

	if (role == NULL)
		st = err_set(e, ST_USAGE,
			     "option '--add': '%s' is no ROLE=CERT with a role such as CAPF", arg);
	else
		st = entries_add_option(&x->entries, role->number, equals + 1, "add", &x->tok, e);
	free(text);
	return st;
}

/*
 * Whether the list had this certificate as a SAST record, and its changes took the last one away.
 */
static bool lost_anchor(const struct edit *x, struct span der)
{
	for (size_t i = 0; i < x->entries.n; i++)
		if (x->entries.v[i].role == TLV_ROLE_SAST &&
		    span_eq(buf_span(&x->entries.v[i].cert.der), der))
			return false;
	return tlv_list_has(x->old, TLV_ROLE_SAST, der);
}

enum status edit_check_signer(const struct edit *x, struct span der, struct tlv_err *e)
{
	if (!lost_anchor(x, der))
		return ST_OK;
	return err_set(
		e, ST_USAGE,
		"the changes remove the signer's own SAST record, which every list must have: sign with another key, or keep the record");
}

enum status edit_remove(struct edit *x, const char *arg, struct tlv_err *e)
{
	size_t *found = NULL, n = 0;
	enum status st = selector_resolve(span_str(arg), x->old, x->all, &found, &n, e);

	for (size_t i = 0; i < n && st == ST_OK; i++) {
		struct entry *entry = entry_of(x, found[i]);

		/*
		 * Removing comes last. A record that differs from what was read was changed by
		 * another option.
		 */
		if (entry != NULL && entry->raw.n == 0)
			st = err_set(e, ST_USAGE, "record %zu is changed and removed",
				     found[i] + 1);
		else if (entry != NULL)
			entries_remove(&x->entries, position_of(x, entry));
	}
	free(found);
	return st == ST_OK ? ST_OK : err_in(e, "option '--remove'");
}

/* A copy of the old record goes behind the new one: the anchor stays one generation. */
static enum status keep_old(struct edit *x, size_t at, struct tlv_err *e)
{
	struct entry *copy = entries_insert(&x->entries, at + 1);
	struct tlv_record r = tlv_list_record(x->old, (size_t)x->entries.v[at].source);

	if (copy == NULL)
		return err_nomem(e);
	copy->role = r.role;
	copy->raw = r.raw;
	copy->origin = strdup("the renewed SAST record");
	return copy->origin != NULL ? cert_from_der(&copy->cert, r.certificate, e) : err_nomem(e);
}

static enum status renew(struct edit *x, size_t source, const struct cert *new_cert,
			 struct tlv_err *e)
{
	struct entry *entry = entry_of(x, source);
	bool was_signer = (long)source == tlv_list_signer(x->old);
	bool keep = x->keep_old_sast > 0 || (x->keep_old_sast < 0 && was_signer);
	enum status st = ST_OK;

	if (entry == NULL)
		return err_set(e, ST_USAGE, "record %zu is removed and replaced", source + 1);
	if (entry->replaced)
		return err_set(e, ST_USAGE,
			       "record %zu is replaced twice: leave one of the two out",
			       source + 1);
	if (entry->role == TLV_ROLE_SAST && keep && entry->cert.der.n > 0) {
		size_t at = position_of(x, entry);

		st = keep_old(x, at, e);
		entry = &x->entries.v[at];
	}
	entry->replaced = true;
	entry->raw = SPAN_NONE;
	cert_free(&entry->cert);
	return st == ST_OK ? cert_from_der(&entry->cert, buf_span(&new_cert->der), e) : st;
}

static bool cn_begins(struct span name, struct span prefix)
{
	struct buf cn = BUF_INIT;
	bool begins = tlv_name_cn(name, &cn) && span_starts(buf_span(&cn), prefix);

	buf_free(&cn);
	return begins;
}

/* Whether the certificate of a record is one that the new certificate renews. */
static bool is_renewal(const struct tlv_record *r, const struct cert *new_cert)
{
	struct tlv_cert old;

	if (tlv_cert_walk(r->certificate, &old, NULL) != ST_OK ||
	    span_eq(r->certificate, buf_span(&new_cert->der)))
		return false;
	if (tlv_name_same(old.subject, new_cert->parts.subject))
		return true;
	return r->role == TLV_ROLE_CAPF && cn_begins(old.subject, SPAN_LIT("CAPF-")) &&
	       cn_begins(new_cert->parts.subject, SPAN_LIT("CAPF-"));
}

/* Every record of the one certificate that is renewed. */
static enum status find_renewed(const struct edit *x, const struct cert *new_cert, size_t *found,
				size_t *n, struct tlv_err *e)
{
	struct span first = SPAN_NONE;

	*n = 0;
	for (size_t i = 0; i < x->old->nrecords; i++) {
		struct tlv_record r = tlv_list_record(x->old, i);

		if (!is_renewal(&r, new_cert))
			continue;
		if (*n > 0 && !x->all && !span_eq(first, r.certificate))
			return err_set(
				e, ST_AMBIGUOUS,
				"several certificates of the list have its subject: select one with '#N=CERT', or all of them with --all");
		first = *n == 0 ? r.certificate : first;
		found[(*n)++] = i;
	}
	return *n > 0 ?
		       ST_OK :
		       err_set(e, ST_NO_MATCH,
			       "no certificate of the list has its subject: select the record with '#N=CERT'");
}

static enum status resolve_replace(struct edit *x, const char *arg, size_t selector_n,
				   const struct cert *c, size_t **found, size_t *n,
				   struct tlv_err *e)
{
	if (selector_n > 0)
		return selector_resolve(span_of(arg, selector_n), x->old, x->all, found, n, e);
	*found = calloc(x->old->nrecords + 1, sizeof **found);
	return *found != NULL ? find_renewed(x, c, *found, n, e) : err_nomem(e);
}

enum status edit_replace(struct edit *x, const char *arg, struct tlv_err *e)
{
	size_t selector_n = selector_is(arg) ? selector_length(arg, false) : 0;
	const char *path = selector_n > 0 ? arg + selector_n + 1 : arg;
	size_t *found = NULL, n = 0;
	struct cert c = CERT_INIT;
	enum status st = ST_OK;

	if (selector_n > 0 && arg[selector_n] != '=')
		st = err_set(e, ST_USAGE, "'%s' names no certificate: SELECTOR=CERT", arg);
	if (st == ST_OK)
		st = cert_load(&c, path, &x->tok, &x->tok.warn, e);
	if (st == ST_OK)
		st = resolve_replace(x, arg, selector_n, &c, &found, &n, e);
	for (size_t i = 0; i < n && st == ST_OK; i++)
		st = renew(x, found[i], &c, e);
	free(found);
	cert_free(&c);
	return st == ST_OK ? ST_OK : err_in(e, "option '--replace'");
}

/* What would be written would not hold the setting: better to say so than to drop it. */
static enum status check_place(const struct edit *x, const struct entry *entry, bool name,
			       struct tlv_err *e)
{
	struct tlv_record r = tlv_list_record(x->old, (size_t)entry->source);
	enum tlv_style style = tlv_list_dialect(x->old).style;

	if (style == TLV_STYLE_RFC4514)
		return err_set(
			e, ST_USAGE,
			"option '--set': records of this list's style have neither names nor addresses");
	if (tlv_record_is_token(&r))
		return err_set(
			e, ST_USAGE,
			"option '--set': record %ld is a token's, which has neither name nor address",
			entry->source + 1);
	if (style == TLV_STYLE_CTL_CLIENT && name)
		return err_set(e, ST_USAGE,
			       "option '--set': a node's name is its address in this list's style");
	return ST_OK;
}

/* The last option must not win in silence: the selectors may have met in one record unseen. */
static enum status check_once(const struct entry *entry, const struct entry *parsed,
			      struct tlv_err *e)
{
	bool name = entry->renamed && parsed->name != NULL;

	if (!name && !(entry->moved && parsed->has_address))
		return ST_OK;
	return err_set(e, ST_USAGE,
		       "option '--set': record %ld is given %s twice: leave one of the two out",
		       entry->source + 1, name ? "a name" : "an address");
}

static enum status apply_settings(const struct edit *x, struct entry *entry, const char *settings,
				  struct tlv_err *e)
{
	struct entry parsed = { .role = entry->role };
	char *text = strdup(settings);
	enum status st = text != NULL ? entry_settings(&parsed, text, "set", e) : err_nomem(e);

	if (st == ST_OK)
		st = check_place(x, entry, parsed.name != NULL, e);
	if (st == ST_OK)
		st = check_once(entry, &parsed, e);
	if (st == ST_OK && parsed.name != NULL) {
		free(entry->name);
		entry->renamed = true;
		entry->name = parsed.name;
		parsed.name = NULL;
	}
	if (st == ST_OK && parsed.has_address) {
		entry->has_address = entry->moved = true;
		(void)span_copy(span_of(parsed.address, 4), entry->address, 4);
	}
	entry->raw = SPAN_NONE;
	free(parsed.name);
	free(text);
	return st;
}

enum status edit_set(struct edit *x, const char *arg, struct tlv_err *e)
{
	size_t n = 0, *found = NULL, length = selector_is(arg) ? selector_length(arg, true) : 0;
	enum status st;

	if ((length == 0 || arg[length] != ',') && entry_check_settings(arg, "set", e) != ST_OK)
		return ST_USAGE;
	if (length == 0 || arg[length] != ',')
		return err_set(e, ST_USAGE,
			       "option '--set': '%s' is no SELECTOR,name=NAME,address=IP", arg);
	st = selector_resolve(span_of(arg, length), x->old, x->all, &found, &n, e);
	for (size_t i = 0; i < n && st == ST_OK; i++) {
		struct entry *entry = entry_of(x, found[i]);

		st = entry != NULL ? apply_settings(x, entry, arg + length, e) :
				     err_set(e, ST_USAGE, "record %zu is removed and changed",
					     found[i] + 1);
	}
	free(found);
	return st;
}

void edit_empty(struct edit *x)
{
	for (size_t i = 0; i < x->entries.n; i++) {
		struct entry *entry = &x->entries.v[i];

		if (entry->role != TLV_ROLE_CCM_TFTP || entry->cert.der.n == 0)
			continue;
		entry->raw = SPAN_NONE;
		cert_free(&entry->cert);
	}
}

/* "pub.pem", or "CCM_TFTP-pub.pem" as extract writes it, are called pub. */
static bool file_is_called(const char *file, const char *name)
{
	static const char prefix[] = "CCM_TFTP-";
	size_t n = strlen(name), stem = file != NULL ? strlen(file) : 0;

	if (stem < n + 4)
		return false;
	stem -= 4; /* .pem, .cer, .crt, .der */
	if (strncmp(file, prefix, sizeof prefix - 1) == 0) {
		file += sizeof prefix - 1;
		stem -= sizeof prefix - 1;
	}
	return stem == n && strncmp(file, name, n) == 0;
}

static bool is_named(const struct certset_item *item, const char *name)
{
	struct buf cn = BUF_INIT;
	bool same = cert_short_name(&item->cert.parts, &cn, NULL) == ST_OK &&
		    span_eq(buf_span(&cn), span_str(name));

	buf_free(&cn);
	return same || file_is_called(item->file, name);
}

static enum status refill(struct entry *entry, const struct certset *certs, struct tlv_err *e)
{
	const struct cert *found = NULL;

	for (size_t i = 0; entry->name != NULL && certs->v != NULL && i < certs->n; i++) {
		if (!is_named(&certs->v[i], entry->name))
			continue;
		if (found != NULL)
			return err_set(
				e, ST_AMBIGUOUS,
				"%s: several certificates are called '%s': name the right one with --replace '#N=CERT'",
				entry->origin, entry->name);
		found = &certs->v[i].cert;
	}
	if (found == NULL)
		return err_set(
			e, ST_NO_MATCH,
			"%s: no certificate is called '%s': name its folder with --certs, or the certificate with --replace '#N=CERT'",
			entry->origin, entry->name != NULL ? entry->name : "");
	entry->raw = SPAN_NONE;
	return cert_from_der(&entry->cert, buf_span(&found->der), e);
}

enum status edit_refill(struct edit *x, const struct certset *certs, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < x->entries.n && st == ST_OK; i++)
		if (x->entries.v[i].role == TLV_ROLE_CCM_TFTP && x->entries.v[i].cert.der.n == 0)
			st = refill(&x->entries.v[i], certs, e);
	return st;
}
