/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/shared/env.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tlv/bytes.h"

enum { SECRETS_MAX = 16 };

/* The environment is one for the whole process, and so is this. */
static char *secrets[SECRETS_MAX];
static size_t nsecrets;

char *tok_env(const char *name)
{
	return getenv(name);
}

static bool is_named(const char *entry, const char *name)
{
	size_t n = strlen(name);

	return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

void tok_env_is_secret(const char *name)
{
	for (size_t i = 0; i < nsecrets; i++)
		if (strcmp(secrets[i], name) == 0)
			return;
	if (nsecrets == SECRETS_MAX)
		return;
	secrets[nsecrets] = strdup(name);
	nsecrets += secrets[nsecrets] == NULL ? 0 : 1;
}

static bool goes_along(const char *entry)
{
	static const char *const others[] = { "GCONV_PATH", "SSLKEYLOGFILE" };

	if (strncmp(entry, "LD_", 3) == 0)
		return false;
	for (size_t i = 0; i < COUNT(others); i++)
		if (is_named(entry, others[i]))
			return false;
	for (size_t i = 0; i < nsecrets; i++)
		if (is_named(entry, secrets[i]))
			return false;
	return true;
}

char **tok_env_for_process(void)
{
	size_t n = 0, kept = 0;
	char **list;

	while (environ != NULL && environ[n] != NULL)
		n++;
	list = calloc(n + 1, sizeof *list);
	for (size_t i = 0; list != NULL && i < n; i++)
		if (goes_along(environ[i]))
			list[kept++] = environ[i];
	return list;
}
