/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/name.h"

#include "tlv/der.h"
#include "tlv/text.h"

struct attr_row {
	struct span oid;
	const char *keyword;
	unsigned rank;
	bool rfc4514;
};

static const struct attr_row attr_rows[] = {
#define ATTR(oid, keyword, rank, rfc4514) \
	{ { (const uint8_t *)(oid), sizeof(oid) - 1 }, keyword, rank, rfc4514 },
#include "tlv/attrs.def"
#undef ATTR
};

enum { RANK_MAX = 6, ATTRS_MAX = 256 };

bool tlv_name_oid(struct span keyword, struct span *oid)
{
	for (size_t i = 0; i < COUNT(attr_rows); i++) {
		struct span own = span_str(attr_rows[i].keyword);

		if (own.n == keyword.n && span_starts_nocase(own, keyword)) {
			*oid = attr_rows[i].oid;
			return true;
		}
	}
	return false;
}

/* One AttributeTypeAndValue. */
struct attr {
	struct span oid;
	struct der value;
	const struct attr_row *row; /* NULL: no keyword */
};

static const struct attr_row *row_of(struct span oid)
{
	for (size_t i = 0; i < COUNT(attr_rows); i++)
		if (span_eq(attr_rows[i].oid, oid))
			return &attr_rows[i];
	return NULL;
}

static bool read_attr(struct cursor *rdn, struct attr *out)
{
	struct der pair, oid;
	struct cursor c;

	if (!der_expect(rdn, DER_SEQUENCE, &pair))
		return false;
	c = cursor_of(pair.value);
	if (!der_expect(&c, DER_OID, &oid) || oid.value.n == 0 || !der_next(&c, &out->value) ||
	    c.rest.n != 0)
		return false;
	out->oid = oid.value;
	out->row = row_of(oid.value);
	return true;
}

/*
 * Reads the attributes in certificate order, also those of one RDN. -1: it is no Name, or has too
 * many.
 */
static int read_attrs(struct span name, struct attr attrs[ATTRS_MAX])
{
	struct cursor c = cursor_of(name), rdns, rdn;
	struct der whole, set;
	int n = 0;

	if (!der_expect(&c, DER_SEQUENCE, &whole) || c.rest.n != 0)
		return -1;
	for (rdns = cursor_of(whole.value); rdns.rest.n > 0;) {
		if (!der_expect(&rdns, DER_SET, &set) || set.value.n == 0)
			return -1;
		for (rdn = cursor_of(set.value); rdn.rest.n > 0; n++)
			if (n == ATTRS_MAX || !read_attr(&rdn, &attrs[n]))
				return -1;
	}
	return n;
}

/* Characters of a fixed width: Latin-1, UCS-2 (with surrogate pairs), UCS-4. */
static bool put_wide(struct buf *b, struct span s, size_t width)
{
	struct cursor c = cursor_of(s), ahead;
	struct span unit;
	uint32_t u;
	uint16_t low;

	while (cursor_take(&c, width, &unit)) {
		u = span_be(unit);
		ahead = c;
		if (width == 2 && u >= 0xd800 && u <= 0xdbff && cursor_u16(&ahead, &low) &&
		    low >= 0xdc00 && low <= 0xdfff) {
			u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00U);
			c = ahead;
		}
		if (!buf_utf8(b, u))
			return false;
	}
	return c.rest.n == 0;
}

/* The value as UTF-8; false if its bytes are not valid in its type or the type is no text. */
static bool put_text(struct buf *b, const struct der *v)
{
	switch (v->tag) {
	case DER_UTF8_STRING:
		buf_put(b, v->value);
		return span_is_utf8(v->value);
	case DER_NUMERIC_STRING:
	case DER_PRINTABLE_STRING:
	case DER_IA5_STRING:
	case DER_VISIBLE_STRING:
		buf_put(b, v->value);
		return span_is_ascii(v->value);
	case DER_T61_STRING:
		return put_wide(b, v->value, 1);
	case DER_BMP_STRING:
		return put_wide(b, v->value, 2);
	case DER_UNIVERSAL_STRING:
		return put_wide(b, v->value, 4);
	default:
		return false;
	}
}

/* Dotted decimal; the first byte group holds two arcs (X.690 8.19.4). */
static bool put_oid(struct buf *b, struct span oid)
{
	uint64_t arc = 0;
	bool first = true;

	for (size_t i = 0; i < oid.n; i++) {
		int byte = span_at(oid, i);

		if (arc > UINT64_MAX >> 8)
			return false;
		arc = arc << 7 | ((unsigned)byte & 0x7fU);
		if ((byte & 0x80) != 0)
			continue;
		if (first) {
			uint64_t top = arc < 80 ? arc / 40 : 2;

			buf_printf(b, "%llu.", (unsigned long long)top);
			arc -= top * 40;
		}
		buf_printf(b, first ? "%llu" : ".%llu", (unsigned long long)arc);
		first = false;
		arc = 0;
	}
	return (span_at(oid, oid.n - 1) & 0x80) == 0;
}

