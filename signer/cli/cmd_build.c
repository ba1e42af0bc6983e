/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/crypto/certfile.h"
#include "signer/cli/common.h"
#include "signer/list/compose.h"
#include "signer/cli/deliver.h"
#include "signer/io/env.h"
#include "signer/crypto/key.h"
#include "signer/list/manifest.h"
#include "signer/io/out.h"
#include "signer/io/slurp.h"
#include "signer/cli/verb.h"
#include "tlv/kind.h"
#include "tlv/text.h"

/* All that the options and the manifest say, and what comes of it. */
struct build {
	const struct opts *o;
	struct manifest_file *manifest; /* NULL without -m */
	struct tok_options tok;
	char *key_arg, *cert_arg; /* owned */
	struct list_file old;	  /* the list being replaced */
	bool replaces;
	struct believing believing;
	struct key *key;
	struct early_key early;
	struct entries entries;
	struct compose_options compose;
	struct buf records, output; /* output: of --device */
	struct delivery d;
};

/* A setting: the option wins over the manifest; errors name where the value stands. */
struct setting {
	const char *value;
	const char *manifest_key; /* NULL: from the command line */
	const char *option;
};

static struct setting setting_of(const struct build *b, enum opt_id id, const char *option,
				 const char *manifest_key, const char *manifest_value)
{
	const char *value = opt_value(b->o, id);

	if (value != NULL || manifest_value == NULL)
		return (struct setting){ value, NULL, option };
	return (struct setting){ manifest_value, manifest_key, option };
}

static enum status bad_setting(const struct build *b, const struct setting *s, const char *wanted,
			       struct tlv_err *e)
{
	if (s->manifest_key != NULL)
		return manifest_error(b->manifest, -1, s->manifest_key, e, "unknown %s '%s': %s",
				      s->manifest_key, s->value, wanted);
	return err_set(e, ST_USAGE, "option '--%s': unknown value '%s': %s", s->option, s->value,
		       wanted);
}

/* The manifest's settings take what the options take. */
static enum status not_taken(const struct build *b, const struct setting *s, enum opt_id id,
			     struct tlv_err *e)
{
	struct buf must = BUF_INIT;
	enum status st;

	opt_put_must_be(&must, id);
	st = bad_setting(b, s, buf_cstr(&must), e);
	buf_free(&must);
	return st;
}

static const struct manifest *content(const struct build *b)
{
	static const struct manifest none;

	return b->manifest != NULL ? manifest_content(b->manifest) : &none;
}

static enum status read_style(struct build *b, struct tlv_err *e)
{
	struct setting s = setting_of(b, OPT_STYLE, "style", "style", content(b)->style);
	struct setting p = setting_of(b, OPT_NAME_SEPARATOR, "name-separator", "name-separator",
				      content(b)->name_separator);

	b->compose.dialect = (struct tlv_dialect){ .style = TLV_STYLE_CUCM, .separator = ',' };
	if (p.value != NULL && !opt_takes(OPT_NAME_SEPARATOR, p.value))
		return not_taken(b, &p, OPT_NAME_SEPARATOR, e);
	if (s.value != NULL && !tlv_style_by_text(s.value, &b->compose.dialect.style))
		return not_taken(b, &s, OPT_STYLE, e);
	if (s.value == NULL && b->replaces)
		b->compose.dialect = tlv_list_dialect(&b->old.list);
	else if (s.value == NULL && tlv_cert_is_token(&key_cert(b->key)->parts))
		b->compose.dialect.style = TLV_STYLE_CTL_CLIENT;
	if (p.value != NULL)
		b->compose.dialect.separator = p.value[0];
	return ST_OK;
}

static enum status read_mode_and_digest(struct build *b, struct tlv_err *e)
{
	struct setting m = setting_of(b, OPT_MODE, "mode", "mode", content(b)->mode);
	struct setting d = setting_of(b, OPT_DIGEST, "digest", "digest", content(b)->digest);
	const struct tlv_digest_row *row = tlv_digest_by_text(d.value != NULL ? d.value : "sha1");

	if (m.value != NULL && !opt_takes(OPT_MODE, m.value))
		return not_taken(b, &m, OPT_MODE, e);
	if (row == NULL)
		return not_taken(b, &d, OPT_DIGEST, e);
	b->compose.non_secure = m.value != NULL && strcmp(m.value, "non-secure") == 0;
	b->d.sign.digest = (enum tlv_digest)row->code;
	return ST_OK;
}

