/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a process that reads files and prints gives up before it reads the
 * first one. Were a parser taken over by a hostile file, it could read what the
 * user can read and print; it could write no file, start no program, open no
 * connection, signal or trace nobody, and type nothing into the terminal. One
 * that writes or signs keeps what it names besides.
 *
 * Landlock forbids by what is done to files and sockets, seccomp by system call
 * (signer/io/sandbox*.def); each is there or not, by kernel and container, and
 * neither needs privileges.
 */
#ifndef CTL_SANDBOX_H
#define CTL_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum sandbox_layer {
	SANDBOX_LANDLOCK = 1,
	SANDBOX_SECCOMP = 2,
	SANDBOX_ALL = SANDBOX_LANDLOCK | SANDBOX_SECCOMP
};

/* What holds for this process from here on. */
struct sandbox {
	int landlock; /* ABI, 0: none */
	bool seccomp;
};

enum sandbox_right {
	SANDBOX_WRITE,	   /* beneath a folder: files come to be and go */
	SANDBOX_TREE,	   /* beneath a folder: files and folders do */
	SANDBOX_TAKE_AWAY, /* beneath a folder: empty folders are taken away */
	SANDBOX_DEVICE,	   /* a device or a pipe: it is written to, and asked by ioctl */
};

/* fd: the folder or file, open in whatever way. */
struct sandbox_grant {
	int fd;
	enum sandbox_right what;
};

enum { SANDBOX_CHILDREN_MAX = 3 };

struct sandbox_wants {
	const struct sandbox_grant *grants;
	size_t ngrants;
	bool signs; /* asks at the terminal, starts a copy of itself, talks to processes */
	/*
	 * Connects to others, and reads only what that takes: libraries and the files that
	 * resolve names. Writes nothing: grants are passed over.
	 */
	bool connects;
	pid_t children[SANDBOX_CHILDREN_MAX]; /* started before, each with its own group; 0: none */
};

/*
 * Enters for good, descriptors that are open stay usable. wants NULL: to read
 * and print. Where files may be written is Landlock's: without it those that
 * write may write everywhere. With children no signal is Landlock's, seccomp
 * lets only them be signalled. What the kernel does not have is left out:
 * that is no error. Nothing in a build with sanitizers or coverage, which
 * write reports and trace themselves (CTLSIGN_SANDBOX=OFF).
 */
struct sandbox sandbox_enter(unsigned layers, const struct sandbox_wants *wants);

/* "landlock ABI 7, seccomp", or "none: …" with the reason. */
void sandbox_text(const struct sandbox *s, char out[64]);

#endif
