/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/known.h"

#include <stdlib.h>
#include <string.h>

#include "tlv/text.h"

/* A SHA-1 has 20 bytes, and so has the longest serial number (RFC 5280, 4.1.2.2). */
enum { DIGITS_MAX = 40, MD5_DIGITS = 32 };

static enum status add_key(struct known_keys *keys, struct buf *digits, size_t list,
			   const char *what, struct tlv_err *e)
{
	if (buf_failed(digits, NULL) != ST_OK || !ARRAY_ROOM(keys->v, keys->n, keys->cap)) {
		buf_free(digits);
		return err_nomem(e);
	}
	keys->v[keys->n++] = (struct known_key){ .digits = *digits, .list = list, .what = what };
	return ST_OK;
}

static enum status add_checksum(struct known *k, const char *digits, const char *what,
				struct tlv_err *e)
{
	struct buf b = BUF_INIT;

	if (*digits == '\0')
		return ST_OK;
	buf_str(&b, digits);
	return add_key(&k->checksums, &b, k->n - 1, what, e);
}

/* Digits of whole bytes, without zero bytes in front. */
static struct span serial_digits(struct span digits)
{
	while (digits.n > 2 && digits.n % 2 == 0 && span_starts(digits, SPAN_LIT("00")))
		digits = span_slice(digits, 2, digits.n);
	return digits;
}

static struct span without_zeros_in_front(struct span s)
{
	while (s.n > 1 && span_at(s, 0) == 0)
		s = span_slice(s, 1, s.n);
	return s;
}

/*
 * The CTL Client writes a token's serial number back to front; zeros in front get lost on the way.
 */
static enum status add_serial(struct known *k, struct span serial, struct tlv_err *e)
{
	struct buf straight = BUF_INIT, turned = BUF_INIT, digits = BUF_INIT;
	bool same;
	enum status st;

	if (serial.n == 0)
		return ST_OK;
	buf_put_reversed(&turned, serial);
	buf_hex(&straight, without_zeros_in_front(serial), HEX_LOWER, "");
	buf_hex(&digits, without_zeros_in_front(buf_span(&turned)), HEX_LOWER, "");
	same = span_eq(buf_span(&straight), buf_span(&digits));
	buf_free(&turned);
	st = add_key(&k->serials, &straight, k->n - 1, "signer serial", e);
	if (st == ST_OK && !same)
		return add_key(&k->serials, &digits, k->n - 1, "signer serial, reversed", e);
	buf_free(&digits);
	return st;
}

static void list_free(struct known_list *l)
{
	free(l->path);
	buf_free(&l->signer);
	buf_free(&l->serial);
}

static enum status remember(struct known *k, const char *path, const struct list_file *f,
			    struct tlv_err *e)
{
	const struct tlv_header *h = &f->list.header;
	struct known_list l = { .path = strdup(path),
				.kind = tlv_list_kind_text(&f->list),
				.length = f->list.bytes.n,
				.timed = tlv_header_has(h, TLV_H_TIMESTAMP) && !f->list.printed,
				.timestamp = h->timestamp };
	enum status st = list_sha1(&f->list, l.sha1, e);

	buf_put(&l.signer, tlv_text(h->signer_name));
	buf_put(&l.serial, h->signer_serial);
	if (st == ST_OK &&
	    (l.path == NULL || buf_failed(&l.signer, NULL) != ST_OK ||
	     buf_failed(&l.serial, NULL) != ST_OK || !ARRAY_ROOM(k->lists, k->n, k->cap)))
		st = err_nomem(e);
	if (st == ST_OK)
		k->lists[k->n++] = l;
	else
		list_free(&l);
	return st;
}

/* Whether one of the last list's keys, which are the last ones, is what is looked for. */
static bool is_wanted(const struct known *k, const struct known_keys *keys, struct span wanted)
{
	for (size_t i = keys->n; i > 0 && keys->v[i - 1].list == k->n - 1; i--)
		if (span_starts(buf_span(&keys->v[i - 1].digits), wanted))
			return true;
	return false;
}

/* MD5 is the slowest of all that is done for a list. */
static enum status add_md5(struct known *k, const struct list_file *f, struct tlv_err *e)
{
	struct known_list *l = &k->lists[k->n - 1];
	enum status st;

	if (k->wanted.n > MD5_DIGITS && !is_wanted(k, &k->checksums, k->wanted) &&
	    !is_wanted(k, &k->serials, serial_digits(k->wanted)))
		return ST_OK;
	st = list_md5(&f->list, l->md5, e);
	return st == ST_OK ? add_checksum(k, l->md5, "MD5", e) : st;
}

enum status known_add(struct known *k, const char *path, const struct list_file *f,
		      struct tlv_err *e)
{
	enum status st = remember(k, path, f, e);

	if (st == ST_OK)
		st = add_checksum(k, k->lists[k->n - 1].sha1, "SHA-1", e);
	if (st == ST_OK)
		st = add_serial(k, f->list.header.signer_serial, e);
	return st == ST_OK ? add_md5(k, f, e) : st;
}

