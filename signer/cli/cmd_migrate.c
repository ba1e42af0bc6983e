/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "signer/crypto/certfile.h"
#include "signer/cli/deliver.h"
#include "signer/io/env.h"
#include "signer/io/filename.h"
#include "signer/list/migrate.h"
#include "signer/io/out.h"
#include "signer/plan/plan.h"
#include "signer/crypto/proof.h"
#include "signer/publish/tree.h"
#include "signer/trust/clean.h"
#include "signer/cli/verb.h"
#include "tlv/kind.h"

enum { BRIDGE, FINAL, WAY_BACK, LISTS };

/* One list of the folder. */
struct part {
	const char *name; /* in the folder; NULL: not made */
	struct migrate_records records;
	struct sign_spec spec;
	struct signing signing;
	struct tlv_list list; /* borrows signing */
	struct key *signer;   /* borrowed */
};

struct migration {
	const struct opts *o;
	const char *folder;
	struct tree_options tree;
	struct tok_options tok;
	struct list_file old;
	struct believing believing;
	struct release release;
	struct certset sasts, vouched;
	struct list_file tvs_ctl;
	struct phone tvs;
	const struct tlv_list *held; /* believed; what phones have now */
	struct lockout lockout;
	struct migrate_input in;
	struct key *key, *old_key; /* old_key: NULL without --old-key */
	struct early_key early[2]; /* of -k and --old-key */
	struct part parts[LISTS];
	struct plan plan;
	struct buf filename;
};

static enum status read_output(struct migration *m, struct tlv_err *e)
{
	struct publish_options opt;
	enum status st = common_publish_options(m->o, KIND_OTHER, &opt, e);

	m->tree = (struct tree_options){ .warn = opt.warn,
					 .overwrite = opt.overwrite,
					 .keep = opt.keep };
	return st;
}

static enum status read_direction(struct migration *m, struct tlv_err *e)
{
	const char *word = m->o->args[0];

	if (strcmp(word, "to-tokens") == 0)
		m->in.direction = MIGRATE_TO_TOKENS;
	else if (strcmp(word, "to-tokenless") == 0)
		m->in.direction = MIGRATE_TO_TOKENLESS;
	else
		return err_set(e, ST_USAGE,
			       "migrate where to? '%s' is neither to-tokens nor to-tokenless",
			       word);
	m->folder = opt_value(m->o, OPT_TREE);
	if (m->folder == NULL)
		m->folder = "migration";
	return read_output(m, e);
}

static enum status read_old(struct migration *m, struct tlv_err *e)
{
	enum status st = list_file_read(&m->old, m->o->args[1], 0, e);

	if (st != ST_OK)
		return st;
	if (tlv_list_is_itl(&m->old.list))
		return err_set(
			e, ST_INPUT,
			"%s: is an ITL: each TFTP node makes its own, a CTL is what migrates",
			m->o->args[1]);
	m->in.old = &m->old.list;
	return release_choose(opt_value(m->o, OPT_RELEASE), &m->old.list, &m->release, e);
}

static void read_style(struct migration *m)
{
	const char *style = opt_value(m->o, OPT_STYLE);

	m->in.release = &m->release;
	m->in.sasts = &m->sasts;
	m->in.one_token = opt_given(m->o, OPT_ONE_TOKEN);
	m->in.publisher = opt_value(m->o, OPT_PUBLISHER);
	m->in.dialect = tlv_list_dialect(&m->old.list);
	m->in.restyle = style != NULL;
	if (style != NULL)
		(void)tlv_style_by_text(style, &m->in.dialect.style);
}

/* "dir/SAST-X.cer" has its proof in "dir/SAST-X.proof". */
static enum status check_proof(const char *path, const struct cert *c, struct tlv_err *e)
{
	const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
	size_t stem =
		dot != NULL && (slash == NULL || dot > slash) ? (size_t)(dot - path) : strlen(path);
	struct tlv_err own = TLV_ERR_INIT;
	struct buf proof = BUF_INIT;
	int64_t when;
	enum status st = ST_INPUT;

