/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "signer/crypto/cert.h"
#include "signer/cli/common.h"
#include "signer/io/env.h"
#include "signer/list/json.h"
#include "signer/list/summary.h"
#include "signer/io/out.h"
#include "signer/text/doubts.h"
#include "signer/trust/signature.h"
#include "signer/cli/verb.h"
#include "tlv/kind.h"

/*
 * As CUCM's 'show ctl' prints it: source is the vendor's printed output
 * (tests/data/samples). Its spelling and its columns are kept.
 */

enum { SIGNATURE_ROW = 8 };

/*
 * Number, label, and tabs to the next column: a label of eight or more characters takes one less.
 */
static void row_head(unsigned tag, const char *label)
{
	out_printf(strlen(label) < 8 ? "%u\t%s\t\t" : "%u\t%s\t", tag, label);
}

static void print_signature(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool last = i % SIGNATURE_ROW == SIGNATURE_ROW - 1 || i == s.n - 1;

		if (i % SIGNATURE_ROW == 0)
			out_printf("\t\t");
		out_printf(last ? "%x\n" : "%-4x", (unsigned)span_at(s, i));
	}
}

/* Of a printed list the SHA-1 stands in the certificate's place. */
static void print_certificate(struct span der, bool printed)
{
	uint8_t sha1[20];

	if (printed ? !span_copy(span_slice(der, 0, sizeof sha1), sha1, sizeof sha1) :
		      cert_sha1(der, sha1, NULL) != ST_OK)
		return;
	out_hex(span_of(sha1, sizeof sha1), HEX_UPPER, " ");
	out_printf(" (SHA1 Hash HEX)");
}

static void print_role(struct span value)
{
	const struct tlv_role_row *role = tlv_role_find((uint16_t)span_be(value));

	if (role != NULL)
		out_printf("%s", role->shown);
	else
		out_printf("%u", span_be(value));
}

/* CUCM prints no value of an IPv4 address, and has never been seen to print another one. */
static bool is_ipv6(const struct tlv_field *f)
{
	return f->row->scope == TLV_SCOPE_RECORD && f->tag == TLV_R_IP_ADDRESS && f->value.n == 16;
}

static void print_address(struct span address)
{
	struct buf text = BUF_INIT;

	(void)buf_address(&text, address);
	out_text(buf_span(&text));
	buf_free(&text);
}

static void print_value(const struct tlv_field *f, bool printed)
{
	if (is_ipv6(f)) {
		print_address(f->value);
		return;
	}
	switch (f->row->kind) {
	case TLV_KIND_TEXT:
		out_safe(tlv_text(f->value));
		break;
	case TLV_KIND_SERIAL:
		out_hex(f->value, HEX_UPPER, ":");
		break;
	case TLV_KIND_ROLE:
		print_role(f->value);
		break;
	case TLV_KIND_CERTIFICATE:
		print_certificate(f->value, printed);
		break;
	case TLV_KIND_HASH:
		out_hex(f->value, HEX_UPPER, " ");
		break;
	default:
		break;
	}
}

/* Whether show prints a VALUE beside the LENGTH. */
static bool has_value(const struct tlv_field *f)
{
	if (is_ipv6(f))
		return true;
	switch (f->row->kind) {
	case TLV_KIND_TEXT:
		return f->value.n > 1;
	case TLV_KIND_SERIAL:
	case TLV_KIND_ROLE:
	case TLV_KIND_CERTIFICATE:
	case TLV_KIND_HASH:
		return true;
	default:
		return false;
	}
}

static void print_version_row(const struct tlv_field *f)
{
	row_head(f->tag, f->row->label);
	out_printf("%zu\t%u.%u\n", f->value.n, span_be(f->value) >> 8, span_be(f->value) & 0xffU);
}

