/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/child/registry.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As p11-kit was built, in the order in which it reads them. */
static const char *const folders[] = { TOK_MODULE_CONFIGS, TOK_SYSTEM_MODULE_CONFIGS };

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
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		struct dirent **list;
		int n = scandir(folders[i], &list, is_module_file, alphasort);

		for (int k = 0; k < n; k++) {
			char path[PATH_MAX];

			(void)snprintf(path, sizeof path, "%s/%s", folders[i], list[k]->d_name);
			if (!is_loaded(loaded, list[k]->d_name) && is_for_all(path))
				fn(arg, path);
			free(list[k]);
		}
		if (n >= 0)
			free(list);
	}
}
