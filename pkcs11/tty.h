/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A question at the terminal whose answer is not shown.
 */
#ifndef TOK_TTY_H
#define TOK_TTY_H

#include "pkcs11/pin.h"

/*
 * Shows the prompt on the controlling terminal and reads one line without
 * echo into p. Whatever signal comes meanwhile, the echo is restored first and
 * the signal delivered then; after a stop the question is asked again.
 * ST_PIN without a terminal, and if the line does not come. noun is what messages call it.
 */
enum status tok_tty_secret(const char *prompt, const char *noun, struct tok_pin *p,
			   struct tlv_err *e);

#endif
