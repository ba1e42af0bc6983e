/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a printed list says against itself. Its checksums are those of the file, so
 * a text in which something was changed has them still.
 */
#ifndef CTL_TEXT_DOUBTS_H
#define CTL_TEXT_DOUBTS_H

#include "signer/text/printed.h"
#include "tlv/findings.h"

/*
 * Adds what shows without any key: no SAST record is the signer's, or it has another
 * subject; one certificate has two serial numbers; CUCM's own verdict was bad. ST_NOMEM.
 */
enum status doubts_find(struct tlv_findings *f, const struct printed *p, struct tlv_err *e);

#endif
