/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/cert.h"
#include "signer/list/diff.h"
#include "signer/io/env.h"
#include "signer/io/out.h"
#include "tlv/label.h"
#include "tlv/safe.h"
#include "tlv/text.h"

/* Text and JSON are made from these rows and from the values below. */
struct row {
	const char *key, *label;
};

static const struct row header_rows[] = {
#define DIFF_HEADER(NAME, key, label) [DIFF_H_##NAME] = { key, label },
#include "signer/list/diff.def"
#undef DIFF_HEADER
};

static const struct row field_rows[] = {
#define DIFF_FIELD(NAME, key, label) [DIFF_F_##NAME] = { key, label },
#include "signer/list/diff.def"
#undef DIFF_FIELD
};

static const char *const kind_texts[] = {
#define DIFF_KIND(NAME, text) [DIFF_##NAME] = (text),
#include "signer/list/diff.def"
#undef DIFF_KIND
};

const char *diff_kind_text(enum diff_kind kind)
{
	return kind < DIFF_KINDS ? kind_texts[kind] : "";
}

static void put_key(struct buf *b, struct span key)
{
	enum tlv_key_type type;
	unsigned bits = tlv_key_bits(key, &type);

	if (bits > 0)
		buf_printf(b, "%s %u bits", type == TLV_KEY_RSA ? "RSA" : "EC", bits);
	else
		buf_str(b, "unknown kind");
}

/* Of a printed list a certificate is its SHA-1, and zeros behind it (tlv_list.printed). */
static bool is_placeholder(struct span der)
{
	for (size_t i = 20; i < der.n; i++)
		if (span_at(der, i) != 0)
			return false;
	return der.n > 20;
}

/* "2019-06-04T12:00:00Z", E9D433…: what tells two certificates of one name apart. */
static void put_certificate(struct buf *b, struct span der)
{
	int64_t before, after;
	uint8_t sha1[20];
	char when[32];

	if (is_placeholder(der) ? span_copy(span_slice(der, 0, sizeof sha1), sha1, sizeof sha1) :
				  cert_sha1(der, sha1, NULL) == ST_OK) {
		buf_str(b, "SHA-1 ");
		buf_hex(b, span_of(sha1, sizeof sha1), HEX_UPPER, "");
	}
	if (cert_validity(der, &before, &after, NULL) == ST_OK) {
		time_iso(after, when);
		buf_printf(b, ", valid until %s", when);
	}
}

static void put_dialect(struct buf *b, struct tlv_dialect d)
{
	buf_str(b, tlv_style_text(d.style));
	if (d.style == TLV_STYLE_RFC4514 && d.separator != ',')
		buf_printf(b, " with '%c'", d.separator);
}

static bool put_text(struct buf *b, bool there, struct span value)
{
	buf_put(b, tlv_text(value));
	return there;
}

static bool put_version(struct buf *b, bool there, const uint8_t v[2])
{
	buf_printf(b, "%u.%u", (unsigned)v[0], (unsigned)v[1]);
	return there;
}

static bool put_signer_key(struct buf *b, const struct tlv_list *l)
{
	long i = tlv_list_signer(l);

	if (i >= 0)
		put_key(b, tlv_list_record(l, (size_t)i).public_key);
	return i >= 0;
}

static bool put_modulus(struct buf *b, const struct tlv_header *h)
{
	if (tlv_modulus_bits(h->modulus) > 0)
		buf_printf(b, "%u", tlv_modulus_bits(h->modulus));
	else
		buf_printf(b, "code %u", (unsigned)h->modulus);
	return tlv_header_has(h, TLV_H_SIGNATURE_MODULUS);
}

static bool put_digest(struct buf *b, const struct tlv_header *h)
{
	const struct tlv_digest_row *digest = tlv_digest_find(h->digest);

	if (digest != NULL)
		buf_str(b, digest->text);
	else
		buf_printf(b, "%u", (unsigned)h->digest);
	return tlv_header_has(h, TLV_H_DIGEST_ALGORITHM);
}