	if (!tok_is_uri(path)) {
		buf_put(&proof, span_of(path, stem));
		buf_str(&proof, ".proof");
		st = proof_check_file(buf_cstr(&proof), &c->parts, &when, &own);
	}
	buf_free(&proof);
	if (st == ST_OK)
		return ST_OK;
	return err_set(
		e, ST_NO,
		"%s: nothing proves that a token holds its key%s%s\n  'ctlsign export --prove' writes the proof beside the certificate; --unproven-sast goes on without",
		path, err_text(&own)[0] != '\0' ? ": " : "", err_text(&own));
}

static enum status read_sast(struct migration *m, const char *arg, struct tlv_err *e)
{
	struct cert c;
	enum status st = cert_load(&c, arg, &m->tok, &msg_warnings, e);
	struct span der = buf_span(&c.der);

	if (st == ST_OK && (tlv_cert_is_token(&c.parts) || migrate_is_token(&m->in, &c)) &&
	    !opt_given(m->o, OPT_UNPROVEN_SAST) && !tlv_list_has(&m->old.list, TLV_ROLE_SAST, der))
		st = check_proof(arg, &c, e);
	if (st == ST_OK)
		st = certset_add(&m->sasts, der, NULL, e);
	cert_free(&c);
	return st;
}

static enum status read_sasts(struct migration *m, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < m->o->n && st == ST_OK; i++)
		if (m->o->items[i].row->id == OPT_SAST)
			st = read_sast(m, m->o->items[i].value, e);
	return st;
}

static struct key_options key_options(const struct migration *m, enum opt_id key, enum opt_id cert)
{
	return (struct key_options){ .key = opt_value(m->o, key),
				     .cert = opt_value(m->o, cert),
				     .tok = m->tok,
				     .allow_weak = opt_given(m->o, OPT_ALLOW_WEAK_KEYS) };
}

/* Nothing that anybody else wrote has been read so far. */
static void enter_sandbox(struct migration *m)
{
	struct key_options k = key_options(m, OPT_KEY, OPT_CERT);
	struct key_options old = key_options(m, OPT_OLD_KEY, OPT_OLD_CERT);
	struct confine c = { .output = opt_given(m->o, OPT_DRY_RUN) ? NULL : m->folder,
			     .tree = true,
			     .keys = { &m->early[0], &m->early[1] },
			     .more_tokens = confine_names_tokens(m->o) };

	early_key_open(&m->early[0], &k);
	early_key_open(&m->early[1], &old);
	confine(&c);
}

static enum status open_key(struct migration *m, enum opt_id key, enum opt_id cert,
			    struct key **out, struct tlv_err *e)
{
	struct key_options k = key_options(m, key, cert);
	struct early_key *early = &m->early[key == OPT_OLD_KEY];
	enum status st;

	/* A file that brings no certificate is taken to be the old list's signer. */
	if (key == OPT_OLD_KEY)
		return believe_open_key(&m->believing, early, out, &k, "--old-key", m->o->args[1],
					&m->old, e);
	st = early_key_take(early, out, &k, e);
	return st == ST_OK ?
		       belief_key(&m->believing.belief, "-k", key_cert(*out)->parts.public_key, e) :
		       st;
}

/* Every record of the old list is signed again: in the way back, if nowhere else. */
static enum status believe(struct migration *m, struct tlv_err *e)
{
	const char *path = m->o->args[1];
	struct clean_options opt = { .name = path,
				     .what = "nothing is signed",
				     .served = path,
				     .allow_weak = opt_given(m->o, OPT_ALLOW_WEAK_KEYS),
				     .is_old = true };
	enum status st = believe_list(&m->believing, path, &m->old, "nothing is signed", e);

	m->held = m->believing.installed_path != NULL ? &m->believing.installed.list : &m->old.list;
	return st == ST_OK ? clean_check(&m->old.list, &opt, env_now(), e) : st;
}

static enum status open_keys(struct migration *m, struct tlv_err *e)
{
	enum status st;

