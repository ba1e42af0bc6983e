/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/header.h"

#include "tlv/guess.h"

#include "tlv/writer.h"
#include "tlv/text.h"

#define BIT(tag) (1U << (unsigned)(tag))

static void take_encryption(struct tlv_encryption *n, const struct tlv_field *f)
{
	switch (f->tag) {
	case TLV_H_CONTENT_IV:
		n->iv = f->value;
		break;
	case TLV_H_CONTENT_PADDING:
		n->padding = (uint16_t)span_be(f->value);
		break;
	case TLV_H_KEY_BITS:
		n->key_bits = (uint16_t)span_be(f->value);
		break;
	case TLV_H_KEY_CIPHER:
		n->cipher = (uint8_t)span_be(f->value);
		break;
	case TLV_H_CONTENT_KEY:
		n->key = f->value;
		break;
	case TLV_H_PLAIN_DIGEST_ALGORITHM:
		n->digest = (uint8_t)span_be(f->value);
		break;
	case TLV_H_PLAIN_DIGEST:
		n->plain_digest = f->value;
		break;
	default:
		break;
	}
}

/*
 * The values in the order of the specification; numbers have the lengths that the walk has checked.
 */
static void take(struct tlv_header *h, const struct tlv_field *f)
{
	switch (f->tag) {
	case TLV_H_VERSION:
		h->version[0] = (uint8_t)(span_be(f->value) >> 8);
		h->version[1] = (uint8_t)span_be(f->value);
		break;
	case TLV_H_HEADER_LENGTH:
		h->length = (uint16_t)span_be(f->value);
		break;
	case TLV_H_SIGNER_NAME:
		h->signer_name = f->value;
		break;
	case TLV_H_SERIAL_NUMBER:
		h->signer_serial = f->value;
		break;
	case TLV_H_CA_NAME:
		h->signer_issuer = f->value;
		break;
	case TLV_H_DIGEST_ALGORITHM:
		h->digest = (uint8_t)span_be(f->value);
		break;
	case TLV_H_SIGNATURE_ALGORITHM:
		h->algorithm = (uint8_t)span_be(f->value);
		break;
	case TLV_H_SIGNATURE_MODULUS:
		h->modulus = (uint8_t)span_be(f->value);
		break;
	case TLV_H_SIGNATURE:
		h->signature = f->value;
		h->signature_at = f->at;
		break;
	case TLV_H_FILENAME:
		h->filename = f->value;
		break;
	case TLV_H_TIMESTAMP:
		h->timestamp = span_be(f->value);
		break;
	case TLV_H_SIGNER_VERSION:
		h->signer_version[0] = (uint8_t)(span_be(f->value) >> 8);
		h->signer_version[1] = (uint8_t)span_be(f->value);
		break;
	default:
		take_encryption(&h->encryption, f);
		break;
	}
}

/* Field 2 says where the header ends, and field 12 what is signed. Neither may be there twice. */
static bool may_repeat(uint8_t tag)
{
	return tag != TLV_H_HEADER_LENGTH && tag != TLV_H_SIGNATURE;
}

static enum status note(struct tlv_header *h, const struct tlv_field *f, struct tlv_err *e)
{
	char name[16];

	if (f->tag >= 32)
		return ST_OK;
	if ((h->present & BIT(f->tag)) == 0) {
		h->present |= BIT(f->tag);
		take(h, f);
		return ST_OK;
	}
	if (!may_repeat(f->tag))
		return err_set_at(e, ST_INPUT, f->at, "%s: there twice", tlv_field_text(f, name));
	h->repeated |= BIT(f->tag);
	return ST_OK;
}

/*
 * Padding is followed by more padding, or by the header's end. If something else is at `at`, it was
 * astray.
 */
static void end_padding(struct tlv_header *h, size_t at, size_t last)
{
	if (h->padding == 0 || at == last + 1 || h->padding_astray)
		return;
	h->padding_astray = true;
	h->padding_at = last;
}

static void note_padding(struct tlv_header *h, const struct tlv_field *f, size_t *last)
{
	end_padding(h, f->at, *last);
	h->padding++;
	*last = f->at;
}

/* The header's length stands in one of its fields; until that is found, all bytes are looked at. */
static enum status find_length(struct span bytes, uint16_t *out, struct tlv_err *e)
{
	struct tlv_walk w = tlv_walk_of(TLV_SCOPE_HEADER, span_slice(bytes, 0, TLV_FIELD_MAX), 0);
	struct tlv_field f;

