/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/cli/common.h"
#include "signer/io/env.h"
#include "signer/io/folder.h"
#include "signer/io/out.h"
#include "signer/list/known.h"
#include "signer/text/csv.h"
#include "signer/cli/verb.h"
#include "tlv/safe.h"
#include "tlv/text.h"

enum {
	CSV_MAX = 1 << 30,  /* bytes */
	CSV_COMPLAINTS = 10 /* lines that cannot be read are named so often */
};

/* What is looked for, and where. */
struct search {
	bool json;
	struct known known;
	size_t faults; /* files that cannot be read as the lists that they are, or are named to be */
};

static bool ends_in_sgn(const char *path)
{
	size_t n = strlen(path);

	return n > 4 && strcmp(path + n - 4, ".sgn") == 0;
}

/*
 * A file that was named must be a list. A folder's other files are passed over. A list that cannot
 * be read is said, and the others still count, but "none has it" would not be true.
 */
static enum status look_at_file(void *arg, const char *path, bool named, struct tlv_err *e)
{
	struct tlv_err own = TLV_ERR_INIT;
	struct search *s = arg;
	struct list_file f;
	enum status st;

	if (!named && (ends_in_sgn(path) || !list_file_is_meant(path)))
		return ST_OK;
	st = list_file_read(&f, path, named ? LIST_PRINTED : LIST_FOUND, &own);
	if (st == ST_OK)
		st = known_add(&s->known, path, &f, &own);
	list_file_free(&f);
	if (st == ST_INPUT) {
		msg_error(&own);
		s->faults++;
		return ST_OK;
	}
	return st == ST_OK ? ST_OK : err_copy(e, &own);
}

static void put_list(struct buf *b, const struct known_list *l, const char *what)
{
	char when[32];

	safe_text(b, span_str(l->path));
	buf_printf(b, ": %s: %s, %zu bytes, signed ", what, l->kind, l->length);
	if (l->timed) {
		time_iso(l->timestamp, when);
		buf_printf(b, "%s ", when);
	}
	buf_str(b, "by ");
	safe_text(b, buf_span(&l->signer));
	buf_u8(b, '\n');
}

static void set(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

static json_t *list_json(const struct known_list *l, const char *what)
{
	json_t *o = json_object();
	char when[32];

	time_iso(l->timestamp, when);
	out_json_set_text(o, "file", span_str(l->path));
	set(o, "matched", json_string(what));
	set(o, "kind", json_string(l->kind));
	set(o, "length", json_integer((json_int_t)l->length));
	set(o, "md5", *l->md5 != '\0' ? json_string(l->md5) : json_null());
	set(o, "sha1", *l->sha1 != '\0' ? json_string(l->sha1) : json_null());
	out_json_set_text(o, "signer", buf_span(&l->signer));
	set(o, "signer_serial", out_json_hex_upper(buf_span(&l->serial)));
	set(o, "timestamp", l->timed ? json_integer(l->timestamp) : json_null());
	set(o, "time", l->timed ? json_string(when) : json_null());
	return o;
}

/* Keys stand by their digits; people expect lists as they named them. */
static int as_named(const void *a, const void *b)
{
	const struct known_key *x = a, *y = b;

	return (x->list > y->list) - (x->list < y->list);
}

/* "MD5", or "MD5, its beginning" */
static void put_what(struct buf *b, const struct known_key *key, bool exact)
{
	buf_printf(b, "%s%s", key->what, exact ? "" : ", its beginning");
}

static json_t *matches_json(const struct search *s, const struct known_range *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->n; i++) {
		struct buf what = BUF_INIT;

		put_what(&what, &r->v[i], r->exact);
		(void)json_array_append_new(
			all, list_json(&s->known.lists[r->v[i].list], buf_cstr(&what)));
		buf_free(&what);
	}
	return all;
}

static enum status print_matches(const struct search *s, const struct known_range *r,
				 struct tlv_err *e)
{
	struct buf b = BUF_INIT;
	enum status st;

	for (size_t i = 0; i < r->n; i++) {
		struct buf what = BUF_INIT;

		put_what(&what, &r->v[i], r->exact);
		put_list(&b, &s->known.lists[r->v[i].list], buf_cstr(&what));
		buf_free(&what);
	}
	st = buf_failed(&b, e);
	if (st == ST_OK)
		out_text(buf_span(&b));
	buf_free(&b);
	return st;
}

static enum status print_json(const struct search *s, const char *digits,
			      const struct known_range *r, struct tlv_err *e)
{
	json_t *o = json_object();

	set(o, "searched_for", json_string(digits));
	set(o, "lists", json_integer((json_int_t)s->known.n));
	set(o, "matches", matches_json(s, r));
	return out_json(o, e);
}

/* If several lists have a checksum that begins so, it says nothing. A signer has many lists. */
static enum status answer(const struct search *s, const char *digits, const struct known_range *r,
			  struct tlv_err *e)
{
	if (s->faults > 0)
		return ST_INPUT; /* it has been said of each */
	if (!r->exact && r->ambiguous)
		return err_set(e, ST_AMBIGUOUS,
			       "'%s' begins the checksums of lists that differ: type more digits",
			       digits);
	if (r->n > 0 || s->json)
		return r->n > 0 ? ST_OK : ST_NO;
	return err_set(e, ST_NO,
		       "none of %zu list%s has '%s' as MD5, SHA-1 or signer's serial number%s",
		       s->known.n, plural(s->known.n), digits,
		       strlen(digits) < KNOWN_PREFIX ?
			       ": type at least 8 digits of a checksum" :
			       ": the phone may hold an older list, or the ITL of another node");
}

