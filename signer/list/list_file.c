/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/list/list_file.h"

#include <stdio.h>

#include "signer/crypto/digest.h"
#include "tlv/guess.h"
#include "tlv/safe.h"
#include "tlv/text.h"

static enum status read_as(struct list_file *f, const char *path, enum slurp_mode mode,
			   struct tlv_err *e)
{
	enum status st;

	*f = (struct list_file){ .fault = TLV_ERR_INIT };
	st = slurp(path, slurp_list_max(), mode, &f->file, e);
	if (st != ST_OK)
		return st;
	if (tlv_list_decode(&f->list, blob_span(&f->file), &f->fault) == ST_NOMEM)
		return err_nomem(e);
	if (f->fault.status != ST_OK && tlv_guess_text_mode(blob_span(&f->file)))
		(void)err_in(&f->fault,
			     "%s: changed by a transfer in text mode, fetch it in binary mode",
			     path);
	else
		(void)err_in(&f->fault, "%s", path);
	return ST_OK;
}

enum status list_file_read(struct list_file *f, const char *path, struct tlv_err *e)
{
	return read_as(f, path, SLURP_ANY, e);
}

enum status list_file_read_found(struct list_file *f, const char *path, struct tlv_err *e)
{
	return read_as(f, path, SLURP_REGULAR, e);
}

static enum status good(const struct list_file *f, enum status st, struct tlv_err *e)
{
	if (st == ST_OK && f->fault.status != ST_OK) {
		*e = f->fault;
		st = e->status;
	}
	return st;
}

enum status list_file_read_good(struct list_file *f, const char *path, struct tlv_err *e)
{
	return good(f, list_file_read(f, path, e), e);
}

enum status list_file_read_found_good(struct list_file *f, const char *path, struct tlv_err *e)
{
	return good(f, list_file_read_found(f, path, e), e);
}

void list_file_free(struct list_file *f)
{
	tlv_list_free(&f->list);
	blob_free(&f->file);
}

const char *field_text(struct buf *b, struct span value)
{
	buf_truncate(b, 0);
	safe_text(b, tlv_text(value));
	return buf_cstr(b);
}

enum status checksums(struct span bytes, char md5[33], char sha1[41], struct tlv_err *e)
{
	struct digest m, s;
	enum status st = digest_md5(bytes, &m, e);

	if (st == ST_OK)
		st = digest_parts(TLV_SHA1, &bytes, 1, &s, e);
	if (st != ST_OK)
		return st;
	if (!hex_text(digest_span(&m), md5, 33) || !hex_text(digest_span(&s), sha1, 41))
		return err_set(e, ST_BUG, "a checksum of another length");
	return ST_OK;
}
