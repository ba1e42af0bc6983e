/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/expiry.h"

#include <stdlib.h>
#include <string.h>

#include "signer/crypto/cert.h"
#include "signer/crypto/certfile.h"
#include "signer/text/list_file.h"
#include "signer/io/filename.h"
#include "signer/io/folder.h"
#include "tlv/der.h"
#include "tlv/kind.h"
#include "tlv/label.h"
#include "tlv/safe.h"
#include "tlv/text.h"

/* CUCM's units. A SAST record is the CallManager's unless its certificate says otherwise. */
static const struct {
	uint16_t role;
	const char *unit;
} role_units[] = {
	{ TLV_ROLE_SAST, "CallManager" },
	{ TLV_ROLE_CCM, "CallManager" },
	{ TLV_ROLE_CCM_TFTP, "CallManager" },
	{ TLV_ROLE_TFTP, "CallManager" },
	{ TLV_ROLE_CAPF, "CAPF" },
	{ TLV_ROLE_TVS, "TVS" },
	{ TLV_ROLE_APP_SERVER, "APP-SERVER" },
};

/* Files are called so when they are downloaded from CUCM. */
static const char *const file_units[] = { "CallManager", "CAPF",   "TVS",
					  "ITLRecovery", "tomcat", "ipsec" };

/* Where certificates are being taken from. */
struct source {
	struct expiry *x;
	const char *path;
	bool named;
	const struct tlv_record *record; /* NULL: no list */
	size_t number;			 /* of the record or the certificate in its file, from 1 */
};

static const char *unit_of_file(const char *path)
{
	const char *name = base_name(path);

	for (size_t i = 0; i < COUNT(file_units); i++) {
		size_t n = strlen(file_units[i]);

		if (strncasecmp(name, file_units[i], n) == 0 && (name[n] == '.' || name[n] == '\0'))
			return file_units[i];
	}
	return "unknown";
}

static const char *unit_of(const struct source *s, const struct tlv_cert *c, struct span cn)
{
	if (tlv_cert_is_token(c))
		return "Phone-SAST-trust";
	if (tlv_cert_is_itlrecovery(c))
		return "ITLRecovery";
	if (span_starts(cn, SPAN_LIT("CAPF-")))
		return "CAPF";
	if (s->record == NULL)
		return unit_of_file(s->path);
	for (size_t i = 0; i < COUNT(role_units); i++)
		if (role_units[i].role == s->record->role)
			return role_units[i].unit;
	return "unknown";
}

static void put_harmless(struct buf *b, struct span label)
{
	struct filenames none = FILENAMES_INIT;

	(void)filename_make(&none, NULL, label, SPAN_NONE, SPAN_NONE, "", b, NULL);
	filenames_free(&none);
}

/* "CAPF-e41e7d87": the alarm's names are those of files. The other counts if the first is empty. */
static char *harmless_name(struct span text, struct span other)
{
	struct buf b = BUF_INIT;
	char *copy;

	put_harmless(&b, text);
	if (b.n == 0)
		put_harmless(&b, other);
	copy = buf_failed(&b, NULL) == ST_OK ? span_dup(buf_span(&b)) : NULL;
	buf_free(&b);
	return copy;
}

/* The text, which frees the buffer; NULL if memory ran out. */
static char *text_of(struct buf *b)
{
	char *copy = buf_failed(b, NULL) == ST_OK ? span_dup(buf_span(b)) : NULL;

	buf_free(b);
	return copy;
}

static char *serial_of(struct span s)
{
	struct buf b = BUF_INIT;

	buf_hex(&b, s, HEX_UPPER, "");
	return text_of(&b);
}

static char *shown_serial_of(struct span s)
{
	struct buf b = BUF_INIT;

	tlv_label_serial(&b, s);
	return text_of(&b);
}

static char *label_of(const struct tlv_cert *c)
{
	struct buf b = BUF_INIT;

	tlv_label_cert(&b, c);
	return text_of(&b);
}

static char *place_of(const struct tlv_record *r)
{
	struct buf b = BUF_INIT;

	tlv_label_place(&b, r);
	return text_of(&b);
}

static char *address_of(const struct tlv_record *r)
{
	struct buf b = BUF_INIT;

	tlv_label_address(&b, r->address);
	return text_of(&b);
}

static void item_free(struct expiry_item *item)
{
	free(item->file);
	free(item->place);
	free(item->node);
	free(item->address);
	free(item->host);
	free(item->subject);
	free(item->label);
	free(item->name);
	free(item->serial);
	free(item->shown_serial);
}

