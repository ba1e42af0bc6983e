/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/out.h"
#include "signer/list/diff_fact.h"
#include "tlv/label.h"
#include "tlv/safe.h"
#include "tlv/text.h"

static const char *const kind_texts[] = {
#define DIFF_KIND(NAME, text) [DIFF_##NAME] = (text),
#include "signer/list/diff.def"
#undef DIFF_KIND
};

const char *diff_kind_text(enum diff_kind kind)
{
	return kind < DIFF_KINDS ? kind_texts[kind] : "";
}

const char *diff_known_text(const struct diff *d)
{
	static const char *const texts[] = {
		[DIFF_KNOWN_BYTES] = "every byte",
		[DIFF_KNOWN_CHECKSUM] = "every byte, as the SHA-1 of both says",
		[DIFF_KNOWN_TEXT] =
			"all that is printed; without checksums of both the rest is not known",
	};

	return texts[d->known];
}

/* The two values of a fact. */
struct values {
	struct buf old, new;
	bool has_old, has_new;
};

#define VALUES_INIT ((struct values){ .old = BUF_INIT, .new = BUF_INIT })

static struct values header_values(const struct diff *d, enum diff_header h, enum diff_reader who)
{
	const struct diff_header_row *row = diff_header_row(h);
	struct values v = VALUES_INIT;

	if (row->put != NULL) {
		v.has_old = row->put(d->old, who, &v.old);
		v.has_new = row->put(d->new, who, &v.new);
	}
	return v;
}

static struct values field_values(const struct diff *d, const struct diff_entry *x,
				  enum diff_field f, enum diff_reader who)
{
	struct diff_record a = diff_record_of(d->old, x->old), b = diff_record_of(d->new, x->new);
	const struct diff_field_row *row = diff_field_row(f);
	struct values v = VALUES_INIT;

