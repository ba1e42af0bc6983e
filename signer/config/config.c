/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/config/config.h"

#include <stdlib.h>

#include "signer/config/batch.h"
#include "signer/io/env.h"
#include "signer/list/sign.h"
#include "signer/io/source.h"
#include "signer/trust/accept.h"
#include "signer/trust/verify.h"
#include "tlv/list.h"

static enum status bad(struct config_file *f, const char *why)
{
	return err_set(&f->err, ST_NO, "%s", why);
}

/* A file under its path; what publish says has the result's path in front already. */
static void settle(struct config_file *f)
{
	if (f->err.status == ST_OK)
		return;
	publish_free(&f->publication);
}

static enum status interrupted(struct config_file *f)
{
	if (batch_signal() == 0)
		return ST_OK;
	f->dropped = true;
	return err_set(&f->err, ST_OUTPUT, "%s: interrupted", f->path);
}

/*
 * What the header alone says, and the signer's key: the errors of verify. With a
 * signature that was verified apart this is the verdict; nothing else is called good
 * or unchanged here.
 */
static struct verdict judge(const struct config *c, const struct tlv_header *h,
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

/*
 * Header and signed span of a signed file are a list's. A "configuration" that begins
 * as a record does would pass as a list that this key has signed, and how far a phone
 * reads a damaged one is its own matter. No text begins so: it is a control character.
 */
static enum status check_content(struct config_file *f, struct span start)
{
	struct tlv_header h;

	if (!tlv_list_begins(start))
		return ST_OK;
	if (tlv_header_decode(&h, start, NULL) == ST_OK)
		return err_set(&f->err, ST_INPUT, "%s: is signed already, or a trust list",
			       f->path);
	return err_set(
		&f->err, ST_INPUT,
		"%s: its content begins as a trust list's records do: signed, it would pass as a list",
		f->path);
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
	if (!verdict_is_good(judge(c, &h, signing_key(c), true, &found))) {
		first = tlv_findings_first_error(&found);
		st = first == NULL ? err_nomem(&f->err) :
				     err_set(&f->err, ST_INPUT, "%s: would not verify: %s", f->path,
					     first->text);
	}
	tlv_findings_free(&found);
	return st;
}

static enum status write_header(const struct config *c, struct config_file *f)
{
	struct tlv_header_spec h = c->header;

	h.filename = buf_span(&f->filename);
	h.has_timestamp = true;
	h.timestamp = c->has_timestamp ? c->timestamp : (uint32_t)env_now();
	if (tlv_header_write(&f->header, &h, &f->hole, &f->err) != ST_OK)
		return err_in(&f->err, "%s", f->path);
	return check_made(c, f);
}

/* All of a header but field 12. */
static enum status begin_digest(struct digest_stream **d, enum tlv_digest alg, struct span header,
				size_t cut_at, size_t cut_end, struct tlv_err *e)
{
	enum status st = digest_begin(d, alg, e);

	if (st == ST_OK)
		st = digest_add(*d, span_slice(header, 0, cut_at), e);
	if (st == ST_OK)
		st = digest_add(*d, span_slice(header, cut_end, header.n), e);
	return st;
}

static enum status begin_digest_read(struct digest_stream **d, const struct tlv_header *h,
				     struct tlv_err *e)
{
	return begin_digest(d, (enum tlv_digest)h->digest, h->raw, h->signature_at,
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

/* The content from byte `at` on, whose beginning is read already: into the digest (or none), and the publication (or none). */
static enum status run_content(struct config_file *f, const struct source *src, struct span first,
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
			st = interrupted(f);
		f->size += piece.n;
		if (st == ST_OK)
			st = source_read(src, at + f->size, room, sizeof room, &piece, &f->err);
		if (st != ST_OK)
			return st;
	}
	return source_check(src, &f->err);
}

static enum status copy_signed(struct config *c, struct config_file *f, const struct source *src,
			       struct span start)
{
	struct digest_stream *d = NULL;
	enum status st = begin_digest(&d, c->digest, buf_span(&f->header), f->hole - TLV_HEAD,
				      f->hole + c->header.signature_bytes, &f->err);

	if (st == ST_OK)
		st = publish_open(&f->publication, buf_cstr(&f->output), c->group, &c->publish,
				  &f->err);
	if (st == ST_OK)
		st = publish_write(f->publication, buf_span(&f->header), &f->err);
	if (st == ST_OK)
		st = run_content(f, src, start, 0, d);
	if (st == ST_OK)
		st = digest_end(&d, &f->digest, &f->err);
	digest_drop(&d);
	return st;
}

static bool same_header(const struct config *c, const struct config_file *f,
			const struct tlv_header *h)
{
	struct tlv_header_spec s = c->header;

	s.filename = buf_span(&f->filename);
	return tlv_header_is(h, &s) && tlv_header_has(h, TLV_H_TIMESTAMP);
}

/* The content of both, byte for byte, into the digest. */
static bool same_content(struct config_file *f, const struct source *src, const struct source *old,
			 uint64_t skip, struct digest_stream *d)
{
	uint8_t x[SOURCE_CHUNK], y[SOURCE_CHUNK];
	struct span a = { .n = 1 }, b;

	for (uint64_t at = 0; a.n > 0; at += a.n) {
		if (batch_signal() != 0 || source_read(src, at, x, sizeof x, &a, NULL) != ST_OK ||
		    source_read(old, at + skip, y, sizeof y, &b, NULL) != ST_OK || !span_eq(a, b) ||
		    digest_add(d, a, NULL) != ST_OK)
			return false;
		f->size = at + a.n;
	}
	return true;
}

/* By the verdict of verify: what was moved or added since it was signed is not kept. */
static bool old_verifies(const struct config *c, const struct tlv_header *h,
			 const struct digest *digest)
{
	struct tlv_findings found;
	bool verified =
		key_check(c->key, c->digest, digest_span(digest), h->signature, NULL) == ST_OK;
	bool good = verdict_is_good(judge(c, h, signing_key(c), verified, &found));

	tlv_findings_free(&found);
	return good;
}

static bool old_is_good(const struct config *c, struct config_file *f, const struct source *src,
			const struct source *old)
{
	uint8_t room[TLV_FIELD_MAX];
	struct span start;
	struct tlv_header h;
	struct digest_stream *d = NULL;
	struct digest digest;
	bool good = source_read(old, 0, room, sizeof room, &start, NULL) == ST_OK &&
		    tlv_header_decode(&h, start, NULL) == ST_OK && same_header(c, f, &h) &&
		    (uint64_t)old->st.st_size == h.raw.n + (uint64_t)src->st.st_size &&
		    begin_digest_read(&d, &h, NULL) == ST_OK &&
		    same_content(f, src, old, h.raw.n, d) &&
		    digest_end(&d, &digest, NULL) == ST_OK && old_verifies(c, &h, &digest);

	digest_drop(&d);
	return good;
}

/* What stands there already is what signing would make, but for its time. */
static bool is_unchanged(const struct config *c, struct config_file *f, const struct source *src)
{
	struct source old = SOURCE_INIT;
	const char *path = buf_cstr(&f->output);
	bool good;
	int fd;

	if (!c->skip_unchanged || publish_peek(path, c->group, &fd, NULL) != ST_OK || fd < 0)
		return false;
	good = source_take(&old, fd, path, NULL) == ST_OK && old_is_good(c, f, src, &old);
	source_close(&old);
	return good;
}

static void prepare_signature(struct config *c, struct config_file *f)
{
	uint8_t room[SOURCE_CHUNK];
	struct span start = SPAN_NONE;
	struct source src = SOURCE_INIT;
	enum status st = source_open(&src, f->path, &f->err);

	if (st == ST_OK)
		st = source_read(&src, 0, room, sizeof room, &start, &f->err);
	if (st == ST_OK)
		st = check_content(f, start);
	if (st == ST_OK && is_unchanged(c, f, &src)) {
		f->unchanged = f->verified = true;
	} else if (st == ST_OK) {
		st = write_header(c, f);
		if (st == ST_OK)
			(void)copy_signed(c, f, &src, start);
	}
	source_close(&src);
}

/*
 * FILENAME and kind belong to what is verified: a good signature over something else is
 * none. The version does not: phones take newer ones (docs/CLUSTER.md).
 */
static enum status check_header(struct config_file *f, const struct tlv_header *h)
{
	if (!span_eq(tlv_text(h->filename), buf_span(&f->filename)))
		return err_set(&f->err, ST_NO, "FILENAME is '%s', not '%s'",
			       field_text(&f->header, h->filename), buf_cstr(&f->filename));
	if (!tlv_header_has(h, TLV_H_SIGNATURE) || h->algorithm != 0 ||
	    tlv_digest_find(h->digest) == NULL)
		return bad(f, "no signature of a kind that is known");
	return ST_OK;
}

/* What is no configuration whoever signed it: strip gives none of it out. */
static enum status check_kind(const struct config *c, struct config_file *f,
			      const struct tlv_header *h, struct span content)
{
	bool records = tlv_list_begins(content);

	if (c->action == CONFIG_VERIFY)
		return records ? bad(f, "the content begins as a trust list's records do") : ST_OK;
	if (records || config_names_list(tlv_text(h->filename)))
		return err_set(&f->err, ST_INPUT, "%s: is a trust list", f->path);
	return ST_OK;
}

static enum status pronounce(const struct config *c, struct config_file *f,
			     const struct tlv_header *h, struct span public_key)
{
	struct tlv_findings found;
	bool good = verdict_is_good(judge(c, h, public_key, f->verified, &found));
	const struct tlv_finding *first = tlv_findings_first_error(&found);
	enum status st = ST_OK;

	if (!good && !f->verified)
		st = bad(f, "the signature is not over these bytes with the signer's key");
	else if (!good && tlv_key_proves_nothing(public_key))
		st = bad(f, "the signature proves nothing: its key's public exponent is 1 or even");
	else if (!good)
		st = first == NULL ? err_nomem(&f->err) : bad(f, first->text);
	tlv_findings_free(&found);
	return st;
}

/* Reads the content, into the publication too where there is one, and says what it and its header are worth. */
static enum status check_signature(const struct config *c, struct config_file *f,
				   const struct source *src, const struct tlv_header *h,
				   struct span start, struct span public_key)
{
	struct digest_stream *d = NULL;
	enum status st = begin_digest_read(&d, h, &f->err);

	if (st == ST_OK)
		st = run_content(f, src, start, h->raw.n, d);
	if (st == ST_OK)
		st = digest_end(&d, &f->digest, &f->err);
	digest_drop(&d);
	f->verified =
		st == ST_OK && digest_verify(public_key, (enum tlv_digest)h->digest,
					     digest_span(&f->digest), h->signature, NULL) == ST_OK;
	return st == ST_OK ? pronounce(c, f, h, public_key) : st;
}

/* What the answer of TVS rests on, as accept says it. */
static void note_tvs(struct config_file *f, const struct config_signer *signer)
{
	const struct acceptance a = { .tvs = signer->tvs, .assumptions = signer->tvs.assumptions };

	f->asks_tvs = signer->asks_tvs;
	if (!f->asks_tvs)
		return;
	f->assumptions = a.assumptions;
	for (int i = 0; i < TVS_ASSUMPTIONS; i++) {
		if ((a.assumptions >> i & 1U) == 0)
			continue;
		buf_str(&f->assumes, f->assumes.n == 0 ? "" : "; ");
		accept_assumption_text(&a, (enum tvs_assumption)i, &f->assumes);
	}
}

/*
 * Whose key has to verify. Firmware is the vendor's: that no list names its signer
 * says nothing against it, and nothing for it.
 */
static enum status find_signer(const struct config *c, struct config_file *f,
			       const struct tlv_header *h, struct config_signer *signer)
{
	struct tlv_err why = TLV_ERR_INIT;
	enum status st = config_trust_signer(&c->trust, h, signer, &why);

	note_tvs(f, signer);
	f->firmware = st == ST_NO && tlv_header_is_firmware(h) && c->trust.cert.der.n == 0;
	if (st == ST_OK || (f->firmware && c->action == CONFIG_VERIFY))
		return ST_OK;
	(void)err_copy(&f->err, &why);
	if (f->firmware)
		(void)err_in(&f->err, "firmware: name its signer's certificate with --cert");
	return st;
}

static void verify_source(const struct config *c, struct config_file *f, const struct source *src,
			  const struct tlv_header *h, struct span start)
{
	struct config_signer signer = { .asks_tvs = false };
	struct span first = span_slice(start, h->raw.n, start.n);
	enum status st = check_kind(c, f, h, first);

	if (st == ST_OK && config_trust_any(&c->trust))
		st = check_header(f, h);
	if (st == ST_OK && config_trust_any(&c->trust))
		st = find_signer(c, f, h, &signer);
	if (st == ST_OK && c->action == CONFIG_STRIP)
		st = publish_open(&f->publication, buf_cstr(&f->output), c->group, &c->publish,
				  &f->err);
	if (st == ST_OK && signer.public_key.n > 0)
		(void)check_signature(c, f, src, h, first, signer.public_key);
	else if (st == ST_OK)
		(void)run_content(f, src, first, h->raw.n, NULL);
}

static void prepare_verdict(const struct config *c, struct config_file *f)
{
	uint8_t room[SOURCE_CHUNK];
	struct span start;
	struct tlv_header h;
	struct source src = SOURCE_INIT;
	enum status st = source_open(&src, f->path, &f->err);

	if (st == ST_OK)
		st = source_read(&src, 0, room, sizeof room, &start, &f->err);
	if (st == ST_OK && tlv_header_decode(&h, start, &f->err) != ST_OK)
		st = err_in(&f->err, "%s", f->path);
	if (st == ST_OK) {
		buf_put(&f->signer, tlv_text(h.signer_name));
		f->encrypted = tlv_header_is_encrypted(&h);
		verify_source(c, f, &src, &h, start);
	}
	source_close(&src);
}

void config_prepare(struct config *c, struct config_file *f)
{
	if (f->err.status != ST_OK)
		return;
	if (c->action == CONFIG_SIGN)
		prepare_signature(c, f);
	else
		prepare_verdict(c, f);
	settle(f);
}

void config_sign(struct config *c, struct config_file *f)
{
	if (f->err.status != ST_OK || f->unchanged || interrupted(f) != ST_OK)
		return;
	if (atomic_load(&c->token_failed))
		(void)err_set(&f->err, ST_TOKEN, "%s: was not signed: the token failed before",
			      f->path);
	else if (key_sign_raw(c->key, c->digest, digest_span(&f->digest), f->signature,
			      &f->nsignature, &f->err) != ST_OK)
		(void)err_in(&f->err, "%s", f->path);
	/* A token's child that is struck by the terminal's signal is no token that failed. */
	if (f->err.status != ST_OK && batch_signal() != 0)
		f->dropped = true;
	else if (f->err.status != ST_OK)
		atomic_store(&c->token_failed, true);
}

/* What was written, read by the eyes of anybody else. */
static enum status read_back(const struct config *c, struct config_file *f)
{
	struct tlv_header h;

	if (tlv_header_decode(&h, buf_span(&f->header), NULL) == ST_OK && same_header(c, f, &h) &&
	    h.raw.n == f->header.n && span_eq(h.signature, span_of(f->signature, f->nsignature)))
		return ST_OK;
	return err_set(&f->err, ST_BUG,
		       "%s: the header that was made does not read back as it was meant", f->path);
}

static void fill_signature(struct config *c, struct config_file *f)
{
	struct span sig = span_of(f->signature, f->nsignature);
	enum status st = ST_OK;

	if (sig.n != c->header.signature_bytes)
		st = err_set(&f->err, ST_TOKEN, "a signature of %zu bytes, where the key makes %u",
			     sig.n, (unsigned)c->header.signature_bytes);
	if (st == ST_OK)
		st = key_check(c->key, c->digest, digest_span(&f->digest), sig, &f->err);
	if (st != ST_OK) {
		(void)err_in(&f->err, "%s", f->path);
		atomic_store(&c->token_failed, true);
		return;
	}
	buf_fill(&f->header, f->hole, sig);
	if (buf_failed(&f->header, &f->err) == ST_OK && read_back(c, f) == ST_OK)
		(void)publish_fill(f->publication, f->hole, sig, &f->err);
	f->verified = f->err.status == ST_OK;
}

void config_finish(struct config *c, struct config_file *f)
{
	if (f->err.status == ST_OK && !f->unchanged)
		fill_signature(c, f);
	settle(f);
}

void config_file_free(struct config_file *f)
{
	publish_free(&f->publication);
	buf_free(&f->output);
	buf_free(&f->filename);
	buf_free(&f->signer);
	buf_free(&f->assumes);
	buf_free(&f->header);
	free(f->path);
	*f = (struct config_file){ .path = NULL };
}

/* A record as build would write it, for the names in it; host name and address are nobody's. */
static enum status render(const struct config *c, const struct tlv_dialect *dialect,
			  struct buf *record, struct tlv_record *out, struct tlv_err *e)
{
	struct tlv_record_spec s = { .dialect = *dialect,
				     .role = TLV_ROLE_CCM_TFTP,
				     .cert = &key_cert(c->key)->parts,
				     .name = SPAN_LIT("tftp"),
				     .has_address = true };
	enum status st = tlv_record_write(record, &s, e);

	return st == ST_OK ? tlv_record_decode(out, buf_span(record), 0, e) : st;
}

enum status config_signer(struct config *c, const struct tlv_dialect *dialect, struct buf *record,
			  struct tlv_err *e)
{
	struct tlv_record r;
	enum status st = sign_check_digest(key_bits(c->key), c->digest, e);

	if (st == ST_OK && c->trust.nlists > 0)
		st = config_trust_record(&c->trust, key_cert(c->key), &r, e);
	else if (st == ST_OK)
		st = render(c, dialect, record, &r, e);
	if (st != ST_OK)
		return st;
	c->header = (struct tlv_header_spec){
		.version = { 1, 0 },
		.signer_name = r.subject,
		.signer_serial = r.serial,
		.signer_issuer = r.issuer,
		.digest = (uint8_t)c->digest,
		.modulus = (uint8_t)tlv_modulus_code(key_bits(c->key)),
		.signature_bytes = key_bits(c->key) / 8,
	};
	return ST_OK;
}
