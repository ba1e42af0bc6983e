/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "signer/cli/common.h"
#include "signer/io/env.h"
#include "signer/io/folder.h"
#include "signer/io/out.h"
#include "signer/cli/verb.h"
#include "tlv/text.h"

/* Bytes: a SHA-1 has 20, and so has the longest serial number (RFC 5280, 4.1.2.2). */
enum { NEEDLE_MAX = 20, MD5_BYTES = 16, SHA1_BYTES = 20 };

/* What is looked for, and what was found. */
struct search {
	bool json;
	struct buf needle; /* as typed, in bytes */
	struct buf hex;	   /* the same in lower-case digits */
	struct buf text;   /* what was found, as lines */
	json_t *matches;
	size_t lists, found, faults;
};

/* As phones and consoles show it: any case, with colons, dashes or blanks between, or "0x" in front. */
static enum status parse_needle(struct search *s, const char *text, struct tlv_err *e)
{
	const char *digits = strncmp(text, "0x", 2) == 0 ? text + 2 : text;
	enum hex_fault fault = hex_parse(span_str(digits), ": \t-", &s->needle);

	if (fault == HEX_NOT_A_DIGIT)
		return err_set(
			e, ST_USAGE,
			"'%s' is no hexadecimal number: name an MD5, a SHA-1 or a signer's serial number",
			text);
	if (fault == HEX_ODD || s->needle.n == 0)
		return err_set(e, ST_USAGE, "'%s': %s", text,
			       fault == HEX_ODD ? "an odd number of digits: is one missing?" :
						  "no digits");
	if (s->needle.n > NEEDLE_MAX)
		return err_set(
			e, ST_USAGE,
			"'%s': %zu bytes: an MD5 has 16, a SHA-1 20, a serial number at most 20",
			text, s->needle.n);
	buf_hex(&s->hex, buf_span(&s->needle), HEX_LOWER, "");
	return buf_failed(&s->hex, e);
}

static struct span without_zeros_in_front(struct span s)
{
	while (s.n > 1 && span_at(s, 0) == 0)
		s = span_slice(s, 1, s.n);
	return s;
}

static struct span without_zeros_behind(struct span s)
{
	while (s.n > 1 && span_at(s, s.n - 1) == 0)
		s = span_slice(s, 0, s.n - 1);
	return s;
}

/* The CTL Client writes a token's serial number back to front; leading zeros get lost on the way. */
static const char *match_serial(struct span needle, struct span serial)
{
	struct span n = without_zeros_in_front(needle);

	if (serial.n == 0)
		return NULL;
	if (span_eq(n, without_zeros_in_front(serial)))
		return "signer serial";
	if (span_eq_reversed(n, without_zeros_behind(serial)) ||
	    span_eq_reversed(without_zeros_behind(needle), without_zeros_in_front(serial)))
		return "signer serial, reversed";
	return NULL;
}

/* What of the list it is, in words; NULL: nothing. */
static const char *match(struct search *s, const struct list_file *f, const char *md5,
			 const char *sha1)
{
	const char *hex = buf_cstr(&s->hex);
	struct span needle = buf_span(&s->needle);

	if (needle.n == MD5_BYTES && strcmp(hex, md5) == 0)
		return "MD5";
	if (needle.n == SHA1_BYTES && strcmp(hex, sha1) == 0)
		return "SHA-1";
	return match_serial(needle, f->list.header.signer_serial);
}

static void put_match(struct buf *b, const char *path, const char *what, const struct list_file *f)
{
	const struct tlv_header *h = &f->list.header;
	char when[32];

	safe_text(b, span_str(path));
	buf_printf(b, ": %s: %s, %zu bytes, signed ", what, tlv_list_kind_text(&f->list),
		   f->list.bytes.n);
	if (tlv_header_has(h, TLV_H_TIMESTAMP) && !f->list.printed) {
		time_iso(h->timestamp, when);
		buf_printf(b, "%s ", when);
	}
	buf_str(b, "by ");
	safe_text(b, tlv_text(h->signer_name));
	buf_u8(b, '\n');
}

