/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/remote.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "pkcs11/shared/env.h"

/* "unix:path=/run/x" with further ";key=value" behind it. */
static bool socket_path(const char *address, char *out, size_t cap)
{
	static const char prefix[] = "unix:path=";
	size_t n = sizeof prefix - 1;

	if (strncmp(address, prefix, n) != 0)
		return false;
	(void)snprintf(out, cap, "%s", address + n);
	out[strcspn(out, ";")] = '\0';
	return true;
}

static void owner_name(uid_t uid, char *out, size_t cap)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw == NULL)
		(void)snprintf(out, cap, "uid %lu", (unsigned long)uid);
	else
		(void)snprintf(out, cap, "%s", pw->pw_name);
}

void tok_module_remote(const char *module, char *out, size_t cap)
{
	const char *address = tok_env("P11_KIT_SERVER_ADDRESS");
	char path[256], owner[64];
	struct stat sb;

	*out = '\0';
	if (strstr(module, "p11-kit-client") == NULL || address == NULL)
		return;
	if (!socket_path(address, path, sizeof path) || stat(path, &sb) != 0) {
		(void)snprintf(out, cap, "remote %.200s", address);
		return;
	}
	owner_name(sb.st_uid, owner, sizeof owner);
	(void)snprintf(out, cap, "remote socket %s of %s", path, owner);
}
