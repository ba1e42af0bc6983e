/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Any record and any certificate, for those who look into them: the fields and parts are spans.
 */
#ifndef PROVE_RECORDS_H
#define PROVE_RECORDS_H

#include "tlv/cert.h"
#include "tlv/record.h"

struct tlv_record any_record(void);
/* A certificate with any parts. */
struct tlv_cert any_cert(struct span der);

#endif
