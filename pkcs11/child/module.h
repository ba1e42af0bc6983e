/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which PKCS#11 modules are looked at: one that is named, or all that p11-kit
 * has registered but those of its trust policy, which never hold a key.
 */
#ifndef TOK_MODULE_H
#define TOK_MODULE_H

#include "pkcs11/child/door.h"
#include "tlv/err.h"

struct tok_modules {
	struct tok_module *list;
	size_t n;
	bool named;		       /* one alone, by its path */
	CK_FUNCTION_LIST **registered; /* as p11-kit loaded them all; NULL: each by itself */
};

#define TOK_MODULES_INIT ((struct tok_modules){ .list = NULL })

/*
 * Loads; does not initialise. A registered module that others can write is
 * left out with a warning, one that is named is ST_USAGE. ST_TOKEN, or
 * ST_NO_MATCH if no module has the name.
 */
enum status tok_modules_load(struct tok_modules *ms, const char *path, const char *name,
			     struct tok_pulse *pulse, const struct tlv_warn *w, struct tlv_err *e);
/* Finalises those that are initialised. */
void tok_modules_free(struct tok_modules *ms);

/* Whether p11-kit prints all calls of the module, and the PINs in them, to stderr (log-calls). */
bool tok_module_logs(const struct tok_module *m);

#endif