static void set(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

static json_t *match_json(const char *path, const char *what, const struct list_file *f,
			  const char *md5, const char *sha1)
{
	const struct tlv_header *h = &f->list.header;
	bool timed = tlv_header_has(h, TLV_H_TIMESTAMP) && !f->list.printed;
	json_t *o = json_object();
	char when[32];

	time_iso(h->timestamp, when);
	out_json_set_text(o, "file", span_str(path));
	set(o, "matched", json_string(what));
	set(o, "kind", json_string(tlv_list_kind_text(&f->list)));
	set(o, "length", json_integer((json_int_t)f->list.bytes.n));
	set(o, "md5", json_string(md5));
	set(o, "sha1", json_string(sha1));
	out_json_set_text(o, "signer", tlv_text(h->signer_name));
	set(o, "signer_serial", out_json_hex_upper(h->signer_serial));
	set(o, "timestamp", timed ? json_integer(h->timestamp) : json_null());
	set(o, "time", timed ? json_string(when) : json_null());
	return o;
}

static enum status look_at(struct search *s, const char *path, const struct list_file *f,
			   struct tlv_err *e)
{
	char md5[33], sha1[41];
	enum status st = list_checksums(&f->list, md5, sha1, e);
	const char *what = st == ST_OK ? match(s, f, md5, sha1) : NULL;

	s->lists++;
	if (what == NULL)
		return st;
	s->found++;
	if (!s->json)
		put_match(&s->text, path, what, f);
	else if (json_array_append_new(s->matches, match_json(path, what, f, md5, sha1)) != 0)
		st = err_nomem(e);
	return st;
}

static bool ends_in_sgn(const char *path)
{
	size_t n = strlen(path);

	return n > 4 && strcmp(path + n - 4, ".sgn") == 0;
}

/* What a folder holds besides is passed over; what was named must be a list, but hides no other. */
static void complain(struct search *s, const struct tlv_err *fault, bool named)
{
	char text[ERR_TEXT_MAX + 64];

	if (named) {
		msg_error(fault);
		s->faults++;
		return;
	}
	err_format(fault, text, sizeof text);
	warn_put(&msg_warnings, "%s: passed over", text);
}

static enum status look_at_file(void *arg, const char *path, bool named, struct tlv_err *e)
{
	struct tlv_err own = TLV_ERR_INIT;
	struct search *s = arg;
	struct list_file f;
	enum status st;

	if (!named && (ends_in_sgn(path) || !folder_file_begins_as_list(path)))
		return ST_OK;
	st = list_file_read(&f, path, named ? LIST_PRINTED : LIST_FOUND, &own);
	if (st == ST_OK)
		st = look_at(s, path, &f, &own);
	list_file_free(&f);
	if (st == ST_INPUT) {
		complain(s, &own, named);
		return ST_OK;
	}
	return st == ST_OK ? ST_OK : err_copy(e, &own);
}

static enum status print_json(struct search *s, struct tlv_err *e)
{
	json_t *o = json_object();

	set(o, "searched_for", json_string(buf_cstr(&s->hex)));
	set(o, "lists", json_integer((json_int_t)s->lists));
	set(o, "matches", json_incref(s->matches));
	return out_json(o, e);
}

static enum status report(struct search *s, struct tlv_err *e)
{
	enum status st = s->json ? print_json(s, e) : buf_failed(&s->text, e);

	if (st == ST_OK && !s->json)
		out_text(buf_span(&s->text));
	if (st == ST_OK && s->faults > 0)
		return ST_INPUT;
	if (st == ST_OK && s->found == 0)
		return s->json ?
			       ST_NO :
			       err_set(e, ST_NO,
				       "none of %zu lists has '%s' as MD5, SHA-1 or signer's serial number",
				       s->lists, buf_cstr(&s->hex));
	return st;
}

enum status cmd_identify(const struct opts *o, struct tlv_err *e)
{
	struct search s = { .json = opt_given(o, OPT_JSON), .matches = json_array() };
	enum status st = s.matches != NULL ? parse_needle(&s, o->args[0], e) : err_nomem(e);

	common_read_only();
	for (size_t i = 1; i < o->nargs && st == ST_OK; i++)
		st = folder_each(o->args[i], look_at_file, &s, e);
	if (st == ST_OK)
		st = report(&s, e);
	json_decref(s.matches);
	buf_free(&s.needle);
	buf_free(&s.hex);
	buf_free(&s.text);
	return st;
}