static bool keep(struct expiry *x, const struct expiry_item *item)
{
	if (!ARRAY_ROOM(x->v, x->n, x->cap))
		return false;
	x->v[x->n++] = *item;
	return true;
}

/* CUCM's alarm is for less than that. Source: its text, in document 214231. */
enum { SEVEN_DAYS = 7 * 86400 /* seconds */ };

/* What the record says of its node; false if memory ran out. */
static bool describe_place(struct expiry_item *item, const struct tlv_record *r)
{
	const struct tlv_role_row *role = tlv_role_find(r->role);
	struct span node = tlv_text(r->dns_name);
	bool addressed = tlv_label_has_address(r);

	item->in_list = true;
	item->role = role != NULL ? role->text : NULL;
	item->place = place_of(r);
	item->address = addressed ? address_of(r) : NULL;
	item->node = node.n > 0 ? span_dup(node) : NULL;
	item->host = node.n > 0 ? harmless_name(node, SPAN_NONE) : NULL;
	return item->place != NULL && (item->address != NULL) == addressed &&
	       (item->node != NULL) == (node.n > 0) && (item->host != NULL) == (node.n > 0);
}

/* Fills the item; false if memory ran out. */
static bool describe(struct expiry_item *item, const struct source *s, const struct tlv_cert *c,
		     int64_t not_after, const char *subject)
{
	struct buf cn = BUF_INIT;

	*item = (struct expiry_item){
		.file = strdup(s->path),
		.record = s->number,
		.subject = strdup(subject),
		.label = label_of(c),
		.serial = serial_of(c->serial),
		.shown_serial = shown_serial_of(c->serial),
		.not_after = not_after,
		.within = not_after <= s->x->now + s->x->within,
		.urgent = not_after - s->x->now < SEVEN_DAYS,
	};
	(void)tlv_name_cn(c->subject, &cn);
	item->name = harmless_name(buf_span(&cn), span_str(base_name(s->path)));
	item->unit = unit_of(s, c, buf_span(&cn));
	buf_free(&cn);
	return (s->record == NULL || describe_place(item, s->record)) && item->file != NULL &&
	       item->subject != NULL && item->label != NULL && item->name != NULL &&
	       item->serial != NULL && item->shown_serial != NULL;
}

static enum status add_certificate(struct source *s, struct span der, struct tlv_err *e)
{
	struct cert_facts f = { .is_ca = false };
	struct expiry_item item;
	struct tlv_cert c;
	bool whole;
	enum status st = tlv_cert_walk(der, &c, e);

	if (st == ST_OK)
		st = cert_judge(der, &f, e);
	if (st != ST_OK)
		return st;
	whole = describe(&item, s, &c, f.not_after, f.subject);
	cert_facts_free(&f);
	if (whole && keep(s->x, &item))
		return ST_OK;
	item_free(&item);
	return err_nomem(e);
}

static bool is_noted(const struct expiry *x, const char *path)
{
	return x->nunread > 0 && strcmp(x->unread[x->nunread - 1].file, path) == 0;
}

/* A fault in what was named ends all; one in a folder's file is said, and the rest still counts. */
static enum status fault(const struct source *s, const struct tlv_err *own, const char *so,
			 struct tlv_err *e)
{
	char text[ERR_TEXT_MAX + 64];

	if (s->named || own->status != ST_INPUT) {
		if (e != NULL)
			*e = *own;
		return own->status;
	}
	err_format(own, text, sizeof text);
	warn_put(&s->x->warn, "%s: %s", text, so);
	return is_noted(s->x, s->path) ? ST_OK : expiry_note_unread(s->x, s->path, own, e);
}

static enum status add_record(struct source *s, const struct tlv_record *r, struct span der,
			      struct tlv_err *e)
{
	struct tlv_err own = TLV_ERR_INIT;
	enum status st;

	s->record = r;
	st = add_certificate(s, der, &own);
	s->record = NULL;
	if (st == ST_OK)
		return ST_OK;
	/* The offset is one in the certificate; the record says enough. */
	own.has_at = false;
	(void)err_in(&own, "%s: record %zu: certificate", s->path, s->number);
	return fault(s, &own, "left out", e);
}

static enum status add_list(struct source *s, struct span bytes, struct tlv_err *e)
{
	struct tlv_err own = TLV_ERR_INIT;
	struct tlv_list l;
	enum status st = tlv_list_decode(&l, bytes, &own);

	(void)err_in(&own, "%s", s->path);
	if (st != ST_OK)
		st = fault(s, &own, "what follows is left out", e);
	/* Of a damaged list in a folder the records before the fault count. */
	for (size_t i = 0; i < l.nrecords && st == ST_OK; i++) {
		struct tlv_record r = tlv_list_record(&l, i);

		s->number = i + 1;
		if (tlv_record_has(&r, TLV_R_CERTIFICATE))
			st = add_record(s, &r, r.certificate, e);
	}
	tlv_list_free(&l);
	return st;
}

