/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Changes to the records of a list. Selectors are resolved on the list as it
 * was read; what no change touches keeps its bytes.
 */
#ifndef CTL_EDIT_H
#define CTL_EDIT_H

#include "signer/crypto/certset.h"
#include "signer/list/compose.h"

struct edit {
	const struct tlv_list *old; /* borrowed */
	struct entries entries;	    /* begins as the old records */
	bool all;		    /* a selector may match several */
	int keep_old_sast;	    /* 1: always, 0: never, -1: if it was the signer's */
	struct tok_options tok;	    /* for CERT arguments that are URIs */
};

enum status edit_begin(struct edit *x, const struct tlv_list *old, struct tlv_err *e);
void edit_free(struct edit *x);

/* "ROLE=CERT[,name=NAME][,address=IP]" */
enum status edit_add(struct edit *x, const char *arg, struct tlv_err *e);
/* "SELECTOR" */
enum status edit_remove(struct edit *x, const char *arg, struct tlv_err *e);
/*
 * "[SELECTOR=]CERT": name, address and place stay. Without a selector every
 * record of the certificate that this one renews: the one with its subject, or
 * the CAPF certificate, whose subject is new every time.
 */
enum status edit_replace(struct edit *x, const char *arg, struct tlv_err *e);
/* "SELECTOR,name=NAME,address=IP" */
enum status edit_set(struct edit *x, const char *arg, struct tlv_err *e);
/*
 * ST_USAGE if the changes take away the SAST record of the certificate whose key is
 * to sign: it would come back by itself, and nobody asked for that.
 */
enum status edit_check_signer(const struct edit *x, struct span der, struct tlv_err *e);
/* CCM+TFTP records lose all but name, role and address. */
void edit_empty(struct edit *x);
/*
 * … and get certificates back: the one whose CN is the record's name, or
 * whose file is called so. ST_NO_MATCH names the record that none fits.
 */
enum status edit_refill(struct edit *x, const struct certset *certs, struct tlv_err *e);

#endif
