/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/common.h"
#include "signer/compose.h"
#include "signer/env.h"
#include "signer/key.h"
#include "signer/manifest.h"
#include "signer/out.h"
#include "signer/publish.h"
#include "signer/sign.h"
#include "signer/verb.h"

/* All that the options and the manifest say, and what comes of it. */
struct build {
	const struct opts *o;
	const char *output;
	struct manifest_file *manifest; /* NULL without -m */
	struct tok_options tok;
	char *key_arg, *cert_arg; /* owned */
	struct list_file old;	  /* the list being replaced */
	bool replaces;
	struct key *key;
	struct entries entries;
	struct compose_options compose;
	struct sign_spec sign;
	struct buf records;
	struct signing signing;
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
	if (p.value != NULL && strcmp(p.value, ",") != 0 && strcmp(p.value, ";") != 0)
		return bad_setting(b, &p, "must be ',' or ';'", e);
	if (s.value != NULL && !tlv_style_by_text(s.value, &b->compose.dialect.style))
		return bad_setting(b, &s, "must be cucm, ctl-client or rfc4514", e);
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

	if (m.value != NULL && strcmp(m.value, "mixed") != 0 && strcmp(m.value, "non-secure") != 0)
		return bad_setting(b, &m, "must be mixed or non-secure", e);
	if (row == NULL)
		return bad_setting(b, &d, "must be sha1, sha256 or sha512", e);
	b->compose.non_secure = m.value != NULL && strcmp(m.value, "non-secure") == 0;
	b->sign.digest = (enum tlv_digest)row->code;
	return ST_OK;
}

static enum status read_signer_version(struct build *b, struct tlv_err *e)
{
	struct setting s = setting_of(b, OPT_SIGNER_VERSION, "signer-version", "signer-version",
				      content(b)->signer_version);

	b->sign.has_signer_version =
		s.value != NULL || b->compose.dialect.style == TLV_STYLE_RFC4514;
	b->sign.signer_version[0] = 1;
	b->sign.signer_version[1] = s.value != NULL && strcmp(s.value, "1.1") == 0;
	if (s.value != NULL && strcmp(s.value, "1.0") != 0 && strcmp(s.value, "1.1") != 0)
		return bad_setting(b, &s, "must be 1.0 or 1.1", e);
	return ST_OK;
}

static enum status read_filename(struct build *b, struct tlv_err *e)
{
	struct setting s = setting_of(b, OPT_FILENAME, "filename", "file", content(b)->file);
	bool itl = strncmp(base_name(b->output), "ITL", 3) == 0;

	b->sign.filename = s.value != NULL ? s.value : itl ? "ITLFile.tlv" : "CTLFile.tlv";
	if (strchr(b->sign.filename, '/') != NULL || b->sign.filename[0] == '\0')
		return bad_setting(b, &s, "it is the name inside the list, not a path", e);
	return ST_OK;
}

static enum status read_timestamp(struct build *b, struct tlv_err *e)
{
	uint64_t when = (uint64_t)env_now();
	const char *epoch = env_get("SOURCE_DATE_EPOCH");

	if (opt_given(b->o, OPT_TIMESTAMP) && opt_given(b->o, OPT_REPRODUCIBLE))
		return err_set(e, ST_USAGE,
			       "'--timestamp' and '--reproducible' contradict each other");
	if (opt_given(b->o, OPT_REPRODUCIBLE) &&
	    (epoch == NULL || !parse_number(epoch, UINT32_MAX, &when)))
		return err_set(
			e, ST_USAGE,
			"'--reproducible' needs SOURCE_DATE_EPOCH: seconds since 1970 up to %u",
			UINT32_MAX);
	if (opt_number(b->o, OPT_TIMESTAMP, UINT32_MAX, &when, e) != ST_OK)
		return ST_USAGE;
	b->sign.timestamp = (uint32_t)when;
	return ST_OK;
}

/* "CERT[,name=NAME][,address=IP]", split at ",name=" and ",address=" only; text is the caller's copy. */
static enum status split_record(char *text, struct entry *x, const char *option, struct tlv_err *e)
{
	for (;;) {
		char *name = strstr(text, ",name="), *address = strstr(text, ",address=");
		/* The last one first, so that what remains in front ends where it was cut. */
		bool is_name = name != NULL && (address == NULL || name > address);
		char *part = is_name ? name : address;
		char *next = part;

		if (part == NULL)
			return ST_OK;
		while ((next = strstr(part + 1, is_name ? ",name=" : ",address=")) != NULL)
			part = next;
		*part = '\0';
		if (is_name && x->name == NULL && part[6] != '\0') {
			x->name = strdup(part + 6);
			if (x->name == NULL)
				return err_nomem(e);
		} else if (!is_name && !x->has_address && parse_ipv4(part + 9, x->address)) {
			x->has_address = true;
		} else {
			return err_set(e, ST_USAGE,
				       "option '--%s': '%s' is empty, given twice or no %s", option,
				       part + 1, is_name ? "name" : "IPv4 address");
		}
	}
}

