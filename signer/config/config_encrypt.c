/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signer/config/companion.h"
#include "signer/config/config_stage.h"
#include "signer/crypto/certfile.h"
#include "signer/crypto/seal.h"
#include "signer/io/out.h"

#define PLAIN_SUFFIX ".cnf.xml"
#define PAD_BYTE 0x0d

/* What one file needs beside what every signed one has. */
struct sealing {
	struct cert phone;
	struct seal seal;
	struct tlv_encryption encryption;
	struct digest plain;
	struct buf companion; /* its text */
	uint64_t size;	      /* of the plain content */
};

static const char *const phone_endings[] = { ".pem", ".der", ".crt" };

/* The folder's certificate for SEP001122334455.cnf.xml is SEP001122334455.pem, .der or .crt. */
static enum status find_phone(const struct config *c, const struct config_file *f, struct buf *path,
			      struct tlv_err *e)
{
	struct span base = span_str(base_name(f->path));
	struct span phone = span_slice(base, 0, base.n - strlen(PLAIN_SUFFIX));
	struct buf other = BUF_INIT;
	enum status st = ST_OK;

	for (size_t i = 0; i < COUNT(phone_endings) && st == ST_OK; i++) {
		buf_truncate(&other, 0);
		buf_printf(&other, "%s/%.*s%s", c->phones, (int)phone.n, (const char *)phone.p,
			   phone_endings[i]);
		if (access(buf_cstr(&other), F_OK) != 0)
			continue;
		if (path->n > 0)
			st = err_set(e, ST_AMBIGUOUS,
				     "two certificates for this phone: '%s' and '%s'",
				     buf_cstr(path), buf_cstr(&other));
		else
			buf_put(path, buf_span(&other));
	}
	buf_free(&other);
	if (st == ST_OK && path->n == 0)
		st = err_set(e, ST_NO_MATCH,
			     "no certificate for this phone: '%s/%.*s' with .pem, .der or .crt",
			     c->phones, (int)phone.n, (const char *)phone.p);
	return st == ST_OK ? buf_failed(path, e) : st;
}

static enum status load_phone(const struct config *c, struct config_file *f, struct cert *phone,
			      struct tlv_err *e)
{
	struct buf path = BUF_INIT;
	enum status st;

	if (!c->phones_folder)
		return cert_from_der(phone, buf_span(&c->phone.der), e);
	st = find_phone(c, f, &path, e);
	if (st == ST_OK)
		st = cert_load_found(phone, buf_cstr(&path), &msg_warnings, e);
	buf_free(&path);
	return st;
}

/* The whole plain content, for its digest and for what the companion has of it. */
static enum status read_plain(const struct config *c, struct config_file *f,
			      const struct source *src, struct companion *x, struct sealing *s)
{
	uint8_t room[SOURCE_CHUNK];
	struct digest_stream *d = NULL;
	struct span piece = { .n = 1 };
	enum status st = digest_begin(&d, c->digest, &f->err);

	while (st == ST_OK && piece.n > 0) {
		st = source_read(src, s->size, room, sizeof room, &piece, &f->err);
		if (st == ST_OK)
			st = digest_add(d, piece, &f->err);
		if (st == ST_OK && companion_add(x, piece, &f->err) != ST_OK)
			st = err_in(&f->err, "%s", f->path);
		if (st == ST_OK)
			st = config_interrupted(f);
		s->size += piece.n;
	}
	if (st == ST_OK)
		st = digest_end(&d, &s->plain, &f->err);
	digest_drop(&d);
	return st;
}

static enum status make_companion(struct config_file *f, struct companion *x, struct sealing *s)
{
	struct digest md5;
	enum status st = digest_md5(buf_span(&s->phone.der), &md5, &f->err);

	if (st == ST_OK && companion_end(x, digest_span(&md5), &s->companion, &f->err) != ST_OK)
		st = err_in(&f->err, "%s", f->path);
	return st;
}

static unsigned padding_of(uint64_t size)
{
	return TLV_CONTENT_BLOCK - (unsigned)(size % TLV_CONTENT_BLOCK);
}

static void describe(const struct config *c, struct sealing *s)
{
	s->encryption = (struct tlv_encryption){
		.iv = span_of(s->seal.iv, sizeof s->seal.iv),
		.padding = (uint16_t)padding_of(s->size),
		.key_bits = (uint16_t)(s->seal.nwrapped * 8),
		.cipher = TLV_CIPHER_AES,
		.key = span_of(s->seal.wrapped, s->seal.nwrapped),
		.digest = (uint8_t)c->digest,
		.plain_digest = digest_span(&s->plain),
	};
}

/* What is written is what is signed. */
static enum status put(struct config_file *f, struct digest_stream *d, struct span piece)
{
	enum status st = digest_add(d, piece, &f->err);

	return st == ST_OK ? publish_write(f->publication, piece, &f->err) : st;
}

static enum status put_encrypted(struct config_file *f, struct digest_stream *d,
				 struct seal_stream *stream, struct span plain, uint8_t *room,
				 size_t cap)
{
	struct span out;
	enum status st = seal_add(stream, plain, room, cap, &out, &f->err);

	return st == ST_OK ? put(f, d, out) : st;
}