static enum status read_signer_version(struct build *b, struct tlv_err *e)
{
	struct setting s = setting_of(b, OPT_SIGNER_VERSION, "signer-version", "signer-version",
				      content(b)->signer_version);

	b->d.sign.has_signer_version =
		s.value != NULL || b->compose.dialect.style == TLV_STYLE_RFC4514;
	b->d.sign.signer_version[0] = 1;
	b->d.sign.signer_version[1] = s.value != NULL && strcmp(s.value, "1.1") == 0;
	if (s.value != NULL && !opt_takes(OPT_SIGNER_VERSION, s.value))
		return not_taken(b, &s, OPT_SIGNER_VERSION, e);
	return ST_OK;
}

/*
 * One phone's own list, which it asks for before the one of all: its name is CTL or ITL
 * and the device's, its FILENAME that of the list of all. [docs/FORMAT.md, field 14]
 */
static enum status read_device(struct build *b, struct tlv_err *e)
{
	const char *device = opt_value(b->o, OPT_DEVICE), *output = b->d.output;
	enum tlv_list_kind kind;

	if (device == NULL)
		return ST_OK;
	if (common_device_check(device, e) != ST_OK)
		return ST_USAGE;
	kind = tlv_kind_of_name(span_str(output));
	if (kind == TLV_LIST_OTHER)
		return err_set(
			e, ST_USAGE,
			"--device: the name in -o must begin with CTL or ITL, which says what kind of list it is");
	buf_put(&b->output, span_of(output, (size_t)(base_name(output) - output)));
	buf_printf(&b->output, "%s%s.tlv", tlv_kind_text(kind), device);
	b->d.output = buf_cstr(&b->output);
	return buf_failed(&b->output, e);
}

/* The output's name says it, or else the records do: only ITLs have TVS records. */
static const char *usual_filename(const struct build *b)
{
	enum tlv_list_kind kind = tlv_kind_of_name(span_str(b->d.output));

	if (kind == TLV_LIST_OTHER && entries_find(&b->entries, TLV_ROLE_TVS) != NULL)
		kind = TLV_LIST_ITL;
	return kind == TLV_LIST_ITL ? "ITLFile.tlv" : "CTLFile.tlv";
}

static enum status read_filename(struct build *b, struct tlv_err *e)
{
	struct setting s = setting_of(b, OPT_FILENAME, "filename", "file", content(b)->file);

	b->d.sign.filename = s.value != NULL ? s.value : usual_filename(b);
	if (strchr(b->d.sign.filename, '/') != NULL || b->d.sign.filename[0] == '\0')
		return bad_setting(b, &s, "it is the name inside the list, not a path", e);
	/* A manifest may have one: extract writes the name of a list as it is. */
	return opt_plain(b->o, OPT_FILENAME, e);
}

static enum status manifest_cert(struct build *b, int i, struct entry *x, struct tlv_err *e)
{
	const struct manifest_record *r = &content(b)->records[i];
	char *path;
	enum status st;

	if (r->cert == NULL)
		return ST_OK;
	path = manifest_resolve(b->manifest, r->cert);
	if (path == NULL)
		return err_nomem(e);
	st = cert_load(&x->cert, path, &b->tok, &msg_warnings, e);
	free(path);
	return st == ST_OK ? ST_OK : err_in(e, "%s", x->origin);
}

/* A record that has no certificate to be made from: its bytes, as extract wrote them. */
static enum status manifest_bytes(struct build *b, int i, struct entry *x, struct tlv_err *e)
{
	const struct manifest_record *r = &content(b)->records[i];
	uint16_t role = x->role;
	struct blob file = { .p = NULL };
	char *path;
	enum status st;

	if (r->cert != NULL || r->name != NULL || r->address != NULL)
		return manifest_error(
			b->manifest, i, "record", e,
			"'record' is the whole record: leave out cert, name and address");
	path = manifest_resolve(b->manifest, r->record);
	if (path == NULL)
		return err_nomem(e);
	st = slurp(path, TLV_FIELD_MAX, SLURP_REGULAR, &file, e);
	if (st == ST_OK)
		st = entry_take_record(x, blob_span(&file), e);
	if (st == ST_OK && x->role != role)
		st = err_set(e, ST_INPUT, "the record in this file has another role than '%s'",
			     r->role);
	blob_free(&file);
	st = st == ST_OK ? ST_OK : err_in(e, "%s: %s", x->origin, path);
	free(path);
	return st;
}

