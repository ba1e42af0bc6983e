/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "signer/crypto/certfile.h"
#include "signer/cli/migration.h"
#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/crypto/proof.h"
#include "signer/trust/clean.h"
#include "signer/cli/verb.h"
#include "tlv/kind.h"

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

/* TVS will know what the plan has uploaded: the new anchors. */
static enum status read_tvs(struct migration *m, struct tlv_err *e)
{
	enum status st = common_tvs_options(m->o, &m->tvs, &m->vouched, &m->tvs_ctl, e);

	m->tvs.release = &m->release;
	for (size_t i = 0; i < m->parts[PART_FINAL].records.entries.n && st == ST_OK; i++) {
		const struct entry *x = &m->parts[PART_FINAL].records.entries.v[i];

		if (x->role == TLV_ROLE_SAST && x->cert.der.n > 0)
			st = certset_add(&m->vouched, buf_span(&x->cert.der), NULL, e);
	}
	return st;
}

static enum status show_and_ask(struct migration *m, struct tlv_err *e)
{
	const struct tlv_list *known[2] = { &m->old.list, m->held };
	const struct migration_part *bridge = &m->parts[PART_BRIDGE],
				    *final = &m->parts[PART_FINAL];
	struct buf text = BUF_INIT;
	enum status st =
		deliver_anchors(bridge->name != NULL ? &bridge->list : &final->list, known, e);

	deliver_warn_slips(&final->signing.findings);
	if (st == ST_OK)
		st = migration_plan(m, false, e);
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
		st = migration_compose(m, e);
	if (st == ST_OK)
		st = read_tvs(m, e);
	return st == ST_OK ? migration_check_steps(m, e) : st;
}

static void migration_free(struct migration *m)
{
	migration_parts_free(m);
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
		st = migration_sign(&m, e);
	st = believe_after_login(&m.believing, st, o->args[1], &m.old, e);
	if (st == ST_OK)
		st = migration_check_promises(&m, e);
	if (st == ST_OK)
		st = migration_write(&m, e);
	migration_free(&m);
	return st;
}
