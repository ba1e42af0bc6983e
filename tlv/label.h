/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What people call records and certificates. Texts take names and serial numbers from here, and
 * foreign text comes escaped. A name is shown whole if it is compared with what 'show ctl' prints:
 * of records and anchors that are to be signed, of a list that is not believed, of a token's
 * certificates. JSON has all names whole.
 */
#ifndef TLV_LABEL_H
#define TLV_LABEL_H

#include "tlv/cert.h"
#include "tlv/record.h"

/*
 * Appends the subject's CN, without blanks at its end. Without a CN: the whole subject, or "no
 * name".
 */
void tlv_label_cert(struct buf *b, const struct tlv_cert *c);
/*
 * The same of a record. Without a certificate that can be read it is the CN of the
 * subject's text, in whatever dialect; nothing of a record that has none.
 */
void tlv_label_record(struct buf *b, const struct tlv_record *r);
/* Appends "70:CA:F6", as CUCM's 'show ctl' prints serial numbers. */
void tlv_label_serial(struct buf *b, struct span serial);
/* Appends "CCM+TFTP", or "function 9" for a role that no table has. */
void tlv_label_role(struct buf *b, uint16_t role);
/* Appends "10.48.47.153" or "2001:db8::153", or the bytes of what is neither, as "FD:00". */
void tlv_label_address(struct buf *b, struct span address);
/* Appends "CCM+TFTP cucm-1051-a-pub 10.48.47.153": role, DNSNAME, and an address that says more. */
void tlv_label_place(struct buf *b, const struct tlv_record *r);
/* Whether the record names an address: a token's is four zeros. */
bool tlv_label_has_address(const struct tlv_record *r);

#endif
