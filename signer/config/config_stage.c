/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/config/config_stage.h"

#include <sys/stat.h>

#include "signer/config/batch.h"
#include "signer/io/env.h"

enum status config_bad(struct config_file *f, const char *why)
{
	return err_set(&f->err, ST_NO, "%s", why);
}

enum status config_interrupted(struct config_file *f)
{
	if (batch_signal() == 0)
		return ST_OK;
	f->dropped = true;
	return err_set(&f->err, ST_OUTPUT, "%s: interrupted", f->path);
}

/* Under whatever name: a link to it, or another path to its folder. */
static bool is_what_is_read(const struct config_file *f, const struct stat *out)
{
	struct stat in;

	return stat(f->path, &in) == 0 && in.st_dev == out->st_dev && in.st_ino == out->st_ino;
}

enum status config_publish(const struct config *c, struct config_file *f)
{
	const char *output = buf_cstr(&f->output);
	struct stat out;
	bool exists = stat(output, &out) == 0;

	if (exists && is_what_is_read(f, &out))
		return err_set(
			&f->err, ST_OUTPUT,
			"%s: is the very file that is read: name another folder with -o for the result",
			output);
	if (exists && inputs_have(&c->inputs, &out))
		return err_set(
			&f->err, ST_OUTPUT,
			"%s: is another file that this run reads: name another folder with -o for the result",
			output);
	return publish_open(&f->publication, output, c->group, &c->publish, &f->err);
}

/*
 * What the header alone says, and the signer's key: the errors of verify. With a
 * signature that was verified apart this is the verdict; nothing else is called good
 * or unchanged here.
 */
struct verdict config_judge(const struct config *c, const struct tlv_header *h,
			    struct span public_key, bool verified, struct tlv_findings *found)
{
	*found = TLV_FINDINGS_INIT;
	found->lenience.weak_keys = c->weak_keys;
	verify_header(found, h, public_key);
	return verdict_make(found, verified, true);
}

static struct span signing_key(const struct config *c)
{
	return key_cert(c->key)->parts.public_key;
}

/* What verify would call bad is not signed: FILENAME may be no UTF-8, as the file's name is. */
static enum status check_made(const struct config *c, struct config_file *f)
{
	struct tlv_findings found;
	struct tlv_header h;
	enum status st = tlv_header_decode(&h, buf_span(&f->header), &f->err);
	const struct tlv_finding *first;

	if (st != ST_OK)
		return err_in(&f->err, "%s", f->path);
	if (!verdict_is_good(config_judge(c, &h, signing_key(c), true, &found))) {
		first = tlv_findings_first_error(&found);
		st = first == NULL ? err_nomem(&f->err) :
				     err_set(&f->err, ST_INPUT, "%s: would not verify: %s", f->path,
					     first->text);
	}
	tlv_findings_free(&found);
	return st;
}

/* What the headers of a batch have in common, and what this file's has of its own. */
static struct tlv_header_spec config_spec(const struct config *c, const struct config_file *f)
{
	struct tlv_header_spec h = c->header;

	if (!f->encrypted)
		return h;
	h.version[0] = 2;
	h.encryption = f->sealed;
	return h;
}

enum status config_write_header(const struct config *c, struct config_file *f)
{
	struct tlv_header_spec h = config_spec(c, f);

	h.filename = buf_span(&f->filename);
	h.has_timestamp = true;
	h.timestamp = c->has_timestamp ? c->timestamp : (uint32_t)env_now();
	if (tlv_header_write(&f->header, &h, &f->hole, &f->err) != ST_OK)
		return err_in(&f->err, "%s", f->path);
	return check_made(c, f);
}

/* All of a header but field 12. */
enum status config_begin_digest(struct digest_stream **d, enum tlv_digest alg, struct span header,
				size_t cut_at, size_t cut_end, struct tlv_err *e)
{
	enum status st = digest_begin(d, alg, e);

	if (st == ST_OK)
		st = digest_add(*d, span_slice(header, 0, cut_at), e);
	if (st == ST_OK)
		st = digest_add(*d, span_slice(header, cut_end, header.n), e);
	return st;
}

enum status config_begin_digest_read(struct digest_stream **d, const struct tlv_header *h,
				     struct tlv_err *e)
{
	return config_begin_digest(d, (enum tlv_digest)h->digest, h->raw, h->signature_at,
				   h->signature_at + TLV_HEAD + h->signature.n, e);
}

static bool is_zeros(struct span s)
{
	return s.n > 0 && span_at(s, 0) == 0 &&
	       span_eq(span_slice(s, 0, s.n - 1), span_slice(s, 1, s.n));
}

static enum status put_piece(struct config_file *f, const struct source *src, struct span piece)
{
	if (src->sparse && piece.n == SOURCE_CHUNK && is_zeros(piece))
		return publish_hole(f->publication, piece.n, &f->err);
	return publish_write(f->publication, piece, &f->err);
}

/*
 * Copies the content into the digest and the publication; either may be NULL. It begins at byte
 * `at`, and first is what was read of it already.
 */
enum status config_run_content(struct config_file *f, const struct source *src, struct span first,
			       uint64_t at, struct digest_stream *d)
{
	uint8_t room[SOURCE_CHUNK];
	struct span piece = first;
	enum status st = ST_OK;

	for (f->size = 0; piece.n > 0;) {
		if (d != NULL)
			st = digest_add(d, piece, &f->err);
		if (st == ST_OK && f->publication != NULL)
			st = put_piece(f, src, piece);
		if (st == ST_OK)
			st = config_interrupted(f);
		f->size += piece.n;
		if (st == ST_OK)
			st = source_read(src, at + f->size, room, sizeof room, &piece, &f->err);
		if (st != ST_OK)
			return st;
	}
	return source_check(src, &f->err);
}

bool config_same_header(const struct config *c, const struct config_file *f,
			const struct tlv_header *h)
{
	struct tlv_header_spec s = config_spec(c, f);

	s.filename = buf_span(&f->filename);
	return tlv_header_is(h, &s) && tlv_header_has(h, TLV_H_TIMESTAMP);
}
