/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates and lists that stand for those that were only printed. 'show ctl' gives names,
 * serial numbers, the length of each field, and the SHA-1 of a certificate: no key, no certificate.
 * That is enough to foresee what comes next, since phones compare names, serials and keys for
 * equality alone. Source of what is printed: signer/text/printed.h.
 */
#ifndef CTL_STANDIN_H
#define CTL_STANDIN_H

#include "tlv/list.h"

struct standin {
	uint8_t sha1[20]; /* of the genuine certificate */
	struct span der;
	struct buf made; /* owned; empty if der is genuine, and borrowed */
};

/* One for each certificate, so that two lists that show it show the same bytes. */
struct standins {
	struct standin *v; /* owned */
	size_t n, cap;
};

#define STANDINS_INIT ((struct standins){ .n = 0 })

/* Remembers a genuine certificate, which must outlive the set. */
enum status standins_know(struct standins *s, struct span der, struct tlv_err *e);
/*
 * Appends the list's bytes, with the gaps filled: a certificate of the printed names, serial and
 * lengths, whose key follows from the printed SHA-1. Nobody has that key. Addresses stay zeros,
 * but for those that stand as text in DNSNAME. ST_INPUT if the printed length of a certificate
 * has no room for its names.
 */
enum status standins_fill(struct standins *s, const struct tlv_list *printed, struct buf *out,
			  struct tlv_err *e);
/* SHA-1 of a certificate, or of the one that it stands for. s: NULL is no stand-in at all. */
enum status standins_sha1(const struct standins *s, struct span der, uint8_t sha1[20],
			  struct tlv_err *e);
void standins_free(struct standins *s);

#endif
