/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tokens on another machine, for the words of the prompt.
 */
#ifndef TOK_REMOTE_H
#define TOK_REMOTE_H

#include <stddef.h>

/*
 * Where p11-kit-client.so leads: the socket of P11_KIT_SERVER_ADDRESS and its
 * owner, as words for the prompt ("remote socket /run/x of alice"). Empty for
 * every other module.
 */
void tok_module_remote(const char *module, char *out, size_t cap);

#endif
