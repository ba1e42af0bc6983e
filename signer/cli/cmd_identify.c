/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/cli/common.h"
#include "signer/io/env.h"
#include "signer/io/folder.h"
#include "signer/io/out.h"
#include "signer/cli/identify_run.h"
#include "signer/cli/verb.h"
#include "tlv/label.h"
#include "tlv/safe.h"
#include "tlv/text.h"

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
	struct identify *s = arg;
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
	struct tlv_record signer = { .subject = buf_span(&l->signer) };
	char when[32];

	safe_text(b, span_str(l->path));
	buf_printf(b, ": %s: %s, %zu bytes, signed ", what, l->kind, l->length);
	if (l->timed) {
		time_iso(l->timestamp, when);
		buf_printf(b, "%s ", when);
	}
	buf_str(b, "by ");
	tlv_label_record(b, &signer);
	buf_u8(b, '\n');
}

static json_t *list_json(const struct known_list *l, const char *what)
{
	json_t *o = json_object();
	char when[32];

	time_iso(l->timestamp, when);
	out_json_set_text(o, "file", span_str(l->path));
	out_json_set(o, "matched", json_string(what));
	out_json_set(o, "kind", json_string(l->kind));
	out_json_set(o, "length", json_integer((json_int_t)l->length));
	out_json_set(o, "md5", *l->md5 != '\0' ? json_string(l->md5) : json_null());
	out_json_set(o, "sha1", *l->sha1 != '\0' ? json_string(l->sha1) : json_null());
	out_json_set_text(o, "signer", buf_span(&l->signer));
	out_json_set(o, "signer_serial", out_json_hex_upper(buf_span(&l->serial)));
	out_json_set(o, "timestamp", l->timed ? json_integer(l->timestamp) : json_null());
	out_json_set(o, "time", l->timed ? json_string(when) : json_null());
	return o;
}

/* Keys stand by their digits; people expect lists as they named them. */
static int as_named(const void *a, const void *b)
{
	const struct known_key *x = a, *y = b;

	return (x->list > y->list) - (x->list < y->list);
}

static json_t *matches_json(const struct identify *s, const struct known_range *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->n; i++) {
		struct buf what = BUF_INIT;

		known_put_what(&what, &r->v[i], r->exact);
		(void)json_array_append_new(
			all, list_json(&s->known.lists[r->v[i].list], buf_cstr(&what)));
		buf_free(&what);
	}
	return all;
}

static enum status print_matches(const struct identify *s, const struct known_range *r,
				 struct tlv_err *e)
{
	struct buf b = BUF_INIT;
	enum status st;

	for (size_t i = 0; i < r->n; i++) {
		struct buf what = BUF_INIT;

		known_put_what(&what, &r->v[i], r->exact);
		put_list(&b, &s->known.lists[r->v[i].list], buf_cstr(&what));
		buf_free(&what);
	}
	st = buf_failed(&b, e);
	if (st == ST_OK)
		out_text(buf_span(&b));
	buf_free(&b);
	return st;
}

static enum status print_json(const struct identify *s, const char *digits,
			      const struct known_range *r, struct tlv_err *e)
{
	json_t *o = json_object();

	out_json_set(o, "searched_for", json_string(digits));
	out_json_set(o, "lists", json_integer((json_int_t)s->known.n));
	out_json_set(o, "matches", matches_json(s, r));
	return out_json(o, e);
}

/* If several lists have a checksum that begins so, it says nothing. A signer has many lists. */
static enum status answer(const struct identify *s, const char *digits, const struct known_range *r,
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

static enum status identify_one(struct identify *s, struct buf *digits, struct tlv_err *e)
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
	struct identify s = { .json = opt_given(o, OPT_JSON) };
	const char *table = opt_value(o, OPT_CSV);
	struct buf digits = BUF_INIT;
	enum status st = read_question(o, &digits, e);

	s.known.wanted = buf_span(&digits);
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