static enum status not_expressible(struct tlv_err *e, const struct attr *a, const char *what)
{
	return err_set(e, ST_INPUT, "name: %s: %s", a->row != NULL ? a->row->keyword : "attribute",
		       what);
}

static bool is_string_type(uint8_t tag)
{
	static const uint8_t types[] = { DER_UTF8_STRING,      DER_NUMERIC_STRING,
					 DER_PRINTABLE_STRING, DER_T61_STRING,
					 DER_IA5_STRING,       DER_VISIBLE_STRING,
					 DER_UNIVERSAL_STRING, DER_BMP_STRING };

	return span_has(span_of(types, sizeof types), tag);
}

/* Text, or '#' and the DER in hex for what has no string form (RFC 4514 2.4); *text says which. */
static enum status put_value(struct buf *b, const struct attr *a, bool *text, struct tlv_err *e)
{
	*text = is_string_type(a->value.tag);
	if (*text && !put_text(b, &a->value))
		return not_expressible(e, a, "bytes that its string type does not allow");
	if (!*text) {
		buf_u8(b, '#');
		buf_hex(b, a->value.raw, HEX_LOWER, "");
	}
	return ST_OK;
}

enum keyword_form { KEYWORD_UPPER, KEYWORD_LOWER, KEYWORD_RFC4514 };

static enum status put_keyword(struct buf *b, const struct attr *a, enum keyword_form form,
			       struct tlv_err *e)
{
	if (a->row == NULL || (form == KEYWORD_RFC4514 && !a->row->rfc4514)) {
		if (!put_oid(b, a->oid))
			return err_set(e, ST_INPUT, "name: an attribute type is malformed");
	} else {
		for (const char *k = a->row->keyword; *k != '\0'; k++)
			buf_u8(b, (uint8_t)(form == KEYWORD_LOWER ? *k | 0x20 : *k));
	}
	buf_u8(b, '=');
	return ST_OK;
}

/* A name under construction. */
struct name_out {
	struct buf *b;
	char separator;
	bool ended;	  /* nothing more is to be written */
	struct buf value; /* of the attribute that is being written; owned */
	struct tlv_err *e;
};

typedef enum status put_attr_fn(struct name_out *o, const struct attr *a, struct span v, bool text);

static enum status put_server_attr(struct name_out *o, const struct attr *a, struct span v,
				   bool text)
{
	(void)text;
	if (span_has(v, 0))
		return not_expressible(o->e, a, "a NUL inside, which ends the name in a list");
	if (span_has(v, ';'))
		return not_expressible(o->e, a,
				       "a ';' inside, which separates attributes in this style");
	if (put_keyword(o->b, a, KEYWORD_UPPER, o->e) != ST_OK)
		return ST_INPUT;
	buf_put(o->b, v);
	return ST_OK;
}

/*
 * The CTL Client ends the string at the first comma or NUL inside a value, and
 * loses the closing quote with the rest.
 */
static enum status put_token_attr(struct name_out *o, const struct attr *a, struct span v,
				  bool text)
{
	bool quoted =
		span_at(v, 0) == ' ' || (v.n > 0 && span_at(v, v.n - 1) == ' ') || span_has(v, ',');
	size_t n = 0;

	(void)text;
	while (n < v.n && span_at(v, n) != ',' && span_at(v, n) != 0)
		n++;
	o->ended = n < v.n;
	v = span_slice(v, 0, n);
	if (span_has(v, ';'))
		return not_expressible(o->e, a,
				       "a ';' inside, which separates attributes in this style");
	if (put_keyword(o->b, a, KEYWORD_LOWER, o->e) != ST_OK)
		return ST_INPUT;
	buf_str(o->b, quoted ? "\"" : "");
	buf_put(o->b, v);
	buf_str(o->b, quoted && !o->ended ? "\"" : "");
	return ST_OK;
}

static bool rfc4514_escaped(struct span v, size_t i)
{
	int c = span_at(v, i);

	if (c == ' ')
		return i == 0 || i == v.n - 1;
	return (c == '#' && i == 0) || span_has(SPAN_LIT("\\\"+,;<>"), (uint8_t)c);
}

static enum status put_rfc4514_attr(struct name_out *o, const struct attr *a, struct span v,
				    bool text)
{
	if (span_has(v, 0))
		return not_expressible(o->e, a, "a NUL inside, which ends the name in a list");
	if (put_keyword(o->b, a, KEYWORD_RFC4514, o->e) != ST_OK)
		return ST_INPUT;
	for (size_t i = 0; i < v.n; i++) {
		if (text && rfc4514_escaped(v, i))
			buf_u8(o->b, '\\');
		buf_u8(o->b, (uint8_t)span_at(v, i));
	}
	return ST_OK;
}

