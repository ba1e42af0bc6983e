/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Arguments that are files or folders of files.
 */
#ifndef CTL_FOLDER_H
#define CTL_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "tlv/err.h"

/*
 * Receives one file. named: by the argument itself; else a folder held it, and
 * it may be anything. Not ST_OK ends the walk.
 */
typedef enum status folder_fn(void *arg, const char *path, bool named, struct tlv_err *e);

/* Whether it is a folder's path; a URL is none. */
bool folder_is(const char *path);

/*
 * Calls fn with the file, or with every regular file in the folder and in the
 * folders below, by name: a migration's lists stand in folders of their own.
 * Left out are names with a dot in front (unfinished files) and the copies of
 * replaced lists. Links to folders are not followed, links to files are. Who
 * opens a file that was not named must not wait for it: it may have been
 * exchanged for a pipe since. ST_INPUT if a folder cannot be read.
 */
enum status folder_each(const char *path, folder_fn *fn, void *arg, struct tlv_err *e);
/*
 * The same for what stands in this very folder; folders below it are left out.
 * A named pipe or a device that somebody put there is never opened.
 */
enum status folder_files(const char *path, folder_fn *fn, void *arg, struct tlv_err *e);

/*
 * "CTLFile.tlv.~12~" is a copy of the list that was replaced: how long the name
 * of "CTLFile.tlv" in front is. 0: no such name.
 */
size_t folder_copy_of(const char *name);

/* How a file begins. Pipes and devices are not read: FOLDER_FILE_OTHER. */
enum folder_file { FOLDER_FILE_UNREAD, FOLDER_FILE_LIST, FOLDER_FILE_OTHER };
enum folder_file folder_file_begins(const char *path);

#endif