	if (!opt_given(m->o, OPT_KEY))
		return err_set(e, ST_USAGE, "no key to sign with: name it with -k");
	st = open_key(m, OPT_KEY, OPT_CERT, &m->key, e);
	if (st == ST_OK && opt_given(m->o, OPT_OLD_KEY))
		st = open_key(m, OPT_OLD_KEY, OPT_OLD_CERT, &m->old_key, e);
	if (st == ST_OK)
		st = believe(m, e);
	if (st != ST_OK)
		return st;
	m->in.signer = key_cert(m->key);
	if (m->old_key == NULL)
		return ST_OK;
	if (!tlv_list_has(&m->old.list, TLV_ROLE_SAST, buf_span(&key_cert(m->old_key)->der)))
		return err_set(
			e, ST_NO,
			"the key of --old-key is no SAST of %s: phones would not take the bridge",
			m->o->args[1]);
	if (key_needs_login(m->key) && key_needs_login(m->old_key) &&
	    opt_given(m->o, OPT_PIN_SOURCE))
		return err_set(
			e, ST_USAGE,
			"one '--pin-source' for two keys: a PIN belongs to one token, so each URI brings its own 'pin-source'");
	return ST_OK;
}

/* The list's bytes without a signature, to be foreseen. */
static enum status prepare_part(struct migration *m, struct part *p, uint32_t timestamp,
				struct tlv_err *e)
{
	const struct tlv_header *h = &m->old.list.header;
	const char *digest = opt_value(m->o, OPT_DIGEST);
	const struct tlv_digest_row *row =
		digest != NULL ? tlv_digest_by_text(digest) : tlv_digest_find(h->digest);
	enum status st;

	if (row == NULL) /* a list with another one has not been verified */
		return err_set(e, ST_BUG, "the present list's digest is not known");
	p->spec = (struct sign_spec){
		.records = buf_span(&p->records.bytes),
		.signer_at = p->records.signer_at,
		.digest = (enum tlv_digest)row->code,
		.filename = buf_cstr(&m->filename),
		.served = p->name,
		.weak_keys = opt_given(m->o, OPT_ALLOW_WEAK_KEYS),
		.timestamp = timestamp,
		.has_signer_version = tlv_header_has(h, TLV_H_SIGNER_VERSION),
		.signer_version = { h->signer_version[0], h->signer_version[1] },
	};
	st = deliver_check_time(buf_span(&key_cert(p->signer)->der), timestamp, &m->old.list, e);
	if (st == ST_OK)
		st = deliver_check_time(buf_span(&key_cert(p->signer)->der), timestamp, m->held, e);
	if (st == ST_OK)
		st = sign_prepare(&p->signing, &p->spec, p->signer, e);
	if (st == ST_OK && p->signing.list.n > TLV_PHONE_LIMIT && !opt_given(m->o, OPT_ALLOW_LARGE))
		st = err_set(
			e, ST_NO,
			"%zu bytes: phones do not load a list over %d bytes (--allow-large writes it all the same)",
			p->signing.list.n, TLV_PHONE_LIMIT);
	if (st == ST_OK)
		st = tlv_list_decode(&p->list, buf_span(&p->signing.list), e);
	return st == ST_OK ? ST_OK : err_in(e, "%s", p->name);
}

static enum status compose_parts(struct migration *m, struct tlv_err *e)
{
	uint32_t timestamp = 0;
	struct part *p = m->parts;
	enum status st = deliver_timestamp_again(m->o, &m->old.list, &timestamp, e);

	p[BRIDGE].name = m->old_key != NULL ? "1-bridge/CTLFile.tlv" : NULL;
	p[FINAL].name = m->old_key != NULL ? "2-final/CTLFile.tlv" : "CTLFile.tlv";
	p[WAY_BACK].name = "way-back/CTLFile.tlv";
	p[BRIDGE].signer = m->old_key;
	p[FINAL].signer = p[WAY_BACK].signer = m->key;
	buf_put(&m->filename, tlv_text(m->old.list.header.filename));
	if (st == ST_OK)
		st = migrate_final(&p[FINAL].records, &m->in, e);
	if (st == ST_OK)
		st = entries_check_kind(&p[FINAL].records.entries, buf_cstr(&m->filename), e);
	if (st == ST_OK)
		st = migrate_union(&p[WAY_BACK].records, &m->in, m->in.signer, e);
	if (st == ST_OK && m->old_key != NULL)
		st = migrate_union(&p[BRIDGE].records, &m->in, key_cert(m->old_key), e);
	for (int i = 0; i < LISTS && st == ST_OK; i++)
		if (p[i].name != NULL)
			st = prepare_part(m, &p[i], timestamp, e);
	return st;
}

