/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/publish/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tlv/text.h"

enum { TEMP_DIGITS = 8, TRIES = 64, DEPTH = 1 };

enum status place_failed(struct tlv_err *e, const char *what)
{
	return err_set(e, ST_OUTPUT, "%s: %s", what, strerror(errno));
}

static int open_dir(int parent_fd, const char *name)
{
	return openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Without an allocation: a folder is taken away when memory has run out, too. */
void place_each(int dir_fd, place_entry_fn *fn, void *arg)
{
	alignas(struct dirent64) uint8_t room[4096];
	int fd = open_dir(dir_fd, ".");
	ssize_t n;

	while (fd >= 0 && (n = getdents64(fd, room, sizeof room)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *d = (const void *)(room + at);

			at += d->d_reclen;
			if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
				fn(dir_fd, d->d_name, arg);
		}
	if (fd >= 0)
		(void)close(fd);
}

static bool is_ours(int fd, struct stat *st)
{
	return fstat(fd, st) == 0 && st->st_uid == geteuid();
}

static void empty_folder(int fd, int depth);

static void remove_entry(int dir_fd, const char *name, void *arg)
{
	const int *depth = arg;
	struct stat st;
	int fd;

	if (unlinkat(dir_fd, name, 0) == 0 || *depth == 0)
		return;
	fd = open_dir(dir_fd, name);
	if (fd >= 0 && is_ours(fd, &st))
		empty_folder(fd, *depth - 1);
	if (fd >= 0)
		(void)close(fd);
	(void)unlinkat(dir_fd, name, AT_REMOVEDIR);
}

static void empty_folder(int fd, int depth)
{
	place_each(fd, remove_entry, &depth);
}

void place_remove_folder(int parent_fd, const char *temp, int fd)
{
	empty_folder(fd, DEPTH);
	(void)unlinkat(parent_fd, temp, AT_REMOVEDIR);
}

static int lock(int fd)
{
	int r;

	do
		r = flock(fd, LOCK_EX | LOCK_NB);
	while (r != 0 && errno == EINTR);
	return r;
}

bool place_is_unfinished(const struct stat *st)
{
	/* The set-group-id bit comes from the folder above. */
	return S_ISDIR(st->st_mode) && st->st_uid == geteuid() &&
	       (st->st_mode & 01777U) == PLACE_FOLDER_MODE;
}

void place_sweep_unfinished(int dir_fd, const char *name)
{
	int fd = open_dir(dir_fd, name);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && place_is_unfinished(&st) && lock(fd) == 0)
		place_remove_folder(dir_fd, name, fd);
	if (fd >= 0)
		(void)close(fd);
}

/*
 * Others who may rename here can give a temporary name to any folder. So only a folder with our
 * mark is emptied.
 */
static void sweep_folder(int dir_fd, const char *name, int fd, const struct stat *st)
{
	if (place_is_unfinished(st))
		place_remove_folder(dir_fd, name, fd);
	else
		(void)unlinkat(dir_fd, name, AT_REMOVEDIR);
}

static void sweep_one(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return;
	if (is_ours(fd, &st) && lock(fd) == 0) {
		if (S_ISDIR(st.st_mode))
			sweep_folder(dir_fd, name, fd, &st);
		else if (S_ISREG(st.st_mode))
			(void)unlinkat(dir_fd, name, 0);
	}
	(void)close(fd);
}

static bool is_temp(const char *entry, const char *name)
{
	size_t n = strlen(entry), tail = sizeof(PLACE_MARK) - 1 + TEMP_DIGITS;

	if (entry[0] != '.' || n < tail + 2 ||
	    strncmp(entry + n - tail, PLACE_MARK, sizeof(PLACE_MARK) - 1) != 0 ||
	    !hex_is(span_str(entry + n - TEMP_DIGITS), TEMP_DIGITS))
		return false;
	return name == NULL ||
	       (strlen(name) == n - tail - 1 && strncmp(entry + 1, name, n - tail - 1) == 0);
}

static void sweep_entry(int dir_fd, const char *entry, void *name)
{
	const char *const *of = name;

	if (is_temp(entry, *of))
		sweep_one(dir_fd, entry);
}

void place_sweep(int dir_fd, const char *name)
{
	place_each(dir_fd, sweep_entry, &name);
}

static enum status make_file(int dir_fd, const char *temp, mode_t mode, int *fd)
{
	*fd = openat(dir_fd, temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	return *fd >= 0 ? ST_OK : ST_OUTPUT;
}

static enum status make_folder(int dir_fd, const char *temp, int *fd)
{
	int why;

	if (mkdirat(dir_fd, temp, PLACE_FOLDER_MODE) != 0)
		return ST_OUTPUT;
	*fd = openat(dir_fd, temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd >= 0)
		return ST_OK;
	why = errno;
	(void)unlinkat(dir_fd, temp, AT_REMOVEDIR);
	errno = why == EEXIST ? EIO : why;
	return ST_OUTPUT;
}

/*
 * Before it is locked, the sweep of another run may hold it or take it away. Then *again is true.
 */
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

/* Nobody can take all names before us that cannot guess them. */
static void make_name(char temp[NAME_MAX + 1], const char *name, unsigned turn)
{
	uint32_t chance;

	if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != (ssize_t)sizeof chance)
		chance = (uint32_t)getpid() << 16 | turn;
	(void)snprintf(temp, NAME_MAX + 1, ".%s" PLACE_MARK "%08" PRIx32, name, chance);
}

/* One try. ST_OUTPUT with *again: another name may do. */
static enum status make_temp(int dir_fd, const char *temp, mode_t mode, int *fd, bool *again,
			     struct tlv_err *e)
{
	bool folder = S_ISDIR(mode);
	int why;

	*again = false;
	if ((folder ? make_folder(dir_fd, temp, fd) : make_file(dir_fd, temp, mode, fd)) != ST_OK) {
		*fd = -1;
		*again = errno == EEXIST;
		return *again ? ST_OUTPUT : place_failed(e, "cannot be made in its folder");
	}
	if (hold(*fd, again) == ST_OK)
		return ST_OK;
	why = errno;
	if (!*again)
		(void)unlinkat(dir_fd, temp, folder ? AT_REMOVEDIR : 0);
	(void)close(*fd);
	*fd = -1;
	errno = why;
	return *again ? ST_OUTPUT : place_failed(e, "its temporary file cannot be locked");
}

enum status place_temp(int dir_fd, const char *name, mode_t mode, char temp[NAME_MAX + 1], int *fd,
		       struct tlv_err *e)
{
	for (unsigned i = 0; i < TRIES; i++) {
		bool again;
		enum status st;

		make_name(temp, name, i);
		st = make_temp(dir_fd, temp, mode, fd, &again, e);
		if (!again)
			return st;
	}
	return err_set(e, ST_OUTPUT, "no temporary name is free in its folder");
}

enum status place_write(int fd, struct span bytes, struct tlv_err *e)
{
	while (bytes.n > 0) {
		ssize_t w = write(fd, bytes.p, bytes.n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return place_failed(e, "cannot be written");
		if (w == 0)
			return err_set(e, ST_OUTPUT, "cannot be written: no room");
		bytes = span_slice(bytes, (size_t)w, bytes.n);
	}
	return ST_OK;
}

enum status place_sync(int fd, struct tlv_err *e)
{
	int r;

	do
		r = fsync(fd);
	while (r != 0 && errno == EINTR);
	return r == 0 ? ST_OK : place_failed(e, "cannot be brought to the disk");
}

void place_signals_wait(sigset_t *before)
{
	/* The kernel sends these for what the run itself does: if they are blocked, it kills. */
	static const int own[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP };
	sigset_t others;

	(void)sigfillset(&others);
	for (size_t i = 0; i < COUNT(own); i++)
		(void)sigdelset(&others, own[i]);
	(void)sigemptyset(before);
	(void)pthread_sigmask(SIG_BLOCK, &others, before);
}

void place_signals_go(const sigset_t *before)
{
	(void)pthread_sigmask(SIG_SETMASK, before, NULL);
}
