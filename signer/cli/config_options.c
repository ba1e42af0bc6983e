/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/config_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signer/cli/deliver.h"
#include "signer/config/companion.h"
#include "signer/crypto/certfile.h"
#include "signer/io/env.h"
#include "signer/io/out.h"

enum { JOBS_DEFAULT_MAX = 4 };

static const struct action_row {
	const char *name;
	enum config_action action;
} actions[] = {
#define CONFIG_ACTION(NAME, word, outcome, adds, takes, missing) { word, CONFIG_##NAME },
#include "signer/config/config_actions.def"
#undef CONFIG_ACTION
};

#define ON(action) (1U << (unsigned)(action))
#define SIGNS (ON(CONFIG_SIGN) | ON(CONFIG_ENCRYPT))
#define STRIPS (ON(CONFIG_STRIP) | ON(CONFIG_DECRYPT))
#define WRITES (SIGNS | STRIPS)
#define READS (ON(CONFIG_VERIFY) | STRIPS)
#define NEEDS_KEY (SIGNS | ON(CONFIG_DECRYPT))

/* Options that only some actions have. */
static const struct {
	enum opt_id id;
	unsigned on;
} limits[] = {
	{ OPT_KEY, NEEDS_KEY },
	{ OPT_PIN_SOURCE, NEEDS_KEY },
	{ OPT_INSECURE_FILE_MODE, NEEDS_KEY },
	{ OPT_FOR, ON(CONFIG_ENCRYPT) },
	{ OPT_SERVED_NAME, ON(CONFIG_SIGN) | READS },
	{ OPT_DIGEST, SIGNS },
	{ OPT_TIMESTAMP, SIGNS },
	{ OPT_REPRODUCIBLE, SIGNS },
	{ OPT_STYLE, SIGNS },
	{ OPT_NAME_SEPARATOR, SIGNS },
	{ OPT_ALLOW_WEAK_KEYS, SIGNS },
	{ OPT_SKIP_UNCHANGED, SIGNS },
	{ OPT_RESULTS, WRITES },
	{ OPT_OVERWRITE, WRITES },
	{ OPT_KEEP, WRITES },
	{ OPT_SAST_TRUST, READS },
};

static enum status read_action(struct config_run *r, struct tlv_err *e)
{
	const char *word = r->o->args[0];
	const struct action_row *row = NULL;

	for (size_t i = 0; i < COUNT(actions) && row == NULL; i++)
		if (strcmp(actions[i].name, word) == 0)
			row = &actions[i];
	if (row == NULL)
		return err_set(e, ST_USAGE,
			       "config: '%s': must be sign, verify, strip, encrypt or decrypt",
			       word);
	r->c.action = row->action;
	for (size_t i = 0; i < r->o->n; i++)
		for (size_t j = 0; j < COUNT(limits); j++)
			if (r->o->items[i].row->id == limits[j].id &&
			    (limits[j].on & ON(row->action)) == 0)
				return err_set(e, ST_USAGE, "option '--%s' is not for 'config %s'",
					       r->o->items[i].row->name, row->name);
	return ST_OK;
}

/* Without --overwrite a result replaces nothing that another file of the run could be. */
static enum status note_inputs(struct config_run *r, struct tlv_err *e)
{
	struct names all = r->names;
	enum status st = ST_OK;
	char *path;

	if (!r->c.publish.overwrite || all.total == 0)
		return ST_OK;
	r->c.inputs.list = calloc(all.total, sizeof *r->c.inputs.list);
	if (r->c.inputs.list == NULL)
		return err_nomem(e);
	while ((path = names_next(&all, &st)) != NULL) {
		inputs_add(&r->c.inputs, path);
		free(path);
	}
	inputs_sort(&r->c.inputs);
	return st == ST_OK ? ST_OK : err_nomem(e);
}

static enum status read_names(struct config_run *r, struct tlv_err *e)
{
	const char *from = opt_value(r->o, OPT_FILES_FROM), *pin = r->tok.pin_source;
	enum status st;

	if (from == NULL && r->o->nargs < 2)
		return err_set(e, ST_USAGE,
			       "config: a file is missing: name it, or say --files-from");
	if (from == NULL && opt_given(r->o, OPT_NUL_NAMES))
		return err_set(e, ST_USAGE, "option '--null' goes with --files-from only");
	if (from != NULL && strcmp(from, "-") == 0 && pin != NULL && strcmp(pin, "fd:0") == 0)
		return err_set(e, ST_USAGE,
			       "'--files-from -' and '--pin-source fd:0' both read standard input");
	st = names_open(&r->names, r->o->args + 1, r->o->nargs - 1, from,
			opt_given(r->o, OPT_NUL_NAMES), e);
	if (st == ST_OK && r->c.filename != NULL && r->names.total != 1)
		st = err_set(e, ST_USAGE, "option '--filename' is for one file, not for %zu",
			     r->names.total);
	if (st == ST_OK && r->names.total == 0)
		msg_warn("%s: names no file, so nothing is done", from);
	return st == ST_OK ? note_inputs(r, e) : st;
}

