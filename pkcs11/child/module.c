/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child/module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11/child/registry.h"
#include "pkcs11/shared/path.h"

static const char *kit_reason(void)
{
	const char *text = p11_kit_message();

	return text == NULL ? "p11-kit gives no reason" : text;
}

static enum status add(struct tok_modules *ms, CK_FUNCTION_LIST *f, char *name,
		       struct tok_pulse *pulse, struct tlv_err *e)
{
	if (name == NULL)
		return err_nomem(e);
	ms->list[ms->n++] = (struct tok_module){ .f = f, .name = name, .pulse = pulse };
	return ST_OK;
}

static enum status load_named(struct tok_modules *ms, const char *path, struct tok_pulse *pulse,
			      struct tlv_err *e)
{
	CK_FUNCTION_LIST *f;
	char real[PATH_MAX];

	if (tok_path_check(path, real, e) != ST_OK)
		return e->status;
	tok_pulse_enter(pulse, TOK_CALL_load);
	f = p11_kit_module_load(real, 0);
	tok_pulse_leave(pulse);
	if (f == NULL)
		return err_set(e, ST_TOKEN, "module '%s' cannot be loaded: %s", path, kit_reason());
	return add(ms, f, strdup(path), pulse, e);
}

/* "softhsm2" as p11-kit names it, or libsofthsm2.so as the file is called (RFC 7512, 2.3). */
static bool named(CK_FUNCTION_LIST *f, const char *file, const char *want)
{
	char *name = p11_kit_module_get_name(f);
	const char *base = file == NULL ? NULL : strrchr(file, '/');
	size_t n = strlen(want);
	bool same = name != NULL && strcmp(name, want) == 0;

	free(name);
	if (same || file == NULL)
		return same;
	base = base == NULL ? file : base + 1;
	if (strncmp(base, want, n) != 0 && strncmp(base, "lib", 3) == 0)
		base += 3;
	return strncmp(base, want, n) == 0 && (base[n] == '\0' || strncmp(base + n, ".so", 3) == 0);
}

static bool says_yes(CK_FUNCTION_LIST *f, const char *option)
{
	char *value = p11_kit_config_option(f, option);
	bool yes = value != NULL && strcmp(value, "yes") == 0;

	free(value);
	return yes;
}

static bool is_trust_policy(CK_FUNCTION_LIST *f)
{
	return says_yes(f, "trust-policy");
}

static enum status add_registered(struct tok_modules *ms, CK_FUNCTION_LIST *f, const char *name,
				  struct tok_pulse *pulse, struct tlv_err *e)
{
	char *file = p11_kit_module_get_filename(f);

	if (is_trust_policy(f) || (name != NULL && !named(f, file, name))) {
		free(file);
		return ST_OK;
	}
	if (file == NULL) /* a remote one has no file */
		file = p11_kit_module_get_name(f);
	return add(ms, f, file, pulse, e);
}

static bool is_general(const struct tok_module *m)
{
	return m->name != NULL && strstr(m->name, "opensc") != NULL;
}

/* A vendor's own module before OpenSC's, which sees many of the same tokens less well. */
static void general_last(struct tok_modules *ms)
{
	size_t last = ms->n;

	for (size_t i = 0; i < last;) {
		struct tok_module m = ms->list[i];

		if (!is_general(&m)) {
			i++;
			continue;
		}
		last--;
		for (size_t k = i; k + 1 < ms->n; k++)
			ms->list[k] = ms->list[k + 1];
		ms->list[ms->n - 1] = m;
	}
}

/* All but those that are refused: p11-kit's own way loads every one, or none. */
static enum status load_good_ones(struct tok_modules *ms, const struct tok_registry *r,
				  const char *name, struct tok_pulse *pulse, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < r->n && st == ST_OK; i++) {
		CK_FUNCTION_LIST *f;

		tok_pulse_enter(pulse, TOK_CALL_load);
		f = p11_kit_module_load(r->paths[i], 0);
		tok_pulse_leave(pulse);
		if (f != NULL && (name == NULL || named(f, r->paths[i], name)))
			st = add(ms, f, strdup(r->paths[i]), pulse, e);
		else if (f != NULL)
			p11_kit_module_release(f);
	}
	return st;
}

static enum status load_all(struct tok_modules *ms, const char *name, struct tok_pulse *pulse,
			    struct tlv_err *e)
{
	enum status st = ST_OK;

	tok_pulse_enter(pulse, TOK_CALL_load);
	ms->registered = p11_kit_modules_load(NULL, 0);
	tok_pulse_leave(pulse);
	if (ms->registered == NULL)
		return err_set(
			e, ST_TOKEN,
			"p11-kit loads no module, because one that is marked 'critical' fails (%s); see 'p11-kit list-modules', or name a module with --module",
			kit_reason());
	for (size_t i = 0; ms->registered[i] != NULL && st == ST_OK && ms->n < TOK_MODULES_MAX; i++)
		st = add_registered(ms, ms->registered[i], name, pulse, e);
	return st;
}

static enum status load_registered(struct tok_modules *ms, const char *name,
				   struct tok_pulse *pulse, const struct tlv_warn *w,
				   struct tlv_err *e)
{
	struct tok_registry r;
	enum status st;

	tok_registry_check(&r, w);
	st = r.refused == 0 ? load_all(ms, name, pulse, e) : load_good_ones(ms, &r, name, pulse, e);
	tok_registry_free(&r);
	general_last(ms);
	if (st == ST_OK && ms->n == 0 && name != NULL)
		st = err_set(e, ST_NO_MATCH,
			     "p11-kit has no module named '%s'; see 'p11-kit list-modules'", name);
	return st;
}

enum status tok_modules_load(struct tok_modules *ms, const char *path, const char *name,
			     struct tok_pulse *pulse, const struct tlv_warn *w, struct tlv_err *e)
{
	p11_kit_be_quiet(); /* it would print by itself; its words are in the message */
	ms->list = calloc(TOK_MODULES_MAX, sizeof *ms->list);
	if (ms->list == NULL)
		return err_nomem(e);
	ms->named = path != NULL;
	if (path != NULL)
		return load_named(ms, path, pulse, e);
	return load_registered(ms, name, pulse, w, e);
}

void tok_modules_free(struct tok_modules *ms)
{
	for (size_t i = 0; i < ms->n; i++) {
		(void)tok_c_finalize(&ms->list[i]);
		if (ms->registered == NULL)
			p11_kit_module_release(ms->list[i].f);
		free(ms->list[i].name);
	}
	if (ms->registered != NULL)
		p11_kit_modules_release(ms->registered);
	free(ms->list);
	*ms = TOK_MODULES_INIT;
}

bool tok_module_logs(const struct tok_module *m)
{
	return says_yes(m->f, "log-calls") || says_yes(NULL, "log-calls") ||
	       strstr(m->name, "pkcs11-spy") != NULL;
}