static bool put_timestamp(struct buf *b, const struct tlv_header *h)
{
	char when[32];

	time_iso(h->timestamp, when);
	buf_str(b, when);
	return tlv_header_has(h, TLV_H_TIMESTAMP);
}

/* For whom a value is: people get colons and units, as show prints them. */
enum reader { FOR_PEOPLE, FOR_JSON };

static void put_serial(struct buf *b, struct span s, enum reader who)
{
	if (who == FOR_PEOPLE)
		tlv_label_serial(b, s);
	else
		buf_hex(b, s, HEX_UPPER, "");
}

/* Appends what the list says; false where it says nothing. */
static bool header_value(enum diff_header f, const struct tlv_list *l, enum reader who,
			 struct buf *b)
{
	const struct tlv_header *h = &l->header;

	switch (f) {
	case DIFF_H_SIGNER_NAME:
		return put_text(b, tlv_header_has(h, TLV_H_SIGNER_NAME), h->signer_name);
	case DIFF_H_SIGNER_SERIAL:
		put_serial(b, h->signer_serial, who);
		return tlv_header_has(h, TLV_H_SERIAL_NUMBER);
	case DIFF_H_SIGNER_ISSUER:
		return put_text(b, tlv_header_has(h, TLV_H_CA_NAME), h->signer_issuer);
	case DIFF_H_SIGNER_KEY:
		return put_signer_key(b, l);
	case DIFF_H_SIGNATURE_BITS:
		return put_modulus(b, h);
	case DIFF_H_DIGEST:
		return put_digest(b, h);
	case DIFF_H_ALGORITHM:
		buf_printf(b, "%u", (unsigned)h->algorithm);
		return tlv_header_has(h, TLV_H_SIGNATURE_ALGORITHM);
	case DIFF_H_MODE:
		buf_str(b, tlv_list_is_non_secure(l) ? "non-secure" : "mixed");
		return true;
	case DIFF_H_STYLE:
		put_dialect(b, tlv_list_dialect(l));
		return true;
	case DIFF_H_FILENAME:
		return put_text(b, tlv_header_has(h, TLV_H_FILENAME), h->filename);
	case DIFF_H_VERSION:
		return put_version(b, tlv_header_has(h, TLV_H_VERSION), h->version);
	case DIFF_H_SIGNER_VERSION:
		return put_version(b, tlv_header_has(h, TLV_H_SIGNER_VERSION), h->signer_version);
	case DIFF_H_TIMESTAMP:
		return put_timestamp(b, h);
	case DIFF_H_SIZE:
		buf_printf(b, "%zu%s", l->bytes.n, who == FOR_PEOPLE ? " bytes" : "");
		return true;
	case DIFF_H_SIGNATURE:
	case DIFF_H_OTHER:
	case DIFF_HEADERS:
		break;
	}
	return false;
}

static bool put_record_key(struct buf *b, const struct tlv_record *r, bool size_only)
{
	struct span key = r->public_key;
	enum tlv_key_type type;
	struct tlv_cert c;

	if (key.n == 0 && tlv_cert_walk(r->certificate, &c, NULL) == ST_OK)
		key = c.public_key;
	if (size_only)
		buf_printf(b, "%u", tlv_key_bits(key, &type));
	else
		put_key(b, key);
	return key.n > 0;
}

static bool put_record_dialect(struct buf *b, const struct tlv_record *r)
{
	struct tlv_dialect d;

	if (tlv_record_dialect(r, &d) == 0)
		return false;
	put_dialect(b, d);
	return true;
}