	if (bytes.n == 0)
		return err_set(e, ST_INPUT, "empty");
	if (!span_starts(bytes, SPAN_LIT("\x01\x00\x02")) && tlv_guess(bytes) != NULL)
		return err_set_at(e, ST_INPUT, 0, "not a trust list or signed file: %s",
				  tlv_guess(bytes));
	if (tlv_tag_find(TLV_SCOPE_HEADER, (uint8_t)span_at(bytes, 0)) == NULL)
		return err_set_at(e, ST_INPUT, 0,
				  "not a trust list or signed file: it begins with byte 0x%02x",
				  (unsigned)span_at(bytes, 0));
	while (tlv_walk_next(&w, &f, e)) {
		if (f.tag != TLV_H_HEADER_LENGTH)
			continue;
		*out = (uint16_t)span_be(f.value);
		if (*out > bytes.n)
			return err_set_at(
				e, ST_INPUT, f.at, "header length: %u byte%s claimed, %zu remain%s",
				(unsigned)*out, plural(*out), bytes.n, bytes.n == 1 ? "s" : "");
		if (*out < w.c.at)
			return err_set_at(
				e, ST_INPUT, f.at,
				"header length: %u byte%s, which is less than its own field",
				(unsigned)*out, plural(*out));
		return ST_OK;
	}
	if (e != NULL && e->status != ST_OK)
		return e->status;
	return err_set_at(e, ST_INPUT, w.c.at, "header length: missing");
}

enum status tlv_header_decode(struct tlv_header *h, struct span bytes, struct tlv_err *e)
{
	struct tlv_err local = TLV_ERR_INIT;
	struct tlv_walk w;
	struct tlv_field f;
	uint16_t length = 0;
	size_t last = 0;

	*h = (struct tlv_header){ .raw = bytes };
	e = e != NULL ? e : &local;
	if (find_length(bytes, &length, e) != ST_OK)
		return err_in(e, "header");
	h->raw = span_slice(bytes, 0, length);
	w = tlv_walk_of(TLV_SCOPE_HEADER, h->raw, 0);
	while (e->status == ST_OK && tlv_walk_next(&w, &f, e)) {
		if (f.tag == TLV_H_PADDING)
			note_padding(h, &f, &last);
		else
			(void)note(h, &f, e);
	}
	end_padding(h, length, last);
	return err_in(e, "header");
}

bool tlv_header_is_firmware(const struct tlv_header *h)
{
	return h->version[0] == 1 && h->version[1] == 1 && !tlv_header_has(h, TLV_H_TIMESTAMP);
}

enum tlv_serial_match tlv_header_serial(const struct tlv_header *h, struct span serial)
{
	if (serial.n == 0)
		return TLV_SERIAL_OTHER;
	if (span_eq(h->signer_serial, serial))
		return TLV_SERIAL_SAME;
	return span_eq_reversed(h->signer_serial, serial) ? TLV_SERIAL_REVERSED : TLV_SERIAL_OTHER;
}

bool tlv_header_names(const struct tlv_header *h, struct span serial, struct span issuer)
{
	return tlv_header_serial(h, serial) == TLV_SERIAL_SAME && span_eq(h->signer_issuer, issuer);
}

static struct span without_nul(struct span s)
{
	return s.n > 0 && span_at(s, s.n - 1) == 0 ? span_slice(s, 0, s.n - 1) : s;
}

bool tlv_header_is(const struct tlv_header *h, const struct tlv_header_spec *s)
{
	return span_eq(span_of(h->version, 2), span_of(s->version, 2)) &&
	       span_eq(h->signer_name, s->signer_name) &&
	       tlv_header_names(h, s->signer_serial, s->signer_issuer) && h->digest == s->digest &&
	       h->modulus == s->modulus && h->algorithm == 0 &&
	       span_eq(without_nul(h->filename), s->filename);
}

void tlv_signed_parts(const struct tlv_header *h, struct span bytes, struct span parts[2])
{
	size_t behind = h->signature_at + TLV_HEAD + h->signature.n;

	parts[0] = parts[1] = SPAN_NONE;
	if (!tlv_header_has(h, TLV_H_SIGNATURE))
		return;
	parts[0] = span_slice(bytes, 0, h->signature_at);
	parts[1] = span_slice(bytes, behind, bytes.n - behind);
}

