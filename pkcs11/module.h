/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which PKCS#11 modules are looked at: one that is named, or all that p11-kit
 * has registered but those of its trust policy, which never hold a key.
 */
#ifndef TOK_MODULE_H
#define TOK_MODULE_H

#include "pkcs11/door.h"
#include "tlv/err.h"

/*
 * Whether code may be loaded from there (ruling 30): an absolute path to a
 * regular file that only its owner and root can write or replace, the owner
 * being root, this user, or anybody where root itself asks. ST_USAGE where not.
 */
enum status tok_path_check(const char *path, struct tlv_err *e);
/*
 * The same for a part of the program itself: only root and the owner of the
 * program can write or replace it, also where root runs it. ST_TOKEN where not.
 */
enum status tok_own_path_check(const char *path, struct tlv_err *e);

struct tok_modules {
	struct tok_module *list;
	size_t n;
	CK_FUNCTION_LIST **registered; /* NULL where one was named */
};

#define TOK_MODULES_INIT ((struct tok_modules){ .list = NULL })

enum { TOK_MODULES_MAX = 64 };

/* Loads; does not initialise. ST_TOKEN, or ST_NO_MATCH where no module has the name. */
enum status tok_modules_load(struct tok_modules *ms, const char *path, const char *name,
			     struct tok_pulse *pulse, struct tlv_err *e);
/* Finalises those that are initialised. */
void tok_modules_free(struct tok_modules *ms);

/* Whether p11-kit prints all calls of the module, and the PINs in them, to stderr (log-calls). */
bool tok_module_logs(const struct tok_module *m);

/*
 * Where p11-kit-client.so leads: the socket of P11_KIT_SERVER_ADDRESS and its
 * owner, as words for the prompt ("remote socket /run/x of alice"). Empty for
 * every other module.
 */
void tok_module_remote(const char *module, char *out, size_t cap);

#endif
