/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/record.h"

#include "tlv/text.h"
#include "tlv/writer.h"

#define BIT(tag) (1U << (unsigned)(tag))

static void take(struct tlv_record *r, const struct tlv_field *f)
{
	switch (f->tag) {
	case TLV_R_DNS_NAME:
		r->dns_name = f->value;
		break;
	case TLV_R_SUBJECT_NAME:
		r->subject = f->value;
		break;
	case TLV_R_FUNCTION:
		r->role = (uint16_t)span_be(f->value);
		break;
	case TLV_R_ISSUER_NAME:
		r->issuer = f->value;
		break;
	case TLV_R_SERIAL:
		r->serial = f->value;
		break;
	case TLV_R_PUBLIC_KEY:
		r->public_key = f->value;
		break;
	case TLV_R_CERT_SIGNATURE:
		r->signature = f->value;
		break;
	case TLV_R_CERTIFICATE:
		r->certificate = f->value;
		break;
	case TLV_R_IP_ADDRESS:
		r->address = f->value;
		break;
	case TLV_R_CERT_HASH:
		r->hash = f->value;
		break;
	case TLV_R_HASH_ALGORITHM:
		r->hash_algorithm = f->value;
		break;
	default:
		break;
	}
}

static void note(struct tlv_record *r, const struct tlv_field *f)
{
	if (f->row == NULL) {
		r->unknown = true;
	} else if ((r->present & BIT(f->row->number)) != 0) {
		r->repeated |= BIT(f->row->number);
	} else {
		r->present |= BIT(f->row->number);
		take(r, f);
	}
}

/* RECORDLENGTH comes first: it says where the record ends. */
static enum status read_length(struct span bytes, size_t at, size_t *out, struct tlv_err *e)
{
	struct cursor c = { .rest = bytes, .at = at };
	uint8_t tag = 0;
	uint16_t n = 0, length = 0;

	if (!cursor_u8(&c, &tag))
		return err_set_at(e, ST_INPUT, at, "empty");
	if (tag == '<')
		return err_set_at(
			e, ST_INPUT, at,
			"begins with '<' instead of its length: for signed configuration there is 'ctlsign config verify'");
	if (tag != TLV_R_RECORD_LENGTH)
		return err_set_at(e, ST_INPUT, at, "begins with tag %u instead of its length",
				  (unsigned)tag);
	if (!cursor_u16(&c, &n) || n != 2 || !cursor_u16(&c, &length))
		return err_set_at(e, ST_INPUT, at, "record length: cut short, or not of 2 bytes");
	if (length < c.at - at)
		return err_set_at(e, ST_INPUT, at,
				  "record length: %u byte%s, which is less than its own field",
				  (unsigned)length, plural(length));
	if (length > bytes.n)
		return err_set_at(e, ST_INPUT, at, "record length: %u byte%s claimed, %zu remain",
				  (unsigned)length, plural(length), bytes.n);
	*out = length;
	return ST_OK;
}

enum status tlv_record_decode(struct tlv_record *r, struct span bytes, size_t at, struct tlv_err *e)
{
	struct tlv_err local = TLV_ERR_INIT;
	struct tlv_walk w;
	struct tlv_field f;
	size_t length = 0;

	e = e != NULL ? e : &local;
	*r = (struct tlv_record){ .raw = bytes, .at = at };
	if (read_length(bytes, at, &length, e) != ST_OK)
		return e->status;
	r->raw = span_slice(bytes, 0, length);
	w = tlv_walk_of(TLV_SCOPE_RECORD, r->raw, at);
	while (tlv_walk_next(&w, &f, e))
		note(r, &f);
	return e->status;
}

enum dns_kind { DNS_NONE, DNS_EMPTY, DNS_NAME, DNS_ADDRESS };
enum address_kind { ADDRESS_NONE, ADDRESS_ZERO, ADDRESS_GIVEN };

/* What each writer puts into a record. */
struct form {
	enum dns_kind dns;
	enum tlv_name_form names;
	bool serial_reversed;
	bool signature;
	enum address_kind address;
};

static const struct form form_token = { DNS_EMPTY, TLV_NAME_TOKEN, true, false, ADDRESS_ZERO };
static const struct form forms[] = {
	[TLV_STYLE_CUCM] = { DNS_NAME, TLV_NAME_SERVER, false, true, ADDRESS_GIVEN },
	[TLV_STYLE_CTL_CLIENT] = { DNS_ADDRESS, TLV_NAME_SERVER, false, false, ADDRESS_GIVEN },
	[TLV_STYLE_RFC4514] = { DNS_NONE, TLV_NAME_RFC4514, false, true, ADDRESS_NONE },
};

static const struct form *form_of(const struct tlv_record_spec *s)
{
	if (s->token && s->dialect.style != TLV_STYLE_RFC4514)
		return &form_token;
	return &forms[s->dialect.style];
}

