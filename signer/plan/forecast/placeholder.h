/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A certificate that stands for one that nobody has seen yet: CUCM makes it
 * when an old one is regenerated.
 */
#ifndef CTL_PLACEHOLDER_H
#define CTL_PLACEHOLDER_H

#include "tlv/bytes.h"
#include "tlv/err.h"

/*
 * Appends the DER of a copy with the same names and the same size of the key,
 * but another serial number and another key. The same certificate gives the same
 * copy, and no two certificates of one issuer give one serial number. Nobody has
 * the key: what it signs is foreseen, never verified.
 * ST_INPUT if known is no certificate. Source: a renewed certificate has
 * another serial number and another key (docs/CLUSTER.md, "Renewing certificates").
 */
enum status placeholder_of(struct span known, struct buf *out, struct tlv_err *e);
/* The same, of a certificate that is neither this one nor its successor. */
enum status placeholder_beside(struct span known, struct buf *out, struct tlv_err *e);

#endif
