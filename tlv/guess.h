/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a file is that is no trust list: people give the wrong one, and servers
 * answer with something else.
 */
#ifndef TLV_GUESS_H
#define TLV_GUESS_H

#include "tlv/bytes.h"

/* "it is a web page" and the like, a constant; NULL if nothing is known about the bytes. */
const char *tlv_guess(struct span bytes);

/*
 * Whether a text-mode transfer (FTP, TFTP netascii) has changed a binary file: each
 * of its many line feeds follows a carriage return, as chance does not make it.
 */
bool tlv_guess_text_mode(struct span bytes);

#endif
