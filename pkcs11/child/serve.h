/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the token's process does for its parent.
 */
#ifndef TOK_SERVE_H
#define TOK_SERVE_H

#include "pkcs11/shared/pulse.h"
#include "pkcs11/shared/wire.h"

/*
 * WIRE_OPEN: opens the one token and answers requests until the line is
 * closed. WIRE_SCAN: sends every token that matches, with its certificates.
 * WIRE_SURVEY: sends what each module says of itself, then the same.
 */
void tok_serve(int line, enum wire_request how, const struct tok_search *search,
	       struct tok_pulse *pulse);

#endif