static void print_field(const struct tlv_field *f, bool printed)
{
	if (f->row == NULL) {
		row_head(f->tag, "UNKNOWN");
		out_printf("%zu\n", f->value.n);
		return;
	}
	if (f->row->label[0] == '(')
		return;
	if (f->row->kind == TLV_KIND_VERSION) {
		print_version_row(f);
		return;
	}
	row_head(f->tag, f->row->label);
	if (f->tag == TLV_R_RECORD_LENGTH && f->row->scope == TLV_SCOPE_RECORD) {
		out_printf("2\t%u\n", span_be(f->value));
	} else if (f->row->kind == TLV_KIND_CONTAINER) {
		out_printf("2\t%zu\n", f->value.n);
	} else if (f->row->kind == TLV_KIND_SIGNATURE) {
		out_printf("%zu\n", f->value.n);
		print_signature(f->value);
	} else {
		out_printf(has_value(f) ? "%zu\t" : "%zu", f->value.n);
		if (has_value(f))
			print_value(f, printed);
		out_printf("\n");
	}
}

static void print_fields(enum tlv_scope scope, struct span raw, size_t at, bool printed)
{
	struct tlv_walk w = tlv_walk_of(scope, raw, at);
	struct tlv_field f;

	out_printf("BYTEPOS\tTAG\t\tLENGTH\tVALUE\n-------\t---\t\t------\t-----\n");
	while (tlv_walk_next(&w, &f, NULL))
		print_field(&f, printed);
}

static void print_record(const struct tlv_record *r, const struct tlv_list *l, size_t number,
			 bool signed_it)
{
	const char *kind = tlv_list_kind_text(l);

	out_printf("\n\t%s Record #:%zu\n\t\t----\n", kind, number);
	print_fields(TLV_SCOPE_RECORD, r->raw, r->at, l->printed);
	if (tlv_record_is(r, TLV_ROLE_SAST))
		out_printf("This etoken was %sused to sign the %s file.\n", signed_it ? "" : "not ",
			   kind);
}

static void print_header(const struct tlv_header *h, const char *kind)
{
	out_printf("\tParse %s File\n\t----------------\n\n", kind);
	out_printf("Version:\t%u.%u\n", (unsigned)h->version[0], (unsigned)h->version[1]);
	out_printf("HeaderLength:\t%u (BYTES)\n\n", (unsigned)h->length);
	print_fields(TLV_SCOPE_HEADER, h->raw, 0, false);
}

static enum status print_file(const struct list_file *f, const char *kind, struct tlv_err *e)
{
	char md5[33], sha1[41], when[64];
	enum status st = list_checksums(&f->list, md5, sha1, e);

	if (st != ST_OK)
		return st;
	if (f->printed != NULL)
		(void)snprintf(when, sizeof when, "%s", f->printed->modified);
	else if (f->file.st.st_mtim.tv_sec == 0 && f->file.st.st_nlink == 0)
		(void)snprintf(when, sizeof when, "an unknown date: the server does not say");
	else
		time_cucm(f->file.st.st_mtim.tv_sec, when);
	out_printf("The checksum value of the %s file:\n%s(MD5)\n%s(SHA1)\n\n", kind, md5, sha1);
	out_printf("Length of %s file: %zu\nThe %s File was last modified on %s\n\n", kind,
		   f->list.bytes.n, kind, when);
	return ST_OK;
}

static bool signed_by(const struct tlv_list *l, const struct tlv_record *r)
{
	return tlv_record_is(r, TLV_ROLE_SAST) && tlv_record_signs(r, &l->header);
}

/*
 * CUCM's words are about the signature alone. A list may have a good signature and still be wrong.
 */
static enum status warn_errors(const struct list_file *f, struct tlv_err *e)
{
	const struct verify_ask ask = { .now = env_now() };
	struct verification v;
	enum status st = verify_list(&v, &f->list, &ask, e);

	if (st == ST_OK && v.findings.errors > 0)
		msg_warn("the list is not good, errors: %zu: 'ctlsign verify' names them",
			 v.findings.errors);
	verification_free(&v);
	return st;
}

static enum status show_text(const struct list_file *f, struct tlv_err *e)
{
	const char *kind = tlv_list_kind_text(&f->list);
	enum status st = print_file(f, kind, e);
	long signer;

