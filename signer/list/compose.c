/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/certfile.h"
#include "signer/list/compose.h"

#include "tlv/kind.h"
#include "tlv/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tlv/near.h"

struct entry *entries_insert(struct entries *es, size_t at)
{
	if (!ARRAY_ROOM(es->v, es->n, es->cap))
		return NULL;
	for (size_t i = es->n; i > at; i--)
		es->v[i] = es->v[i - 1];
	es->n++;
	es->v[at] = (struct entry){ .cert = CERT_INIT, .source = -1 };
	return &es->v[at];
}

static void entry_free(struct entry *x)
{
	cert_free(&x->cert);
	free(x->name);
	free(x->origin);
	buf_free(&x->own);
}

void entry_forget_address_name(struct entry *x)
{
	uint8_t ignored[4];

	if (x->name == NULL || !parse_ipv4(x->name, ignored))
		return;
	free(x->name);
	x->name = NULL;
}

void entries_remove(struct entries *es, size_t at)
{
	entry_free(&es->v[at]);
	es->n--;
	for (size_t i = at; i < es->n; i++)
		es->v[i] = es->v[i + 1];
}

void entries_free(struct entries *es)
{
	for (size_t i = 0; i < es->n; i++)
		entry_free(&es->v[i]);
	free(es->v);
	*es = ENTRIES_INIT;
}

static char *last_of(char *text, const char *what)
{
	char *found = NULL;

	for (char *p = strstr(text, what); p != NULL; p = strstr(p + 1, what))
		found = p;
	return found;
}

static enum status take_name(struct entry *x, const char *value, struct tlv_err *e)
{
	if (x->name != NULL)
		return err_set(e, ST_USAGE, "'name=' is given twice");
	if (*value == '\0')
		return err_set(e, ST_USAGE, "'name=' is empty");
	if (span_has_control(span_str(value)))
		return err_set(
			e, ST_USAGE,
			"'name=' has control characters inside, such as a line break: type it without them");
	x->name = strdup(value);
	return x->name != NULL ? ST_OK : err_nomem(e);
}

static enum status take_address(struct entry *x, const char *value, struct tlv_err *e)
{
	if (x->has_address)
		return err_set(e, ST_USAGE, "'address=' is given twice");
	if (*value == '\0')
		return err_set(e, ST_USAGE, "'address=' is empty");
	x->has_address = true;
	return address_read(value, x->address, e);
}

enum status entry_settings(struct entry *x, char *text, const char *option, struct tlv_err *e)
{
	for (;;) {
		char *name = last_of(text, ",name="), *address = last_of(text, ",address=");
		/* The last one first, so that what remains in front ends where it was cut. */
		bool is_name = name != NULL && (address == NULL || name > address);
		char *part = is_name ? name : address;

		if (part == NULL)
			return ST_OK;
		*part = '\0';
		if ((is_name ? take_name(x, part + strlen(",name="), e) :
			       take_address(x, part + strlen(",address="), e)) != ST_OK)
			return err_in(e, "option '--%s'", option);
	}
}

/* Where a setting begins at the end of the text, such as ",adress="; NULL if it ends otherwise. */
static const char *last_setting(const char *text, size_t *n)
{
	const char *comma = strrchr(text, ',');

	if (comma == NULL || tok_is_uri(text))
		return NULL;
	*n = strspn(comma + 1, "abcdefghijklmnopqrstuvwxyz-");
	return *n > 0 && comma[1 + *n] == '=' ? comma + 1 : NULL;
}

/* A file may be called so: only if none is, the setting is a slip. */
enum status entry_check_settings(const char *text, const char *option, struct tlv_err *e)
{
	static const char *const known[] = { "name", "address" };
	size_t n = 0;
	const char *word = last_setting(text, &n), *near;
	bool is_known;
	char *plain;

	if (word == NULL || access(text, F_OK) == 0)
		return ST_OK;
	plain = strndup(word, n);
	near = plain != NULL ? near_word(plain, known, COUNT(known)) : NULL;
	is_known = near != NULL && strcmp(near, plain) == 0;
	free(plain);
	if (is_known)
		return ST_OK;
	if (near != NULL)
		return err_set(e, ST_USAGE, "option '--%s': '%.*s=': did you mean '%s='?", option,
			       (int)n, word, near);
	return err_set(e, ST_USAGE,
		       "option '--%s': unknown '%.*s=': only 'name=' and 'address=' may stand here",
		       option, (int)n, word);
}

enum status entries_add_option(struct entries *es, uint16_t role, const char *value,
			       const char *option, const struct tok_options *tok, struct tlv_err *e)
{
	char *text = strdup(value);
	struct entry *x = text != NULL ? entries_insert(es, es->n) : NULL;
	struct buf origin = BUF_INIT;
	enum status st = ST_OK;

	if (x == NULL) {
		free(text);
		return err_nomem(e);
	}
	x->role = role;
	st = entry_settings(x, text, option, e);
	if (st == ST_OK)
		st = entry_check_settings(text, option, e);
	buf_printf(&origin, "--%s %s", option, text);
	x->origin = span_dup(buf_span(&origin));
	if (st == ST_OK && x->origin == NULL)
		st = err_nomem(e);
	if (st == ST_OK)
		st = cert_load(&x->cert, text, tok, &tok->warn, e);
	buf_free(&origin);
	free(text);
	return st;
}