static bool field_value(enum diff_field f, const struct tlv_record *r, enum reader who,
			struct buf *b)
{
	switch (f) {
	case DIFF_F_ROLE:
		tlv_label_role(b, r->role);
		return tlv_record_has(r, TLV_R_FUNCTION);
	case DIFF_F_NAME:
		return put_text(b, tlv_record_has(r, TLV_R_DNS_NAME), r->dns_name);
	case DIFF_F_ADDRESS:
		tlv_label_address(b, r->address);
		return tlv_record_has(r, TLV_R_IP_ADDRESS);
	case DIFF_F_SUBJECT:
		return put_text(b, tlv_record_has(r, TLV_R_SUBJECT_NAME), r->subject);
	case DIFF_F_ISSUER:
		return put_text(b, tlv_record_has(r, TLV_R_ISSUER_NAME), r->issuer);
	case DIFF_F_SERIAL:
		put_serial(b, r->serial, who);
		return tlv_record_has(r, TLV_R_SERIAL);
	case DIFF_F_KEY:
		return put_record_key(b, r, false);
	case DIFF_F_KEY_SIZE:
		return put_record_key(b, r, true);
	case DIFF_F_CERTIFICATE:
		put_certificate(b, r->certificate);
		return tlv_record_has(r, TLV_R_CERTIFICATE);
	case DIFF_F_HASH:
		buf_hex(b, r->hash, HEX_UPPER, "");
		return tlv_record_has(r, TLV_R_CERT_HASH);
	case DIFF_F_DIALECT:
		return put_record_dialect(b, r);
	case DIFF_F_OTHER:
	case DIFF_FIELDS:
		break;
	}
	return false;
}

/* The two values of a fact. */
struct values {
	struct buf old, new;
	bool has_old, has_new;
};

#define VALUES_INIT ((struct values){ .old = BUF_INIT, .new = BUF_INIT })

static struct values header_values(const struct diff *d, enum diff_header h, enum reader who)
{
	struct values v = VALUES_INIT;

	v.has_old = header_value(h, d->old, who, &v.old);
	v.has_new = header_value(h, d->new, who, &v.new);
	return v;
}

static struct values field_values(const struct diff *d, const struct diff_entry *x,
				  enum diff_field f, enum reader who)
{
	struct tlv_record a = tlv_list_record(d->old, x->old), b = tlv_list_record(d->new, x->new);
	struct values v = VALUES_INIT;

	v.has_old = field_value(f, &a, who, &v.old);
	v.has_new = field_value(f, &b, who, &v.new);
	return v;
}

static void values_free(struct values *v)
{
	buf_free(&v->old);
	buf_free(&v->new);
}

/* Where lines go; the first failure sticks. */
struct printer {
	const struct diff *d;
	diff_line_fn *line;
	void *arg;
	struct buf b;
	enum status st;
};

static void flush_line(struct printer *p, struct tlv_err *e)
{
	if (p->st == ST_OK)
		p->st = buf_failed(&p->b, e);
	if (p->st == ST_OK)
		p->line(p->arg, buf_cstr(&p->b));
	buf_truncate(&p->b, 0);
}

static void put_value(struct buf *b, bool there, const struct buf *value)
{
	if (there)
		safe_text(b, buf_span(value));
	else
		buf_str(b, "none");
}

/* "key: RSA 1024 bits -> RSA 2048 bits"; two values that read alike are said once. */
static void put_change(struct buf *b, const char *label, const struct values *v)
{
	buf_str(b, label);
	if (!v->has_old && !v->has_new) {
		buf_str(b, ": differ");
		return;
	}
	buf_str(b, ": ");
	if (v->has_old == v->has_new && span_eq(buf_span(&v->old), buf_span(&v->new))) {
		buf_str(b, "another one, also ");
		put_value(b, v->has_new, &v->new);
		return;
	}
	put_value(b, v->has_old, &v->old);
	buf_str(b, " -> ");
	put_value(b, v->has_new, &v->new);
}

/* The signature's size is the key's: one of them is enough. */
static bool is_told(const struct diff *d, enum diff_header h)
{
	return diff_header_differs(d, h) && header_rows[h].label != NULL &&
	       !(h == DIFF_H_SIGNATURE_BITS && diff_header_differs(d, DIFF_H_SIGNER_KEY));
}

