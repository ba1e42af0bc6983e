/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the parent asks the token's process, and what it takes from the
 * answers: every field of them is checked.
 */
#ifndef TOK_ASK_H
#define TOK_ASK_H

#include "pkcs11/tok.h"

#define TOK_MALFORMED \
	"malformed answer from the token's process, probably a faulty PKCS#11 module; try another with --module"

enum status tok_malformed(struct tlv_err *e);

/* What a child sends while it opens or scans. */
struct tok_harvest {
	struct tok_info *list;
	size_t n;
	struct tok_module_info *modules;
	size_t nmodules;
};

void tok_harvest_free_tokens(struct tok_harvest *h);
void tok_harvest_free(struct tok_harvest *h);

/* One whole answer. t is NULL for a scan, h for a request to an open token. */
struct tok_answer {
	const struct tok_options *opt;
	struct tok *t;
	struct tok_harvest *h;
	enum wire_hint hint;
	bool done;
};

/*
 * Takes answers until WIRE_DONE, and returns its status. a->done is false if the process failed,
 * not what was asked.
 */
enum status tok_take_answer(struct tok_child *c, struct tok_answer *a, int64_t deadline,
			    struct tlv_err *e);

/* By how much a request may last longer because a person may be typing at the token. */
unsigned tok_pad_seconds(const struct tok *t, enum wire_request type);

/*
 * One request and its whole answer; what comes is stored in t. hint may be
 * NULL. A failure of the child's is recorded with the child's words.
 */
enum status tok_request(struct tok *t, enum wire_request type, uint8_t flag, struct span payload,
			enum wire_hint *hint, struct tlv_err *e);

#endif
