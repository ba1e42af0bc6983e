/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What runs in the child. All take a struct tok_search.
 */
#ifndef TOK_SERVE_H
#define TOK_SERVE_H

#include "pkcs11/pulse.h"

/* Opens the one token and answers requests until the line is closed. */
void tok_serve(int line, struct tok_pulse *pulse, const void *search);
/* Sends every token that matches, with its certificates. */
void tok_serve_scan(int line, struct tok_pulse *pulse, const void *search);
/* Sends what each module says of itself, then the same. */
void tok_serve_survey(int line, struct tok_pulse *pulse, const void *search);

#endif
