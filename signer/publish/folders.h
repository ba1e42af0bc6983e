/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Folders that many files are written into: each is opened, and swept of what
 * killed runs have left, once, and stays open while a file in it is under way.
 * Several threads may ask.
 */
#ifndef CTL_FOLDERS_H
#define CTL_FOLDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "tlv/err.h"

struct folders;

struct shared_folder {
	char *path; /* owned */
	int fd;	    /* -1: closed */
	size_t users;
	bool unsynced; /* names in it have changed; for the one thread that commits */
};

/*
 * base NULL: any folders, as they are named. Else all of them are base or
 * below it: no link below it is followed, and what is missing is made. base
 * itself may be a link. Every failure is ST_OUTPUT.
 */
enum status folders_new(struct folders **out, const char *base, struct tlv_err *e);
/* After the last folders_put. */
void folders_free(struct folders **f);
enum status folders_get(struct folders *f, const char *path, struct shared_folder **out,
			struct tlv_err *e);
void folders_put(struct folders *f, struct shared_folder *folder);

#endif
