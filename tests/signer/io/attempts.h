/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What somebody who has taken a process over would try first, in a folder of the test's own.
 */
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "signer/io/sandbox.h"
#include "tlv/bytes.h"

/* A folder of its own, which holds the file "there". */
static char folder[] = "/tmp/ctlsign-sandbox-XXXXXX";

/* Whether it was possible; errno says why not. */
static inline bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd >= 0 && close(fd) == 0;
}

static inline bool reads_a_file(void)
{
	char byte;
	int fd = open("there", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'x';
}

static inline bool reads_a_folder(void)
{
	return opens(".", O_RDONLY | O_DIRECTORY);
}

static inline bool writes_a_file(void)
{
	return opens("there", O_WRONLY);
}

static inline bool empties_a_file(void)
{
	return opens("there", O_RDONLY | O_TRUNC);
}

static inline bool makes_a_file(void)
{
	return opens("new", O_WRONLY | O_CREAT);
}

static inline bool makes_a_folder(void)
{
	return mkdir("new", 0700) == 0;
}

static inline bool runs_a_program(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
	return false;
}

static inline bool forks(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child > 0;
}

static inline bool connects(int family, const struct sockaddr *to, socklen_t n)
{
	int s = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* Nobody listens: to be refused by the other side is to have come that far. */
	return s >= 0 && (connect(s, to, n) == 0 || errno == ECONNREFUSED || errno == ENETUNREACH);
}

static inline bool connects_by_tcp(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connects(AF_INET, (const struct sockaddr *)&to, sizeof to);
}

static inline bool makes_a_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static inline bool signals_its_parent(void)
{
	return kill(getppid(), 0) == 0;
}

static inline bool is_traced(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

/* A pipe's end: what comes in then sends a signal to whoever owns it. */
static inline int pipe_end(void)
{
	int ends[2] = { -1, -1 };

	return pipe(ends) == 0 ? ends[0] : open("there", O_RDONLY | O_CLOEXEC);
}

static inline bool owns_signals(void)
{
	return fcntl(pipe_end(), F_SETOWN, getppid()) == 0;
}

static inline void *nothing(void *arg)
{
	return arg;
}

static inline bool starts_a_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

static inline int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static inline int remove_folder(void **state)
{
	(void)state;
	(void)unlink("there");
	(void)unlink("new");
	(void)rmdir("new");
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

enum { POSSIBLE = 10, IMPOSSIBLE, NO_LAYER };

#endif