/* TVS will know what the plan has uploaded: the new anchors. */
static enum status read_tvs(struct migration *m, struct tlv_err *e)
{
	enum status st = common_tvs_options(m->o, &m->tvs, &m->vouched, &m->tvs_ctl, e);

	m->tvs.release = &m->release;
	for (size_t i = 0; i < m->parts[FINAL].records.entries.n && st == ST_OK; i++) {
		const struct entry *x = &m->parts[FINAL].records.entries.v[i];

		if (x->role == TLV_ROLE_SAST && x->cert.der.n > 0)
			st = certset_add(&m->vouched, buf_span(&x->cert.der), NULL, e);
	}
	return st;
}

static struct span key_of(const struct part *p)
{
	return key_cert(p->signer)->parts.public_key;
}

/* Each step is judged for phones that hold what the step before left. */
static enum status check_steps(struct migration *m, struct tlv_err *e)
{
	const struct tlv_list *held = m->held;
	enum status st = ST_OK;

	for (int i = BRIDGE; i <= FINAL && st == ST_OK; i++) {
		if (m->parts[i].name == NULL)
			continue;
		lockout_foresee(&m->lockout, held, &m->tvs, &m->parts[i].list,
				key_of(&m->parts[i]));
		st = lockout_check(&m->lockout, e);
		held = &m->parts[i].list;
	}
	return st;
}

static enum status make_plan(struct migration *m, bool is_signed, struct tlv_err *e)
{
	struct part *bridge = &m->parts[BRIDGE];
	struct plan_input in = {
		.old_list = &m->old.list,
		.new_list = &m->parts[FINAL].list,
		.bridge = bridge->name != NULL ? &bridge->list : NULL,
		.way_back = &m->parts[WAY_BACK].list,
		.new_name = m->parts[FINAL].name,
		.bridge_name = bridge->name,
		.way_back_name = m->parts[WAY_BACK].name,
		.tvs = m->tvs,
		.release = &m->release,
		.uploads = "Phone-SAST-trust",
		.now = env_now(),
	};

	if (!is_signed) {
		in.new_key = key_of(&m->parts[FINAL]);
		in.bridge_key = bridge->name != NULL ? key_of(bridge) : SPAN_NONE;
	}
	plan_free(&m->plan);
	return plan_make(&m->plan, &in, e);
}

static enum status show_and_ask(struct migration *m, struct tlv_err *e)
{
	const struct tlv_list *known[2] = { &m->old.list, m->held };
	const struct part *bridge = &m->parts[BRIDGE], *final = &m->parts[FINAL];
	struct buf text = BUF_INIT;
	enum status st =
		deliver_anchors(bridge->name != NULL ? &bridge->list : &final->list, known, e);

	if (st == ST_OK)
		st = make_plan(m, false, e);
	if (st == ST_OK) {
		plan_text(&m->plan, &text);
		st = buf_failed(&text, e);
	}
	if (st == ST_OK && !opt_given(m->o, OPT_JSON))
		out_text(buf_span(&text));
	buf_free(&text);
	if (st == ST_OK && !opt_given(m->o, OPT_YES) && msg_can_ask() &&
	    !msg_ask("sign these lists?"))
		st = err_set(e, ST_NO, "not signed");
	return st;
}

static enum status sign_part(struct part *p, struct tlv_err *e)
{
	enum status st = sign_finish(&p->signing, p->signer, e);

	tlv_list_free(&p->list);
	if (st == ST_OK)
		st = tlv_list_decode(&p->list, buf_span(&p->signing.list), e);
	return st == ST_OK ? ST_OK : err_in(e, "%s", p->name);
}

