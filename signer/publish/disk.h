/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What files and folders have in common while they come to be: temporary names
 * in the target's folder, ".<name>.ctlsign-xxxxxxxx", held under a lock as long
 * as their writer lives; bytes that get to the disk.
 */
#ifndef CTL_DISK_H
#define CTL_DISK_H

#include <limits.h>
#include <sys/stat.h>

#include "tlv/bytes.h"
#include "tlv/err.h"

#define DISK_MARK ".ctlsign-"
/* Longer names leave no room for a temporary one or a backup's. */
enum { DISK_NAME_MAX = NAME_MAX - sizeof(DISK_MARK) - 16 };

/* ST_OUTPUT with what and the reason in errno. */
enum status disk_failed(struct tlv_err *e, const char *what);

/*
 * Makes an empty file of this mode (less the umask), or with S_IFDIR a folder
 * of our own, under a temporary name of name's, and opens and locks it. After
 * a failure nothing is there.
 */
enum status disk_temp(int dir_fd, const char *name, mode_t mode, char temp[NAME_MAX + 1], int *fd,
		      struct tlv_err *e);

/*
 * Takes away what nobody holds of name's temporary files and folders; with
 * name NULL, of everybody's.
 */
void disk_sweep(int dir_fd, const char *name);

/* A folder with its files and subfolders, two levels deep as ours are; links are not followed. */
void disk_remove_folder(int parent_fd, const char *name);

/* All of them, however many calls it takes. */
enum status disk_write(int fd, struct span bytes, struct tlv_err *e);
enum status disk_sync(int fd, struct tlv_err *e);

#endif
