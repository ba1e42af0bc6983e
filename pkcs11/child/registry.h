/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Modules that are registered with p11-kit: which of them may be loaded, and
 * which it has not loaded, of which it says nothing itself.
 */
#ifndef TOK_REGISTRY_H
#define TOK_REGISTRY_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include <p11-kit/p11-kit.h>

#include "pkcs11/shared/info.h"
#include "tlv/err.h"

enum { TOK_REGISTRY_FOLDERS = 2 };

/* The folders of the system's registry. Tests put others in their place. */
extern const char *tok_registry_folders[TOK_REGISTRY_FOLDERS];

/* What is registered, looked at before p11-kit loads any of it. */
struct tok_registry {
	char *paths[TOK_MODULES_MAX]; /* without links, owned: what may be loaded, one by one */
	size_t n;
	unsigned refused; /* so many that others can write */
};

/*
 * Every file of the registry, and the module that it names, must obey the rule
 * of tok_path_check; one that does not costs a warning. p11-kit itself can
 * only load all: if one is refused, the paths are to be loaded instead.
 */
void tok_registry_check(struct tok_registry *r, const struct tlv_warn *w);
void tok_registry_free(struct tok_registry *r);

/*
 * The user's own folder of the registry, as p11-kit finds it: without HOME by the system's list of
 * users. False for root, who has none.
 */
bool tok_registry_users_folder(uid_t uid, char out[PATH_MAX]);

/*
 * Calls fn with the path of each file of the system's registry whose module is
 * not among the loaded ones (ended by NULL). Those that are meant for some
 * programs only (enable-in, disable-in) and those of the user are left out.
 */
void tok_registry_unloaded(CK_FUNCTION_LIST **loaded, void (*fn)(void *arg, const char *file),
			   void *arg);

#endif
