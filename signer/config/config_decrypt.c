/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/config/config_stage.h"
#include "signer/crypto/seal.h"

/*
 * The one answer to everything that keeps a content from being read: another phone's
 * key, a damaged one, a padding or a digest that is not right. Whoever sends files and
 * reads the answers learns nothing more about the key.
 */
static enum status cannot(struct config_file *f)
{
	return err_set(
		&f->err, ST_INPUT,
		"%s: cannot be decrypted: the key is another phone's, or the file is damaged",
		f->path);
}

/* A file that is decrypted, twice: for its digests, and to be written. */
struct opening {
	const struct config *c;
	struct config_file *f;
	const struct source *src;
	const struct tlv_header *h;
	struct seal seal;
};

/*
 * Whether digest and size can be right at all. The content is whole blocks, and the padding is in
 * the last one.
 */
static bool is_whole(const struct opening *o, uint64_t content)
{
	const struct tlv_encryption *n = &o->h->encryption;
	const struct tlv_digest_row *digest = tlv_digest_find(n->digest);

	return n->cipher == TLV_CIPHER_AES && n->iv.n == TLV_CONTENT_BLOCK && n->key.n > 0 &&
	       n->padding >= 1 && n->padding <= TLV_CONTENT_BLOCK && digest != NULL &&
	       digest->bytes == n->plain_digest.n && content > 0 &&
	       content % TLV_CONTENT_BLOCK == 0;
}

struct pass {
	struct digest_stream *plain;
	struct seal_stream *stream;
	uint64_t at, left; /* in the content; of the plain content */
	bool writes;
	bool is_list; /* the plain content begins as a trust list does */
};

static enum status take_piece(const struct opening *o, struct pass *p, struct span piece)
{
	uint8_t room[SOURCE_CHUNK + TLV_CONTENT_BLOCK];
	struct tlv_err *e = &o->f->err;
	struct span out;
	enum status st;

	st = seal_add(p->stream, piece, room, sizeof room, &out, e);
	if (st != ST_OK)
		return st;
	out = span_slice(out, 0, p->left < out.n ? (size_t)p->left : out.n);
	if (p->left == o->f->size)
		p->is_list = tlv_list_begins(out);
	p->left -= out.n;
	st = digest_add(p->plain, out, e);
	if (st == ST_OK && p->writes)
		st = publish_write(o->f->publication, out, e);
	return st;
}

static enum status run(const struct opening *o, struct pass *p)
{
	uint8_t room[SOURCE_CHUNK];
	struct tlv_err *e = &o->f->err;
	struct span piece = { .n = 1 };
	enum status st = digest_begin(&p->plain, (enum tlv_digest)o->h->encryption.digest, e);

	if (st == ST_OK)
		st = seal_begin(&p->stream, &o->seal, false, e);
	for (p->at = 0; st == ST_OK && piece.n > 0; p->at += piece.n) {
		st = source_read(o->src, o->h->raw.n + p->at, room, sizeof room, &piece, e);
		if (st == ST_OK && piece.n > 0)
			st = take_piece(o, p, piece);
		if (st == ST_OK)
			st = config_interrupted(o->f);
	}
	seal_drop(&p->stream);
	return st == ST_OK ? source_check(o->src, e) : st;
}

/*
 * Nothing plain is written before this has been asked, and nothing is said of content whose digest
 * is not right.
 */
static enum status look(const struct opening *o, struct digest *plain)
{
	struct pass p = { .left = o->f->size };
	enum status st = run(o, &p);

	if (st == ST_OK)
		st = digest_end(&p.plain, plain, &o->f->err);
	digest_drop(&p.plain);
	if (st == ST_OK && !span_eq(digest_span(plain), o->h->encryption.plain_digest))
		return cannot(o->f);
	if (st == ST_OK && p.is_list)
		return err_set(&o->f->err, ST_INPUT, "%s: the content begins as a trust list does",
			       o->f->path);
	return st;
}

static enum status write_plain(const struct opening *o, const struct digest *wanted)
{
	struct config_file *f = o->f;
	struct pass p = { .left = f->size, .writes = true };
	struct digest plain;
	enum status st = config_publish(o->c, f);

	if (st == ST_OK)
		st = run(o, &p);
	if (st == ST_OK)
		st = digest_end(&p.plain, &plain, &f->err);
	digest_drop(&p.plain);
	if (st == ST_OK && !span_eq(digest_span(&plain), digest_span(wanted)))
		st = err_set(&f->err, ST_INPUT, "%s: was changed while it was read: run this again",
			     f->path);
	return st;
}

static enum status open_content(struct opening *o)
{
	struct config_file *f = o->f;
	uint64_t content = (uint64_t)o->src->st.st_size - o->h->raw.n;
	struct digest plain = { .n = 0 };
	enum status st;

	if (!is_whole(o, content))
		return cannot(f);
	f->size = content - o->h->encryption.padding;
	st = seal_open(&o->seal, key_private(o->c->key), &o->h->encryption, &f->err);
	if (st == ST_OK)
		st = look(o, &plain);
	return st == ST_OK ? write_plain(o, &plain) : st;
}

/* As verify does; without anybody who may sign nothing is asked, and 'not verified' is said. */
static enum status verify(const struct config *c, struct config_file *f, const struct source *src,
			  const struct tlv_header *h, struct span start)
{
	struct config_signer signer = { .asks_tvs = false };
	enum status st;

	if (!config_trust_any(&c->trust))
		return ST_OK;
	st = config_check_header(f, h);
	if (st == ST_OK)
		st = config_find_signer(c, f, h, &signer);
	return st == ST_OK ?
		       config_check_signature(c, f, src, h, span_slice(start, h->raw.n, start.n),
					      signer.public_key) :
		       st;
}

enum status config_decrypt(const struct config *c, struct config_file *f, const struct source *src,
			   const struct tlv_header *h, struct span start)
{
	struct opening o = { .c = c, .f = f, .src = src, .h = h };
	enum status st;

	if (!tlv_header_is_encrypted(h))
		return err_set(
			&f->err, ST_INPUT,
			"%s: is not encrypted: 'ctlsign config strip' takes the signature off",
			f->path);
	/* As strip does: no trust list comes out of a configuration, under whatever name. */
	if (config_names_list(tlv_text(h->filename)) ||
	    config_names_list(span_str(buf_cstr(&f->output))))
		return err_set(&f->err, ST_INPUT, "%s: has a trust list's name", f->path);
	st = verify(c, f, src, h, start);
	if (st == ST_OK)
		st = open_content(&o);
	seal_close(&o.seal);
	return st;
}