static void print_header(struct printer *p, enum diff_header h, struct tlv_err *e)
{
	struct values v = header_values(p->d, h, FOR_PEOPLE);

	buf_str(&p->b, "header ");
	put_change(&p->b, header_rows[h].label, &v);
	if (h == DIFF_H_TIMESTAMP && p->d->timestamp_backwards)
		buf_str(&p->b, " (goes BACKWARDS)");
	if (h == DIFF_H_SIZE && p->d->new->bytes.n > TLV_PHONE_LIMIT)
		buf_str(&p->b, " (phones do not load more than 65536)");
	flush_line(p, e);
	values_free(&v);
}

static void print_field(struct printer *p, const struct diff_entry *x, enum diff_field f,
			struct tlv_err *e)
{
	struct values v = field_values(p->d, x, f, FOR_PEOPLE);

	buf_str(&p->b, "    ");
	put_change(&p->b, field_rows[f].label, &v);
	flush_line(p, e);
	values_free(&v);
}

/* "CAPF cucm-1051-a-pub 10.48.47.153 (CAPF-e41e7d87)": what a person knows the record by. */
static void put_title(struct buf *b, const struct tlv_record *r)
{
	struct buf label = BUF_INIT, name = BUF_INIT;

	tlv_label_place(b, r);
	tlv_label_record(&label, r);
	safe_text(&name, tlv_text(r->dns_name));
	if (label.n > 0 && !span_eq(buf_span(&label), buf_span(&name))) {
		buf_str(b, " (");
		buf_put(b, buf_span(&label));
		buf_str(b, ")");
	}
	buf_free(&label);
	buf_free(&name);
}

static struct tlv_record shown_record(const struct diff *d, const struct diff_entry *x)
{
	return x->new != DIFF_NO_RECORD ? tlv_list_record(d->new, x->new) :
					  tlv_list_record(d->old, x->old);
}

static void print_entry(struct printer *p, const struct diff_entry *x, struct tlv_err *e)
{
	struct tlv_record r = shown_record(p->d, x);

	if (x->new != DIFF_NO_RECORD)
		buf_printf(&p->b, "record %zu %s: ", x->new + 1, kind_texts[x->kind]);
	else
		buf_printf(&p->b, "old record %zu %s: ", x->old + 1, kind_texts[x->kind]);
	put_title(&p->b, &r);
	if (x->moved)
		buf_printf(&p->b, ", was record %zu", x->old + 1);
	flush_line(p, e);
	for (int f = 0; f < DIFF_FIELDS; f++)
		if (diff_field_differs(x, (enum diff_field)f) && field_rows[f].label != NULL)
			print_field(p, x, (enum diff_field)f, e);
}

static void put_counts(struct buf *b, const struct diff *d)
{
	/* The news first, what stays last. */
	static const enum diff_kind order[] = { DIFF_RENEWED, DIFF_CHANGED, DIFF_ADDED,
						DIFF_REMOVED, DIFF_MOVED,   DIFF_SAME };
	const char *between = "";

	for (size_t i = 0; i < COUNT(order); i++) {
		if (d->count[order[i]] == 0)
			continue;
		buf_printf(b, "%s%zu %s%s", between, d->count[order[i]],
			   order[i] == DIFF_SAME ? "the " : "", kind_texts[order[i]]);
		between = ", ";
	}
}

static void put_labels(struct buf *b, const struct diff *d)
{
	const char *between = "; header: ";

	for (int h = 0; h < DIFF_HEADERS; h++)
		if (is_told(d, (enum diff_header)h)) {
			buf_printf(b, "%s%s", between, header_rows[h].label);
			between = ", ";
		}
}