static enum status keep_record(struct entry *x, const struct tlv_record *r, size_t number,
			       struct tlv_err *e)
{
	struct span name = tlv_text(r->dns_name);
	struct buf origin = BUF_INIT;

	x->role = r->role;
	x->raw = r->raw;
	x->source = (long)number - 1;
	buf_printf(&origin, "record %zu", number);
	x->origin = span_dup(buf_span(&origin));
	buf_free(&origin);
	x->has_address =
		span_copy(r->address, x->address, r->address.n == 4 ? 4 : 0) && r->address.n == 4;
	if (!x->has_address && x->name == NULL && name.n > 0 && name.n < 16) {
		/* The CTL Client names a node by its address. */
		char text[16] = "";

		(void)span_copy(name, (uint8_t *)text, sizeof text - 1);
		x->has_address = parse_ipv4(text, x->address);
	}
	if (x->origin == NULL || (name.n > 0 && (x->name = span_dup(name)) == NULL))
		return err_nomem(e);
	/* What is kept raw may hold a certificate that nobody can read; then it is just kept. */
	if (r->certificate.n > 0 && cert_from_der(&x->cert, r->certificate, NULL) != ST_OK)
		cert_free(&x->cert);
	return ST_OK;
}

/* Nobody can say of an anchor without a certificate whose it is. */
static enum status check_taken(const struct tlv_record *r, size_t n, struct tlv_err *e)
{
	if (r->raw.n != n)
		return err_set(e, ST_INPUT, "bytes follow the record: one file holds one record");
	if (!tlv_record_has(r, TLV_R_FUNCTION))
		return err_set(e, ST_INPUT, "a record without FUNCTION");
	if (r->certificate.n > 0)
		return err_set(e, ST_INPUT,
			       "the record has a certificate: name that with 'cert' instead");
	if (r->role == TLV_ROLE_SAST)
		return err_set(
			e, ST_INPUT,
			"a SAST record without certificate: name the certificate with 'cert'");
	return ST_OK;
}

enum status entry_take_record(struct entry *x, struct span bytes, struct tlv_err *e)
{
	struct tlv_record r;
	enum status st = tlv_record_decode(&r, bytes, 0, e);

	if (st == ST_OK)
		st = check_taken(&r, bytes.n, e);
	if (st != ST_OK)
		return st;
	buf_put(&x->own, bytes);
	x->role = r.role;
	x->raw = buf_span(&x->own);
	return buf_failed(&x->own, e);
}

enum status entries_keep_one(struct entries *es, const struct tlv_list *l, size_t i,
			     struct tlv_err *e)
{
	struct tlv_record r = tlv_list_record(l, i);
	struct entry *x = entries_insert(es, es->n);

	return x != NULL ? keep_record(x, &r, i + 1, e) : err_nomem(e);
}

enum status entries_keep(struct entries *es, const struct tlv_list *l, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < l->nrecords && st == ST_OK; i++)
		st = entries_keep_one(es, l, i, e);
	return st;
}

const struct entry *entries_find(const struct entries *es, uint16_t role)
{
	for (size_t i = 0; i < es->n; i++)
		if (es->v[i].role == role)
			return &es->v[i];
	return NULL;
}

enum status entries_check_kind(const struct entries *es, const char *filename, struct tlv_err *e)
{
	const struct entry *tvs = entries_find(es, TLV_ROLE_TVS);

	if (tvs == NULL || tlv_kind_of_name(span_str(filename)) == TLV_LIST_ITL)
		return ST_OK;
	return err_set(e, ST_NO, "%s: a TVS record belongs in an ITL, and this list is '%s'",
		       tvs->origin, filename);
}

static bool has_cert(const struct entry *x)
{
	return x->cert.der.n > 0;
}

static bool same_cert(const struct entry *a, const struct entry *b)
{
	return has_cert(a) && span_eq(buf_span(&a->cert.der), buf_span(&b->cert.der));
}

static bool same_address(const struct entry *a, const struct entry *b)
{
	return a->has_address && b->has_address &&
	       span_eq(span_of(a->address, 4), span_of(b->address, 4));
}

static bool is_signer(const struct entry *x, const struct cert *signer)
{
	return x->role == TLV_ROLE_SAST && span_eq(buf_span(&x->cert.der), buf_span(&signer->der));
}

/*
 * Name and address of the signer's record: of any record with the same certificate that has them.
 */
