/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both sides of the wall: from which paths code may be loaded or started. Every
 * folder and every link on the way is looked at, so that nobody can exchange
 * the file between the look and the loading.
 */
#ifndef TOK_PATH_H
#define TOK_PATH_H

#include <limits.h>

#include "tlv/err.h"

#define TOK_HELPER_NAME "ctlsign-token"
#define TOK_GUARD_NAME "ctlsign-guard.so"

/*
 * Whether a module may be loaded from there: an absolute path to a regular
 * file. File, folders and links belong to root or this user, for root to root
 * alone, and nobody else can write them. A folder with the sticky bit may be
 * open to all: nobody replaces another's file in it. out gets the path without
 * links, which is the one to load. ST_USAGE if not.
 */
enum status tok_path_check(const char *path, char out[PATH_MAX], struct tlv_err *e);

/*
 * A part of the program itself, beside the program or in "dir" as seen from its
 * folder (NULL: beside it only). The same rule, for root and the owner of the
 * program. ST_TOKEN if it is not there, or can be written by others.
 */
enum status tok_part_find(const char *name, const char *dir, char out[PATH_MAX], struct tlv_err *e);

#endif