static void put_summary(struct buf *b, const struct diff *d)
{
	if (d->same) {
		buf_str(b, "same: every byte");
		return;
	}
	buf_str(b, "different: ");
	put_counts(b, d);
	if (d->signed_again)
		buf_str(b, "; signed again and nothing else");
	else
		put_labels(b, d);
}

enum status diff_print(const struct diff *d, diff_line_fn *line, void *arg, struct tlv_err *e)
{
	struct printer p = { .d = d, .line = line, .arg = arg, .b = BUF_INIT };

	for (int h = 0; h < DIFF_HEADERS; h++)
		if (is_told(d, (enum diff_header)h))
			print_header(&p, (enum diff_header)h, e);
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].kind != DIFF_SAME)
			print_entry(&p, &d->v[i], e);
	put_summary(&p.b, d);
	flush_line(&p, e);
	buf_free(&p.b);
	return p.st;
}

static void set(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

static void set_value(json_t *o, const char *key, bool there, const struct buf *value)
{
	if (there)
		out_json_set_text(o, key, buf_span(value));
	else
		set(o, key, json_null());
}

static json_t *change_json(const char *what, const struct values *v)
{
	json_t *o = json_object();

	set(o, "what", json_string(what));
	set_value(o, "old", v->has_old, &v->old);
	set_value(o, "new", v->has_new, &v->new);
	return o;
}

static json_t *header_json(const struct diff *d)
{
	json_t *a = json_array();

	for (int h = 0; h < DIFF_HEADERS; h++) {
		struct values v;

		if (!diff_header_differs(d, (enum diff_header)h))
			continue;
		v = header_values(d, (enum diff_header)h, FOR_JSON);
		(void)json_array_append_new(a, change_json(header_rows[h].key, &v));
		values_free(&v);
	}
	return a;
}

static json_t *changes_json(const struct diff *d, const struct diff_entry *x)
{
	json_t *a = json_array();

	for (int f = 0; f < DIFF_FIELDS; f++) {
		struct values v;

		if (!diff_field_differs(x, (enum diff_field)f))
			continue;
		v = field_values(d, x, (enum diff_field)f, FOR_JSON);
		(void)json_array_append_new(a, change_json(field_rows[f].key, &v));
		values_free(&v);
	}
	return a;
}

static json_t *number_json(size_t index)
{
	return index != DIFF_NO_RECORD ? json_integer((json_int_t)index + 1) : json_null();
}

static json_t *entry_json(const struct diff *d, const struct diff_entry *x)
{
	static const enum diff_field facts[] = { DIFF_F_ROLE, DIFF_F_NAME, DIFF_F_ADDRESS,
						 DIFF_F_SUBJECT, DIFF_F_SERIAL };
	struct tlv_record r = shown_record(d, x);
	json_t *o = json_object();

	set(o, "kind", json_string(kind_texts[x->kind]));
	set(o, "old", number_json(x->old));
	set(o, "new", number_json(x->new));
	set(o, "moved", json_boolean(x->moved));
	for (size_t i = 0; i < COUNT(facts); i++) {
		struct buf b = BUF_INIT;
		bool there = field_value(facts[i], &r, FOR_JSON, &b);

		set_value(o, field_rows[facts[i]].key, there, &b);
		buf_free(&b);
	}
	set(o, "changes", changes_json(d, x));
	return o;
}

json_t *diff_json(const struct diff *d)
{
	json_t *o = json_object(), *counts = json_object(), *records = json_array();

	for (int k = 0; k < DIFF_KINDS; k++)
		set(counts, kind_texts[k], json_integer((json_int_t)d->count[k]));
	for (size_t i = 0; i < d->n; i++)
		(void)json_array_append_new(records, entry_json(d, &d->v[i]));
	set(o, "same", json_boolean(d->same));
	set(o, "signed_again", json_boolean(d->signed_again));
	set(o, "timestamp_backwards", json_boolean(d->timestamp_backwards));
	set(o, "header", header_json(d));
	set(o, "records", records);
	set(o, "counts", counts);
	return o;
}
