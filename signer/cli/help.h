/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the program says about itself, from the tables.
 */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include "signer/cli/verb.h"

void help_first(void); /* on stderr: called without a verb */
void help_all(void);
void help_verb(const struct verb_row *v);
void help_version(void);
enum status help_unknown_verb(const char *word, struct tlv_err *e);

#endif
