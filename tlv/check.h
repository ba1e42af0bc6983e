/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Policy after shape: the reader says well-formed, this says acceptable.
 */
#ifndef TLV_CHECK_H
#define TLV_CHECK_H

#include "tlv/findings.h"
#include "tlv/list.h"

/*
 * Whether a record says what its certificate says: names, serial number, key,
 * signature. A record without certificate says nothing: false.
 */
bool tlv_record_agrees(const struct tlv_record *r);

/*
 * All that bytes alone can tell about a well-formed header, of a list or of a
 * signed file: fields, texts, codes, the places of field 12 and of the padding.
 * Offsets and records of the findings are those of a file that begins with it.
 */
void tlv_check_header(const struct tlv_header *h, struct tlv_findings *out);
/* The same for the list and its records: agreement with their certificates, duplicates, anchors. */
void tlv_check_list(const struct tlv_list *l, struct tlv_findings *out);

/* Whether all SAST records of a CTL have one key: no other one could sign if it is lost. */
bool tlv_list_is_lone_sast(const struct tlv_list *l);
extern const char tlv_lone_sast_text[];

#endif