static enum status require(const struct form *f, const struct tlv_record_spec *s, struct tlv_err *e)
{
	if (f->dns == DNS_NAME && s->name.n == 0)
		return err_set(
			e, ST_USAGE,
			"style cucm needs the node's name: add name=; for Asterisk and other PBXs use --style rfc4514");
	if (f->dns == DNS_ADDRESS && !s->has_address)
		return err_set(e, ST_USAGE,
			       "style ctl-client needs the node's address: add address=");
	if (s->cert == NULL && f->dns == DNS_NONE)
		return err_set(
			e, ST_USAGE,
			"style rfc4514 has neither names nor addresses for a record without certificate");
	if (span_has(s->name, 0))
		return err_set(e, ST_INPUT, "name: a NUL inside");
	return ST_OK;
}

static void put_dns_name(struct tlv_writer *w, const struct form *f,
			 const struct tlv_record_spec *s)
{
	struct buf text = BUF_INIT;

	switch (f->dns) {
	case DNS_NAME:
		tlv_put_text(w, TLV_R_DNS_NAME, s->name);
		break;
	case DNS_ADDRESS:
		buf_ipv4(&text, span_of(s->address, 4));
		tlv_put_text(w, TLV_R_DNS_NAME, buf_span(&text));
		break;
	case DNS_EMPTY:
		tlv_put_text(w, TLV_R_DNS_NAME, SPAN_NONE);
		break;
	case DNS_NONE:
		break;
	}
	buf_free(&text);
}

static void put_address(struct tlv_writer *w, const struct form *f, const struct tlv_record_spec *s)
{
	static const uint8_t zero[4];

	if (f->address == ADDRESS_ZERO)
		tlv_put(w, TLV_R_IP_ADDRESS, span_of(zero, sizeof zero));
	else if (f->address == ADDRESS_GIVEN && s->has_address)
		tlv_put(w, TLV_R_IP_ADDRESS, span_of(s->address, 4));
}

static void put_name(struct tlv_writer *w, uint8_t tag, struct span name, const struct form *f,
		     char separator)
{
	struct buf text = BUF_INIT;

	if (w->st == ST_OK)
		w->st = tlv_name_write(&text, name, f->names, separator, w->e);
	if (w->st == ST_OK)
		w->st = buf_failed(&text, w->e);
	if (w->st == ST_OK)
		tlv_put_text(w, tag, buf_span(&text));
	buf_free(&text);
}

static void put_cert(struct tlv_writer *w, const struct form *f, const struct tlv_record_spec *s)
{
	const struct tlv_cert *c = s->cert;

	put_name(w, TLV_R_SUBJECT_NAME, c->subject, f, s->dialect.separator);
	tlv_put_u16(w, TLV_R_FUNCTION, s->role);
	put_name(w, TLV_R_ISSUER_NAME, c->issuer, f, s->dialect.separator);
	if (f->serial_reversed)
		tlv_put_reversed(w, TLV_R_SERIAL, c->serial);
	else
		tlv_put(w, TLV_R_SERIAL, c->serial);
	tlv_put(w, TLV_R_PUBLIC_KEY, c->public_key);
	if (f->signature)
		tlv_put(w, TLV_R_CERT_SIGNATURE, c->signature);
	tlv_put(w, TLV_R_CERTIFICATE, c->der);
}

enum status tlv_record_write(struct buf *b, const struct tlv_record_spec *s, struct tlv_err *e)
{
	const struct form *f = form_of(s);
	struct tlv_writer w = tlv_writer_of(b, TLV_SCOPE_RECORD, e);
	size_t start = b->n, length_at;
	enum status st = require(f, s, e);

	if (st != ST_OK)
		return st;
	length_at = tlv_put_hole(&w, TLV_R_RECORD_LENGTH, 2);
	put_dns_name(&w, f, s);
	if (s->cert != NULL)
		put_cert(&w, f, s);
	else
		tlv_put_u16(&w, TLV_R_FUNCTION, s->role);
	put_address(&w, f, s);
	st = tlv_writer_done(&w);
	if (st != ST_OK)
		return st;
	if (b->n - start > TLV_FIELD_MAX)
		return err_set(e, ST_INPUT, "%zu bytes, a record holds at most %d", b->n - start,
			       TLV_FIELD_MAX);
	buf_fill_u16(b, length_at, (uint16_t)(b->n - start));
	return buf_failed(b, e);
}

struct span tlv_text(struct span value)
{
	if (value.n > 0 && span_at(value, value.n - 1) == 0)
		return span_slice(value, 0, value.n - 1);
	return value;
}

struct tlv_name_match tlv_name_match(struct span text, struct span name)
{
	static const struct tlv_name_match tries[] = {
		{ true, TLV_NAME_SERVER, ';' },	  { true, TLV_NAME_RFC4514, ',' },
		{ true, TLV_NAME_RFC4514, ';' },  { true, TLV_NAME_TOKEN, ';' },
		{ true, TLV_NAME_SERVER_0, ';' },
	};
	struct tlv_name_match none = { .matches = false };
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < COUNT(tries) && !none.matches; i++) {
		buf_truncate(&b, 0);
		if (tlv_name_write(&b, name, tries[i].form, tries[i].separator, NULL) == ST_OK &&
		    buf_failed(&b, NULL) == ST_OK && span_eq(buf_span(&b), text))
			none = tries[i];
	}
	buf_free(&b);
	return none;
}
