/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/crypto/cert.h"
#include "signer/cli/believe.h"
#include "signer/cli/common.h"
#include "signer/io/env.h"
#include "signer/trust/clean.h"
#include "signer/io/filename.h"
#include "signer/publish/fileset.h"
#include "signer/io/out.h"
#include "signer/cli/verb.h"
#include "tlv/text.h"
#include "tlv/utf8.h"

/* The folder that is written into, and the manifest that comes of it. */
struct extract {
	const struct tlv_list *l;
	const char *dir;
	bool json;
	const char *not_verified; /* why not; NULL: it was */
	struct buf manifest;
	struct filenames names;
	struct fileset files;
	struct publish_options cert_options, manifest_options;
};

/* Some line breaks become blanks when YAML is read, and other controls make it no YAML. */
static void put_code_point(struct buf *b, uint32_t code)
{
	buf_u8(b, '\\');
	buf_u8(b, code > 0xffff ? 'U' : 'u');
	buf_hex(b,
		span_of((const uint8_t[]){ (uint8_t)(code >> 24), (uint8_t)(code >> 16) },
			code > 0xffff ? 2 : 0),
		HEX_LOWER, "");
	buf_hex(b, span_of((const uint8_t[]){ (uint8_t)(code >> 8), (uint8_t)code }, 2), HEX_LOWER,
		"");
}

/* A YAML scalar in double quotes; what is no UTF-8 stays, and build refuses it. */
static void put_quoted(struct buf *b, struct span s)
{
	buf_u8(b, '"');
	while (s.n > 0) {
		size_t whole = utf8_character(s.p, s.n), n = whole > 0 ? whole : 1;

		if (span_at(s, 0) == '"' || span_at(s, 0) == '\\')
			buf_u8(b, '\\');
		if (whole > 0 && utf8_visible(s.p, s.n) == 0)
			put_code_point(b, utf8_code_point(s.p, whole));
		else
			buf_put(b, span_slice(s, 0, n));
		s = span_slice(s, n, s.n);
	}
	buf_u8(b, '"');
}

/* What a file name is made of: the node's name, else the certificate's CN. */
static enum status label_of(const struct tlv_record *r, struct buf *out, struct tlv_err *e)
{
	struct span dns = tlv_text(r->dns_name);
	struct tlv_cert c;

	if (dns.n > 0)
		buf_put(out, dns);
	else if (tlv_cert_walk(r->certificate, &c, NULL) == ST_OK)
		(void)tlv_name_cn(c.subject, out);
	return buf_failed(out, e);
}

static enum status write_cert(struct extract *x, const struct tlv_record *r, const char *role,
			      struct buf *file, struct tlv_err *e)
{
	struct buf pem = BUF_INIT, label = BUF_INIT;
	enum status st = label_of(r, &label, e);

	if (st == ST_OK)
		st = filename_make(&x->names, role, buf_span(&label), r->serial, r->certificate,
				   ".pem", file, e);
	if (st == ST_OK)
		st = cert_to_pem(r->certificate, &pem, e);
	if (st == ST_OK)
		st = fileset_add(&x->files, buf_cstr(file), buf_span(&pem), &x->cert_options, e);
	buf_free(&pem);
	buf_free(&label);
	return st;
}

/* What has no certificate is kept as it is: nothing could make it again. */
static enum status keep_bytes(struct extract *x, const struct tlv_record *r, const char *role,
			      struct tlv_err *e)
{
	struct buf label = BUF_INIT, file = BUF_INIT;
	enum status st = label_of(r, &label, e);

	if (st == ST_OK)
		st = filename_make(&x->names, role, buf_span(&label), r->serial, r->raw, ".record",
				   &file, e);
	if (st == ST_OK)
		st = fileset_add(&x->files, buf_cstr(&file), r->raw, &x->cert_options, e);
	buf_printf(&x->manifest, "  - {role: %s, record: ", role);
	put_quoted(&x->manifest, buf_span(&file));
	buf_str(&x->manifest, "}\n");
	buf_free(&file);
	buf_free(&label);
	return st;
}