/* The content once more, and its padding. It must be the same: its digest stands in the header. */
static enum status encrypt_content(const struct config *c, struct config_file *f,
				   const struct source *src, const struct sealing *s,
				   struct digest_stream *d)
{
	uint8_t in[SOURCE_CHUNK], out[SOURCE_CHUNK + TLV_CONTENT_BLOCK], pad[TLV_CONTENT_BLOCK];
	struct digest_stream *again = NULL;
	struct seal_stream *stream = NULL;
	struct digest plain;
	struct span piece = { .n = 1 };
	enum status st = digest_begin(&again, c->digest, &f->err);

	for (size_t i = 0; i < sizeof pad; i++)
		pad[i] = PAD_BYTE;
	if (st == ST_OK)
		st = seal_begin(&stream, &s->seal, true, &f->err);
	while (st == ST_OK && piece.n > 0) {
		st = source_read(src, f->size, in, sizeof in, &piece, &f->err);
		if (st == ST_OK)
			st = digest_add(again, piece, &f->err);
		if (st == ST_OK)
			st = put_encrypted(f, d, stream, piece, out, sizeof out);
		if (st == ST_OK)
			st = config_interrupted(f);
		f->size += piece.n;
	}
	if (st == ST_OK)
		st = put_encrypted(f, d, stream, span_of(pad, padding_of(s->size)), out,
				   sizeof out);
	if (st == ST_OK)
		st = digest_end(&again, &plain, &f->err);
	if (st == ST_OK && !span_eq(digest_span(&plain), digest_span(&s->plain)))
		st = err_set(&f->err, ST_INPUT, "%s: was changed while it was read: run this again",
			     f->path);
	digest_drop(&again);
	seal_drop(&stream);
	return st;
}

static enum status begin_file(const struct config *c, struct config_file *f,
			      struct digest_stream **d)
{
	enum status st = config_write_header(c, f);

	if (st == ST_OK)
		st = config_begin_digest(d, c->digest, buf_span(&f->header), f->hole - TLV_HEAD,
					 f->hole + c->header.signature_bytes, &f->err);
	if (st == ST_OK)
		st = config_publish(c, f);
	return st == ST_OK ? publish_write(f->publication, buf_span(&f->header), &f->err) : st;
}

static enum status write_encrypted(const struct config *c, struct config_file *f,
				   const struct source *src, const struct sealing *s)
{
	struct digest_stream *d = NULL;
	enum status st;

	f->sealed = &s->encryption;
	st = begin_file(c, f, &d);
	if (st == ST_OK)
		st = encrypt_content(c, f, src, s, d);
	if (st == ST_OK)
		st = source_check(src, &f->err);
	if (st == ST_OK)
		st = digest_end(&d, &f->digest, &f->err);
	digest_drop(&d);
	return st;
}

static enum status write_companion(const struct config *c, struct config_file *f, struct span text)
{
	struct digest_stream *d = NULL;
	enum status st = begin_file(c, f, &d);

	if (st == ST_OK)
		st = put(f, d, text);
	if (st == ST_OK)
		st = digest_end(&d, &f->digest, &f->err);
	digest_drop(&d);
	f->size = text.n;
	return st;
}

/*
 * Whether both files are there already, of this content and for this certificate. The
 * content cannot be seen without the phone's key: its digest and its size can.
 */
static bool is_unchanged(const struct config *c, struct config_file *f, const struct sealing *s)
{
	struct config_old old;
	const struct tlv_encryption *x = &old.header.encryption;
	struct span text = buf_span(&s->companion);
	unsigned padding = padding_of(s->size);
	bool good;

	if (!c->skip_unchanged)
		return false;
	f->sealed = &s->encryption;
	good = config_old_is_good(&old, c, f, s->size + padding, NULL) &&
	       tlv_header_is_encrypted(&old.header) && x->digest == c->digest &&
	       x->padding == padding && span_eq(x->plain_digest, digest_span(&s->plain));
	source_close(&old.src);
	if (!good)
		return false;
	good = config_old_is_good(&old, c, f->companion, text.n, NULL) &&
	       span_eq(span_slice(old.start, old.header.raw.n, old.start.n), text);
	source_close(&old.src);
	return good;
}

static enum status read_original(const struct config *c, struct config_file *f,
				 const struct source *src, struct sealing *s)
{
	struct companion *x = NULL;
	enum status st = load_phone(c, f, &s->phone, &f->err);

	if (st == ST_OK)
		st = seal_make(&s->seal, &s->phone.parts, &f->err);
	if (st != ST_OK)
		return err_in(&f->err, "%s", f->path);
	st = companion_new(&x, &f->err);
	if (st == ST_OK)
		st = read_plain(c, f, src, x, s);
	if (st == ST_OK)
		st = make_companion(f, x, s);
	companion_free(&x);
	return st;
}

void config_prepare_encrypted(struct config *c, struct config_file *f)
{
	struct sealing s = { .phone = CERT_INIT };
	struct source src = SOURCE_INIT;
	enum status st = source_open(&src, f->path, &f->err);

	f->encrypted = true;
	if (st == ST_OK)
		st = read_original(c, f, &src, &s);
	describe(c, &s);
	if (st == ST_OK && is_unchanged(c, f, &s)) {
		f->unchanged = f->verified = true;
		f->size = s.size;
	} else if (st == ST_OK) {
		st = write_encrypted(c, f, &src, &s);
		if (st == ST_OK &&
		    write_companion(c, f->companion, buf_span(&s.companion)) != ST_OK)
			(void)err_copy(&f->err, &f->companion->err);
	}
	f->sealed = NULL; /* it goes with this function; the header that was made has it all */
	source_close(&src);
	seal_close(&s.seal);
	buf_free(&s.companion);
	cert_free(&s.phone);
}
