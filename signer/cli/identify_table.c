/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/cli/identify_run.h"
#include "signer/io/out.h"
#include "signer/text/csv.h"
#include "tlv/text.h"

enum {
	CSV_MAX = 1 << 30,   /* bytes */
	CSV_COMPLAINTS = 10, /* lines that cannot be read are named so often */
	COLUMNS_MAX = 64     /* what is behind them is passed over */
};

/* What a line of the table comes to. */
enum fate { KNOWN, UNKNOWN, AMBIGUOUS, NO_CHECKSUM, UNREAD, FATES };

static const char *const fates[FATES] = { "known", "unknown", "ambiguous", "no checksum",
					  "unread" };

struct phones {
	struct identify *s;
	const char *path;
	struct csv csv;
	struct buf fields[COLUMNS_MAX];
	size_t phone, checksum; /* where they are in fields */
	struct buf digits;
	size_t n, counts[FATES];
	size_t *of_list; /* phones by list; owned */
};

struct phone_line {
	enum fate fate;
	const struct known_key *key; /* if it is known */
	bool exact;
};

static struct span trimmed(const struct buf *b)
{
	struct span s = span_trim_end(buf_span(b));

	while (s.n > 0 && span_at(s, 0) == ' ')
		s = span_slice(s, 1, s.n);
	return s;
}

static void complain_of_line(const struct phones *p, const char *why)
{
	struct tlv_err e = TLV_ERR_INIT;

	if (p->counts[UNREAD] >= CSV_COMPLAINTS)
		return;
	(void)err_set(&e, ST_INPUT, "%s:%zu: %s", p->path, p->csv.line, why);
	msg_error(&e);
}

static struct phone_line judge_line(struct phones *p, bool whole)
{
	struct phone_line x = { .fate = UNREAD };
	struct tlv_err own = TLV_ERR_INIT;
	struct known_range r;

	buf_truncate(&p->digits, 0);
	if (!whole) {
		complain_of_line(p, "a quote is opened and never closed: the rest is not read");
	} else if (trimmed(&p->fields[p->checksum]).n == 0) {
		x.fate = NO_CHECKSUM;
	} else if (known_digits(buf_cstr(&p->fields[p->checksum]), &p->digits, &own) != ST_OK) {
		complain_of_line(p, err_text(&own));
	} else {
		r = known_find(&p->s->known, buf_span(&p->digits));
		x.fate = r.n == 0 ? UNKNOWN : r.ambiguous ? AMBIGUOUS : KNOWN;
		x.key = r.n > 0 ? &r.v[0] : NULL;
		x.exact = r.exact;
	}
	return x;
}

static void print_line(const struct phones *p, const struct phone_line *x)
{
	struct buf what = BUF_INIT;

	out_safe(trimmed(&p->fields[p->phone]));
	out_printf(": ");
	if (x->fate == KNOWN) {
		known_put_what(&what, x->key, x->exact);
		out_safe(span_str(p->s->known.lists[x->key->list].path));
		out_printf(": %s\n", buf_cstr(&what));
	} else {
		out_printf("%s", fates[x->fate]);
		if (x->fate != NO_CHECKSUM) {
			out_printf(": ");
			out_safe(trimmed(&p->fields[p->checksum]));
		}
		out_printf("\n");
	}
	buf_free(&what);
}

static enum status print_line_json(const struct phones *p, const struct phone_line *x,
				   struct tlv_err *e)
{
	json_t *o = json_object();

	out_json_set_text(o, "phone", trimmed(&p->fields[p->phone]));
	out_json_set_text(o, "checksum", trimmed(&p->fields[p->checksum]));
	out_json_set(o, "line", json_integer((json_int_t)p->csv.line));
	out_json_set(o, "status", json_string(fates[x->fate]));
	if (x->fate == KNOWN)
		out_json_set_text(o, "file", span_str(p->s->known.lists[x->key->list].path));
	else
		out_json_set(o, "file", json_null());
	out_json_set(o, "matched", x->fate == KNOWN ? json_string(x->key->what) : json_null());
	if (p->n > 0)
		out_printf(",\n");
	return out_json_part(o, e);
}

static bool has_word(struct span cell, const char *word)
{
	for (size_t i = 0; i < cell.n; i++)
		if (span_starts_nocase(span_slice(cell, i, cell.n), span_str(word)))
			return true;
	return false;
}

/* "CTL Checksum", "MD5", "SHA-1": no checksum begins with these letters. */
static bool heads_checksums(struct span cell)
{
	return has_word(cell, "checksum") || span_starts_nocase(cell, SPAN_LIT("md5")) ||
	       span_starts_nocase(cell, SPAN_LIT("sha"));
}

static bool heads_phones(struct span cell)
{
	return !heads_checksums(cell) &&
	       (has_word(cell, "phone") || has_word(cell, "device") || has_word(cell, "name"));
}

/* The first column with such a head; COLUMNS_MAX: none. */
static size_t find_head(const struct phones *p, bool (*heads)(struct span cell), size_t from)
{
	for (size_t i = from; i < COLUMNS_MAX; i++)
		if (heads(trimmed(&p->fields[i])))
			return i;
	return COLUMNS_MAX;
}

/* A line of heads says which columns are meant. False if no head is one of checksums. */
static bool take_heads(struct phones *p)
{
	size_t checksum = find_head(p, heads_checksums, 0), phone = find_head(p, heads_phones, 0);

	if (checksum == COLUMNS_MAX)
		return false;
	if (find_head(p, heads_checksums, checksum + 1) != COLUMNS_MAX)
		msg_warn("%s: several columns are headed as checksums: the first of them counts",
			 p->path);
	p->checksum = checksum;
	p->phone = phone != COLUMNS_MAX ? phone : checksum == 0;
	return true;
}

