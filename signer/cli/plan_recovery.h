/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * ctlsign plan --recover: phones refuse already.
 */
#ifndef CTL_PLAN_RECOVERY_H
#define CTL_PLAN_RECOVERY_H

#include "signer/cli/verb.h"

/* Status 0 if all phones are freed without hands on them, else 1. */
enum status plan_recovery(const struct opts *o, struct tlv_err *e);

#endif