static enum status add_one(void *arg, struct span der, struct tlv_err *e)
{
	struct source *s = arg;

	s->number++;
	return add_certificate(s, der, e);
}

static bool claims_certificate(struct span bytes)
{
	return bytes.n > 0 && memmem(bytes.p, bytes.n, "CERTIFICATE-----", 16) != NULL;
}

/* Steps into the first element, whose content may be cut off. The tag, or -1. */
static int step_into(struct span *s)
{
	int tag = span_at(*s, 0), length = span_at(*s, 1);

	*s = span_slice(*s, length >= 0x80 ? 2 + (size_t)(length & 0x7f) : 2, s->n);
	return tag;
}

/*
 * A key in PEM or DER. A private key and a PKCS#12 store begin with a number, an encrypted and a
 * public key with an algorithm; a certificate begins with its version or serial (RFC 5280, 4.1).
 */
static bool is_key(struct span bytes)
{
	int first;

	if (memmem(bytes.p, bytes.n, " KEY-----", 9) != NULL)
		return true;
	if (step_into(&bytes) != DER_SEQUENCE)
		return false;
	first = step_into(&bytes);
	return first == DER_INTEGER || (first == DER_SEQUENCE && span_at(bytes, 0) == DER_OID);
}

/* People and CUCM give certificates such names; .pem may be anything. */
static bool is_named_as_certificate(const char *path)
{
	static const char *const endings[] = { ".der", ".cer", ".crt", ".p7b", ".p7c" };
	size_t n = strlen(path);

	for (size_t i = 0; i < COUNT(endings); i++)
		if (n > 4 && strcasecmp(path + n - 4, endings[i]) == 0)
			return true;
	return false;
}

/* Whether a file that holds no certificate that can be read was to hold one. */
static bool is_damaged_certificate(const char *path, struct span bytes)
{
	return claims_certificate(bytes) || (is_named_as_certificate(path) && !is_key(bytes));
}

/* A folder's file without certificates: DER that is none may be a key. */
static enum status pass_over(const struct source *s, struct span bytes)
{
	if (span_starts(bytes, SPAN_LIT("\x30\x82")))
		warn_put(&s->x->warn, "%s: neither a list nor a certificate: left out", s->path);
	return ST_OK;
}

static enum status add_certificates(struct source *s, struct span bytes, struct tlv_err *e)
{
	struct tlv_err own = TLV_ERR_INIT;
	size_t before = s->x->n, n = 0;
	enum status st = cert_each(bytes, add_one, s, &n, &own);

	if (st == ST_OK && n == 0)
		st = err_set(&own, ST_INPUT, "neither a list nor a certificate");
	/* The only certificate of a file needs no number. */
	if (s->x->n == before + 1 && n == 1)
		s->x->v[before].record = 0;
	if (st == ST_OK)
		return ST_OK;
	if (st == ST_INPUT && !s->named && !is_damaged_certificate(s->path, bytes))
		return pass_over(s, bytes);
	(void)err_in(&own, "%s", s->path);
	return fault(s, &own, "left out", e);
}

/* What the list wants, a line for each record. */
static void want(struct tlv_err *wanted, const struct source *s, const struct tlv_record *r)
{
	struct buf name = BUF_INIT, sha1 = BUF_INIT;

	if (wanted->status == ST_OK)
		(void)err_set(
			wanted, ST_INPUT,
			"%s: a printed list has no certificates: give '--certs' with a log or folder that has these:",
			s->path);
	safe_text(&name, tlv_text(r->subject));
	buf_hex(&sha1, span_slice(r->certificate, 0, 20), HEX_UPPER, "");
	err_line(wanted, "record %zu: %s, SHA-1 %s", s->number, buf_cstr(&name), buf_cstr(&sha1));
	buf_free(&name);
	buf_free(&sha1);
}

/* Those that are known count; the others are an error all the same. */
static enum status add_printed(struct source *s, struct list_file *f, struct tlv_err *e)
{
	struct tlv_err wanted = TLV_ERR_INIT;
	enum status st = ST_OK;

	for (size_t i = 0; i < f->list.nrecords && st == ST_OK; i++) {
		struct tlv_record r = tlv_list_record(&f->list, i);
		struct span der;

		s->number = i + 1;
		if (!tlv_record_has(&r, TLV_R_CERTIFICATE))
			continue;
		st = list_file_certificate(f, &r, s->path, &der, e);
		if (st == ST_OK && der.n > 0)
			st = add_record(s, &r, der, e);
		else if (st == ST_OK)
			want(&wanted, s, &r);
	}
	if (st == ST_OK && wanted.status != ST_OK) {
		s->x->partial = true;
		st = err_copy(e, &wanted);
	}
	return st;
}

