/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/summary.h"

#include <stdio.h>
#include <string.h>

#include "signer/crypto/cert.h"
#include "signer/io/env.h"
#include "signer/io/out.h"
#include "tlv/kind.h"
#include "tlv/label.h"
#include "tlv/tables.h"
#include "tlv/text.h"
#include "tlv/utf8.h"

/* The table's columns; what is a list's own (names, addresses) makes them as wide as needed. */
enum column { C_NUMBER, C_ROLE, C_NODE, C_ADDRESS, C_UNTIL, C_SIGNS, C_ANCHOR, COLUMNS };
enum { SCREEN = 80, GAP = 2 };

static const char *const heads[COLUMNS] = { "#",	   "role",  "node",  "address",
					    "valid until", "signs", "anchor" };

/* What a record comes to. */
struct line {
	struct buf role, node, address;
	int64_t until; /* seconds since 1970 UTC, if dated */
	bool dated, signs;
	const char *anchor; /* what kind of anchor it is, NULL: none */
};

static void line_free(struct line *x)
{
	buf_free(&x->role);
	buf_free(&x->node);
	buf_free(&x->address);
}

static const char *anchor_of(const struct tlv_record *r)
{
	if (!tlv_record_is(r, TLV_ROLE_SAST))
		return NULL;
	if (tlv_record_is_itlrecovery(r))
		return "ITLRecovery";
	return tlv_record_is_token(r) ? "token" : "yes";
}

/*
 * A node's host name. If the record has none, or an address in its place, the certificate's name
 * says more.
 */
static void put_node(struct buf *b, const struct tlv_record *r)
{
	struct span name = tlv_text(r->dns_name);
	uint8_t address[4];

	if (name.n == 0 || span_ipv4(name, address))
		tlv_label_record(b, r);
	else
		safe_text(b, name);
}

/* The CTL Client writes the address as the name, and nowhere else. */
static void put_address(struct buf *b, const struct tlv_list *l, const struct tlv_record *r)
{
	struct span name = tlv_text(r->dns_name);
	uint8_t address[4];

	if (!l->printed && tlv_label_has_address(r))
		tlv_label_address(b, r->address);
	else if (span_ipv4(name, address))
		buf_put(b, name);
}

static struct line line_of(const struct tlv_list *l, size_t i)
{
	struct tlv_record r = tlv_list_record(l, i);
	struct line x = { .anchor = anchor_of(&r) };
	int64_t from;

	if (tlv_record_has(&r, TLV_R_FUNCTION))
		tlv_label_role(&x.role, r.role);
	put_node(&x.node, &r);
	put_address(&x.address, l, &r);
	x.dated = !l->printed && cert_validity(r.certificate, &from, &x.until, NULL) == ST_OK;
	x.signs = tlv_record_is(&r, TLV_ROLE_SAST) && tlv_record_signs(&r, &l->header);
	return x;
}

/* The cells of a line as texts: number and date are their room. */
static void put_cells(struct line *x, size_t number, const char *cells[COLUMNS], char text[2][32])
{
	(void)snprintf(text[0], sizeof text[0], "%zu", number);
	time_iso(x->until, text[1]);
	text[1][strcspn(text[1], "T")] = '\0';
	cells[C_NUMBER] = text[0];
	cells[C_ROLE] = x->role.n > 0 ? buf_cstr(&x->role) : "-";
	cells[C_NODE] = x->node.n > 0 ? buf_cstr(&x->node) : "-";
	cells[C_ADDRESS] = x->address.n > 0 ? buf_cstr(&x->address) : "-";
	cells[C_UNTIL] = x->dated ? text[1] : "-";
	cells[C_SIGNS] = x->signs ? "yes" : "-";
	cells[C_ANCHOR] = x->anchor != NULL ? x->anchor : "-";
}

/* Counts characters. Names of nodes have only characters that are one column wide. */
static size_t width_of(struct span s)
{
	size_t n = 0;

	while (s.n > 0) {
		size_t one = utf8_character(s.p, s.n);

		s = span_slice(s, one > 0 ? one : 1, s.n);
		n++;
	}
	return n;
}

static struct span first_characters(struct span s, size_t n)
{
	size_t at = 0;

	while (n-- > 0 && at < s.n) {
		struct span rest = span_slice(s, at, s.n);
		size_t one = utf8_character(rest.p, rest.n);

		at += one > 0 ? one : 1;
	}
	return span_slice(s, 0, at);
}

static void widen(size_t widths[COLUMNS], const char *const cells[COLUMNS])
{
	for (int c = 0; c < COLUMNS; c++) {
		size_t n = width_of(span_str(cells[c]));

		widths[c] = n > widths[c] ? n : widths[c];
	}
}

/* Names may be long. They get the columns that the others leave. */
static void fit(size_t widths[COLUMNS])
{
	size_t others = (size_t)GAP * (COLUMNS - 1);

	for (int c = 0; c < COLUMNS; c++)
		others += c == C_NODE ? 0 : widths[c];
	if (others + widths[C_NODE] > SCREEN)
		widths[C_NODE] = others + 4 < SCREEN ? SCREEN - others : 4;
}

static void put_cell(struct buf *b, const char *cell, size_t width, bool last)
{
	struct span s = span_str(cell);
	size_t n = width_of(s);

	if (n > width) {
		s = first_characters(s, width - 1);
		buf_put(b, s);
		buf_u8(b, '~');
		n = width;
	} else {
		buf_put(b, s);
	}
	for (n = last ? width + GAP : n; n < width + GAP; n++)
		buf_u8(b, ' ');
}

