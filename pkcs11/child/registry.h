/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Modules that are registered with p11-kit, and that it has not loaded: it
 * says nothing of them itself.
 */
#ifndef TOK_REGISTRY_H
#define TOK_REGISTRY_H

#include <p11-kit/p11-kit.h>

/*
 * Calls fn with the path of each file of the system's registry whose module is
 * not among the loaded ones (ended by NULL). Those that are meant for some
 * programs only (enable-in, disable-in) and those of the user are left out.
 */
void tok_registry_unloaded(CK_FUNCTION_LIST **loaded, void (*fn)(void *arg, const char *file),
			   void *arg);

#endif
