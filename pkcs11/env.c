/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/env.h"

#include <stdlib.h>

char *tok_env(const char *name)
{
	return getenv(name);
}
