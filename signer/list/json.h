/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lists as JSON, from the same rows as the text.
 */
#ifndef CTL_JSON_H
#define CTL_JSON_H

#include <jansson.h>

#include "signer/trust/facts.h"
#include "signer/trust/verify.h"
#include "tlv/list.h"

json_t *list_json_findings(const struct tlv_findings *f);
json_t *list_json_header(const struct tlv_header *h);
/* Record i of the list; signed_it says whether it is the signer's. */
json_t *list_json_record(const struct tlv_record *r, size_t number, bool signed_it);
/* The same of a printed list: null for what is not known (tlv_list.printed). */
json_t *list_json_printed_header(const struct tlv_header *h);
json_t *list_json_printed_record(const struct tlv_record *r, size_t number, bool signed_it);

/* The tags of a fact's sources, a string each. */
json_t *list_json_sources(enum fact_id fact);

/* What a TVS answers: FUNCTION numbers, a byte each, as the names of roles. */
json_t *list_json_roles(struct span roles);

/* Digests, names, dates and the DER of a certificate, or "error" if it is none. */
json_t *list_json_certificate(struct span der);

#endif