/* Non-secure mode leaves no more of a CCM+TFTP record than the manifest can say. */
static bool is_kept(const struct tlv_record *r)
{
	return r->certificate.n == 0 && r->role != TLV_ROLE_SAST &&
	       (r->role != TLV_ROLE_CCM_TFTP || tlv_record_has(r, TLV_R_CERT_HASH));
}

static void put_record_line(struct buf *b, const struct tlv_record *r, const char *role,
			    struct buf *file)
{
	struct span dns = tlv_text(r->dns_name);

	buf_printf(b, "  - {role: %s", role);
	if (file->n > 0) {
		buf_str(b, ", cert: ");
		put_quoted(b, buf_span(file));
	}
	if (dns.n > 0) {
		buf_str(b, ", name: ");
		put_quoted(b, dns);
	}
	if (r->address.n == 4 && dns.n + (size_t)(span_be(r->address) != 0) > 0) {
		buf_str(b, ", address: ");
		buf_ipv4(b, r->address);
	}
	buf_str(b, "}\n");
}

static void warn_left_out(const struct tlv_record *r, size_t number)
{
	if (r->certificate.n == 0 && r->role == TLV_ROLE_SAST)
		msg_warn(
			"record %zu: has no certificate, and build makes no SAST record without one",
			number);
	if (r->address.n == 16)
		msg_warn("record %zu: has an IPv6 address, which build does not write: left out",
			 number);
	else if (r->address.n > 0 && r->address.n != 4)
		msg_warn(
			"record %zu: has an address of %zu byte%s, and build writes four: left out",
			number, r->address.n, plural(r->address.n));
}

static enum status extract_record(struct extract *x, size_t i, struct tlv_err *e)
{
	struct tlv_record r = tlv_list_record(x->l, i);
	const struct tlv_role_row *role = tlv_role_find(r.role);
	struct buf file = BUF_INIT;
	enum status st = ST_OK;

	if (role == NULL) {
		msg_warn("record %zu: function %u is unknown: left out", i + 1, (unsigned)r.role);
		return ST_OK;
	}
	if (is_kept(&r)) {
		st = keep_bytes(x, &r, role->text, e);
		return st == ST_OK ? ST_OK : err_in(e, "record %zu", i + 1);
	}
	warn_left_out(&r, i + 1);
	if (r.certificate.n > 0)
		st = write_cert(x, &r, role->text, &file, e);
	if (st == ST_OK)
		put_record_line(&x->manifest, &r, role->text, &file);
	buf_free(&file);
	return st == ST_OK ? ST_OK : err_in(e, "record %zu", i + 1);
}

static void put_settings(struct extract *x)
{
	const struct tlv_header *h = &x->l->header;
	const struct tlv_digest_row *digest = tlv_digest_find(h->digest);
	struct tlv_dialect d = tlv_list_dialect(x->l);
	struct buf *b = &x->manifest;

	buf_str(b, KIND_MANIFEST_LINE);
	if (x->not_verified != NULL)
		buf_printf(b, "# not verified: %s\n", x->not_verified);
	buf_str(b, "file: ");
	put_quoted(b, tlv_text(h->filename));
	buf_printf(b, "\nstyle: %s\n", tlv_style_text(d.style));
	if (d.style == TLV_STYLE_RFC4514 && d.separator != ',')
		buf_printf(b, "name-separator: \"%c\"\n", d.separator);
	buf_printf(b, "mode: %s\n", tlv_list_is_non_secure(x->l) ? "non-secure" : "mixed");
	if (digest != NULL)
		buf_printf(b, "digest: %s\n", digest->text);
	if (tlv_header_has(h, TLV_H_SIGNER_VERSION))
		buf_printf(b, "signer-version: \"%u.%u\"\n", (unsigned)h->signer_version[0],
			   (unsigned)h->signer_version[1]);
	buf_str(b, "records:\n");
}

static enum status report(const struct extract *x, const char *manifest, struct tlv_err *e)
{
	json_t *o;
	enum status st = ST_OK;

