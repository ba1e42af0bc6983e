/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/clean.h"

#include "signer/trust/verify.h"

static enum status refuse(const struct clean_options *o, const struct tlv_finding *f,
			  struct tlv_err *e)
{
	enum { TEXT_SHOWN = 300 };
	struct buf where = BUF_INIT;
	const char *cure =
		f->record > 0 && o->is_old ?
			"\n  remove or replace the record in the same run, or have the list made anew" :
			"";
	enum status st;

	if (f->record > 0)
		buf_printf(&where, "record %zu: ", f->record);
	st = f->has_at ? err_set_at(e, ST_NO, f->at, "%s: %s%.*s: %s%s", o->name, buf_cstr(&where),
				    TEXT_SHOWN, f->text, o->what, cure) :
			 err_set(e, ST_NO, "%s: %s%.*s: %s%s", o->name, buf_cstr(&where),
				 TEXT_SHOWN, f->text, o->what, cure);
	buf_free(&where);
	return st;
}

enum status clean_check(const struct tlv_list *l, const struct clean_options *o, int64_t now,
			struct tlv_err *e)
{
	struct verify_ask ask = {
		.now = now,
		.served = o->served,
		/* Who signed it is asked by belief_judge(). */
		.unsigned_yet = true,
		.lenience = { .signed_anew = o->is_old,
			      .weak_keys = o->allow_weak,
			      .gone = o->gone,
			      .ngone = o->ngone },
	};
	struct verification v;
	enum status st = verify_list(&v, l, &ask, e);

	if (st == ST_OK && v.findings.errors > 0)
		st = refuse(o, tlv_findings_first_error(&v.findings), e);
	verification_free(&v);
	return st;
}
