/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "signer/cli/deliver.h"
#include "signer/list/edit.h"
#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/trust/signature.h"
#include "signer/cli/verb.h"

struct update {
	const struct opts *o;
	struct list_file old;
	struct edit edit;
	struct certset certs;
	struct compose_options compose;
	struct key *key;
	struct buf records, filename;
	struct tok_options tok;
	struct delivery d;
};

/* FILE itself, whichever way it is named. */
static bool is_old_file(const struct update *u, const char *path)
{
	const struct stat *old = &u->old.file.st;
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == old->st_dev && st.st_ino == old->st_ino;
}

/* -o OUT or --in-place, one of them. */
static enum status read_output(struct update *u, struct tlv_err *e)
{
	const char *output = opt_value(u->o, OPT_OUTPUT);
	bool in_place = opt_given(u->o, OPT_IN_PLACE);

	if ((output != NULL) == in_place && !opt_given(u->o, OPT_DRY_RUN))
		return err_set(e, ST_USAGE, "where to? either -o OUT or --in-place");
	u->d.output = output != NULL ? output : u->o->args[0];
	u->d.publish.warn = msg_warnings;
	u->d.publish.follow = opt_given(u->o, OPT_FOLLOW);
	u->d.publish.backup = true;
	if (in_place || is_old_file(u, u->d.output))
		u->d.publish.replaces = &u->old.file.st;
	return opt_given(u->o, OPT_DRY_RUN) ? ST_OK : publish_check(u->d.output, &u->d.publish, e);
}

/* Nothing is built on a list that is not what its signer made. */
static enum status read_old(struct update *u, struct tlv_err *e)
{
	long signer;
	enum status st = list_file_read_good(&u->old, u->o->args[0], e);

	if (st != ST_OK)
		return st;
	if (!signature_is_own(&u->old.list, &signer))
		return err_set(e, ST_NO,
			       "%s: its signature does not verify: 'ctlsign verify' says more",
			       u->o->args[0]);
	u->d.old = &u->old.list;
	return ST_OK;
}

/* Digest, name, version and time are the old list's unless an option says otherwise. */
static enum status read_settings(struct update *u, struct tlv_err *e)
{
	const struct tlv_header *h = &u->old.list.header;
	const char *digest = opt_value(u->o, OPT_DIGEST),
		   *version = opt_value(u->o, OPT_SIGNER_VERSION);
	const char *name = opt_value(u->o, OPT_FILENAME);
	struct sign_spec *s = &u->d.sign;

	s->digest = (enum tlv_digest)h->digest;
	if (digest != NULL)
		s->digest = (enum tlv_digest)tlv_digest_by_text(digest)->code;
	s->has_signer_version = version != NULL || tlv_header_has(h, TLV_H_SIGNER_VERSION);
	s->signer_version[0] = version != NULL ? 1 : h->signer_version[0];
	s->signer_version[1] = version != NULL ? (uint8_t)(version[2] - '0') : h->signer_version[1];
	if (name != NULL && (strchr(name, '/') != NULL || *name == '\0'))
		return err_set(e, ST_USAGE,
			       "option '--filename': it is the name inside the list, not a path");
	buf_put(&u->filename, name != NULL ? span_str(name) : tlv_text(h->filename));
	s->filename = buf_cstr(&u->filename);
	s->timestamp = tlv_header_has(h, TLV_H_TIMESTAMP) ? h->timestamp : (uint32_t)env_now();
	return deliver_timestamp(u->o, &s->timestamp, e);
}

typedef enum status change_fn(struct edit *x, const char *arg, struct tlv_err *e);

/* In this order, whatever the order of the options: selectors speak of the list as it was read. */
static const struct {
	enum opt_id id;
	change_fn *apply;
} changes[] = {
	{ OPT_SET, edit_set },
	{ OPT_REPLACE, edit_replace },
	{ OPT_REMOVE, edit_remove },
	{ OPT_ADD, edit_add },
};

static enum status apply_changes(struct update *u, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t c = 0; c < COUNT(changes); c++)
		for (size_t i = 0; i < u->o->n && st == ST_OK; i++)
			if (u->o->items[i].row->id == changes[c].id)
				st = changes[c].apply(&u->edit, u->o->items[i].value, e);
	return st;
}

static enum status apply_mode(struct update *u, struct tlv_err *e)
{
	const char *mode = opt_value(u->o, OPT_SET_MODE);
	enum status st = ST_OK;

