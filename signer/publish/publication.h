/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One file under way, step by step: for those in this room that write one file
 * (publish.h) or many (group.h).
 */
#ifndef CTL_PUBLICATION_H
#define CTL_PUBLICATION_H

#include <limits.h>

#include "signer/publish/folders.h"
#include "signer/publish/publish.h"

struct publication {
	struct folders *folders; /* or NULL: the folder's descriptor is our own */
	struct shared_folder *shared;
	const struct publish_options *opt; /* borrowed */
	const char *shown;		   /* the path as it was given, for messages */
	char *path;			   /* owned; name points into it */
	char *folder;			   /* owned */
	const char *name;
	int dir_fd, fd;
	char temp[NAME_MAX + 1], copy[NAME_MAX + 1];
	dev_t device; /* where the temporary file is */
	mode_t mode;  /* that it was made with */
	uint64_t at;  /* bytes written */
	bool exists;
	struct stat old;   /* of what exists, or of the pipe or terminal */
	bool is_stream;	   /* fd is a pipe or a terminal, */
	struct buf stream; /* where this goes to */
	bool revocable;	   /* others come behind: what is replaced must be there to be put back */
	bool exchanged;	   /* what was replaced has the temporary name */
	bool done;	   /* nothing is left to commit */
	bool placed;	   /* it stands under its own name */
	bool replaced_list;
};

/* The folder and the name in it. ST_OUTPUT if the name is none. */
enum status publication_name(struct publication *p, const char *path,
			     const struct publish_options *opt, struct tlv_err *e);
/* What stands in the target's place: ST_OUTPUT if that can never be replaced. */
enum status publication_look(struct publication *p, struct tlv_err *e);
/* Whether what stands there may be replaced by something of our kind. */
enum status publication_may_replace(const struct publication *p, struct tlv_err *e);
/* Whether what stands there has these very bytes. */
bool publication_has(const struct publication *p, struct span bytes);
/* The temporary file; then, when it is written, owner and mode of what it replaces. */
enum status publication_temp(struct publication *p, struct tlv_err *e);
enum status publication_mode(const struct publication *p, struct tlv_err *e);
/* All of these bytes, on the disk; nothing to do if they are there already. */
enum status publication_fill(struct publication *p, struct span bytes, struct tlv_err *e);
/* Under its own name; the disk does not know yet. Equal bytes are left as they are: not placed. */
enum status publication_place(struct publication *p, struct tlv_err *e);
/* It is in its place: what can still fail is only how soon the disk knows, and old copies. */
void publication_settle(const struct publication *p);
void publication_sync_folder(const struct publication *p);
void publication_prune(const struct publication *p);
/* Takes it away again, if it still is ours, and puts back what it replaced. */
void publication_take_back(struct publication *p);
/* Closes and frees all but the struct; a temporary file is taken away. */
void publication_release(struct publication *p);

#endif
