/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of a record, of a header's names and of a certificate is answered by anything.
 * prove/header.c and prove/cert.c show what some of these functions do. docs/PROOF.md says which
 * are assumed to do what they say.
 */
#include "records.h"

#include "tlv/check.h"
#include "tlv/kind.h"

#include "any.h"

struct tlv_record any_record(void)
{
	return (struct tlv_record){ .at = any_size(0, UINT32_MAX),
				    .present = any_u32(),
				    .repeated = any_u32(),
				    .unknown = any_bool(),
				    .dns_name = any_span(),
				    .subject = any_span(),
				    .issuer = any_span(),
				    .serial = any_span(),
				    .role = any_u16(),
				    .public_key = any_span(),
				    .certificate = any_span(),
				    .address = any_span(),
				    .hash = any_span() };
}

struct tlv_cert any_cert(struct span der)
{
	return (struct tlv_cert){ .der = der,
				  .serial = any_span(),
				  .issuer = any_span(),
				  .validity = any_span(),
				  .subject = any_span(),
				  .public_key = any_span(),
				  .signature = any_span() };
}

/* Its parts are only spans if it is a certificate. */
enum status tlv_cert_walk(struct span der, struct tlv_cert *out, struct tlv_err *e)
{
	bool is_one = any_bool();

	/*@ split is_one; */
	is_span(der);
	any_bytes(out, sizeof *out);
	if (!is_one)
		return err_set(e, ST_INPUT, "not a certificate");
	*out = any_cert(der);
	return ST_OK;
}

bool tlv_key_proves_nothing(struct span public_key)
{
	is_span(public_key);
	return any_bool();
}

struct span tlv_text(struct span value)
{
	is_span(value);
	return any_span();
}

enum tlv_serial_match tlv_header_serial(const struct tlv_header *h, struct span serial)
{
	is_span(h->signer_serial);
	is_span(serial);
	return (enum tlv_serial_match)any_size(TLV_SERIAL_OTHER, TLV_SERIAL_REVERSED);
}

bool tlv_header_names(const struct tlv_header *h, struct span serial, struct span issuer)
{
	is_span(h->signer_serial);
	is_span(serial);
	is_span(issuer);
	return any_bool();
}

bool tlv_header_means(const struct tlv_header *h, const struct tlv_cert *c)
{
	is_span(h->signer_serial);
	is_span(c->serial);
	return any_bool();
}

bool tlv_record_is_tftp(const struct tlv_record *r)
{
	return tlv_record_is(r, TLV_ROLE_TFTP) || tlv_record_is(r, TLV_ROLE_CCM_TFTP);
}

bool tlv_record_is_token(const struct tlv_record *r)
{
	is_span(r->certificate);
	return any_bool();
}

bool tlv_record_is_nameless(const struct tlv_record *r)
{
	is_span(r->dns_name);
	return any_bool();
}

bool tlv_record_is_itlrecovery(const struct tlv_record *r)
{
	is_span(r->certificate);
	return any_bool();
}

bool tlv_record_agrees(const struct tlv_record *r)
{
	is_span(r->certificate);
	return any_bool();
}

struct tlv_name_match tlv_name_match(struct span text, struct span name)
{
	is_span(text);
	is_span(name);
	return (struct tlv_name_match){ .matches = any_bool(),
					.form = (enum tlv_name_form)any_size(TLV_NAME_SERVER,
									     TLV_NAME_SERVER_0),
					.separator = any_bool() ? ';' : ',' };
}

enum status tlv_name_write(struct buf *out, struct span name, enum tlv_name_form form,
			   char separator, struct tlv_err *e)
{
	(void)form;
	(void)separator;
	is_span(name);
	buf_put(out, any_span());
	return any_bool() ? ST_OK : err_set(e, ST_INPUT, "no name");
}
