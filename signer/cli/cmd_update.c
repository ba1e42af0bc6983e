/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/stat.h>
#include <string.h>

#include "signer/cli/deliver.h"
#include "signer/list/edit.h"
#include "signer/io/env.h"
#include "signer/io/folder.h"
#include "signer/io/out.h"
#include "signer/net/net.h"
#include "signer/trust/clean.h"
#include "signer/text/hints.h"
#include "signer/cli/verb.h"

struct update {
	const struct opts *o;
	struct list_file old, replaced; /* replaced: what stands at -o, unless that is old */
	struct believing believing;
	struct edit edit;
	struct certset certs;
	struct compose_options compose;
	struct key *key;
	struct early_key early;
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
	if (in_place && path_is_url(u->o->args[0]))
		return err_set(e, ST_USAGE,
			       "'%s' is fetched, and not written in its place: name a file with -o",
			       u->o->args[0]);
	if (in_place && strcmp(u->o->args[0], "-") == 0)
		return err_set(
			e, ST_USAGE,
			"standard input has no place that could be written: name a file with -o");
	u->d.output = output != NULL ? output : u->o->args[0];
	if (common_publish_options(u->o, KIND_LIST, &u->d.publish, e) != ST_OK)
		return ST_USAGE;
	u->d.publish.stream = !in_place;
	if (in_place || is_old_file(u, u->d.output))
		u->d.publish.replaces = &u->old.file.st;
	return opt_given(u->o, OPT_DRY_RUN) ? ST_OK : publish_check(u->d.output, &u->d.publish, e);
}

/*
 * The certificate of the signer's record is needed later. A list without that record is nobody's.
 */
static enum status read_old(struct update *u, struct tlv_err *e)
{
	enum status st = list_file_read(&u->old, u->o->args[0], 0, e);

	u->d.old = &u->old.list;
	return st;
}

/* What stands where the new list goes, if it is a list of its own: that is what phones hold. */
static enum status read_replaced(struct update *u, struct tlv_err *e)
{
	const char *path = u->d.output;
	enum status st;

	if (u->d.publish.replaces != NULL || !opt_given(u->o, OPT_OUTPUT) ||
	    folder_file_begins(path) != FOLDER_FILE_LIST)
		return ST_OK;
	st = list_file_read(&u->replaced, path, LIST_DAMAGED, e);
	u->d.publish.replaces = &u->replaced.file.st; /* what is judged here is what is replaced */
	/* A file that is not whole comes here only if it may be overwritten. */
	if (st == ST_OK && u->replaced.fault.status != ST_OK && u->d.publish.overwrite)
		return ST_OK;
	if (st == ST_OK && u->replaced.fault.status != ST_OK) {
		*e = u->replaced.fault;
		st = e->status;
	}
	if (st != ST_OK || u->believing.installed_path != NULL)
		return st == ST_OK ? believe_no_self(&u->believing, path, &u->replaced, e) : st;
	st = believe_list(&u->believing, path, &u->replaced, "nothing is signed", e);
	if (st == ST_OK)
		deliver_held(&u->d, path, &u->replaced.list);
	return st;
}

/* The list that is signed over, and those that phones may hold. */
static enum status believe(struct update *u, struct tlv_err *e)
{
	const char *path = u->o->args[0];
	enum status st = believe_list(&u->believing, path, &u->old, "nothing is signed", e);

	if (st == ST_OK && u->believing.installed_path != NULL)
		deliver_held(&u->d, u->believing.installed_path, &u->believing.installed.list);
	else if (st == ST_OK)
		deliver_held(&u->d, path, &u->old.list);
	return st == ST_OK ? read_replaced(u, e) : st;
}

/* Records whose bytes are not in the new list any more. */
static bool *gone_records(const struct update *u)
{
	size_t n = u->old.list.nrecords;
	bool *gone = calloc(n + 1, sizeof *gone);

	for (size_t i = 0; gone != NULL && i < n; i++)
		gone[i] = true;
	for (size_t i = 0; gone != NULL && i < u->edit.entries.n; i++)
		if (u->edit.entries.v[i].source >= 0 && u->edit.entries.v[i].raw.n > 0)
			gone[u->edit.entries.v[i].source] = false;
	return gone;
}

/*
 * An error in the present list is never signed again. Its record goes in this run, or nothing is
 * signed.
 */
static enum status check_old(const struct update *u, struct tlv_err *e)
{
	bool *gone = gone_records(u);
	struct clean_options opt = { .name = u->o->args[0],
				     .what = "nothing is signed",
				     .served = u->o->args[0],
				     .allow_weak = opt_given(u->o, OPT_ALLOW_WEAK_KEYS),
				     .is_old = true,
				     .gone = gone,
				     .ngone = u->old.list.nrecords };
	enum status st =
		gone != NULL ? clean_check(&u->old.list, &opt, env_now(), e) : err_nomem(e);

	free(gone);
	return st;
}

/* Digest, name and version are the old list's unless an option says otherwise. */
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
	if (opt_plain(u->o, OPT_FILENAME, e) != ST_OK)
		return ST_USAGE;
	buf_put(&u->filename, name != NULL ? span_str(name) : tlv_text(h->filename));
	s->filename = buf_cstr(&u->filename);
	return deliver_timestamp_again(u->o, &u->old.list, &s->timestamp, e);
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

