/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/json.h"

#include <stdio.h>
#include <string.h>

#include "signer/crypto/cert.h"
#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/trust/tvs_message.h"
#include "tlv/text.h"

static void set_size(json_t *o, const char *key, size_t n)
{
	out_json_set(o, key, json_integer((json_int_t)n));
}

static void set_time(json_t *o, const char *key, int64_t seconds)
{
	char text[32];

	time_iso(seconds, text);
	out_json_set(o, key, json_string(text));
}

/* null if the field is not there. */
static void set_field_text(json_t *o, const char *key, bool there, struct span value)
{
	if (there)
		out_json_set_text(o, key, tlv_text(value));
	else
		out_json_set(o, key, json_null());
}

static void set_field_hex(json_t *o, const char *key, bool there, struct span value)
{
	out_json_set(o, key, there ? out_json_hex(value) : json_null());
}

static void set_version(json_t *o, const char *key, bool there, const uint8_t v[2])
{
	char text[16];

	(void)snprintf(text, sizeof text, "%u.%u", (unsigned)v[0], (unsigned)v[1]);
	out_json_set(o, key, there ? json_string(text) : json_null());
}

static json_t *finding(const struct tlv_finding *f)
{
	json_t *o = json_object();

	out_json_set(o, "level", json_string(f->error ? "error" : "warning"));
	out_json_set(o, "code", json_string(tlv_finding_text(f->code)));
	out_json_set(o, "record",
		     f->record > 0 ? json_integer((json_int_t)f->record) : json_null());
	out_json_set(o, "offset", f->has_at ? json_integer((json_int_t)f->at) : json_null());
	out_json_set_text(o, "text", span_str(f->text));
	return o;
}

json_t *list_json_findings(const struct tlv_findings *f)
{
	json_t *a = json_array();

	for (size_t i = 0; i < f->n; i++)
		(void)json_array_append_new(a, finding(&f->v[i]));
	return a;
}

static json_t *fields(enum tlv_scope scope, struct span raw, size_t at)
{
	struct tlv_walk w = tlv_walk_of(scope, raw, at);
	json_t *a = json_array();
	struct tlv_field f;

	while (tlv_walk_next(&w, &f, NULL)) {
		json_t *o = json_object();

		out_json_set(o, "tag", json_integer(f.tag));
		out_json_set(o, "name", json_string(f.row != NULL ? f.row->label : "UNKNOWN"));
		set_size(o, "offset", f.at);
		set_size(o, "length", f.value.n);
		if (f.row == NULL)
			out_json_set(o, "value", out_json_hex(f.value));
		(void)json_array_append_new(a, o);
	}
	return a;
}

json_t *list_json_header(const struct tlv_header *h)
{
	const struct tlv_digest_row *digest = tlv_digest_find(h->digest);
	json_t *o = json_object();

	set_version(o, "version", tlv_header_has(h, TLV_H_VERSION), h->version);
	set_size(o, "header_length", h->length);
	set_field_text(o, "signer_name", tlv_header_has(h, TLV_H_SIGNER_NAME), h->signer_name);
	out_json_set(o, "signer_serial", out_json_hex_upper(h->signer_serial));
	set_field_text(o, "signer_issuer", tlv_header_has(h, TLV_H_CA_NAME), h->signer_issuer);
	out_json_set(o, "digest", digest != NULL ? json_string(digest->text) : json_null());
	out_json_set(o, "digest_number", json_integer(h->digest));
	out_json_set(o, "modulus_bits", json_integer(tlv_modulus_bits(h->modulus)));
	set_field_hex(o, "signature", tlv_header_has(h, TLV_H_SIGNATURE), h->signature);
	set_field_text(o, "filename", tlv_header_has(h, TLV_H_FILENAME), h->filename);
	if (tlv_header_has(h, TLV_H_TIMESTAMP)) {
		out_json_set(o, "timestamp", json_integer(h->timestamp));
		set_time(o, "time", h->timestamp);
	} else {
		out_json_set(o, "timestamp", json_null());
		out_json_set(o, "time", json_null());
	}
	set_version(o, "signer_version", tlv_header_has(h, TLV_H_SIGNER_VERSION),
		    h->signer_version);
	set_size(o, "padding", h->padding);
	out_json_set(o, "fields", fields(TLV_SCOPE_HEADER, h->raw, 0));
	return o;
}

static json_t *base64(struct span s)
{
	struct buf b = BUF_INIT;
	json_t *v = NULL;

	if (cert_base64(s, &b, NULL) == ST_OK)
		v = json_string(buf_cstr(&b));
	buf_free(&b);
	return v;
}

json_t *list_json_certificate(struct span der)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct cert_facts f;
	struct tlv_cert c;
	json_t *o = json_object();

	if (tlv_cert_walk(der, &c, &e) == ST_OK && cert_judge(der, &f, &e) == ST_OK) {
		out_json_set(o, "sha1", out_json_hex(span_of(f.sha1, sizeof f.sha1)));
		out_json_set(o, "sha256", out_json_hex(span_of(f.sha256, sizeof f.sha256)));
		out_json_set_text(o, "subject", span_str(f.subject));
		out_json_set_text(o, "issuer", span_str(f.issuer));
		out_json_set(o, "serial", out_json_hex_upper(c.serial));
		set_time(o, "not_before", f.not_before);
		set_time(o, "not_after", f.not_after);
		out_json_set(o, "key_type", json_string(f.key_type));
		out_json_set(o, "key_bits", json_integer(f.key_bits));
		cert_facts_free(&f);
	} else {
		out_json_set_text(o, "error", span_str(err_text(&e)));
	}
	out_json_set(o, "der", base64(der));
	return o;
}