/* A remark behind a phone and its checksum may have the words of a head. */
static bool has_checksum(struct phones *p)
{
	struct tlv_err own = TLV_ERR_INIT;

	for (size_t i = 0; i < COLUMNS_MAX; i++) {
		buf_truncate(&p->digits, 0);
		if (known_digits(buf_cstr(&p->fields[i]), &p->digits, &own) == ST_OK &&
		    p->digits.n >= KNOWN_PREFIX)
			return true;
	}
	return false;
}

/* What stands above a column is no phone. A checksum with a slip in it is. */
static bool is_head(struct phones *p)
{
	struct span cell = trimmed(&p->fields[p->checksum]);
	struct tlv_err own = TLV_ERR_INIT;
	size_t digits = 0;

	if (has_checksum(p))
		return false;
	if (take_heads(p))
		return true;
	for (size_t i = 0; i < cell.n; i++)
		digits += hex_digit(span_at(cell, i)) >= 0;
	buf_truncate(&p->digits, 0);
	return cell.n > 0 && digits < KNOWN_PREFIX &&
	       known_digits(buf_cstr(&p->fields[p->checksum]), &p->digits, &own) != ST_OK;
}

static enum status take_line(struct phones *p, bool whole, struct tlv_err *e)
{
	struct phone_line x;
	enum status st = ST_OK;

	if (trimmed(&p->fields[p->phone]).n == 0 && trimmed(&p->fields[p->checksum]).n == 0)
		return ST_OK;
	x = judge_line(p, whole);
	if (p->s->json)
		st = print_line_json(p, &x, e);
	else
		print_line(p, &x);
	p->n++;
	p->counts[x.fate]++;
	if (x.fate == KNOWN)
		p->of_list[x.key->list]++;
	return st;
}

static enum status take_lines(struct phones *p, struct tlv_err *e)
{
	bool whole = true, first = true;
	enum status st = ST_OK;

	while (st == ST_OK && csv_next(&p->csv, p->fields, COUNT(p->fields), &whole)) {
		if (!first || !whole || !is_head(p))
			st = take_line(p, whole, e);
		first = false;
	}
	for (size_t i = 0; i < COUNT(p->fields) && st == ST_OK; i++)
		st = buf_failed(&p->fields[i], e);
	return st;
}

static void print_sum(const struct phones *p)
{
	out_printf("phones: %zu", p->n);
	for (int i = 0; i < FATES; i++)
		if (p->counts[i] > 0)
			out_printf(", %s: %zu", fates[i], p->counts[i]);
	out_printf("\n");
	for (size_t i = 0; i < p->s->known.n; i++) {
		if (p->of_list[i] == 0)
			continue;
		out_printf("%8zu  ", p->of_list[i]);
		out_safe(span_str(p->s->known.lists[i].path));
		out_printf("\n");
	}
}

static json_t *sum_json(const struct phones *p)
{
	json_t *o = json_object(), *counts = json_object(), *lists = json_array();

	for (int i = 0; i < FATES; i++)
		out_json_set(counts, fates[i], json_integer((json_int_t)p->counts[i]));
	for (size_t i = 0; i < p->s->known.n; i++) {
		json_t *one;

		if (p->of_list[i] == 0)
			continue;
		one = json_object();
		out_json_set_text(one, "file", span_str(p->s->known.lists[i].path));
		out_json_set(one, "phones", json_integer((json_int_t)p->of_list[i]));
		(void)json_array_append_new(lists, one);
	}
	out_json_set(o, "lists", json_integer((json_int_t)p->s->known.n));
	out_json_set(o, "counts", counts);
	out_json_set(o, "phones_by_list", lists);
	return o;
}

static enum status answer_table(const struct phones *p, struct tlv_err *e)
{
	if (p->counts[UNREAD] > CSV_COMPLAINTS)
		return err_set(e, ST_INPUT,
			       "%s: lines that cannot be read: %zu, of which %d are named", p->path,
			       p->counts[UNREAD], CSV_COMPLAINTS);
	if (p->counts[UNREAD] > 0 || p->s->faults > 0)
		return ST_INPUT; /* it has been said of each */
	if (p->n == 0)
		return err_set(e, ST_INPUT, "%s: no phones: a line is a phone and its checksum",
			       p->path);
	return p->counts[KNOWN] == p->n ? ST_OK : ST_NO;
}

static enum status identify_lines(struct phones *p, struct tlv_err *e)
{
	enum status st;

	if (p->s->json) {
		out_json_begin();
		out_printf("\"phones\": [\n");
	}
	st = take_lines(p, e);
	if (st != ST_OK)
		return st;
	if (p->s->json) {
		out_printf("]");
		st = out_json_end(sum_json(p), e);
	} else {
		print_sum(p);
	}
	return st == ST_OK ? answer_table(p, e) : st;
}

enum status identify_table(struct identify *s, const char *path, struct tlv_err *e)
{
	struct phones p = { .s = s, .path = path, .phone = 0, .checksum = 1 };
	struct blob file;
	enum status st =
		slurp(strcmp(path, "-") == 0 ? "/dev/stdin" : path, CSV_MAX, SLURP_ANY, &file, e);

	if (st != ST_OK)
		return st;
	st = csv_open(&p.csv, blob_span(&file), e);
	if (st != ST_OK)
		(void)err_in(e, "%s", path);
	p.of_list = calloc(s->known.n + 1, sizeof *p.of_list);
	if (st == ST_OK)
		st = p.of_list != NULL ? identify_lines(&p, e) : err_nomem(e);
	for (size_t i = 0; i < COUNT(p.fields); i++)
		buf_free(&p.fields[i]);
	buf_free(&p.digits);
	free(p.of_list);
	blob_free(&file);
	return st;
}
