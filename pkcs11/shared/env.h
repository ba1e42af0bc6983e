/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both sides of the wall: the one place that looks at the environment.
 */
#ifndef TOK_ENV_H
#define TOK_ENV_H

/* The variable's own bytes, so that a secret can be overwritten in place; NULL if unset. */
char *tok_env(const char *name);

/*
 * A variable that holds a secret: no process that is started from here on gets
 * it. More than a handful are not remembered.
 */
void tok_env_is_secret(const char *name);

/*
 * The environment for another process, ended by NULL: without secrets, without
 * what loads code into a program (LD_*, GCONV_PATH), and without SSLKEYLOGFILE, which
 * has libcurl write the keys of its sessions into a file. The list is malloc'd, what
 * it points to is not. NULL without memory.
 */
char **tok_env_for_process(void);

#endif