static enum status read_folders(struct config_run *r, struct tlv_err *e)
{
	const char *root = opt_value(r->o, OPT_ROOT), *filename = opt_value(r->o, OPT_SERVED_NAME);
	struct stat st;

	r->c.dir = opt_value(r->o, OPT_RESULTS);
	r->c.filename = filename;
	if (filename != NULL && (root != NULL || *filename == '\0'))
		return err_set(e, ST_USAGE, "option '--filename': %s",
			       root != NULL ? "contradicts --root" : "it is empty");
	if (config_signs(r->c.action) && opt_plain(r->o, OPT_SERVED_NAME, e) != ST_OK)
		return ST_USAGE;
	if (r->c.dir != NULL && stat(r->c.dir, &st) != 0)
		return err_set(e, ST_OUTPUT, "%s: the folder of '-o' cannot be used: %s%s",
			       r->c.dir, strerror(errno), errno == ENOENT ? ": make it first" : "");
	if (r->c.dir != NULL && !S_ISDIR(st.st_mode))
		return err_set(
			e, ST_OUTPUT,
			"%s: is no folder: '-o' names the one that the results are written into",
			r->c.dir);
	if (root == NULL)
		return ST_OK;
	r->c.root = r->root = realpath(root, NULL);
	if (r->root == NULL && errno == ENOMEM)
		return err_nomem(e);
	return r->root != NULL ? ST_OK : err_set(e, ST_INPUT, "%s: %s", root, strerror(errno));
}

static enum status read_vouchers(struct config_run *r, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < r->o->n && st == ST_OK; i++) {
		const struct opt_item *item = &r->o->items[i];

		if (item->row->id == OPT_CONFIG_TRUST)
			st = config_trust_list(&r->c.trust, item->value, e);
		else if (item->row->id == OPT_SAST_TRUST)
			st = certset_add_folder(&r->c.trust.vouched, item->value, &msg_warnings, e);
	}
	return st;
}

/*
 * A token's certificate is fetched by a process of its own, which is started
 * first. All that only verifies is done behind the sandbox from here on.
 */
static enum status read_cert(struct config_run *r, struct tlv_err *e)
{
	const char *cert = config_signs(r->c.action) ? NULL : opt_value(r->o, OPT_SIGNER_CERT);
	bool verifies = r->c.action == CONFIG_VERIFY, at_token = cert != NULL && tok_is_uri(cert);
	enum status st = ST_OK;

	if (cert != NULL && opt_given(r->o, OPT_CONFIG_TRUST))
		return err_set(e, ST_USAGE, "'--cert' and '--trust' contradict each other");
	if (cert != NULL && opt_given(r->o, OPT_SAST_TRUST))
		return err_set(e, ST_USAGE, "'--cert' and '--sast-trust' contradict each other");
	if (verifies && !at_token)
		common_read_only();
	if (cert != NULL)
		st = config_trust_cert(&r->c.trust, cert, &r->tok, e);
	if (verifies && at_token)
		common_read_only();
	return st;
}

static enum status read_trust(struct config_run *r, struct tlv_err *e)
{
	enum status st = read_vouchers(r, e);

	if (st == ST_OK && r->c.action == CONFIG_VERIFY && !config_trust_any(&r->c.trust))
		st = err_set(
			e, ST_USAGE,
			"who may sign? name the signer's certificate with --cert, or a list that phones hold with --trust");
	return st;
}

static enum status read_dialect(struct config_run *r, struct tlv_dialect *d, struct tlv_err *e)
{
	const char *style = opt_value(r->o, OPT_STYLE), *sep = opt_value(r->o, OPT_NAME_SEPARATOR);

	*d = (struct tlv_dialect){ .style = TLV_STYLE_CUCM, .separator = ',' };
	if ((style != NULL || sep != NULL) && opt_given(r->o, OPT_CONFIG_TRUST))
		return err_set(
			e, ST_USAGE,
			"'--%s' and '--trust' contradict each other: the names are those of the list's record",
			style != NULL ? "style" : "name-separator");
	if (style != NULL)
		(void)tlv_style_by_text(style, &d->style);
	d->separator = ',';
	if (sep != NULL)
		d->separator = *sep;
	return ST_OK;
}

static enum status read_digest(struct config_run *r, struct tlv_err *e)
{
	const char *text = opt_value(r->o, OPT_DIGEST);
	const struct tlv_digest_row *row = tlv_digest_by_text(text != NULL ? text : "sha1");

	if (row == NULL)
		return err_set(e, ST_BUG, "options.def lists a digest that is none");
	r->c.digest = (enum tlv_digest)row->code;
	return ST_OK;
}

static enum status open_key(struct config_run *r, struct tlv_err *e)
{
	struct key_options k = { .key = opt_value(r->o, OPT_KEY),
				 .cert = opt_value(r->o, OPT_SIGNER_CERT),
				 .tok = r->tok,
				 .allow_weak = opt_given(r->o, OPT_ALLOW_WEAK_KEYS) };