static enum status take_place(struct entry *x, const struct entries *es, const struct cert *signer,
			      struct tlv_err *e)
{
	for (size_t i = 0; i < es->n; i++) {
		const struct entry *twin = &es->v[i];

		if (!span_eq(buf_span(&twin->cert.der), buf_span(&signer->der)))
			continue;
		if (x->name == NULL && twin->name != NULL && (x->name = strdup(twin->name)) == NULL)
			return err_nomem(e);
		if (x->has_address || !twin->has_address)
			continue;
		x->has_address = true;
		(void)span_copy(span_of(twin->address, 4), x->address, 4);
	}
	return ST_OK;
}

static enum status add_signer(struct entries *es, const struct cert *signer, struct tlv_err *e)
{
	struct entry copy = { .role = TLV_ROLE_SAST, .source = -1 };
	struct entry *x;

	for (size_t i = 0; i < es->n; i++)
		if (is_signer(&es->v[i], signer))
			return ST_OK;
	if (take_place(&copy, es, signer, e) != ST_OK)
		return e->status;
	copy.origin = strdup("the signer's SAST record");
	x = entries_insert(es, 0);
	if (x == NULL || copy.origin == NULL) {
		free(copy.name);
		free(copy.origin);
		return err_nomem(e);
	}
	*x = copy;
	return cert_from_der(&x->cert, buf_span(&signer->der), e);
}

/* CAPF and SAST certificates are not named after their node. */
static bool names_itself(const struct entry *x)
{
	return x->role != TLV_ROLE_CAPF && x->role != TLV_ROLE_SAST;
}

static bool is_node(const struct entry *x)
{
	return tlv_role_is_tftp(x->role);
}

static enum status set_short_name(struct entry *x, const struct entry *node, struct tlv_err *e)
{
	struct buf name = BUF_INIT;
	uint8_t ignored[4];
	enum status st = ST_OK;

	/* The CTL Client names a node by its address; its host name is in its certificate. */
	if (node->name != NULL && !parse_ipv4(node->name, ignored)) {
		x->name = strdup(node->name);
		return x->name != NULL ? ST_OK : err_nomem(e);
	}
	if (has_cert(node))
		st = cert_short_name(&node->cert.parts, &name, e);
	if (st == ST_OK && name.n > 0 && (x->name = span_dup(buf_span(&name))) == NULL)
		st = err_nomem(e);
	buf_free(&name);
	return st;
}

static enum status default_name(struct entries *es, struct entry *x, struct tlv_err *e)
{
	if (x->name != NULL || x->raw.n > 0)
		return ST_OK;
	if (names_itself(x))
		return set_short_name(x, x, e);
	for (size_t i = 0; i < es->n; i++)
		if ((names_itself(&es->v[i]) && same_cert(x, &es->v[i])) ||
		    (is_node(&es->v[i]) && same_address(x, &es->v[i])))
			return set_short_name(x, &es->v[i], e);
	return ST_OK;
}

static enum status write_entry(struct buf *out, const struct entry *x, const struct cert *signer,
			       const struct compose_options *opt, struct tlv_err *e)
{
	bool bare = !has_cert(x) || (opt->non_secure && x->role == TLV_ROLE_CCM_TFTP);
	bool sast = x->role == TLV_ROLE_SAST && has_cert(x);
	struct tlv_record_spec spec = {
		.dialect = opt->dialect,
		.role = x->role,
		.token = sast &&
			 (x->token || tlv_cert_is_token(&x->cert.parts) ||
			  (is_signer(x, signer) && opt->dialect.style == TLV_STYLE_CTL_CLIENT)),
		.cert = bare ? NULL : &x->cert.parts,
		.name = x->name != NULL ? span_str(x->name) : SPAN_NONE,
		.has_address = x->has_address,
		.address = { x->address[0], x->address[1], x->address[2], x->address[3] },
	};
	enum status st = ST_OK;

	if (x->raw.n > 0) {
		buf_put(out, x->raw);
		return buf_failed(out, e);
	}
	if (!has_cert(x) && !(opt->non_secure && x->role == TLV_ROLE_CCM_TFTP))
		st = err_set(
			e, opt->missing,
			"no certificate: only a CCM+TFTP record in non-secure mode may lack one");
	if (st == ST_OK)
		st = tlv_record_write(out, &spec, e);
	if (st == ST_USAGE && e != NULL)
		e->status = st = opt->missing;
	return st == ST_OK ? ST_OK : err_in(e, "%s", x->origin);
}

enum status compose(struct buf *out, struct entries *es, const struct cert *signer,
		    const struct compose_options *opt, size_t *signer_at, struct tlv_err *e)
{
	bool found = false;
	enum status st = add_signer(es, signer, e);

	for (size_t i = 0; i < es->n && st == ST_OK; i++)
		st = default_name(es, &es->v[i], e);
	for (size_t i = 0; i < es->n && st == ST_OK; i++) {
		if (!found && is_signer(&es->v[i], signer)) {
			*signer_at = out->n;
			found = true;
		}
		st = write_entry(out, &es->v[i], signer, opt, e);
	}
	return st;
}
