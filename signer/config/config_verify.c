/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/config/config_stage.h"
#include "signer/text/list_file.h"
#include "signer/trust/accept.h"
#include "tlv/list.h"

/*
 * FILENAME and kind belong to what is verified: a good signature over something else is
 * none. The version does not: phones take newer ones (docs/CLUSTER.md).
 */
enum status config_check_header(struct config_file *f, const struct tlv_header *h)
{
	if (!span_eq(tlv_text(h->filename), buf_span(&f->filename)))
		return err_set(&f->err, ST_NO, "FILENAME is '%s', not '%s'",
			       field_text(&f->header, h->filename), buf_cstr(&f->filename));
	if (!tlv_header_has(h, TLV_H_SIGNATURE) || h->algorithm != 0 ||
	    tlv_digest_find(h->digest) == NULL)
		return config_bad(f, "the kind of its signature is unknown");
	return ST_OK;
}

/* What is no configuration whoever signed it: strip gives none of it out. */
static enum status check_kind(const struct config *c, struct config_file *f,
			      const struct tlv_header *h, struct span content)
{
	bool records = tlv_list_begins(content);

	if (c->action == CONFIG_VERIFY)
		return records ? config_bad(f, "the content begins as a trust list's records do") :
				 ST_OK;
	if (records || config_names_list(tlv_text(h->filename)))
		return err_set(&f->err, ST_INPUT, "%s: is a trust list", f->path);
	return ST_OK;
}

static enum status pronounce(const struct config *c, struct config_file *f,
			     const struct tlv_header *h, struct span public_key)
{
	struct tlv_findings found;
	bool good = verdict_is_good(config_judge(c, h, public_key, f->verified, &found));
	const struct tlv_finding *first = tlv_findings_first_error(&found);
	enum status st = ST_OK;

	if (!good && !f->verified)
		st = config_bad(
			f, "the file was changed after it was signed, or another key signed it");
	else if (!good && tlv_key_proves_nothing(public_key))
		st = config_bad(
			f, "the signature proves nothing: its key's public exponent is 1 or even");
	else if (!good)
		st = first == NULL ? err_nomem(&f->err) : config_bad(f, first->text);
	tlv_findings_free(&found);
	return st;
}

enum status config_check_signature(const struct config *c, struct config_file *f,
				   const struct source *src, const struct tlv_header *h,
				   struct span start, struct span public_key)
{
	struct digest_stream *d = NULL;
	enum status st = config_begin_digest_read(&d, h, &f->err);

	if (st == ST_OK)
		st = config_run_content(f, src, start, h->raw.n, d);
	if (st == ST_OK)
		st = digest_end(&d, &f->digest, &f->err);
	digest_drop(&d);
	f->verified = st == ST_OK &&
		      config_trust_verifies(&c->trust, public_key, (enum tlv_digest)h->digest,
					    digest_span(&f->digest), h->signature);
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
enum status config_find_signer(const struct config *c, struct config_file *f,
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

enum status config_verify(const struct config *c, struct config_file *f, const struct source *src,
			  const struct tlv_header *h, struct span start)
{
	struct config_signer signer = { .asks_tvs = false };
	struct span first = span_slice(start, h->raw.n, start.n);
	enum status st = check_kind(c, f, h, first);

	if (st == ST_OK && config_trust_any(&c->trust))
		st = config_check_header(f, h);
	if (st == ST_OK && config_trust_any(&c->trust))
		st = config_find_signer(c, f, h, &signer);
	if (st == ST_OK && c->action == CONFIG_STRIP)
		st = config_publish(c, f);
	if (st == ST_OK && signer.public_key.n > 0)
		return config_check_signature(c, f, src, h, first, signer.public_key);
	return st == ST_OK ? config_run_content(f, src, first, h->raw.n, NULL) : st;
}