static enum status manifest_entry(struct build *b, int i, struct tlv_err *e)
{
	const struct manifest_record *r = &content(b)->records[i];
	const struct tlv_role_row *role = r->role != NULL ? tlv_role_by_text(r->role) : NULL;
	struct tlv_err why = TLV_ERR_INIT;
	struct entry *x;

	if (r->role == NULL)
		return manifest_error(b->manifest, i, NULL, e, "a record without role");
	if (role == NULL)
		return manifest_error(b->manifest, i, "role", e, "unknown role '%s'", r->role);
	x = entries_insert(&b->entries, b->entries.n);
	if (x == NULL || (x->origin = manifest_origin(b->manifest, i)) == NULL)
		return err_nomem(e);
	x->role = role->number;
	if (r->record != NULL)
		return manifest_bytes(b, i, x, e);
	if (r->name != NULL && (x->name = strdup(r->name)) == NULL)
		return err_nomem(e);
	x->has_address = r->address != NULL;
	if (r->address != NULL && address_read(r->address, x->address, &why) != ST_OK)
		return manifest_error(b->manifest, i, "address", e, "%s", err_text(&why));
	return manifest_cert(b, i, x, e);
}

/* Record options replace the manifest's records. */
static enum status read_records(struct build *b, struct tlv_err *e)
{
	bool from_options = opt_given(b->o, OPT_RECORD);
	enum status st = ST_OK;

	for (size_t i = 0; i < b->o->n && st == ST_OK; i++)
		if (b->o->items[i].row->id == OPT_RECORD)
			st = entries_add_option(&b->entries, b->o->items[i].row->role,
						b->o->items[i].value, b->o->items[i].row->name,
						&b->tok, e);
	for (size_t i = 0; !from_options && i < content(b)->records_count && st == ST_OK; i++)
		st = manifest_entry(b, (int)i, e);
	b->compose.missing = !from_options && content(b)->records_count > 0 ? ST_INPUT : ST_USAGE;
	return st;
}

/* -k, --cert, else the manifest's, which are relative to it. */
static enum status read_key_args(struct build *b, struct tlv_err *e)
{
	const char *key = opt_value(b->o, OPT_KEY), *cert = opt_value(b->o, OPT_CERT);
	const struct manifest *m = content(b);

	if (key != NULL)
		b->key_arg = strdup(key);
	else if (m->key != NULL)
		b->key_arg = manifest_resolve(b->manifest, m->key);
	else
		return err_set(e, ST_USAGE, "no key to sign with: name it with -k");
	if (cert != NULL)
		b->cert_arg = strdup(cert);
	else if (m->cert != NULL)
		b->cert_arg = manifest_resolve(b->manifest, m->cert);
	if (b->key_arg == NULL || ((cert != NULL || m->cert != NULL) && b->cert_arg == NULL))
		return err_nomem(e);
	return ST_OK;
}

/* The list that stands where the new one goes; anything else there is not ours to replace. */
static enum status read_old(struct build *b, struct tlv_err *e)
{
	struct stat st;
	enum status status = publish_check(b->d.output, &b->d.publish, e);

	/* Nothing, a pipe, or an empty file: no list is replaced. */
	if (status != ST_OK || stat(b->d.output, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size == 0)
		return status;
	status = list_file_read(&b->old, b->d.output, LIST_DAMAGED, e);
	if (status != ST_OK)
		return status;
	b->d.present = blob_span(&b->old.file);
	b->d.publish.replaces = &b->old.file.st;
	b->replaces = b->old.fault.status == ST_OK;
	if (b->replaces || b->d.publish.overwrite)
		return ST_OK;
	return err_set(
		e, ST_OUTPUT,
		"%s: is there already and is not a trust list: name another file, or replace it with --overwrite",
		b->d.output);
}

/* The forecast needs a list that is believed: what a stranger's says of phones is worth nothing. */
static enum status believe(struct build *b, struct tlv_err *e)
{
	struct believing *w = &b->believing;
	enum status st = belief_key(&w->belief, "-k", key_cert(b->key)->parts.public_key, e);

