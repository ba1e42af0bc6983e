/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A whole trust list: one header, then records to the end of the file.
 */
#ifndef TLV_LIST_H
#define TLV_LIST_H

#include "tlv/bytes.h"
#include "tlv/err.h"
#include "tlv/header.h"
#include "tlv/record.h"

enum {
	TLV_PHONE_LIMIT = 65536
}; /* bytes; phones do not load a longer list (documented for the ITL) */

/* Borrows the bytes. Records are numbered from 1 where people read, from 0 here. */
struct tlv_list {
	struct span bytes;
	struct tlv_header header;
	size_t *record_at; /* offsets, owned */
	size_t nrecords;
	size_t cap;
	/*
	 * The first records as they were decoded, owned: most of what is asked of a list asks each
	 * record. Those in use take at most half of the list's own room. Else a file of records
	 * without contents would grow to forty times its size.
	 */
	struct tlv_record *kept;
	size_t nkept, kept_cap;
	/*
	 * Somebody printed the list, nobody read it (signer/text/printed.h). Keys,
	 * signatures of certificates, addresses and the time are zeros. A certificate
	 * is its SHA-1, and zeros behind it. The list's own signature cannot be checked.
	 */
	bool printed;
	/*
	 * It stands for a printed one (signer/plan/forecast/standin.h): its keys and certificates
	 * are made up, each genuine one by one of its own. Dates and the digest are not known.
	 */
	bool stand_in;
	bool known_bad; /* of a printed one: its signature did not verify, says who has seen it */
	/* Of a printed one: the file's checksums, in lower case; "": nobody has printed them. */
	char md5[33], sha1[41];
};

/*
 * Decodes a list. On ST_INPUT the struct holds what is whole before the
 * fault (records included), and is to be freed all the same.
 */
enum status tlv_list_decode(struct tlv_list *l, struct span bytes, struct tlv_err *e);
void tlv_list_free(struct tlv_list *l);

/* Whether the bytes begin as lists and signed files do: with a version. */
bool tlv_list_begins(struct span bytes);

/* Record i of a decoded list; i < nrecords. Decoded anew if it is not kept. */
struct tlv_record tlv_list_record(const struct tlv_list *l, size_t i);

/* Writes every field anew from the model: equal to the bytes that were decoded. */
enum status tlv_list_encode(const struct tlv_list *l, struct buf *b, struct tlv_err *e);

/* FILENAME says ITL (tlv_kind_of_name). */
bool tlv_list_is_itl(const struct tlv_list *l);
/* "ITL" or "CTL", by FILENAME. */
const char *tlv_list_kind_text(const struct tlv_list *l);

/*
 * Whether the record is the signer's of the header, as phones find it: serial
 * number and issuer are equal, byte for byte (tlv_header_names). It may have any role.
 */
bool tlv_record_signs(const struct tlv_record *r, const struct tlv_header *h);

/*
 * Whether the list has a record of that role with these bytes as certificate. An empty one matches
 * none.
 */
bool tlv_list_has(const struct tlv_list *l, enum tlv_role role, struct span der);
/* Whether a record of another role than SAST has the certificate: it is a node's own. */
bool tlv_list_has_node(const struct tlv_list *l, struct span der);

/*
 * Whether FILENAME is a name of the other kind than that of the path or URL that
 * the list is served under (tlv_kind_of_name). A name that says no kind is no contradiction.
 */
bool tlv_list_is_other_kind(const struct tlv_list *l, struct span served);

/* The dialect of the list's server records; of its other ones if it has none. */
struct tlv_dialect tlv_list_dialect(const struct tlv_list *l);

/*
 * How far a record tells its writer: 2 surely; 1 less so than another one would. It is a token's,
 * which lists of CUCM have, too, or its name shows no separator.
 */
int tlv_record_dialect(const struct tlv_record *r, struct tlv_dialect *d);

/* A CCM+TFTP record has neither certificate nor its hash: what non-secure mode leaves of it. */
bool tlv_list_is_non_secure(const struct tlv_list *l);

/*
 * The first SAST record with the header's serial and issuer, byte for byte; -1
 * if there is none, -2 if two of them have different keys.
 */
enum { TLV_SIGNER_NONE = -1, TLV_SIGNER_AMBIGUOUS = -2 };
long tlv_list_signer(const struct tlv_list *l);
/* That record; without one, only the subject and serial number that the header claims. */
struct tlv_record tlv_list_signer_record(const struct tlv_list *l);
/* Whether that record is a token's (tlv_record_is_token); false if there is none. */
bool tlv_list_token_signs(const struct tlv_list *l);

#endif
