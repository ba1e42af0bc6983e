/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/believe.h"

#include <string.h>

#include "signer/io/out.h"

static enum status read_installed(struct believing *b, const char *value, struct tlv_err *e)
{
	enum status st;

	b->no_forecast = strcmp(value, "none") == 0;
	if (b->no_forecast)
		return ST_OK;
	b->installed_path = value;
	st = list_file_read(&b->installed, value, 0, e);
	if (st == ST_OK)
		st = belief_trust_list(&b->belief, "--installed", value, &b->installed,
				       &msg_warnings, e);
	return st;
}

enum status believe_options(struct believing *b, const struct opts *o, struct tlv_err *e)
{
	enum status st = ST_OK;

	*b = (struct believing){ .belief = BELIEF_INIT };
	for (size_t i = 0; i < o->n && st == ST_OK; i++) {
		const char *value = o->items[i].value;

		if (o->items[i].row->id == OPT_BELIEVE)
			st = belief_trust(&b->belief, "--trust", value, &msg_warnings, e);
		else if (o->items[i].row->id == OPT_ACCEPT_SIGNER)
			st = belief_accept_signer(&b->belief, value, e);
		else if (o->items[i].row->id == OPT_PRESENT_LIST)
			st = read_installed(b, value, e);
	}
	return st;
}

static struct belief_subject subject_of(const char *path, const struct list_file *f)
{
	return (struct belief_subject){ .path = path, .file = &f->file.st, .list = &f->list };
}

enum status believe_list(struct believing *b, const char *path, const struct list_file *f,
			 const char *what, struct tlv_err *e)
{
	struct belief_subject s = subject_of(path, f);
	struct believed found;
	enum status st = belief_judge(&b->belief, &s, &msg_warnings, &found, e);

	if (st == ST_OK)
		st = belief_refuse(&found, &s, what, e);
	if (st == ST_OK)
		msg_step("%s: believed because of %s", path, found.why);
	return st;
}

enum status believe_no_self(struct believing *b, const char *path, const struct list_file *f,
			    struct tlv_err *e)
{
	struct belief_subject s = subject_of(path, f);
	struct tlv_err own = TLV_ERR_INIT;
	struct believed found;

	/* A witness that is later, or a CA's, is no matter: this list is not asked. */
	if (belief_judge(&b->belief, &s, NULL, &found, &own) != ST_USAGE)
		return ST_OK;
	*e = own;
	return e->status;
}

/* What no key can mend is said before the key is looked at. */
static enum status refuse_bad(struct believing *b, const char *path, const struct list_file *f,
			      struct tlv_err *e)
{
	struct belief_subject s = subject_of(path, f);
	struct believed found;
	enum status st = belief_judge(&b->belief, &s, NULL, &found, e);

	return st == ST_OK && found.state == BELIEF_BAD ?
		       belief_refuse(&found, &s, "nothing is signed", e) :
		       st;
}

enum status believe_open_key(struct believing *b, struct early_key *early, struct key **out,
			     const struct key_options *k, const char *option, const char *path,
			     const struct list_file *f, struct tlv_err *e)
{
	struct key_options opt = *k;
	struct tlv_err own = TLV_ERR_INIT;
	long signer = tlv_list_signer(&f->list);
	enum status st = refuse_bad(b, path, f, e);

	if (st != ST_OK)
		return st;
	if (signer >= 0)
		opt.fallback = tlv_list_record(&f->list, (size_t)signer).certificate;
	opt.wrong_fallback = &b->wrong_key;
	st = early_key_take(early, out, &opt, &own);
	if (st == ST_OK)
		return belief_key(&b->belief, option, key_cert(*out)->parts.public_key, e);
	if (b->wrong_key && believe_list(b, path, f, "nothing is signed", e) != ST_OK)
		return e->status;
	*e = own;
	return st;
}

enum status believe_after_login(struct believing *b, enum status st, const char *path,
				const struct list_file *f, struct tlv_err *e)
{
	struct belief_subject s = subject_of(path, f);
	struct believed found;
	struct tlv_err own = TLV_ERR_INIT;

	if (st == ST_OK || !b->wrong_key)
		return st;
	if (belief_judge(&b->belief, &s, NULL, &found, &own) != ST_OK || !found.by_key)
		return st;
	found.state = BELIEF_UNKNOWN;
	*e = TLV_ERR_INIT;
	return belief_refuse(&found, &s, "nothing is signed", e);
}

void believing_free(struct believing *b)
{
	belief_free(&b->belief);
	list_file_free(&b->installed);
}
