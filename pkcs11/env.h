/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The one place of this layer that looks at the environment.
 */
#ifndef TOK_ENV_H
#define TOK_ENV_H

/* The variable's own bytes, so that a secret can be overwritten in place; NULL where unset. */
char *tok_env(const char *name);

#endif