static enum status option_record(struct build *b, const struct opt_item *item, struct tlv_err *e)
{
	char *text = strdup(item->value);
	struct entry *x = text != NULL ? entries_insert(&b->entries, b->entries.n) : NULL;
	struct buf origin = BUF_INIT;
	enum status st = ST_OK;

	if (x == NULL) {
		free(text);
		return err_nomem(e);
	}
	x->role = item->row->role;
	st = split_record(text, x, item->row->name, e);
	buf_printf(&origin, "--%s %s", item->row->name, text);
	x->origin = span_dup(buf_span(&origin));
	if (st == ST_OK && x->origin == NULL)
		st = err_nomem(e);
	if (st == ST_OK)
		st = cert_load(&x->cert, text, &b->tok, &msg_warnings, e);
	buf_free(&origin);
	free(text);
	return st;
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

static enum status manifest_entry(struct build *b, int i, struct tlv_err *e)
{
	const struct manifest_record *r = &content(b)->records[i];
	const struct tlv_role_row *role = r->role != NULL ? tlv_role_by_text(r->role) : NULL;
	struct entry *x;

	if (r->role == NULL)
		return manifest_error(b->manifest, i, NULL, e, "a record without role");
	if (role == NULL)
		return manifest_error(b->manifest, i, "role", e, "unknown role '%s'", r->role);
	x = entries_insert(&b->entries, b->entries.n);
	if (x == NULL || (x->origin = manifest_origin(b->manifest, i)) == NULL)
		return err_nomem(e);
	x->role = role->number;
	if (r->name != NULL && (x->name = strdup(r->name)) == NULL)
		return err_nomem(e);
	x->has_address = r->address != NULL;
	if (r->address != NULL && !parse_ipv4(r->address, x->address))
		return manifest_error(b->manifest, i, "address", e, "'%s' is no IPv4 address",
				      r->address);
	return manifest_cert(b, i, x, e);
}

/* Record options replace the manifest's records. */
static enum status read_records(struct build *b, struct tlv_err *e)
{
	bool from_options = opt_given(b->o, OPT_RECORD);
	enum status st = ST_OK;

	for (size_t i = 0; i < b->o->n && st == ST_OK; i++)
		if (b->o->items[i].row->id == OPT_RECORD)
			st = option_record(b, &b->o->items[i], e);
	for (unsigned i = 0; !from_options && i < content(b)->records_count && st == ST_OK; i++)
		st = manifest_entry(b, (int)i, e);
	b->compose.missing = from_options ? ST_USAGE : ST_INPUT;
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

static struct publish_options publish_options(const struct build *b)
{
	return (struct publish_options){ .follow = opt_given(b->o, OPT_FOLLOW),
					 .replaces = b->replaces ? &b->old.file.st : NULL };
}

/* The list that stands where the new one goes; anything else there is not ours to replace. */
static enum status read_old(struct build *b, struct tlv_err *e)
{
	struct publish_options opt = publish_options(b);
	struct stat st;
	enum status status = publish_check(b->output, &opt, e);

	if (status != ST_OK || stat(b->output, &st) != 0)
		return status;
	status = list_file_read(&b->old, b->output, e);
	if (status != ST_OK)
		return status;
	b->replaces = true;
	if (b->old.fault.status != ST_OK)
		return err_set(
			e, ST_OUTPUT,
			"%s: is there and is no trust list: move it away if it is to be replaced",
			b->output);
	return ST_OK;
}

static enum status check_time(const struct build *b, struct tlv_err *e)
{
	int64_t before, after;
	char when[32];

	if (cert_validity(buf_span(&key_cert(b->key)->der), &before, &after, e) != ST_OK)
		return err_in(e, "the signer's certificate");
	if ((int64_t)b->sign.timestamp < before) {
		time_iso(before, when);
		return err_set(
			e, ST_NO,
			"the time of signing is before the signer's certificate is valid, %s",
			when);
	}
	if (b->replaces && tlv_header_has(&b->old.list.header, TLV_H_TIMESTAMP) &&
	    b->sign.timestamp < b->old.list.header.timestamp) {
		time_iso(b->old.list.header.timestamp, when);
		return err_set(e, ST_NO,
			       "the time of signing is before that of the list being replaced, %s: "
			       "check the clock, or say --timestamp",
			       when);
	}
	return ST_OK;
}

static enum status check_kind(const struct build *b, struct tlv_err *e)
{
	bool itl = strncmp(b->sign.filename, "ITL", 3) == 0;

