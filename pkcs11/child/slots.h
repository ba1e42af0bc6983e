/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Which tokens there are: a scan that one bad slot or module does not stop.
 */
#ifndef TOK_SLOTS_H
#define TOK_SLOTS_H

#include "pkcs11/child/module.h"
#include "pkcs11/child/uri.h"

struct tok_found {
	struct tok_module *m;
	CK_SLOT_ID slot;
	CK_TOKEN_INFO info;
	char *uri; /* canonical; owned */
	bool matches;
};

struct tok_scan {
	struct tok_found *list; /* sorted by URI, each token once */
	size_t n, cap;
	bool faults; /* something did not answer: that nothing matches is not sure */
};

#define TOK_SCAN_INIT ((struct tok_scan){ .list = NULL })

/* Initialises the modules; bit i of skip leaves the i-th out. ST_TOKEN if the only one fails. */
enum status tok_slots_scan(struct tok_scan *scan, struct tok_modules *ms, const struct tok_uri *uri,
			   uint64_t skip, const struct tlv_warn *w, struct tlv_err *e);
void tok_slots_free(struct tok_scan *scan);

#endif