	if (x->json) {
		o = json_object();
		out_json_set_text(o, "manifest", span_str(manifest));
		(void)json_object_set_new(o, "verified", json_boolean(x->not_verified == NULL));
		(void)json_object_set_new(o, "records", json_integer((json_int_t)x->l->nrecords));
		st = out_json(o, e);
	} else {
		out_printf("%s: %zu record%s\n", manifest, x->l->nrecords, plural(x->l->nrecords));
	}
	return st == ST_OK ? out_flush(e) : st;
}

static enum status extract_all(struct extract *x, struct tlv_err *e)
{
	struct buf path = BUF_INIT;
	enum status st = ST_OK;

	put_settings(x);
	for (size_t i = 0; i < x->l->nrecords && st == ST_OK; i++)
		st = extract_record(x, i, e);
	buf_printf(&path, "%s/cluster.yaml", x->dir);
	if (st == ST_OK)
		st = buf_failed(&x->manifest, e);
	if (st == ST_OK)
		st = fileset_add(&x->files, "cluster.yaml", buf_span(&x->manifest),
				 &x->manifest_options, e);
	/* Nothing must be in its place when it cannot be said what. */
	if (st == ST_OK)
		st = report(x, buf_cstr(&path), e);
	if (st == ST_OK)
		st = fileset_commit(&x->files, e);
	buf_free(&path);
	return st;
}

/*
 * A foreign list may be looked at; what came of it says that nobody vouched
 * for it. One whose signature does not verify is not taken apart unasked.
 */
static enum status judge(struct extract *x, const struct list_file *f, const struct opts *o,
			 struct tlv_err *e)
{
	struct belief_subject s = { .path = o->args[0], .file = &f->file.st, .list = &f->list };
	struct clean_options clean = { .name = o->args[0], .what = "nothing is written" };
	struct tlv_err own = TLV_ERR_INIT;
	struct believing b;
	struct believed found;
	enum status st = believe_options(&b, o, e);

	if (st == ST_OK)
		st = belief_judge(&b.belief, &s, &msg_warnings, &found, e);
	if (st == ST_OK && found.state == BELIEF_BAD && !opt_given(o, OPT_UNVERIFIED))
		st = belief_refuse(&found, &s,
				   "nothing is written (--unverified extracts it all the same)", e);
	if (st == ST_OK && found.state == BELIEF_BAD)
		x->not_verified = "BAD signature";
	else if (st == ST_OK && found.state == BELIEF_UNKNOWN)
		x->not_verified = "nobody who was named has signed this list";
	else if (st == ST_OK && clean_check(&f->list, &clean, env_now(), &own) != ST_OK)
		x->not_verified = "the list has errors: 'ctlsign verify' lists them";
	if (own.status == ST_NOMEM)
		st = err_nomem(e);
	if (st == ST_OK && x->not_verified != NULL)
		msg_ground("%s: not verified: %s", o->args[0], x->not_verified);
	believing_free(&b);
	return st;
}

enum status cmd_extract(const struct opts *o, struct tlv_err *e)
{
	struct extract x = { .json = opt_given(o, OPT_JSON), .dir = opt_value(o, OPT_DIRECTORY) };
	struct list_file f = { .fault = TLV_ERR_INIT };
	enum status st;

	if (x.dir == NULL)
		return err_set(e, ST_USAGE, "where to? name the folder with -o");
	st = common_publish_options(o, KIND_OTHER, &x.cert_options, e);
	x.manifest_options = x.cert_options;
	x.manifest_options.kind = KIND_MANIFEST;
	if (st == ST_OK)
		st = fileset_open(&x.files, x.dir, e);
	if (st == ST_OK)
		st = common_write_beneath(x.dir, x.files.made, e);
	if (st == ST_OK)
		st = list_file_read(&f, o->args[0], 0, e);
	x.l = &f.list;
	if (st == ST_OK)
		st = judge(&x, &f, o, e);
	if (st == ST_OK)
		st = extract_all(&x, e);
	fileset_free(&x.files);
	buf_free(&x.manifest);
	filenames_free(&x.names);
	list_file_free(&f);
	return st;
}