static json_t *address(const struct tlv_record *r)
{
	struct buf text = BUF_INIT;
	json_t *v;

	if (!buf_address(&text, r->address))
		return tlv_record_has(r, TLV_R_IP_ADDRESS) ? out_json_hex(r->address) : json_null();
	v = json_string(buf_cstr(&text));
	buf_free(&text);
	return v;
}

json_t *list_json_record(const struct tlv_record *r, size_t number, bool signed_it)
{
	const struct tlv_role_row *role = tlv_role_find(r->role);
	bool has_role = tlv_record_has(r, TLV_R_FUNCTION);
	json_t *o = json_object();

	set_size(o, "number", number);
	set_size(o, "offset", r->at);
	set_size(o, "length", r->raw.n);
	out_json_set(o, "role", has_role && role != NULL ? json_string(role->text) : json_null());
	out_json_set(o, "role_number", has_role ? json_integer(r->role) : json_null());
	set_field_text(o, "dns_name", tlv_record_has(r, TLV_R_DNS_NAME), r->dns_name);
	set_field_text(o, "subject", tlv_record_has(r, TLV_R_SUBJECT_NAME), r->subject);
	set_field_text(o, "issuer", tlv_record_has(r, TLV_R_ISSUER_NAME), r->issuer);
	out_json_set(o, "serial",
		     tlv_record_has(r, TLV_R_SERIAL) ? out_json_hex_upper(r->serial) : json_null());
	set_field_hex(o, "public_key", tlv_record_has(r, TLV_R_PUBLIC_KEY), r->public_key);
	set_field_hex(o, "signature", tlv_record_has(r, TLV_R_CERT_SIGNATURE), r->signature);
	out_json_set(o, "certificate",
		     tlv_record_has(r, TLV_R_CERTIFICATE) ? list_json_certificate(r->certificate) :
							    json_null());
	set_field_hex(o, "certificate_hash", tlv_record_has(r, TLV_R_CERT_HASH), r->hash);
	set_field_hex(o, "hash_algorithm", tlv_record_has(r, TLV_R_HASH_ALGORITHM),
		      r->hash_algorithm);
	out_json_set(o, "address", address(r));
	out_json_set(o, "signed_the_list", json_boolean(signed_it));
	out_json_set(o, "fields", fields(TLV_SCOPE_RECORD, r->raw, r->at));
	return o;
}

static void set_null(json_t *o, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		out_json_set(o, *keys, json_null());
}

json_t *list_json_printed_header(const struct tlv_header *h)
{
	static const char *const unknown[] = { "digest", "timestamp", "time", NULL };
	json_t *o = list_json_header(h);

	set_null(o, unknown);
	out_json_set(o, "digest_number", json_integer(0));
	out_json_set(o, "modulus_bits", json_integer((json_int_t)h->signature.n * 8));
	out_json_set(o, "fields", json_array());
	/* Another name than the usual one is not printed. */
	if (h->filename.n > 0 && span_at(h->filename, 0) == 0)
		out_json_set(o, "filename", json_null());
	return o;
}

/* What is known of a certificate that was printed. */
static json_t *printed_certificate(struct span value)
{
	json_t *o = json_object();

	if (value.n >= 20) /* less is no certificate, and no SHA-1 has room in it */
		out_json_set(o, "sha1", out_json_hex(span_slice(value, 0, 20)));
	out_json_set(o, "error", json_string("printed, not read: only its SHA-1 is known"));
	out_json_set(o, "der", json_null());
	return o;
}

json_t *list_json_printed_record(const struct tlv_record *r, size_t number, bool signed_it)
{
	static const char *const unknown[] = { "public_key", "signature",      "certificate",
					       "address",    "hash_algorithm", NULL };
	json_t *o = list_json_record(r, number, signed_it);

	set_null(o, unknown);
	if (tlv_record_has(r, TLV_R_CERTIFICATE))
		out_json_set(o, "certificate", printed_certificate(r->certificate));
	out_json_set(o, "fields", json_array());
	return o;
}

json_t *list_json_roles(struct span roles)
{
	json_t *all = json_array();

	for (size_t i = 0; i < roles.n; i++) {
		struct buf b = BUF_INIT;

		tvs_put_role(&b, span_at(roles, i));
		(void)json_array_append_new(all, json_string(buf_cstr(&b)));
		buf_free(&b);
	}
	return all;
}

json_t *list_json_sources(enum fact_id fact)
{
	const char *at = fact_row(fact).sources;
	json_t *a = json_array();

	for (size_t n; *at != '\0'; at += n) {
		at += strspn(at, ", ");
		n = strcspn(at, ", ");
		(void)json_array_append_new(a, json_stringn(at, n));
	}
	return a;
}
