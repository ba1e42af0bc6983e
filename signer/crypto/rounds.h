/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * How often a key file may have its passphrase hashed. The file itself says how
 * many rounds: a hostile one asks for years.
 */
#ifndef CTL_ROUNDS_H
#define CTL_ROUNDS_H

#include <stdbool.h>

#include "tlv/bytes.h"
#include "tlv/err.h"

/* For one reading of a file, all its parts together: some seconds. Writers of today ask for 2048 to 600000. */
enum { ROUNDS_MAX = 10000000 };

/*
 * To be called before OpenSSL reads a key file: from here on this thread's
 * derivations of keys from passphrases are counted, and refused beyond
 * ROUNDS_MAX. ST_INPUT where the file's own checksum asks for more.
 */
enum status rounds_begin(struct span file, struct tlv_err *e);

/* Whether something was refused since; e then says so. */
bool rounds_exceeded(struct tlv_err *e);

#endif
