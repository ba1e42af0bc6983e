/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates that stand in one file: a certificate and the CAs above it, or a
 * collection.
 */
#ifndef CTL_CHAIN_H
#define CTL_CHAIN_H

#include "tlv/bytes.h"

enum { CHAIN_MAX = 8 }; /* certificates that are looked at; each is verified with each */

/*
 * The index of the one that all the others stand above: each of them has signed it, or one that
 * has, as issuer names and signatures prove. Their order does not matter. n is CHAIN_MAX at most.
 * -1 if there is no such one: they are a collection.
 */
long chain_leaf(const struct span *certs, size_t n);

#endif
