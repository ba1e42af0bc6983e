/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A folder of its own for each test, and short ways to fill it and to look at it.
 */
#ifndef TEST_FOLDER_H
#define TEST_FOLDER_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tlv/bytes.h"
#include "tlv/err.h"

/* The working folder of the test that runs. */
static char test_folder[64];

static inline int test_folder_make(void **state)
{
	(void)state;
	(void)snprintf(test_folder, sizeof test_folder, "/tmp/ctlsign-publish-XXXXXX");
	return mkdtemp(test_folder) != NULL && chdir(test_folder) == 0 ? 0 : -1;
}

static inline int test_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int test_folder_drop(void **state)
{
	(void)state;
	return chdir("/") == 0 ? nftw(test_folder, test_remove, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

static inline void put_bytes(const char *path, struct span bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.p, bytes.n), (ssize_t)bytes.n);
	assert_int_equal(close(fd), 0);
}

static inline void put_text(const char *path, const char *text)
{
	put_bytes(path, span_str(text));
}

/* What a file holds, in a room that the next call uses again; "-" where there is none. */
static inline const char *text_of(const char *path)
{
	static char room[65536];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, room, sizeof room - 1) : -1;

	if (fd >= 0)
		(void)close(fd);
	if (n < 0)
		return "-";
	room[n] = '\0';
	return room;
}

static inline bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* How many names a folder holds. */
static inline size_t count_in(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n - 2;
}

/* A list of the test data. */
static inline struct span list_bytes(const char *name)
{
	static uint8_t room[2][65536];
	static int turn;
	char path[PATH_MAX];
	uint8_t *at = room[turn++ % 2];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof path, "%s/lists/%s.tlv", TEST_DATA_DIR, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, at, sizeof room[0]);
	assert_true(n > 0);
	(void)close(fd);
	return span_of(at, (size_t)n);
}

#define IN_A_FOLDER(f) cmocka_unit_test_setup_teardown(f, test_folder_make, test_folder_drop)

#endif