	if (k.key == NULL)
		return err_set(e, ST_USAGE, "no key to sign with: name it with -k");
	return key_open(&r->c.key, &k, e);
}

/* The phone's own, to which the files were encrypted. */
static enum status open_phone_key(struct config_run *r, struct tlv_err *e)
{
	struct key_options k = { .key = opt_value(r->o, OPT_KEY), .tok = r->tok };

	if (k.key == NULL)
		return err_set(e, ST_USAGE, "no key to decrypt with: name the phone's with -k");
	return key_open_private(&r->c.key, &k, e);
}

static enum status read_phones(struct config_run *r, struct tlv_err *e)
{
	const char *phones = opt_value(r->o, OPT_FOR);
	struct stat st;

	if (r->c.action != CONFIG_ENCRYPT)
		return ST_OK;
	if (phones == NULL)
		return err_set(
			e, ST_USAGE,
			"for which phone? name its certificate with --for, or a folder of SEP<MAC>.pem, .der or .crt");
	if (companion_load(e) != ST_OK)
		return e->status;
	r->c.phones = phones;
	r->c.phones_folder = stat(phones, &st) == 0 && S_ISDIR(st.st_mode);
	return r->c.phones_folder ? ST_OK :
				    cert_load(&r->c.phone, phones, &r->tok, &msg_warnings, e);
}

/* What only some of the phones that hold the lists can read. */
static void warn_phones(const struct config_run *r)
{
	const struct config_trust *t = &r->c.trust;

	deliver_warn_digest(r->c.digest);
	for (size_t i = 0; i < t->nlists; i++) {
		const struct tlv_list *l = &t->lists[i].list;
		const struct tlv_header *h = &l->header;
		bool is_1_1 = tlv_header_has(h, TLV_H_SIGNER_VERSION) &&
			      (h->signer_version[0] > 1 || h->signer_version[1] >= 1);

		deliver_warn_ec(
			l, is_1_1,
			"a TFTP server's certificate in the list has an EC key: build the list again with '--signer-version 1.1'");
	}
}

/* Everything that can be said before a PIN is asked for. */
static enum status prepare_signer(struct config_run *r, struct tlv_err *e)
{
	struct tlv_dialect dialect;
	enum status st = read_dialect(r, &dialect, e);

	if (st == ST_OK)
		st = read_phones(r, e);
	r->c.timestamp = (uint32_t)env_now();
	r->c.has_timestamp = opt_given(r->o, OPT_TIMESTAMP) || opt_given(r->o, OPT_REPRODUCIBLE);
	if (st == ST_OK)
		st = read_digest(r, e);
	if (st == ST_OK)
		st = deliver_timestamp(r->o, &r->c.timestamp, e);
	if (st == ST_OK)
		st = open_key(r, e);
	if (st == ST_OK)
		st = config_signer(&r->c, &dialect, &r->record, e);
	if (st == ST_OK)
		st = deliver_check_time(buf_span(&key_cert(r->c.key)->der), r->c.timestamp, NULL,
					e);
	if (st == ST_OK)
		warn_phones(r);
	return st;
}

/* The number that was asked for, or that of the processors; never more than there are files. */
static enum status read_jobs(struct config_run *r, struct tlv_err *e)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t n = cpus > JOBS_DEFAULT_MAX ? JOBS_DEFAULT_MAX : cpus < 1 ? 1 : (uint64_t)cpus;
	enum status st = opt_number(r->o, OPT_JOBS, BATCH_JOBS_MAX, &n, e);

	if (st == ST_OK && n == 0)
		st = err_set(e, ST_USAGE, "option '--jobs': must be at least 1");
	r->jobs =
		n < r->names.total || r->names.total == 0 ? (unsigned)n : (unsigned)r->names.total;
	r->tok.sessions = r->jobs;
	return st;
}

enum status config_read_options(struct config_run *r, struct tlv_err *e)
{
	enum status st = read_action(r, e);

	r->c.skip_unchanged = opt_given(r->o, OPT_SKIP_UNCHANGED);
	r->c.weak_keys = opt_given(r->o, OPT_ALLOW_WEAK_KEYS);
	if (st == ST_OK)
		st = common_publish_options(r->o,
					    config_signs(r->c.action) ? KIND_SIGNED : KIND_OTHER,
					    &r->c.publish, e);
	if (st == ST_OK)
		st = common_token_options(r->o, &r->tok, e);
	if (st == ST_OK)
		st = read_cert(r, e);
	if (st == ST_OK)
		st = read_folders(r, e);
	if (st == ST_OK)
		st = read_names(r, e);
	if (st == ST_OK)
		st = read_jobs(r, e);
	if (st == ST_OK)
		st = read_trust(r, e);
	/* The file was encrypted, so only its owner may read the result. */
	r->c.publish.secret = r->c.action == CONFIG_DECRYPT;
	if (st == ST_OK && r->c.action == CONFIG_DECRYPT)
		st = open_phone_key(r, e);
	return st == ST_OK && config_signs(r->c.action) ? prepare_signer(r, e) : st;
}