static enum status sign_parts(struct migration *m, struct tlv_err *e)
{
	enum status st = m->old_key != NULL ? key_login(m->old_key, e) : ST_OK;

	if (st == ST_OK)
		st = key_login(m->key, e);
	for (int i = 0; i < LISTS && st == ST_OK; i++)
		if (m->parts[i].name != NULL)
			st = sign_part(&m->parts[i], e);
	return st;
}

/* What was promised before signing must be true of the signed lists: bridge, new list, way back. */
static enum status check_promises(const struct migration *m, struct tlv_err *e)
{
	const struct part *p = m->parts;
	struct phone phone = { .no_tvs = true, .ctl = &p[FINAL].list };
	enum accept_reason back = accept_decide(&phone, &p[WAY_BACK].list).reason, first, second;

	if (back != ACCEPT_SIGNER_IS_SAST)
		return err_set(e, ST_BUG, "phones with the new list would refuse the way back (%s)",
			       accept_row(back)->word);
	if (p[BRIDGE].name == NULL)
		return ST_OK;
	phone.ctl = m->held;
	first = accept_decide(&phone, &p[BRIDGE].list).reason;
	phone.ctl = &p[BRIDGE].list;
	second = accept_decide(&phone, &p[FINAL].list).reason;
	if (first == ACCEPT_SIGNER_IS_SAST && second == ACCEPT_SIGNER_IS_SAST)
		return ST_OK;
	return err_set(e, ST_BUG, "phones would refuse the bridge (%s) or what follows it (%s)",
		       accept_row(first)->word, accept_row(second)->word);
}

/* New anchors, as CUCM's certificate upload takes them. */
static enum status add_uploads(const struct migration *m, struct tree *t, struct tlv_err *e)
{
	const struct entries *es = &m->parts[FINAL].records.entries;
	struct filenames names = { .n = 0 };
	enum status st = ST_OK;

	for (size_t i = 0; i < es->n && st == ST_OK; i++) {
		struct span der = buf_span(&es->v[i].cert.der);
		struct buf cn = BUF_INIT, file = BUF_INIT, path = BUF_INIT;

		if (es->v[i].role == TLV_ROLE_SAST &&
		    !tlv_list_has(&m->old.list, TLV_ROLE_SAST, der)) {
			(void)tlv_name_cn(es->v[i].cert.parts.subject, &cn);
			st = filename_make(&names, NULL, buf_span(&cn), es->v[i].cert.parts.serial,
					   der, ".cer", &file, e);
			buf_printf(&path, "Phone-SAST-trust/%s", buf_cstr(&file));
			if (st == ST_OK)
				st = tree_add(t, buf_cstr(&path), der, e);
		}
		buf_free(&cn);
		buf_free(&file);
		buf_free(&path);
	}
	filenames_free(&names);
	return st;
}

static enum status add_plan(struct migration *m, struct tree *t, struct tlv_err *e)
{
	struct buf text = BUF_INIT, html = BUF_INIT;
	enum status st = make_plan(m, true, e);

	if (st == ST_OK) {
		plan_text(&m->plan, &text);
		st = buf_failed(&text, e);
	}
	if (st == ST_OK)
		st = plan_html(&m->plan, &html, e);
	if (st == ST_OK)
		st = tree_add(t, "plan.txt", buf_span(&text), e);
	if (st == ST_OK)
		st = tree_add(t, "plan.html", buf_span(&html), e);
	buf_free(&text);
	buf_free(&html);
	return st;
}

static enum status report_json(const struct migration *m, struct tlv_err *e)
{
	json_t *o = json_object(), *lists = json_array();

	for (int i = 0; i < LISTS; i++)
		if (m->parts[i].name != NULL)
			(void)json_array_append_new(
				lists, deliver_json(m->parts[i].name,
						    buf_span(&m->parts[i].signing.list)));
	out_json_set_text(o, "folder", span_str(m->folder));
	(void)json_object_set_new(o, "lists", lists);
	(void)json_object_set_new(o, "plan", out_json_answer(plan_json(&m->plan)));
	return out_json(o, e);
}

