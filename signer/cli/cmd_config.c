/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signer/config/batch.h"
#include "signer/config/config.h"
#include "signer/cli/deliver.h"
#include "signer/io/env.h"
#include "signer/cli/names.h"
#include "signer/io/out.h"
#include "signer/cli/verb.h"
#include "signer/crypto/certfile.h"
#include "signer/trust/accept.h"
#include "tlv/text.h"

enum { JOBS_DEFAULT_MAX = 4, BAR_WIDTH = 24, BAR_EVERY_MS = 100 };

/* What became of a file, and how many there are of each. */
enum outcome {
	SIGNED,
	ENCRYPTED,
	UNCHANGED,
	GOOD,
	STRIPPED,
	DECRYPTED,
	UNVERIFIED,
	BAD,
	FAILED,
	OUTCOMES
};

static const char *const outcome_texts[OUTCOMES] = { "signed",	   "encrypted", "unchanged",
						     "good",	   "stripped",	"decrypted",
						     "unverified", "bad",	"failed" };

struct config_run {
	const struct opts *o;
	struct config c;
	struct tok_options tok;
	struct names names;
	struct batch *batch;
	struct config_file *files; /* by slot */
	struct buf record;	   /* whose names the header has */
	char *root;		   /* owned */
	void *results;		   /* tsearch tree */
	size_t counts[OUTCOMES], done;
	unsigned jobs;
	bool token, nomem; /* a file failed of that */
	bool bar, lines, json;
	bool asks_tvs;	      /* a file is good if the phone asks TVS */
	int64_t began, drawn; /* ms */
};

static const struct action_row {
	const char *name;
	enum config_action action;
} actions[] = {
	{ "sign", CONFIG_SIGN },       { "verify", CONFIG_VERIFY },   { "strip", CONFIG_STRIP },
	{ "encrypt", CONFIG_ENCRYPT }, { "decrypt", CONFIG_DECRYPT },
};

#define ON(action) (1U << (unsigned)(action))
#define SIGNS (ON(CONFIG_SIGN) | ON(CONFIG_ENCRYPT))
#define STRIPS (ON(CONFIG_STRIP) | ON(CONFIG_DECRYPT))
#define WRITES (SIGNS | STRIPS)
#define READS (ON(CONFIG_VERIFY) | STRIPS)

/* Options that only some actions have. */
static const struct {
	enum opt_id id;
	unsigned on;
} limits[] = {
	{ OPT_KEY, SIGNS | ON(CONFIG_DECRYPT) },
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
	return st;
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
	if (r->c.dir != NULL && (stat(r->c.dir, &st) != 0 || !S_ISDIR(st.st_mode)))
		return err_set(e, ST_OUTPUT, "%s: is no folder", r->c.dir);
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
	if (style != NULL && opt_given(r->o, OPT_CONFIG_TRUST))
		return err_set(
			e, ST_USAGE,
			"'--style' and '--trust' contradict each other: the names are those of the list's record");
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
			span_slice(l->bytes, h->raw.n, l->bytes.n), is_1_1,
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

/* As many as were asked for, or as there are processors; no more than files. */
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

static enum status read_options(struct config_run *r, struct tlv_err *e)
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
	/* What was worth encrypting is nobody else's to read. */
	r->c.publish.secret = r->c.action == CONFIG_DECRYPT;
	if (st == ST_OK && r->c.action == CONFIG_DECRYPT)
		st = open_phone_key(r, e);
	return st == ST_OK && config_signs(r->c.action) ? prepare_signer(r, e) : st;
}

/* A result, by where it goes, and the file that it is made of. */
struct result {
	char *key; /* owned */
	dev_t dev;
	ino_t ino;
	bool told; /* that its file is named twice */
};

