/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What kind of thing something is: a token's certificate, ITLRecovery, a TFTP
 * server's record, a CTL or an ITL. Each of these is decided here and nowhere else.
 */
#ifndef TLV_KIND_H
#define TLV_KIND_H

#include "tlv/cert.h"
#include "tlv/header.h"
#include "tlv/record.h"

/*
 * Whether the certificate is a hardware token's: the CN of its issuer begins
 * "Cisco Manufacturing CA". The certificate of that CA itself is no token's.
 * Source: printed token lists, docs/FORMAT.md.
 */
bool tlv_cert_is_token(const struct tlv_cert *c);

/*
 * Whether the certificate is ITLRecovery's: the subject's CN begins
 * "ITLRECOVERY_", as CUCM writes it, or "ITLRecovery_", as its own documents
 * spell it. Case does not count. Source: docs/FORMAT.md.
 */
bool tlv_cert_is_itlrecovery(const struct tlv_cert *c);

/*
 * The same of a record. Without a certificate that can be read (a printed list has none), the
 * subject's text must begin so, after "CN=".
 */
bool tlv_record_is_itlrecovery(const struct tlv_record *r);

/*
 * Whether the record is a token's: it is a SAST record, and its certificate is
 * a token's, or its DNSNAME is empty, as only tokens have it. An ITLRecovery
 * certificate is no token's, whatever the name is.
 */
bool tlv_record_is_token(const struct tlv_record *r);

/* DNSNAME is there and empty: the CTL Client writes tokens' records so. */
bool tlv_record_is_nameless(const struct tlv_record *r);

/* The roles of nodes that serve files, and sign them with their CallManager certificate. */
bool tlv_role_is_tftp(uint16_t role);
/* A record of such a role. */
bool tlv_record_is_tftp(const struct tlv_record *r);

/*
 * Whether the record's key is on an elliptic curve: by its PUBLICKEY, or by its certificate if
 * it shows no key. Such a record can sign no list. Source: docs/FORMAT.md, signers are RSA.
 */
bool tlv_record_is_ec(const struct tlv_record *r);

/* The kind that a name says. */
enum tlv_list_kind { TLV_LIST_OTHER, TLV_LIST_CTL, TLV_LIST_ITL };

/*
 * The kind by FILENAME, or by the last part of a path or of a URL (without what
 * follows '?' or '#'). It begins CTL, ITL or ext_ITL, in any case: these are the names
 * under which phones ask for lists. Any other name says nothing: TLV_LIST_OTHER.
 */
enum tlv_list_kind tlv_kind_of_name(struct span name);

/* "ITL", or "CTL" for all else. */
const char *tlv_kind_text(enum tlv_list_kind kind);

/*
 * Whether the header's serial number and issuer are the certificate's, however
 * they are spelled: a writer may turn the serial's bytes, and names have
 * dialects. Phones do not see it so; they compare bytes (tlv_header_names).
 */
bool tlv_header_means(const struct tlv_header *h, const struct tlv_cert *c);

#endif
