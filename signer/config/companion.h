/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The plain file that stands beside an encrypted one, and tells the phone so. It
 * has a few elements of the original, which is read as a stream. Source:
 * docs/FORMAT.md, "Encrypted configuration".
 */
#ifndef CTL_COMPANION_H
#define CTL_COMPANION_H

#include "tlv/bytes.h"
#include "tlv/err.h"

struct companion;

/*
 * Loads the reader of XML. It is called once before the first companion, and before threads.
 * ST_MACHINE: this machine has none.
 */
enum status companion_load(struct tlv_err *e);
enum status companion_new(struct companion **out, struct tlv_err *e);
/*
 * The original, piece by piece. ST_INPUT: it is no XML whose root is 'device', or
 * it has a DOCTYPE, which phones' files have not and which can do harm.
 */
enum status companion_add(struct companion *c, struct span piece, struct tlv_err *e);
/* After the last piece; cert_md5: of the phone's certificate. Appends the companion's text. */
enum status companion_end(struct companion *c, struct span cert_md5, struct buf *out,
			  struct tlv_err *e);
void companion_free(struct companion **c);

#endif
