/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/config/config_stage.h"

#include <stdlib.h>

#include "signer/config/batch.h"
#include "signer/list/sign.h"
#include "signer/io/source.h"
#include "signer/trust/verify.h"
#include "tlv/list.h"

/* A file under its path; what publish says has the result's path in front already. */
static void settle(struct config_file *f)
{
	if (f->err.status == ST_OK)
		return;
	publish_free(&f->publication);
	if (f->companion != NULL)
		publish_free(&f->companion->publication);
}

/*
 * Header and signed span of a signed file are a list's. A "configuration" that begins as a record
 * does would pass as a list that this key has signed. Nobody knows how far a phone reads a damaged
 * list. No text begins so: it is a control character.
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

static enum status copy_signed(struct config *c, struct config_file *f, const struct source *src,
			       struct span start)
{
	struct digest_stream *d = NULL;
	enum status st =
		config_begin_digest(&d, c->digest, buf_span(&f->header), f->hole - TLV_HEAD,
				    f->hole + c->header.signature_bytes, &f->err);

	if (st == ST_OK)
		st = config_publish(c, f);
	if (st == ST_OK)
		st = publish_write(f->publication, buf_span(&f->header), &f->err);
	if (st == ST_OK)
		st = config_run_content(f, src, start, 0, d);
	if (st == ST_OK)
		st = digest_end(&d, &f->digest, &f->err);
	digest_drop(&d);
	return st;
}

/* What stands there already is what signing would make, but for its time. */
static bool is_unchanged(const struct config *c, struct config_file *f, const struct source *src)
{
	struct config_old old;
	bool good;

	if (!c->skip_unchanged)
		return false;
	f->size = (uint64_t)src->st.st_size;
	good = config_old_is_good(&old, c, f, f->size, src);
	source_close(&old.src);
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
		st = config_write_header(c, f);
		if (st == ST_OK)
			(void)copy_signed(c, f, &src, start);
	}
	source_close(&src);
}

/* What is signed already is read alike, whatever is done with it. */
static void prepare_signed(const struct config *c, struct config_file *f)
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
		(void)(c->action == CONFIG_DECRYPT ? config_decrypt(c, f, &src, &h, start) :
						     config_verify(c, f, &src, &h, start));
	}
	source_close(&src);
}

void config_prepare(struct config *c, struct config_file *f)
{
	if (f->err.status != ST_OK)
		return;
	switch (c->action) {
	case CONFIG_SIGN:
		prepare_signature(c, f);
		break;
	case CONFIG_ENCRYPT:
		config_prepare_encrypted(c, f);
		break;
	default:
		prepare_signed(c, f);
		break;
	}
	settle(f);
}

void config_key_failed(struct config *c, const struct tlv_err *why)
{
	if (atomic_flag_test_and_set(&c->key_failing))
		return;
	c->key_fault = *why;
	atomic_store(&c->key_failed, true);
}

static enum status sign_digest(struct config *c, struct config_file *f)
{
	if (atomic_load(&c->key_failed))
		return err_set(&f->err, key_token(c->key) != NULL ? ST_TOKEN : ST_INPUT,
			       "not signed, because the key failed before: %s",
			       err_text(&c->key_fault));
	return key_sign_raw(c->key, c->digest, digest_span(&f->digest), f->signature,
			    &f->nsignature, &f->err);
}

static void sign_one(struct config *c, struct config_file *f)
{
	enum status st;

	if (f->err.status != ST_OK || f->unchanged || config_interrupted(f) != ST_OK)
		return;
	st = sign_digest(c, f);
	/* A token's child that is struck by the terminal's signal is no token that failed. */
	if (st != ST_OK && batch_signal() != 0)
		f->dropped = true;
	else if (st != ST_OK)
		config_key_failed(c, &f->err);
	if (st != ST_OK)
		(void)err_in(&f->err, "%s", f->path);
}

/* A failure of the companion is the file's own: both are there, or neither is. */
static void take_failure(struct config_file *f)
{
	if (f->companion == NULL || f->companion->err.status == ST_OK)
		return;
	f->dropped |= f->companion->dropped;
	if (f->err.status == ST_OK)
		(void)err_copy(&f->err, &f->companion->err);
}

void config_sign(struct config *c, struct config_file *f)
{
	sign_one(c, f);
	if (f->companion == NULL || f->err.status != ST_OK || f->unchanged)
		return;
	sign_one(c, f->companion);
	take_failure(f);
}

/* What was written, read by the eyes of anybody else. */
static enum status read_back(const struct config *c, struct config_file *f)
{
	struct tlv_header h;

	if (tlv_header_decode(&h, buf_span(&f->header), NULL) == ST_OK &&
	    config_same_header(c, f, &h) && h.raw.n == f->header.n &&
	    span_eq(h.signature, span_of(f->signature, f->nsignature)))
		return ST_OK;
	return err_set(&f->err, ST_BUG, "%s: the header that was made reads back differently",
		       f->path);
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
		config_key_failed(c, &f->err);
		(void)err_in(&f->err, "%s", f->path);
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
	if (f->err.status == ST_OK && !f->unchanged && f->companion != NULL) {
		fill_signature(c, f->companion);
		take_failure(f);
	}
	settle(f);
}

void config_file_free(struct config_file *f)
{
	if (f->companion != NULL) {
		config_file_free(f->companion);
		free(f->companion);
	}
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