static enum status identify_one(struct search *s, struct buf *digits, struct tlv_err *e)
{
	struct known_range r = known_find(&s->known, buf_span(digits));
	struct known_key *found = calloc(r.n + 1, sizeof *found);
	enum status st;

	if (found == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < r.n; i++)
		found[i] = r.v[i];
	qsort(found, r.n, sizeof *found, as_named);
	r.v = found;
	st = s->json ? print_json(s, buf_cstr(digits), &r, e) : print_matches(s, &r, e);
	free(found);
	return st == ST_OK ? answer(s, buf_cstr(digits), &r, e) : st;
}

/* What a line of the table comes to. */
enum fate { KNOWN, UNKNOWN, AMBIGUOUS, NO_CHECKSUM, UNREAD, FATES };

static const char *const fates[FATES] = { "known", "unknown", "ambiguous", "no checksum",
					  "unread" };

struct phones {
	struct search *s;
	const char *path;
	struct csv csv;
	struct buf fields[2]; /* phone, checksum */
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
	} else if (trimmed(&p->fields[1]).n == 0) {
		x.fate = NO_CHECKSUM;
	} else if (known_digits(buf_cstr(&p->fields[1]), &p->digits, &own) != ST_OK) {
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

	out_safe(trimmed(&p->fields[0]));
	out_printf(": ");
	if (x->fate == KNOWN) {
		put_what(&what, x->key, x->exact);
		out_safe(span_str(p->s->known.lists[x->key->list].path));
		out_printf(": %s\n", buf_cstr(&what));
	} else {
		out_printf("%s", fates[x->fate]);
		if (x->fate != NO_CHECKSUM) {
			out_printf(": ");
			out_safe(trimmed(&p->fields[1]));
		}
		out_printf("\n");
	}
	buf_free(&what);
}

static enum status print_line_json(const struct phones *p, const struct phone_line *x,
				   struct tlv_err *e)
{
	json_t *o = json_object();

	out_json_set_text(o, "phone", trimmed(&p->fields[0]));
	out_json_set_text(o, "checksum", trimmed(&p->fields[1]));
	set(o, "line", json_integer((json_int_t)p->csv.line));
	set(o, "status", json_string(fates[x->fate]));
	if (x->fate == KNOWN)
		out_json_set_text(o, "file", span_str(p->s->known.lists[x->key->list].path));
	else
		set(o, "file", json_null());
	set(o, "matched", x->fate == KNOWN ? json_string(x->key->what) : json_null());
	if (p->n > 0)
		out_printf(",\n");
	return out_json_part(o, e);
}

/* "CTL Checksum" above a column is no phone. A checksum with a slip in it is. */
static bool is_head(struct phones *p)
{
	struct span cell = trimmed(&p->fields[1]);
	struct tlv_err own = TLV_ERR_INIT;
	size_t digits = 0;

	for (size_t i = 0; i < cell.n; i++)
		digits += hex_digit(span_at(cell, i)) >= 0;
	buf_truncate(&p->digits, 0);
	return cell.n > 0 && digits < KNOWN_PREFIX &&
	       known_digits(buf_cstr(&p->fields[1]), &p->digits, &own) != ST_OK;
}

static enum status take_line(struct phones *p, bool whole, struct tlv_err *e)
{
	struct phone_line x;
	enum status st = ST_OK;

	if (trimmed(&p->fields[0]).n == 0 && trimmed(&p->fields[1]).n == 0)
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
		set(counts, fates[i], json_integer((json_int_t)p->counts[i]));
	for (size_t i = 0; i < p->s->known.n; i++) {
		json_t *one;

		if (p->of_list[i] == 0)
			continue;
		one = json_object();
		out_json_set_text(one, "file", span_str(p->s->known.lists[i].path));
		set(one, "phones", json_integer((json_int_t)p->of_list[i]));
		(void)json_array_append_new(lists, one);
	}
	set(o, "lists", json_integer((json_int_t)p->s->known.n));
	set(o, "counts", counts);
	set(o, "phones_by_list", lists);
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

static enum status identify_table(struct search *s, const char *path, struct tlv_err *e)
{
	struct phones p = { .s = s, .path = path };
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

/* HEX is the first argument, unless the phones are in a table. */
static enum status read_question(const struct opts *o, struct buf *digits, struct tlv_err *e)
{
	bool table = opt_given(o, OPT_CSV);

	if (o->nargs < (table ? 1 : 2))
		return err_set(e, ST_USAGE,
			       "identify: a file is missing: 'ctlsign identify %s FILE|DIR...'",
			       table ? "--csv FILE" : "HEX");
	return table ? ST_OK : known_digits(o->args[0], digits, e);
}

enum status cmd_identify(const struct opts *o, struct tlv_err *e)
{
	struct search s = { .json = opt_given(o, OPT_JSON) };
	const char *table = opt_value(o, OPT_CSV);
	struct buf digits = BUF_INIT;
	enum status st = read_question(o, &digits, e);

	common_read_only();
	for (size_t i = table != NULL ? 0 : 1; i < o->nargs && st == ST_OK; i++)
		st = folder_each(o->args[i], look_at_file, &s, e);
	known_sort(&s.known);
	if (st == ST_OK)
		st = table != NULL ? identify_table(&s, table, e) : identify_one(&s, &digits, e);
	known_free(&s.known);
	buf_free(&digits);
	return st;
}
