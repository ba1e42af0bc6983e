/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child/registry.h"

#include <dirent.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkcs11/shared/env.h"
#include "pkcs11/shared/path.h"

/* As p11-kit was built, in the order in which it reads them. */
const char *tok_registry_folders[TOK_REGISTRY_FOLDERS] = { TOK_MODULE_CONFIGS,
							   TOK_SYSTEM_MODULE_CONFIGS };

static const char ending[] = ".module";

static int is_module_file(const struct dirent *d)
{
	size_t n = strlen(d->d_name), m = sizeof ending - 1;

	return n > m && strcmp(d->d_name + n - m, ending) == 0;
}

static bool is_loaded(CK_FUNCTION_LIST **loaded, const char *file)
{
	size_t n = strlen(file) - (sizeof ending - 1);
	bool found = false;

	for (size_t i = 0; loaded[i] != NULL && !found; i++) {
		char *name = p11_kit_module_get_name(loaded[i]);

		found = name != NULL && strlen(name) == n && strncmp(name, file, n) == 0;
		free(name);
	}
	return found;
}

static bool is_for_all(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[1024];
	bool all = f != NULL;

	while (all && fgets(line, sizeof line, f) != NULL)
		all = strncmp(line, "enable-in:", 10) != 0 && strncmp(line, "disable-in:", 11) != 0;
	if (f != NULL)
		(void)fclose(f);
	return all;
}

void tok_registry_unloaded(CK_FUNCTION_LIST **loaded, void (*fn)(void *arg, const char *file),
			   void *arg)
{
	for (size_t i = 0; i < TOK_REGISTRY_FOLDERS; i++) {
		struct dirent **list;
		int n = scandir(tok_registry_folders[i], &list, is_module_file, alphasort);

		for (int k = 0; k < n; k++) {
			char path[PATH_MAX];

			(void)snprintf(path, sizeof path, "%s/%s", tok_registry_folders[i],
				       list[k]->d_name);
			if (!is_loaded(loaded, list[k]->d_name) && is_for_all(path))
				fn(arg, path);
			free(list[k]);
		}
		if (n >= 0)
			free(list);
	}
}

/* A file of the registry, as far as it matters here. */
struct entry {
	char module[PATH_MAX]; /* empty: it names none, as a remote one does */
	bool trust, for_some;
};

static const char *value_of(const char *line, const char *key)
{
	size_t n = strlen(key);

	if (strncmp(line, key, n) != 0)
		return NULL;
	line += n + strspn(line + n, " \t");
	return *line == ':' ? line + 1 + strspn(line + 1, " \t") : NULL;
}

static bool read_entry(const char *path, struct entry *out)
{
	FILE *f = fopen(path, "re");
	char line[PATH_MAX + 64];
	const char *value;

	*out = (struct entry){ .module = "" };
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		for (size_t n = strlen(line); n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t');
		     n--)
			line[n - 1] = '\0';
		if ((value = value_of(line, "module")) != NULL)
			(void)snprintf(out->module, sizeof out->module, "%s%s",
				       *value == '/' ? "" : TOK_MODULE_PATH "/", value);
		else if ((value = value_of(line, "trust-policy")) != NULL)
			out->trust = strcmp(value, "yes") == 0;
		else if (value_of(line, "enable-in") != NULL ||
			 value_of(line, "disable-in") != NULL)
			out->for_some = true;
	}
	if (f != NULL)
		(void)fclose(f);
	return f != NULL;
}

/* The file of the registry itself says what is loaded: it must be as safe as the module. */
static bool may_be_loaded(const char *path, const struct entry *en, char real[PATH_MAX],
			  struct tlv_err *e)
{
	*real = '\0';
	if (tok_path_check(path, real, e) != ST_OK)
		return false;
	*real = '\0';
	if (*en->module == '\0' || access(en->module, F_OK) != 0)
		return true; /* p11-kit's matter, or a program that it talks to */
	return tok_path_check(en->module, real, e) == ST_OK;
}

static void look_at(struct tok_registry *r, const char *path, const struct tlv_warn *w)
{
	struct tlv_err e = TLV_ERR_INIT;
	char real[PATH_MAX];
	struct entry en;

	if (!read_entry(path, &en))
		return;
	if (!may_be_loaded(path, &en, real, &e)) {
		r->refused++;
		warn_put(w, "a module that p11-kit has registered is left out: %s", err_text(&e));
		return;
	}
	if (*real == '\0' || en.trust || en.for_some || r->n == TOK_MODULES_MAX)
		return;
	r->paths[r->n] = strdup(real);
	r->n += r->paths[r->n] == NULL ? 0 : 1;
}

static void look_into(struct tok_registry *r, const char *folder, const struct tlv_warn *w)
{
	struct dirent **list;
	int n = scandir(folder, &list, is_module_file, alphasort);

	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		(void)snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
		look_at(r, path, w);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

static bool is_set(const char *variable)
{
	return variable != NULL && *variable != '\0';
}

/* p11-kit looks into the same places, in this order. */
bool tok_registry_users_folder(uid_t uid, char out[PATH_MAX])
{
	const char *config = tok_env("XDG_CONFIG_HOME"), *home = tok_env("HOME");
	const struct passwd *pw;
	int n = 0;

	if (uid == 0)
		return false;
	if (is_set(config))
		n = snprintf(out, PATH_MAX, "%s/pkcs11/modules", config);
	else if (!is_set(home) && (pw = getpwuid(uid)) != NULL)
		home = pw->pw_dir;
	if (n == 0 && is_set(home))
		n = snprintf(out, PATH_MAX, "%s/.config/pkcs11/modules", home);
	return n > 0 && n < PATH_MAX;
}

void tok_registry_check(struct tok_registry *r, const struct tlv_warn *w)
{
	char own[PATH_MAX];

	*r = (struct tok_registry){ .n = 0 };
	for (size_t i = 0; i < TOK_REGISTRY_FOLDERS; i++)
		look_into(r, tok_registry_folders[i], w);
	if (tok_registry_users_folder(geteuid(), own))
		look_into(r, own, w);
}

void tok_registry_free(struct tok_registry *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->paths[i]);
	r->n = 0;
}