/* The certificates of a folder, or those that a log shows. */
static enum status add_certs(struct update *u, const char *path, struct tlv_err *e)
{
	const struct certset *shown;
	enum status status = ST_OK;

	if (folder_is(path))
		return certset_add_folder(&u->certs, path, &msg_warnings, e);
	status = hints_certs(SPAN_NONE, path, &shown, e);
	for (size_t i = 0; status == ST_OK && i < shown->n; i++)
		status = certset_add(&u->certs, shown->v[i].cert.parts.der, NULL, e);
	return status;
}

static enum status apply_mode(struct update *u, struct tlv_err *e)
{
	const char *mode = opt_value(u->o, OPT_SET_MODE);
	enum status st = ST_OK;

	u->compose.non_secure = tlv_list_is_non_secure(&u->old.list);
	for (size_t i = 0; i < u->o->n && st == ST_OK; i++)
		if (u->o->items[i].row->id == OPT_CERTS)
			st = add_certs(u, u->o->items[i].value, e);
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
	if (st == ST_OK)
		st = edit_check_signer(&u->edit, buf_span(&key_cert(u->key)->der), e);
	return st == ST_OK ? apply_mode(u, e) : st;
}

static struct key_options key_options(const struct update *u)
{
	return (struct key_options){ .key = opt_value(u->o, OPT_KEY),
				     .cert = opt_value(u->o, OPT_CERT),
				     .tok = u->tok,
				     .allow_weak = opt_given(u->o, OPT_ALLOW_WEAK_KEYS) };
}

/* Nothing that anybody else wrote has been read so far. */
static void enter_sandbox(struct update *u)
{
	const char *output = opt_value(u->o, OPT_OUTPUT);
	struct key_options k = key_options(u);
	struct confine c = { .output = output != NULL ? output : u->o->args[0],
			     .follow = opt_given(u->o, OPT_FOLLOW),
			     .keys = { &u->early },
			     .more_tokens = confine_names_tokens(u->o) };

	if (opt_given(u->o, OPT_DRY_RUN))
		c.output = NULL;
	early_key_open(&u->early, &k);
	confine(&c);
}

/* A key file without certificate is taken to be that of the list's signer. */
static enum status open_key(struct update *u, struct tlv_err *e)
{
	struct key_options k = key_options(u);

	if (k.key == NULL && !opt_given(u->o, OPT_DRY_RUN))
		return err_set(e, ST_USAGE, "no key to sign with: name it with -k");
	if (k.key == NULL && k.cert == NULL)
		return err_set(
			e, ST_USAGE,
			"who would sign? name the key with -k, or only its certificate with --cert");
	return believe_open_key(&u->believing, &u->early, &u->key, &k,
				k.key != NULL ? "-k" : "--cert", u->o->args[0], &u->old, e);
}

/* A list names its signer: compose adds the record if the changes left none. */
static enum status compose_records(struct update *u, struct tlv_err *e)
{
	size_t n = u->edit.entries.n;
	enum status st = compose(&u->records, &u->edit.entries, key_cert(u->key), &u->compose,
				 &u->d.sign.signer_at, e);

	if (st == ST_OK && u->edit.entries.n > n)
		msg_warn("a SAST record of the signer is added: every list must have one");
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

/* --installed none is for a first list; a list that is signed again is not one. */
static enum status read_belief(struct update *u, struct tlv_err *e)
{
	enum status st = believe_options(&u->believing, u->o, e);

	return st == ST_OK && u->believing.no_forecast ?
		       err_set(e, ST_USAGE,
			       "option '--installed': 'none' is for build: phones hold the list that is updated") :
		       st;
}

/* Whom the list is from, before anything that it says is used. */
static enum status prepare_old(struct update *u, struct tlv_err *e)
{
	enum status st = common_token_options(u->o, &u->tok, e);

	if (st == ST_OK)
		enter_sandbox(u);
	if (st == ST_OK)
		st = read_old(u, e);
	if (st == ST_OK)
		st = read_output(u, e);
	if (st == ST_OK)
		st = read_belief(u, e);
	if (st == ST_OK)
		st = delivery_options(&u->d, u->o, e);
	if (st == ST_OK)
		st = open_key(u, e);
	return st == ST_OK ? believe(u, e) : st;
}

static enum status prepare(struct update *u, struct tlv_err *e)
{
	enum status st = prepare_old(u, e);

	if (st == ST_OK)
		st = read_settings(u, e);
	if (st == ST_OK)
		st = read_changes(u, e);
	if (st == ST_OK)
		st = entries_check_kind(&u->edit.entries, u->d.sign.filename, e);
	if (st == ST_OK)
		st = check_old(u, e);
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
	struct update u = { .o = o, .early = EARLY_KEY_INIT, .d.tells_foreseen = true };
	enum status st = prepare(&u, e);

	if (st == ST_OK && !opt_given(o, OPT_DRY_RUN))
		st = deliver_finish(&u.d, u.key, e);
	st = believe_after_login(&u.believing, st, o->args[0], &u.old, e);
	key_free(&u.key);
	early_key_free(&u.early);
	edit_free(&u.edit);
	certset_free(&u.certs);
	buf_free(&u.records);
	buf_free(&u.filename);
	delivery_free(&u.d);
	believing_free(&u.believing);
	list_file_free(&u.replaced);
	list_file_free(&u.old);
	return st;
}