	if (st != ST_OK)
		return st;
	print_header(&f->list.header, kind);
	for (size_t i = 0; i < f->list.nrecords; i++) {
		struct tlv_record r = tlv_list_record(&f->list, i);

		print_record(&r, &f->list, i + 1, signed_by(&f->list, &r));
	}
	if (f->fault.status != ST_OK) {
		out_printf("\nError parsing the %s File.\n", kind);
		*e = f->fault;
		return e->status;
	}
	if (f->list.printed) {
		out_printf("\nThe %s file was printed, not read: its signature is not verified.\n",
			   kind);
		return ST_OK;
	}
	if (!signature_is_own(&f->list, &signer)) {
		out_printf("\nThe %s file could not be verified.\n", kind);
		return err_set(e, ST_NO, "%s", signature_why_not(&f->list, signer));
	}
	out_printf("\nThe %s file was verified successfully.\n", kind);
	return warn_errors(f, e);
}

struct record_by_record {
	const struct tlv_list *l;
	size_t i;
};

static json_t *next_record(void *arg)
{
	struct record_by_record *at = arg;
	struct tlv_record r;

	if (at->i == at->l->nrecords)
		return NULL;
	r = tlv_list_record(at->l, at->i++);
	if (at->l->printed)
		return list_json_printed_record(&r, at->i, signed_by(at->l, &r));
	return list_json_record(&r, at->i, signed_by(at->l, &r));
}

static json_t *fault_json(const struct tlv_err *fault)
{
	json_t *o = json_object();

	out_json_set_text(o, "text", span_str(err_text(fault)));
	(void)json_object_set_new(
		o, "offset", fault->has_at ? json_integer((json_int_t)fault->at) : json_null());
	return o;
}

static json_t *next_line(void *arg)
{
	struct record_by_record *at = arg;

	return at->i < at->l->nrecords ? summary_record_json(at->l, at->i++) : NULL;
}

/* What show and its summary both have in front; NULL if there are no checksums. */
static json_t *list_json(const char *path, const struct list_file *f, struct tlv_err *e)
{
	char md5[33], sha1[41];
	json_t *o;

	if (list_checksums(&f->list, md5, sha1, e) != ST_OK)
		return NULL;
	o = json_object();
	out_json_set_text(o, "file", span_str(path));
	(void)json_object_set_new(o, "kind", json_string(tlv_list_kind_text(&f->list)));
	(void)json_object_set_new(o, "length", json_integer((json_int_t)f->list.bytes.n));
	(void)json_object_set_new(o, "printed", json_boolean(f->list.printed));
	(void)json_object_set_new(o, "md5", *md5 == '\0' ? json_null() : json_string(md5));
	(void)json_object_set_new(o, "sha1", *sha1 == '\0' ? json_null() : json_string(sha1));
	(void)json_object_set_new(o, "header",
				  f->list.printed ? list_json_printed_header(&f->list.header) :
						    list_json_header(&f->list.header));
	return o;
}

static void set_verified(json_t *o, bool verified)
{
	json_t *sig = json_object();

	(void)json_object_set_new(sig, "verified", json_boolean(verified));
	(void)json_object_set_new(o, "signature", sig);
}

/* The status of a list that was shown: damaged, or not verified. */
static enum status shown(const struct list_file *f, bool verified, struct tlv_err *e)
{
	if (f->fault.status != ST_OK) {
		*e = f->fault;
		return e->status;
	}
	return verified || f->list.printed ? ST_OK : ST_NO;
}

static enum status show_json(const char *path, const struct list_file *f, struct tlv_err *e)
{
	const struct trust self = { .self = true };
	const struct verify_ask ask = { .trust = &self, .now = env_now(), .served = path };
	struct verification v = { .findings = TLV_FINDINGS_INIT };
	struct record_by_record records = { .l = &f->list };
	enum status st;
	json_t *o;

