/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lists of any records, for those who judge them. prove/header.c, record.c and list.c show that
 * a record's fields are spans, and that a signer is a record of the list.
 */
#ifndef PROVE_LISTS_H
#define PROVE_LISTS_H

#include "tlv/list.h"

#include "records.h"

/* As many as no list has. A loop over them is followed in one: it keeps nothing but its counter. */
enum { ANY_RECORDS = 1 << 30 };

/* Whichever record is asked for, it is any. */
struct tlv_list any_list(size_t nrecords);
/* The index of a record of the list, or what stands for none. */
long any_signer(const struct tlv_list *l);

#endif
