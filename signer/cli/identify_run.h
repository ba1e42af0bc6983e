/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One run of identify: the lists that were found, and the table of phones that is looked up.
 */
#ifndef CTL_IDENTIFY_RUN_H
#define CTL_IDENTIFY_RUN_H

#include "signer/list/known.h"

struct identify {
	bool json;
	struct known known; /* the lists that are searched */
	size_t faults;	    /* files that were named, or begin as a list, and cannot be read */
};

/*
 * Answers for each phone of the table ("-": standard input). ST_NO if a phone's list is not known;
 * ST_INPUT if a line cannot be read, which is said of each.
 */
enum status identify_table(struct identify *s, const char *path, struct tlv_err *e);

#endif
