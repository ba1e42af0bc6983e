/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What files and folders have in common while they come to be: temporary names
 * in the target's folder, ".<name>.ctlsign-xxxxxxxx", held under a lock as long
 * as their writer lives; bytes that get to the disk.
 */
#ifndef CTL_PLACE_H
#define CTL_PLACE_H

#include <limits.h>
#include <signal.h>
#include <sys/stat.h>

#include "tlv/bytes.h"
#include "tlv/err.h"

#define PLACE_MARK ".ctlsign-"
/* Longer names leave no room for a temporary one or a copy's. */
enum { PLACE_NAME_MAX = NAME_MAX - sizeof(PLACE_MARK) - 16 };

/*
 * The mode of a folder while it is temporary. No folder that is in use has it,
 * and nobody but its owner can set it: it is the mark by which a sweep knows
 * what it may empty.
 */
enum { PLACE_FOLDER_MODE = S_ISVTX | S_IRWXU };

/* ST_OUTPUT with what and the reason in errno. */
enum status place_failed(struct tlv_err *e, const char *what);

/*
 * Makes an empty file of this mode, less the umask; with S_IFDIR a folder of PLACE_FOLDER_MODE. It
 * has a temporary name of name's, is open and locked. After a failure nothing is there.
 */
enum status place_temp(int dir_fd, const char *name, mode_t mode, char temp[NAME_MAX + 1], int *fd,
		       struct tlv_err *e);

/*
 * Takes away what nobody holds of name's temporary files and folders; with
 * name NULL, of everybody's. Only what belongs to us is touched: regular
 * files, empty folders, and folders that still have their mark.
 */
void place_sweep(int dir_fd, const char *name);

/* Whether it is a folder of ours that still has its mark, under whatever name. */
bool place_is_unfinished(const struct stat *st);
/*
 * Takes such a folder away if nobody holds it. Its run was killed before it could remove the mark.
 */
void place_sweep_unfinished(int dir_fd, const char *name);

/* A temporary folder of ours that is held open, with its files and subfolders, two levels deep. */
void place_remove_folder(int parent_fd, const char *temp, int fd);

typedef void place_entry_fn(int dir_fd, const char *name, void *arg);
/* Every name in the folder but "." and "..", without an allocation. */
void place_each(int dir_fd, place_entry_fn *fn, void *arg);

/* All of them, however many calls it takes. */
enum status place_write(int fd, struct span bytes, struct tlv_err *e);
enum status place_sync(int fd, struct tlv_err *e);

/*
 * What only makes sense as a whole is renamed in between: no signal ends the process there, but
 * SIGKILL. One that comes counts afterwards.
 */
void place_signals_wait(sigset_t *before);
void place_signals_go(const sigset_t *before);

#endif