static enum status report(const struct migration *m, struct tlv_err *e)
{
	enum status st = ST_OK;

	if (opt_given(m->o, OPT_JSON))
		st = report_json(m, e);
	else
		out_printf("\n");
	for (int i = 0; i < LISTS && st == ST_OK && !opt_given(m->o, OPT_JSON); i++) {
		struct buf name = BUF_INIT;

		if (m->parts[i].name == NULL)
			continue;
		buf_printf(&name, "%s/%s", m->folder, m->parts[i].name);
		st = deliver_report(buf_cstr(&name), buf_span(&m->parts[i].signing.list), e);
		buf_free(&name);
	}
	return st == ST_OK ? out_flush(e) : st;
}

static enum status write_folder(struct migration *m, struct tlv_err *e)
{
	struct tree *t = NULL;
	enum status st = tree_begin(&t, m->folder, &m->tree, e);

	for (int i = 0; i < LISTS && st == ST_OK; i++)
		if (m->parts[i].name != NULL)
			st = tree_add(t, m->parts[i].name, buf_span(&m->parts[i].signing.list), e);
	if (st == ST_OK)
		st = tree_add(t, "present/CTLFile.tlv", blob_span(&m->old.file), e);
	if (st == ST_OK)
		st = add_uploads(m, t, e);
	if (st == ST_OK)
		st = add_plan(m, t, e);
	if (st == ST_OK)
		st = tree_add_sums(t, e);
	/* The folder must not be in its place when its checksums cannot be said. */
	if (st == ST_OK)
		st = report(m, e);
	if (st == ST_OK)
		st = tree_commit(t, e);
	tree_free(&t);
	return st;
}

/* Everything that needs no secret. */
static enum status prepare(struct migration *m, struct tlv_err *e)
{
	enum status st = common_token_options(m->o, &m->tok, e);

	if (st == ST_OK)
		st = read_direction(m, e);
	lockout_options(&m->lockout, m->o);
	if (st == ST_OK)
		enter_sandbox(m);
	if (st == ST_OK)
		st = read_old(m, e);
	if (st == ST_OK)
		read_style(m);
	if (st == ST_OK)
		st = tree_check(m->folder, &m->tree, e);
	if (st == ST_OK)
		st = believe_options(&m->believing, m->o, e);
	if (st == ST_OK && m->believing.no_forecast)
		st = err_set(
			e, ST_USAGE,
			"option '--installed': 'none' is for build: phones hold the list that is migrated");
	if (st == ST_OK)
		st = open_keys(m, e);
	if (st == ST_OK)
		st = read_sasts(m, e);
	if (st == ST_OK)
		st = compose_parts(m, e);
	if (st == ST_OK)
		st = read_tvs(m, e);
	return st == ST_OK ? check_steps(m, e) : st;
}

static void migration_free(struct migration *m)
{
	for (int i = 0; i < LISTS; i++) {
		tlv_list_free(&m->parts[i].list);
		signing_free(&m->parts[i].signing);
		migrate_records_free(&m->parts[i].records);
	}
	plan_free(&m->plan);
	key_free(&m->key);
	key_free(&m->old_key);
	early_key_free(&m->early[0]);
	early_key_free(&m->early[1]);
	certset_free(&m->sasts);
	certset_free(&m->vouched);
	list_file_free(&m->tvs_ctl);
	believing_free(&m->believing);
	list_file_free(&m->old);
	buf_free(&m->filename);
}

enum status cmd_migrate(const struct opts *o, struct tlv_err *e)
{
	struct migration m = { .o = o, .early = { EARLY_KEY_INIT, EARLY_KEY_INIT } };
	enum status st = prepare(&m, e);

	if (st == ST_OK)
		st = show_and_ask(&m, e);
	if (st == ST_OK)
		st = sign_parts(&m, e);
	st = believe_after_login(&m.believing, st, o->args[1], &m.old, e);
	if (st == ST_OK)
		st = check_promises(&m, e);
	if (st == ST_OK)
		st = write_folder(&m, e);
	migration_free(&m);
	return st;
}