static int by_key(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void result_free(void *p)
{
	struct result *result = p;

	free(result->key);
	free(result);
}

/* However the file's folder is named, its result beside it is the same. */
static void put_key(const struct config_run *r, struct config_file *f, struct buf *key)
{
	const char *path = buf_cstr(&f->output), *name = base_name(path);
	char *folder = name > path ? strndup(path, (size_t)(name - path)) : strdup(".");
	struct stat st;

	if (r->c.dir == NULL && folder != NULL && stat(folder, &st) == 0)
		buf_printf(key, "%llu:%llu/%s", (unsigned long long)st.st_dev,
			   (unsigned long long)st.st_ino, name);
	else
		buf_str(key, path);
	free(folder);
}

static struct result *result_of(const struct config_run *r, struct config_file *f)
{
	struct result *result = calloc(1, sizeof *result);
	struct buf key = BUF_INIT;
	struct stat st;

	put_key(r, f, &key);
	if (result != NULL && buf_failed(&key, NULL) == ST_OK)
		result->key = span_dup(buf_span(&key));
	buf_free(&key);
	if (result == NULL || result->key == NULL) {
		free(result);
		return NULL;
	}
	if (stat(f->path, &st) == 0) {
		result->dev = st.st_dev;
		result->ino = st.st_ino;
	}
	return result;
}

/* The same file once more counts once; other files of one name would end up as one result. */
static bool is_named_twice(struct config_run *r, struct config_file *f)
{
	struct result *result, **found;
	bool twice = false;

	if (f->err.status != ST_OK || r->c.action == CONFIG_VERIFY)
		return false;
	result = result_of(r, f);
	found = result != NULL ? tsearch(result, &r->results, by_key) : NULL;
	if (found == NULL)
		(void)err_nomem(&f->err);
	if (found != NULL && *found == result)
		return false;
	if (found != NULL && (*found)->dev == result->dev && (*found)->ino == result->ino) {
		twice = true;
		if (!(*found)->told)
			msg_warn("%s: is named twice: it is done once", f->path);
		(*found)->told = true;
	} else if (found != NULL) {
		(void)err_set(
			&f->err, ST_INPUT,
			"%s: its result would be '%s', which is another file's: give them other names, or different folders with --root",
			f->path, buf_cstr(&f->output));
	}
	if (result != NULL)
		result_free(result);
	return twice;
}

static bool feed(void *arg, size_t slot)
{
	struct config_run *r = arg;
	struct config_file *f = &r->files[slot];
	enum status st = ST_OK;

	for (;;) {
		if (batch_signal() != 0 || atomic_load(&r->c.token_failed) || err_nomem_seen())
			return false;
		f->path = names_next(&r->names, &st);
		r->nomem = r->nomem || st != ST_OK;
		if (f->path == NULL)
			return false;
		config_name(&r->c, f);
		if (!is_named_twice(r, f))
			return true;
		config_file_free(f);
		r->names.total--;
	}
}

static void prepare(void *arg, size_t slot)
{
	struct config_run *r = arg;

	config_prepare(&r->c, &r->files[slot]);
}

static void sign(void *arg, size_t slot)
{
	struct config_run *r = arg;

	config_sign(&r->c, &r->files[slot]);
}

static void finish(void *arg, size_t slot)
{
	struct config_run *r = arg;

	config_finish(&r->c, &r->files[slot]);
}

/* The companion first: a phone that finds it alone asks for the other one, and again. */
static size_t add_items(struct publish_item *items, size_t count, struct config_file *f)
{
	if (f->companion != NULL && f->companion->publication != NULL)
		items[count++] =
			(struct publish_item){ .p = f->companion->publication, .e = &f->err };
	items[count] = (struct publish_item){ .p = f->publication,
					      .e = &f->err,
					      .pair = f->companion != NULL };
	return count + 1;
}

static void commit(void *arg, size_t first, size_t n)
{
	struct config_run *r = arg;
	struct publish_item items[2 * BATCH_GROUP];
	size_t count = 0, slots = batch_slots(r->batch);

	for (size_t i = first; i < first + n; i++) {
		struct config_file *f = &r->files[i % slots];

		if (f->publication != NULL && f->err.status == ST_OK)
			count = add_items(items, count, f);
	}
	publish_commit_group(items, count);
	for (size_t i = first; i < first + n; i++) {
		struct config_file *f = &r->files[i % slots];

		publish_free(&f->publication);
		if (f->companion != NULL)
			publish_free(&f->companion->publication);
	}
}

static enum outcome outcome_of(const struct config_run *r, const struct config_file *f)
{
	static const enum outcome done[] = {
		[CONFIG_SIGN] = SIGNED,	      [CONFIG_VERIFY] = GOOD,
		[CONFIG_STRIP] = STRIPPED,    [CONFIG_ENCRYPT] = ENCRYPTED,
		[CONFIG_DECRYPT] = DECRYPTED,
	};

	if (f->err.status == ST_NO)
		return BAD;
	if (f->err.status != ST_OK)
		return FAILED;
	if (f->firmware)
		return UNVERIFIED;
	return f->unchanged ? UNCHANGED : done[r->c.action];
}

/* A path as it is, but for what a terminal would obey. */
static void put_path(const char *path)
{
	out_safe(span_str(path));
	out_printf(": ");
}

/* What a signature is worth: the end of the line of verify and strip. */
static void print_worth(const struct config_file *f)
{
	if (!f->verified) {
		out_printf("not verified%s", f->firmware ? ": firmware" : "");
		return;
	}
	out_printf("good signature by ");
	out_safe(buf_span(&f->signer));
	if (!f->asks_tvs)
		return;
	out_printf(" (through TVS%s", f->assumes.n > 0 ? "; assumes " : "");
	out_safe(buf_span(&f->assumes));
	out_printf(")");
}

static bool names_output(enum outcome what)
{
	return what != GOOD && what != UNVERIFIED && what != BAD && what != FAILED;
}

static void print_line(struct config_file *f, enum outcome what)
{
	put_path(names_output(what) ? buf_cstr(&f->output) : f->path);
	if (what == STRIPPED || what == DECRYPTED)
		out_printf("%llu byte%s%s, ", (unsigned long long)f->size, plural(f->size),
			   f->encrypted && what == STRIPPED ? ", encrypted" : "");
	if (what == BAD) {
		out_printf("BAD signature: ");
		out_safe(span_str(err_text(&f->err)));
	} else if (what == SIGNED || what == ENCRYPTED || what == UNCHANGED) {
		out_printf("%s", outcome_texts[what]);
	} else {
		print_worth(f);
	}
	out_printf("\n");
}

static json_t *assumptions(const struct config_file *f)
{
	json_t *list = json_array();

	for (int i = 0; i < TVS_ASSUMPTIONS; i++)
		if ((f->assumptions >> i & 1U) != 0)
			(void)json_array_append_new(
				list, json_string(accept_assumption((enum tvs_assumption)i)->word));
	return list;
}

static void print_json(const struct config_run *r, struct config_file *f, enum outcome what)
{
	json_t *o = json_object();

	out_json_set_text(o, "file", span_str(f->path));
	if (f->output.n > 0)
		out_json_set_text(o, "output", buf_span(&f->output));
	if (f->companion != NULL)
		out_json_set_text(o, "companion", buf_span(&f->companion->output));
	out_json_set_text(o, "filename", buf_span(&f->filename));
	(void)json_object_set_new(o, "status", json_string(outcome_texts[what]));
	(void)json_object_set_new(o, "verified", json_boolean(f->verified));
	(void)json_object_set_new(o, "encrypted", json_boolean(f->encrypted));
	(void)json_object_set_new(o, "tvs", json_boolean(f->asks_tvs));
	(void)json_object_set_new(o, "assumptions", assumptions(f));
	if (f->signer.n > 0)
		out_json_set_text(o, "signer", buf_span(&f->signer));
	if (what != FAILED && what != BAD)
		(void)json_object_set_new(o, "bytes", json_integer((json_int_t)f->size));
	if (f->err.status != ST_OK)
		out_json_set_text(o, "error", span_str(err_text(&f->err)));
	if (r->done > 0)
		out_printf(",\n");
	(void)out_json_part(o, NULL);
}

/* What did not change is no news for --quiet. */
static bool has_line(const struct config_run *r, enum outcome what)
{
	if (what == FAILED || (what == UNCHANGED && opt_given(r->o, OPT_QUIET)))
		return false;
	return r->lines || what == BAD;
}

static void report(void *arg, size_t slot)
{
	struct config_run *r = arg;
	struct config_file *f = &r->files[slot];
	enum outcome what;

	/* Out of memory a good signature may look bad. */
	if (f->err.status != ST_OK && err_nomem_seen()) {
		f->err = TLV_ERR_INIT;
		(void)err_nomem(&f->err);
		(void)err_in(&f->err, "%s", f->path);
	}
	what = outcome_of(r, f);
	/* What a signal or a dead token kept from being tried has not failed. */
	if (!f->dropped) {
		r->counts[what]++;
		r->token = r->token || f->err.status == ST_TOKEN;
		r->nomem = r->nomem || f->err.status == ST_NOMEM;
		r->asks_tvs = r->asks_tvs || (f->asks_tvs && f->verified);
		if (what == FAILED)
			msg_error(&f->err);
		if (r->json)
			print_json(r, f, what);
		else if (has_line(r, what))
			print_line(f, what);
		r->done++;
	}
	config_file_free(f);
}

static void draw_bar(void *arg)
{
	struct config_run *r = arg;
	int64_t now = env_ticks_ms();
	char text[160];
	double seconds, rate, left;
	int filled;

	if (!r->bar || now - r->drawn < BAR_EVERY_MS || r->names.total == 0)
		return;
	r->drawn = now;
	seconds = (double)(now - r->began) / 1000;
	rate = seconds > 0 ? (double)r->done / seconds : 0;
	left = rate > 0 ? (double)(r->names.total - r->done) / rate : 0;
	filled = (int)(r->done * BAR_WIDTH / r->names.total);
	(void)snprintf(text, sizeof text, "[%.*s%*s] %zu of %zu files, %.0f a second, %.0f s left",
		       filled, "########################", BAR_WIDTH - filled, "", r->done,
		       r->names.total, rate, left);
	msg_progress(text);
}

static void print_summary(const struct config_run *r)
{
	struct buf b = BUF_INIT;
	double seconds = (double)(env_ticks_ms() - r->began) / 1000;

	buf_printf(&b, "%zu of %zu file%s", r->done, r->names.total, plural(r->names.total));
	for (size_t i = 0; i < OUTCOMES; i++)
		if (r->counts[i] > 0)
			buf_printf(&b, ", %zu %s", r->counts[i], outcome_texts[i]);
	buf_printf(&b, " in %.1f s", seconds);
	msg_note("%s", buf_cstr(&b));
	buf_free(&b);
}

static void print_json_begin(void)
{
	out_json_begin();
	out_printf("\"files\": [\n");
}

/* The counts behind the files. */
static void end_json(const struct config_run *r)
{
	out_printf("],\n\"counts\": {");
	for (size_t i = 0; i < OUTCOMES; i++)
		out_printf("%s\"%s\": %zu", i == 0 ? "" : ", ", outcome_texts[i], r->counts[i]);
	out_printf("}}\n");
}

/* At a token one more waits, so that each session goes from one signature to the next. */
static unsigned signers(const struct config_run *r)
{
	return r->c.key != NULL && key_token(r->c.key) != NULL ? r->jobs + 1 : r->jobs;
}

static enum status begin_batch(struct config_run *r, struct tlv_err *e)
{
	bool signs = config_signs(r->c.action);
	/* Nothing is held back for a group if nothing is written. */
	const struct batch_ops ops = { .feed = feed,
				       .prepare = prepare,
				       .sign = signs ? sign : NULL,
				       .finish = signs ? finish : NULL,
				       .commit = r->c.action == CONFIG_VERIFY ? NULL : commit,
				       .report = report,
				       .idle = draw_bar };
	enum status st = publish_group_new(&r->c.group, r->c.dir, e);

	if (st == ST_OK)
		st = batch_new(&r->batch, &ops, r, r->jobs, signers(r), e);
	if (st != ST_OK)
		return st;
	r->files = calloc(batch_slots(r->batch), sizeof *r->files);
	return r->files != NULL ? ST_OK : err_nomem(e);
}

/* What an assumption rests on, once for all files. */
static void print_fact(const struct config_run *r)
{
	struct buf b = BUF_INIT;

	if (!r->asks_tvs)
		return;
	fact_put(&b, FACT_FILES_ASK_TVS);
	msg_note("%s", buf_cstr(&b));
	buf_free(&b);
}

static enum status run_batch(struct config_run *r, struct tlv_err *e)
{
	bool many = r->names.total > 1, seen = msg_can_draw();
	enum status st;

	r->json = opt_given(r->o, OPT_JSON);
	r->bar = many && seen;
	r->lines = !(r->bar && out_is_terminal());
	r->began = r->drawn = env_ticks_ms();
	if (r->json)
		print_json_begin();
	batch_catch_signals();
	st = batch_run(r->batch, e);
	msg_progress(NULL);
	if (r->json)
		end_json(r);
	if (many && st == ST_OK)
		print_summary(r);
	print_fact(r);
	return st;
}

/* 8 if the token failed, else 3 if a file failed; 1 if all were read and any is not good. */
static enum status verdict(const struct config_run *r)
{
	if (r->token)
		return ST_TOKEN;
	if (r->nomem)
		return ST_NOMEM;
	if (r->counts[FAILED] > 0)
		return ST_INPUT;
	return r->counts[BAD] + r->counts[UNVERIFIED] > 0 ? ST_NO : ST_OK;
}

static void free_run(struct config_run *r)
{
	batch_free(&r->batch);
	free(r->files);
	publish_group_free(&r->c.group);
	key_free(&r->c.key);
	cert_free(&r->c.phone);
	config_trust_free(&r->c.trust);
	names_free(&r->names);
	buf_free(&r->record);
	tdestroy(r->results, result_free);
	free(r->root);
}

enum status cmd_config(const struct opts *o, struct tlv_err *e)
{
	struct config_run r = { .o = o };
	enum status st = read_options(&r, e);

	if (st == ST_OK)
		st = begin_batch(&r, e);
	if (st == ST_OK && config_signs(r.c.action) && r.names.total > 0)
		st = key_login(r.c.key, e);
	if (st == ST_OK)
		st = run_batch(&r, e);
	if (st == ST_OK)
		st = verdict(&r);
	free_run(&r);
	if (batch_signal() != 0) {
		(void)out_flush(NULL);
		batch_end_by_signal();
	}
	return st;
}