	u->compose.non_secure = tlv_list_is_non_secure(&u->old.list);
	for (size_t i = 0; i < u->o->n && st == ST_OK; i++)
		if (u->o->items[i].row->id == OPT_CERTS)
			st = certset_add_folder(&u->certs, u->o->items[i].value, &msg_warnings, e);
	if (st != ST_OK || mode == NULL)
		return st;
	u->compose.non_secure = strcmp(mode, "non-secure") == 0;
	if (strcmp(mode, "mixed") == 0)
		return edit_refill(&u->edit, &u->certs, e);
	edit_empty(&u->edit);
	return ST_OK;
}

static enum status read_changes(struct update *u, struct tlv_err *e)
{
	enum status st = edit_begin(&u->edit, &u->old.list, e);

	u->edit.all = opt_given(u->o, OPT_ALL);
	u->edit.tok = u->tok;
	if (opt_given(u->o, OPT_KEEP_OLD_SAST) && opt_given(u->o, OPT_DROP_OLD_SAST))
		return err_set(e, ST_USAGE,
			       "'--keep-old-sast' and '--drop-old-sast' contradict each other");
	if (opt_given(u->o, OPT_KEEP_OLD_SAST) || opt_given(u->o, OPT_DROP_OLD_SAST))
		u->edit.keep_old_sast = opt_given(u->o, OPT_KEEP_OLD_SAST);
	if (st == ST_OK)
		st = apply_changes(u, e);
	return st == ST_OK ? apply_mode(u, e) : st;
}

/* A key file without certificate is taken to be that of the list's signer. */
static enum status open_key(struct update *u, struct tlv_err *e)
{
	long signer = tlv_list_signer(&u->old.list);
	struct key_options k = { .key = opt_value(u->o, OPT_KEY),
				 .cert = opt_value(u->o, OPT_CERT),
				 .tok = u->tok,
				 .allow_weak = opt_given(u->o, OPT_ALLOW_WEAK_KEYS) };

	if (k.key == NULL)
		return err_set(e, ST_USAGE, "no key to sign with: name it with -k");
	k.fallback = tlv_list_record(&u->old.list, (size_t)signer).certificate;
	return key_open(&u->key, &k, e);
}

/* A list names its signer: compose adds the record where the changes left none. */
static enum status compose_records(struct update *u, struct tlv_err *e)
{
	size_t n = u->edit.entries.n;
	enum status st = compose(&u->records, &u->edit.entries, key_cert(u->key), &u->compose,
				 &u->d.sign.signer_at, e);

	if (st == ST_OK && u->edit.entries.n > n)
		msg_warn("a SAST record of the signer is added: a list must hold its signer's");
	u->d.sign.records = buf_span(&u->records);
	return st;
}

/* The header is written anew; nobody knows where an unknown field would belong in it. */
static void warn_unknown_fields(const struct update *u)
{
	struct tlv_walk w = tlv_walk_of(TLV_SCOPE_HEADER, u->old.list.header.raw, 0);
	struct tlv_field f;

	while (tlv_walk_next(&w, &f, NULL))
		if (f.row == NULL)
			msg_warn("%s: header: tag %u is unknown, and is not in the new list",
				 u->o->args[0], (unsigned)f.tag);
}

static enum status prepare(struct update *u, struct tlv_err *e)
{
	enum status st = common_token_options(u->o, &u->tok, e);

	if (st == ST_OK)
		st = read_old(u, e);
	if (st == ST_OK)
		st = read_output(u, e);
	if (st == ST_OK)
		st = delivery_options(&u->d, u->o, e);
	if (st == ST_OK)
		st = read_settings(u, e);
	if (st == ST_OK)
		st = read_changes(u, e);
	if (st == ST_OK)
		st = entries_check_kind(&u->edit.entries, u->d.sign.filename, e);
	if (st == ST_OK)
		st = open_key(u, e);
	u->compose.dialect = tlv_list_dialect(&u->old.list);
	u->compose.missing = ST_USAGE;
	if (st == ST_OK)
		warn_unknown_fields(u);
	if (st == ST_OK)
		st = compose_records(u, e);
	return st == ST_OK ? deliver_prepare(&u->d, u->key, e) : st;
}

enum status cmd_update(const struct opts *o, struct tlv_err *e)
{
	struct update u = { .o = o };
	enum status st = prepare(&u, e);

	if (st == ST_OK && !opt_given(o, OPT_DRY_RUN))
		st = deliver_finish(&u.d, u.key, e);
	key_free(&u.key);
	edit_free(&u.edit);
	certset_free(&u.certs);
	buf_free(&u.records);
	buf_free(&u.filename);
	delivery_free(&u.d);
	list_file_free(&u.old);
	return st;
}
