/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/witness.h"

#include "signer/crypto/certfile.h"
#include "signer/trust/signature.h"

static enum status each_sast(const struct tlv_list *l, witness_fn *take, void *arg,
			     struct tlv_err *e)
{
	enum status st = ST_OK;
	long signer;

	if (!signature_vouches(l, &signer))
		return err_set(e, ST_INPUT, "%s: it vouches for nobody",
			       signature_why_not(l, signer));
	for (size_t i = 0; i < l->nrecords && st == ST_OK; i++) {
		struct tlv_record r = tlv_list_record(l, i);

		if (tlv_record_is(&r, TLV_ROLE_SAST) && r.certificate.n > 0)
			st = take(arg, r.certificate, false, e);
	}
	return st;
}

static enum status certificate(struct span bytes, const struct tlv_warn *warn, witness_fn *take,
			       void *arg, struct tlv_err *e)
{
	struct cert c;
	bool is_ca = false;
	enum status st = cert_parse(&c, bytes, warn, e);

	if (st == ST_OK)
		st = cert_is_ca(buf_span(&c.der), &is_ca, e);
	if (st == ST_OK)
		st = take(arg, buf_span(&c.der), is_ca, e);
	cert_free(&c);
	return st;
}

enum status witness_each(const struct list_file *f, const char *path, const struct tlv_warn *warn,
			 witness_fn *take, void *arg, struct tlv_err *e)
{
	enum status st;

	if (!tlv_list_begins(blob_span(&f->file)))
		st = certificate(blob_span(&f->file), warn, take, arg, e);
	else if (f->fault.status != ST_OK)
		return err_copy(e, &f->fault); /* it names the path */
	else
		st = each_sast(&f->list, take, arg, e);
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}