	if (st != ST_OK || w->no_forecast)
		return st;
	if (w->installed_path != NULL) {
		b->d.old = &w->installed.list;
		deliver_held(&b->d, w->installed_path, b->d.old);
		/* The list that is replaced is no witness for what phones hold. */
		return b->replaces ? believe_no_self(w, b->d.output, &b->old, e) : ST_OK;
	}
	if (!b->replaces)
		return ST_OK;
	st = believe_list(w, b->d.output, &b->old, "nothing is signed", e);
	if (st == ST_OK) {
		b->d.old = &b->old.list;
		deliver_held(&b->d, b->d.output, b->d.old);
	}
	return st;
}

/* A certificate of the manifest's that only a token has. */
static bool manifest_names_tokens(const struct build *b)
{
	const struct manifest *m = content(b);

	for (unsigned i = 0; !opt_given(b->o, OPT_RECORD) && i < m->records_count; i++)
		if (m->records[i].cert != NULL && tok_is_uri(m->records[i].cert))
			return true;
	return false;
}

/* Nothing that anybody else wrote has been read so far: the manifest is ours. */
static void enter_sandbox(struct build *b, const struct key_options *k)
{
	struct confine c = { .output = b->d.output,
			     .follow = b->d.publish.follow,
			     .keys = { &b->early },
			     .more_tokens =
				     confine_names_tokens(b->o) || manifest_names_tokens(b) };

	early_key_open(&b->early, k);
	confine(&c);
}

/* Everything that needs no secret. */
static enum status prepare(struct build *b, struct tlv_err *e)
{
	struct key_options k;
	enum status st = read_key_args(b, e);

	k = (struct key_options){ .key = b->key_arg,
				  .cert = b->cert_arg,
				  .tok = b->tok,
				  .allow_weak = opt_given(b->o, OPT_ALLOW_WEAK_KEYS) };
	if (st == ST_OK)
		enter_sandbox(b, &k);
	if (st == ST_OK)
		st = believe_options(&b->believing, b->o, e);
	if (st == ST_OK)
		st = delivery_options(&b->d, b->o, e);
	if (st == ST_OK)
		st = read_old(b, e);
	if (st == ST_OK)
		st = read_mode_and_digest(b, e);
	if (st == ST_OK)
		st = deliver_timestamp(b->o, &b->d.sign.timestamp, e);
	if (st == ST_OK)
		st = read_records(b, e);
	if (st == ST_OK)
		st = read_filename(b, e);
	if (st == ST_OK)
		st = early_key_take(&b->early, &b->key, &k, e);
	if (st == ST_OK)
		st = believe(b, e);
	if (st == ST_OK)
		st = read_style(b, e);
	if (st == ST_OK)
		st = read_signer_version(b, e);
	return st;
}

static enum status make_records(struct build *b, struct tlv_err *e)
{
	enum status st = entries_check_kind(&b->entries, b->d.sign.filename, e);

	if (st == ST_OK)
		st = compose(&b->records, &b->entries, key_cert(b->key), &b->compose,
			     &b->d.sign.signer_at, e);
	b->d.sign.records = buf_span(&b->records);
	return st == ST_OK ? deliver_prepare(&b->d, b->key, e) : st;
}

static void build_free(struct build *b)
{
	key_free(&b->key);
	early_key_free(&b->early);
	entries_free(&b->entries);
	believing_free(&b->believing);
	list_file_free(&b->old);
	manifest_free(&b->manifest);
	buf_free(&b->records);
	buf_free(&b->output);
	delivery_free(&b->d);
	free(b->key_arg);
	free(b->cert_arg);
}

enum status cmd_build(const struct opts *o, struct tlv_err *e)
{
	struct build b = { .o = o, .early = EARLY_KEY_INIT };
	const char *manifest = opt_value(o, OPT_MANIFEST);
	enum status st = common_token_options(o, &b.tok, e);

	b.d.output = opt_value(o, OPT_OUTPUT);
	if (st == ST_OK)
		st = common_publish_options(o, KIND_LIST, &b.d.publish, e);
	b.d.publish.stream = true;
	b.d.sign.timestamp = (uint32_t)env_now();
	if (st == ST_OK && b.d.output == NULL)
		st = err_set(e, ST_USAGE, "where to? name the list with -o");
	if (st == ST_OK)
		st = read_device(&b, e);
	if (st == ST_OK && manifest != NULL)
		st = manifest_read(&b.manifest, manifest, e);
	if (st == ST_OK)
		st = prepare(&b, e);
	if (st == ST_OK)
		st = make_records(&b, e);
	if (st == ST_OK)
		st = deliver_finish(&b.d, b.key, e);
	build_free(&b);
	return st;
}
