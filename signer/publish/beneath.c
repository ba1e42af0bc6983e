/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/publish/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FOLDER = O_RDONLY | O_DIRECTORY, STEP = O_PATH | O_DIRECTORY, TRIES = 16 };

/* One part of a path after the other. */
struct parts {
	const char *rest;
	char part[NAME_MAX + 1];
	bool is_last, is_folder; /* a slash follows */
};

/* False at the end, or with errno set if the part is too long for a name. */
static bool next_part(struct parts *p)
{
	size_t n = strcspn(p->rest, "/"), slashes = strspn(p->rest + n, "/");

	errno = n > NAME_MAX ? ENAMETOOLONG : 0;
	if (n == 0 || n > NAME_MAX)
		return false;
	(void)snprintf(p->part, sizeof p->part, "%.*s", (int)n, p->rest);
	p->rest += n + slashes;
	p->is_last = *p->rest == '\0';
	p->is_folder = slashes > 0;
	return true;
}

static bool leads_out(const char *path)
{
	struct parts p = { .rest = path };

	if (*path == '/')
		return true;
	while (next_part(&p))
		if (strcmp(p.part, "..") == 0)
			return true;
	return false;
}

/* A link that is no folder is told as a link, as openat2 does. */
static int open_part(int at, const char *part, int flags, mode_t mode)
{
	int fd = openat(at, part, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	int why = errno;
	struct stat st;

	if (fd < 0 && why == ENOTDIR && fstatat(at, part, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode))
		why = ELOOP;
	errno = why;
	return fd;
}

/* The folder that part stands in is not needed any more. */
static int step_to(int fd, int at, int dir_fd)
{
	int why = errno;

	if (at != dir_fd)
		(void)close(at);
	errno = why;
	return fd;
}

static int walk(int dir_fd, const char *path, int flags, mode_t mode)
{
	struct parts p = { .rest = path };
	int at = dir_fd;

	while (next_part(&p)) {
		int how = !p.is_last ? STEP : flags | (p.is_folder ? O_DIRECTORY : 0);
		int fd = step_to(open_part(at, p.part, how, mode), at, dir_fd);

		if (fd < 0 || p.is_last)
			return fd;
		at = fd;
	}
	errno = errno == 0 ? ENOENT : errno;
	return step_to(-1, at, dir_fd);
}

static int open_by_kernel(int dir_fd, const char *path, int flags, mode_t mode)
{
	struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC),
				.mode = (flags & O_CREAT) != 0 ? mode : 0,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	long fd;

	/* EAGAIN: something was renamed meanwhile. */
	for (int i = 0; i < TRIES; i++) {
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return (int)fd;
}

int beneath_open(int dir_fd, const char *path, int flags, mode_t mode)
{
	int fd;

	if (leads_out(path)) {
		errno = EXDEV;
		return -1;
	}
	fd = open_by_kernel(dir_fd, path, flags, mode);
	/* Some containers answer EPERM to calls that they do not know. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EAGAIN))
		fd = walk(dir_fd, path, flags, mode);
	return fd;
}

static int make_part(int at, const char *part)
{
	if (mkdirat(at, part, 0755) != 0 && errno != EEXIST)
		return -1;
	return open_part(at, part, FOLDER, 0);
}

static int make_way(int dir_fd, const char *path)
{
	struct parts p = { .rest = path };
	int at = dir_fd;

	while (next_part(&p)) {
		int fd = step_to(make_part(at, p.part), at, dir_fd);

		if (fd < 0 || p.is_last)
			return fd;
		at = fd;
	}
	return step_to(-1, at, dir_fd);
}

int beneath_folder(int dir_fd, const char *path, bool make)
{
	int fd = beneath_open(dir_fd, *path != '\0' ? path : ".", FOLDER, 0);

	return fd < 0 && errno == ENOENT && make ? make_way(dir_fd, path) : fd;
}

size_t beneath_link(int dir_fd, const char *path)
{
	struct parts p = { .rest = path };
	size_t length = 0;
	int at = dir_fd;

	while (length == 0 && next_part(&p)) {
		int fd = open_part(at, p.part, STEP, 0);
		bool is_link = fd < 0 && errno == ELOOP;

		if (is_link)
			length = (size_t)(p.rest - path);
		(void)step_to(fd, at, dir_fd);
		at = fd;
		if (fd < 0)
			break;
	}
	if (at >= 0)
		(void)step_to(-1, at, dir_fd);
	while (length > 0 && path[length - 1] == '/')
		length--;
	return length;
}
