/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Spans and buffers of which those who read texts know nothing but that they are some.
 */
#ifndef PROVE_SPAN_H
#define PROVE_SPAN_H

#include "tlv/bytes.h"

/* A span of any length; each is followed together with all others. */
struct span any_text(void);

#endif