/* By digits; equal lists side by side, in the order in which they were added. */
static int by_digits(const void *a, const void *b, void *arg)
{
	const struct known_key *x = a, *y = b;
	const struct known *k = arg;
	int r = span_cmp(buf_span(&x->digits), buf_span(&y->digits));

	if (r == 0)
		r = strcmp(k->lists[x->list].md5, k->lists[y->list].md5);
	return r != 0 ? r : (x->list > y->list) - (x->list < y->list);
}

static void sort(struct known *k, struct known_keys *keys)
{
	if (keys->n > 1)
		qsort_r(keys->v, keys->n, sizeof *keys->v, by_digits, k);
}

void known_sort(struct known *k)
{
	sort(k, &k->checksums);
	sort(k, &k->serials);
}

/* Whether the key stands before all that we look for, or is still one of it. */
typedef bool side_fn(struct span key, struct span digits);

static bool is_below(struct span key, struct span digits)
{
	return span_cmp(key, digits) < 0;
}

static bool is_up_to(struct span key, struct span digits)
{
	return span_cmp(key, digits) <= 0;
}

static bool is_below_or_begins(struct span key, struct span digits)
{
	return is_below(key, digits) || span_starts(key, digits);
}

/* The first key for which the answer is no. */
static size_t bound(const struct known_keys *keys, struct span digits, side_fn *side)
{
	size_t from = 0, to = keys->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (side(buf_span(&keys->v[middle].digits), digits))
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool differ(const struct known *k, const struct known_key *x, const struct known_key *y)
{
	const char *md5 = k->lists[x->list].md5;

	/* Nobody knows whether lists without checksums are the same. */
	return *md5 == '\0' ? x->list != y->list : strcmp(md5, k->lists[y->list].md5) != 0;
}

/* Of equal digits the first and the last are of lists that differ, or none are. */
static struct known_range range_of(const struct known *k, const struct known_keys *keys,
				   struct span digits, side_fn *end)
{
	size_t from = bound(keys, digits, is_below), to = bound(keys, digits, end);
	struct known_range r = { .v = keys->v + from, .n = to - from, .exact = end == is_up_to };

	if (keys->n == 0)
		return (struct known_range){ .n = 0 };
	r.ambiguous = r.n > 1 && differ(k, &r.v[0], &r.v[r.n - 1]);
	return r;
}

struct known_range known_find(const struct known *k, struct span digits)
{
	struct known_range r = range_of(k, &k->serials, serial_digits(digits), is_up_to);

	if (r.n == 0)
		r = range_of(k, &k->checksums, digits, is_up_to);
	if (r.n == 0 && digits.n >= KNOWN_PREFIX)
		r = range_of(k, &k->checksums, digits, is_below_or_begins);
	return r;
}

/* Without "(MD5)" or "(SHA1)" behind, as show prints it, and "0x" in front. */
static struct span bare(const char *text)
{
	struct span s = span_trim_end(span_str(text));
	static const char *const tails[] = { "(MD5)", "(SHA1)", "(SHA-1)" };

	for (size_t i = 0; i < COUNT(tails); i++) {
		size_t n = strlen(tails[i]);

		if (s.n >= n && span_starts_nocase(span_slice(s, s.n - n, n), span_str(tails[i]))) {
			s = span_slice(s, 0, s.n - n);
			break;
		}
	}
	while (s.n > 0 && (span_at(s, 0) == ' ' || span_at(s, 0) == '\t'))
		s = span_slice(s, 1, s.n);
	return span_starts_nocase(s, SPAN_LIT("0x")) ? span_slice(s, 2, s.n) : s;
}

enum status known_digits(const char *text, struct buf *out, struct tlv_err *e)
{
	struct span s = bare(text);
	size_t before = out->n;

	for (size_t i = 0; i < s.n; i++) {
		int c = span_at(s, i);

		if (strchr(": \t-", c) != NULL && c != 0)
			continue;
		if (hex_digit(c) < 0)
			return err_set(
				e, ST_USAGE,
				"'%s' is no hexadecimal number: name an MD5, a SHA-1 or a signer's serial number",
				text);
		buf_u8(out, (uint8_t)(c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c));
	}
	if (out->n == before)
		return err_set(e, ST_USAGE, "'%s': no digits", text);
	if (out->n - before > DIGITS_MAX)
		return err_set(
			e, ST_USAGE,
			"'%s': %zu digits: an MD5 has 32, a SHA-1 40, a serial number at most 40",
			text, out->n - before);
	if ((out->n - before) % 2 == 1 && out->n - before < KNOWN_PREFIX)
		return err_set(e, ST_USAGE, "'%s': an odd number of digits: is one missing?", text);
	return buf_failed(out, e);
}

static void keys_free(struct known_keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		buf_free(&keys->v[i].digits);
	free(keys->v);
}

void known_put_what(struct buf *b, const struct known_key *key, bool exact)
{
	buf_printf(b, "%s%s", key->what, exact ? "" : ", its beginning");
}

void known_free(struct known *k)
{
	for (size_t i = 0; i < k->n; i++)
		list_free(&k->lists[i]);
	keys_free(&k->checksums);
	keys_free(&k->serials);
	free(k->lists);
	*k = (struct known){ .n = 0 };
}
