/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Names below a folder that is held open. No link is followed on the way or at
 * the end: whoever may write below the folder cannot lead us out of it.
 * openat2(2) does it if the kernel has it, else a walk from part to part.
 */
#ifndef CTL_BENEATH_H
#define CTL_BENEATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * As openat. -1 with errno: ELOOP if a part of the path is a link, EXDEV
 * if the path is absolute or has "..".
 */
int beneath_open(int dir_fd, const char *path, int flags, mode_t mode);

/*
 * The folder at path, open for reading; "" is dir_fd's own. With make it is
 * made if it is missing, and those above it, with mode 0755 less the umask.
 */
int beneath_folder(int dir_fd, const char *path, bool make);

/* How many bytes of path lead to the first link on it; 0: there is none. */
size_t beneath_link(int dir_fd, const char *path);

#endif
