/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates of the usual form, judged by a bounded walk. To parse one with OpenSSL takes ten
 * times as long.
 */
#ifndef CTL_USUAL_H
#define CTL_USUAL_H

#include <stdbool.h>
#include <stdint.h>

#include "tlv/bytes.h"

/* Seconds since 1970 UTC. */
struct usual_dates {
	int64_t not_before, not_after;
};

/*
 * True, with the dates, only if d2i_X509() takes the certificate, and all of it, and
 * ASN1_TIME_to_tm() takes its dates. False says nothing: a rarer form is OpenSSL's to judge.
 * Source: the template of OpenSSL's crypto/x509/x_x509.c, and RFC 5280, 4.1.
 */
bool usual_cert(struct span der, struct usual_dates *out);

#endif