	for (size_t i = 0; i < b->entries.n; i++)
		if (b->entries.v[i].role == TLV_ROLE_TVS && !itl)
			return err_set(e, ST_NO,
				       "%s: a TVS record belongs in an ITL, and this list is '%s'",
				       b->entries.v[i].origin, b->sign.filename);
	return ST_OK;
}

static enum status check_size(const struct build *b, struct tlv_err *e)
{
	if (b->signing.list.n <= TLV_PHONE_LIMIT || opt_given(b->o, OPT_ALLOW_LARGE))
		return ST_OK;
	return err_set(e, ST_NO,
		       "%zu bytes: phones do not load a list over %d bytes (--allow-large writes "
		       "it all the same)",
		       b->signing.list.n, TLV_PHONE_LIMIT);
}

static void describe(const struct build *b)
{
	struct buf text = BUF_INIT;
	struct tlv_record r;
	size_t at = 0;

	for (size_t i = 0; i < b->entries.n; i++, at += r.raw.n) {
		const struct tlv_role_row *role = tlv_role_find(b->entries.v[i].role);

		(void)tlv_record_decode(&r, span_slice(buf_span(&b->records), at, b->records.n), at,
					NULL);
		msg_note("record %zu: %s %s%s", i + 1, role->text, field_text(&text, r.subject),
			 at == b->sign.signer_at ? " (signs)" : "");
	}
	if (b->replaces)
		msg_note("replaces %s: %zu bytes, %zu records", b->output, b->old.file.n,
			 b->old.list.nrecords);
	buf_free(&text);
}

static enum status ask(const struct build *b, struct tlv_err *e)
{
	describe(b);
	if (opt_given(b->o, OPT_YES) || !msg_can_ask())
		return ST_OK;
	return msg_ask("sign this list?") ? ST_OK : err_set(e, ST_NO, "not signed");
}

static enum status report(const struct build *b, struct tlv_err *e)
{
	char md5[33], sha1[41];
	enum status st = checksums(buf_span(&b->signing.list), md5, sha1, e);

	if (st != ST_OK)
		return st;
	out_printf("%s: %zu bytes, %zu records\n%s(MD5)\n%s(SHA1)\n", b->output, b->signing.list.n,
		   b->entries.n, md5, sha1);
	return ST_OK;
}

/* Everything that needs no secret. */
static enum status prepare(struct build *b, struct tlv_err *e)
{
	struct key_options k;
	enum status st = read_key_args(b, e);

	if (st == ST_OK)
		st = read_old(b, e);
	k = (struct key_options){ .key = b->key_arg,
				  .cert = b->cert_arg,
				  .tok = b->tok,
				  .allow_weak = opt_given(b->o, OPT_ALLOW_WEAK_KEYS) };
	if (st == ST_OK)
		st = read_mode_and_digest(b, e);
	if (st == ST_OK)
		st = read_timestamp(b, e);
	if (st == ST_OK)
		st = read_filename(b, e);
	if (st == ST_OK)
		st = read_records(b, e);
	if (st == ST_OK)
		st = key_open(&b->key, &k, e);
	if (st == ST_OK)
		st = read_style(b, e);
	if (st == ST_OK)
		st = read_signer_version(b, e);
	return st;
}

static enum status make_records(struct build *b, struct tlv_err *e)
{
	enum status st = check_kind(b, e);

	if (st == ST_OK)
		st = check_time(b, e);
	if (st == ST_OK)
		st = compose(&b->records, &b->entries, key_cert(b->key), &b->compose,
			     &b->sign.signer_at, e);
	b->sign.records = buf_span(&b->records);
	if (st == ST_OK)
		st = sign_prepare(&b->signing, &b->sign, b->key, e);
	return st == ST_OK ? check_size(b, e) : st;
}

static enum status sign_and_publish(struct build *b, struct tlv_err *e)
{
	struct publish_options opt = publish_options(b);
	enum status st = ask(b, e);

	if (st == ST_OK)
		st = key_login(b->key, e);
	if (st == ST_OK)
		st = sign_finish(&b->signing, b->key, e);
	if (st == ST_OK)
		st = publish(b->output, buf_span(&b->signing.list), &opt, e);
	return st == ST_OK ? report(b, e) : st;
}

enum status cmd_build(const struct opts *o, struct tlv_err *e)
{
	struct build b = { .o = o, .output = opt_value(o, OPT_OUTPUT) };
	const char *manifest = opt_value(o, OPT_MANIFEST);
	enum status st = common_token_options(o, &b.tok, e);

	if (st == ST_OK && b.output == NULL)
		st = err_set(e, ST_USAGE, "where to? name the list with -o");
	if (st == ST_OK && manifest != NULL)
		st = manifest_read(&b.manifest, manifest, e);
	if (st == ST_OK)
		st = prepare(&b, e);
	if (st == ST_OK)
		st = make_records(&b, e);
	if (st == ST_OK)
		st = sign_and_publish(&b, e);
	key_free(&b.key);
	entries_free(&b.entries);
	list_file_free(&b.old);
	manifest_free(&b.manifest);
	buf_free(&b.records);
	signing_free(&b.signing);
	free(b.key_arg);
	free(b.cert_arg);
	return st;
}
