/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Linked to a token's process of the tests: root has no configuration of its
 * own in p11-kit, so its folders are set by the function that p11-kit has for
 * its own tests.
 */
#include <stdio.h>
#include <stdlib.h>

#define P11_KIT_FUTURE_UNSTABLE_API 1
#include <p11-kit/p11-kit.h>

#include "pkcs11/child/registry.h"

/* p11-kit keeps the pointers. */
static char conf[300], none[300], folder[300];

__attribute__((constructor)) static void take_the_tests_registry(void)
{
	const char *dir = getenv("CTLSIGN_LAB_REGISTRY");

	if (dir == NULL)
		return;
	(void)snprintf(conf, sizeof conf, "%s/pkcs11.conf", dir);
	(void)snprintf(none, sizeof none, "%s/none", dir);
	(void)snprintf(folder, sizeof folder, "%s/modules", dir);
	p11_kit_override_system_files(conf, none, none, folder, none);
	tok_registry_folders[0] = none;
	tok_registry_folders[1] = folder;
}
