/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/publish/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tlv/text.h"

enum { TEMP_DIGITS = 8, TRIES = 64, DEPTH = 1 };

enum status disk_failed(struct tlv_err *e, const char *what)
{
	return err_set(e, ST_OUTPUT, "%s: %s", what, strerror(errno));
}

typedef void entry_fn(int dir_fd, const char *name, const void *arg);

/* Without an allocation: a folder is taken away when memory has run out, too. */
static void each_entry(int dir_fd, entry_fn *fn, const void *arg)
{
	alignas(struct dirent64) uint8_t room[4096];
	ssize_t n;

	while ((n = getdents64(dir_fd, room, sizeof room)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *d = (const void *)(room + at);

			at += d->d_reclen;
			if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
				fn(dir_fd, d->d_name, arg);
		}
}

static int open_dir(int parent_fd, const char *name)
{
	return openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static void remove_folder(int parent_fd, const char *name, int depth);

static void remove_entry(int dir_fd, const char *name, const void *arg)
{
	const int *depth = arg;

	if (unlinkat(dir_fd, name, 0) != 0 && *depth > 0)
		remove_folder(dir_fd, name, *depth - 1);
}

static void remove_folder(int parent_fd, const char *name, int depth)
{
	int fd = open_dir(parent_fd, name);

	if (fd >= 0) {
		each_entry(fd, remove_entry, &depth);
		(void)close(fd);
	}
	(void)unlinkat(parent_fd, name, AT_REMOVEDIR);
}

void disk_remove_folder(int parent_fd, const char *name)
{
	remove_folder(parent_fd, name, DEPTH);
}

static int lock(int fd)
{
	int r;

	do
		r = flock(fd, LOCK_EX | LOCK_NB);
	while (r != 0 && errno == EINTR);
	return r;
}

static void sweep_one(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return;
	if (lock(fd) == 0 && fstat(fd, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			disk_remove_folder(dir_fd, name);
		else
			(void)unlinkat(dir_fd, name, 0);
	}
	(void)close(fd);
}

static bool is_temp(const char *entry, const char *name)
{
	size_t n = strlen(entry), tail = sizeof(DISK_MARK) - 1 + TEMP_DIGITS;

	if (entry[0] != '.' || n < tail + 2 ||
	    strncmp(entry + n - tail, DISK_MARK, sizeof(DISK_MARK) - 1) != 0 ||
	    !hex_is(span_str(entry + n - TEMP_DIGITS), TEMP_DIGITS))
		return false;
	return name == NULL ||
	       (strlen(name) == n - tail - 1 && strncmp(entry + 1, name, n - tail - 1) == 0);
}

static void sweep_entry(int dir_fd, const char *entry, const void *name)
{
	if (is_temp(entry, name))
		sweep_one(dir_fd, entry);
}

void disk_sweep(int dir_fd, const char *name)
{
	int fd = open_dir(dir_fd, ".");

	if (fd < 0)
		return;
	each_entry(fd, sweep_entry, name);
	(void)close(fd);
}

static enum status make_file(int dir_fd, const char *temp, mode_t mode, int *fd)
{
	*fd = openat(dir_fd, temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	return *fd >= 0 ? ST_OK : ST_OUTPUT;
}

static enum status make_folder(int dir_fd, const char *temp, int *fd)
{
	int why;

	if (mkdirat(dir_fd, temp, 0700) != 0)
		return ST_OUTPUT;
	*fd = openat(dir_fd, temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd >= 0)
		return ST_OK;
	why = errno;
	(void)unlinkat(dir_fd, temp, AT_REMOVEDIR);
	errno = why == EEXIST ? EIO : why;
	return ST_OUTPUT;
}

/* Between making and locking, another run's sweep may have held it, or taken it away: then *again. */
static enum status hold(int fd, bool *again)
{
	struct stat st;

	*again = false;
	if (lock(fd) != 0) {
		*again = errno == EWOULDBLOCK;
		return ST_OUTPUT;
	}
	if (fstat(fd, &st) != 0)
		return ST_OUTPUT;
	*again = st.st_nlink == 0;
	return *again ? ST_OUTPUT : ST_OK;
}

enum status disk_temp(int dir_fd, const char *name, mode_t mode, char temp[NAME_MAX + 1], int *fd,
		      struct tlv_err *e)
{
	bool folder = S_ISDIR(mode);

	for (unsigned i = 0; i < TRIES; i++) {
		bool again;
		int why;

		(void)snprintf(temp, NAME_MAX + 1, ".%s" DISK_MARK "%04x%04x", name,
			       (unsigned)getpid() & 0xffffU, i);
		if ((folder ? make_folder(dir_fd, temp, fd) : make_file(dir_fd, temp, mode, fd)) !=
		    ST_OK) {
			*fd = -1;
			if (errno == EEXIST)
				continue;
			return disk_failed(e, folder ? "cannot be made in its folder" :
						       "cannot be written in its folder");
		}
		if (hold(*fd, &again) == ST_OK)
			return ST_OK;
		why = errno;
		if (!again)
			(void)unlinkat(dir_fd, temp, folder ? AT_REMOVEDIR : 0);
		(void)close(*fd);
		*fd = -1;
		errno = why;
		if (!again)
			return disk_failed(e, "its temporary file cannot be locked");
	}
	return err_set(e, ST_OUTPUT, "no temporary name is free in its folder");
}

enum status disk_write(int fd, struct span bytes, struct tlv_err *e)
{
	while (bytes.n > 0) {
		ssize_t w = write(fd, bytes.p, bytes.n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return disk_failed(e, "cannot be written");
		if (w == 0)
			return err_set(e, ST_OUTPUT, "cannot be written: no room");
		bytes = span_slice(bytes, (size_t)w, bytes.n);
	}
	return ST_OK;
}

enum status disk_sync(int fd, struct tlv_err *e)
{
	int r;

	do
		r = fsync(fd);
	while (r != 0 && errno == EINTR);
	return r == 0 ? ST_OK : disk_failed(e, "cannot be brought to the disk");
}
