/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/common.h"

#include <stdio.h>
#include <string.h>

#include "pkcs11/pin.h"
#include "signer/digest.h"
#include "signer/out.h"
#include "signer/sandbox.h"

enum status common_token_options(const struct opts *o, struct tok_options *out, struct tlv_err *e)
{
	struct tok_pin_source pin_source;
	uint64_t timeout = 0;
	enum status st = opt_number(o, OPT_TIMEOUT, 86400, &timeout, e);

	*out = (struct tok_options){
		.module = opt_value(o, OPT_MODULE),
		.pin_source = opt_value(o, OPT_PIN_SOURCE),
		.timeout = (unsigned)timeout,
		.insecure_file_mode = opt_given(o, OPT_INSECURE_FILE_MODE),
		.warn = msg_warnings,
	};
	/* A source that nobody will ask is wrong all the same. */
	if (st == ST_OK)
		st = tok_pin_source_parse(out->pin_source, &pin_source, e);
	if (st == ST_OK && opt_given(o, OPT_TIMEOUT) && timeout == 0)
		st = err_set(e, ST_USAGE, "option '--timeout': at least 1 second");
	return st;
}

void common_read_only(void)
{
	/* What openssl.cnf names is loaded while it may do what it likes. */
	digest_configure();
	(void)sandbox_enter(SANDBOX_ALL);
}

void common_step_token(const struct tok_info *t)
{
	msg_step("token %s, by module %s", t->uri, t->module);
}

enum status list_file_read(struct list_file *f, const char *path, struct tlv_err *e)
{
	enum status st;

	*f = (struct list_file){ .fault = TLV_ERR_INIT };
	st = slurp(path, SLURP_LIST_MAX, SLURP_ANY, &f->file, e);
	if (st != ST_OK)
		return st;
	if (tlv_list_decode(&f->list, blob_span(&f->file), &f->fault) == ST_BUG)
		return err_nomem(e);
	(void)err_in(&f->fault, "%s", path);
	return ST_OK;
}

enum status list_file_read_good(struct list_file *f, const char *path, struct tlv_err *e)
{
	enum status st = list_file_read(f, path, e);

	if (st == ST_OK && f->fault.status != ST_OK) {
		*e = f->fault;
		st = e->status;
	}
	return st;
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

static void put_hex(const struct digest *d, char *out)
{
	for (size_t i = 0; i < d->n; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", d->bytes[i]);
}

enum status checksums(struct span bytes, char md5[33], char sha1[41], struct tlv_err *e)
{
	struct digest m, s;
	enum status st = digest_md5(bytes, &m, e);

	if (st == ST_OK)
		st = digest_parts(TLV_SHA1, &bytes, 1, &s, e);
	if (st != ST_OK)
		return st;
	put_hex(&m, md5);
	put_hex(&s, sha1);
	return ST_OK;
}

const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}