/* A list, however it comes, or certificates. */
static enum status add_named(struct source *s, struct tlv_err *e)
{
	struct list_file f;
	enum status st = list_file_read(&f, s->path, LIST_PRINTED | LIST_DAMAGED | LIST_QUIET, e);

	if (st != ST_OK)
		return st;
	if (f.printed != NULL && f.fault.status != ST_OK)
		st = err_copy(e, &f.fault);
	else if (f.printed != NULL)
		st = add_printed(s, &f, e);
	else if (tlv_list_begins(blob_span(&f.file)))
		st = add_list(s, blob_span(&f.file), e);
	else
		st = add_certificates(s, blob_span(&f.file), e);
	list_file_free(&f);
	return st;
}

static enum status add_file(void *arg, const char *path, bool named, struct tlv_err *e)
{
	struct source s = { .x = arg, .path = path, .named = named };
	struct tlv_err own = TLV_ERR_INIT;
	struct blob file;
	size_t most =
		folder_file_begins(path) == FOLDER_FILE_LIST ? slurp_list_max() : SLURP_CERT_MAX;
	enum status st;

	if (named)
		return add_named(&s, e);
	st = slurp(path, most, SLURP_REGULAR, &file, &own);
	if (st != ST_OK)
		return fault(&s, &own, "left out", e);
	if (tlv_list_begins(blob_span(&file)))
		st = add_list(&s, blob_span(&file), e);
	else
		st = add_certificates(&s, blob_span(&file), e);
	blob_free(&file);
	return st;
}

enum status expiry_add(struct expiry *x, const char *path, struct tlv_err *e)
{
	size_t before = x->n;
	enum status st;

	x->partial = false;
	st = folder_each(path, add_file, x, e);
	while (st != ST_OK && !x->partial && x->n > before)
		item_free(&x->v[--x->n]);
	return st;
}

static int soonest(const void *a, const void *b)
{
	const struct expiry_item *x = a, *y = b;
	int r = (x->not_after > y->not_after) - (x->not_after < y->not_after);

	if (r == 0)
		r = strcmp(x->file, y->file);
	return r != 0 ? r : (x->record > y->record) - (x->record < y->record);
}

size_t expiry_sort(struct expiry *x)
{
	size_t within = 0;

	if (x->n > 1)
		qsort(x->v, x->n, sizeof *x->v, soonest);
	for (size_t i = 0; i < x->n; i++)
		within += x->v[i].within;
	return within;
}

enum status expiry_note_unread(struct expiry *x, const char *path, const struct tlv_err *why,
			       struct tlv_err *e)
{
	char text[ERR_TEXT_MAX + 64];
	struct expiry_unread one;

	err_format(why, text, sizeof text);
	one = (struct expiry_unread){ .file = strdup(path), .why = strdup(text) };
	if (one.file == NULL || one.why == NULL ||
	    !ARRAY_ROOM(x->unread, x->nunread, x->unread_cap)) {
		free(one.file);
		free(one.why);
		return err_nomem(e);
	}
	x->unread[x->nunread++] = one;
	return ST_OK;
}

void expiry_free(struct expiry *x)
{
	for (size_t i = 0; i < x->n; i++)
		item_free(&x->v[i]);
	for (size_t i = 0; i < x->nunread; i++) {
		free(x->unread[i].file);
		free(x->unread[i].why);
	}
	free(x->v);
	free(x->unread);
	*x = (struct expiry){ .n = 0 };
}

enum status expiry_within_parse(const char *text, int64_t *seconds, struct tlv_err *e)
{
	static const struct {
		char suffix;
		int64_t seconds;
	} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'w', 604800 } };
	size_t n = strlen(text), unit = 0;
	char digits[16] = "";
	uint64_t number;

	while (unit < COUNT(units) && (n == 0 || text[n - 1] != units[unit].suffix))
		unit++;
	n -= unit < COUNT(units);
	for (size_t i = 0; i < n && i < sizeof digits - 1; i++)
		digits[i] = text[i];
	if (n >= sizeof digits || !parse_number(digits, 1000000, &number))
		return err_set(
			e, ST_USAGE,
			"option '--within': '%s' is no time: 30d, 12h or 4w, or a number of days",
			text);
	*seconds = (int64_t)number * units[unit < COUNT(units) ? unit : 0].seconds;
	return ST_OK;
}