	st = f->printed != NULL ? doubts_find(&v.findings, f->printed, e) :
				  verify_list(&v, &f->list, &ask, e);
	o = st == ST_OK ? list_json(path, f, e) : NULL;
	if (o == NULL) {
		verification_free(&v);
		return e->status;
	}
	(void)json_object_set_new(o, "records", json_array());
	(void)json_object_set_new(o, "findings", list_json_findings(&v.findings));
	set_verified(o, v.verified && f->fault.status == ST_OK);
	(void)json_object_set_new(o, "fault",
				  f->fault.status != ST_OK ? fault_json(&f->fault) : json_null());
	st = out_json_with(o, "records", next_record, &records, e);
	if (st == ST_OK)
		st = shown(f, v.verified, e);
	verification_free(&v);
	return st;
}

static enum status summary_as_json(const char *path, const struct list_file *f, bool verified,
				   struct tlv_err *e)
{
	struct record_by_record lines = { .l = &f->list };
	json_t *o = list_json(path, f, e);

	if (o == NULL)
		return e->status;
	(void)json_object_set_new(
		o, "mode", json_string(tlv_list_is_non_secure(&f->list) ? "non-secure" : "mixed"));
	(void)json_object_set_new(o, "summary", json_array());
	set_verified(o, verified);
	(void)json_object_set_new(o, "fault",
				  f->fault.status != ST_OK ? fault_json(&f->fault) : json_null());
	return out_json_with(o, "summary", next_line, &lines, e);
}

/* What the signature comes to, in a line of the summary. */
static void put_signature(struct buf *b, const struct list_file *f, bool verified, long signer)
{
	if (f->fault.status != ST_OK)
		buf_str(b, "not looked at: the list is damaged");
	else if (f->list.printed)
		buf_str(b, "not verified: the list was printed, not read");
	else if (verified)
		buf_str(b, "verifies; ask 'ctlsign verify --trust' whether you trust the signer");
	else
		buf_printf(b, "BAD: %s", signature_why_not(&f->list, signer));
}

/* One screen, with the status that show has. */
static enum status show_summary(const char *path, const struct list_file *f, bool json,
				struct tlv_err *e)
{
	struct buf b = BUF_INIT, said = BUF_INIT;
	long signer = TLV_SIGNER_NONE;
	bool verified =
		f->fault.status == ST_OK && !f->list.printed && signature_is_own(&f->list, &signer);
	enum status st;

	/* What is no list at all has no summary. */
	if (f->fault.status != ST_OK && f->list.nrecords == 0 && !json)
		return err_copy(e, &f->fault);
	put_signature(&said, f, verified, signer);
	st = json ? summary_as_json(path, f, verified, e) :
		    summary_text(&b, path, f, buf_cstr(&said), env_now(), e);
	if (st == ST_OK && !json)
		out_text(buf_span(&b));
	buf_free(&b);
	buf_free(&said);
	if (st == ST_OK && !json && verified)
		st = warn_errors(f, e);
	return st == ST_OK ? shown(f, verified, e) : st;
}

/* CUCM's own words if there is no list. */
static void print_missing(const char *path)
{
	const char *kind = tlv_kind_text(tlv_kind_of_name(span_str(path)));

	out_printf("Length of %s file: 0\n", kind);
	out_printf(
		"%s File not found. Please run CTLClient plugin or run the CLI - utils ctl.. to generate the CTL file.\n",
		kind);
	out_printf("Error parsing the %s File.\n", kind);
}

enum status cmd_show(const struct opts *o, struct tlv_err *e)
{
	const char *path = o->nargs > 0 ? o->args[0] : "CTLFile.tlv";
	bool json = opt_given(o, OPT_JSON);
	struct list_file f;
	struct stat there;
	enum status st;

	common_read_only();
	st = list_file_read(&f, path, LIST_DAMAGED | LIST_PRINTED, e);
	/* Of the list that nobody named; a name that was typed wrong is just no file. */
	if (st == ST_INPUT && !json && !opt_given(o, OPT_SUMMARY) && o->nargs == 0 &&
	    stat(path, &there) != 0)
		print_missing(path);
	if (st == ST_OK)
		st = opt_given(o, OPT_SUMMARY) ? show_summary(path, &f, json, e) :
		     json		       ? show_json(path, &f, e) :
						 show_text(&f, e);
	list_file_free(&f);
	return st;
}
