/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A file that the user names to say who may sign: a certificate, or a list.
 */
#ifndef CTL_WITNESS_H
#define CTL_WITNESS_H

#include "signer/text/list_file.h"

/* Takes one certificate, in DER, which is borrowed. A status other than ST_OK ends the walk. */
typedef enum status witness_fn(void *arg, struct span der, bool is_ca, struct tlv_err *e);
/*
 * Hands on each SAST certificate of a list that vouches for its signers, or else the certificate
 * of the file. f was read with LIST_DAMAGED. is_ca is said of a certificate file only: a list's
 * SAST records are signers, whatever they call themselves. ST_INPUT with the path in front, else
 * the first failure of take.
 */
enum status witness_each(const struct list_file *f, const char *path, const struct tlv_warn *warn,
			 witness_fn *take, void *arg, struct tlv_err *e);

#endif
