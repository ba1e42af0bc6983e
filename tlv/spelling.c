/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/spelling.h"

#include "tlv/der.h"
#include "tlv/name.h"
#include "tlv/text.h"

enum { KEYWORD_MAX = 32 /* more than the longest of attrs.def and its '=' */ };

struct attribute {
	struct span key;
	struct buf value; /* owned, without quotes and escapes */
};

struct spelling {
	struct attribute v[SPELLING_ATTRIBUTES_MAX];
	size_t n;
	bool more; /* than there is room for */
};

/* Where the next separator is that no quote and no escape hides; s.n if there is none. */
static size_t find_end(struct span s, char separator)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		int c = span_at(s, i);

		if (c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == separator && !quoted)
			return i;
	}
	return s.n;
}

/* CUCM and the CTL Client put ';', whatever commas the values have. */
static char separator_of(struct span s)
{
	return find_end(s, ';') < s.n ? ';' : ',';
}

static void put_value(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		int c = span_at(s, i), high = hex_digit(span_at(s, i + 1)),
		    low = hex_digit(span_at(s, i + 2));

		if (c == '"')
			continue;
		if (c == '\\' && high >= 0 && low >= 0) {
			c = high << 4 | low;
			i += 2;
		} else if (c == '\\' && i + 1 < s.n) {
			c = span_at(s, ++i);
		}
		buf_u8(out, (uint8_t)c);
	}
}

static void take(struct spelling *x, struct span part)
{
	size_t equals = 0;

	if (x->n == SPELLING_ATTRIBUTES_MAX) {
		x->more = true;
		return;
	}
	while (equals < part.n && span_at(part, equals) != '=')
		equals++;
	x->v[x->n].key = span_slice(part, 0, equals);
	x->v[x->n].value = BUF_INIT;
	put_value(&x->v[x->n++].value, span_slice(part, equals + 1, part.n));
}

static void parse(struct spelling *x, struct span s)
{
	char separator = separator_of(s);

	x->n = 0;
	x->more = false;
	while (s.n > 0 && !x->more) {
		size_t n = find_end(s, separator);

		take(x, span_slice(s, 0, n));
		s = span_slice(s, n + 1, s.n);
	}
}

static struct span key_of(struct span part)
{
	return span_slice(part, 0, find_end(part, '='));
}

static bool begins_attribute(struct span s)
{
	struct span begin = span_slice(s, 0, KEYWORD_MAX), key = key_of(begin), oid;

	return key.n < begin.n && tlv_name_oid(key, &oid);
}

/* Where another attribute of the same RDN begins, as in "CN=y+OU=x"; s.n if there is none. */
static size_t find_plus(struct span s)
{
	size_t at = find_end(s, '+');

	while (at < s.n && !begins_attribute(span_slice(s, at + 1, s.n)))
		at += 1 + find_end(span_slice(s, at + 1, s.n), '+');
	return at;
}

static bool has_key(struct span part, struct span key)
{
	struct span own = key_of(part);

	return own.n == key.n && own.n < part.n && span_starts_nocase(own, key);
}

bool spelling_value(struct span text, struct span key, struct buf *out)
{
	char separator = separator_of(text);

	for (int i = 0; i < SPELLING_ATTRIBUTES_MAX && text.n > 0; i++) {
		struct span part = span_slice(text, 0, find_end(text, separator));

		part = span_slice(part, 0, find_plus(part));
		if (has_key(part, key)) {
			put_value(out, span_slice(part, key.n + 1, part.n));
			return true;
		}
		text = span_slice(text, part.n + 1, text.n);
	}
	return false;
}

static bool same_attribute(const struct attribute *a, const struct attribute *b)
{
	return a->key.n == b->key.n && span_starts_nocase(a->key, b->key) &&
	       span_eq(buf_span(&a->value), buf_span(&b->value));
}

static size_t count(const struct spelling *x, const struct attribute *a)
{
	size_t n = 0;

	for (size_t i = 0; i < x->n; i++)
		n += same_attribute(&x->v[i], a);
	return n;
}

/* True if memory has run out on the way, too. */
static bool is_cut(const struct spelling *x)
{
	bool cut = x->more;

	for (size_t i = 0; i < x->n; i++)
		cut = cut || x->v[i].value.failed != ST_OK;
	return cut;
}

static void spelling_free(struct spelling *x)
{
	for (size_t i = 0; i < x->n; i++)
		buf_free(&x->v[i].value);
}

bool spelling_same(struct span a, struct span b)
{
	struct spelling x, y;
	bool same;

	parse(&x, a);
	parse(&y, b);
	same = x.n == y.n && !is_cut(&x) && !is_cut(&y);
	for (size_t i = 0; same && i < x.n; i++)
		same = count(&x, &x.v[i]) == count(&y, &x.v[i]);
	spelling_free(&x);
	spelling_free(&y);
	return same;
}

static void put_attribute(struct buf *out, struct span oid, struct span value)
{
	struct buf pair = BUF_INIT, set = BUF_INIT;

	der_put(&pair, DER_OID, oid);
	der_put(&pair, DER_UTF8_STRING, value);
	der_wrap(&set, DER_SEQUENCE, &pair);
	der_wrap(out, DER_SET, &set);
}

void spelling_put_name(struct buf *out, struct span text)
{
	struct buf name = BUF_INIT;
	struct spelling x;
	struct span oid;

	parse(&x, text);
	for (size_t i = 0; i < x.n; i++)
		if (x.v[i].value.failed != ST_OK)
			name.failed = x.v[i].value.failed;
		else if (tlv_name_oid(x.v[i].key, &oid))
			put_attribute(&name, oid, buf_span(&x.v[i].value));
	if (name.n == 0 && tlv_name_oid(SPAN_LIT("CN"), &oid))
		put_attribute(&name, oid, text);
	der_wrap(out, DER_SEQUENCE, &name);
	spelling_free(&x);
}