	if (row->put != NULL) {
		v.has_old = row->put(&a, who, &v.old);
		v.has_new = row->put(&b, who, &v.new);
	}
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

/*
 * One size is enough: the signature's is the key's. A respelled name is told together with the
 * style.
 */
static bool is_told(const struct diff *d, enum diff_header h)
{
	return diff_header_differs(d, h) && diff_header_row(h)->label != NULL &&
	       (d->respelled >> (unsigned)h & 1U) == 0 &&
	       !(h == DIFF_H_SIGNATURE_BITS && diff_header_differs(d, DIFF_H_SIGNER_KEY));
}

static bool is_field_told(const struct diff_entry *x, enum diff_field f)
{
	return diff_field_differs(x, f) && diff_field_row(f)->label != NULL &&
	       (x->respelled >> (unsigned)f & 1U) == 0;
}

static const char *header_label(int h)
{
	return diff_header_row((enum diff_header)h)->label;
}

static const char *header_key(int h)
{
	return diff_header_row((enum diff_header)h)->key;
}

static const char *field_label(int f)
{
	return diff_field_row((enum diff_field)f)->label;
}

static const char *field_key(int f)
{
	return diff_field_row((enum diff_field)f)->key;
}

/* "dialect: cucm -> rfc4514 (spells subject, issuer in another way)" */
static void put_spelling(struct buf *b, const char *label, const struct values *v,
			 uint32_t respelled, const char *(*name)(int))
{
	bool changes = v->has_old != v->has_new || !span_eq(buf_span(&v->old), buf_span(&v->new));
	const char *between = "";

	if (changes)
		put_change(b, label, v);
	else
		buf_printf(b, "%s: the same", label);
	if (respelled == 0)
		return;
	buf_str(b, " (spells ");
	for (int i = 0; respelled >> (unsigned)i != 0; i++)
		if ((respelled >> (unsigned)i & 1U) != 0) {
			buf_printf(b, "%s%s", between, name(i));
			between = ", ";
		}
	buf_str(b, " in another way)");
}

static void print_header(struct printer *p, enum diff_header h, struct tlv_err *e)
{
	struct values v = header_values(p->d, h, DIFF_FOR_PEOPLE);

	buf_str(&p->b, "header ");
	if (h == DIFF_H_STYLE)
		put_spelling(&p->b, diff_header_row(h)->label, &v, p->d->respelled, header_label);
	else
		put_change(&p->b, diff_header_row(h)->label, &v);
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
	struct values v = field_values(p->d, x, f, DIFF_FOR_PEOPLE);

	buf_str(&p->b, "    ");
	if (f == DIFF_F_DIALECT)
		put_spelling(&p->b, diff_field_row(f)->label, &v, x->respelled, field_label);
	else
		put_change(&p->b, diff_field_row(f)->label, &v);
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

static struct diff_record shown_record(const struct diff *d, const struct diff_entry *x)
{
	return x->new != DIFF_NO_RECORD ? diff_record_of(d->new, x->new) :
					  diff_record_of(d->old, x->old);
}

static void print_entry(struct printer *p, const struct diff_entry *x, struct tlv_err *e)
{
	struct diff_record r = shown_record(p->d, x);

	if (x->new != DIFF_NO_RECORD)
		buf_printf(&p->b, "record %zu %s: ", x->new + 1, kind_texts[x->kind]);
	else
		buf_printf(&p->b, "old record %zu %s: ", x->old + 1, kind_texts[x->kind]);
	put_title(&p->b, &r.r);
	if (x->moved)
		buf_printf(&p->b, ", was record %zu", x->old + 1);
	flush_line(p, e);
	for (int f = 0; f < DIFF_FIELDS; f++)
		if (is_field_told(x, (enum diff_field)f))
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
			buf_printf(b, "%s%s", between, diff_header_row((enum diff_header)h)->label);
			between = ", ";
		}
}

static void put_summary(struct buf *b, const struct diff *d)
{
	if (d->same) {
		buf_printf(b, "same: %s", diff_known_text(d));
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

static void set_value(json_t *o, const char *key, bool there, const struct buf *value)
{
	if (there)
		out_json_set_text(o, key, buf_span(value));
	else
		out_json_set(o, key, json_null());
}

static json_t *change_json(const char *what, const struct values *v)
{
	json_t *o = json_object();

	out_json_set(o, "what", json_string(what));
	set_value(o, "old", v->has_old, &v->old);
	set_value(o, "new", v->has_new, &v->new);
	return o;
}

/* What the new style spells in another way, at the change that says so. */
static void set_respelled(json_t *o, uint32_t respelled, const char *(*key)(int))
{
	json_t *names = json_array();

	for (int i = 0; respelled >> (unsigned)i != 0; i++)
		if ((respelled >> (unsigned)i & 1U) != 0)
			(void)json_array_append_new(names, json_string(key(i)));
	out_json_set(o, "respelled", names);
}

static json_t *header_json(const struct diff *d)
{
	uint32_t told = d->header & ~d->respelled;
	json_t *a = json_array(), *o;

	for (int h = 0; h < DIFF_HEADERS; h++) {
		struct values v;

		if ((told >> (unsigned)h & 1U) == 0)
			continue;
		v = header_values(d, (enum diff_header)h, DIFF_FOR_JSON);
		o = change_json(header_key(h), &v);
		if (h == DIFF_H_STYLE)
			set_respelled(o, d->respelled, header_key);
		(void)json_array_append_new(a, o);
		values_free(&v);
	}
	return a;
}

static json_t *changes_json(const struct diff *d, const struct diff_entry *x)
{
	uint32_t told = x->fields & ~x->respelled;
	json_t *a = json_array(), *o;

	for (int f = 0; f < DIFF_FIELDS; f++) {
		struct values v;

		if ((told >> (unsigned)f & 1U) == 0)
			continue;
		v = field_values(d, x, (enum diff_field)f, DIFF_FOR_JSON);
		o = change_json(field_key(f), &v);
		if (f == DIFF_F_DIALECT)
			set_respelled(o, x->respelled, field_key);
		(void)json_array_append_new(a, o);
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
	struct diff_record r = shown_record(d, x);
	json_t *o = json_object();

	out_json_set(o, "kind", json_string(kind_texts[x->kind]));
	out_json_set(o, "old", number_json(x->old));
	out_json_set(o, "new", number_json(x->new));
	out_json_set(o, "moved", json_boolean(x->moved));
	for (size_t i = 0; i < COUNT(facts); i++) {
		struct buf b = BUF_INIT;
		bool there = diff_field_row(facts[i])->put(&r, DIFF_FOR_JSON, &b);

		set_value(o, diff_field_row(facts[i])->key, there, &b);
		buf_free(&b);
	}
	out_json_set(o, "changes", changes_json(d, x));
	return o;
}

json_t *diff_json(const struct diff *d)
{
	static const char *const known[] = { "bytes", "checksum", "text" };
	json_t *o = json_object(), *counts = json_object(), *records = json_array();

	for (int k = 0; k < DIFF_KINDS; k++)
		out_json_set(counts, kind_texts[k], json_integer((json_int_t)d->count[k]));
	for (size_t i = 0; i < d->n; i++)
		(void)json_array_append_new(records, entry_json(d, &d->v[i]));
	out_json_set(o, "same", json_boolean(d->same));
	out_json_set(o, "known", json_string(known[d->known]));
	out_json_set(o, "signed_again", json_boolean(d->signed_again));
	out_json_set(o, "timestamp_backwards", json_boolean(d->timestamp_backwards));
	out_json_set(o, "header", header_json(d));
	out_json_set(o, "records", records);
	out_json_set(o, "counts", counts);
	return o;
}