static void put_line(struct buf *b, const char *const cells[COLUMNS], const size_t widths[COLUMNS])
{
	for (int c = 0; c < COLUMNS; c++)
		put_cell(b, cells[c], widths[c], c == COLUMNS - 1);
	buf_u8(b, '\n');
}

/* b is NULL while the widths are measured. */
static void each_line(const struct tlv_list *l, struct buf *b, size_t widths[COLUMNS])
{
	const char *cells[COLUMNS];
	char text[2][32];

	for (size_t i = 0; i < l->nrecords; i++) {
		struct line x = line_of(l, i);

		put_cells(&x, i + 1, cells, text);
		if (b == NULL)
			widen(widths, cells);
		else
			put_line(b, cells, widths);
		line_free(&x);
	}
}

static void put_table(struct buf *b, const struct tlv_list *l)
{
	size_t widths[COLUMNS] = { 0 };

	widen(widths, heads);
	each_line(l, NULL, widths);
	fit(widths);
	put_line(b, heads, widths);
	each_line(l, b, widths);
}

static void put_expired(struct buf *b, const struct tlv_list *l, int64_t now)
{
	bool any = false;

	for (size_t i = 0; i < l->nrecords; i++) {
		struct line x = line_of(l, i);

		if (x.dated && x.until < now) {
			buf_printf(b, "%s%zu", any ? ", " : "expired: record ", i + 1);
			any = true;
		}
		line_free(&x);
	}
	if (any)
		buf_u8(b, '\n');
}

/* Of the certificate; the list may have it back to front, or alone. */
static struct span serial_of(const struct tlv_record *r)
{
	struct tlv_cert c;

	return tlv_cert_walk(r->certificate, &c, NULL) == ST_OK ? c.serial : r->serial;
}

/* The signer's record knows its name best; the header has it as text. */
static void put_signer(struct buf *b, const struct tlv_list *l)
{
	struct tlv_record r = tlv_list_signer_record(l);
	struct span serial = serial_of(&r);

	buf_str(b, "signer     ");
	tlv_label_record(b, &r);
	buf_str(b, "\nserial     ");
	tlv_label_serial(b, serial);
	if (span_eq_reversed(serial, r.serial) && !span_eq(serial, r.serial))
		buf_str(b, " (back to front in the list)");
	else if (!span_eq(serial, r.serial))
		buf_str(b, " (another one in the list)");
	buf_u8(b, '\n');
}

static void put_time(struct buf *b, const struct tlv_list *l)
{
	const struct tlv_digest_row *digest = tlv_digest_find(l->header.digest);
	char when[32] = "-";

	if (tlv_header_has(&l->header, TLV_H_TIMESTAMP) && !l->printed)
		time_iso(l->header.timestamp, when);
	buf_printf(b, "signed     %s", when);
	if (digest != NULL && !l->printed)
		buf_printf(b, ", %s", digest->text);
	buf_u8(b, '\n');
}

static void put_checksum(struct buf *b, const char *label, const char *digits)
{
	buf_printf(b, "%s%s\n", label, *digits != '\0' ? digits : "-");
}

enum status summary_text(struct buf *b, const char *path, const struct list_file *f,
			 const char *signature, int64_t now, struct tlv_err *e)
{
	const struct tlv_list *l = &f->list;
	char md5[33], sha1[41];
	enum status st = list_checksums(&f->list, md5, sha1, e);

	if (st != ST_OK)
		return st;
	buf_str(b, "file       ");
	safe_text(b, span_str(path));
	buf_printf(b, "\nlist       %s, %zu bytes, %zu record%s, %s\n", tlv_list_kind_text(l),
		   l->bytes.n, l->nrecords, plural(l->nrecords),
		   tlv_list_is_non_secure(l) ? "non-secure" : "mixed");
	put_checksum(b, "MD5        ", md5);
	put_checksum(b, "SHA-1      ", sha1);
	put_time(b, l);
	put_signer(b, l);
	buf_printf(b, "signature  %s\n\n", signature);
	put_table(b, l);
	put_expired(b, l, now);
	return buf_failed(b, e);
}

static json_t *text_or_null(struct buf *b)
{
	return b->n > 0 && buf_failed(b, NULL) == ST_OK ? json_string(buf_cstr(b)) : json_null();
}

json_t *summary_record_json(const struct tlv_list *l, size_t i)
{
	struct tlv_record r = tlv_list_record(l, i);
	struct line x = line_of(l, i);
	json_t *o = json_object();
	char when[32];

	time_iso(x.until, when);
	(void)json_object_set_new(o, "number", json_integer((json_int_t)i + 1));
	(void)json_object_set_new(o, "role", text_or_null(&x.role));
	(void)json_object_set_new(o, "node", text_or_null(&x.node));
	out_json_set_text(o, "dns_name", tlv_text(r.dns_name));
	(void)json_object_set_new(o, "address", text_or_null(&x.address));
	(void)json_object_set_new(o, "serial", out_json_hex_upper(serial_of(&r)));
	(void)json_object_set_new(o, "not_after", x.dated ? json_string(when) : json_null());
	(void)json_object_set_new(o, "signed_the_list", json_boolean(x.signs));
	(void)json_object_set_new(o, "anchor",
				  x.anchor != NULL ? json_string(x.anchor) : json_null());
	line_free(&x);
	return o;
}
