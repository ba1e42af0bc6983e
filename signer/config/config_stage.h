/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the stages of the actions share, inside this room.
 */
#ifndef CTL_CONFIG_STAGE_H
#define CTL_CONFIG_STAGE_H

#include "signer/config/config.h"
#include "signer/io/source.h"
#include "signer/trust/verify.h"

/* ST_NO, in f->err: the signature is bad, and why. */
enum status config_bad(struct config_file *f, const char *why);
/* ST_OUTPUT, in f->err, after a signal that asks for an end. */
enum status config_interrupted(struct config_file *f);

/*
 * What the header alone says, and the signer's key: the errors of verify. With a
 * signature that was verified apart this is the verdict; nothing else is called good
 * or unchanged here.
 */
struct verdict config_judge(const struct config *c, const struct tlv_header *h,
			    struct span public_key, bool verified, struct tlv_findings *found);

/*
 * Begins the result, in f->publication. ST_OUTPUT, in f->err, also if it would replace the file
 * that is read, or another one of c->inputs: whatever --overwrite says, their content is worth
 * more.
 */
enum status config_publish(const struct config *c, struct config_file *f);

/* All of a header but field 12, which is cut out. */
enum status config_begin_digest(struct digest_stream **d, enum tlv_digest alg, struct span header,
				size_t cut_at, size_t cut_end, struct tlv_err *e);
enum status config_begin_digest_read(struct digest_stream **d, const struct tlv_header *h,
				     struct tlv_err *e);
/*
 * The content from byte `at` on, whose beginning is read already: into the digest (or
 * none), and the publication (or none).
 */
enum status config_run_content(struct config_file *f, const struct source *src, struct span first,
			       uint64_t at, struct digest_stream *d);

/* The header into f->header, with a hole. ST_INPUT if verify would call it bad. */
enum status config_write_header(const struct config *c, struct config_file *f);
/* Whether it is the header that config_write_header() makes, but for its time. */
bool config_same_header(const struct config *c, const struct config_file *f,
			const struct tlv_header *h);

/* A signed file that stands where this one would be written. */
struct config_old {
	struct source src;	  /* to be closed by the caller, also after a failure */
	struct tlv_header header; /* borrows from start */
	struct span start;	  /* the first bytes of the file: header and content */
	uint8_t room[SOURCE_CHUNK];
};

/*
 * Whether the old file is what would be written, but for its time: its header, its content of so
 * many bytes, and a good signature of our key over both. With `wanted` the content must be that
 * source's, byte for byte; with NULL any content will do.
 */
bool config_old_is_good(struct config_old *o, const struct config *c, struct config_file *f,
			uint64_t size, const struct source *wanted);

/* ST_NO, in f->err: FILENAME is another, or there is no signature of a known kind. */
enum status config_check_header(struct config_file *f, const struct tlv_header *h);
/* Whose key has to verify; firmware's may be nobody's. */
enum status config_find_signer(const struct config *c, struct config_file *f,
			       const struct tlv_header *h, struct config_signer *signer);
/*
 * Reads the content, whose beginning is read already, into the publication too if there
 * is one, and says what it and its header are worth. ST_NO with the reason if that is not good.
 */
enum status config_check_signature(const struct config *c, struct config_file *f,
				   const struct source *src, const struct tlv_header *h,
				   struct span start, struct span public_key);

/*
 * The whole of the first stage, for a signed file whose header is read; start is the
 * beginning of the file. What is wrong is in f->err, and returned. Verify strips, too.
 */
enum status config_verify(const struct config *c, struct config_file *f, const struct source *src,
			  const struct tlv_header *h, struct span start);
enum status config_decrypt(const struct config *c, struct config_file *f, const struct source *src,
			   const struct tlv_header *h, struct span start);
/* The same for a plain one, which is not opened yet. */
void config_prepare_encrypted(struct config *c, struct config_file *f);

#endif