static const struct {
	put_attr_fn *put;
	bool ranked; /* fixed order of the ranks, else certificate order */
	bool rest;   /* … and behind them those without a rank */
} forms[] = {
	[TLV_NAME_SERVER] = { put_server_attr, true, false },
	[TLV_NAME_TOKEN] = { put_token_attr, true, true },
	[TLV_NAME_RFC4514] = { put_rfc4514_attr, false, false },
	[TLV_NAME_SERVER_0] = { put_server_attr, true, true },
};

static enum status put_attr(struct name_out *o, const struct attr *a, put_attr_fn *put, bool first)
{
	bool text;
	enum status st;

	if (!first)
		buf_u8(o->b, (uint8_t)o->separator);
	buf_truncate(&o->value, 0);
	st = put_value(&o->value, a, &text, o->e);
	if (st == ST_OK)
		st = buf_failed(&o->value, o->e);
	return st == ST_OK ? put(o, a, buf_span(&o->value), text) : st;
}

/* Those of one rank, in certificate order; every attribute if rank is negative. */
static enum status put_rank(struct name_out *o, const struct attr *attrs, int n, int rank,
			    put_attr_fn *put, size_t start)
{
	enum status st = ST_OK;

	for (int i = 0; i < n && st == ST_OK && !o->ended; i++) {
		int own = attrs[i].row != NULL ? (int)attrs[i].row->rank : 0;

		if (rank < 0 || rank == own)
			st = put_attr(o, &attrs[i], put, o->b->n == start);
	}
	return st;
}

static enum status put_ranks(struct name_out *o, const struct attr *attrs, int n,
			     enum tlv_name_form form)
{
	size_t start = o->b->n;
	enum status st = ST_OK;

	if (!forms[form].ranked)
		return put_rank(o, attrs, n, -1, forms[form].put, start);
	o->separator = ';';
	for (int rank = 1; rank <= RANK_MAX && st == ST_OK; rank++)
		st = put_rank(o, attrs, n, rank, forms[form].put, start);
	if (st == ST_OK && forms[form].rest)
		st = put_rank(o, attrs, n, 0, forms[form].put, start);
	return st;
}

enum status tlv_name_write(struct buf *out, struct span name, enum tlv_name_form form,
			   char separator, struct tlv_err *e)
{
	struct name_out o = { .b = out, .separator = separator, .e = e };
	struct attr attrs[ATTRS_MAX];
	enum status st;
	int n = read_attrs(name, attrs);

	if (n < 0)
		return err_set(e, ST_INPUT,
			       "name: not a distinguished name, or of over %d attributes",
			       ATTRS_MAX);
	st = put_ranks(&o, attrs, n, form);
	buf_free(&o.value);
	return st;
}

bool tlv_name_cn(struct span name, struct buf *out)
{
	struct attr attrs[ATTRS_MAX];
	int n = read_attrs(name, attrs);

	while (n-- > 0)
		if (attrs[n].row != NULL && attrs[n].row->rank == 1)
			return put_text(out, &attrs[n].value);
	return false;
}

bool tlv_name_is_open(struct span name)
{
	struct attr attrs[ATTRS_MAX];
	int n = read_attrs(name, attrs);

	while (n-- > 0)
		if (attrs[n].row == NULL || attrs[n].row->rank == 0)
			return true;
	return false;
}

/* The value as text, or as its bytes if it is none. */
static void put_comparable(struct buf *b, const struct attr *a)
{
	size_t start = b->n;

	if (is_string_type(a->value.tag) && put_text(b, &a->value))
		return;
	buf_truncate(b, start);
	buf_put(b, a->value.raw);
}

static bool same_attr(const struct attr *a, const struct attr *b)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	bool same;

	put_comparable(&x, a);
	put_comparable(&y, b);
	same = span_eq(a->oid, b->oid) && buf_failed(&x, NULL) == ST_OK &&
	       buf_failed(&y, NULL) == ST_OK && span_eq(buf_span(&x), buf_span(&y));
	buf_free(&x);
	buf_free(&y);
	return same;
}

bool tlv_name_same(struct span a, struct span b)
{
	struct attr x[ATTRS_MAX], y[ATTRS_MAX];
	int n = read_attrs(a, x), left = read_attrs(b, y);

	if (n <= 0 || n != left)
		return false;
	/* What was found goes, so that each stands for one only. */
	for (int i = 0; i < n; i++) {
		int k = 0;

		while (k < left && !same_attr(&x[i], &y[k]))
			k++;
		if (k == left)
			return false;
		y[k] = y[--left];
	}
	return true;
}