static void write_signer(struct tlv_writer *w, const struct tlv_header_spec *s)
{
	size_t opened = tlv_put_open(w, TLV_H_SIGNER_ID);

	tlv_put(w, TLV_H_SIGNER_NAME, s->signer_name);
	tlv_put(w, TLV_H_SERIAL_NUMBER, s->signer_serial);
	tlv_put(w, TLV_H_CA_NAME, s->signer_issuer);
	tlv_put_close(w, opened, TLV_H_SIGNER_ID);
}

static void write_signature_info(struct tlv_writer *w, const struct tlv_header_spec *s)
{
	size_t info = tlv_put_open(w, TLV_H_SIGNATURE_INFO);
	size_t algo;

	tlv_put_u8(w, TLV_H_DIGEST_ALGORITHM, s->digest);
	algo = tlv_put_open(w, TLV_H_SIGNATURE_ALGO_INFO);
	tlv_put_u8(w, TLV_H_SIGNATURE_ALGORITHM, 0);
	tlv_put_u8(w, TLV_H_SIGNATURE_MODULUS, s->modulus);
	tlv_put_close(w, algo, TLV_H_SIGNATURE_ALGO_INFO);
	tlv_put_close(w, info, TLV_H_SIGNATURE_INFO);
}

static void write_encryption(struct tlv_writer *w, const struct tlv_encryption *n)
{
	size_t info = tlv_put_open(w, TLV_H_ENCRYPTION_INFO);
	size_t part = tlv_put_open(w, TLV_H_CONTENT_CIPHER_INFO);

	tlv_put_u8(w, TLV_H_CONTENT_CIPHER_MODE, 0);
	tlv_put(w, TLV_H_CONTENT_IV, n->iv);
	tlv_put_u16(w, TLV_H_CONTENT_PADDING, n->padding);
	tlv_put_close(w, part, TLV_H_CONTENT_CIPHER_INFO);
	part = tlv_put_open(w, TLV_H_KEY_INFO);
	tlv_put_u8(w, TLV_H_KEY_MODE, 0);
	tlv_put_u16(w, TLV_H_KEY_BITS, n->key_bits);
	tlv_put_u8(w, TLV_H_KEY_CIPHER, n->cipher);
	tlv_put(w, TLV_H_CONTENT_KEY, n->key);
	tlv_put_close(w, part, TLV_H_KEY_INFO);
	tlv_put_close(w, info, TLV_H_ENCRYPTION_INFO);
	tlv_put_u8(w, TLV_H_PLAIN_DIGEST_ALGORITHM, n->digest);
	tlv_put(w, TLV_H_PLAIN_DIGEST, n->plain_digest);
}

static enum status close_header(struct buf *b, size_t start, size_t length_at, struct tlv_err *e)
{
	while ((b->n - start) % 4 != 0 && b->failed == ST_OK)
		buf_u8(b, TLV_H_PADDING);
	if (b->n - start > TLV_FIELD_MAX)
		return err_set(e, ST_INPUT, "header: %zu bytes, its length field holds at most %d",
			       b->n - start, TLV_FIELD_MAX);
	buf_fill_u16(b, length_at, (uint16_t)(b->n - start));
	return buf_failed(b, e);
}

enum status tlv_header_write(struct buf *b, const struct tlv_header_spec *s, size_t *hole,
			     struct tlv_err *e)
{
	struct tlv_writer w = tlv_writer_of(b, TLV_SCOPE_HEADER, e);
	size_t start = b->n, length_at;

	tlv_put(&w, TLV_H_VERSION, span_of(s->version, 2));
	length_at = tlv_put_hole(&w, TLV_H_HEADER_LENGTH, 2);
	write_signer(&w, s);
	write_signature_info(&w, s);
	*hole = tlv_put_hole(&w, TLV_H_SIGNATURE, s->signature_bytes);
	tlv_put_text(&w, TLV_H_FILENAME, s->filename);
	if (s->has_timestamp)
		tlv_put_u32(&w, TLV_H_TIMESTAMP, s->timestamp);
	if (s->encryption != NULL)
		write_encryption(&w, s->encryption);
	if (s->has_signer_version)
		tlv_put(&w, TLV_H_SIGNER_VERSION, span_of(s->signer_version, 2));
	if (tlv_writer_done(&w) != ST_OK)
		return err_in(e, "header");
	return close_header(b, start, length_at, e);
}
